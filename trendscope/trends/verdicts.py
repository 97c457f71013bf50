"""Weekly shares: which are rising or falling. Pure tables.

`movement` takes any table of votes or of customers by week, an analyst's own too. Shares are
fractions 0..1; weeks are ISO weeks such as ``2026-W47``. Nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trendscope import proportions
from trendscope.proportions import Floats, ratio
from trendscope.trends import drift, models
from trendscope.trends.models import Series
from trendscope.trends.panel import LEAST_DISPERSION, VOTES, Panel, alike, panel_of
from trendscope.trends.windows import BEFORE, RECENT, earlier, window

MIN_TOTAL = 30
"""Least total of the recent weeks, and of those before, for a verdict."""

RISE_LEVEL, WATCH_LEVEL = 0.05, 0.10
"""False discovery rates over all categories of a week; tests.benchmarks.trends shows why."""

MIN_CHANGE = 0.20
"""Least change, as a fraction, that is worth a verdict."""

SAME = 2.576
"""Standard errors by which customers who posted before must change too; chance has 1 %."""

HISTORY = 60
"""Weeks of history from which a change can be compared with the year before."""

RISING, FALLING, STEADY = "rising", "falling", "steady"

WATCH, TOO_FEW = "watch", "not enough data"

CONFUSED = ("Shirt", ("T-shirt/top", "Pullover", "Coat"))
"""Categories that the classifier confuses: the first with each of the others."""


def movement(weekly: pd.DataFrame) -> pd.DataFrame:
    """Judges for every complete week and category whether the share has risen or fallen.

    The last 4 weeks are compared with the 22 or fewer before, or the last 8 with the 18 before if
    that shows more (`farthest`), by a two-proportion z test whose variance is that of the shares'
    own scatter (McCullagh and Nelder, Generalized Linear Models, 4.5; for customers at least the
    binomial one), with Benjamini-Hochberg's correction over all categories and segments of the
    week, and a change of at least 20 % of the last 4 weeks. The variance of votes is at least that
    between customers, ``scatter``. ``watch``: so at a false discovery rate
    of .10. ``rising``, ``falling``: at .05, two weeks running, likely without any single one of the
    last 4 weeks too, among the customers who posted both before and lately as well, and neither
    more wrong names (`trendscope.trends.drift.without_errors`) nor a circumstance that changed
    along (`trendscope.trends.drift.circumstances`) could be why; else ``watch``.

    Args:
        weekly: ``week, category`` and the votes, ``votes, voters``, or else customers, ``count,
            total``, which rise with every further photo. Optional: ``segment``, ``partial``, the
            other columns of `trendscope.trends.weekly`, and ``weights``, text: weeks judged by
            others are never compared. Weeks left out are empty, partial ones are not judged. Any
            order.

    Returns:
        ``week``; ``segment`` if given; ``category``; ``count``; ``total``; ``share`` with the 95 %
        Wilson interval ``lo95``, ``hi95``; ``on_week``, ``on_month``: its
        difference from one week and four weeks before; ``recent``, ``before``: the shares
        compared; ``change`` from before to recent as a fraction (1.0 is a doubling)
        with the 90 % interval ``lo90``, ``hi90``; ``factor``: the overdispersion; ``p`` corrected;
        ``verdict``; ``change_last_year``: the same change 52 weeks earlier, NaN under 60 weeks of
        history: then a change cannot be told from season; ``spill``: categories that move too and
        that the classifier confuses with this one, joined by ``, ``; ``votes`` and ``voters``, NaN
        without; ``drift``: clauses on what else changed and may be why, joined by ``; ``.

    Raises:
        TrendscopeError: The table is not as described above; the message says where.
    """
    return pd.concat([_judged(panel_of(part)) for part in alike(weekly)], ignore_index=True)


@dataclass(frozen=True)
class Comparison:
    """The recent weeks beside those before, all (weeks, series).

    Attributes:
        new, new_of: Counts of the recent weeks, and what they are parts of.
        old, old_of: Those of the weeks before.
        dispersion: Variance as a multiple of the binomial.
    """

    new: Floats
    new_of: Floats
    old: Floats
    old_of: Floats
    dispersion: Floats

    @property
    def recent(self) -> Floats:
        """Shares of the recent weeks."""
        return ratio(self.new, self.new_of)

    @property
    def before(self) -> Floats:
        """Shares of the weeks before."""
        return ratio(self.old, self.old_of)


def compared(panel: Panel) -> Comparison:
    """The recent weeks of each week beside those before, with the scatter of the shares."""
    dispersion = _dispersion(panel.series, LEAST_DISPERSION[panel.measure])
    if panel.measure == VOTES:
        dispersion = np.fmax(dispersion, panel.figures["scatter"])
    return Comparison(*_windows(panel.series, RECENT), dispersion=dispersion)


def _judged(panel: Panel) -> pd.DataFrame:
    count, total = panel.series.count, panel.series.total
    pair = compared(panel)
    change, low, high = proportions.change(
        pair.new, pair.new_of, pair.old, pair.old_of, pair.dispersion
    )
    p, verdict, reasons = _verdicts(panel, pair)
    share = ratio(count, total)
    history = np.cumsum((total > 0).any(1)) >= HISTORY
    share_low, share_high = proportions.wilson(count, total)
    no_votes = np.full_like(share, np.nan)
    votes, voters = (count, total) if panel.measure == VOTES else (no_votes, no_votes)
    columns: dict[str, NDArray[np.generic]] = {
        "count": _integral(panel.figures["count"]),
        "total": _integral(panel.figures["total"]),
        "share": share,
        "lo95": share_low,
        "hi95": share_high,
        "on_week": share - earlier(share, 1),
        "on_month": share - earlier(share, 4),
        "recent": pair.recent,
        "before": pair.before,
        "change": change,
        "lo90": low,
        "hi90": high,
        "factor": pair.dispersion,
        "p": p,
        "verdict": verdict,
        "change_last_year": np.where(history[:, None], earlier(change, models.YEAR), np.nan),
        "spill": _spills(verdict, panel),
        "votes": votes,
        "voters": voters,
        "drift": reasons,
    }
    return panel.long(panel.first, columns)


def _integral(values: Floats) -> NDArray[np.generic]:
    return values.astype(np.int64) if (values == np.floor(values)).all() else values


def _dispersion(series: Series, least: float) -> Floats:
    """The variance of shares as a multiple of the binomial, per week and series; at least `least`.

    Pearson's chi-square per degree of freedom, pooled over a segment's categories: of the weeks
    around the share of their window, each window apart so that a change between them is no
    scatter; or, if larger, of stretches of four weeks among those before, where shares wander.
    """
    weeks_apart = [
        _chi_square(series, [(back + week, 1) for week in range(length)])
        for back, length in ((0, RECENT), (RECENT, BEFORE))
    ]
    stretches = _chi_square(series, [(back, RECENT) for back in range(RECENT, BEFORE, RECENT)])
    scatters = (_per_degree(series, weeks_apart), _per_degree(series, [stretches]))
    return np.fmax(np.fmax(*scatters), least)


def _chi_square(series: Series, pieces: list[tuple[int, int]]) -> tuple[Floats, Floats]:
    """Chi-square of windows (back, length) around the share of all, and degrees of freedom."""
    count, total, squares, filled = np.zeros((4, *series.count.shape))
    for back, length in pieces:
        part, whole = (window(values, back, length) for values in (series.count, series.total))
        count, total, filled = count + part, total + whole, filled + (whole > 0)
        squares += np.nan_to_num(ratio(part**2, whole))
    share = ratio(count, total)
    varies = (share > 0) & (share < 1)
    scatter = ratio(squares - count * share, share * (1 - share))
    return np.where(varies, scatter, 0), np.where(varies, np.maximum(filled - 1, 0), 0)


def _per_degree(series: Series, parts: list[tuple[Floats, Floats]]) -> Floats:
    """Chi-squares per degree of freedom, pooled over a segment's categories."""
    squares, freedom = (models.pooled(sum(v).T, series.group).T for v in zip(*parts, strict=True))
    return ratio(squares, freedom)


