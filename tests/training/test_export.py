from __future__ import annotations

import dataclasses
import sys

import numpy as np
import pytest

pytest.importorskip("optax")

from tests.factories.scores import FOUND
from training import evaluate, export, figures
from training.data import fashion_mnist
from training.evaluation.metrics import Evaluation
from trendscope.errors import WeightsError
from trendscope.vision.classifier import Classifier
from trendscope.vision.network import initial_variables
from trendscope.vision.serialisation import read_weights, write_weights
from trendscope.vision.weights import Architecture, Gate, Header

SMALL = Architecture(filters=(4, 8), depth=(1, 1), dense=8)
HEADER = Header("small", SMALL, trained_on={"some images": "abc"}, settings={"epochs": 3})
PIXELS = np.random.default_rng(0).integers(0, 256, (20, 28, 28), dtype=np.uint8)
IMAGES = fashion_mnist.Images(PIXELS, np.arange(20, dtype=np.int32) % 10)


@pytest.fixture(scope="module")
def evaluated() -> str:
    """The small network's evaluation.json."""
    variables = initial_variables(SMALL)
    classifier = Classifier(HEADER, variables)
    answers = evaluate.predict_images(classifier, IMAGES)
    return evaluate.evaluation(classifier, variables, IMAGES, answers, 1234).to_json()


@pytest.fixture
def run(tmp_path, evaluated):
    folder = tmp_path / "run"
    folder.mkdir()
    write_weights(folder / "weights.safetensors", HEADER, initial_variables(SMALL))
    (folder / "evaluation.json").write_text(evaluated)
    return folder


@pytest.fixture
def shipped(tmp_path):
    folder = tmp_path / "shipped"
    folder.mkdir()
    return folder


def test_scores_travel_in_the_header_as_they_were_printed(run, shipped):
    path = export.export(run, shipped=shipped)
    assert path == shipped / "small.safetensors"
    found = Evaluation.from_json((run / "evaluation.json").read_text())
    scores = read_weights(path)[0].scores["fashion-mnist test"]
    for name in ("images", "accuracy", "loss", "calibration_error", "parameters", "digest"):
        assert scores[name] == getattr(found, name)
    assert scores["gate"] == dataclasses.asdict(found.gate)
    assert scores["recall"]["Bag"] == found.classes[8].recall


def test_only_name_and_scores_differ_from_the_run(run, shipped):
    before, old = read_weights(run / "weights.safetensors")
    after, new = read_weights(export.export(run, "renamed", shipped))
    assert after.name == "renamed"
    assert dataclasses.replace(after, name="small", scores={}) == before
    assert evaluate.weights_digest(after, new) == evaluate.weights_digest(before, old)


def test_scores_on_other_data_are_kept(run, shipped):
    header = dataclasses.replace(HEADER, scores={"photos": {"accuracy": 0.9}})
    write_weights(run / "weights.safetensors", header, initial_variables(SMALL))
    scores = read_weights(export.export(run, shipped=shipped))[0].scores
    assert list(scores) == ["fashion-mnist test", "photos"]


def test_weights_that_were_not_evaluated_are_refused(run, shipped):
    (run / "evaluation.json").unlink()
    with pytest.raises(WeightsError, match=r"was not evaluated: run python -m training\.evaluate"):
        export.export(run, shipped=shipped)
    assert list(shipped.iterdir()) == []


@pytest.mark.parametrize(
    ("header", "seed"),
    [(HEADER, 1), (dataclasses.replace(HEADER, gate=Gate(min_confidence=0.9)), 0)],
)
def test_weights_changed_after_evaluation_are_refused(run, shipped, header, seed):
    write_weights(run / "weights.safetensors", header, initial_variables(SMALL, seed))
    with pytest.raises(WeightsError, match=r"is of weights [0-9a-f]{12}, found [0-9a-f]{12}; run"):
        export.export(run, shipped=shipped)
    assert list(shipped.iterdir()) == []


