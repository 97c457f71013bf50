"""Weekly shares: what is rising or falling, and what to expect of the weeks ahead. Pure tables.

    >>> from trendscope import trends
    >>> table = trends.weekly(sightings)          # doctest: +SKIP
    >>> trends.movement(table)                    # doctest: +SKIP
    >>> trends.forecast(table, weeks_ahead=4)     # doctest: +SKIP

`movement` and `forecast` take any table ``week, category, count, total``, an analyst's own too.
Shares are fractions 0..1; weeks are ISO weeks such as ``2026-W47``. Nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trendscope import proportions, smoothing, weeks
from trendscope.counting import Tally, by_photos, sightings, tally, weekly
from trendscope.errors import TrendscopeError
from trendscope.panel import Panel, floats, need, panel_of
from trendscope.proportions import Floats, ratio
from trendscope.smoothing import Series

__all__ = [
    "Outlook",
    "Tally",
    "errors",
    "forecast",
    "levels",
    "movement",
    "outlook",
    "outlook_of_sightings",
    "sightings",
    "tally",
    "weekly",
]

RECENT, BEFORE = 4, 22
"""Weeks taken together, and weeks before them that they are held against."""
ENOUGH = 30
"""Of so many must the share be, in either, for a verdict."""
RISE_LEVEL, WATCH_LEVEL = 0.07, 0.10
"""False discovery rates over all categories of a week; see tests.benchmarks.trends for the why."""
LEAST_CHANGE = 0.20
"""A change smaller than this fraction is nobody's business."""
HISTORY = 60
"""Weeks from which a change can be held against the year before."""
LABELLED = PHOTOS = 1000
"""Labelled photos per category, and photos counted, from which correcting levels helps."""
DRAWS = 200
"""Of the bootstrap."""
MOST_GROUPS = 1000
"""Customers or segments in one report; each has a row per week and category."""

RISING, FALLING, STEADY = "rising", "falling", "steady"
WATCH, TOO_FEW = "watch", "not enough data"

CONFUSED = ("Shirt", ("T-shirt/top", "Pullover", "Coat"))
"""What the classifier confuses: the first with each of the others."""


# --- levels, corrected ---------------------------------------------------------------------------