def _windows(
    series: Series, recent: int, without: int | None = None
) -> tuple[Floats, Floats, Floats, Floats]:
    """Counts and totals of the recent weeks, then of the rest of the 26 weeks, as `Comparison`.

    `without` is one of the recent weeks to leave out, 0 the latest.
    """
    spans = ((0, recent), (recent, RECENT + BEFORE - recent))
    new, new_of, old, old_of = (
        window(values, back, length)
        for back, length in spans
        for values in (series.count, series.total)
    )
    if without is not None:
        new = new - window(series.count, without, 1)
        new_of = new_of - window(series.total, without, 1)
    return new, new_of, old, old_of


def lasting(series: Series, before: Floats, dispersion: Floats) -> Floats:
    """1 where the rise is no single week's: without any one of the last 4 it still is likely one.

    -1 where the fall is no single week's; 0 elsewhere.
    """
    directions = []
    for week in range(RECENT):
        new, new_of, _, _ = _windows(series, RECENT, week)
        change = grown(ratio(new, new_of), before)
        likely = np.abs(farthest(series, dispersion, without=week)) >= proportions.Z90
        directions.append(np.where(likely & (np.abs(change) >= MIN_CHANGE), np.sign(change), 0))
    upward, downward = (np.equal(directions, sign).all(0) for sign in (1, -1))
    return np.asarray(upward.astype(float) - downward)


def grown(recent: Floats, before: Floats) -> Floats:
    """By what part of itself a share has grown; infinitely much from nothing, NaN if unknown."""
    return np.where((before == 0) & (recent > 0), np.inf, ratio(recent, before) - 1)


