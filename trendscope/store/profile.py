"""A customer's profile from the store alone, without the photos."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Any

from trendscope import store
from trendscope.errors import NothingUsable
from trendscope.photos.results import Garment, PhotoResult
from trendscope.photos.summary import Profile, summarise
from trendscope.skipped import Skipped
from trendscope.store.database import Database, opened
from trendscope.store.memory import ranked
from trendscope.store.weights import current_weights


def stored_profile(db: Database, customer: str, *, zone: tzinfo = UTC) -> Profile:
    """What one customer wears: `trendscope.profile` of every photo that was scanned.

    Args:
        db: The database.
        customer: Name of the customer, as stored.
        zone: Time zone in which weeks begin.

    Raises:
        NothingUsable: The store has no customer of that name.
        StoreError: The database cannot be used.
    """
    with opened(db) as reader:
        rows = store.sightings(reader, customer, vectors=True)
        skips = store.skips(reader, customer)
        with reader.reading() as connection:
            weights = current_weights(connection)
    if rows.empty and skips.empty:
        raise NothingUsable(f"the database knows no customer {customer!r}; check the spelling")
    # pandas writes NaN, which counts as true, where there is nothing.
    plain = rows.astype(object).where(rows.notna(), None)
    groups = plain.groupby(["post_id", "sha256"], sort=False)
    results = [_reading(list(group.itertuples())) for _, group in groups]
    skipped = [Skipped(*row) for row in skips.itertuples(index=False, name=None)]
    return summarise(weights[1].name if weights else "", [*results, *skipped], zone)


def _reading(rows: list[Any]) -> PhotoResult:
    first = rows[0]
    return PhotoResult(
        customer=first.customer,
        post_id=first.post_id,
        source=first.source,
        sha256=first.sha256,
        posted_at=first.posted_at and first.posted_at.to_pydatetime(),
        date_source=first.date_source,
        verdict=first.reason or "classified",
        garments=tuple(_garment(row) for row in rows if row.category),
        probabilities=ranked(first.probabilities) if first.probabilities else (),
        outside=first.outside,
        corrected=bool(first.corrected),
    )


def _garment(row: Any) -> Garment:
    box = (row.x0, row.y0, row.x1, row.y1)
    return Garment(row.category, row.confidence, None if None in box else box)
