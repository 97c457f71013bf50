"""A summary of a store: what it holds, since when, and by which weights."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, case, func, select

from trendscope.store import schema
from trendscope.store.database import Database, opened
from trendscope.store.frames import photo_figures, verdicts
from trendscope.store.schema import from_moment
from trendscope.vision.weights import WeightsIdentity


@dataclass(frozen=True)
class WeightsUsed(WeightsIdentity):
    """Weights that judged.

    Attributes:
        since: Aware UTC time of their first sighting here.
        current: Whether their sightings count; False while they are being prepared.
        images: Number of different images that they have judged.
    """

    since: datetime
    current: bool
    images: int


@dataclass(frozen=True)
class ScanRun:
    """One run of a scan; its counts are those of `trendscope.store.write_photos.ScanCounts`.

    Attributes:
        started_at: Aware UTC.
        finished_at: Aware UTC; None if it is running, or was stopped.
    """

    started_at: datetime
    finished_at: datetime | None
    judged: int
    recognised: int
    unchanged: int
    skipped: int


@dataclass(frozen=True)
class Status:
    """The content of a database; photos = classified + uncertain + outside + waiting.

    Attributes:
        database: Name of the database, without any password.
        version: Version of its tables.
        customers: Number of customers with at least one photo that counts.
        photos: Number of photos that count.
        classified: Number of these with a category.
        uncertain: Number of these that show a garment which cannot be named.
        outside: Number of these that show none of the ten.
        waiting: Number of these that the current weights have not judged yet.
        corrected: Number of these that a person has labelled.
        undated: Number of these without a date.
        doubles: Number of photos that are counted elsewhere.
        first_posted: Aware UTC time of the first dated photo.
        last_posted: Aware UTC time of the last dated photo.
        skipped: Number of files that were not used, by reason.
        weights: All weights that judged, the current ones first.
        scans: Number of scans.
    """

    database: str
    version: int
    customers: int
    photos: int
    classified: int
    uncertain: int
    outside: int
    waiting: int
    corrected: int
    undated: int
    doubles: int
    first_posted: datetime | None
    last_posted: datetime | None
    skipped: dict[str, int]
    weights: tuple[WeightsUsed, ...]
    scans: int
    first_scan: ScanRun | None
    last_scan: ScanRun | None


def status(db: Database = None) -> Status:
    """Sums up what a database holds, since when, and by which weights.

    Raises:
        StoreError: It is missing, or cannot be read.
    """
    with opened(db) as store, store.reading() as connection:
        photos, verdict = schema.photos.c, verdicts().subquery()
        owners = func.count(func.distinct(case((photos.counted, photos.customer_id))))
        query = (
            select(owners.label("customers"), *photo_figures(verdict))
            .select_from(schema.photos)
            .outerjoin(verdict, verdict.c.image_id == photos.image_id)
        )
        figures = dict(connection.execute(query).one()._mapping)
        for name in ("first_posted", "last_posted"):
            figures[name] = from_moment(figures[name])
        return Status(
            database=store.shown,
            version=schema.version_of(connection, store.shown),
            corrected=connection.scalar(_CORRECTED) or 0,
            skipped={str(row[0]): int(row[1]) for row in connection.execute(_SKIPPED)},
            weights=_weights_used(connection),
            scans=connection.scalar(select(func.count()).select_from(schema.scans)) or 0,
            first_scan=_scan(connection, select(schema.scans).order_by(schema.scans.c.id)),
            last_scan=_scan(connection, select(schema.scans).order_by(schema.scans.c.id.desc())),
            **figures,
        )


def _weights_used(connection: Connection) -> tuple[WeightsUsed, ...]:
    judged = select(func.count(func.distinct(schema.sightings.c.image_id))).where(
        schema.sightings.c.weights_id == schema.weights.c.id
    )
    query = select(schema.weights, judged.scalar_subquery().label("images"))
    return tuple(
        WeightsUsed(row.name, row.digest, _time(row.since), row.current, row.images)
        for row in connection.execute(
            query.order_by(schema.weights.c.current.desc(), schema.weights.c.id)
        )
    )


def _scan(connection: Connection, query: Select[Any]) -> ScanRun | None:
    row = connection.execute(query.limit(1)).one_or_none()
    if row is None:
        return None
    counts = (row.judged, row.recognised, row.unchanged, row.skipped)
    return ScanRun(_time(row.started_at), from_moment(row.finished_at), *counts)


def _time(moment: int) -> datetime:
    time = from_moment(moment)
    assert time is not None
    return time


_CORRECTED = select(func.count()).where(
    schema.photos.c.counted, schema.photos.c.image_id.in_(select(schema.corrections.c.image_id))
)
_SKIPPED = (
    select(schema.skips.c.reason, func.count())
    .group_by(schema.skips.c.reason)
    .order_by(schema.skips.c.reason)
)
