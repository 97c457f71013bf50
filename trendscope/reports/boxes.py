"""Boxes around the garments in a photo, with names that do not cover each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trendscope.categories import color
from trendscope.photos.results import Garment, PictureResult

if TYPE_CHECKING:
    from trendscope.vision.predictions import Box

SIDE = 168
"""Longest side of a drawing in units, as on contact sheets; one is about a CSS pixel."""

LINE = 2
"""Width of a box's line in units."""

TAG_HEIGHT = 12

LETTER_WIDTH = 6.0
"""Width of a letter in units, rather too wide than too narrow; the text is 10 units high."""

Rectangle = tuple[float, float, float, float]
"""x, y, width and height in units."""


@dataclass(frozen=True)
class DrawnGarment:
    """A garment in a drawing.

    Attributes:
        name: Short name for the tag, with a question mark where the network is not sure.
        color: Colour of the category as ``#RRGGBB``.
        confidence: Calibrated probability of the category, 0..1.
        sure: Whether it counts; False for a candidate.
        box: Line around it, inside the picture; None if the place is unknown.
        tag: Field for the name; None without a box.
    """

    category: str
    name: str
    color: str
    confidence: float
    sure: bool
    box: Rectangle | None
    tag: Rectangle | None


@dataclass(frozen=True)
class Drawing:
    """What to draw over a photo, and the photo's size in units.

    Garments are in reading order; of an uncertain photo they are its candidates, best first.
    """

    width: float
    height: float
    garments: tuple[DrawnGarment, ...]


def drawing(photo: PictureResult, side: float = SIDE) -> Drawing | None:
    """The boxes of a photo's garments, `side` units on its longest side; None without any place."""
    garments = likeliest(photo.candidates) if photo.verdict == "uncertain" else photo.garments
    if photo.size is None or all(garment.box is None for garment in garments):
        return None
    scale = side / max(photo.size)
    width, height = photo.size[0] * scale, photo.size[1] * scale
    sure = photo.verdict != "uncertain"
    drawn: list[DrawnGarment] = []
    for garment in garments:
        name = garment.category.partition("/")[0] + ("" if sure else "?")
        box = tag = None
        if garment.box:
            box = _inside(garment.box, scale, width, height)
            taken = [other.tag for other in drawn if other.tag]
            tag = _tag(box, name, taken, width, height)
        hue = color(garment.category)
        drawn.append(DrawnGarment(garment.category, name, hue, garment.confidence, sure, box, tag))
    return Drawing(_rounded(width), _rounded(height), tuple(drawn))


def likeliest(candidates: Iterable[Garment]) -> tuple[Garment, ...]:
    """The best candidate for each place; a network may have several for one garment."""
    best: dict[Box | None, Garment] = {}
    for candidate in candidates:
        best.setdefault(candidate.box, candidate)
    return tuple(best.values())


def _inside(box: Box, scale: float, width: float, height: float) -> Rectangle:
    """A box in units, so that its line is not cut off at the picture's edge."""
    x0, x1 = (_within(x * scale, width) for x in (box[0], box[2]))
    y0, y1 = (_within(y * scale, height) for y in (box[1], box[3]))
    return _rounded(x0), _rounded(y0), _rounded(x1 - x0), _rounded(y1 - y0)


def _within(place: float, side: float) -> float:
    edge = min(LINE, side) / 2
    return min(max(place, edge), side - edge)


def _tag(
    box: Rectangle, name: str, taken: list[Rectangle], width: float, height: float
) -> Rectangle:
    """The first place for a name that is inside the picture and covers no other name."""
    tag_width = _rounded(min(LETTER_WIDTH * len(name) + 6, width))
    edges = (box[0], box[0] + box[2] - tag_width)
    columns = [_rounded(max(min(x, width - tag_width), 0)) for x in edges]
    places = ((x, y, tag_width, TAG_HEIGHT) for y in _rows(box, height) for x in columns)
    free = (place for place in places if not any(_overlap(place, other) for other in taken))
    return next(free, (columns[0], 0, tag_width, TAG_HEIGHT))


def _rows(box: Rectangle, height: float) -> Iterator[float]:
    """Heights for a name: above the box, at its top, below it, then the nearest elsewhere."""
    top, lowest = box[1], height - TAG_HEIGHT
    near = (_rounded(y) for y in (top - TAG_HEIGHT, top, top + box[3]))
    yield from (y for y in near if 0 <= y <= lowest)
    yield from sorted(range(0, int(lowest) + 1, 2), key=lambda y: abs(y - top))


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    return all(
        one[axis] < other[axis] + other[axis + 2] and other[axis] < one[axis] + one[axis + 2]
        for axis in (0, 1)
    )


def _rounded(number: float) -> float:
    return round(number, 1)
