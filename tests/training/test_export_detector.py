"""A run's weights travel with their gates and scores."""

from __future__ import annotations

import dataclasses
import json

import pytest

from training.detect import Settings, write_params
from training.export_detector import export
from trendscope.categories import CATEGORIES
from trendscope.errors import WeightsError
from trendscope.vision.detector import initial_variables
from trendscope.vision.detector_weights import read_detector
from trendscope.vision.scores import read_scores
from trendscope.vision.weights import DetectorGate

SINGLE, WORN = dict.fromkeys(CATEGORIES, 0.9), dict.fromkeys(CATEGORIES, 0.6)
EVALUATED = {
    "side": 128,
    "rows": 224,
    "columns": 160,
    "gate": {"temperature": 1.3, "single": SINGLE, "worn": WORN},
    "singles": {
        "phone": {
            "photos_of_the_ten": 9,
            "scored_on": "customers of fold 0 of 5, never trained on",
            "precision": 0.96,
            "coverage": 0.8,
            "coverage_of": {"Dress": 0.7},
            "others_named_by_label": {"Hat": 1},
        },
        "shop": {"coverage_of": {"Dress": 0.9, "Bag": 0.8}},
        "negatives": {"photos": 2, "named": 0.5},
    },
    "outfits": {
        "photos": 3,
        "named_per_photo": 2.0,
        "worn_of_named": 0.9,
        "found_of_worn": 0.5,
        "found_by_category": {"Dress": 0.6},
    },
    "fashion-mnist test": {"accuracy": 0.94},
}


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    write_params(folder / "weights.safetensors", initial_variables()["params"])
    (folder / "settings.json").write_text(
        json.dumps(dataclasses.asdict(Settings(steps=7, singles="/a/photos,/b/shop")))
    )
    return folder


def test_a_run_that_was_not_evaluated_is_refused(run, tmp_path):
    with pytest.raises(WeightsError, match=r"run python -m training\.evaluation\.detections"):
        export(run, tmp_path / "out.safetensors")


def test_gates_and_scores_travel_in_the_header(run, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "detections.json").write_text(json.dumps(EVALUATED))
    path = export(run, tmp_path / "new" / "garments.safetensors", other)
    header, _ = read_detector(path)
    assert (header.name, header.side, header.people) == ("garments", 128, (224, 160))
    assert header.gate == DetectorGate(1.3, SINGLE, WORN)
    assert header.settings["steps"] == 7
    assert header.settings["singles"] == "photos,shop"
    assert header.settings["shares"] == Settings().shares
    assert "others_named_by_label" not in header.scores["photos"]
    assert header.scores["negatives"] == {"photos": 2, "named": 0.5}
    assert header.scores["outfits"]["named_per_photo"] == 2.0
    assert header.scores["fashion-mnist test"] == {"accuracy": 0.94}
    assert "Fashion-MNIST" in header.trained_on
    scores = read_scores(path)
    # 9 photos of one garment and 3 of people, and the lower figure of either.
    assert (scores.photos, scores.precision, scores.coverage) == (12, 0.9, 0.5)
    assert scores.unseen and scores.by_another
    assert dict(scores.coverage_of) == {"Bag": 0.8, "Dress": 0.6}
