"""Figures of photos of people: what is named, what of it is worn and lies there, what is missed.

All shares are fractions 0..1; None where nothing was counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, SupportsFloat

import numpy as np
from jaxtyping import Float32

from training.data.garments import Outfits
from training.evaluation.metrics import rounded
from trendscope.categories import CATEGORIES
from trendscope.vision.predictions import PhotoPrediction, Prediction

TEN = len(CATEGORIES)

OVERLAP = 0.5
"""Intersection over union from which on a box lies on a garment."""


def share(part: SupportsFloat, whole: SupportsFloat) -> float | None:
    """A share rounded to four places; None of nothing."""
    return rounded(float(part) / float(whole)) if float(whole) else None


@dataclass(frozen=True)
class Person:
    """What a photo of people shows.

    Attributes:
        worn: For each garment the categories that count as right.
        boxes: For each box the categories and left, top, right, bottom as fractions; None where
            the photo has tags only.
    """

    worn: tuple[frozenset[int], ...]
    boxes: tuple[tuple[frozenset[int], tuple[float, ...]], ...] | None


def person(outfits: Outfits, row: int) -> Person:
    """What one photo shows, by its labels."""
    kinds = [frozenset(np.flatnonzero(right[:TEN]).tolist()) for right in outfits.labels]
    height, width = outfits.pixels.shape[1:3]
    shown = outfits.tags[row]
    boxes = None
    if outfits.has_mask[row]:
        shown = np.union1d(shown, outfits.boxes[row][:, 0].astype(int))
        boxes = tuple(
            (kinds[int(label)], (x0 / width, y0 / height, x1 / width, y1 / height))
            for label, x0, y0, x1, y1 in outfits.boxes[row].tolist()
        )
    return Person(tuple(sorted({kinds[i] for i in shown if kinds[i]}, key=sorted)), boxes)


def average_precision(scores: np.ndarray, right: np.ndarray) -> float | None:
    """Mean, over the right ones, of the precision down to each in the order of the scores."""
    order = np.argsort(-scores, kind="stable")
    hits = right[order].astype(bool)
    if not hits.any():
        return None
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return rounded(float(precision[hits].mean()))


def worn_precision(
    scores: Float32[np.ndarray, "n 10"], people: Sequence[Person]
) -> dict[str, float | None]:
    """Average precision of "worn in the photo" by category.

    A photo whose labels leave it open whether a category is worn is left out of that category's.
    """
    precision = {}
    for i, category in enumerate(CATEGORIES):
        certain = np.array([frozenset([i]) in each.worn for each in people])
        possible = np.array([any(i in kinds for kinds in each.worn) for each in people])
        clear = certain | ~possible
        precision[category] = average_precision(scores[clear, i], certain[clear])
    return precision


def confidences(predictions: Sequence[PhotoPrediction]) -> Float32[np.ndarray, "n 10"]:
    """The highest confidence of each category among a photo's garments and candidates; or 0."""
    scores = np.zeros((len(predictions), TEN), np.float32)
    for row, prediction in enumerate(predictions):
        for each in (*prediction.garments, *prediction.candidates):
            kind = CATEGORIES.index(each.category or "")
            scores[row, kind] = max(scores[row, kind], each.confidence)
    return scores


@dataclass(frozen=True)
class Named:
    """A garment that was named on a person.

    Attributes:
        category: Its category.
        worn: Whether the photo shows one of it.
        overlaps: Whether its box meets a labelled one of it, with an intersection over union of at
            least `OVERLAP`; None where the photo has tags only.
        centred: Whether the middle of its box lies inside a labelled one of it; None likewise.
    """

    category: str
    worn: bool
    overlaps: bool | None
    centred: bool | None


def judged_garment(garment: Prediction, size: tuple[int, int], shown: Person) -> Named:
    """A named garment held against what the photo shows.

    Args:
        garment: With its box in pixels.
        size: Width and height of the picture in pixels.
        shown: What is worn.
    """
    kind = CATEGORIES.index(garment.category or "")
    worn = any(kind in kinds for kinds in shown.worn)
    if shown.boxes is None or garment.box is None:
        return Named(CATEGORIES[kind], worn, None, None)
    box = tuple(side / size[i % 2] for i, side in enumerate(garment.box))
    of_it = [labelled for kinds, labelled in shown.boxes if kind in kinds]
    return Named(
        CATEGORIES[kind],
        worn,
        any(iou(box, labelled) >= OVERLAP for labelled in of_it),
        any(is_centred(box, labelled) for labelled in of_it),
    )


def people_scores(
    predictions: Sequence[PhotoPrediction],
    sizes: Sequence[tuple[int, int]],
    people: Sequence[Person],
) -> dict[str, Any]:
    """Figures of what the product says of photos of people.

    Args:
        predictions: One a photo.
        sizes: Width and height of each picture in pixels, the unit of its boxes.
        people: What each shows.
    """
    named: list[Named] = []
    found: dict[str, list[bool]] = {}
    for prediction, size, shown in zip(predictions, sizes, people, strict=True):
        named += [judged_garment(each, size, shown) for each in prediction.garments]
        kinds_named = {CATEGORIES.index(each.category or "") for each in prediction.garments}
        for kinds in shown.worn:
            name = " / ".join(CATEGORIES[i] for i in sorted(kinds))
            found.setdefault(name, []).append(bool(kinds & kinds_named))
    precision = worn_precision(confidences(predictions), people)
    known = [value for value in precision.values() if value is not None]
    every = [value for values in found.values() for value in values]
    return {
        "photos": len(people),
        "mean_average_precision": rounded(sum(known) / len(known)) if known else None,
        "average_precision": precision,
        "named_per_photo": share(len(named), len(people)),
        "worn_of_named": share_where(named, lambda each: each.worn),
        "box_on_it_of_named": share_where(named, lambda each: each.overlaps),
        "centre_on_it_of_named": share_where(named, lambda each: each.centred),
        "found_of_worn": share(sum(every), len(every)),
        "found_by_category": {name: share(sum(v), len(v)) for name, v in sorted(found.items())},
        "by_category": {name: _of_category(named, name) for name in CATEGORIES},
    }


def _of_category(named: Sequence[Named], category: str) -> dict[str, Any]:
    of_it = [each for each in named if each.category == category]
    return {
        "named": len(of_it),
        "worn": share_where(of_it, lambda each: each.worn),
        "box_on_it": share_where(of_it, lambda each: each.overlaps),
        "centre_on_it": share_where(of_it, lambda each: each.centred),
    }


def share_where(named: Sequence[Named], outcome: Callable[[Named], bool | None]) -> float | None:
    """Share of the garments for which something holds, of those for which it is known."""
    known = [value for value in map(outcome, named) if value is not None]
    return share(sum(known), len(known))


def is_centred(box: Sequence[float], labelled: Sequence[float]) -> bool:
    """Whether the middle of a box lies inside another."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return labelled[0] <= x <= labelled[2] and labelled[1] <= y <= labelled[3]


def iou(a: Sequence[float], b: Sequence[float]) -> float:
    """Intersection over union of two boxes."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(wide, 0.0) * max(high, 0.0)
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return common / (both - common) if common else 0.0


def lines(scores: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Figures as lines of text, one each."""
    rows: list[str] = []
    for name, value in scores.items():
        if isinstance(value, Mapping):
            rows += lines(value, f"{prefix}{name}: ")
        else:
            rows.append(f"{prefix}{name} {value}")
    return rows
