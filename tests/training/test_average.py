"""The mean of several runs' weights."""

from __future__ import annotations

import dataclasses
import json

import jax
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from training.average import (
    SETTINGS,
    WEIGHTS,
    average,
    average_detectors,
    is_detector_run,
)
from trendscope.errors import TrendscopeError
from trendscope.vision.network import initial_variables
from trendscope.vision.serialisation import read_weights, write_weights
from trendscope.vision.weights import Architecture, Gate, Header

SMALL = Architecture(stem=2, filters=(4, 8), depth=(1, 1), dense=8)


def run(folder, value, gate, architecture=SMALL):
    """A run whose every weight is `value`."""
    folder.mkdir()
    variables = jax.tree.map(lambda x: np.full_like(x, value), initial_variables(architecture))
    write_weights(
        folder / "weights.safetensors", Header(folder.name, architecture, gate), variables
    )
    return str(folder)


def test_average_has_the_mean_arrays_and_the_last_gate(tmp_path):
    first = run(tmp_path / "first", 1, Gate(0.5, 0.5, 0.5))
    drier = dataclasses.replace(SMALL, dropout=0.1)  # A setting of the training, not a shape.
    second = run(tmp_path / "second", 4, Gate(0.9, 0.4, 0.8), drier)
    header, mean = read_weights(average([first, second], tmp_path / "mean"))
    assert {float(x) for leaf in jax.tree.leaves(mean) for x in np.unique(leaf)} == {2.5}
    assert (header.name, header.gate) == ("second", Gate(0.9, 0.4, 0.8))
    assert header.settings["mean_of"] == f"{first}, {second}"


def test_average_of_two_architectures_is_refused(tmp_path):
    first = run(tmp_path / "first", 1, Gate())
    other = run(tmp_path / "other", 1, Gate(), Architecture(stem=2, filters=(4, 4), depth=(1, 1)))
    with pytest.raises(TrendscopeError, match="not of one architecture"):
        average([first, other], tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def detector_run(folder, value, shape=(2, 3)):
    folder.mkdir()
    save_file({"trunk/stem/kernel": np.full(shape, value, np.float32)}, folder / WEIGHTS)
    (folder / SETTINGS).write_text(json.dumps({"steps": int(value)}))
    return folder


def test_the_mean_of_detectors_has_the_last_ones_settings(tmp_path):
    runs = [detector_run(tmp_path / name, value) for name, value in (("a", 1), ("b", 4))]
    assert all(is_detector_run(str(each)) for each in runs)
    mean = load_file(average_detectors(runs, tmp_path / "mean"))
    assert mean["trunk/stem/kernel"].tolist() == [[2.5] * 3] * 2
    assert mean["trunk/stem/kernel"].dtype == np.float32
    settings = json.loads((tmp_path / "mean" / SETTINGS).read_text())
    assert settings == {"steps": 4, "mean_of": "a, b"}


def test_detectors_of_two_shapes_have_no_mean(tmp_path):
    runs = [detector_run(tmp_path / "a", 1), detector_run(tmp_path / "b", 1, (3, 3))]
    with pytest.raises(TrendscopeError, match="not of one architecture"):
        average_detectors(runs, tmp_path / "mean")
    assert not (tmp_path / "mean").exists()


def test_other_runs_are_no_detectors(tmp_path):
    assert not is_detector_run(run(tmp_path / "first", 1, Gate()))
    assert not is_detector_run("photos")
