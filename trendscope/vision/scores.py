"""Scores of weights on labelled photos, by which their predictions can be trusted. Jax-free.

The figures are read from the header of the weights file, where the export wrote them. All are
fractions 0..1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from trendscope.categories import CATEGORIES, GROUP
from trendscope.errors import WeightsError
from trendscope.vision.weights import DEFAULT, DetectorHeader, find_weights, read_header

SCORES = "photos"
"""Name of the scores on labelled photos in a header, mostly of one garment each."""

PEOPLE = "outfits"
"""Name of the scores on photos of people in outfits."""

UNSEEN = "never trained on"
BY_ANOTHER = "by a network trained alike without them"
"""Marks in a header's text ``scored_on``: whose photos were scored, and by which network."""

RARELY_NAMED = 0.25
"""Coverage below which a kind counts as hardly ever named."""


@dataclass(frozen=True)
class Scores:
    """Scores of some weights on labelled photos.

    Attributes:
        photos: Labelled photos of the ten categories; 0 where they were never scored on photos.
        unseen: Whether all of these are by people of whom no photo was trained on.
        precision: Share of what was named that was named rightly: of single garments or of those
            that people wear, whichever share is lower.
        coverage: Share of all garments that was named; the lower one of the two likewise.
        coverage_of: Coverage by group (`trendscope.categories.GROUP`), the most often named first;
            of each group the lower one of the two. Where it differs, shares of what is named are
            not the shares of what is worn.
        by_another: Whether the scores are those of weights trained alike without these people.
        with_people: Whether people in outfits are among the photos.
        confusion: Numbers of named photos by what they show, and by the name given; empty where
            not known.
    """

    weights: str
    photos: int = 0
    unseen: bool = False
    precision: float | None = None
    coverage: float | None = None
    coverage_of: Mapping[str, float] = field(default_factory=dict)
    by_another: bool = False
    with_people: bool = False
    confusion: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def named(self, category: str) -> float | None:
        """Coverage of a category, or of the group it belongs to; None if never measured."""
        return self.coverage_of.get(GROUP.get(category, category))

    @property
    def unmeasured(self) -> tuple[str, ...]:
        """Categories of which there was no labelled photo, in label order."""
        return tuple(name for name in CATEGORIES if self.named(name) is None)


def read_scores(weights: str | Path = DEFAULT) -> Scores:
    """Reads the scores of some weights on photos from their file's header.

    Args:
        weights: A shipped name, a file or a run folder, as for `find_weights`.

    Raises:
        WeightsError: There is no such file, it is of another kind, or its scores are unreadable.
    """
    path = find_weights(weights)
    header = read_header(path)
    if isinstance(header, DetectorHeader) and "coverage_of" not in header.scores.get(SCORES, {}):
        return Scores(header.name)  # scored at its gates only, not by kind of garment
    try:
        figures = header.scores.get(SCORES)
        if not figures:
            return Scores(header.name)
        single = _scores(header.name, figures)
        people = header.scores.get(PEOPLE)
        return _lower_of_both(single, people) if people else single
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{path}: its scores on photos cannot be read ({error!r}); export the weights again "
            "with python -m training.export"
        ) from error


def _scores(name: str, figures: Mapping[str, Any]) -> Scores:
    by_group = {  # Labels that leave open which of two groups it is tell of neither.
        str(g): float(share)
        for g, share in figures["coverage_of"].items()
        if share is not None and g in GROUP.values()
    }
    return Scores(
        weights=name,
        photos=int(figures["photos_of_the_ten"]),
        unseen=UNSEEN in figures["scored_on"],
        by_another=BY_ANOTHER in figures["scored_on"],
        precision=float(figures["precision"]),
        coverage=float(figures["coverage"]),
        coverage_of=dict(sorted(by_group.items(), key=lambda item: (-item[1], item[0]))),
        confusion={
            str(true): {str(name): int(count) for name, count in row.items()}
            for true, row in figures.get("confusion", {}).items()
        },
    )


def _lower_of_both(single: Scores, people: Mapping[str, Any]) -> Scores:
    """Scores on single garments, lowered to those on people in outfits where these are lower.

    Of shoes, people's are the mean over their kinds.
    """
    of_group: dict[str, list[float]] = {}
    for category, share in people["found_by_category"].items():
        if category in CATEGORIES and share is not None:
            of_group.setdefault(GROUP[category], []).append(float(share))
    coverage_of = dict(single.coverage_of)
    for group, shares in of_group.items():
        share = sum(shares) / len(shares)
        coverage_of[group] = min(coverage_of.get(group, share), share)

    def lower(figure: float | None, name: str) -> float | None:
        return min((x for x in (figure, people[name]) if x is not None), default=None)

    return replace(
        single,
        photos=single.photos + int(people["photos"]),
        precision=lower(single.precision, "worn_of_named"),
        coverage=lower(single.coverage, "found_of_worn"),
        coverage_of=dict(sorted(coverage_of.items(), key=lambda item: (-item[1], item[0]))),
        with_people=True,
    )
