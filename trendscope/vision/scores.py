"""How far some weights can be relied on: what they scored on labelled photos. Jax-free.

The figures are those in the header of the weights file, where the export wrote them; nothing is
measured here. All are fractions 0..1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trendscope.categories import CATEGORIES, GROUP
from trendscope.errors import WeightsError
from trendscope.vision.weights import DEFAULT, SHIPPED, find_weights, header_of, identify

SCORES = "photos"
"""Under this name the header keeps the scores on labelled photos."""

RARELY_NAMED = 0.25
"""A kind that is named on fewer of its photos is hardly ever named."""


@dataclass(frozen=True)
class Scores:
    """What some weights scored on labelled photos.

    Attributes:
        weights: Their name.
        photos: Labelled photos of the ten categories; 0: they were never measured on photos.
        unseen: Whether all of these are by people of whom no photo was trained on.
        precision: Of the photos they named, the share that was named rightly.
        coverage: Of all of them, the share that they named.
        coverage_of: The same by group (`trendscope.categories.GROUP`), the most often named first.
            Where it differs, shares of what is named are not the shares of what is worn.
        by_another: The scores are those of weights trained alike without these people.
    """

    weights: str
    photos: int = 0
    unseen: bool = False
    precision: float | None = None
    coverage: float | None = None
    coverage_of: Mapping[str, float] = field(default_factory=dict)
    by_another: bool = False

    def named(self, category: str) -> float | None:
        """How often a category, or the group it belongs to, is named; None if never measured."""
        return self.coverage_of.get(GROUP.get(category, category))

    @property
    def unmeasured(self) -> tuple[str, ...]:
        """Categories of which there was no labelled photo, in label order."""
        return tuple(name for name in CATEGORIES if self.named(name) is None)


def read_scores(weights: str | Path = DEFAULT) -> Scores:
    """Reads what some weights scored on photos from their file's header.

    Args:
        weights: A shipped name, a file or a run folder, as for `find_weights`.

    Raises:
        WeightsError: There is no such file, it is of another kind, or its scores are unreadable.
    """
    path = find_weights(weights)
    header = header_of(path)
    try:
        scores = header.get("scores", {}).get(SCORES)
        return _measured(header["name"], scores) if scores else Scores(header["name"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{path}: its scores on photos cannot be read ({error!r}); export the weights again "
            "with python -m training.export"
        ) from error


def scores_of_digest(digest: str, weights: str | Path | None = None) -> Scores | None:
    """What the weights scored whose file has a digest; None if that file is not at hand.

    Args:
        digest: sha256 of the file, in hex.
        weights: Where to look before the shipped ones.

    Raises:
        WeightsError: `weights` are missing or of another kind.
    """
    given = [] if weights is None else [weights]
    for candidate in (*given, *sorted(SHIPPED.glob("*.safetensors"))):
        if identify(candidate).digest == digest:
            return read_scores(candidate)
    return None


def _measured(name: str, scores: Mapping[str, object]) -> Scores:
    groups = scores["coverage_of"]
    if not isinstance(groups, dict):
        raise TypeError("coverage_of is no table")
    by_group = {str(group): float(share) for group, share in groups.items() if share is not None}
    return Scores(
        weights=name,
        photos=int(str(scores["photos_of_the_ten"])),
        unseen="never trained on" in str(scores["scored_on"]),
        by_another="trained alike" in str(scores["scored_on"]),
        precision=float(str(scores["precision"])),
        coverage=float(str(scores["coverage"])),
        coverage_of=dict(sorted(by_group.items(), key=lambda item: (-item[1], item[0]))),
    )
