"""The mean of several runs' weights."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
import pytest

from training.average import average
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
