"""What the network says of pictures, looked at as the product does, and kept in a file.

So gates, boxes and figures can be worked out again in seconds, without the network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int
from rich.console import Console
from rich.progress import track

from training.data.photos import pixels_of
from trendscope.errors import ImageError, TrendscopeError
from trendscope.vision.detections import Look
from trendscope.vision.outputs import SEVERAL
from trendscope.vision.photo_detector import PhotoDetector, at, decided, shows_several
from trendscope.vision.predictions import PhotoPrediction
from trendscope.vision.preparation import TwoSizes
from trendscope.vision.weights import DetectorGate

BATCH = 32
"""Pictures decoded at a time."""

PERHAPS_SEVERAL = 0.1
"""Least probability of several garments, before it is calibrated, from which on a second look is
taken: at any temperature the product takes one of fewer pictures."""


@dataclass(frozen=True)
class Looks:
    """Both looks at some pictures; the features of cells are left out.

    Attributes:
        rows: Numbers of the pictures in the list that was given; damaged ones are missing.
        sizes: Width and height of each picture as it was decoded, in pixels.
        first: What the network says of the small squares.
        second: What it says of the larger size, of those that may show several garments.
        people: Which of the pictures these are, by their places here.
        refused: A line for each picture that cannot be read.
    """

    rows: Int[np.ndarray, " n"]
    sizes: Int[np.ndarray, "n 2"]
    first: Look
    second: Look
    people: Int[np.ndarray, " m"]
    refused: tuple[str, ...]

    def second_of(self, row: int) -> Look | None:
        """The second look at one picture, as a batch of one; None if there was none."""
        place = int(np.searchsorted(self.people, row))
        if place < len(self.people) and self.people[place] == row:
            return at(self.second, place)
        return None

    def prediction(self, row: int, gate: DetectorGate) -> PhotoPrediction:
        """What the product predicts for one picture with these thresholds."""
        first = at(self.first, row)
        second = self.second_of(row) if shows_several(first, gate)[0] else None
        width, height = self.sizes[row].tolist()
        return decided(first, second, gate, (width, height))


class _Prepared(NamedTuple):
    row: int
    view: TwoSizes


def look_at(files: Sequence[str], detector: PhotoDetector) -> Looks:
    """Looks at pictures with the product's decoding and sizes.

    Raises:
        TrendscopeError: None of them can be read.
    """
    first, second = [], []
    rows: list[int] = []
    sizes: list[tuple[int, int]] = []
    people: list[int] = []
    refused: list[str] = []
    for batch in _prepared(files, detector, refused):
        views = [each.view for each in batch]
        seen = without_features(joined(detector.first_looks(views)))
        several = np.flatnonzero(seen.photo[:, SEVERAL] >= PERHAPS_SEVERAL).tolist()
        people += [len(rows) + i for i in several]
        rows += [each.row for each in batch]
        sizes += [each.view.size for each in batch]
        first.append(seen)
        if several:
            second.append(without_features(detector.look([views[i].people for i in several])))
    if not rows:
        raise TrendscopeError(f"no photo could be read, for example {refused[0]}")
    # Where nobody is seen, a second look of none, of the shapes of the first.
    both = joined(first), joined(second) if second else at(first[0], len(first[0].photo))
    return Looks(np.array(rows), np.array(sizes), *both, np.array(people, int), tuple(refused))


def _prepared(
    files: Sequence[str], detector: PhotoDetector, refused: list[str]
) -> Iterator[list[_Prepared]]:
    side = detector.decoded_side

    def prepare(row: int) -> _Prepared | str:
        try:
            return _Prepared(row, detector.prepare(pixels_of(files[row], side)))
        except (ImageError, OSError) as error:
            return f"{files[row]}: {error}"

    with ThreadPoolExecutor(2) as pool:
        for start in track(range(0, len(files), BATCH), "photos", console=Console(stderr=True)):
            results = list(pool.map(prepare, range(start, min(start + BATCH, len(files)))))
            refused += [each for each in results if isinstance(each, str)]
            if batch := [each for each in results if not isinstance(each, str)]:
                yield batch


def without_features(seen: Look) -> Look:
    """What was said, without the features of cells: no figure needs them."""
    return Look(seen.photo, seen.cells, seen.boxes, seen.features[..., :0])


def joined(parts: Sequence[Look]) -> Look:
    """Looks at some pictures and at others as looks at all of them."""
    return Look(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Look))
    )


# --- kept in a file ------------------------------------------------------------------------------


def kept_looks(files: Sequence[str], detector: PhotoDetector, key: str, folder: Path) -> Looks:
    """Looks read from `folder`, or taken and kept there.

    Args:
        files: Pictures.
        detector: The network.
        key: Says which weights these are: looks at other weights are not taken for them.
        folder: Where they are kept, in a file for each list of pictures.

    Raises:
        TrendscopeError: None of the pictures can be read.
    """
    header = detector.header
    said = "\n".join([key, str(header.side), str(header.people), *files])
    path = folder / f"looks-{hashlib.sha256(said.encode()).hexdigest()[:16]}.npz"
    if path.is_file():
        return _read(path)
    looks = look_at(files, detector)
    folder.mkdir(parents=True, exist_ok=True)
    _write(path, looks)
    return looks


def _write(path: Path, looks: Looks) -> None:
    arrays = {
        f"{name}_{field.name}": getattr(getattr(looks, name), field.name)
        for name in ("first", "second")
        for field in fields(Look)
    }
    part = path.with_suffix(".part.npz")
    np.savez(
        part,
        rows=looks.rows,
        sizes=looks.sizes,
        people=looks.people,
        refused=np.array(looks.refused, str),
        **arrays,
    )
    part.replace(path)


def _read(path: Path) -> Looks:
    with np.load(path) as kept:
        first, second = (
            Look(*(kept[f"{name}_{field.name}"] for field in fields(Look)))
            for name in ("first", "second")
        )
        refused = tuple(kept["refused"].tolist())
        return Looks(kept["rows"], kept["sizes"], first, second, kept["people"], refused)
