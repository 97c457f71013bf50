"""Weekly trends of the photos in a store."""

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
from trendscope.text import natural
from trendscope.trends import summary
from trendscope.trends.summary import TrendSummary
from trendscope.vision.scores import Scores, read_scores
from trendscope.vision.weights import find_digest, identify


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
    since: datetime | None = None,
    until: datetime | None = None,
) -> TrendSummary:
    """Movement and forecast of all photos scanned; ``trendscope trends --db``.

    Every photo of the store, or of `customers`, is counted in one field of the tally, all as
    of one moment, whoever writes meanwhile.

    Args:
        db: Database file, URL or open store; None for the usual one.
        by, segments, named, weeks_ahead, now, zone: As for
            `trendscope.trends.summary.trends_of_sightings`.
        customers: The only customers to count; None for all.
        weights: File of the weights that judged the photos, unless shipped ones.
        since: Aware time; only dated photos from then on.
        until: Aware time; only dated photos before it.

    Raises:
        StoreError: The database is missing, or cannot be read.
        WeightsError: See `scores_in`.
        NothingUsable: None of `customers` is in it, or it holds no photo, or none of these dates.
        TrendscopeError: `segments` has a customer twice, or there are too many groups.
    """
    with opened(db) as reader:
        counts, scores = store.census(reader, customers), scores_in(reader, weights)
        name = reader.shown
    unknown = set(customers or ()) - {*counts.customers}
    if unknown and not counts.customers:
        raise NothingUsable(
            f"{name} knows none of the {len(unknown):,} customers asked for; names are "
            "those that trendscope profile and export give"
        )
    if counts.rows.empty and not counts.waiting:
        raise NothingUsable(
            f"{name} holds no photos yet; fill it with trendscope scan PATH --db DATABASE, or at "
            "the desk under Scan"
        )
    rows = counts.rows
    rows = rows if since is None else rows[rows["posted_at"] >= since]
    rows = rows if until is None else rows[rows["posted_at"] < until]
    if rows.empty and len(counts.rows):
        raise NothingUsable(f"no photo in {name} is of these dates")
    result = summary.trends_of_sightings(
        rows,
        by=by,
        segments=segments,
        named=named,
        reasons=counts.reasons,
        waiting=counts.waiting.total(),
        weeks_ahead=weeks_ahead,
        now=now,
        zone=zone,
    )
    result = replace(result, unknown=tuple(sorted(map(named, unknown), key=natural)))
    return summary.with_scores(result, scores)


def scores_in(reader: Store, weights: str | Path | None = None) -> Scores | None:
    """Scores of the weights whose results a store counts; None if their file is not at hand.

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
    file = find_digest(used.digest, weights)
    return read_scores(file) if file else None


outlook_of_store = trends_of_store
"""The name of earlier versions."""
