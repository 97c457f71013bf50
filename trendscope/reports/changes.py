"""What is told of a change of a share: from what to what, between which days, and why."""

from __future__ import annotations

import math

import pandas as pd

from trendscope import weeks
from trendscope.reports.wording import OF, interval, last_day
from trendscope.text import day, percent, shown
from trendscope.trends.verdicts import FALLING, RISING, WATCH
from trendscope.trends.windows import BEFORE, RECENT

CHANGES = frozenset((RISING, FALLING, WATCH))
"""Verdicts of which a change is told."""


def change(rows: pd.DataFrame, unit: str) -> str:
    """The change of the latest week, such as ``rose from about 6 % to 28 % of customers ...``.

    Args:
        rows: Movement of one category, week by week.
        unit: What shares are of; see `trendscope.trends.summary.TrendSummary`.
    """
    row = rows.iloc[-1]
    before, low, high = row["before"], row["lo90"], row["hi90"]
    verb = "rose" if row["recent"] > before else "fell"
    if before > 0 and math.isfinite(low) and math.isfinite(high):
        least, most = (min(1.0, max(0.0, before * (1 + by))) for by in (low, high))
        bounds = f" (90 % interval {interval(least, most)})"
    else:
        bounds = ""
    compared = rows.tail(RECENT + BEFORE)
    # Of the first weeks that the same weights judged there are none before.
    alone = compared["before"].isna().to_numpy().nonzero()[0]
    start = max(0, alone[-1] - RECENT + 1) if len(alone) else 0
    first, last = (str(compared["week"].iloc[place]) for place in (start, -1))
    return (
        f"{'perhaps ' if row['verdict'] == WATCH else ''}{verb} from {_about(before)} to "
        f"{percent(row['recent'])}{bounds} of {OF[unit]} between {day(weeks.monday_of(first))} and "
        f"{day(last_day(last))}"
    )


def _about(share: float) -> str:
    return f"about {percent(share)}" if share >= 0.005 else percent(share) if share else "nothing"


def remarks(row: pd.Series) -> tuple[str, ...]:
    """Clauses that qualify a change."""
    year = row["change_last_year"]
    season = f"in the same weeks a year before, to {1 + year:.1f} times as much"
    clauses = ["this may be the season" if math.isnan(year) else season]
    if row["drift"]:
        clauses.append(f"perhaps not of what is worn: {row['drift']}")
    if row["spill"]:
        clauses.append(f"moves with {shown(row['spill'])}, which is easily confused with it")
    return tuple(clauses)
