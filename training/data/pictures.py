"""Augmented batches for the detector, made in background threads while the network learns."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from training.data import cells, composites
from training.data.cutouts import cut_out, cutouts, on_ground
from training.data.distortion import (
    UNKNOWN,
    erased,
    moved,
    moved_boxes,
    placement,
    recoloured,
)
from training.data.garments import SINGLE, Outfits, Singles
from trendscope.categories import CATEGORIES
from trendscope.vision.detector import STRIDE
from trendscope.vision.outputs import ANOTHER_GARMENT, CELL_OUTPUTS, NOTHING, PHOTO_OUTPUTS, SEVERAL
from trendscope.vision.preparation import stretched

TAGS = 12
"""Tags of one photo that are learned from, at most."""

COARSE = 6
"""One in so many pictures of one garment is shown as if it had been small."""

AHEAD = 3
"""Batches that wait ready."""


class People(NamedTuple):
    """Photos of people, and what they teach.

    Attributes:
        pixels: 0..255, RGB.
        photo: Outputs that count as right for the whole photo; none where that is open.
        cells: Targets of the cells, stacked.
        tags: Outputs that count as right for each tag of a photo without a mask.
        absent: Outputs that such a photo shows nowhere.
    """

    pixels: UInt8[np.ndarray, "n h w 3"]
    photo: Bool[np.ndarray, "n photo_outputs"]
    cells: cells.Cells
    tags: Bool[np.ndarray, "n tags cell_outputs"]
    absent: Bool[np.ndarray, "n cell_outputs"]


class Batch(NamedTuple):
    """One step's pictures.

    Attributes:
        pixels: Pictures of single garments; 0..255, RGB.
        photo: Outputs that count as right for each.
        cells: Targets of their cells, stacked.
        share: Share of each picture that is its own; the rest shows that of the picture before it
            ("mixup": Zhang et al. 2018).
        people: Photos of people.
    """

    pixels: UInt8[np.ndarray, "n s s 3"]
    photo: Bool[np.ndarray, "n photo_outputs"]
    cells: cells.Cells
    share: Float32[np.ndarray, " n"]
    people: People


@dataclass(frozen=True)
class Shares:
    """Pictures of one step.

    Attributes:
        singles: Pictures at the singles' size.
        people: Photos of people at their size.
        tagged: How many of these have tags only.
        composed: How many of these are composed of single garments.
        places: Share of each place among the singles; what is left over is of people, as
            ``several``.
        published: Share of Fashion-MNIST among the singles.
        cutouts: Share of garments cut out of photos of people among the singles.
        figures: Share of drawn figures and strewn garments among the singles: to a small square
            they look like cut-outs.
        mixed: Share of the singles that are mixed with another one.
    """

    singles: int
    people: int
    tagged: int
    composed: int
    places: Mapping[str, float]
    published: float
    cutouts: float = 0.0
    figures: float = 0.0
    mixed: float = 0.0


# --- one picture ---------------------------------------------------------------------------------


def single(
    generator: np.random.Generator, rgb: UInt8[np.ndarray, "h w 3"], side: int
) -> UInt8[np.ndarray, "side side 3"]:
    """A picture of one garment, augmented; one in `COARSE` as coarse as a small one enlarged."""
    place = placement(generator, (rgb.shape[0], rgb.shape[1]), (side, side))
    new = recoloured(generator, moved(rgb, place, (side, side)))
    erased(generator, new, 0.4)
    if generator.random() < 1 / COARSE:
        fewer = round(side * generator.uniform(0.15, 0.6))
        new = stretched(stretched(new, (fewer, fewer)), (side, side))
    return new


def published(
    generator: np.random.Generator, grey: UInt8[np.ndarray, "28 28"], side: int
) -> UInt8[np.ndarray, "side side 3"]:
    """A picture of Fashion-MNIST enlarged: every other time on white ground, as it once was."""
    if generator.random() < 0.5:
        grey = 255 - grey
    way = cv2.INTER_CUBIC if generator.random() < 0.5 else cv2.INTER_LINEAR
    large = cv2.resize(grey, (side, side), interpolation=way)
    return single(generator, np.repeat(large[..., None], 3, -1), side)


def person(
    generator: np.random.Generator, outfits: Outfits, row: int, size: tuple[int, int]
) -> People:
    """One photo of people, augmented; arrays of `People` without their first axis."""
    rgb = outfits.pixels[row]
    place = placement(generator, (rgb.shape[0], rgb.shape[1]), size)
    new = recoloured(generator, moved(rgb, place, size))
    patch = erased(generator, new, 0.25)
    tags = np.zeros((TAGS, CELL_OUTPUTS), bool)
    absent = np.zeros(CELL_OUTPUTS, bool)
    photo = np.zeros(PHOTO_OUTPUTS, bool)
    if not outfits.has_mask[row]:
        nothing = cells.of_single(size[0] // STRIDE, size[1] // STRIDE, absent)
        nothing.weight[:] = 0
        tag_labels = outfits.labels[outfits.tags[row]]
        worn = tag_labels[tag_labels[:, :NOTHING].any(-1)][:TAGS]
        tags[: len(worn)] = worn
        # What the labels do not speak of may be there: another garment always may.
        absent[:ANOTHER_GARMENT] = ~worn[:, :ANOTHER_GARMENT].any(0)
        photo[SEVERAL] = len(worn) > 1
        return People(new, photo, nothing, tags, absent)
    mask = moved(outfits.masks[row], place, size, UNKNOWN)
    for label, better in outfits.renamed.get(row, {}).items():
        mask[mask == label] = better
    boxes = moved_boxes(outfits.boxes[row], place, mask)
    if patch:
        mask[patch] = UNKNOWN
    labels = np.zeros((UNKNOWN + 1, CELL_OUTPUTS), bool)
    labels[: len(outfits.labels)] = outfits.labels
    taught = cells.of_mask(mask, boxes, labels)
    worn = labels[np.unique(boxes[taught_labels(boxes, labels), 0]).astype(int)]
    photo[SEVERAL] = len(worn) > 1
    return People(new, photo, taught, tags, absent)


def taught_labels(boxes: np.ndarray, labels: np.ndarray) -> Bool[np.ndarray, " n"]:
    """Which boxes are of garments that are learned."""
    return np.asarray(labels[boxes[:, 0].astype(int), :NOTHING].any(-1), bool)


# --- batches -------------------------------------------------------------------------------------


class Sampler:
    """Draws batches of those pictures that are not held out."""

    def __init__(
        self,
        singles: Singles,
        outfits: Outfits,
        fashion_mnist: tuple[UInt8[np.ndarray, "n 28 28"], np.ndarray],
        shares: Shares,
        seed: int,
    ):
        self._singles, self._outfits, self._published = singles, outfits, fashion_mnist
        self._shares, self._seed = shares, seed
        self._odds = {
            place: _odds(singles, (singles.places == place) & ~singles.held_out)
            for place in shares.places
        }
        seen = ~outfits.held_out
        self._masked = np.flatnonzero(seen & outfits.has_mask)
        self._tagged = np.flatnonzero(seen & ~outfits.has_mask)
        right, known = singles.allowed, ~singles.held_out
        empty = right[:, NOTHING] & (right.sum(1) == 1)
        alone = right[:, sorted(composites.ALONE)].any(1) & (right.sum(1) == 1)
        self._grounds = np.flatnonzero(known & empty)
        self._cutouts = cutouts(outfits, self._masked)
        self._alone = np.flatnonzero(known & alone)
        labels = fashion_mnist[1]
        self._of_category = [np.flatnonzero(labels == i) for i in range(len(CATEGORIES))]

    def batch(self, step: int, side: int, size: tuple[int, int]) -> Batch:
        """The batch of a step, the same whenever it is asked for.

        Args:
            step: Number of the step.
            side: Rows and columns of the singles.
            size: Rows and columns of photos of people.
        """
        generator = np.random.default_rng((self._seed, step))
        shown = [self._single(generator, side) for _ in range(self._shares.singles)]
        tagged, composed = self._shares.tagged, self._shares.composed
        rows = [
            *generator.choice(self._masked, self._shares.people - tagged - composed),
            *generator.choice(self._tagged, tagged),
        ]
        people = [person(generator, self._outfits, int(row), size) for row in rows]
        people += [self._composed(generator, size) for _ in range(composed)]
        pixels, photo, taught = _stacked(shown)
        share = shares_of_mixed(generator, self._shares.mixed, len(pixels))
        pixels = mixed(pixels, share)
        return Batch(pixels, photo, taught, share, _stacked(people))

    def _composed(self, generator: np.random.Generator, size: tuple[int, int]) -> People:
        """Garments strewn over a ground, or on a drawn figure; without the first axis."""
        canvas = self._ground(generator, size)
        if generator.random() < 0.5:
            wanted = composites.outfit(generator)
            pieces = [self._piece(generator, CATEGORIES.index(name)) for name in wanted]
            placed = composites.worn(generator, canvas, pieces)
        else:
            count = int(generator.integers(1, 5))
            drawn = generator.integers(0, len(CATEGORIES), count).tolist()
            pieces = [self._piece(generator, category) for category in drawn]
            placed = composites.strewn(generator, pieces, size)
        taught, visible = composites.composed(canvas, placed)
        photo = np.zeros(PHOTO_OUTPUTS, bool)
        photo[SEVERAL] = visible > 1
        nothing = np.zeros((TAGS, CELL_OUTPUTS), bool), np.zeros(CELL_OUTPUTS, bool)
        return People(recoloured(generator, canvas), photo, taught, *nothing)

    def _ground(self, generator: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
        """A plain colour, or a picture without a garment."""
        if not len(self._grounds) or generator.random() < 0.3:
            return np.full((*size, 3), generator.integers(0, 256, 3), np.uint8)
        ground = self._singles.pixels[int(generator.choice(self._grounds))]
        place = placement(generator, (ground.shape[0], ground.shape[1]), size)
        return recoloured(generator, moved(ground, place, size))

    def _piece(self, generator: np.random.Generator, category: int) -> composites.Piece:
        """A garment of a category: a retailer's every other time, if there is one."""
        alone = self._alone[self._singles.allowed[self._alone, category]]
        if len(alone) and generator.random() < 0.5:
            rgb = self._singles.pixels[int(generator.choice(alone))]
            if piece := composites.of_retailer(rgb, category):
                return piece
        row = int(generator.choice(self._of_category[category]))
        return composites.of_fashion_mnist(generator, self._published[0][row], category)

    def _cut_out(self, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """The outputs that count as right for a garment that somebody wears, and its picture."""
        while True:
            i = int(generator.choice(len(self._cutouts.rows), p=self._cutouts.odds))
            box = self._cutouts.boxes[i]
            if piece := cut_out(self._outfits, int(self._cutouts.rows[i]), box):
                ground = self._ground(generator, SINGLE)
                return self._outfits.labels[int(box[0])], on_ground(generator, *piece, ground)

    def _single(
        self, generator: np.random.Generator, side: int
    ) -> tuple[np.ndarray, np.ndarray, cells.Cells]:
        names = [*self._odds, "published", "cutouts", "figures", "people"]
        shares = self._shares
        odds = [*shares.places.values(), shares.published, shares.cutouts, shares.figures]
        kind = generator.choice(names, p=[*odds, max(0.0, 1 - sum(odds))])
        photo = np.zeros(PHOTO_OUTPUTS, bool)
        count = side // STRIDE
        if kind == "people":
            row = int(generator.choice(self._masked))
            shown = person(generator, self._outfits, row, (side, side))
            return shown.pixels, shown.photo, shown.cells
        if kind == "figures":
            shown = self._composed(generator, (side, side))
            return shown.pixels, shown.photo, shown.cells
        if kind == "published":
            row = int(generator.integers(len(self._published[1])))
            photo[self._published[1][row]] = True
            pixels = published(generator, self._published[0][row], side)
            return pixels, photo, cells.of_single(count, count, photo[:CELL_OUTPUTS])
        if kind == "cutouts":
            photo[:CELL_OUTPUTS], rgb = self._cut_out(generator)
            pixels = single(generator, rgb, side)
            return pixels, photo, cells.of_single(count, count, photo[:CELL_OUTPUTS])
        rows, p = self._odds[str(kind)]
        row = int(generator.choice(rows, p=p))
        photo[:CELL_OUTPUTS] = self._singles.allowed[row]
        pixels = single(generator, self._singles.pixels[row], side)
        return pixels, photo, cells.of_single(count, count, photo[:CELL_OUTPUTS])


def shares_of_mixed(
    generator: np.random.Generator, some: float, count: int
) -> Float32[np.ndarray, " n"]:
    """The share of each picture that is its own: at least half; 1 of those that are not mixed."""
    share = generator.beta(0.4, 0.4, count)
    share = np.where(generator.random(count) < some, np.maximum(share, 1 - share), 1.0)
    return np.asarray(share, np.float32)


def mixed(
    pixels: UInt8[np.ndarray, "n s s 3"], share: Float32[np.ndarray, " n"]
) -> UInt8[np.ndarray, "n s s 3"]:
    """Each picture with its share of itself, the rest of the one before it."""
    own = share[:, None, None, None]
    return np.asarray((own * pixels + (1 - own) * np.roll(pixels, 1, 0)).round(), np.uint8)


def _odds(singles: Singles, rows: Bool[np.ndarray, " n"]) -> tuple[np.ndarray, np.ndarray]:
    """Rows with odds that draw rare labels more often: by the root of how many there are."""
    indices = np.flatnonzero(rows)
    _, label, count = np.unique(
        singles.allowed[indices], axis=0, return_inverse=True, return_counts=True
    )
    odds = 1 / np.sqrt(count)[label.reshape(-1)]
    return indices, odds / odds.sum()


def _stacked(rows: list[Any]) -> Any:
    """Named tuples of arrays, perhaps of named tuples, as one of stacked arrays."""
    first = rows[0]
    columns = [list(column) for column in zip(*rows, strict=True)]
    stacked = [
        _stacked(column) if isinstance(column[0], tuple) else np.stack(column) for column in columns
    ]
    return type(first)(*stacked) if hasattr(first, "_fields") else tuple(stacked)


def ahead(make: Callable[[int], Batch], steps: range) -> Iterator[Batch]:
    """The batches of `steps`, of which a few are made in advance in another thread."""
    with ThreadPoolExecutor(1) as pool:
        waiting: deque[Future[Batch]] = deque()
        for step in steps:
            waiting.append(pool.submit(make, step))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
