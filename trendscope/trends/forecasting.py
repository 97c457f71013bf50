"""Forecasts of weekly shares, with intervals checked on past weeks."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trendscope import proportions
from trendscope.errors import TrendscopeError
from trendscope.proportions import Floats
from trendscope.trends import backtest, models
from trendscope.trends.panel import LEAST_DISPERSION, VOTES, Panel, alike, panel_of
from trendscope.trends.windows import RECENT

FORECAST_COLUMNS = ("share", "lo80", "hi80", "lo95", "hi95", "model", "naive_share")


def forecast(weekly: pd.DataFrame, weeks_ahead: int = 4) -> pd.DataFrame:
    """Expects the shares of the weeks after the last complete one.

    Recent weeks are pooled with forgetting, from 60 weeks of history on with a season and a trend
    (see `trendscope.trends.models`). Where a back-test on this very table finds a simpler model
    closer by a tenth, such as "same as the last 4 weeks", that one is used and named. The
    intervals are of the share that will be counted if as many are active as of late: beta with the
    binomial variance times the overdispersion of the back-test.

    Args:
        weekly: Table as described at `trendscope.trends.movement`.
        weeks_ahead: Number of weeks, from 1; beyond 8 only a season of several years helps.

    Returns:
        ``week``; ``segment`` if given; ``category``; ``share`` with the intervals ``lo80``,
        ``hi80``, ``lo95``, ``hi95``; ``model``: what it rests on; ``naive_share``: that of the
        last four weeks. Where nothing was ever counted, shares are NaN and the interval is 0 to 1.

    Raises:
        TrendscopeError: As for `movement`, or `weeks_ahead` is less than 1.
    """
    return _expect(latest_panel(weekly), weeks_ahead)[0]


def errors(weekly: pd.DataFrame) -> pd.DataFrame:
    """How far off each model was on this very table, 1 to 8 weeks ahead.

    Args:
        weekly: Table as described at `trendscope.trends.movement`.

    Returns:
        ``model``; ``error``: mean absolute error as a share, NaN where the history is too short;
        ``shown``: whether `forecast` uses it. From 60 weeks, weeks with a known year before count.
    """
    return _expect(latest_panel(weekly), 1)[1]


def latest_panel(weekly: pd.DataFrame) -> Panel:
    """The weeks of a table that the latest of its weights have judged."""
    return panel_of(alike(weekly)[-1])


def _expect(panel: Panel, ahead: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of `forecast` and `errors`, which rest on one back-test."""
    if ahead < 1:
        raise TrendscopeError(f"cannot look {ahead} weeks ahead; ask for 1 or more")
    series = panel.series
    test = backtest.backtest(series, max(ahead, backtest.SCORED_HORIZON))
    candidates = backtest.candidate_models(series, test)
    model = backtest.best_model(candidates)
    rows = [(each.name, each.error, each is model) for each in candidates]
    errors = pd.DataFrame(rows, columns=["model", "error", "shown"])
    if not len(series.count):
        empty = np.empty((0, len(panel.keys)))
        return panel.long(0, dict.fromkeys(FORECAST_COLUMNS, empty)), errors
    forecasts = models.forecast_shares(series, ahead)
    least = LEAST_DISPERSION[panel.measure]
    past = model.of(test.forecasts)
    dispersion = backtest.overdispersion(past, test, series.group, least)[:ahead]
    has_data = np.broadcast_to(series.total.sum(0) > 0, (ahead, len(panel.keys)))
    share = np.where(has_data, model.of(forecasts), np.nan)
    columns: dict[str, NDArray[np.generic]] = {"share": share}
    level = forecasts[models.RECENT_WEEKS]
    centre = np.where(has_data, backtest.inside(share, level), 0.5)
    bounds = _bounds(panel, centre, dispersion)
    for name, bound, unknown in zip(FORECAST_COLUMNS[1:5], bounds, (0, 1, 0, 1), strict=True):
        # Whole votes may leave out the share itself.
        reaching = (np.fmax if unknown else np.fmin)(bound, share)
        columns[name] = np.where(has_data, reaching, unknown)
    columns["model"] = np.where(has_data, model.name, models.NOTHING).astype(object)
    columns["naive_share"] = forecasts[models.WINDOW_AVERAGE]
    return panel.long(panel.first + len(series.count), columns), errors


def _bounds(panel: Panel, share: Floats, dispersion: Floats) -> Floats:
    """The 80 % and 95 % bounds, (4, ahead, series), of whole votes, and customers if these are."""
    series = panel.series
    active = series.total[(series.total > 0).any(1)][-RECENT:]
    total = np.maximum(active.sum(0) / max(len(active), 1), 1)
    size = np.maximum(total / dispersion - 1, 0.1)
    steps = [
        proportions.beta_quantiles(mean, total_size, (0.1, 0.9, 0.025, 0.975))
        for mean, total_size in zip(share, size, strict=True)
    ]
    bounds = np.stack(steps, axis=1)
    if panel.measure == VOTES or (series.count == np.round(series.count)).all():
        bounds = np.floor(bounds * total + 0.5) / total
    return np.clip(bounds, 0, 1)
