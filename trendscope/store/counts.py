"""All photos of a store in one pass, as numbers, for tables that count millions of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import BigInteger, Connection, Select, case, cast, exists, func, select

from trendscope.categories import CATEGORIES
from trendscope.store import effective, schema
from trendscope.store.database import Database, parts, reading

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import Categorical, DataFrame, Series

FETCHED = 50_000
"""Rows fetched at once."""
OWNERS_AT_ONCE = 10_000
"""Customers named in one statement."""

UNCERTAIN, OUTSIDE, DUPLICATE, PENDING = range(len(CATEGORIES), len(CATEGORIES) + 4)
"""Kinds of photos without a category; the kind of the others is its index in `CATEGORIES`."""
NO_DATE = -(2**62)
BY_PERSON, UNKNOWN = -2, -1
"""Certainties that are no millionths: a person's word, and none."""
READ_BEFORE = exists().where(schema.photos.c.place == schema.skips.c.place)
"""True for a skipped file that broke after it had been read; its sightings still count."""


@dataclass(frozen=True)
class Census:
    """The content of one state of a store, each photo counted once.

    Attributes:
        rows: A row per garment seen, and per photo without any, in no order. ``customer`` text,
            categorical; ``photo`` a number; ``posted_at`` time, NaT if undated; ``category`` one
            of the ten, categorical, missing where there is a ``reason``: ``uncertain`` or
            ``outside``, categorical; ``confidence`` of the network's names, 0..1 to six digits,
            else NaN; ``corrected``: whether a person said so.
        unused: Number of items that were not used, by customer, None where unknown, and by a key of
            `trendscope.skipped.REASONS`; photos that lie in several places are a ``duplicate`` in
            all but one.
        waiting: Number of photos that neither a person nor the current weights have judged yet, by
            customer; they are in no row.
        customers: Names of all customers, or of those among the requested ones that are stored.
    """

    rows: DataFrame
    unused: Counter[tuple[str | None, str]]
    waiting: Counter[str]
    customers: tuple[str, ...]

    @property
    def reasons(self) -> Counter[str]:
        """Number of items that were not used, by reason alone."""
        totals: Counter[str] = Counter()
        for (_, reason), count in self.unused.items():
            totals[reason] += count
        return totals


def census(db: Database | Connection = None, customers: Collection[str] | None = None) -> Census:
    """Reads all photos, or those of some customers, and counts the items that were not used.

    Raises:
        StoreError: The database is missing, or cannot be read.
    """
    query = select(schema.customers.c.id, schema.customers.c.name)
    groups: list[list[int] | None] = [None]
    with reading(db) as connection:
        names = {int(row[0]): str(row[1]) for row in connection.execute(query)}
        if customers is not None:
            requested = frozenset(customers)
            names = {owner: name for owner, name in names.items() if name in requested}
            groups = [*parts(sorted(names), OWNERS_AT_ONCE)]
        arrays = [array for group in groups for array in _photos(connection, group)]
        unused = _unused(connection, groups, names)
    table = np.concatenate([np.empty((0, 5), np.int64), *arrays])
    kind = table[:, 3]
    for name, count in _by_customer(table[kind == DUPLICATE], names).items():
        unused[name, "duplicate"] += count
    pending = _by_customer(table[kind == PENDING], names)
    rows = _rows(table[kind < DUPLICATE], names)
    return Census(rows, unused, pending, tuple(sorted(names.values())))


def _by_customer(table: NDArray[np.int64], names: dict[int, str]) -> Counter[str]:
    owners, counts = np.unique(table[:, 1], return_counts=True)
    return Counter({names[int(o)]: int(count) for o, count in zip(owners, counts, strict=True)})


def _photos(connection: Connection, owners: list[int] | None) -> Iterator[NDArray[np.int64]]:
    """Arrays (n, 5) of photo, customer, moment, kind and certainty of photos, and more garments."""
    query = _all_photos()
    if owners is not None:
        query = query.where(schema.photos.c.customer_id.in_(owners))
    for rows in _fetched(connection, query):
        yield np.fromiter(chain.from_iterable(rows), np.int64, 5 * len(rows)).reshape(-1, 5)


def _fetched(connection: Connection, query: Select[Any]) -> Iterator[Sequence[Any]]:
    """Rows by the thousand; from SQLite as bare tuples, in half the time."""
    if connection.dialect.name != "sqlite":
        yield from connection.execution_options(yield_per=FETCHED).execute(query).partitions()
        return
    driver: Any = connection.connection.driver_connection
    literal = query.compile(connection, compile_kwargs={"literal_binds": True})
    cursor = driver.execute(str(literal))
    while rows := cursor.fetchmany(FETCHED):
        yield rows


def _all_photos() -> Select[Any]:
    photos = schema.photos.c
    kind = case(
        (~photos.counted, DUPLICATE),
        (effective.NUMBER.is_(None), PENDING),
        *((effective.CATEGORY == name, index) for index, name in enumerate(CATEGORIES)),
        (effective.REASON == "outside", OUTSIDE),
        else_=UNCERTAIN,
    )
    millionths = cast(effective.CONFIDENCE * 1_000_000, BigInteger)
    certainty = case((effective.CORRECTED, BY_PERSON), else_=func.coalesce(millionths, UNKNOWN))
    moment = func.coalesce(photos.posted_at, NO_DATE)
    query = select(photos.id, photos.customer_id, moment, kind, certainty)
    query = query.select_from(schema.photos)
    # A duplicate is one photo, however many garments its image shows.
    once = photos.counted | (func.coalesce(effective.NUMBER, 0) == 0)
    return effective.with_effective(query, photos.image_id, pending=True).where(once)


def _unused(
    connection: Connection, groups: list[list[int] | None], names: dict[int, str]
) -> Counter[tuple[str | None, str]]:
    owner, reason = schema.skips.c.customer_id, schema.skips.c.reason
    counts: Counter[tuple[str | None, str]] = Counter()
    for owners in groups:
        query = select(owner, reason, func.count()).where(~READ_BEFORE).group_by(owner, reason)
        if owners is not None:
            query = query.where(owner.in_(owners))
        for number, key, count in connection.execute(query):
            counts[names.get(number), key] += count
    return counts


def _rows(table: NDArray[np.int64], names: dict[int, str]) -> DataFrame:
    import pandas as pd

    photo, owner, moment, kind, certainty = table.T
    owners = np.array(sorted(names), np.int64)
    categories = np.where(kind < len(CATEGORIES), kind, -1)
    reason = np.where(kind >= len(CATEGORIES), kind - UNCERTAIN, -1)
    return pd.DataFrame(
        {
            "customer": _categorical(
                np.searchsorted(owners, owner), [names[int(number)] for number in owners]
            ),
            "photo": photo,
            "posted_at": _times(moment),
            "category": _categorical(categories, CATEGORIES),
            "reason": _categorical(reason, ("uncertain", "outside")),
            "confidence": np.where((certainty >= 0) & (categories >= 0), certainty / 1e6, np.nan),
            "corrected": certainty == BY_PERSON,
        }
    )


def _categorical(codes: NDArray[Any], names: Sequence[str]) -> Categorical[Any]:
    from pandas import Categorical, CategoricalDtype

    return Categorical.from_codes(codes, dtype=CategoricalDtype(list(names)))


def _times(moments: NDArray[np.int64]) -> Series[Any]:
    import pandas as pd

    times = moments.astype("datetime64[us]")
    times[moments == NO_DATE] = np.datetime64("NaT")
    return pd.Series(times).dt.tz_localize("UTC")