def _verdicts(
    panel: Panel, pair: Comparison
) -> tuple[Floats, NDArray[np.object_], NDArray[np.object_]]:
    """The corrected p, the verdict, and why a change may be none of what is worn."""
    enough = (pair.new_of >= MIN_TOTAL) & (pair.old_of >= MIN_TOTAL)
    p = certain = _corrected(farthest(panel.series, pair.dispersion), enough)
    if panel.measure == VOTES:
        rest = farthest(panel.series, pair.dispersion, drift.without_errors)
        certain = _corrected(rest, enough)
    side = lasting(panel.series, pair.before, pair.dispersion)
    change = grown(pair.recent, pair.before)
    moving, moving_with_errors = (direction(x <= RISE_LEVEL, change, side) for x in (certain, p))
    watched = enough & (np.abs(change) >= MIN_CHANGE) & (p <= WATCH_LEVEL)
    along = drift.circumstances(panel.figures, pair.recent - pair.before)
    if panel.measure == VOTES:
        _add_others(along, panel.figures, change)
    blurred = (moving_with_errors != 0) & (moving == 0)
    reasons = np.where(blurred, drift.ERRORS, "").astype(object)
    reasons = reasons + np.where(blurred & (along != ""), "; ", "") + along
    certainly = enough & (along == "")
    conditions = [~enough, certainly & (moving > 0), certainly & (moving < 0), watched]
    names = np.array([TOO_FEW, RISING, FALLING, WATCH], object)
    verdict: NDArray[np.object_] = np.select(conditions, names, np.array(STEADY, object))
    return p, verdict, np.where(verdict == WATCH, reasons, "")


def _add_others(reasons: NDArray[np.object_], figures: drift.Figures, change: Floats) -> None:
    """Adds to the reasons where those who posted both before and lately do not surely change so."""
    before, recent = figures["before_same"], figures["recent_same"]
    z, own = ratio(recent - before, figures["same_error"]), grown(recent, before)
    holds = (z * np.sign(change) >= SAME) & (own * np.sign(change) >= MIN_CHANGE)
    for place in zip(*np.nonzero(np.isfinite(before) & ~holds), strict=True):
        shares = f"from {100 * before[place]:.1f} to {100 * recent[place]:.1f} %"
        drift.add(reasons, place, drift.OTHERS.format(shares))


def farthest(
    series: Series,
    dispersion: Floats,
    score: Callable[..., Floats] | None = None,
    without: int | None = None,
) -> Floats:
    """The z of the last 4 weeks against those before, or of the last 8, if that is farther from 0.

    A slow rise, or one of what is seldom seen, takes 8 weeks to be more than chance.

    Args:
        score: Gives the z, as `trendscope.trends.drift.without_errors`; None: the plain one.
        without: One of the last weeks to leave out, 0 the latest; None: none.

    Returns:
        (weeks, series); NaN where nothing varies, which is no test.
    """
    z = np.full_like(series.count, np.nan)
    for recent in (RECENT, 2 * RECENT):
        windows = _windows(series, recent, without)
        if score is None:
            each = proportions.z_score(*windows) / np.sqrt(dispersion)
        else:
            each = score(series, *windows, dispersion)
        each = np.where(windows[3] >= MIN_TOTAL, each, np.nan)
        z = np.where(np.isnan(z) | (np.abs(each) > np.abs(z)), each, z)
    return z


def _corrected(z: Floats, enough: NDArray[np.bool_]) -> Floats:
    """The p of each z, corrected for all tests of its week."""
    return proportions.false_discoveries(np.where(enough, proportions.two_sided(z), np.nan))


def direction(surely: NDArray[np.bool_], change: Floats, side: Floats) -> Floats:
    """1 where a share rises, this week and the one before, -1 where it falls, else 0.

    Args:
        surely: Whether the change is more than chance, (weeks, series).
        change: The change as a fraction.
        side: The direction that no single week makes, of `lasting`.
    """
    large = np.abs(change) >= MIN_CHANGE
    moving = np.where(large & surely, np.sign(change), 0)
    twice = moving == np.nan_to_num(earlier(moving, 1))
    return np.where(twice & (moving == side), moving, 0)


def _spills(verdict: NDArray[np.object_], panel: Panel) -> NDArray[np.object_]:
    moving = np.isin(verdict, [RISING, FALLING, WATCH])
    spill = np.full(verdict.shape, "", object)
    names = panel.keys["category"].to_numpy(object)
    shirt, neighbours = CONFUSED
    for here in np.flatnonzero(names == shirt):
        for there in np.flatnonzero(np.isin(names, neighbours)):
            if panel.series.group[here] == panel.series.group[there]:
                both = moving[:, here] & moving[:, there]
                for row in np.flatnonzero(both):
                    spill[row, here] += (", " if spill[row, here] else "") + names[there]
                    spill[row, there] = shirt
    return spill
