"""Which weights there are and which they are, told without loading them or jax."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trendscope.errors import WeightsError

SHIPPED = Path(__file__).parent / "weights"
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
    """What a weights file says of itself; see `trendscope.classifier.Header`.

    The header of a safetensors file is JSON behind its length, 8 bytes little-endian.

    Raises:
        WeightsError: It is of another kind, or damaged.
    """
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(min(length, _LONGEST_HEADER)))
        found = json.loads(header["__metadata__"]["trendscope"])
        return {**found, "name": str(found["name"])}
    except (ValueError, TypeError, KeyError, struct.error) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> WeightsError:
    return WeightsError(
        f"{path} is not a trendscope weights file, or is damaged ({error}); "
        "fetch it again or train one with python -m training.train"
    )
