"""Shares, verdicts and forecasts of some weeks together, for one or more segments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from functools import cached_property

import pandas as pd

from trendscope import weeks
from trendscope.categories import CATEGORIES
from trendscope.errors import TrendscopeError
from trendscope.files.tables import require_columns
from trendscope.trends.counts import PhotoCounts, by_photos, photo_counts, weekly
from trendscope.trends.forecasting import _expect, latest_panel
from trendscope.trends.level_correction import adjusted_shares
from trendscope.trends.panel import as_flags
from trendscope.trends.power import doublings_found
from trendscope.trends.verdicts import STEADY, TOO_FEW, movement
from trendscope.vision.scores import Scores

MOST_GROUPS = 1000
"""Customers or segments in one report; each has a row per week and category."""

_FIGURES = (
    *("share", "lo95", "hi95", "photos", "all_photos", "photo_share"),
    *("uncertain", "outside", "new_customers", "confidence", "by_people"),
)
"""Columns of weekly tables that reports repeat; what shares are made of is checked elsewhere."""


ENOUGH = 0.5
"""How often a doubling has to be found for a share that did not change to be called steady."""


@dataclass(frozen=True)
class TrendSummary:
    """The figures of a trend report.

    Attributes:
        weekly: Table of weekly counts, partial weeks marked.
        movement: Table of `trendscope.trends.movement`.
        forecast: Table of `trendscope.trends.forecast`.
        errors: Table of `trendscope.trends.errors`.
        running: Week that is not over, such as ``2026-W47``; "" if there is none.
        tally: Counts of photos by what became of them; None for a table without photos.
        zone: Time zone in which weeks begin.
        unit: What shares are of: ``votes`` of customers; ``customers`` seen, of the active ones,
            which posting more raises; or ``photos`` of one customer in each segment.
        unknown: Requested customers without any photo.
        scores: Scores of the weights on labelled photos; None where not known.
        power: Table of `trendscope.trends.power.doublings_found`.
        corrected: Table of `trendscope.trends.adjusted_shares`: the shares of all weeks together as
            if no name were wrong; None where the confusion of the weights is not known well enough.
    """

    weekly: pd.DataFrame
    movement: pd.DataFrame
    forecast: pd.DataFrame
    errors: pd.DataFrame
    running: str
    tally: PhotoCounts | None
    zone: str
    unit: str = "votes"
    unknown: tuple[str, ...] = ()
    scores: Scores | None = None
    power: pd.DataFrame | None = None
    corrected: pd.DataFrame | None = None

    @cached_property
    def judged(self) -> pd.DataFrame:
        """The movement, in which the latest week is steady only where change is seen.

        Where a doubling would be missed more often than found, there is not enough data.
        """
        movement, power = self.movement, self.power
        if power is None or movement.empty:
            return movement
        keys = [name for name in ("segment", "category") if name in power]
        seen = movement[keys].merge(power[[*keys, "found"]], how="left", on=keys)["found"]
        blind = (movement["week"] == movement["week"].iloc[-1]) & (movement["verdict"] == STEADY)
        # More than half cannot double.
        blind &= ~(seen >= ENOUGH).to_numpy() & (movement["recent"] <= 0.5)
        return movement.assign(verdict=movement["verdict"].mask(blind, TOO_FEW))

    @property
    def measured(self) -> Scores | None:
        """The name of `scores` in earlier versions."""
        return self.scores


def outlook(
    weekly: pd.DataFrame,
    *,
    weeks_ahead: int = 4,
    now: datetime | None = None,
    zone: tzinfo = UTC,
    tally: PhotoCounts | None = None,
) -> TrendSummary:
    """Movement and forecast of a weekly table.

    Args:
        weekly: Table as described at `trendscope.trends.movement`. Without a column ``partial``
            the week of `now` is partial.
        weeks_ahead: Number of weeks of the forecast.
        now: Aware time, in the week that is not over; None: every week is over.
        zone: Time zone in which weeks begin.
        tally: Counts of photos by what became of them.

    Raises:
        TrendscopeError: As for `movement` and `forecast`.
    """
    require_columns(weekly, "week")
    if "partial" not in weekly:
        present = weeks.label(weeks.monday(now, zone)) if now else ""
        weekly = weekly.assign(partial=weekly["week"] == present)
    # Tables that were read from files hold text; what is no number there is unknown.
    figures = [name for name in _FIGURES if name in weekly]
    weekly = weekly.assign(**{n: pd.to_numeric(weekly[n], errors="coerce") for n in figures})
    partial = weekly.loc[as_flags(weekly["partial"]), "week"]
    panel = latest_panel(weekly)
    coming, errors = _expect(panel, weeks_ahead)
    running = partial.max() if len(partial) else ""
    return TrendSummary(
        weekly,
        movement(weekly),
        coming,
        errors,
        running,
        tally,
        str(zone),
        unit=panel.measure,
        power=doublings_found(panel),
    )


def with_scores(summary: TrendSummary, scores: Scores | None) -> TrendSummary:
    """A summary with the scores of the weights, and the power and levels that follow from them."""
    if scores is None or scores.precision is None:
        return replace(summary, scores=scores)
    power = doublings_found(latest_panel(summary.weekly), scores.precision)
    return replace(summary, scores=scores, power=power, corrected=_corrected(summary, scores))


def _corrected(summary: TrendSummary, scores: Scores) -> pd.DataFrame | None:
    confusion = pd.DataFrame.from_dict(dict(scores.confusion), orient="index")
    if set(confusion.index) != {*CATEGORIES}:
        return None
    try:
        return adjusted_shares(summary.weekly, confusion.reindex([*CATEGORIES]))
    except TrendscopeError:
        return None  # too few photos to be of any help


def trends_of_sightings(
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
) -> TrendSummary:
    """Movement and forecast of sightings, counted by week.

    Args:
        sightings: Table as described at `weekly`, with ``reason``.
        by: ``category`` for all customers together; ``segment`` for each group in `segments`;
            ``customer`` for each customer, whose name is in the column ``segment``: every garment
            in a photo is a vote then.
        segments: Table ``customer, segment``.
        named: Gives the name of a customer in the report.
        reasons, waiting: As for `photo_counts`.
        weeks_ahead, now, zone: As for `outlook`.

    Raises:
        TrendscopeError: As for `weekly`, or there are more than `MOST_GROUPS` groups.
    """
    if by == "customer":
        customers = pd.Series(sightings["customer"].unique()).astype(object)
        segments = pd.DataFrame({"customer": customers, "segment": customers.map(named)})
    if by != "category" and segments is not None:
        number = segments["segment"].nunique()
        if number > MOST_GROUPS:
            raise TrendscopeError(
                f"{number:,} {by}s are too many for one report, {MOST_GROUPS:,} at most; choose "
                "some, such as by a file with the column customer"
            )
    groups = None if by == "category" else segments
    table = weekly(sightings, zone=zone, now=now, segments=groups)
    if by == "customer":
        table = by_photos(table)
    counts = photo_counts(sightings, zone=zone, now=now, reasons=reasons, waiting=waiting)
    summary = outlook(table, weeks_ahead=weeks_ahead, now=now, zone=zone, tally=counts)
    return replace(summary, unit="photos") if by == "customer" else summary


Outlook = TrendSummary
outlook_of_sightings = trends_of_sightings
"""Names of earlier versions."""
