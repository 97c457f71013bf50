"""Which weights there are and which they are, without loading them or jax."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trendscope.categories import CATEGORIES
from trendscope.errors import WeightsError
from trendscope.vision.predictions import WeightsChoice


@dataclass(frozen=True)
class Architecture:
    """The shape of a `GarmentNet`; part of every weights header.

    Attributes:
        size: Side of the square input in pixels.
        patch: Side of the block of pixels that becomes one position; size / patch is always 28, so
            that a position is one pixel of Fashion-MNIST, and on photos a patch with its detail.
        stem: Features of a position, linear in its colours, or in the garment's own lightness
            where there are four channels.
        detail: Further features of a position, by two small layers of its pixels in all channels.
        channels: 3 for colour alone, 4 for colour and where the garment is.
        kernel: Side of the convolutions.
        filters: Of each stage; the first works on 14 x 14 positions, the second on 7 x 7.
        depth: Residual convolutions of each stage, after the one that enters it.
        dense: Units of the embedding.
        dropout: Share of units dropped in training, before and after the embedding.
        outputs: The ten categories and "outside".
        mirrored: Whether an answer to the garment that is not `SURE` is taken `TOGETHER` with
            that to the mirror image of the whole picture.
    """

    size: int = 28
    patch: int = 1
    stem: int = 4
    detail: int = 0
    channels: int = 3
    kernel: int = 3
    filters: tuple[int, ...] = (48, 96)
    depth: tuple[int, ...] = (1, 2)
    dense: int = 128
    dropout: float = 0.3
    outputs: int = len(CATEGORIES) + 1
    mirrored: bool = False


# --- the weights file ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Gate:
    """From which confidence on a prediction is given.

    Attributes:
        temperature: Logits are divided by it before the softmax (Guo et al. 2017), over the ten
            for the categories, and over all for "outside".
        outside: Smallest probability of "outside" that makes the verdict ``outside``.
        certain: Smallest confidence in the best category that makes it ``classified``.
    """

    temperature: float = 1.0
    outside: float = 0.5
    certain: float = 0.5


@dataclass(frozen=True)
class Header:
    """What a weights file says about itself.

    Attributes:
        name: For people and tables; predictions of different weights are never mixed.
        architecture: The network's shape; `size` is the side of the input in pixels, 0..255: RGB,
            dark cloth dark (Fashion-MNIST is published as a negative and is read as it is), and
            where the garment is.
        gate: Calibration and thresholds.
        trained_on: Digest (sha256) by name of each data set.
        settings: All settings of the training run.
        scores: Measured figures by data set; empty until evaluated.
    """

    name: str
    architecture: Architecture = field(default_factory=Architecture)
    gate: Gate = field(default_factory=Gate)
    categories: tuple[str, ...] = CATEGORIES
    trained_on: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    format: int = 1

    def to_json(self) -> str:
        """The header as one JSON object."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Header:
        """Reads `to_json`'s form; raises ValueError, TypeError or KeyError on any other."""
        values = json.loads(text)
        shape = values["architecture"]
        shape = {k: tuple(v) if isinstance(v, list) else v for k, v in shape.items()}
        values["architecture"] = Architecture(**shape)
        values["gate"] = Gate(**values["gate"])
        values["categories"] = tuple(values["categories"])
        return cls(**values)


SHIPPED = Path(__file__).parents[1] / "weights"

DEFAULT = "photos"
"""The weights used where none are named."""

_LONGEST_HEADER = 100_000_000  # bytes; the safetensors format allows no more


@dataclass(frozen=True)
class WeightsIdentity:
    """Tells one set of weights from every other.

    Attributes:
        name: For people; two trainings may share it.
        digest: sha256 of the file, in hex.
    """

    name: str
    digest: str

    def __str__(self) -> str:
        return f"{self.name} ({self.digest[:8]})"


def find_weights(weights: str | Path) -> Path:
    """The file of shipped weights by name (``fashion-mnist``), of a run folder, or as given."""
    named = SHIPPED / f"{weights}.safetensors"
    path = named if named.exists() else Path(weights)
    if path.is_dir():
        path /= "weights.safetensors"
    if not path.is_file():
        shipped = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.safetensors"))) or "none"
        raise WeightsError(f"no weights at {weights}: give a file, or a shipped name ({shipped})")
    return path


def identify(weights: str | Path) -> WeightsIdentity:
    """Reads the name in a weights file's header, and digests the file.

    Raises:
        WeightsError: There is no such file, or it is of another kind.
    """
    path = find_weights(weights)
    name = str(header_of(path)["name"])
    return WeightsIdentity(name, hashlib.sha256(path.read_bytes()).hexdigest())


def input_size(weights: str | Path) -> int:
    """Side of the pictures that some weights take, in pixels.

    Raises:
        WeightsError: There is no such file, or it is of another kind.
    """
    path = find_weights(weights)
    try:
        return int(header_of(path)["architecture"]["size"])
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from error


def header_of(path: Path) -> dict[str, Any]:
    """What a weights file says of itself; see `trendscope.vision.weights.Header`.

    The header of a safetensors file is JSON behind its length, 8 bytes little-endian.

    Raises:
        WeightsError: It is of another kind, or damaged.
    """
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(min(length, _LONGEST_HEADER)))
        facts = json.loads(header["__metadata__"]["trendscope"])
        return {**facts, "name": str(facts["name"])}
    except (ValueError, TypeError, KeyError, struct.error) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> WeightsError:
    return WeightsError(
        f"{path} is not a trendscope weights file, or is damaged ({error}); "
        "fetch it again or train one with python -m training.train"
    )


def identity_of(weights: WeightsChoice) -> WeightsIdentity:
    """Which weights are meant; a classifier that comes without a file is told by its name."""
    if weights is None or isinstance(weights, str | Path):
        return identify(weights or DEFAULT)
    return WeightsIdentity(weights.name, hashlib.sha256(weights.name.encode()).hexdigest())


def shipped(wanted: WeightsIdentity) -> str | None:
    """The name of the shipped weights that are the wanted ones; None if none are."""
    names = sorted(file.stem for file in SHIPPED.glob("*.safetensors"))
    return next((name for name in names if identify(name).digest == wanted.digest), None)
