"""How often a change would be found: the power of the verdicts, for the table at hand."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trendscope.proportions import Floats, ratio
from trendscope.trends.clusters import LONG
from trendscope.trends.models import Series
from trendscope.trends.panel import Panel
from trendscope.trends.verdicts import (
    MIN_TOTAL,
    RISE_LEVEL,
    SAME,
    compared,
    direction,
    farthest,
    grown,
    lasting,
)
from trendscope.trends.windows import BEFORE, RECENT, window

DOUBLING, FOUND = 8, 16
"""Weeks over which a share doubles, and within which the rise is to be found."""

RUNS = 100
"""Simulated doublings of each category; fewer where there are many segments."""

MOST_SERIES = 20_000
"""Most series simulated at once."""


def doublings_found(panel: Panel, precision: float = 1.0) -> pd.DataFrame:
    """How often it would be found within 16 weeks if twice as much were worn of each category.

    Simulated from the latest 26 weeks of the table: the mean share and total of each category, and
    the scatter of the shares, or that of the same customers if larger. What is rightly named
    doubles over 8 weeks; found is what `movement` would call rising, corrected for all categories
    and segments judged, the test of the same customers included where the table has it.

    Args:
        panel: Weekly table.
        precision: Share of the names that are right; a wrong one is taken to be any other's.

    Returns:
        ``segment``, if the table has it; ``category``; ``found``: share of the doublings that are
        found, 0..1; NaN where nothing was counted, or the share is half or more.
    """
    series, columns = panel.series, len(panel.keys)
    found = np.full(columns, np.nan)
    if len(series.count):
        weeks = min(RECENT + BEFORE, len(series.count))
        total = window(series.total, 0, weeks)[-1] / weeks
        share = ratio(window(series.count, 0, weeks)[-1], total * weeks)
        # The error may be of 4 weeks or of 8; as one of 8, it stands for the larger scatter.
        spans = (0, LONG), (LONG, RECENT + BEFORE - LONG)
        votes = [window(series.total, *span)[-1] for span in spans]
        error = panel.figures["same_error"][-1]
        between = ratio(error**2, share * (1 - share) * ratio(1, votes).sum(0))
        dispersion = np.broadcast_to(compared(panel).dispersion, series.count.shape)[-1]
        dispersion = np.fmax(dispersion, between)
        others = max(panel.keys["category"].nunique() - 1, 1)
        rightly = np.maximum(share - (1 - precision) * (1 - share) / others, 0)
        known = (share > 0) & (share < 0.5)
        runs = max(1, min(RUNS, MOST_SERIES // max(columns, 1)))
        figures = share, rightly, total, dispersion, np.isfinite(error)
        share, rightly, total, dispersion, same = (np.tile(x[known], runs) for x in figures)
        series = _doubled(share, rightly, total, dispersion)
        risen = _risen(series, dispersion, same, tests=max(int(known.sum()), 1))
        found[known] = risen.reshape(runs, -1).mean(0)
    return panel.keys.assign(found=found)


def _doubled(share: Floats, rightly: Floats, total: Floats, dispersion: Floats) -> Series:
    """Weeks as before, and weeks over which `rightly` doubles; a column per doubling."""
    week = np.arange(BEFORE + RECENT + FOUND)[:, None]
    share = share + rightly * np.clip((week - (BEFORE + RECENT) + 1) / DOUBLING, 0, 1)
    # A binomial of n / dispersion has the variance of the table's shares.
    size = np.maximum(np.round(total / dispersion), 1)
    drawn = np.random.default_rng(0).binomial(size.astype(np.int64), share) / size
    whole = np.broadcast_to(total, drawn.shape)
    nothing = np.zeros(drawn.shape[1], np.intp)
    return Series(drawn * whole, np.asarray(whole), np.zeros(len(drawn), np.intp), nothing)


def _risen(series: Series, dispersion: Floats, same: NDArray[np.bool_], tests: int) -> Floats:
    """Whether each column is called rising in any of the weeks from the doubling on.

    `same` says whether customers are compared with themselves too.
    """
    new, new_of = (window(values, 0, RECENT) for values in (series.count, series.total))
    old, old_of = (window(values, RECENT, BEFORE) for values in (series.count, series.total))
    z = farthest(series, dispersion)
    # Where one category alone changes, the correction of its p is by the number of tests.
    surely = np.abs(z) >= NormalDist().inv_cdf(1 - RISE_LEVEL / tests / 2)
    before = ratio(old, old_of)
    lasts = lasting(series, before, dispersion)
    rising = direction(surely, grown(ratio(new, new_of), before), lasts) > 0
    rising &= ~same | (farthest(series, dispersion, _unpooled) >= SAME)
    return np.asarray(rising[-FOUND:].any(0) & (new_of[-1] >= MIN_TOTAL))


def _unpooled(
    series: Series, new: Floats, new_of: Floats, old: Floats, old_of: Floats, dispersion: Floats
) -> Floats:
    """The z whose error grows with the share, as that of the same customers does."""
    recent, before = ratio(new, new_of), ratio(old, old_of)
    variance = ratio(recent * (1 - recent), new_of) + ratio(before * (1 - before), old_of)
    return ratio(recent - before, np.sqrt(np.maximum(dispersion * variance, 0)))
