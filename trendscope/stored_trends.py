"""Weekly trends of what a store holds: one pass over its photos, then pure tables."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

import pandas as pd

from trendscope import store, trends
from trendscope.errors import NothingUsable
from trendscope.store.database import Database, opened
from trendscope.trends import Outlook


def outlook_of_store(
    db: Database = None,
    *,
    by: str = "category",
    customers: Collection[str] | None = None,
    segments: pd.DataFrame | None = None,
    named: Callable[[str], str] = str,
    weeks_ahead: int = 4,
    now: datetime | None = None,
    zone: tzinfo = UTC,
) -> Outlook:
    """Says what is worn more and what less of all that was scanned; ``trendscope trends --db``.

    Every photo of the store, or of `customers`, is counted in one field of the outlook's tally,
    all as of one moment, whoever writes meanwhile.

    Args:
        db: A file, a URL or an open store; None for the usual one.
        by: See `trendscope.trends.outlook_of_sightings`, like all others.
        customers: Only these.
        segments: Groups of customers, for `by` = ``segment``.
        named: What a customer is called in the report.
        weeks_ahead: Of the forecast.
        now: Aware; None: every week is over.
        zone: In which weeks begin.

    Raises:
        StoreError: The database is missing, or cannot be read.
        NothingUsable: None of `customers` is in it, or it holds no photo.
        TrendscopeError: `segments` has a customer twice, or there are too many groups.
    """
    with opened(db) as reader:
        held = store.census(reader, customers)
        shown = reader.shown
    unknown = set(customers or ()) - {*held.customers}
    if unknown and not held.customers:
        raise NothingUsable(
            f"{shown} knows none of the {len(unknown):,} customers asked for; names are "
            "those that trendscope profile and export give"
        )
    if held.rows.empty and not held.waiting:
        raise NothingUsable(
            f"{shown} holds no photos yet; fill it with trendscope scan PATH --db DATABASE"
        )
    found = trends.outlook_of_sightings(
        held.rows,
        by=by,
        segments=segments,
        named=named,
        reasons=held.reasons,
        waiting=held.waiting.total(),
        weeks_ahead=weeks_ahead,
        now=now,
        zone=zone,
    )
    return replace(found, unknown=tuple(sorted(map(named, unknown))))
