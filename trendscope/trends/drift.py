"""What changed together with the shares, other than what is worn, and may have moved them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trendscope.proportions import Floats, ratio, z_score
from trendscope.trends.models import Series, pooled
from trendscope.trends.windows import BEFORE, RECENT, earlier, window

SURE = 3.0
"""Standard errors by which a circumstance must have changed."""

FACTOR = 3.0
"""Factor by which customers must post more or less for shares to be doubted."""

BLURRED = 1.5
"""Standard errors from which on shares seem to have come closer to each other, or moved apart."""

FEWEST = 4
"""Fewest categories of which it can be said that they came closer to each other."""

ERRORS = "the shares of several categories have moved as if more or fewer names were wrong"

OTHERS = "of customers who posted both before and lately the share went {}, too little to be sure"

Figures = Mapping[str, Floats]
"""Figures of a panel, each (weeks, series); see `trendscope.trends.panel.FIGURES`."""


@dataclass(frozen=True)
class Circumstance:
    """A share, besides those of the categories, on which they may depend.

    Attributes:
        words: What it is, for people.
        part: Gives its numerator, (weeks, series).
        whole: Gives its denominator.
        least: Least change that counts.
        reach: How far its change can move the share of a category, as a multiple.
        only_up: Whether only a rise counts.
    """

    words: str
    part: Callable[[Figures], Floats]
    whole: Callable[[Figures], Floats]
    least: float
    reach: Callable[[Floats, Floats], Floats] = lambda recent, before: np.ones_like(recent)
    only_up: bool = False


def _posted(figures: Figures) -> Floats:
    return np.asarray(figures["all_photos"] + figures["uncertain"] + figures["outside"])


CIRCUMSTANCES = (
    Circumstance(
        "the share of photos left open",
        lambda figures: figures["uncertain"],
        _posted,
        least=0.05,
        # What is no longer left open, or now is, is a larger part of what is named.
        reach=lambda recent, before: ratio(1, 1 - np.fmax(recent, before)),
    ),
    Circumstance(
        "the share of garments named beside others in a photo",
        lambda figures: figures["garments"] - figures["all_photos"],
        lambda figures: figures["garments"],
        least=0.03,
        # The part of the garments that came or went; votes may move twice as far, as who posts
        # seldom counts as much as who posts often.
        reach=lambda recent, before: ratio(2, 1 - np.fmin(recent, before)),
    ),
    Circumstance(
        "the confidence in what is named",
        lambda figures: figures["confidence"] * figures["all_photos"],
        lambda figures: figures["all_photos"],
        least=0.02,
    ),
    Circumstance(
        "the share of new customers among the active",
        lambda figures: figures["new_customers"],
        lambda figures: figures["total"],
        least=0.05,
        only_up=True,
    ),
    Circumstance(
        "the share of photos named by people",
        lambda figures: figures["by_people"],
        lambda figures: figures["all_photos"],
        least=0.05,
    ),
)


def circumstances(figures: Figures, difference: Floats) -> NDArray[np.object_]:
    """What changed in the same weeks and alone could have moved a share as far as it moved.

    A circumstance has changed if its four recent weeks differ from the 22 before by more than
    `SURE` standard errors, taken from the differences of successive weeks, which a slow drift
    hardly enlarges (von Neumann et al., Ann. Math. Stat. 12 (1941) 153).

    Args:
        figures: Figures of a panel; those that are not known count as unchanged.
        difference: Share of the recent weeks minus that of those before, (weeks, series).

    Returns:
        (weeks, series) clauses for people, joined by ``; ``; empty where there is nothing.
    """
    reasons = np.full(difference.shape, "", object)
    for each in CIRCUMSTANCES:
        recent, before, sure = _compared(each.part(figures), each.whole(figures))
        change = recent - before
        moved = sure & (np.where(each.only_up, change, np.abs(change)) >= each.least)
        reach = np.abs(change) * each.reach(recent, before)
        for place in zip(*np.nonzero(moved & (np.abs(difference) <= reach)), strict=True):
            shares = f"from {100 * before[place]:.0f} to {100 * recent[place]:.0f} %"
            add(reasons, place, f"{each.words} went {shares}")
    recent, before, sure = _compared(_posted(figures), figures["total"])
    factor = ratio(recent, before)
    for place in zip(
        *np.nonzero(sure & (np.fmax(factor, ratio(1, factor)) >= FACTOR)), strict=True
    ):
        add(
            reasons,
            place,
            f"the photos of an active customer went from {before[place]:.1f} to "
            f"{recent[place]:.1f} a week",
        )
    return reasons


def add(reasons: NDArray[np.object_], place: tuple[int, ...], clause: str) -> None:
    """Adds a clause to the reasons at a place."""
    reasons[place] += f"; {clause}" if reasons[place] else clause


def _compared(part: Floats, whole: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Part / whole of the recent weeks, of those before, and whether they surely differ."""
    known = np.isfinite(part) & np.isfinite(whole)
    part, whole = np.where(known, part, 0), np.where(known, whole, 0)
    recent, before = (
        ratio(window(part, back, length), window(whole, back, length))
        for back, length in ((0, RECENT), (RECENT, BEFORE))
    )
    share = ratio(part, whole)
    step = share - earlier(share, 1)
    steps = np.isfinite(step).astype(float)
    variance = ratio(
        window(np.nan_to_num(step) ** 2, 0, RECENT + BEFORE),
        2 * window(steps, 0, RECENT + BEFORE),
    )
    filled = np.isfinite(share).astype(float)
    error = np.sqrt(
        variance * (ratio(1, window(filled, 0, RECENT)) + ratio(1, window(filled, RECENT, BEFORE)))
    )
    return recent, before, np.asarray(np.abs(recent - before) > SURE * error)


