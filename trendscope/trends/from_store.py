"""Weekly trends of what a store holds: one pass over its photos, then pure tables."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import pandas as pd

from trendscope import store
from trendscope.errors import NothingUsable, WeightsError
from trendscope.store.database import Database, Store, opened
from trendscope.store.weights import current_weights
from trendscope.trends import summary
from trendscope.trends.summary import TrendSummary
from trendscope.vision.scores import Scores, scores_of_digest
from trendscope.vision.weights import identify


def trends_of_store(
    db: Database = None,
    *,
    by: str = "category",
    customers: Collection[str] | None = None,
    segments: pd.DataFrame | None = None,
    named: Callable[[str], str] = str,
    weights: str | Path | None = None,
    weeks_ahead: int = 4,
    now: datetime | None = None,
    zone: tzinfo = UTC,
) -> TrendSummary:
    """Says what is worn more and what less of all that was scanned; ``trendscope trends --db``.

    Every photo of the store, or of `customers`, is counted in one field of the outlook's tally,
    all as of one moment, whoever writes meanwhile.

    Args:
        db: A file, a URL or an open store; None for the usual one.
        by: See `trendscope.trends.summary.trends_of_sightings`, like all others.
        customers: Only these.
        segments: Groups of customers, for `by` = ``segment``.
        named: What a customer is called in the report.
        weights: Where the weights lie that judged, if they are not shipped ones.
        weeks_ahead: Of the forecast.
        now: Aware; None: every week is over.
        zone: In which weeks begin.

    Raises:
        StoreError: The database is missing, or cannot be read.
        WeightsError: See `measured_in`.
        NothingUsable: None of `customers` is in it, or it holds no photo.
        TrendscopeError: `segments` has a customer twice, or there are too many groups.
    """
    with opened(db) as reader:
        held, scores = store.census(reader, customers), measured_in(reader, weights)
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
    found = summary.trends_of_sightings(
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
    gone = tuple(sorted(map(named, unknown)))
    return replace(found, unknown=gone, measured=scores)


def measured_in(reader: Store, weights: str | Path | None = None) -> Scores | None:
    """What the weights scored whose results a store counts; None if their file is not at hand.

    Args:
        reader: The open store.
        weights: Where they lie, if they are not shipped ones.

    Raises:
        WeightsError: `weights` are missing, of another kind, or did not judge what is counted.
    """
    with reader.reading() as connection:
        current = current_weights(connection)
    if current is None:
        return None
    used = current[1]
    if weights is not None and identify(weights).digest != used.digest:
        raise WeightsError(
            f"{weights} did not judge what {reader.shown} holds; that was {used}: name that file, "
            "or leave --weights out"
        )
    return scores_of_digest(used.digest, weights)


outlook_of_store = trends_of_store
"""The name of earlier versions."""
