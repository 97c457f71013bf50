"""Weights are found and told apart without loading them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

from trendscope.errors import WeightsError
from trendscope.vision import weights
from trendscope.vision.serialisation import read_weights
from trendscope.vision.weights import SHIPPED, WeightsIdentity, find_weights, identify, input_size


def written(path, name="tiny", value=0.0):
    arrays = {"kernel": np.full((2, 3), value, np.float32)}
    save_file(arrays, path, {"trendscope": json.dumps({"name": name})})
    return path


def test_the_name_stands_in_the_header_and_the_digest_is_the_files(tmp_path):
    path = written(tmp_path / "a.safetensors")
    found = identify(path)
    assert found == WeightsIdentity("tiny", hashlib.sha256(path.read_bytes()).hexdigest())
    assert str(found) == f"tiny ({found.digest[:8]})"


def test_other_numbers_are_other_weights_even_under_the_same_name(tmp_path):
    one, other = (written(tmp_path / f"{value}.safetensors", value=value) for value in (0, 1))
    assert identify(one).name == identify(other).name
    assert identify(one).digest != identify(other).digest


def test_shipped_weights_go_by_their_name(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "SHIPPED", tmp_path)
    path = written(tmp_path / "small.safetensors")
    assert find_weights("small") == path
    with pytest.raises(WeightsError, match=r"no weights at large: .* a shipped name \(small\)"):
        find_weights("large")


@pytest.mark.parametrize(
    "data",
    [b"", b"1234", b"\xff" * 64, b"\2\0\0\0\0\0\0\0{}", b"\2\0\0\0\0\0\0\0[]", b"\x80\5pickle" * 9],
)
def test_other_files_are_refused(tmp_path, data):
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=r"x\.safetensors is not a trendscope weights file"):
        identify(path)


def test_what_classifier_reads_is_what_identify_says():
    from trendscope.vision.serialisation import read_weights

    for path in SHIPPED.glob("*.safetensors"):
        assert identify(path).name == read_weights(path)[0].name


@pytest.mark.parametrize("name", ["photos", "fashion-mnist"])
def test_shipped_weights_are_whole_and_their_size_is_known_unloaded(name):
    header, _ = read_weights(find_weights(name))  # Checks every array, as loading them does not.
    assert input_size(name) == header.architecture.size


@pytest.mark.parametrize("shape", [{}, {"architecture": {"size": "large"}}, {"architecture": 28}])
def test_weights_that_do_not_say_their_size_are_refused(tmp_path, shape):
    save_file(
        {"a": np.zeros(1)},
        path := tmp_path / "a",
        {"trendscope": json.dumps({"name": "a", **shape})},
    )
    with pytest.raises(WeightsError, match=r"a is not a trendscope weights file, or is damaged"):
        input_size(path)


def test_telling_weights_apart_needs_no_jax():
    code = (
        "import sys, trendscope.vision.weights as w; w.identify(w.DEFAULT);"
        "print('jax' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
