"""Scores weights on photos of people as the product judges them; a page shows the boxes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from training.data import garments as pictures
from training.data import photos
from training.evaluation import charts
from training.evaluation import page as pages
from training.evaluation.looks import look_at
from training.evaluation.people import Person, judged_garment, people_scores, person
from trendscope.categories import CATEGORIES, color
from trendscope.errors import TrendscopeError
from trendscope.files.writing import write_atomic
from trendscope.vision.images import thumbnail
from trendscope.vision.photo_detector import PhotoDetector
from trendscope.vision.predictions import PhotoPrediction

SHOWN = 40
"""Photos shown of each kind, the surest mistakes first."""

SIDE = 288
"""Longest side of the photos shown, in pixels."""


@dataclass(frozen=True)
class Shown:
    """A photo with the boxes of its garments; the picture is a data URI.

    Attributes:
        name: The file's name.
        picture: The photo with a box for each named garment.
        named: Each named garment with its confidence, in words.
        worn: What the labels say is worn, in words.
    """

    name: str
    picture: str
    named: str
    worn: str


@dataclass(frozen=True)
class OutfitPage:
    """What the page on photos of people shows.

    Attributes:
        weights: Name of the weights.
        figures: Each figure's name and value, in words.
        photos: Photos by what is shown of them.
    """

    weights: str
    figures: Sequence[tuple[str, str]]
    photos: Mapping[str, Sequence[Shown]]


def evaluate_outfits(
    detector: PhotoDetector,
    place: Path,
    fold: int | None,
    folds: int,
    kinds: Sequence[Path],
    cache: Path,
    out: Path | None,
) -> dict[str, Any]:
    """Scores a detector on photos of people; writes outfits.json and outfits.html.

    Args:
        detector: The product's, with its gates.
        place: Folder as `training.data.garments.outfits` reads it.
        fold: Score only the photos of this fold; all with None.
        folds: How many folds the photos are dealt to.
        kinds: CSVs of better labels, as there.
        cache: Folder where decoded pictures are kept.
        out: Folder of the two files; None for none.

    Raises:
        TrendscopeError: The fold is empty, or no photo can be read.
    """
    outfits = pictures.outfits(place, cache, -1 if fold is None else fold, folds, kinds)
    rows = np.arange(len(outfits.files)) if fold is None else np.flatnonzero(outfits.held_out)
    if not len(rows):
        raise TrendscopeError(f"{place}: fold {fold} of {folds} has no photo")
    files = [str(place / "images" / file) for file in outfits.files[rows]]
    looks = look_at(files, detector)
    people = [person(outfits, int(row)) for row in rows[looks.rows]]
    predictions = [looks.prediction(row, detector.header.gate) for row in range(len(people))]
    sizes = [(int(width), int(height)) for width, height in looks.sizes.tolist()]
    scores = people_scores(predictions, sizes, people)
    if out:
        out.mkdir(parents=True, exist_ok=True)
        write_atomic(out / "outfits.json", json.dumps(scores, indent=1) + "\n")
        seen = [files[row] for row in looks.rows.tolist()]
        page = outfit_page(detector, scores, seen, predictions, sizes, people)
        write_atomic(out / "outfits.html", pages.render("outfits.html", page))
    return scores


def outfit_page(
    detector: PhotoDetector,
    scores: Mapping[str, Any],
    files: Sequence[str],
    predictions: Sequence[PhotoPrediction],
    sizes: Sequence[tuple[int, int]],
    people: Sequence[Person],
) -> OutfitPage:
    """Puts the page together: the surest mistakes, what was found nowhere, and photos as they come.

    Args:
        detector: The detector that was scored.
        scores: Its figures.
        files: Photos; those shown are read again.
        predictions: What is said of each.
        sizes: Width and height, in pixels, that boxes are measured in.
        people: What each shows.
    """
    doubts = [wrong_confidence(*each) for each in zip(predictions, sizes, people, strict=True)]
    order = np.argsort(-np.array(doubts), kind="stable")
    wrong = [row for row in order.tolist() if doubts[row] > 0][:SHOWN]
    silent = [row for row, said in enumerate(predictions) if not said.garments][:SHOWN]

    def shown(rows: Sequence[int]) -> list[Shown]:
        side = detector.decoded_side
        return [drawn(files[i], side, predictions[i], sizes[i], people[i]) for i in rows]

    return OutfitPage(
        detector.name,
        [(name.replace("_", " "), str(value)) for name, value in scores.items()
         if not isinstance(value, Mapping)],
        {
            "Named, but not worn": shown(wrong),
            "Nothing named": shown(silent),
            "As they come": shown(range(min(SHOWN, len(files)))),
        },
    )  # fmt: skip


def wrong_confidence(said: PhotoPrediction, size: tuple[int, int], shown: Person) -> float:
    """The highest confidence of a named garment that is not worn; 0 if all are."""
    wrong = [
        each.confidence for each in said.garments if not judged_garment(each, size, shown).worn
    ]
    return max(wrong, default=0.0)


def drawn(
    file: str, side: int, said: PhotoPrediction, size: tuple[int, int], shown: Person
) -> Shown:
    """A photo with its boxes, and what is named and worn in words."""
    picture = Image.fromarray(photos.pixels_of(file, side)).resize(size)
    draw = ImageDraw.Draw(picture)
    for each in said.garments:
        if each.box is not None:
            draw.rectangle(each.box, outline=color(each.category or ""), width=3)
    return Shown(
        Path(file).name,
        charts.data_uri("image/jpeg", thumbnail(np.asarray(picture), SIDE)),
        ", ".join(f"{each.category} {each.confidence:.2f}" for each in said.garments) or "nothing",
        ", ".join(" or ".join(CATEGORIES[i] for i in sorted(kinds)) for kinds in shown.worn),
    )
