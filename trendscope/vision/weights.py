"""Weights files: which there are, and what their headers say, without loading arrays or jax."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from trendscope.categories import CATEGORIES
from trendscope.errors import WeightsError
from trendscope.vision.predictions import Predictor, WeightsChoice

_KEYS = {"min_outside": "outside", "min_confidence": "certain"}
"""Fields whose keys in weights files are other words; the keys stay, so that all files are read."""

_FORMER_PARTS = {"patch": 1, "detail": 0, "channels": 3, "mirrored": False}
"""What files of earlier versions say of parts that networks no longer have."""

Part = TypeVar("Part", "Architecture", "Gate")


def part_as_json(part: Architecture | Gate) -> dict[str, object]:
    """A part of a header under the keys of weights files."""
    return {_KEYS.get(name, name): value for name, value in asdict(part).items()}


def _part_from_json(kind: type[Part], values: Mapping[str, Any]) -> Part:
    names = {key: name for name, key in _KEYS.items()}
    fields = {names.get(key, key): value for key, value in values.items()}
    defaults = kind()
    return kind(**{name: type(getattr(defaults, name))(v) for name, v in fields.items()})


@dataclass(frozen=True)
class Architecture:
    """The shape of a `GarmentNet`; part of every weights header.

    Attributes:
        size: Side of the square input in pixels.
        stem: Features of a pixel, linear in its colours.
        kernel: Side of the convolutions.
        filters: Number of filters per stage; the first works on 14 x 14 positions, the second on
            7 x 7.
        depth: Residual convolutions of each stage, after the one that enters it.
        dense: Units of the embedding.
        dropout: Share of units dropped in training, before and after the embedding.
        outputs: The ten categories and "outside".
    """

    size: int = 28
    stem: int = 4
    kernel: int = 3
    filters: tuple[int, ...] = (48, 96)
    depth: tuple[int, ...] = (1, 2)
    dense: int = 128
    dropout: float = 0.3
    outputs: int = len(CATEGORIES) + 1


@dataclass(frozen=True)
class Gate:
    """Confidence scale and thresholds that turn probabilities into a verdict.

    Attributes:
        temperature: Logits are divided by it before the softmax (Guo et al. 2017), over the ten
            for the categories, and over all for "outside".
        min_outside: Smallest probability of "outside" that makes the verdict ``outside``.
        min_confidence: Smallest confidence in the best category that makes it ``classified``.
    """

    temperature: float = 1.0
    min_outside: float = 0.5
    min_confidence: float = 0.5


@dataclass(frozen=True)
class Header:
    """What a weights file says about itself.

    Attributes:
        name: Name for people and tables; predictions of different weights are never mixed.
        architecture: The network's shape; `size` is the side of the input in pixels, 0..255: RGB,
            dark cloth dark (Fashion-MNIST is published as a negative and is read as it is).
        gate: Calibration and thresholds.
        trained_on: Digest (sha256) by name of each data set.
        settings: All settings of the training run.
        scores: Measured figures by data set; empty until evaluated. Those on photos are read by
            `trendscope.vision.scores`.
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
        parts = {"architecture": part_as_json(self.architecture), "gate": part_as_json(self.gate)}
        return json.dumps(asdict(self) | parts, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Header:
        """Reads `to_json`'s form.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: It is of another form.
            WeightsError: It is of a network that is no longer there.
        """
        values = json.loads(text)
        values["name"] = str(values["name"])
        architecture = dict(values["architecture"])
        for part, absent in _FORMER_PARTS.items():
            if architecture.pop(part, absent) != absent:
                raise WeightsError(
                    f"the weights {values['name']} are of an earlier trendscope, which cut the "
                    "garment out first; use the shipped ones, or train anew"
                )
        values["architecture"] = _part_from_json(Architecture, architecture)
        values["gate"] = _part_from_json(Gate, values["gate"])
        values["categories"] = tuple(values["categories"])
        return cls(**values)


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
    """What the weights file of a network says about itself that finds every garment.

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
    format: int = 2

    def to_json(self) -> str:
        """The header as one JSON object."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> DetectorHeader:
        """Reads `to_json`'s form.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: It is of another form.
        """
        values = json.loads(text)
        values["people"] = tuple(values["people"])
        values["categories"] = tuple(values["categories"])
        values["gate"] = DetectorGate(**values["gate"])
        return cls(**values)


SHIPPED = Path(__file__).parents[1] / "weights"

DEFAULT = "photos"
"""The weights used where none are named."""

_LONGEST_HEADER = 100_000_000  # bytes; the safetensors format allows no more


@dataclass(frozen=True)
class WeightsIdentity:
    """Tells one set of weights from every other.

    Attributes:
        name: Name for people; two trainings may share it.
        digest: sha256 of the file, in hex.
    """

    name: str
    digest: str

    def __str__(self) -> str:
        return f"{self.name} ({self.digest[:8]})"


def shipped_files() -> list[Path]:
    """The weights files that come with the product."""
    return sorted(SHIPPED.glob("*.safetensors"))


def find_weights(weights: str | Path) -> Path:
    """The file of shipped weights by name (``fashion-mnist``), of a run folder, or as given."""
    named = (file for file in shipped_files() if file.stem == str(weights))
    path = next(named, Path(weights))
    if path.is_dir():
        path /= "weights.safetensors"
    if not path.is_file():
        shipped = ", ".join(sorted(file.stem for file in shipped_files())) or "none"
        raise WeightsError(f"no weights at {weights}: give a file, or a shipped name ({shipped})")
    return path


def read_header(path: Path) -> Header | DetectorHeader:
    """Reads the header of a weights file.

    A safetensors file begins with JSON behind its length, 8 bytes little-endian.

    Raises:
        WeightsError: The file is of another kind, damaged, or made for a newer version.
    """
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            metadata = json.loads(file.read(min(length, _LONGEST_HEADER))).get("__metadata__", {})
        text = metadata["trendscope"]
        # Also in formats to come, so that their files are called newer instead of damaged.
        header = (DetectorHeader if "people" in json.loads(text) else Header).from_json(text)
    except (ValueError, TypeError, KeyError, AttributeError, OSError, struct.error) as error:
        raise damaged(path, error) from error
    if header.format != type(header).format or header.categories != CATEGORIES:
        raise WeightsError(
            f"{path}: expected format {type(header).format} with the ten Fashion-MNIST categories, "
            f"found format {header.format} with {len(header.categories)}; use a newer trendscope"
        )
    return header


def damaged(path: Path, error: Exception) -> WeightsError:
    """The error for a file that cannot be read as weights."""
    return WeightsError(
        f"{path} is not a trendscope weights file, or is damaged ({error}); "
        "fetch it again or train one with python -m training.train"
    )


def resolve(weights: WeightsChoice) -> Path | Predictor:
    """The weights file that is meant, or the classifier that was given in place of one.

    Raises:
        WeightsError: There is no such file.
    """
    if weights is None or isinstance(weights, str | Path):
        return find_weights(weights or DEFAULT)
    return weights


def identify(weights: WeightsChoice) -> WeightsIdentity:
    """Name and digest of the weights that are meant; a classifier without a file goes by its name.

    Raises:
        WeightsError: There is no such file, or it is of another kind.
    """
    source = resolve(weights)
    if isinstance(source, Path):
        name, content = read_header(source).name, source.read_bytes()
    else:
        name, content = source.name, source.name.encode()
    return WeightsIdentity(name, hashlib.sha256(content).hexdigest())


def find_digest(digest: str, weights: str | Path | None = None) -> Path | None:
    """The weights file with a digest; None if it is not at hand.

    Args:
        weights: Weights to try before the shipped ones.

    Raises:
        WeightsError: `weights` are missing or of another kind.
    """
    candidates = [] if weights is None else [find_weights(weights)]
    candidates += shipped_files()
    return next((path for path in candidates if identify(path).digest == digest), None)
