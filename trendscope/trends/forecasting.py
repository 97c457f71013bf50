"""Forecasts of weekly shares, with intervals that the known weeks bear out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trendscope import proportions
from trendscope.errors import TrendscopeError
from trendscope.proportions import Floats
from trendscope.trends import backtest, models
from trendscope.trends.models import Series
from trendscope.trends.panel import Panel, panel_of
from trendscope.trends.verdicts import RECENT

# --- forecast ------------------------------------------------------------------------------------

FORECAST_COLUMNS = ("share", "lo80", "hi80", "lo95", "hi95", "model", "naive_share")


def forecast(weekly: pd.DataFrame, weeks_ahead: int = 4) -> pd.DataFrame:
    """Expects the shares of the weeks after the last complete one.

    Recent weeks are pooled with forgetting, and from 60 weeks of history a season is added as far
    as a back-test on this very table bears it out (see `trendscope.trends.models`). Where that is
    further off than "same as the last 4 weeks" or "same weeks last year", that one is given and
    named. The intervals are of the share that will be counted if as many are active as of late:
    beta with the binomial variance times what the back-test was off by more than it.

    Args:
        weekly: As for `movement`.
        weeks_ahead: 1 or more; beyond 8 only a season of several years says anything.

    Returns:
        ``week``; ``segment`` if given; ``category``; ``share`` with the intervals ``lo80``,
        ``hi80``, ``lo95``, ``hi95``; ``model``: what it rests on; ``naive_share``: that of the
        last four weeks. Where nothing was ever counted, shares are NaN and the interval is 0 to 1.

    Raises:
        TrendscopeError: As for `movement`, or `weeks_ahead` is less than 1.
    """
    return _expect(panel_of(weekly), weeks_ahead)[0]


def errors(weekly: pd.DataFrame) -> pd.DataFrame:
    """How far off each way of forecasting was on this very table, 1 to 8 weeks ahead.

    Args:
        weekly: As for `movement`.

    Returns:
        ``model``; ``error``: mean absolute error as a share, NaN where the history is too short;
        ``shown``: whether `forecast` gives it. From 60 weeks all are judged on the weeks of which
        the year before is known.
    """
    return _expect(panel_of(weekly), 1)[1]


def _expect(panel: Panel, ahead: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of `forecast` and `errors`, which rest on one back-test."""
    if ahead < 1:
        raise TrendscopeError(f"cannot look {ahead} weeks ahead; ask for 1 or more")
    series = panel.series
    test = backtest.backtest(series, max(ahead, backtest.SCORED_HORIZON))
    found = backtest.candidate_models(series, test)
    way = backtest.best_model(found)
    rows = [(each.name, each.error, each is way) for each in found]
    told = pd.DataFrame(rows, columns=["model", "error", "shown"])
    if not len(series.count):
        return panel.long(0, dict.fromkeys(FORECAST_COLUMNS, np.empty((0, len(panel.keys))))), told
    said = models.forecast_shares(series, ahead)
    factor = backtest.overdispersion(way.of(test.said), test, series.group)[:ahead]
    known = np.broadcast_to(series.total.sum(0) > 0, said.level.shape)
    share = np.where(known, way.of(said), np.nan)
    columns: dict[str, NDArray[np.generic]] = {"share": share}
    spread = np.where(known, backtest.inside(share, said.level), 0.5)
    bounds = _bounds(series, spread, factor)
    for name, bound, unknown in zip(FORECAST_COLUMNS[1:5], bounds, (0, 1, 0, 1), strict=True):
        columns[name] = np.where(known, bound, unknown)
    columns["model"] = np.where(known, way.name, models.NOTHING).astype(object)
    columns["naive_share"] = said.naive
    return panel.long(panel.first + len(series.count), columns), told


def _bounds(series: Series, share: Floats, factor: Floats) -> Floats:
    """The 80 % and 95 % bounds, (4, ahead, series), on whole customers where whole are counted."""
    active = series.total[(series.total > 0).any(1)][-RECENT:]
    total = np.maximum(active.sum(0) / max(len(active), 1), 1)
    size = np.maximum(total / factor - 1, 0.1)
    steps = [
        proportions.beta_quantiles(m, s, (0.1, 0.9, 0.025, 0.975))
        for m, s in zip(share, size, strict=True)
    ]
    bounds = np.stack(steps, axis=1)
    if (series.count == np.round(series.count)).all():
        bounds = np.floor(bounds * total + 0.5) / total
    return np.clip(bounds, 0, 1)
