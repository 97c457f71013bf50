"""A detector's weights file is read as it was written, to half precision, or refused."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from trendscope.categories import CATEGORIES
from trendscope.errors import WeightsError
from trendscope.vision.detector import initial_variables
from trendscope.vision.detector_weights import SHIPPED_DETECTOR, read_detector, write_detector
from trendscope.vision.serialisation import check_arrays, read_arrays
from trendscope.vision.weights import DEFAULT, DetectorGate, DetectorHeader, Header

HEADER = DetectorHeader("garments", gate=DetectorGate(1.2, {"Coat": 0.9}, {"Coat": 0.7}))


@pytest.fixture
def file(tmp_path):
    write_detector(tmp_path / "a.safetensors", HEADER, initial_variables())
    return tmp_path / "a.safetensors"


def test_it_is_read_as_it_was_written(file):
    header, variables = read_detector(file)
    assert header == HEADER
    for found, wanted in zip(
        jax.tree.leaves(variables), jax.tree.leaves(initial_variables()), strict=True
    ):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-6)
    assert file.stat().st_size < 8_000_000


def test_another_shape_is_named(file):
    arrays = load_file(file)
    arrays["params/cells/bias"] = np.zeros(3, np.float16)
    save_file(arrays, file, {"trendscope": HEADER.to_json()})
    with pytest.raises(WeightsError, match=r"array params/cells/bias: expected \(12,\), found \(3"):
        read_detector(file)


def test_what_is_no_number_is_refused(file):
    arrays = load_file(file)
    arrays["params/cells/bias"][0] = np.nan
    save_file(arrays, file, {"trendscope": HEADER.to_json()})
    with pytest.raises(WeightsError, match="params/cells/bias holds values that are not finite"):
        read_detector(file)


def test_other_files_are_refused(file, tmp_path):
    with pytest.raises(WeightsError, match=r"none\.safetensors is not a trendscope weights file"):
        read_detector(tmp_path / "none.safetensors")
    other = dataclasses.replace(HEADER, format=3)
    write_detector(file, other, {"params": {"a": np.zeros(1)}})
    with pytest.raises(WeightsError, match=r"expected format 2 .* found format 3"):
        read_detector(file)
    save_file({"a": np.zeros(1)}, file, {"trendscope": Header("small").to_json()})
    with pytest.raises(
        WeightsError, match="is not a detector's weights file; it names one garment"
    ):
        read_detector(file)


def test_the_shipped_file_is_whole():
    header, _ = read_detector()
    check_arrays(SHIPPED_DETECTOR, read_arrays(SHIPPED_DETECTOR), initial_variables)
    assert header.name == DEFAULT
    assert set(header.gate.single) == set(header.gate.worn) == set(CATEGORIES)
    assert header.scores["outfits"]["mean_average_precision"] > 0.65
    assert not any(str(value).startswith("/") for value in header.settings.values())
