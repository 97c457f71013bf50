"""Scores a detector on the pictures that its training held out.

Examples:
  python -m training.evaluation.detections runs/detector
  python -m training.evaluation.detections runs/detector --side 160 --least 0.7

Prints tables and writes them as RUN/detections.json. Pictures of one garment are named by the head
for whole photos, people by the cells. The confidences are scaled by a temperature each, fitted on
the same pictures. All shares are fractions 0..1; None where nothing was counted.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, SupportsFloat

import numpy as np
from jaxtyping import Bool, Float32

from training.command import errors_in_one_line, new_parser
from training.data.garments import Outfits, resized
from training.detect import Settings, pictures, read_params
from trendscope.categories import CATEGORIES, GROUP
from trendscope.files.writing import write_atomic
from trendscope.vision.compilation import keep_compiled
from trendscope.vision.detections import Garment, Look, garments, look
from trendscope.vision.detector import ANOTHER_GARMENT, NOTHING, Variables
from trendscope.vision.network import softmax

BATCH = 16
"""Pictures looked at together."""

TEN = len(CATEGORIES)

PRECISE = 0.95
"""Share of the named single garments of the ten that the gate must name rightly."""

PRECISE_WORN = 0.9
"""Share of a category's named garments on people that must be worn."""

FEWEST = 8
"""Garments of a category that a gate is fitted on, at least."""

LEAST = 0.3
"""No gate is lower."""

OVERLAP = 0.5
"""Intersection over union from which on a box lies on a garment."""


def share(part: SupportsFloat, whole: SupportsFloat) -> float | None:
    """A share rounded to four places; None of nothing."""
    return round(float(part) / float(whole), 4) if float(whole) else None


# --- pictures of one garment ---------------------------------------------------------------------


def scaled(
    probabilities: Float32[np.ndarray, "*n k"], temperature: float
) -> Float32[np.ndarray, "*n k"]:
    """Probabilities as a softmax of their logits divided by a temperature."""
    return softmax(np.log(np.maximum(probabilities, 1e-9)).astype(np.float32) / temperature)


def fitted_temperature(
    probabilities: Float32[np.ndarray, "n k"], allowed: Bool[np.ndarray, "n k"]
) -> float:
    """The temperature, of .5 to 3, with the least mean log loss over all allowed outputs."""
    tried = np.geomspace(0.5, 3, 37).round(3).tolist()

    def loss(temperature: float) -> float:
        p = (scaled(probabilities, temperature) * allowed).sum(-1)
        return float(-np.log(np.maximum(p, 1e-9)).mean())

    return float(min(tried, key=loss))


def precise_gate(confidence: np.ndarray, right: np.ndarray, precise: float = PRECISE) -> float:
    """The smallest confidence above which at least the wanted share is right; 1 if none is."""
    order = np.argsort(-confidence, kind="stable")
    rightly = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(rightly >= precise)
    return float(confidence[order][enough[-1]]) if len(enough) else 1.0


def category_gates(
    confidence: np.ndarray, category: np.ndarray, right: np.ndarray, precise: float
) -> dict[str, float]:
    """For each category the least gate that is precise enough; 1 where too few are named.

    Args:
        confidence: Confidence of each garment that was named.
        category: Label index of each.
        right: Whether it is right.
        precise: Share of the named ones that must be.
    """
    gates = {}
    for i, name in enumerate(CATEGORIES):
        of = category == i
        gate = precise_gate(confidence[of], right[of], precise)
        enough = int((confidence[of] >= gate).sum()) >= FEWEST
        gates[name] = round(max(gate, LEAST), 4) if enough else 1.0
    return gates


def single_scores(
    photo: Float32[np.ndarray, "n photo_outputs"],
    allowed: Bool[np.ndarray, "n cell_outputs"],
    labels: Sequence[str],
    gates: Mapping[str, float],
) -> dict[str, Any]:
    """Figures of pictures of one garment or none.

    Args:
        photo: Probabilities of the whole photo.
        allowed: Outputs that count as right.
        labels: Labels of the pictures in the place's own words.
        gates: Least probability, by category, of what is named.
    """
    of_ten = np.asarray(allowed[:, :TEN].any(-1))
    best, confidence = photo[:, :TEN].argmax(-1), photo[:, :TEN].max(-1)
    right = np.take_along_axis(allowed, best[:, None], 1)[:, 0]
    named = confidence >= np.array([gates[name] for name in CATEGORIES])[best]
    no_garment = ~of_ten & allowed[:, NOTHING] & ~allowed[:, ANOTHER_GARMENT]
    other = ~of_ten & ~no_garment
    groups = np.array([_group(row) for row in allowed])
    by_group = {
        str(name): share(right[groups == name].sum(), (groups == name).sum())
        for name in np.unique(groups[of_ten])
    }
    by_label = {}
    for name in sorted(set(labels)):
        rows = np.array([label == name for label in labels])
        by_label[name] = {
            "pictures": int(rows.sum()),
            "right": share(right[rows].sum(), rows.sum()) if of_ten[rows].any() else None,
            "named": share(named[rows].sum(), rows.sum()),
        }
    clear = [value for name, value in by_group.items() if "/" not in name and value is not None]
    return {
        "pictures": len(photo),
        "of_the_ten": int(of_ten.sum()),
        "right": share(right[of_ten].sum(), of_ten.sum()),
        "mean_over_groups": round(float(np.mean(clear)), 4) if clear else None,
        "named": share((named & of_ten).sum(), of_ten.sum()),
        "right_of_named": share((named & right).sum(), (named & of_ten).sum()),
        "other_garments_named": share((named & other).sum(), other.sum()),
        "no_garment_named": share((named & no_garment).sum(), no_garment.sum()),
        "by_group": by_group,
        "by_label": by_label,
    }


