"""The detector's weights file: safetensors in half precision with a JSON header."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from trendscope.errors import WeightsError
from trendscope.vision.detector import Variables, initial_variables
from trendscope.vision.serialisation import _leaves, _nested
from trendscope.vision.weights import SHIPPED, DetectorHeader, damaged, read_header

SHIPPED_DETECTOR = SHIPPED / "detector" / "garments.safetensors"


def write_detector(path: Path, header: DetectorHeader, variables: Variables) -> None:
    """Writes a weights file in half precision beside `path` and renames it into place."""
    arrays = {name: np.asarray(leaf, np.float16) for name, leaf in _leaves(variables)}
    part = path.with_name(path.name + ".part")
    part.write_bytes(save(arrays, {"trendscope": header.to_json()}))
    os.replace(part, path)


def read_detector(path: Path = SHIPPED_DETECTOR) -> tuple[DetectorHeader, Variables]:
    """Reads a weights file as float32 and checks every array.

    Raises:
        WeightsError: The file is damaged, of another format, or holds other arrays; the message
            names the first one that differs, with the expected and the actual shape.
    """
    header, arrays = _read(path)
    expected = {name: np.shape(leaf) for name, leaf in _leaves(initial_variables())}
    for name in sorted(expected | arrays):
        actual = arrays[name].shape if name in arrays else "nothing"
        needed = expected.get(name, "nothing")
        if actual != needed:
            raise WeightsError(f"{path}: array {name}: expected {needed}, found {actual}")
        if not np.isfinite(arrays[name]).all():
            raise WeightsError(f"{path}: array {name} holds values that are not finite numbers")
    return header, _nested({name: array.astype(np.float32) for name, array in arrays.items()})


def _read(path: Path) -> tuple[DetectorHeader, dict[str, np.ndarray]]:
    header = read_header(path)
    if not isinstance(header, DetectorHeader):
        raise WeightsError(f"{path} is not a detector's weights file; it names one garment")
    try:
        with safe_open(path, framework="numpy") as file:
            return header, {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, ValueError, TypeError, OSError) as error:
        raise damaged(path, error) from error
