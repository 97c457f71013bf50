"""Scores of weights on labelled photos, by which their predictions can be trusted. Jax-free.

The figures are read from the header of the weights file, where the export wrote them. All are
fractions 0..1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trendscope.categories import CATEGORIES, GROUP
from trendscope.errors import WeightsError
from trendscope.vision.weights import DEFAULT, DetectorHeader, find_weights, read_header

SCORES = "photos"
"""Name of the scores on labelled photos in a header."""

UNSEEN = "never trained on"
BY_ANOTHER = "by a network trained alike without them"
"""Marks in a header's text ``scored_on``: whose photos were scored, and by which network."""

RARELY_NAMED = 0.25
"""Coverage below which a kind counts as hardly ever named."""


@dataclass(frozen=True)
class Scores:
    """Scores of some weights on labelled photos.

    Attributes:
        weights: Name of the weights.
        photos: Labelled photos of the ten categories; 0 where they were never scored on photos.
        unseen: Whether all of these are by people of whom no photo was trained on.
        precision: Share of the named photos that was named rightly.
        coverage: Share of all photos that was named.
        coverage_of: Coverage by group (`trendscope.categories.GROUP`), the most often named first.
            Where it differs, shares of what is named are not the shares of what is worn.
        by_another: Whether the scores are those of weights trained alike without these people.
    """

    weights: str
    photos: int = 0
    unseen: bool = False
    precision: float | None = None
    coverage: float | None = None
    coverage_of: Mapping[str, float] = field(default_factory=dict)
    by_another: bool = False

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
        return _scores(header.name, figures) if figures else Scores(header.name)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{path}: its scores on photos cannot be read ({error!r}); export the weights again "
            "with python -m training.export"
        ) from error


def _scores(name: str, figures: Mapping[str, Any]) -> Scores:
    by_group = {
        str(g): float(share) for g, share in figures["coverage_of"].items() if share is not None
    }
    return Scores(
        weights=name,
        photos=int(figures["photos_of_the_ten"]),
        unseen=UNSEEN in figures["scored_on"],
        by_another=BY_ANOTHER in figures["scored_on"],
        precision=float(figures["precision"]),
        coverage=float(figures["coverage"]),
        coverage_of=dict(sorted(by_group.items(), key=lambda item: (-item[1], item[0]))),
    )
