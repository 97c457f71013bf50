"""Errors of each model of forecasting on past weeks, from rolling origins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trendscope.proportions import Floats, ratio
from trendscope.trends.models import (
    MODELS,
    RECENT_WEEKS,
    SEASONAL_FROM,
    SEASONAL_NAIVE,
    Series,
    forecast_shares,
    pooled,
)

SCORED_HORIZON = 8
"""Weeks ahead whose errors choose the model, however many weeks are forecast."""

CLOSER = 0.9
"""Error that a simpler model must have to be used, as a part of the model's own."""

ORIGINS, LEAST = 52, 4
"""Most weeks from which the back-test forecasts, and weeks that lie before the first of them."""


@dataclass(frozen=True)
class Backtest:
    """Forecasts by model from earlier weeks, and the shares and totals of those weeks.

    Arrays are (origins, ahead, series). In `actual`, weeks to come and empty weeks are NaN.
    """

    forecasts: Mapping[str, Floats]
    actual: Floats
    total: Floats


@dataclass(frozen=True)
class Model:
    """A model of forecasting and its error.

    Attributes:
        name: One of `trendscope.trends.models.MODELS`.
        error: Mean absolute error of the back-test as a share, up to `SCORED_HORIZON` weeks ahead;
            NaN where the history is too short for one.
    """

    name: str
    error: float

    def of(self, forecasts: Mapping[str, Floats]) -> Floats:
        """This model's forecasts; the level for weeks of which last year is not known."""
        shares = forecasts[self.name]
        unknown = self.name == SEASONAL_NAIVE and np.isnan(shares)
        return np.where(unknown, forecasts[RECENT_WEEKS], shares)


def candidate_models(series: Series, test: Backtest) -> tuple[Model, ...]:
    """The model, then the simpler ones, judged on the same weeks."""
    names = MODELS if series.weeks >= SEASONAL_FROM else MODELS[1:3]
    wrong = [np.abs(test.actual - test.forecasts[name])[:, :SCORED_HORIZON] for name in names]
    judged = np.isfinite(np.sum(wrong, axis=0))
    errors = [float(each[judged].mean()) if judged.any() else np.nan for each in wrong]
    return tuple(Model(name, error) for name, error in zip(names, errors, strict=True))


def best_model(candidates: tuple[Model, ...]) -> Model:
    """The first model, unless another one was closer by a tenth.

    What is closer by less is so by chance more often than not: choosing it costs, a year ahead.
    """
    first = candidates[0].error * CLOSER
    best = min(candidates, key=lambda model: np.nan_to_num(model.error))
    return best if best.error <= first else candidates[0]


def backtest(series: Series, ahead: int) -> Backtest:
    """Forecasts from each of the last weeks, made with the weeks before it only."""
    weeks, width = series.count.shape
    starts = range(max(LEAST, weeks - ORIGINS), weeks)
    rows = [np.minimum(start + np.arange(ahead), weeks) for start in starts]
    beyond = np.full((1, width), np.nan)
    forecasts = [forecast_shares(series.until(start), ahead) for start in starts]
    by_model = {
        name: np.array([each[name] for each in forecasts]).reshape(len(starts), ahead, width)
        for name in MODELS
    }
    empty = np.empty((0, ahead, width))
    actual, total = (
        np.vstack([values, beyond])[rows] if rows else empty
        for values in (ratio(series.count, series.total), series.total)
    )
    return Backtest(by_model, actual, total)


def inside(share: Floats, level: Floats) -> Floats:
    """Shares that have a variance: at least half as far from 0 and 1 as the level.

    The naive models may forecast 0, and a season too; the level never does.
    """
    return np.clip(share, level / 2, 1 - (1 - level) / 2)


def overdispersion(
    shares: Floats, test: Backtest, group: NDArray[np.intp], least: float = 1
) -> Floats:
    """The variance of forecasts as a multiple of the binomial: (ahead, series), at least `least`.

    The mean squared standardised error of the back-test per horizon and its neighbours, pooled
    over each group. Errors h weeks ahead from neighbouring weeks are much alike, so that n of them
    count as n/h, but those of a single week as half as many as it has series, which move one
    another. As Student's t is wider than the normal, what exceeds `least` grows by 1.5 over that
    number. Horizons never reached take the last one known.

    Args:
        shares: Forecasts of the back-test, (origins, ahead, series).
        group: Number of the group of each series.
        least: Least multiple, of horizons that any week tells of; the others have 1.
    """
    safe = inside(shares, test.forecasts[RECENT_WEEKS])
    surprise = (test.actual - shares) ** 2 * test.total / (safe * (1 - safe))
    is_finite = np.isfinite(surprise)
    sums = pooled(np.where(is_finite, surprise, 0).sum(0).T, group).T
    counts = pooled(is_finite.sum(0).T, group).T
    dispersion, fewest = np.ones_like(sums), pooled(np.ones(len(group)), group) / 2
    for step in range(len(sums)):
        near = slice(max(0, step - step // 4), step + step // 4 + 1)
        excess = ratio(sums[near].sum(0), counts[near].sum(0)) - least
        excess *= 1 + 1.5 / np.maximum(counts[step] / (step + 1), fewest)
        latest = dispersion[max(step - 1, 0)]
        dispersion[step] = np.where(np.isfinite(excess), least + np.maximum(excess, 0), latest)
    return dispersion
