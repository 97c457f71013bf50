"""The detector's weights file: safetensors in half precision with a JSON header."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from trendscope.categories import CATEGORIES
from trendscope.errors import WeightsError
from trendscope.vision.detector import Variables, initial_variables
from trendscope.vision.serialisation import _leaves, _nested
from trendscope.vision.weights import SHIPPED

FORMAT = 2
"""Of the file; `trendscope.vision.weights.Header` has format 1."""

SHIPPED_DETECTOR = SHIPPED / "detector" / "garments.safetensors"


@dataclass(frozen=True)
class DetectorGate:
    """From which confidence on a garment is named.

    Attributes:
        temperature: The logits of whole photos are divided by it before the softmax (Guo et al.
            2017).
        single: By category, the least confidence in a photo of one garment.
        worn: By category, the least confidence of a garment on a person.
    """

    temperature: float = 1.0
    single: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(CATEGORIES, 0.8))
    worn: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(CATEGORIES, 0.7))


@dataclass(frozen=True)
class DetectorHeader:
    """What a detector's weights file says about itself.

    Attributes:
        name: For people and tables.
        side: Rows and columns, in pixels, at which photos of one garment are looked at.
        people: Rows and columns at which photos of people are.
        gate: Calibration and thresholds.
        categories: The ten, in label order.
        trained_on: Where the pictures come from, by name.
        settings: All settings of the training run.
        scores: Measured figures.
    """

    name: str
    side: int = 160
    people: tuple[int, int] = (288, 192)
    gate: DetectorGate = field(default_factory=DetectorGate)
    categories: tuple[str, ...] = CATEGORIES
    trained_on: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    format: int = FORMAT

    def to_json(self) -> str:
        """The header as one JSON object."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> DetectorHeader:
        """Reads `to_json`'s form; raises ValueError, TypeError or KeyError on any other."""
        values = json.loads(text)
        values["people"] = tuple(values["people"])
        values["categories"] = tuple(values["categories"])
        values["gate"] = DetectorGate(**values["gate"])
        return cls(**values)


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
        wanted = expected.get(name, "nothing")
        if actual != wanted:
            raise WeightsError(f"{path}: array {name}: expected {wanted}, found {actual}")
        if not np.isfinite(arrays[name]).all():
            raise WeightsError(f"{path}: array {name} holds values that are not finite numbers")
    return header, _nested({name: array.astype(np.float32) for name, array in arrays.items()})


def _read(path: Path) -> tuple[DetectorHeader, dict[str, np.ndarray]]:
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}
        header = DetectorHeader.from_json(metadata["trendscope"])
    except (SafetensorError, ValueError, TypeError, KeyError, OSError) as error:
        raise WeightsError(
            f"{path} is not a detector's weights file, or is damaged ({error}); "
            "train one with python -m training.detect"
        ) from error
    if header.format != FORMAT or header.categories != CATEGORIES:
        raise WeightsError(
            f"{path}: expected format {FORMAT} with the ten Fashion-MNIST categories, found format "
            f"{header.format} with {len(header.categories)}; use a newer trendscope"
        )
    return header, arrays
