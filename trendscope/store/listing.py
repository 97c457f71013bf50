"""Parts of long lists, as a page shows them: customers, and photos that wait for a person."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, select

from trendscope.store import effective, schema
from trendscope.store.database import Database, opened
from trendscope.store.memory import ranked
from trendscope.store.schema import from_moment


@dataclass(frozen=True)
class Listed:
    """A customer in a list.

    Attributes:
        customer: The name.
        photos: That count and were judged.
        uncertain: Of them, a garment that cannot be named.
        outside: Of them, none of the ten.
        counts: Garments by category, most worn first.
        last_posted: Time of the latest dated photo, aware UTC.
        sha256: Of images of the latest photos with a category, at most four.
    """

    customer: str
    photos: int
    uncertain: int
    outside: int
    counts: dict[str, int]
    last_posted: datetime | None
    sha256: tuple[str, ...]


@dataclass(frozen=True)
class Waiting:
    """An image that the network could not name, and nobody has named yet.

    Attributes:
        sha256: Of its bytes, in hex.
        customer: Who posted it; the first by name where several did.
        source: Where it lies, for people.
        posted_at: Aware UTC; None if undated.
        top: The three likeliest categories with their probabilities.
        outside: Probability of none of the ten.
    """

    sha256: str
    customer: str
    source: str
    posted_at: datetime | None
    top: tuple[tuple[str, float], ...]
    outside: float


def find_customers(
    db: Database = None, search: str = "", *, limit: int = 25, offset: int = 0
) -> tuple[list[Listed], int]:
    """Customers whose name holds a text, whatever its case, by name; and how many there are."""
    name = schema.customers.c.name
    query = select(schema.customers.c.id, name).order_by(name)
    if search:
        query = query.where(func.lower(name).contains(search.lower(), autoescape=True))
    with opened(db) as store, store.reading() as connection:
        total = connection.scalar(select(func.count()).select_from(query.subquery())) or 0
        owners = {
            int(r[0]): str(r[1]) for r in connection.execute(query.limit(limit).offset(offset))
        }
        rows_of: defaultdict[int, list[Any]] = defaultdict(list)
        for row in connection.execute(_of_customers(list(owners))):
            rows_of[row.customer_id].append(row)
    return [_listed(name, rows_of[owner]) for owner, name in owners.items()], total


def knows_customer(db: Database, name: str) -> bool:
    """True if the database holds a customer of exactly that name."""
    with opened(db) as store, store.reading() as connection:
        query = select(schema.customers.c.id).where(schema.customers.c.name == name)
        return connection.scalar(query) is not None


def _of_customers(ids: list[int]) -> Select[Any]:
    photos = schema.photos.c
    query = select(
        photos.customer_id,
        photos.posted_at,
        schema.images.c.sha256,
        effective.NUMBER.label("number"),
        effective.CATEGORY.label("category"),
        effective.REASON.label("reason"),
    ).join_from(schema.photos, schema.images)
    wanted = query.where(photos.customer_id.in_(ids), photos.counted)
    newest = wanted.order_by(photos.posted_at.desc().nulls_last(), photos.place)
    return effective.with_effective(newest, photos.image_id)


def _listed(name: str, rows: list[Any]) -> Listed:
    counts: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        if row.category:
            counts[row.category] += 1
    reasons = [row.reason for row in rows]
    moments = [row.posted_at for row in rows if row.posted_at is not None]
    shown = dict.fromkeys(row.sha256 for row in rows if row.category)
    return Listed(
        name,
        sum(row.number == 0 for row in rows),
        reasons.count("uncertain"),
        reasons.count("outside"),
        dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        from_moment(max(moments, default=None)),
        tuple(shown)[:4],
    )


def waiting(db: Database = None, *, limit: int = 20, offset: int = 0) -> tuple[list[Waiting], int]:
    """Images that wait for a person's word, the latest first; and how many there are."""
    latest = func.max(schema.photos.c.posted_at)
    query = (
        select(
            schema.images.c.sha256,
            func.min(schema.customers.c.name).label("customer"),
            func.min(schema.photos.c.source).label("source"),
            latest.label("posted_at"),
            schema.sightings.c.probabilities,
            schema.sightings.c.outside,
        )
        .select_from(schema.sightings)
        .join(schema.images, schema.images.c.id == schema.sightings.c.image_id)
        .join(schema.photos, schema.photos.c.image_id == schema.images.c.id)
        .join(schema.customers, schema.customers.c.id == schema.photos.c.customer_id)
        .outerjoin(schema.corrections, schema.corrections.c.image_id == schema.sightings.c.image_id)
        .where(_WAITS)
        .group_by(
            schema.images.c.sha256, schema.sightings.c.probabilities, schema.sightings.c.outside
        )
    )
    ordered = query.order_by(latest.desc().nulls_last(), schema.images.c.sha256)
    with opened(db) as store, store.reading() as connection:
        total = connection.scalar(select(func.count()).select_from(query.subquery())) or 0
        rows = connection.execute(ordered.limit(limit).offset(offset)).all()
    return [
        Waiting(
            row.sha256,
            row.customer,
            row.source,
            from_moment(row.posted_at),
            ranked(row.probabilities)[:3],
            row.outside,
        )
        for row in rows
    ], total


_WAITS = and_(
    schema.sightings.c.weights_id == effective.CURRENT,
    schema.sightings.c.number == 0,
    schema.sightings.c.reason == "uncertain",
    schema.corrections.c.image_id.is_(None),
    schema.photos.c.counted,
)
