"""Forecasts of weekly shares from counts alone. Only numpy; every function is pure.

Arrays hold a row per week, oldest first and without gaps, and a column per series (a category, or
a category of a segment). `count` is how many of `total` it was; weeks without anything have 0 of 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trendscope.proportions import Floats, ratio

RECENT = 4
"""Weeks pooled by "same as the last 4 weeks"."""

YEAR = 52

SEASONAL_FROM = 60
"""Weeks with data from which a season is looked for."""

DISCOUNTS = np.array([0, 0.2, 0.35, 0.5, 0.6, 0.7, 0.78, 0.85, 0.9, 0.94, 0.97, 0.99, 1])
"""Parts of its weight that a count keeps each week; 1 - 1/9 forgets in about 9 weeks."""

LEAST_FACTOR = 0.02
"""Least multiple of the year's share that a week of the year is taken to have."""

REGRESSION_PART, QUARTER = 1 / 3, 13
"""Part that the regression has in forecasts of a quarter and more ahead; of nearer weeks less."""

REGRESSION_KEEPS = 0.985
"""Part of its weight that a week keeps each week in the regression."""

WAVES = 3
"""Waves of the year in the regression: of a year, of a half, of a third."""

RECENT_WEEKS = "recent weeks"
SEASON = "recent weeks and season"
WINDOW_AVERAGE = "same as the last 4 weeks"
SEASONAL_NAIVE = "same weeks last year"
MODELS = (SEASON, RECENT_WEEKS, WINDOW_AVERAGE, SEASONAL_NAIVE)
NAIVE_MODELS = (WINDOW_AVERAGE, SEASONAL_NAIVE)
"""Models that only repeat former weeks; the others are measured against them."""

NOTHING = "no data"


@dataclass(frozen=True)
class Series:
    """Weekly counts.

    Attributes:
        count: Numbers counted, (weeks, series).
        total: Numbers that the counts are parts of, (weeks, series).
        season: ISO weeks of the year, (weeks,), 0..51; week 53 counts as the 52nd.
        group: Numbers of the segments, (series,); series of one segment are smoothed alike.
    """

    count: Floats
    total: Floats
    season: NDArray[np.intp]
    group: NDArray[np.intp]

    def until(self, week: int) -> Series:
        """The weeks before number `week`."""
        return Series(self.count[:week], self.total[:week], self.season[:week], self.group)

    @property
    def sums_to_total(self) -> NDArray[np.bool_]:
        """(series,) whether a series and others of its segment sum to the totals in every week."""
        sums = pooled(self.count.T, self.group).T
        same = np.isclose(sums, self.total, rtol=1e-6, atol=1e-9).all(0)
        alone = pooled(np.ones(len(self.group)), self.group) == 1
        return np.asarray((pooled(np.asarray(~same), self.group) == 0) & ~alone)

    @property
    def weeks(self) -> int:
        """Weeks in which anything was counted."""
        return int((self.total > 0).any(1).sum())


def pooled(values: NDArray[np.generic], group: NDArray[np.intp]) -> Floats:
    """Sums over the series (first axis) of each group, repeated for each of its series."""
    sums = np.zeros((int(group.max(initial=-1)) + 1, *values.shape[1:]))
    np.add.at(sums, group, values)
    return np.asarray(sums[group])


def forecast_shares(series: Series, ahead: int) -> dict[str, Floats]:
    """Forecasts from the end of the series by each of `MODELS`, all (ahead, series) shares.

    That with a season is NaN under `SEASONAL_FROM` weeks, that of the year before where it is not
    known; that of the last four weeks is of all weeks where they are empty.
    """
    shape = (ahead, series.count.shape[1])
    level = np.broadcast_to(_level(series), shape)
    seasonal = series.weeks >= SEASONAL_FROM
    season = _seasonal(series, ahead) if seasonal else np.full(shape, np.nan)
    recent = ratio(series.count[-RECENT:].sum(0), series.total[-RECENT:].sum(0))
    overall = ratio(series.count.sum(0), series.total.sum(0))
    average = np.broadcast_to(np.where(np.isnan(recent), overall, recent), shape)
    forecasts = season, level, average, _seasonal_naive(series, ahead)
    return dict(zip(MODELS, forecasts, strict=True))


