"""How often a change would be found: the power of the verdicts, for the table at hand."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd

from trendscope.proportions import Floats, ratio
from trendscope.trends.models import Series
from trendscope.trends.panel import Panel
from trendscope.trends.verdicts import (
    MIN_TOTAL,
    RISE_LEVEL,
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


def doublings_found(panel: Panel, precision: float = 1.0, seed: int = 0) -> pd.DataFrame:
    """How often it would be found within 16 weeks if twice as much were worn of each category.

    Simulated from the latest 26 weeks of the table: the mean share and total of each category, and
    the scatter of the shares. What is rightly named doubles over 8 weeks; found is what `movement`
    would call rising, corrected for all categories and segments judged.

    Args:
        panel: Weekly table.
        precision: Share of the names that are right; a wrong one is taken to be any other's.
        seed: Seed of the simulation.

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
        dispersion = np.broadcast_to(compared(panel).dispersion, series.count.shape)[-1]
        others = max(panel.keys["category"].nunique() - 1, 1)
        rightly = np.maximum(share - (1 - precision) * (1 - share) / others, 0)
        known = (share > 0) & (share < 0.5)
        runs = max(1, min(RUNS, MOST_SERIES // max(columns, 1)))
        each = (np.tile(values[known], runs) for values in (share, rightly, total, dispersion))
        drawn = Draws(*each)
        risen = _risen(_doubled(drawn, seed), drawn.dispersion, tests=max(int(known.sum()), 1))
        found[known] = risen.reshape(runs, -1).mean(0)
    return panel.keys.assign(found=found)


@dataclass(frozen=True)
class Draws:
    """Shares, the parts of them that double, their weekly totals and scatter; each repeated."""

    share: Floats
    rightly: Floats
    total: Floats
    dispersion: Floats


def _doubled(draws: Draws, seed: int) -> Series:
    """Weeks as before, and weeks over which the share doubles; a column per doubling."""
    week = np.arange(BEFORE + RECENT + FOUND)[:, None]
    share = draws.share + draws.rightly * np.clip((week - (BEFORE + RECENT) + 1) / DOUBLING, 0, 1)
    # A binomial of n / dispersion has the variance of the table's shares.
    size = np.maximum(np.round(draws.total / draws.dispersion), 1)
    draw = np.random.default_rng(seed)
    drawn = draw.binomial(size.astype(np.int64), share) / size
    whole = np.broadcast_to(draws.total, drawn.shape)
    nothing = np.zeros(drawn.shape[1], np.intp)
    return Series(drawn * whole, np.asarray(whole), np.zeros(len(drawn), np.intp), nothing)


def _risen(series: Series, dispersion: Floats, tests: int) -> Floats:
    """Whether each column is called rising in any of the weeks from the doubling on."""
    new, new_of = (window(values, 0, RECENT) for values in (series.count, series.total))
    old, old_of = (window(values, RECENT, BEFORE) for values in (series.count, series.total))
    z = farthest(series, dispersion)
    # Where one category alone changes, the correction of its p is by the number of tests.
    surely = np.abs(z) >= NormalDist().inv_cdf(1 - RISE_LEVEL / tests / 2)
    before = ratio(old, old_of)
    moving = direction(
        surely, grown(ratio(new, new_of), before), lasting(series, before, dispersion)
    )
    return np.asarray((moving[-FOUND:] > 0).any(0) & (new_of[-1] >= MIN_TOTAL))
