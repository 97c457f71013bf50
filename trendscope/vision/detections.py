"""Photos in, garments out: each with its category, its confidence and its box.

The network answers for cells of 16 x 16 pixels; here the cells of one garment become one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from trendscope.categories import CATEGORIES
from trendscope.vision.outputs import Variables
from trendscope.vision.programs import Forward, Program

SAME = 0.2
"""Intersection over union from which on two boxes of a category are of one garment: cells far apart
seldom say the same box of a large one."""

WITHIN = 0.5
"""Share of the smaller of two boxes of a category inside the other that makes them one garment."""

SPEAKING = 0.5
"""Cells of this confidence have a say in the box of a garment that others are sure of."""

HULL, HULL_OF_BAG = 0.5, 1.0
"""Weight of the box around a garment's cells beside the mean of the boxes that they say; what cells
say of bags is too large (training/LOG.md)."""

CORE = 0.5
"""Cells of a garment are those around its surest one whose probability of its category is at least
this share of that one's."""

SAME_PLACE = 0.85
"""Intersection over union from which on two boxes are of one garment, whatever their categories."""

LINES = 8
"""Lines that a photo is read in: garments of one line from left to right."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom as fractions of the photo's width and height."""


@dataclass(frozen=True)
class Garment:
    """A garment in a photo.

    Attributes:
        category: One of the ten.
        confidence: Probability of the category, 0..1.
        box: Where it is.
        embedding: Near for garments that look alike.
        probabilities: Those of its surest cell: the ten categories, another garment, nothing.
    """

    category: str
    confidence: float
    box: Box
    embedding: Float32[np.ndarray, " width"]
    probabilities: Float32[np.ndarray, " cell_outputs"]


@dataclass(frozen=True)
class Look:
    """What the network says of photos, in probabilities.

    Attributes:
        photo: Probabilities of the whole photo: those of a cell, and several garments.
        cells: Probabilities of each cell: the ten categories, another garment, nothing.
        boxes: The box of each cell's garment: left, top, right, bottom as fractions of the photo.
        features: Features of each cell; near for garments that look alike.
    """

    photo: Float32[np.ndarray, "n photo_outputs"]
    cells: Float32[np.ndarray, "n rows columns cell_outputs"]
    boxes: Float32[np.ndarray, "n rows columns 4"]
    features: Float32[np.ndarray, "n rows columns width"]


def look(variables: Variables, pixels: UInt8[np.ndarray, "n h w 3"]) -> Look:
    """What the network says of photos, all of one size."""
    return Look(*_LOOK(variables, pixels))


def _looked_at() -> Forward:
    # Imported here, because loading Flax takes longer than looking at dozens of photos.
    from trendscope.vision.detector import looked_at

    return looked_at


_LOOK = Program("look", len(fields(Look)), _looked_at)


# --- from cells to garments ----------------------------------------------------------------------


def garments(seen: Look, least: float) -> list[Garment]:
    """The garments of one photo in reading order, as `surest_garments` has them."""
    return reading_order(list(surest_garments(seen, least)))


def surest_garments(seen: Look, least: float) -> Iterator[Garment]:
    """The garments of one photo, a batch of one, one after another, the surest first.

    Cells whose likeliest of the ten categories has at least the confidence `least` speak for a
    garment. The surest one takes those of its category with it whose box meets its own. The
    garment's box lies between the mean of their boxes, by confidence, and the box around its core.
    Cells that give another category to the same box are passed over.
    """
    cells, boxes, features = seen.cells[0], seen.boxes[0], seen.features[0]
    rows, columns = cells.shape[:2]
    probabilities = cells.reshape(-1, cells.shape[-1])
    ten = probabilities[:, : len(CATEGORIES)]
    category, confidence = ten.argmax(-1), ten.max(-1)
    places, looks = boxes.reshape(-1, 4), features.reshape(rows * columns, features.shape[-1])
    pending = np.flatnonzero(confidence >= min(least, SPEAKING))
    pending = pending[np.argsort(-confidence[pending], kind="stable")]
    while len(pending) and confidence[pending[0]] >= least:
        best = pending[0]
        common, union, smaller = _overlap(places[best], places[pending])
        alike = category[pending] == category[best]
        same = alike & ((common >= SAME * union) | (common >= WITHIN * smaller))
        same[0] = True
        agreeing = pending[same]
        mean_box = np.average(places[agreeing], axis=0, weights=confidence[agreeing])
        hull = HULL_OF_BAG if CATEGORIES[category[best]] == "Bag" else HULL
        box = (1 - hull) * mean_box + hull * _around(cells[..., category[best]], int(best))
        yield Garment(
            CATEGORIES[category[best]],
            float(confidence[best]),
            (float(box[0]), float(box[1]), float(box[2]), float(box[3])),
            looks[best],
            probabilities[best],
        )
        pending = pending[~same & ~(common >= SAME_PLACE * union)]


def surest(seen: Look, category: str) -> Garment:
    """The garment of the cell that shows a category most likely, if another category or none."""
    cells = seen.cells[0]
    of_category = cells[..., CATEGORIES.index(category)]
    row, column = np.unravel_index(of_category.argmax(), of_category.shape)
    left, top, right, bottom = seen.boxes[0, row, column].tolist()
    return Garment(
        category,
        float(of_category[row, column]),
        (left, top, right, bottom),
        seen.features[0, row, column],
        cells[row, column],
    )


def _around(of_category: Float32[np.ndarray, "rows columns"], best: int) -> np.ndarray:
    """The box around the core of a garment: left, top, right, bottom as fractions.

    Args:
        of_category: Each cell's probability of its category.
        best: Number of its surest cell, row by row.
    """
    rows, columns = of_category.shape
    core = of_category >= CORE * of_category.flat[best]
    _, parts = cv2.connectedComponents(core.astype(np.uint8), connectivity=4)
    row, column = np.nonzero(parts == parts.flat[best])
    return np.array(
        [
            column.min() / columns,
            row.min() / rows,
            (column.max() + 1) / columns,
            (row.max() + 1) / rows,
        ]
    )


def _overlap(
    box: Float32[np.ndarray, 4], others: Float32[np.ndarray, "n 4"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Areas of the intersections, of the unions, and of the smaller box of each pair."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    common = np.maximum(sides, 0).prod(-1)
    area = (box[2:] - box[:2]).prod()
    areas = (others[:, 2:] - others[:, :2]).prod(-1)
    return common, area + areas - common, np.minimum(area, areas)


def reading_order(garments: Sequence[Garment]) -> list[Garment]:
    """Garments line by line from the top, each line from the left, by their boxes' middles."""

    def place(garment: Garment) -> tuple[int, float]:
        left, top, right, bottom = garment.box
        return int(LINES * (top + bottom) / 2), left + right

    return sorted(garments, key=place)
