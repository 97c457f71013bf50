"""A detector's gates and figures on the pictures that its training held out."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("optax")

from tests.factories.scores import SHOES, judged
from training.detect import Settings, write_params
from training.evaluation import detections
from training.evaluation.detections import fitted_temperature, lenient, single_scores
from training.evaluation.looks import kept_looks
from training.evaluation.outfits import evaluate_outfits
from training.evaluation.people import lines
from trendscope.categories import CATEGORIES
from trendscope.errors import TrendscopeError
from trendscope.vision.detector import initial_variables
from trendscope.vision.photo_detector import PhotoDetector, calibrated
from trendscope.vision.weights import DetectorGate, DetectorHeader


def test_overconfidence_is_cooled():
    """Always .9 sure, and right 3 times of 4: the temperature makes it .75 sure."""
    p = np.tile(np.array([[0.9, 0.1]], np.float32), (4, 1))
    allowed = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], bool)
    temperature = fitted_temperature(p, allowed)
    assert calibrated(p, temperature)[0, 0] == pytest.approx(0.75, abs=0.01)


def test_labels_that_say_shoes_allow_any_kind():
    photo = judged("Sneaker", "Sandal")
    assert not photo.guess_is_right and lenient(photo).guess_is_right
    assert not lenient(judged("Coat", "Sandal")).guess_is_right


def test_figures_of_single_garments_by_place():
    photos = [
        judged("Coat", "Coat"),
        judged("Sneaker", "Sandal"),
        judged(SHOES, "Sandal", 0.5, "uncertain"),
        judged("", "Coat", label="Hat"),
        judged("", "Bag", place="negatives"),
        judged("", "Bag", 0.2, "outside", place="negatives"),
    ]
    as_labelled = [judged("Dress", "Coat"), judged(SHOES, "Sandal"), *photos[2:]]
    scores = single_scores(photos, as_labelled, "all customers")
    home = scores["home"]
    assert (home["photos_of_the_ten"], home["scored_on"]) == (3, "all customers")
    assert home["accuracy"] == 0.6667 and home["lenient_accuracy"] == 1
    assert home["coverage"] == 0.6667 and home["precision"] == 0.5
    assert home["lenient_precision"] == 1
    assert (home["as_labelled_accuracy"], home["as_labelled_precision"]) == (0.6667, 0.5)
    assert home["others_named_by_label"] == {"Hat": 1}
    assert scores["negatives"] == {"photos": 2, "named": 0.5}


def test_figures_are_told_line_by_line():
    assert lines({"a": {"b": 0.5}, "c": None}) == ["a: b 0.5", "c None"]


# --- a run ---------------------------------------------------------------------------------------


def drawn(path, seed, size=(40, 60)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with random weights, twelve single garments and eight people, a half held out."""
    folder = tmp_path_factory.mktemp("run")
    rows = ["file,customer,label,category"]
    for i in range(12):
        drawn(folder / "phone" / "images" / f"{i}.png", i)
        rows.append(f"{i}.png,customer {i},{'Hat,' if i % 3 == 0 else 'Dress,Dress'}")
    (folder / "phone" / "labels.csv").write_text("\n".join(rows))
    outfits = folder / "outfits"
    for i in range(8):
        drawn(outfits / "images" / f"{i}.png", 100 + i)
    (outfits / "labels.csv").write_text("index,label,category\n0,null,\n1,dress,Dress\n")
    (outfits / "boxes.csv").write_text("file,label,category,x0,y0,x1,y1\n")
    people = [f"{i}.png,tags,dress" for i in range(8)]
    (outfits / "photos.csv").write_text("\n".join(["file,annotation,tags", *people]))
    settings = Settings(
        singles=str(folder / "phone"),
        outfits=str(outfits),
        cache=str(folder / "cache"),
        fold=0,
        folds=2,
    )
    (folder / "settings.json").write_text(json.dumps(dataclasses.asdict(settings)))
    write_params(folder / "weights.safetensors", initial_variables()["params"])
    return folder


def test_a_run_is_scored_on_what_it_held_out_and_gates_are_fitted(run):
    scores = detections.evaluate(run, 64, (64, 32), published=False)
    singles, outfits = scores["singles"]["phone"], scores["outfits"]
    assert 0 < singles["photos"] < 12 and 0 < outfits["photos"] < 8
    assert singles["scored_on"] == "customers of fold 0 of 2, never trained on"
    gate = DetectorGate(**scores["gate"])
    assert all(0.3 <= least <= 0.99 for least in (*gate.single.values(), *gate.worn.values()))
    before = sorted(run.glob("looks-*.npz"))
    assert len(before) == 2
    assert detections.evaluate(run, 64, (64, 32), published=False) == scores, "of the kept looks"
    assert sorted(run.glob("looks-*.npz")) == before


def test_kept_looks_give_the_products_predictions(run, tmp_path):
    detector = PhotoDetector(DetectorHeader("run", 64, (64, 32)), initial_variables())
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(b"no picture")
    files = [str(damaged), *(str(run / "phone" / "images" / f"{i}.png") for i in range(3))]
    kept_looks(files, detector, "key", tmp_path)
    looks = kept_looks(files, detector, "key", tmp_path)
    assert looks.rows.tolist() == [1, 2, 3]
    (line,) = looks.refused
    assert line.startswith(str(damaged))
    for row, file in enumerate(files[1:]):
        rgb = np.asarray(Image.open(file).convert("RGB"))
        (product,) = detector.predict([detector.prepare(rgb)])
        said = looks.prediction(row, detector.header.gate)
        assert said.whole.verdict == product.whole.verdict
        np.testing.assert_allclose(said.whole.probabilities, product.whole.probabilities, atol=1e-4)


def test_people_are_scored_as_the_product_judges_them_and_shown_with_boxes(run, tmp_path):
    worn = dict.fromkeys(CATEGORIES, 0.01)
    header = DetectorHeader("random <b>", 64, (64, 32), DetectorGate(1.0, worn, worn))
    detector = PhotoDetector(header, initial_variables())
    place = run / "outfits"
    scores = evaluate_outfits(detector, place, None, 2, (), run / "cache", tmp_path)
    assert scores["photos"] == 8
    assert json.loads((tmp_path / "outfits.json").read_text()) == scores
    page = (tmp_path / "outfits.html").read_text()
    assert "random &lt;b&gt; on people" in page and page.count("<figure") >= 8
    held_out = evaluate_outfits(detector, place, 0, 2, (), run / "cache", None)
    assert 0 < held_out["photos"] < 8
    with pytest.raises(TrendscopeError, match="fold 999 of 1000 has no photo"):
        evaluate_outfits(detector, place, 999, 1000, (), run / "cache", None)


def test_a_run_that_held_nothing_out_is_refused(run, tmp_path):
    settings = json.loads((run / "settings.json").read_text())
    (tmp_path / "settings.json").write_text(json.dumps({**settings, "fold": -1}))
    with pytest.raises(TrendscopeError, match="held nothing out"):
        detections.evaluate(tmp_path, 64, (64, 32))