def _group(allowed: np.ndarray) -> str:
    names = [GROUP[CATEGORIES[i]] for i in np.flatnonzero(allowed[:TEN])]
    return " / ".join(dict.fromkeys(names))


# --- people --------------------------------------------------------------------------------------


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
    return round(float(precision[hits].mean()), 4)


def worn_precision(
    scores: Float32[np.ndarray, "n 10"], people: Sequence[Person]
) -> dict[str, float | None]:
    """Average precision of "worn in the photo" by category.

    A photo whose labels leave it open whether a category is worn is left out of that category's.
    """
    found = {}
    for i, category in enumerate(CATEGORIES):
        certain = np.array([frozenset([i]) in each.worn for each in people])
        possible = np.array([any(i in kinds for kinds in each.worn) for each in people])
        clear = certain | ~possible
        found[category] = average_precision(scores[clear, i], certain[clear])
    return found


def people_scores(
    found: Sequence[Sequence[Garment]], people: Sequence[Person], gates: Mapping[str, float]
) -> dict[str, Any]:
    """What is named at gates by category, how much of it is worn and lies there, what is missed."""
    kept = [
        [garment for garment in each if garment.confidence >= gates[garment.category]]
        for each in found
    ]
    named = worn = placed = with_box = 0
    for each, shown in zip(kept, people, strict=True):
        for garment in each:
            kind = CATEGORIES.index(garment.category)
            named += 1
            worn += any(kind in kinds for kinds in shown.worn)
            if shown.boxes is not None:
                with_box += 1
                placed += any(
                    kind in kinds and iou(garment.box, box) >= OVERLAP for kinds, box in shown.boxes
                )
    hit: dict[str, list[bool]] = {}
    for each, shown in zip(kept, people, strict=True):
        kinds_named = {CATEGORIES.index(garment.category) for garment in each}
        for kinds in shown.worn:
            name = " / ".join(CATEGORIES[i] for i in sorted(kinds))
            hit.setdefault(name, []).append(bool(kinds & kinds_named))
    every = [value for values in hit.values() for value in values]
    return {
        "named_per_photo": share(named, len(people)),
        "worn_of_named": share(worn, named),
        "box_on_it_of_named": share(placed, with_box),
        "found_of_worn": share(sum(every), len(every)),
        "found_by_category": {name: share(sum(v), len(v)) for name, v in sorted(hit.items())},
    }


