"""A customer's profile from the store alone, without the photos."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Any

from trendscope import store
from trendscope.errors import NothingUsable
from trendscope.photos.results import PhotoResult, PictureResult
from trendscope.photos.summary import Profile, summarise
from trendscope.skipped import Skipped
from trendscope.store.database import Database, reading
from trendscope.store.pictures import candidates_of, sizes_of
from trendscope.store.weights import current_weights


def stored_profile(
    db: Database, customer: str, *, zone: tzinfo = UTC, pictures: bool = False
) -> Profile:
    """What one customer wears: `trendscope.profile` of every photo that was scanned.

    Args:
        zone: Time zone in which weeks begin.
        pictures: Whether the kept thumbnails are part of the results.

    Raises:
        NothingUsable: The store has no customer of that name.
        StoreError: The database cannot be used.
    """
    with reading(db) as connection:
        rows = store.sightings(connection, customer, vectors=True)
        skips = store.skips(connection, customer)
        weights = current_weights(connection)
        digests = rows["sha256"].unique().tolist()
        candidates, sizes = candidates_of(connection, digests), sizes_of(connection, digests)
        jpegs = store.thumbnails(connection, digests) if pictures else {}
    if rows.empty and skips.empty:
        raise NothingUsable(f"the database knows no customer {customer!r}; check the spelling")
    # pandas writes NaN, which counts as true, where there is nothing.
    plain = rows.astype(object).where(rows.notna(), None)
    groups = plain.groupby(["post_id", "sha256"], sort=False)
    results = [
        replace(
            result,
            candidates=candidates.get(result.sha256, ()),
            size=sizes.get(result.sha256),
            thumbnail=jpegs.get(result.sha256),
        )
        for result in (_result(list(group.itertuples())) for _, group in groups)
    ]
    skipped = [Skipped(*row) for row in skips.itertuples(index=False, name=None)]
    return summarise(weights[1].name if weights else "", [*results, *skipped], zone)


def _result(rows: list[Any]) -> PhotoResult:
    first = rows[0]
    posted_at = first.posted_at and first.posted_at.to_pydatetime()
    picture = PictureResult.of_sightings(first.source, first.sha256, rows)
    result = picture.posted(first.customer, first.post_id, posted_at, first.date_source)
    return replace(result, corrected=bool(first.corrected))
