"""The detector's weights file: safetensors in half precision with a JSON header."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import save

from trendscope.errors import WeightsError
from trendscope.files.writing import write_atomic
from trendscope.vision.outputs import Variables
from trendscope.vision.serialisation import check_arrays, leaves, nested, read_arrays
from trendscope.vision.weights import SHIPPED, DetectorHeader, read_header

SHIPPED_DETECTOR = SHIPPED / "photos.safetensors"


def write_detector(path: Path, header: DetectorHeader, variables: Variables) -> None:
    """Writes a weights file in half precision beside `path` and renames it into place."""
    arrays = {name: np.asarray(leaf, np.float16) for name, leaf in leaves(variables)}
    write_atomic(path, save(arrays, {"trendscope": header.to_json()}))


def read_detector(path: Path = SHIPPED_DETECTOR) -> tuple[DetectorHeader, Variables]:
    """Reads a weights file as float32 and checks every array, but for the shipped file's.

    Raises:
        WeightsError: The file is damaged, of another format, or holds other arrays; the message
            names the first one that differs, with the expected and the actual shape.
    """
    header = read_header(path)
    if not isinstance(header, DetectorHeader):
        raise WeightsError(f"{path} is not a detector's weights file; it names one garment")
    arrays = read_arrays(path)
    if path != SHIPPED_DETECTOR:
        # To load Flax and trace the network for its shapes takes most of a second.
        from trendscope.vision.detector import initial_variables

        check_arrays(path, arrays, initial_variables)
    return header, nested({name: array.astype(np.float32) for name, array in arrays.items()})
