from __future__ import annotations

import dataclasses
import json
import re
import sys

import pytest

pytest.importorskip("optax")

from tests.factories.photos import painted
from tests.factories.pictures import BLACK, BLUE, RED, picture
from tests.factories.scores import judged
from training import evaluate
from training.data import photos
from training.evaluation import photo_page, predictions
from training.evaluation.photo_metrics import PhotoEvaluation
from trendscope.categories import CATEGORIES
from trendscope.errors import TrendscopeError
from trendscope.photos.run import classify
from trendscope.vision.classifier import Classifier
from trendscope.vision.network import initial_variables
from trendscope.vision.serialisation import write_weights
from trendscope.vision.weights import Architecture, Gate, Header

SMALL = Architecture(filters=(4, 8), depth=(1, 1), dense=8)
HEADER = Header("small <b>", SMALL, gate=Gate(min_outside=0.2, min_confidence=0.1))
LABELS = """file,customer,label,category
1.png,ann,Gown,Dress
2.png,ann,Shoes,Sandal|Sneaker|Ankle boot
3.jpg,ben,Hat <i>,
broken.jpg,ben,Coat,Coat
4.jpg,ben,,Bag
"""


@pytest.fixture
def run(tmp_path):
    """A run folder with weights as they are before training."""
    (tmp_path / "run").mkdir()
    write_weights(tmp_path / "run" / "weights.safetensors", HEADER, initial_variables(SMALL))
    return tmp_path / "run"


@pytest.fixture
def place(tmp_path):
    """Five labelled files, of which one is no picture."""
    folder = tmp_path / "ours"
    (folder / "images").mkdir(parents=True)
    files = {
        "1.png": painted("Dress"),
        "2.png": painted("Sandal"),
        "3.jpg": picture(BLUE),
        "broken.jpg": b"\xff\xd8\xff and then nothing",
        "4.jpg": picture(RED, (300, 500)),
    }
    for name, content in files.items():
        (folder / "images" / name).write_bytes(content)
    (folder / "labels.csv").write_text(LABELS)
    return folder


def test_photos_are_judged_as_the_product_judges_them(run, place):
    classifier = Classifier.load(run)
    found, refused = predictions.predict_photos(classifier, photos.read_tables([place]))
    assert [(p.customer, p.label, p.allowed) for p in found] == [
        ("ann", "Gown", ("Dress",)),
        ("ann", "Shoes", ("Sandal", "Sneaker", "Ankle boot")),
        ("ben", "Hat <i>", ()),
        ("ben", "", ("Bag",)),
    ]
    (line,) = refused
    assert line.startswith(f"{place}/images/broken.jpg: ")
    product = {r.source: r for r in classify([place / "images"], weights=classifier).readings}
    assert len(product) == 4
    for photo in found:
        reading = product[photo.file]
        assert photo.prediction.verdict == reading.verdict
        assert photo.guess == reading.probabilities[0][0]
        assert photo.prediction.outside == pytest.approx(reading.outside, abs=1e-5)


def test_written_photo_evaluation_equals_the_returned_one(run, place):
    found = evaluate.evaluate_photos(str(run), [place])
    assert (found.photos, found.of_the_ten, found.customers) == (4, 3, 2)
    assert [row.name for row in found.others_by_place] == ["ours"]
    assert len(found.refused) == 1
    assert found.digest == evaluate.weights_digest(HEADER, initial_variables(SMALL))
    assert PhotoEvaluation.from_json((run / "photos.json").read_text()) == found


def test_the_page_is_whole_loads_nothing_and_escapes_names(run, place):
    evaluate.evaluate_photos(str(run), [place])
    html = (run / "photos.html").read_text()
    for heading in ("What it takes for what", "How sure it may be", "broken.jpg", "the surest"):
        assert heading in html
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', html)
    assert len(sources) >= 6 and all(source.startswith("data:image/") for source in sources)
    assert html.count("<img") == len(re.findall(r'<img [^>]*alt="[^"]+"', html))
    assert "small &lt;b&gt;" in html and "small <b>" not in html and "Hat <i>" not in html


def test_customers_with_many_photos_are_on_the_page(run, tmp_path):
    (tmp_path / "labels.csv").write_text(
        "file,customer,category\n" + "".join(f"{i}.jpg,ann,Coat\n" for i in range(12))
    )
    for i in range(12):
        (tmp_path / f"{i}.jpg").write_bytes(picture((20 * i, 0, 99)))
    found = evaluate.evaluate_photos(str(run), [tmp_path], out=tmp_path / "out")
    assert [(r.customer, r.photos) for r in found.customer_shares] == [("ann", 12)]
    html = (tmp_path / "out" / "photos.html").read_text()
    assert "Error of the shares of each customer" in html
    assert not (run / "photos.html").exists()


def test_only_the_customers_of_a_fold_are_scored(run, tmp_path):
    names = [f"c{i}" for i in range(12)]
    rows = "".join(f"{name}.jpg,{name},Coat\n" for name in names)
    (tmp_path / "labels.csv").write_text(f"file,customer,category\n{rows}")
    for name in names:
        (tmp_path / f"{name}.jpg").write_bytes(picture(BLACK))
    folds = [evaluate.evaluate_photos(str(run), [tmp_path], fold, 2) for fold in (0, 1)]
    assert sum(found.photos for found in folds) == 12
    assert 0 < folds[0].photos < 12
    expected = photos.held_out_customers(photos.read_table(tmp_path)["customer"].to_numpy(), 0, 2)
    assert folds[0].photos == expected.sum()
    with pytest.raises(TrendscopeError, match="fold 0 of 999 has no customer: use fewer folds"):
        evaluate.evaluate_photos(str(run), [tmp_path], 0, 999)


