"""How well each way of forecasting did on the weeks that are known: rolling origins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trendscope.proportions import Floats, ratio
from trendscope.trends.models import (
    RECENT_WEEKS,
    SEASON,
    SEASONAL_FROM,
    SEASONAL_NAIVE,
    WINDOW_AVERAGE,
    Forecasts,
    Series,
    forecast_shares,
    pooled,
)

SEASON_WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""How much of the season may be used; the back-test chooses."""

SCORED_HORIZON = 8
"""Weeks ahead by whose errors a way of forecasting is chosen, however many are asked for."""

ORIGINS = 52
"""Weeks from which the back-test forecasts."""

# --- how well it did -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Backtest:
    """What would have been said in earlier weeks, and what came: (origins, ahead, series).

    Weeks not yet over, and weeks without anything, are NaN in `came`.
    """

    said: Forecasts
    came: Floats
    total: Floats

    @property
    def portion(self) -> float:
        """Of the season, what would have served best; half where that can hardly be told."""
        near, season = self.came[:, :SCORED_HORIZON], self.said.season[:, :SCORED_HORIZON]
        known = np.isfinite(season + near)
        if known.any(axis=(1, 2)).sum() < 13:
            return 0.5 if np.isfinite(self.said.season).any() else 0.0
        errors = [
            np.abs(near - self.said.model(part)[:, :SCORED_HORIZON])[known].mean()
            for part in SEASON_WEIGHTS
        ]
        return SEASON_WEIGHTS[int(np.argmin(errors))]


@dataclass(frozen=True)
class Model:
    """A way of forecasting and how it did.

    Attributes:
        name: `RECENT_WEEKS`, `SEASON`, `WINDOW_AVERAGE` or `SEASONAL_NAIVE`.
        portion: Of the season, 0 to 1.
        error: Mean absolute error of the back-test as a share, up to `SCORED_HORIZON` weeks ahead;
            NaN where the history is too short for one.
    """

    name: str
    portion: float
    error: float

    def of(self, said: Forecasts) -> Floats:
        """Its part of what was said; the level for weeks of which last year tells nothing."""
        if self.name == SEASONAL_NAIVE:
            return np.where(np.isnan(said.last_year), said.level, said.last_year)
        return said.naive if self.name == WINDOW_AVERAGE else said.model(self.portion)


def candidate_models(series: Series, test: Backtest) -> tuple[Model, ...]:
    """The model, then the naive ones, judged on the same weeks."""
    seasonal = series.weeks >= SEASONAL_FROM
    portion = test.portion if seasonal else 0.0
    said, came = test.said, test.came
    named = [
        (SEASON if portion else RECENT_WEEKS, said.model(portion)),
        (WINDOW_AVERAGE, said.naive),
    ]
    named += [(SEASONAL_NAIVE, said.last_year)] if seasonal else []
    wrong = [np.abs(came - share)[:, :SCORED_HORIZON] for _, share in named]
    known = np.isfinite(np.sum(wrong, axis=0))
    errors = [float(each[known].mean()) if known.any() else np.nan for each in wrong]
    return tuple(Model(name, portion, e) for (name, _), e in zip(named, errors, strict=True))


def best_model(found: tuple[Model, ...]) -> Model:
    """The model, unless a naive way was closer."""
    return min(found, key=lambda way: np.nan_to_num(way.error))


def backtest(series: Series, ahead: int, origins: int = ORIGINS, least: int = 4) -> Backtest:
    """Forecasts from each of the last weeks as if it had been the last.

    Args:
        series: The past.
        ahead: How many weeks.
        origins: At most so many weeks to forecast from.
        least: Weeks that must lie before the first of them.
    """
    weeks, width = series.count.shape
    starts = range(max(least, weeks - origins), weeks)
    shares = ratio(series.count, series.total)
    rows = [np.minimum(start + np.arange(ahead), weeks) for start in starts]
    beyond = np.full((1, width), np.nan)
    said = [forecast_shares(series.until(start), ahead) for start in starts]
    names = ("level", "season", "naive", "last_year")
    empty = np.empty((0, ahead, width))
    return Backtest(
        Forecasts(
            *(
                np.array([getattr(s, name) for s in said]).reshape(len(said), ahead, width)
                for name in names
            )
        ),
        np.vstack([shares, beyond])[rows] if rows else empty,
        np.vstack([series.total, beyond])[rows] if rows else empty,
    )


def inside(share: Floats, level: Floats) -> Floats:
    """Shares that a spread can be worked out from: at least half as far from 0 and 1 as the level.

    The naive ways may say 0, and a season too; the level never does.
    """
    return np.clip(share, level / 2, 1 - (1 - level) / 2)


def overdispersion(said: Floats, test: Backtest, group: NDArray[np.intp]) -> Floats:
    """By how much the variance of forecasts exceeds the binomial: (ahead, series), at least 1.

    The mean squared standardised error of the back-test per horizon and its neighbours, pooled
    over each group. Errors h weeks ahead from neighbouring weeks are much alike, so that n of them
    tell as much as n/h; as Student's t is wider than the normal, what exceeds 1 grows by 1.5 h/n.
    Horizons never reached take the last one known.

    Args:
        said: The shares of the back-test, (origins, ahead, series).
        test: The back-test.
        group: Of each series.
    """
    safe = inside(said, test.said.level)
    surprise = (test.came - said) ** 2 * test.total / (safe * (1 - safe))
    known = np.isfinite(surprise)
    sums = pooled(np.where(known, surprise, 0).sum(0).T, group).T
    counts = pooled(known.sum(0).T, group).T
    factor = np.ones_like(sums)
    for step in range(len(sums)):
        near = slice(max(0, step - step // 4), step + step // 4 + 1)
        excess = ratio(sums[near].sum(0), counts[near].sum(0)) - 1
        excess *= 1 + ratio(1.5 * (step + 1), counts[step])
        latest = factor[max(step - 1, 0)]
        factor[step] = np.where(np.isfinite(excess), 1 + np.maximum(excess, 0), latest)
    return factor