def levels(weekly: pd.DataFrame, confusion: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Corrects the shares of all weeks together for what the classifier confuses.

    By the rates at which it takes each category for each other, measured on labelled photos like
    these (`trendscope.proportions.corrected`). Single weeks are left as they are: correcting them
    adds more noise than it takes away.

    Args:
        weekly: As `weekly` returns it, with ``photos``; else ``count`` is taken for photos.
        confusion: Labelled photos: a row per true category, a column per predicted one, both named
            alike. It must be of real photos, not of the set the network was trained on.
        seed: Of the bootstrap, which draws both the labelled and the counted photos anew.

    Returns:
        ``category``; ``photos``; ``share`` of the photos as counted; ``corrected`` share, with the
        95 % interval ``lo95``, ``hi95``.

    Raises:
        TrendscopeError: Fewer than 1,000 photos, or labelled photos of a category: then correcting
            is neutral at best.
    """
    need(weekly, "category")
    names = list(confusion.index)
    counted = "photos" if "photos" in weekly else "count"
    photos = floats(weekly.groupby("category", sort=False)[counted].sum().reindex(names).fillna(0))
    matrix = confusion.reindex(columns=names).fillna(0).to_numpy(np.float64)
    _refuse_few("photos", photos.sum(), PHOTOS)
    fewest = int(matrix.sum(1).argmin())
    _refuse_few(f"labelled photos of {names[fewest]}", matrix.sum(1)[fewest], LABELLED)
    draw = np.random.default_rng(seed)
    again = draw.multinomial(int(photos.sum()), photos / photos.sum(), size=DRAWS)
    rows = [draw.multinomial(int(row.sum()), row / row.sum(), size=DRAWS) for row in matrix]
    drawn = proportions.corrected(again.astype(float), np.stack(rows, 1).astype(float), steps=300)
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    columns = {"category": names, "photos": photos.astype(int), "share": photos / photos.sum()}
    level = proportions.corrected(photos, matrix)
    return pd.DataFrame({**columns, "corrected": level, "lo95": low, "hi95": high})


def _refuse_few(what: str, found: float, needed: int) -> None:
    if found < needed:
        raise TrendscopeError(
            f"levels are not corrected: {found:,.0f} {what}, but with fewer than {needed:,} "
            "correcting is no better than leaving them"
        )


# --- movement ------------------------------------------------------------------------------------


def movement(weekly: pd.DataFrame) -> pd.DataFrame:
    """Says for every complete week and category whether the share has risen or fallen.

    The last 4 weeks are held against the 22 or fewer before, by a two-proportion z test whose
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
        difference from one week and four weeks before; ``recent``, ``before``: the shares held
        against each other; ``change`` from before to recent as a fraction (1.0 is a doubling)
        with the 90 % interval ``lo90``, ``hi90``; ``factor``: of the variance; ``p`` corrected;
        ``verdict``; ``change_last_year``: the same change 52 weeks earlier, NaN under 60 weeks of
        history: then a change cannot be told from season; ``spill``: categories that move too and
        that the classifier confuses with this one, joined by ``, ``.

    Raises:
        TrendscopeError: The table is not what is described above; says where.
    """
    panel = panel_of(weekly)
    count, total = panel.series.count, panel.series.total
    new, new_of = (_window(values, 0, RECENT) for values in (count, total))
    old, old_of = (_window(values, RECENT, BEFORE) for values in (count, total))
    factor = _scatter(panel.series)
    z = proportions.z_score(new, new_of, old, old_of) / np.sqrt(factor)
    enough = (new_of >= ENOUGH) & (old_of >= ENOUGH)
    p = proportions.false_discoveries(np.where(enough, proportions.two_sided(z), np.nan))
    change, low, high = proportions.change(new, new_of, old, old_of, factor)
    share = ratio(count, total)
    verdict = _verdicts(p, change, enough, _sides(share, ratio(old, old_of)))
    history = np.cumsum((total > 0).any(1)) >= HISTORY
    share_low, share_high = proportions.wilson(count, total)
    columns: dict[str, NDArray[np.generic]] = {
        "count": _whole(count),
        "total": _whole(total),
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
        "factor": factor,
        "p": p,
        "verdict": verdict,
        "change_last_year": np.where(history[:, None], _earlier(change, smoothing.YEAR), np.nan),
        "spill": _spills(verdict, panel),
    }
    return panel.long(panel.first, columns)


def _whole(values: Floats) -> NDArray[np.generic]:
    return values.astype(np.int64) if (values == np.floor(values)).all() else values


def _window(values: Floats, back: int, length: int) -> Floats:
    """Sums over the `length` weeks that end `back` weeks before each week."""
    sums = np.vstack([np.zeros((1, values.shape[1])), values.cumsum(0)])
    end = np.arange(1, len(values) + 1) - back
    return np.asarray(sums[np.maximum(end, 0)] - sums[np.maximum(end - length, 0)])


def _earlier(values: Floats, by: int) -> Floats:
    """What stood there `by` weeks before; NaN at the beginning."""
    before = np.full_like(values, np.nan)
    before[by:] = values[: max(len(values) - by, 0)]
    return before


def _scatter(series: Series) -> Floats:
    """By how much shares vary more than the binomial, per week and series; at least 1.

    Pearson's chi-square per degree of freedom, pooled over a segment's categories: of the weeks
    around the share of their window, each window apart so that a change between them is no
    scatter; or, if larger, of stretches of four weeks among those before, which tells when shares
    wander.
    """
    weeks_apart = [
        _chi_square(series, [(back + week, 1) for week in range(length)])
        for back, length in ((0, RECENT), (RECENT, BEFORE))
    ]
    stretches = _chi_square(series, [(back, RECENT) for back in range(RECENT, BEFORE, RECENT)])
    return np.fmax(np.fmax(_factor(series, weeks_apart), _factor(series, [stretches])), 1)


def _chi_square(series: Series, pieces: list[tuple[int, int]]) -> tuple[Floats, Floats]:
    """Of the shares of windows (back, length) around the share of all, with its freedom."""
    count, total, squares, filled = np.zeros((4, *series.count.shape))
    for back, length in pieces:
        seen, of = (_window(values, back, length) for values in (series.count, series.total))
        count, total, filled = count + seen, total + of, filled + (of > 0)
        squares += np.nan_to_num(ratio(seen**2, of))
    share = ratio(count, total)
    varies = (share > 0) & (share < 1)
    scatter = ratio(squares - count * share, share * (1 - share))
    return np.where(varies, scatter, 0), np.where(varies, np.maximum(filled - 1, 0), 0)


def _factor(series: Series, found: list[tuple[Floats, Floats]]) -> Floats:
    squares, freedom = (
        smoothing.pooled(sum(v).T, series.group).T for v in zip(*found, strict=True)
    )
    return ratio(squares, freedom)


def _sides(share: Floats, before: Floats) -> Floats:
    """1 where each of the last 4 weeks lies above what was before, -1 below, else 0."""
    recent = np.array([_earlier(share, back) for back in range(RECENT)])
    above = (np.isnan(recent) | (recent > before)).all(0)
    below = (np.isnan(recent) | (recent < before)).all(0)
    return np.asarray(above.astype(float) - below)


def _verdicts(
    p: Floats, change: Floats, enough: NDArray[np.bool_], side: Floats
) -> NDArray[np.object_]:
    large = np.abs(change) >= LEAST_CHANGE
    direction = np.where(large & (p <= RISE_LEVEL), np.sign(change), 0)
    twice = direction == np.nan_to_num(_earlier(direction, 1))
    held = np.where(twice & (direction == side), direction, 0)
    choices = [~enough, held > 0, held < 0, large & (p <= WATCH_LEVEL)]
    found: NDArray[np.object_] = np.select(
        choices, np.array([TOO_FEW, RISING, FALLING, WATCH], object), np.array(STEADY, object)
    )
    return found


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


# --- forecast ------------------------------------------------------------------------------------

FORECAST_COLUMNS = ("share", "lo80", "hi80", "lo95", "hi95", "model", "naive_share")


def forecast(weekly: pd.DataFrame, weeks_ahead: int = 4) -> pd.DataFrame:
    """Expects the shares of the weeks after the last complete one.

    Recent weeks are pooled with forgetting, and from 60 weeks of history a season is added as far
    as a back-test on this very table bears it out (see `trendscope.smoothing`). Where that is
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
    test = smoothing.backtest(series, max(ahead, smoothing.JUDGED))
    found = smoothing.ways(series, test)
    way = smoothing.best(found)
    rows = [(each.name, each.error, each is way) for each in found]
    told = pd.DataFrame(rows, columns=["model", "error", "shown"])
    if not len(series.count):
        return panel.long(0, dict.fromkeys(FORECAST_COLUMNS, np.empty((0, len(panel.keys))))), told
    said = smoothing.say(series, ahead)
    factor = smoothing.overdispersion(way.of(test.said), test, series.group)[:ahead]
    known = np.broadcast_to(series.total.sum(0) > 0, said.level.shape)
    share = np.where(known, way.of(said), np.nan)
    columns: dict[str, NDArray[np.generic]] = {"share": share}
    spread = np.where(known, smoothing.inside(share, said.level), 0.5)
    bounds = _bounds(series, spread, factor)
    for name, bound, unknown in zip(FORECAST_COLUMNS[1:5], bounds, (0, 1, 0, 1), strict=True):
        columns[name] = np.where(known, bound, unknown)
    columns["model"] = np.where(known, way.name, smoothing.NOTHING).astype(object)
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


# --- all of it -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outlook:
    """Everything that a weekly report says.

    Attributes:
        weekly: The table it rests on, partial weeks marked.
        movement: See `movement`.
        forecast: See `forecast`.
        errors: See `errors`.
        running: The week that is not over, such as ``2026-W47``; "" if there is none.
        tally: What became of the photos; None for a table without any.
        zone: The time zone in which weeks begin.
        unit: What is counted: ``customers``, or the ``photos`` of one customer in each segment.
        unknown: Customers asked for of whom nothing is known.
    """

    weekly: pd.DataFrame
    movement: pd.DataFrame
    forecast: pd.DataFrame
    errors: pd.DataFrame
    running: str
    tally: Tally | None
    zone: str
    unit: str = "customers"
    unknown: tuple[str, ...] = ()


def outlook(
    weekly: pd.DataFrame,
    *,
    weeks_ahead: int = 4,
    now: datetime | None = None,
    zone: tzinfo = UTC,
    tally: Tally | None = None,
) -> Outlook:
    """Says all that can be said of a weekly table.

    Args:
        weekly: As for `movement`. Without a column ``partial`` the week of `now` is partial.
        weeks_ahead: Of the forecast.
        now: Aware; None: every week is over.
        zone: In which weeks begin.
        tally: What became of the photos.

    Raises:
        TrendscopeError: As for `movement` and `forecast`.
    """
    need(weekly, "week")
    if "partial" not in weekly:
        running = weeks.label(weeks.monday(now, zone)) if now else ""
        weekly = weekly.assign(partial=weekly["week"] == running)
    partial = weekly.loc[weekly["partial"].astype(str).str.lower() == "true", "week"]
    coming, told = _expect(panel_of(weekly), weeks_ahead)
    return Outlook(
        weekly,
        movement(weekly),
        coming,
        told,
        partial.max() if len(partial) else "",
        tally,
        str(zone),
    )


def outlook_of_sightings(
    sightings: pd.DataFrame,
    *,
    by: str = "category",
    segments: pd.DataFrame | None = None,
    named: Callable[[str], str] = str,
    reasons: Mapping[str, int] | None = None,
    waiting: int = 0,
    weeks_ahead: int = 4,
    now: datetime | None = None,
    zone: tzinfo = UTC,
) -> Outlook:
    """Counts sightings by week and says all that can be said of them.

    Args:
        sightings: As for `weekly`, with ``reason``.
        by: ``category``: of all customers together; ``segment``: of each group in `segments`;
            ``customer``: of the photos of each customer, who stands in the column ``segment``.
        segments: ``customer, segment``.
        named: What a customer is called in the report.
        reasons: What was not used, see `tally`.
        waiting: See `tally`.
        weeks_ahead: Of the forecast.
        now: Aware; None: every week is over.
        zone: In which weeks begin.

    Raises:
        TrendscopeError: As for `weekly`, or there are more than `MOST_GROUPS` groups.
    """
    if by == "customer":
        customers = pd.Series(sightings["customer"].unique()).astype(object)
        segments = pd.DataFrame({"customer": customers, "segment": customers.map(named)})
    if by != "category" and segments is not None:
        _refuse_many(segments["segment"].nunique(), by)
    groups = None if by == "category" else segments
    table = weekly(sightings, zone=zone, now=now, segments=groups)
    if by == "customer":
        table = by_photos(table)
    counted = tally(sightings, zone=zone, now=now, reasons=reasons, waiting=waiting)
    found = outlook(table, weeks_ahead=weeks_ahead, now=now, zone=zone, tally=counted)
    return replace(found, unit="photos" if by == "customer" else "customers")


def _refuse_many(groups: int, by: str) -> None:
    if groups > MOST_GROUPS:
        raise TrendscopeError(
            f"{groups:,} {by}s are too many for one report, {MOST_GROUPS:,} at most; choose some, "
            "such as by a file with the column customer"
        )
