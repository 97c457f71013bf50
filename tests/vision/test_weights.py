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
from trendscope.vision.detector_weights import read_detector
from trendscope.vision.serialisation import read_weights
from trendscope.vision.weights import (
    DEFAULT,
    SHIPPED,
    Architecture,
    Gate,
    Header,
    WeightsIdentity,
    find_digest,
    find_weights,
    identify,
    read_header,
)


def written(path, name="tiny", value=0.0):
    arrays = {"kernel": np.full((2, 3), value, np.float32)}
    save_file(arrays, path, {"trendscope": Header(name).to_json()})
    return path


def test_identity_is_the_headers_name_and_the_files_digest(tmp_path):
    path = written(tmp_path / "a.safetensors")
    found = identify(path)
    assert found == WeightsIdentity("tiny", hashlib.sha256(path.read_bytes()).hexdigest())
    assert str(found) == f"tiny ({found.digest[:8]})"


def test_weights_of_one_name_with_other_arrays_have_other_digests(tmp_path):
    one, other = (written(tmp_path / f"{value}.safetensors", value=value) for value in (0, 1))
    assert identify(one).name == identify(other).name
    assert identify(one).digest != identify(other).digest


def test_shipped_weights_go_by_their_name(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "SHIPPED", tmp_path)
    path = written(tmp_path / "small.safetensors")
    other = written(tmp_path / "medium.safetensors", value=1.0)
    assert find_weights("small") == path and find_weights("medium") == other
    assert find_digest(identify(other).digest) == other
    with pytest.raises(WeightsError, match=r"no weights at large: .* name \(medium, small\)"):
        find_weights("large")


@pytest.mark.parametrize(
    "data",
    [b"", b"1234", b"\xff" * 64, b"\2\0\0\0\0\0\0\0{}", b"\2\0\0\0\0\0\0\0[]", b"\x80\5pickle" * 9],
)
def test_identify_refuses_files_of_another_kind(tmp_path, data):
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=r"x\.safetensors is not a trendscope weights file"):
        identify(path)


@pytest.mark.parametrize(
    ("name", "read"), [(DEFAULT, read_detector), ("fashion-mnist", read_weights)]
)
def test_shipped_weights_are_whole_and_have_their_header_without_loading(name, read):
    header, _ = read(find_weights(name))  # Checks every array, as loading them does not.
    assert read_header(find_weights(name)) == header
    assert identify(name).name == header.name == name


@pytest.mark.parametrize(
    "change",
    [
        {"architecture": {}, "gate": None},
        {"architecture": {"size": "large"}},
        {"architecture": {"stride": 2}},
        {"architecture": 28},
        {"gate": {"certain": "very"}},
        {"colour": "red"},
    ],
)
def test_header_of_another_form_is_refused(tmp_path, change):
    values = json.loads(Header("a").to_json())
    metadata = {"trendscope": json.dumps(values | change)}
    save_file({"a": np.zeros(1)}, path := tmp_path / "a", metadata)
    with pytest.raises(WeightsError, match=r"a is not a trendscope weights file, or is damaged"):
        read_header(path)


@pytest.mark.parametrize("missing", ["name", "architecture", "gate", "categories"])
def test_header_without_a_part_is_refused(tmp_path, missing):
    values = json.loads(Header("a").to_json())
    del values[missing]
    save_file({"a": np.zeros(1)}, path := tmp_path / "a", {"trendscope": json.dumps(values)})
    with pytest.raises(WeightsError, match=rf"is damaged \('{missing}'\)"):
        read_header(path)


def test_header_keys_of_the_gate_stay_as_they_were():
    header = Header("x", Architecture(kernel=5), Gate(1.5, min_outside=0.4))
    values = json.loads(header.to_json())
    assert values["gate"] == {"temperature": 1.5, "outside": 0.4, "certain": 0.5}
    assert Header.from_json(header.to_json()) == header


def test_find_digest_tries_the_given_weights_before_the_shipped_ones(tmp_path):
    path = written(tmp_path / "w.safetensors")
    assert find_digest(identify(path).digest) is None
    assert find_digest(identify(path).digest, path) == path
    assert find_digest(identify("photos").digest, path) == SHIPPED / "photos.safetensors"


def test_identify_needs_no_jax():
    code = (
        "import sys, trendscope.vision.weights as w; w.identify(w.DEFAULT);"
        "print('jax' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
