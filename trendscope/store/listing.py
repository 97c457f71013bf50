"""Parts of long lists, as a page shows them: customers, and photos that wait for a label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Literal

from sqlalchemy import BigInteger, Connection, Select, and_, bindparam, case, exists, func, select

from trendscope.errors import UnknownCustomer
from trendscope.photos.results import Garment, ranked
from trendscope.photos.summary import shares_of
from trendscope.store import effective, schema
from trendscope.store.database import Database, parts, reading
from trendscope.store.pictures import candidates_of, sizes_of
from trendscope.store.schema import from_moment, to_moment
from trendscope.store.statements import grouped
from trendscope.text import contains, displayed, natural

Order = Literal["name", "photos", "latest"]


@dataclass(frozen=True)
class CustomerEntry:
    """A customer in a list.

    Attributes:
        photos: Number of photos that count and were judged.
        uncertain: Number of these that show a garment which cannot be named.
        outside: Number of these that show none of the ten.
        counts: Number of garments by category, most worn first.
        shares: Estimated share of the customer's garments of these categories, 0..1, largest first;
            see `trendscope.photos.summary.shares_of`.
        last_posted: Aware UTC time of the latest dated photo.
        sha256: Digests of the latest images with a category, at most four.
    """

    customer: str
    photos: int
    uncertain: int
    outside: int
    counts: dict[str, int]
    shares: dict[str, float]
    last_posted: datetime | None
    sha256: tuple[str, ...]


@dataclass(frozen=True)
class UnlabelledImage:
    """An image that the network could not name, and nobody has labelled yet.

    Attributes:
        sha256: Digest of the image's bytes, in hex.
        customer: Name of the customer who posted it; the first by name where several did.
        source: Path of the photo, for people.
        posted_at: Aware UTC; None if undated.
        top: The three likeliest categories with their probabilities, 0..1.
        outside: Probability of none of the ten, 0..1.
        candidates: Garments that it may show, best first.
        size: Width and height in pixels, the unit of their boxes; None if not known.
        needed: Probability of the likeliest category from which on it is named; None if not known.
    """

    sha256: str
    customer: str
    source: str
    posted_at: datetime | None
    top: tuple[tuple[str, float], ...]
    outside: float
    candidates: tuple[Garment, ...] = ()
    size: tuple[int, int] | None = None
    needed: float | None = None


def find_customers(
    db: Database = None,
    search: str = "",
    *,
    category: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    members: Collection[str] | None = None,
    order: Order = "name",
    limit: int | None = 25,
    offset: int = 0,
) -> tuple[list[CustomerEntry], int]:
    """A part of the list of customers with a photo that counts, and the length of the whole list.

    Args:
        search: Text that the names contain, in any case.
        category: Category that they wear, in a photo of the time between `since` and `until`.
        since: Aware time; only those with a photo from then on.
        until: Aware time; only those with a photo before it.
        order: By ``name`` as people sort names, by number of ``photos`` (most first), or by the
            ``latest`` photo (the newest first).
        limit: Length of the part; None for all.
    """
    with reading(db) as connection:
        rows = [
            row
            for row in connection.execute(_customers(category, since, until, order))
            if contains(row.name, search) and (members is None or row.name in members)
        ]
        rows.sort(key=_KEYS[order])
        page = rows[offset : None if limit is None else offset + limit]
        entries = [each for some in parts(page) for each in _entries(connection, some)]
    return entries, len(rows)


def every_customer(db: Database = None, search: str = "") -> list[CustomerEntry]:
    """All customers of `find_customers` whose names contain a text, sorted as people sort names."""
    return find_customers(db, search, limit=None)[0]


def without_photos(db: Database = None, search: str = "") -> list[str]:
    """The customers whom `find_customers` leaves out: none of their files could be used.

    Sorted as people sort names; `search` is a text that they contain, in any case.
    """
    query = select(schema.customers.c.name).where(~_HAS_PHOTOS)
    with reading(db) as connection:
        names = [str(name) for name in connection.scalars(query) if contains(name, search)]
    return sorted(names, key=natural)


def posted_between(db: Database = None) -> tuple[datetime | None, datetime | None]:
    """The times of the first and the last dated photo that counts; None without any."""
    posted = schema.photos.c.posted_at
    query = select(func.min(posted), func.max(posted)).where(schema.photos.c.counted)
    with reading(db) as connection:
        first, last = connection.execute(query).one()
    return from_moment(first), from_moment(last)


def _customers(
    category: str | None, since: datetime | None, until: datetime | None, order: Order
) -> Select[Any]:
    """Number and name of the customers, with the figures by which they are sorted."""
    customers, photos = schema.customers.c, schema.photos.c
    query = select(customers.id, customers.name).where(_HAS_PHOTOS)
    if order != "name":
        counts = func.count(photos.id).label("photos"), func.max(photos.posted_at).label("latest")
        own = and_(photos.customer_id == customers.id, photos.counted)
        query = query.add_columns(*counts).outerjoin(schema.photos, own)
        query = query.group_by(customers.id, customers.name)
    if category is None and since is None and until is None:
        return query
    wearing = select(photos.customer_id).select_from(schema.photos).where(photos.counted)
    if since is not None:
        wearing = wearing.where(photos.posted_at >= to_moment(since))
    if until is not None:
        wearing = wearing.where(photos.posted_at < to_moment(until))
    if category is not None:
        wearing = effective.with_effective(wearing, photos.image_id)
        wearing = wearing.where(effective.CATEGORY == category)
    return query.where(customers.id.in_(wearing))


_own = schema.photos.alias()
_HAS_PHOTOS = exists().where(_own.c.customer_id == schema.customers.c.id, _own.c.counted)
"""True for a customer with a photo that counts, as `trendscope.store.Status` counts customers."""

_KEYS: dict[Order, Callable[[Any], Any]] = {
    "name": lambda row: natural(row.name),
    "photos": lambda row: (-row.photos, natural(row.name)),
    "latest": lambda row: (row.latest is None, -(row.latest or 0), natural(row.name)),
}
"""What sorts the rows of `_customers`."""


def _entries(connection: Connection, customers: list[Any]) -> list[CustomerEntry]:
    photos = connection.execute(_photos_of([customer.id for customer in customers]))
    rows_of = grouped(photos, "customer_id")
    return [_entry(customer.name, rows_of[customer.id]) for customer in customers]


def customer_names(db: Database = None) -> list[str]:
    """The names of all customers, in order."""
    with reading(db) as connection:
        return sorted(connection.scalars(select(schema.customers.c.name)))


def knows_customer(db: Database, name: str) -> bool:
    """True if the database holds a customer of exactly that name."""
    with reading(db) as connection:
        query = select(schema.customers.c.id).where(schema.customers.c.name == name)
        return connection.scalar(query) is not None


def close_names(name: str, names: Iterable[str]) -> str:
    """The names that are spelled most like one, in any case, for people; empty without any."""
    folded = {each.casefold(): displayed(each) for each in names}
    return " or ".join(folded[near] for near in get_close_matches(name.casefold(), folded, 3))


def unknown_customer(shown: str, customer: str, names: Iterable[str]) -> UnknownCustomer:
    """The error for a name that no customer of a database has; names the nearest ones."""
    near = close_names(customer, names)
    advice = f"is it {near}?" if near else "check the spelling"
    return UnknownCustomer(f"{shown} holds no customer {displayed(customer)!r}; {advice}")


def _photos_of(ids: list[int]) -> Select[Any]:
    photos = schema.photos.c
    query = select(
        photos.customer_id,
        photos.posted_at,
        schema.images.c.sha256,
        effective.NUMBER.label("number"),
        effective.CATEGORY.label("category"),
        effective.REASON.label("reason"),
        case((effective.UNSURE, schema.sightings.c.probabilities)).label("probabilities"),
    ).join_from(schema.photos, schema.images)
    counted = query.where(photos.customer_id.in_(ids), photos.counted)
    newest = counted.order_by(photos.posted_at.desc().nulls_last(), photos.place)
    return effective.with_effective(newest, photos.image_id)


def _entry(name: str, rows: list[Any]) -> CustomerEntry:
    counts = Counter(row.category for row in rows if row.category)
    reasons = [row.reason for row in rows]
    moments = [row.posted_at for row in rows if row.posted_at is not None]
    digests = dict.fromkeys(row.sha256 for row in rows if row.category)
    uncertain = (dict(ranked(row.probabilities)) for row in rows if row.probabilities)
    shares = [(c, share) for c, share in shares_of(counts, uncertain).items() if c in counts]
    return CustomerEntry(
        name,
        sum(row.number == 0 for row in rows),
        reasons.count("uncertain"),
        reasons.count("outside"),
        dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        dict(sorted(shares, key=lambda item: -item[1])),
        from_moment(max(moments, default=None)),
        tuple(digests)[:4],
    )


def unlabelled(
    db: Database = None, search: str = "", *, limit: int = 20, offset: int = 0
) -> tuple[list[UnlabelledImage], int]:
    """Images that wait for a person's label, the latest first, and their number.

    Args:
        search: Text that the names of the customers who posted them contain, in any case.
    """
    with reading(db) as connection:
        query = _waiting(connection, search)
        total = connection.scalar(select(func.count()).select_from(query.subquery())) or 0
        rows = connection.execute(query.limit(limit).offset(offset)).all()
        digests = [row.sha256 for row in rows]
        candidates, sizes = candidates_of(connection, digests), sizes_of(connection, digests)
    return [
        UnlabelledImage(
            row.sha256,
            row.customer,
            row.source,
            from_moment(row.posted_at),
            ranked(row.probabilities)[:3],
            row.outside,
            candidates.get(row.sha256, ()),
            sizes.get(row.sha256),
            row.needed,
        )
        for row in rows
    ], total


def _waiting(connection: Connection, search: str) -> Select[Any]:
    """The images of `unlabelled`, in its order."""
    latest = func.max(schema.photos.c.posted_at)
    query = (
        select(
            schema.images.c.sha256,
            func.min(schema.customers.c.name).label("customer"),
            func.min(schema.photos.c.source).label("source"),
            latest.label("posted_at"),
            schema.sightings.c.probabilities,
            schema.sightings.c.outside,
            schema.sightings.c.needed,
        )
        .join_from(schema.sightings, schema.images)
        .join(schema.photos)
        .join(schema.customers)
        .outerjoin(schema.corrections)
        .where(_IS_UNLABELLED)
        .group_by(
            schema.images.c.sha256,
            schema.sightings.c.probabilities,
            schema.sightings.c.outside,
            schema.sightings.c.needed,
        )
    )
    query = query.order_by(latest.desc().nulls_last(), schema.images.c.sha256)
    if not search:
        return query
    everyone = connection.execute(_customers(None, None, None, "name"))
    ids = [row.id for row in everyone if contains(row.name, search)]
    # Written into the statement, as there may be more than it could have parameters.
    owners = bindparam("owners", ids, BigInteger, expanding=True, literal_execute=True)
    return query.where(schema.photos.c.customer_id.in_(owners))


_IS_UNLABELLED = and_(
    schema.sightings.c.weights_id == effective.CURRENT,
    schema.sightings.c.number == 0,
    schema.sightings.c.reason == "uncertain",
    schema.corrections.c.image_id.is_(None),
    schema.photos.c.counted,
)
