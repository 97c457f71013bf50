"""Fits a detector's gates on the pictures that its training held out, and scores it there.

Examples:
  python -m training.evaluation.detections runs/detector
  python -m training.evaluation.detections runs/detector --side 192 --rows 352 --columns 224

Customers and photos are dealt to ten parts: what is said of each part is scored with a temperature
and gates fitted on the other nine, so that no figure is of the pictures its gate was fitted on. The
product's gates are fitted on all. Prints the figures and writes them as RUN/detections.json; what
the network says of the pictures is kept beside it (looks-*.npz). All shares are fractions 0..1.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float32, Int

from training.command import errors_in_one_line, new_parser
from training.compilation import keep_compiled
from training.data import garments as pictures
from training.data import photos
from training.detect import Settings, read_params
from training.evaluation import photo_metrics
from training.evaluation.gates import Guesses, as_everywhere, fitted_gates
from training.evaluation.looks import Looks, kept_looks
from training.evaluation.people import Person, lines, people_scores, person
from training.evaluation.photo_metrics import Judged
from training.evaluation.published import published_scores
from trendscope.categories import CATEGORIES, GROUP
from trendscope.errors import TrendscopeError
from trendscope.files.writing import write_atomic
from trendscope.vision.detections import garments
from trendscope.vision.outputs import CELL_OUTPUTS, PHOTO_OUTPUTS
from trendscope.vision.photo_detector import (
    CERTAIN,
    PhotoDetector,
    calibrated,
    shows_several,
)
from trendscope.vision.predictions import PhotoPrediction
from trendscope.vision.scores import UNSEEN
from trendscope.vision.weights import DetectorGate, DetectorHeader

TEN = len(CATEGORIES)

PRECISE = 0.955
"""Share of the named pictures of one garment that the gates must name rightly."""

APART = 2.0
"""As `training.evaluation.gates.DEVIATION`, of pictures of one garment: trousers are told nearly
always, dresses and coats are not. With mended labels it names more at the same precision."""

PRECISE_WORN = 0.9
"""Share of the garments named on people that must be worn."""

ALWAYS_WORN = 0.3
"""Share of each category's guesses on people that are named, if likely right, whatever others
need: shirts, dresses and pullovers are harder to tell than bags and boots, and would be silent."""

PARTS = 10
"""Parts that customers and photos are dealt to: gates are fitted on all others."""

TEMPERATURES = np.geomspace(0.5, 3, 37).round(3).tolist()
"""Temperatures that are tried."""


@dataclass(frozen=True)
class Singles:
    """Held-out pictures of one garment or none, and what the network says of them.

    Attributes:
        table: Columns of `training.data.photos.read_tables`, a row for each look.
        allowed: Outputs of a whole photo that count as right for each.
        weight: How many pictures each stands for.
        looks: Both looks at each.
    """

    table: pd.DataFrame
    allowed: Bool[np.ndarray, "n photo_outputs"]
    weight: Float[np.ndarray, " n"]
    looks: Looks


@dataclass(frozen=True)
class Worn:
    """Held-out photos of people, and what the network says of them.

    Attributes:
        files: Their names.
        people: What each shows.
        looks: Both looks at each.
    """

    files: Sequence[str]
    people: Sequence[Person]
    looks: Looks


# --- gates ---------------------------------------------------------------------------------------


def fitted_temperature(
    probabilities: Float32[np.ndarray, "n k"], allowed: Bool[np.ndarray, "n k"]
) -> float:
    """The temperature, of .5 to 3, with the least mean log loss over all allowed outputs."""

    def loss(temperature: float) -> float:
        p = (calibrated(probabilities, temperature) * allowed).sum(-1)
        return float(-np.log(np.maximum(p, 1e-9)).mean())

    return float(min(TEMPERATURES, key=loss))


def fitted_gate(
    singles: Singles,
    worn: Worn,
    of_singles: Bool[np.ndarray, " n"],
    of_worn: Bool[np.ndarray, " m"],
) -> DetectorGate:
    """Temperature and gates fitted on some of the held-out pictures."""
    photo = singles.looks.first.photo
    temperature = fitted_temperature(photo[of_singles], singles.allowed[of_singles])
    open_gate = DetectorGate(temperature)
    one = of_singles & ~shows_several(singles.looks.first, open_gate)
    several = of_worn & shows_several(worn.looks.first, open_gate)
    return DetectorGate(
        temperature,
        fitted_gates(single_guesses(singles, temperature).take(one), PRECISE, deviation=APART),
        fitted_gates(worn_guesses(worn, several), PRECISE_WORN, ALWAYS_WORN),
    )


def single_guesses(singles: Singles, temperature: float) -> Guesses:
    """The likeliest category of each picture of one garment or none.

    Pictures of places that show none of the ten count with those of the first place.
    """
    photo = calibrated(singles.looks.first.photo, temperature)[:, :TEN]
    best = photo.argmax(-1)
    right = np.take_along_axis(singles.allowed, best[:, None], 1)[:, 0]
    places, place = np.unique(singles.table["place"], return_inverse=True)
    first = places.tolist().index(singles.table["place"].iloc[0])
    for number in range(len(places)):
        if not singles.allowed[place == number, :TEN].any():
            place[place == number] = first
    return Guesses(photo.max(-1).astype(float), best, right, place, singles.weight)


def worn_guesses(worn: Worn, rows: Bool[np.ndarray, " n"]) -> Guesses:
    """Every garment that the cells show on some of the people."""
    confidence, category, right = [], [], []
    for row in np.flatnonzero(rows).tolist():
        second = worn.looks.second_of(row)
        if second is None:
            continue
        for each in garments(second, CERTAIN):
            kind = CATEGORIES.index(each.category)
            confidence.append(each.confidence)
            category.append(kind)
            right.append(any(kind in kinds for kinds in worn.people[row].worn))
    count = len(confidence)
    return Guesses(
        np.array(confidence, float),
        np.array(category, int),
        np.array(right, bool),
        np.zeros(count, int),
        np.ones(count),
    )


def parts_of(units: Iterable[str], parts: int = PARTS) -> Int[np.ndarray, " n"]:
    """The part that each customer or photo is dealt to, by a digest of its name."""
    return np.array([pictures.drawn(f"gate {unit}") % parts for unit in units])


def predicted(
    singles: Singles, worn: Worn, parts: int = PARTS
) -> tuple[list[PhotoPrediction], list[PhotoPrediction]]:
    """What the product says of each picture with gates fitted without its customer, or itself."""
    of_singles, of_worn = parts_of(singles.table["customer"], parts), parts_of(worn.files, parts)
    said: dict[int, PhotoPrediction] = {}
    said_worn: dict[int, PhotoPrediction] = {}
    for part in range(parts):
        gate = fitted_gate(singles, worn, of_singles != part, of_worn != part)
        for row in np.flatnonzero(of_singles == part).tolist():
            said[row] = singles.looks.prediction(row, gate)
        for row in np.flatnonzero(of_worn == part).tolist():
            said_worn[row] = worn.looks.prediction(row, gate)
    return [said[row] for row in range(len(said))], [
        said_worn[row] for row in range(len(said_worn))
    ]


# --- figures -------------------------------------------------------------------------------------


def judged(table: pd.DataFrame, predictions: Sequence[PhotoPrediction]) -> list[Judged]:
    """Labelled pictures with what the product says of each as a whole."""
    columns = (table[name] for name in ("file", "place", "customer", "label", "category"))
    return [
        Judged(file, place, customer, label, tuple(filter(None, category.split("|"))), each.whole)
        for file, place, customer, label, category, each in zip(*columns, predictions, strict=True)
    ]


def lenient(photo: Judged) -> Judged:
    """The same with every kind of an allowed group allowed, as where a label says "Shoes"."""
    groups = {GROUP[name] for name in photo.allowed}
    allowed = tuple(name for name in CATEGORIES if GROUP[name] in groups)
    return dataclasses.replace(photo, allowed=allowed)


def single_scores(
    photos_: Sequence[Judged], as_labelled: Sequence[Judged], scored_on: str
) -> dict[str, Any]:
    """Figures of pictures of one garment or none, by place; the first one's travel as "photos".

    Those whose names begin with "lenient" count every kind of shoe as right for any; those that
    begin with "as_labelled" are by the owners' labels.

    Args:
        photos_: Pictures with their labels as they were looked at.
        as_labelled: The same with the labels that their owners gave.
        scored_on: Whose pictures these are.
    """
    scores: dict[str, Any] = {}
    for place in dict.fromkeys(each.place for each in photos_):
        of_place = [each for each in photos_ if each.place == place]
        by_owners = [each for each in as_labelled if each.place == place]
        if not any(each.of_the_ten for each in of_place):
            named = photo_metrics.share_of(each.named for each in of_place)
            scores[place] = {"photos": len(of_place), "named": named.share}
            continue
        evaluations = [
            photo_metrics.evaluation("", "", scored_on, rows, ())
            for rows in (of_place, [lenient(each) for each in of_place], by_owners)
        ]
        strict = evaluations[0]
        figures, of_groups, of_owners = map(photo_metrics.scores, evaluations)
        del figures["digest"]
        figures["right_by_group"] = {row.name: row.share.share for row in strict.groups}
        for name in ("accuracy", "mean_over_groups", "precision", "calibration_error"):
            figures[f"lenient_{name}"] = of_groups.get(name)
        for name in ("accuracy", "mean_over_groups", "coverage", "precision"):
            figures[f"as_labelled_{name}"] = of_owners.get(name)
        figures["others_named_by_label"] = {
            row.name: row.share.share for row in strict.others_by_label
        }
        scores[place] = figures
    return scores


# --- a run ---------------------------------------------------------------------------------------


def held_out_singles(settings: Settings, detector: PhotoDetector, key: str, run: Path) -> Singles:
    """The run's held-out pictures of one garment or none, looked at."""
    relabel = photos.places_of(settings.relabel)
    table = photos.read_tables(photos.places_of(settings.singles), relabel)
    table = table.assign(weight=1.0)
    held_out = pictures.held_out(table, settings.fold, settings.folds)
    for place in table["place"].unique():
        here = (table["place"] == place).to_numpy()
        labels = table["label"].to_numpy(str)
        table.loc[here & held_out, "weight"] = as_everywhere(
            labels[here & held_out].tolist(), labels[here].tolist()
        )
    rows = table[held_out]
    looks = kept_looks(list(rows["file"]), detector, key, run)
    seen = rows.iloc[looks.rows].reset_index(drop=True)
    allowed = np.stack(
        [
            pictures.allowed_outputs(category, label)
            for category, label in zip(seen["category"], seen["label"], strict=True)
        ]
    )
    wide = np.pad(allowed, ((0, 0), (0, PHOTO_OUTPUTS - CELL_OUTPUTS)))
    return Singles(seen, wide, seen["weight"].to_numpy(float), looks)