def without_errors(
    series: Series, new: Floats, new_of: Floats, old: Floats, old_of: Floats, dispersion: Floats
) -> Floats:
    """The z of `trendscope.proportions.z_score`, of what errors in names do not explain.

    A name that is wrong is taken to be that of any other category: as errors become more, large
    shares shrink and small ones grow. How much more is estimated, for each category, from the
    other ones in the same segment, by weighted least squares on their shares without it. Where
    that differs from none and explains a part of the category's change, this part is taken away.
    Arguments are those of `trendscope.trends.verdicts.Comparison`.

    Returns:
        (weeks, series) standard normal where nothing but errors changes, 0 where they explain all.
    """
    plain = z_score(new, new_of, old, old_of) / np.sqrt(dispersion)
    recent, before, all_votes = ratio(new, new_of), ratio(old, old_of), new_of + old_of
    share = ratio(new + old, all_votes)
    seen = (new + old) >= 1
    number = _sums(seen, series)
    inverse = np.where(seen, ratio(1, share), 0)
    # Sums over the other categories, whose shares without this one are share / (1 - its own).
    sums = [_sums(x * inverse, series) - x * inverse for x in (np.ones_like(share), recent, before)]
    unit = dispersion * (ratio(1, new_of) + ratio(1, old_of))
    information = ratio((1 - share) * sums[0] - (number - 1) ** 2, (number - 2) ** 2 * unit)
    moved = ratio(sums[1], 1 - recent) - ratio(sums[2], 1 - before)
    errors = ratio((1 - share) * moved, (number - 2) * unit * information)
    slope = ratio(1 - number * before, number - 1)
    rest = recent - before - errors * slope
    variance = unit * share * (1 - share) + slope**2 * ratio(1, information)
    z = ratio(rest, np.sqrt(variance))
    explains = seen & (number >= FEWEST) & (information > 0) & (errors * slope * plain > 0)
    explains &= errors**2 * information > BLURRED**2
    z = np.where(z * plain > 0, np.sign(plain) * np.fmin(np.abs(z), np.abs(plain)), 0)
    return np.where(explains, z, plain)


def _sums(values: NDArray[np.generic], series: Series) -> Floats:
    """Sums over the categories of each segment, for each series."""
    return pooled(np.asarray(np.nan_to_num(values)).T, series.group).T
