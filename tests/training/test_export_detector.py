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

SINGLE, WORN = dict.fromkeys(CATEGORIES, 0.9), dict.fromkeys(CATEGORIES, 0.6)
FOUND = {
    "side": 128,
    "rows": 224,
    "columns": 160,
    "photo_temperature": 1.3,
    "gates": {"one_gate": SINGLE, "gate_by_category": SINGLE},
    "photos, one_gate": {"right": 0.7},
    "photos, gate_by_category": {"right": 0.8, "by_label": {"Hat": {}}},
    "outfits": {
        "mean_average_precision": 0.5,
        "gate_by_category": WORN,
        "at_it": {"named_per_photo": 2.0},
        "gates": [],
    },
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
    (other / "detections.json").write_text(json.dumps(FOUND))
    header, _ = read_detector(export(run, tmp_path / "new" / "garments.safetensors", other))
    assert (header.name, header.side, header.people) == ("garments", 128, (224, 160))
    assert header.gate.temperature == 1.3
    assert header.gate.single == SINGLE and header.gate.worn == WORN
    assert header.settings["steps"] == 7
    assert header.settings["singles"] == "photos,shop"
    assert header.settings["shares"] == Settings().shares
    assert header.scores["photos"] == {"right": 0.8}
    assert header.scores["outfits"]["named_per_photo"] == 2.0
    assert "Fashion-MNIST" in header.trained_on