def held_out_people(settings: Settings, detector: PhotoDetector, key: str, run: Path) -> Worn:
    """The run's held-out photos of people, looked at."""
    kinds = photos.places_of(settings.kinds)
    place, cache = Path(settings.outfits), Path(settings.cache)
    outfits = pictures.outfits(place, cache, settings.fold, settings.folds, kinds)
    rows = np.flatnonzero(outfits.held_out)
    files = [str(place / "images" / file) for file in outfits.files[rows]]
    looks = kept_looks(files, detector, key, run)
    seen = rows[looks.rows]
    return Worn(outfits.files[seen].tolist(), [person(outfits, int(row)) for row in seen], looks)


def evaluate(run: Path, side: int, size: tuple[int, int], published: bool = True) -> dict[str, Any]:
    """Fits the gates of a run and scores it; every figure is of pictures the gates have not seen.

    Args:
        run: Folder of the run: settings.json and weights.safetensors.
        side: Side of pictures of one garment, in pixels.
        size: Rows and columns of photos of people.
        published: Whether Fashion-MNIST's test images are scored as well; nothing is fitted there.

    Raises:
        TrendscopeError: The run held nothing out, or its pictures are not there.
    """
    settings = read_settings(run)
    if settings.fold < 0:
        raise TrendscopeError(f"{run} held nothing out to be scored on; train one with --fold 0")
    weights = run / "weights.safetensors"
    key = hashlib.sha256(weights.read_bytes()).hexdigest()
    detector = PhotoDetector(DetectorHeader(run.name, side, size), read_params(weights))
    singles = held_out_singles(settings, detector, key, run)
    worn = held_out_people(settings, detector, key, run)
    every = np.ones(len(singles.table), bool), np.ones(len(worn.people), bool)
    gate = fitted_gate(singles, worn, *every)
    said, said_worn = predicted(singles, worn)
    sizes = [(int(w), int(h)) for w, h in worn.looks.sizes.tolist()]
    scored_on = f"customers of fold {settings.fold} of {settings.folds}, {UNSEEN}"
    return {
        "side": side,
        "rows": size[0],
        "columns": size[1],
        "gate": dataclasses.asdict(gate),
        "singles": single_scores(
            judged(singles.table, said),
            judged(singles.table.assign(category=singles.table["given"]), said),
            scored_on,
        ),
        "outfits": people_scores(said_worn, sizes, worn.people),
        "fashion-mnist test": published_scores(detector, key, run) if published else {},
    }


def read_settings(run: Path) -> Settings:
    """The settings of a run; those that were added since are at their defaults."""
    given = json.loads((run / "settings.json").read_text(encoding="utf-8"))
    names = {field.name for field in dataclasses.fields(Settings)}
    return Settings(**{name: value for name, value in given.items() if name in names})


def main() -> None:
    """Runs the command line."""
    parser = new_parser(__doc__)
    parser.add_argument("run", type=Path, metavar="RUN_FOLDER")
    parser.add_argument("--side", type=int, default=160, help="of pictures of one garment")
    parser.add_argument("--rows", type=int, default=288, help="of photos of people")
    parser.add_argument("--columns", type=int, default=192, help="of photos of people")
    parser.add_argument(
        "--no-published", action="store_true", help="leave Fashion-MNIST's test images out"
    )
    options: argparse.Namespace = parser.parse_args()
    keep_compiled()
    with errors_in_one_line("training.evaluation.detections"):
        size = options.rows, options.columns
        scores = evaluate(options.run, options.side, size, not options.no_published)
        print("\n".join(lines(scores)))
        write_atomic(options.run / "detections.json", json.dumps(scores, indent=2) + "\n")


if __name__ == "__main__":
    main()