def iou(a: Sequence[float], b: Sequence[float]) -> float:
    """Intersection over union of two boxes."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(wide, 0.0) * max(high, 0.0)
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return common / (both - common) if common else 0.0


# --- a run ---------------------------------------------------------------------------------------


def looks(variables: Variables, kept: np.ndarray, size: tuple[int, int]) -> Look:
    """What the network says of kept pictures at one size, in small batches."""
    parts = []
    for start in range(0, len(kept), BATCH):
        rows = [resized(picture, size) for picture in kept[start : start + BATCH]]
        # Filled up, so that the network is compiled once.
        full = np.stack(rows + rows[-1:] * (BATCH - len(rows)))
        seen = look(variables, full)
        parts.append([getattr(seen, name)[: len(rows)] for name in Look.__dataclass_fields__])
    return Look(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def evaluate(
    settings: Settings,
    variables: Variables,
    side: int,
    size: tuple[int, int],
    least: Sequence[float],
    most: int = 10**9,
) -> dict[str, Any]:
    """All figures of the pictures held out.

    Args:
        settings: Settings of the training.
        variables: The network's weights.
        side: Side of pictures of one garment, in pixels.
        size: Rows and columns of photos of people.
        least: Least confidences of garments of people, each to be scored.
        most: Pictures of each kind, for a quick look.
    """
    singles, outfits = pictures(settings)
    rows = np.flatnonzero(singles.held_out)[:: max(1, int(singles.held_out.sum()) // most)]
    photo = looks(variables, singles.pixels[rows], (side, side)).photo
    allowed, places = singles.allowed[rows], singles.places[rows]
    wide = np.pad(allowed, ((0, 0), (0, photo.shape[1] - allowed.shape[1])))
    temperature = fitted_temperature(photo, wide)
    photo = scaled(photo, temperature)
    found: dict[str, Any] = {
        "side": side,
        "rows": size[0],
        "columns": size[1],
        "photo_temperature": temperature,
    }
    of_ten = allowed[:, :TEN].any(-1)
    best = photo[:, :TEN].argmax(-1)
    right = np.take_along_axis(allowed, best[:, None], 1)[:, 0]
    one = precise_gate(photo[of_ten, :TEN].max(-1), right[of_ten])
    gates = {
        "one_gate": dict.fromkeys(CATEGORIES, round(one, 4)),
        "gate_by_category": category_gates(photo[:, :TEN].max(-1), best, right, PRECISE),
    }
    found["gates"] = gates
    for name, gate in gates.items():
        for place in dict.fromkeys(places.tolist()):
            of = places == place
            labels = singles.labels[rows][of].tolist()
            found[f"{place}, {name}"] = single_scores(photo[of], allowed[of], labels, gate)
    found["outfits"] = _people(outfits, variables, size, least, most)
    return found


def _people(
    outfits: Outfits,
    variables: Variables,
    size: tuple[int, int],
    least: Sequence[float],
    most: int,
) -> dict[str, Any]:
    rows = np.flatnonzero(outfits.held_out)[:: max(1, int(outfits.held_out.sum()) // most)]
    seen = looks(variables, outfits.pixels[rows], size)
    people = [person(outfits, int(row)) for row in rows]
    precision = worn_precision(seen.cells[..., :TEN].max((1, 2)), people)
    known = [value for value in precision.values() if value is not None]
    found = [
        garments(cells, boxes, features, min(LEAST, *least))
        for cells, boxes, features in zip(seen.cells, seen.boxes, seen.features, strict=True)
    ]
    said = [(garment, shown) for each, shown in zip(found, people, strict=True) for garment in each]
    kinds = np.array([CATEGORIES.index(garment.category) for garment, _ in said], int)
    worn = np.array(
        [any(k in w for w in shown.worn) for k, (_, shown) in zip(kinds, said, strict=True)], bool
    )
    by_category = category_gates(
        np.array([garment.confidence for garment, _ in said]), kinds, worn, PRECISE_WORN
    )
    return {
        "photos": len(rows),
        "mean_average_precision": round(float(np.mean(known)), 4) if known else None,
        "average_precision": precision,
        "told_from_one_garment": share((seen.photo.argmax(-1) == NOTHING + 1).sum(), len(rows)),
        "gate_by_category": by_category,
        "at_it": people_scores(found, people, by_category),
        "gates": [
            {"least": gate, **people_scores(found, people, dict.fromkeys(CATEGORIES, gate))}
            for gate in least
        ],
    }


def lines(found: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Figures as lines of text, one each."""
    rows: list[str] = []
    for name, value in found.items():
        if isinstance(value, Mapping) and name != "by_label":
            rows += lines(value, f"{prefix}{name}: ")
        elif isinstance(value, list):
            for each in value:
                rows += lines(each, f"{prefix}{name} {each['least']}: ")
        else:
            rows.append(f"{prefix}{name} {value}")
    return rows


def main() -> None:
    """Runs the command line."""
    parser = new_parser(__doc__)
    parser.add_argument("run", type=Path, metavar="RUN_FOLDER")
    parser.add_argument("--side", type=int, default=160, help="of pictures of one garment")
    parser.add_argument("--rows", type=int, default=288, help="of photos of people")
    parser.add_argument("--columns", type=int, default=192, help="of photos of people")
    parser.add_argument(
        "--least", type=float, nargs="+", default=[0.5, 0.6, 0.7, 0.8], help="gates for people"
    )
    parser.add_argument("--most", type=int, default=10**9, help="pictures of each kind")
    options: argparse.Namespace = parser.parse_args()
    keep_compiled()
    with errors_in_one_line("training.evaluation.detections"):
        settings = Settings(**json.loads((options.run / "settings.json").read_text()))
        found = evaluate(
            settings,
            read_params(options.run / "weights.safetensors"),
            options.side,
            (options.rows, options.columns),
            options.least,
            options.most,
        )
        print("\n".join(lines(found)))
        write_atomic(options.run / "detections.json", json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