@pytest.mark.parametrize("text", ["", "[]", '{"gate": {}}'])
def test_a_damaged_evaluation_is_refused(run, shipped, text):
    (run / "evaluation.json").write_text(text)
    with pytest.raises(WeightsError, match="is not an evaluation"):
        export.export(run, shipped=shipped)


def test_the_card_has_a_section_for_each_shipped_weights(run, shipped):
    export.export(run, shipped=shipped)
    export.export(run, "second", shipped)
    card = (shipped / "MODEL_CARD.md").read_text()
    assert [line for line in card.splitlines() if line.startswith("## ")] == [
        "## second",
        "## small",
    ]
    found = Evaluation.from_json((run / "evaluation.json").read_text())
    assert f"| accuracy | {found.accuracy} |" in card
    assert "- some images, sha256 abc" in card
    assert "epochs 3" in card


def test_exporting_twice_changes_nothing(run, shipped):
    export.export(run, shipped=shipped)
    once = {path.name: path.read_bytes() for path in shipped.iterdir()}
    export.export(run, shipped=shipped)
    assert {path.name: path.read_bytes() for path in shipped.iterdir()} == once


def test_export_keeps_the_card_around_the_markers(run, shipped):
    card = shipped / "MODEL_CARD.md"
    card.write_text(f"before\n{figures.START}\nold figures\n{figures.END}\nafter\n")
    export.export(run, shipped=shipped)
    text = card.read_text()
    assert text.startswith(f"before\n{figures.START}\n")
    assert text.endswith(f"{figures.END}\nafter\n")
    assert "old figures" not in text


@pytest.mark.parametrize(
    "text", ["no markers", figures.START, f"{figures.END}{figures.START}", figures.START * 2]
)
def test_a_card_without_its_markers_is_refused_and_left_alone(run, shipped, text):
    card = shipped / "MODEL_CARD.md"
    card.write_text(text)
    with pytest.raises(WeightsError, match=r"MODEL_CARD\.md: expected one <!-- figures: start"):
        export.export(run, shipped=shipped)
    assert card.read_text() == text
    assert [path.name for path in shipped.iterdir()] == ["MODEL_CARD.md"]


def test_the_command_refuses_in_one_line_with_exit_code_one(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["export", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit) as stopped:
        export.main()
    assert str(stopped.value.code).startswith("training.export: ")


def add_photos(run, **changes):
    """Scores on photos that are those of the run's weights, unless changed."""
    digest = evaluate.weights_digest(HEADER, initial_variables(SMALL))
    found = dataclasses.replace(FOUND, digest=digest, **changes)
    (run / "photos.json").write_text(found.to_json())


def test_scores_on_photos_travel_beside_those_on_fashion_mnist(run, shipped):
    add_photos(run, scored_on="customers of fold 0 of 3, never trained on")
    scores = read_weights(export.export(run, shipped=shipped))[0].scores
    assert list(scores) == ["fashion-mnist test", "photos"]
    assert scores["photos"]["accuracy"] == 0.75
    card = (shipped / "MODEL_CARD.md").read_text()
    assert "| photos | |" in card
    assert "| scored on | customers of fold 0 of 3, never trained on |" in card
    assert "| accuracy | 0.75 |" in card
    assert "| other things named, shop | 1.0 |" in card


def test_scores_on_photos_of_other_weights_are_refused(run, shipped):
    (run / "photos.json").write_text(FOUND.to_json())
    message = r"photos\.json is of weights abc, found [0-9a-f]{12}; run .* --photos PLACE again, or"
    with pytest.raises(WeightsError, match=message):
        export.export(run, shipped=shipped)
    assert list(shipped.iterdir()) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"accuracy": {}}'])
def test_damaged_scores_on_photos_are_refused(run, shipped, text):
    (run / "photos.json").write_text(text)
    with pytest.raises(WeightsError, match=r"photos\.json is not an evaluation"):
        export.export(run, shipped=shipped)