def test_scored_on_states_whether_photos_were_trained_on():
    adapted = dataclasses.replace(
        HEADER, trained_on={"photos": "abc"}, settings={"fold": 0, "folds": 3}
    )
    assert predictions.scored_on(HEADER, None, 3) == "all customers, never trained on"
    assert predictions.scored_on(adapted, None, 3) == "all customers, perhaps trained on"
    assert predictions.scored_on(adapted, 0, 3) == "customers of fold 0 of 3, never trained on"
    assert predictions.scored_on(adapted, 1, 3) == "customers of fold 1 of 3, perhaps trained on"
    assert predictions.scored_on(adapted, 0, 4) == "customers of fold 0 of 4, perhaps trained on"


def test_places_of_the_same_name_are_listed_by_path(tmp_path):
    for folder in ("a/shop", "b/shop", "home"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "labels.csv").write_text("file,category\nx.jpg,Coat\n")
    home, one, two = (tmp_path / folder for folder in ("home", "a/shop", "b/shop"))
    assert list(photos.read_tables([home, one / "labels.csv"])["place"]) == ["home", "shop"]
    assert list(photos.read_tables([one, two])["place"]) == [str(one), str(two)]


def test_evaluation_of_unreadable_photos_only_is_an_error(run, tmp_path):
    (tmp_path / "labels.csv").write_text("file,category\na.jpg,Coat\n")
    with pytest.raises(TrendscopeError, match=r"no photo could be read, for example .*a\.jpg"):
        evaluate.evaluate_photos(str(run), [tmp_path])
    assert not (run / "photos.json").exists()


# --- the mistakes --------------------------------------------------------------------------------


def test_the_surest_mistakes_by_kind():
    wrong = [judged("Dress", "Coat", sure, customer=f"{sure}") for sure in (0.5, 0.9, 0.7)]
    hat = judged("", "Bag", 0.6)
    missed = judged("Bag", "Bag", 0.1, "outside")
    fine = [
        judged("Bag", "Bag"),
        judged("", "Bag", 0.1, "outside"),
        judged("", "Bag", 0.3, "uncertain"),
    ]
    kinds = photo_page.surest_mistakes([*wrong, hat, missed, *fine], count=2)
    assert kinds == {
        "A wrong category": [wrong[1], wrong[2]],
        "Other things that were named": [hat],
        "Taken for none of the ten": [missed],
    }
    # Nine other categories at .005 each.
    assert photo_page.sureness(missed) == pytest.approx(1 - 0.1 - 9 * 0.005)


def test_mistakes_have_their_photo(place):
    photo = dataclasses.replace(
        judged("Dress", "Coat", 0.8, label="Gown"), file=str(place / "images" / "1.png")
    )
    shown = photo_page.mistake(photo)
    assert (shown.name, shown.label, shown.predicted) == ("1.png", "Gown (Dress)", "Coat")
    assert shown.photo.startswith("data:image/jpeg")
    assert photo_page.in_words(judged("Dress", "Coat", label="Dress")) == "Dress"


# --- the command ---------------------------------------------------------------------------------


def call(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["evaluate", *map(str, words)])
    evaluate.main()


def test_the_command_prints_tables_or_one_document(run, place, monkeypatch, capsys):
    call(monkeypatch, "--weights", run, "--photos", place)
    shown = capsys.readouterr().out
    assert "4 photos of 2 customers" in shown and "mean over groups" in shown
    assert "could not be read:" in shown and "Hat <i>" in shown
    call(monkeypatch, "--weights", run, "--photos", place, "--json")
    document = json.loads(capsys.readouterr().out)
    assert (document["schema_version"], document["photos"]) == (1, 4)
    assert document["confusion"].keys() == {"Dress", "Shoes", "Bag", "other things"}
    assert all(len(row) == len(CATEGORIES) + 1 for row in document["confusion"].values())


def test_nothing_is_written_beside_shipped_weights(run, place, monkeypatch, capsys):
    monkeypatch.setattr(evaluate, "SHIPPED", run)
    call(monkeypatch, "--weights", run, "--photos", place)
    assert [path.name for path in run.iterdir()] == ["weights.safetensors"]


@pytest.mark.parametrize(
    "words", [["--fold", "0"], ["--photos", "x", "--fold", "3"], ["--photos", "x", "--fold", "-1"]]
)
def test_a_fold_that_cannot_be_is_wrong_usage(run, monkeypatch, capsys, words):
    with pytest.raises(SystemExit) as stopped:
        call(monkeypatch, "--weights", run, *words)
    assert stopped.value.code == 2
    assert "--fold needs --photos or --outfits, and a number from 0" in capsys.readouterr().err


def test_photos_that_are_not_there_are_one_line(run, tmp_path, monkeypatch):
    with pytest.raises(SystemExit) as stopped:
        call(monkeypatch, "--weights", run, "--photos", tmp_path / "nowhere")
    assert re.match(
        r"training\.evaluate: .*nowhere: expected labels\.csv, or folders", str(stopped.value.code)
    )
