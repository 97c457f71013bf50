"""Weekly shares: which are rising or falling. Pure tables.

`movement` takes any table ``week, category, count, total``, an analyst's own too. Shares are
fractions 0..1; weeks are ISO weeks such as ``2026-W47``. Nothing here reads a clock.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trendscope import proportions
from trendscope.proportions import Floats, ratio
from trendscope.trends import models
from trendscope.trends.models import Series
from trendscope.trends.panel import Panel, panel_of

RECENT, BEFORE = 4, 22
"""Weeks taken together, and weeks before them that they are compared with."""

MIN_TOTAL = 30
"""Least total of the recent weeks, and of those before, for a verdict."""

RISE_LEVEL, WATCH_LEVEL = 0.07, 0.10
"""False discovery rates over all categories of a week; tests.benchmarks.trends shows why."""

MIN_CHANGE = 0.20
"""Least change, as a fraction, that is worth a verdict."""

HISTORY = 60
"""Weeks of history from which a change can be compared with the year before."""

RISING, FALLING, STEADY = "rising", "falling", "steady"

WATCH, TOO_FEW = "watch", "not enough data"

CONFUSED = ("Shirt", ("T-shirt/top", "Pullover", "Coat"))
"""Categories that the classifier confuses: the first with each of the others."""


def movement(weekly: pd.DataFrame) -> pd.DataFrame:
    """Judges for every complete week and category whether the share has risen or fallen.

    The last 4 weeks are compared with the 22 or fewer before, by a two-proportion z test whose
    variance is inflated by the scatter of the shares (never deflated; McCullagh and Nelder,
    Generalized Linear Models, 4.5), with Benjamini-Hochberg's correction over all categories and
    segments of the week, and a change of at least 20 %. ``watch``: so at a
    false discovery rate of .10. ``rising``, ``falling``: at .07, two weeks running, and in each of
    the last 4 weeks, so that no single week makes a trend.

    Args:
        weekly: ``week, category, count, total``, optionally ``segment`` and ``partial``; other
            columns are ignored, weeks left out are empty, partial ones are not judged. Any order.

    Returns:
        ``week``; ``segment`` if given; ``category``; ``count``; ``total``; ``share`` with the 95 %
        Wilson interval ``lo95``, ``hi95``; ``on_week``, ``on_month``: its
        difference from one week and four weeks before; ``recent``, ``before``: the shares
        compared; ``change`` from before to recent as a fraction (1.0 is a doubling)
        with the 90 % interval ``lo90``, ``hi90``; ``factor``: the overdispersion; ``p`` corrected;
        ``verdict``; ``change_last_year``: the same change 52 weeks earlier, NaN under 60 weeks of
        history: then a change cannot be told from season; ``spill``: categories that move too and
        that the classifier confuses with this one, joined by ``, ``.

    Raises:
        TrendscopeError: The table is not as described above; the message says where.
    """
    panel = panel_of(weekly)
    count, total = panel.series.count, panel.series.total
    new, new_of = (_window(values, 0, RECENT) for values in (count, total))
    old, old_of = (_window(values, RECENT, BEFORE) for values in (count, total))
    dispersion = _dispersion(panel.series)
    z = proportions.z_score(new, new_of, old, old_of) / np.sqrt(dispersion)
    enough = (new_of >= MIN_TOTAL) & (old_of >= MIN_TOTAL)
    p = proportions.false_discoveries(np.where(enough, proportions.two_sided(z), np.nan))
    change, low, high = proportions.change(new, new_of, old, old_of, dispersion)
    share = ratio(count, total)
    verdict = _verdicts(p, change, enough, _sides(share, ratio(old, old_of)))
    history = np.cumsum((total > 0).any(1)) >= HISTORY
    share_low, share_high = proportions.wilson(count, total)
    columns: dict[str, NDArray[np.generic]] = {
        "count": _integral(count),
        "total": _integral(total),
        "share": share,
        "lo95": share_low,
        "hi95": share_high,
        "on_week": share - _earlier(share, 1),
        "on_month": share - _earlier(share, 4),
        "recent": ratio(new, new_of),
        "before": ratio(old, old_of),
        "change": change,
        "lo90": low,
        "hi90": high,
        "factor": dispersion,
        "p": p,
        "verdict": verdict,
        "change_last_year": np.where(history[:, None], _earlier(change, models.YEAR), np.nan),
        "spill": _spills(verdict, panel),
    }
    return panel.long(panel.first, columns)


def _integral(values: Floats) -> NDArray[np.generic]:
    return values.astype(np.int64) if (values == np.floor(values)).all() else values


def _window(values: Floats, back: int, length: int) -> Floats:
    """Sums over the `length` weeks that end `back` weeks before each week."""
    sums = np.vstack([np.zeros((1, values.shape[1])), values.cumsum(0)])
    end = np.arange(1, len(values) + 1) - back
    return np.asarray(sums[np.maximum(end, 0)] - sums[np.maximum(end - length, 0)])


def _earlier(values: Floats, by: int) -> Floats:
    """The values of `by` weeks before; NaN at the beginning."""
    before = np.full_like(values, np.nan)
    before[by:] = values[: max(len(values) - by, 0)]
    return before


def _dispersion(series: Series) -> Floats:
    """The variance of shares as a multiple of the binomial, per week and series; at least 1.

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
    return np.fmax(np.fmax(*scatters), 1)


def _chi_square(series: Series, pieces: list[tuple[int, int]]) -> tuple[Floats, Floats]:
    """Chi-square of windows (back, length) around the share of all, and degrees of freedom."""
    count, total, squares, filled = np.zeros((4, *series.count.shape))
    for back, length in pieces:
        part, whole = (_window(values, back, length) for values in (series.count, series.total))
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


def _sides(share: Floats, before: Floats) -> Floats:
    """1 where each of the last 4 weeks lies above the share before, -1 below, else 0."""
    recent = np.array([_earlier(share, back) for back in range(RECENT)])
    above = (np.isnan(recent) | (recent > before)).all(0)
    below = (np.isnan(recent) | (recent < before)).all(0)
    return np.asarray(above.astype(float) - below)


def _verdicts(
    p: Floats, change: Floats, enough: NDArray[np.bool_], side: Floats
) -> NDArray[np.object_]:
    large = np.abs(change) >= MIN_CHANGE
    direction = np.where(large & (p <= RISE_LEVEL), np.sign(change), 0)
    twice = direction == np.nan_to_num(_earlier(direction, 1))
    lasting = np.where(twice & (direction == side), direction, 0)
    conditions = [~enough, lasting > 0, lasting < 0, large & (p <= WATCH_LEVEL)]
    names = np.array([TOO_FEW, RISING, FALLING, WATCH], object)
    verdicts: NDArray[np.object_] = np.select(conditions, names, np.array(STEADY, object))
    return verdicts


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