def _seasonal_naive(series: Series, ahead: int) -> Floats:
    shares = np.full((ahead, series.count.shape[1]), np.nan)
    for step in range(ahead):
        week = len(series.count) + step - YEAR * (1 + step // YEAR)
        if week >= 0:
            shares[step] = ratio(series.count[week], series.total[week])
    return shares


# --- the level -----------------------------------------------------------------------------------


def _level(series: Series) -> Floats:
    """A Dirichlet posterior with discounting; each group has the discount of most likelihood.

    The prior is Jeffreys', half a count. Where counts sum to the total, the shares sum to 1.
    """
    prior = np.full(series.count.shape[1], 0.5)
    denominator = np.where(series.sums_to_total, pooled(prior, series.group), 1.0)
    paths = _paths(series.count, series.total, prior, denominator)
    losses = pooled(_losses(paths, series.count, series.total).T, series.group).T
    return _best_path(paths, losses)


def _paths(count: Floats, total: Floats, prior: Floats, denominator: Floats) -> Floats:
    """Shares that each forgetting factor expects of each week and the one after the last.

    Returns:
        (factors, weeks + 1, series) shares.
    """
    keep = DISCOUNTS[:, None]
    count_so_far, total_so_far = np.zeros((2, len(DISCOUNTS), count.shape[1]))
    path = np.empty((len(DISCOUNTS), len(count) + 1, count.shape[1]))
    path[:, 0] = prior / denominator
    for week in range(len(count)):
        count_so_far = keep * count_so_far + count[week]
        total_so_far = keep * total_so_far + total[week]
        path[:, week + 1] = (prior + count_so_far) / (denominator + total_so_far)
    return path


def _losses(paths: Floats, count: Floats, total: Floats) -> Floats:
    """Minus the binomial log-likelihood of the weeks, one step ahead: (factors, series)."""
    expected = np.clip(paths[:, :-1], 1e-4, 1 - 1e-4)
    likely = count * np.log(expected) + (total - count) * np.log1p(-expected)
    return np.asarray(-likely.sum(1))


def _best_path(paths: Floats, losses: Floats) -> Floats:
    likeliest = losses.argmin(0)
    return np.asarray(paths[likeliest, -1, np.arange(paths.shape[2])])


# --- the season ----------------------------------------------------------------------------------


def _seasonal(series: Series, ahead: int) -> Floats:
    """Smoothing, averaged with a regression that errs differently and tells more of far weeks.

    Averages are hard to beat (Makridakis et al., Int. J. Forecasting 36 (2020) 54).
    """
    part = np.minimum(1 + np.arange(ahead), QUARTER)[:, None] / QUARTER * REGRESSION_PART
    shares = (1 - part) * _smoothed(series, ahead) + part * _regressed(series, ahead)
    sums = pooled(shares.T, series.group).T
    return np.asarray(np.where(series.sums_to_total & (sums > 0), ratio(shares, sums), shares))


def _smoothed(series: Series, ahead: int) -> Floats:
    """The level of recent weeks, smoothed with what is usual for the week of the year taken out."""
    factors = _factors(series)
    usual = series.total * factors[series.season]
    prior = np.full(usual.shape[1], 0.5)
    paths = _paths(series.count, usual, prior, np.ones_like(prior))
    expected = paths * factors[np.append(series.season, 0)]
    level = _best_path(paths, _losses(expected, series.count, series.total))
    return np.clip(level * factors[_coming(series, ahead)], 0, 1)


def _factors(series: Series) -> Floats:
    """The share of each week of the year as a multiple of the year's: (52, series).

    The multiple of the centred yearly mean is averaged by week of the year, smoothed over the
    neighbouring weeks by 1-2-3-2-1, and shrunk to 1 by signal/(signal + noise/years).
    """
    usual = series.total * np.maximum(_yearly_mean(series), 1e-9)
    by_week, total = np.zeros((2, YEAR, series.count.shape[1]))
    np.add.at(by_week, series.season, series.count)
    np.add.at(total, series.season, usual)
    factors = np.nan_to_num(ratio(_circular(by_week), _circular(total)), nan=1)
    factors = np.nan_to_num(ratio(factors, factors.mean(0)), nan=1)
    residual = np.nan_to_num(ratio(series.count, usual) - factors[series.season])
    noise = ratio((residual**2).sum(0), (series.total > 0).sum(0))
    signal = ((factors - 1) ** 2).mean(0)
    shrunk = np.nan_to_num(ratio(signal, signal + noise / (series.weeks / YEAR)))
    return np.maximum(1 + (factors - 1) * shrunk, LEAST_FACTOR)


def _regressed(series: Series, ahead: int) -> Floats:
    """A trend, of which half goes on, for a year at most, and waves of the year.

    Ridge regression of the roots of the shares, whose variance hangs less on their size, by which
    late weeks weigh most and fast waves cost most.
    """
    age = np.arange(len(series.count), dtype=float)[::-1]
    weight = np.where(series.total > 0, REGRESSION_KEEPS ** age[:, None], 0)
    terms = _terms(-age, series.season)
    cost = np.diag([0, 1, *np.repeat(np.arange(1, WAVES + 1) ** 2, 2)])
    left = np.einsum("tk,tn,tl->nkl", terms, weight, terms) + cost + 1e-9 * np.eye(len(cost))
    root = np.sqrt(np.nan_to_num(ratio(series.count, series.total)))
    fit = np.linalg.solve(left, np.einsum("tk,tn->nk", terms, weight * root)[..., None])[..., 0]
    coming = _terms(np.minimum(1 + np.arange(ahead), YEAR) / 2, _coming(series, ahead))
    return np.asarray(np.clip(coming @ fit.T, 0, 1) ** 2)


def _terms(week: Floats, season: NDArray[np.intp]) -> Floats:
    """A constant, the week in years, and the waves of the year: (weeks, 2 + 2 * `WAVES`)."""
    angle = 2 * np.pi / YEAR * np.outer(season, np.arange(1, WAVES + 1))
    waves = np.stack([np.cos(angle), np.sin(angle)], 2).reshape(len(season), -1)
    return np.column_stack([np.ones(len(season)), week / YEAR, waves])


def _coming(series: Series, ahead: int) -> NDArray[np.intp]:
    return np.asarray((series.season[-1] + 1 + np.arange(ahead)) % YEAR)


def _yearly_mean(series: Series) -> Floats:
    """The pooled share of the 52 weeks around each; near the ends, of the nearest such."""
    size = min(YEAR, len(series.count))
    count, total = (
        np.vstack([np.zeros((1, values.shape[1])), values.cumsum(0)])
        for values in (series.count, series.total)
    )
    means = ratio(count[size:] - count[:-size], total[size:] - total[:-size])
    centre = np.clip(np.arange(len(series.count)) - size // 2, 0, len(means) - 1)
    return np.nan_to_num(means[centre])


def _circular(values: Floats) -> Floats:
    weights = {-2: 1, -1: 2, 0: 3, 1: 2, 2: 1}
    return np.asarray(sum(weight * np.roll(values, by, axis=0) for by, weight in weights.items()))
