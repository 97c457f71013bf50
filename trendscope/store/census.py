"""All photos of a store in one pass, as numbers, for tables that count millions of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, and_, case, exists, func, select

from trendscope.categories import CATEGORIES
from trendscope.store import schema
from trendscope.store.database import Database, opened

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pandas import Categorical, DataFrame, Series

FETCHED = 50_000
"""Rows fetched at once."""
ASKED = 10_000
"""Customers asked for at once."""

UNCERTAIN, OUTSIDE, DOUBLE, WAITING = range(len(CATEGORIES), len(CATEGORIES) + 4)
"""What a photo without a category is; those with one have its place in `CATEGORIES`."""
NO_DATE = -(2**62)


@dataclass(frozen=True)
class Census:
    """Everything that one state of a store holds, each photo in one place.

    Attributes:
        rows: A row per garment seen, and per photo without any, in no order. ``customer`` text,
            categorical; ``photo`` a number; ``posted_at`` time, NaT if undated; ``category`` one
            of the ten, categorical, missing where there is a ``reason``: ``uncertain`` or
            ``outside``, categorical.
        reasons: How many things were not used, by the keys of `trendscope.feeds.REASONS`; photos
            that lie in several places are a ``duplicate`` in all but one.
        waiting: Photos that the current weights have not judged yet; in no row.
        unknown: Customers asked for of whom the store knows nothing.
    """

    rows: DataFrame
    reasons: dict[str, int]
    waiting: int
    unknown: tuple[str, ...] = ()


def census(db: Database = None, customers: Collection[str] | None = None) -> Census:
    """Reads all photos, or those of some customers, and counts what was not used.

    Raises:
        StoreError: The database is missing, or cannot be read.
    """
    import numpy as np

    with opened(db) as store, store.reading() as connection:
        owners = select(schema.customers.c.id, schema.customers.c.name)
        names = {int(row[0]): str(row[1]) for row in connection.execute(owners)}
        if customers is not None:
            names = {owner: name for owner, name in names.items() if name in set(customers)}
        groups: list[list[int] | None] = [None]
        if customers is not None:
            groups = [*_groups(sorted(names))]
        parts = [_photos(connection, group) for group in groups]
        reasons = _reasons(connection, groups)
    table = np.concatenate(parts or [np.empty((0, 4), np.int64)])
    kind = table[:, 3]
    if doubles := int((kind == DOUBLE).sum()):
        reasons["duplicate"] = reasons.get("duplicate", 0) + doubles
    unknown = tuple(sorted(set(customers or ()) - set(names.values())))
    rows = _rows(table[kind < DOUBLE], names)
    return Census(rows, reasons, int((kind == WAITING).sum()), unknown)


def _groups(owners: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(owners), ASKED):
        yield owners[start : start + ASKED]


def _photos(connection: Connection, owners: list[int] | None) -> NDArray[np.int64]:
    """(n, 4): photo, customer, moment and kind of every photo, and of every further garment."""
    import numpy as np

    query = _all_photos()
    if owners is not None:
        query = query.where(schema.photos.c.customer_id.in_(owners))
    result = connection.execution_options(yield_per=FETCHED).execute(query)
    parts = [
        np.fromiter(chain.from_iterable(rows), np.int64, 4 * len(rows)).reshape(-1, 4)
        for rows in result.partitions()
    ]
    return np.concatenate(parts or [np.empty((0, 4), np.int64)])


def _all_photos() -> Select[Any]:
    photos, sightings = schema.photos.c, schema.sightings.c
    current = select(schema.weights.c.id).where(schema.weights.c.current).scalar_subquery()
    judged = and_(sightings.image_id == photos.image_id, sightings.weights_id == current)
    kind = case(
        (~photos.counted, DOUBLE),
        (sightings.image_id.is_(None), WAITING),
        *((sightings.category == name, place) for place, name in enumerate(CATEGORIES)),
        (sightings.reason == "outside", OUTSIDE),
        else_=UNCERTAIN,
    )
    columns = (photos.id, photos.customer_id, func.coalesce(photos.posted_at, NO_DATE), kind)
    query = select(*columns).select_from(schema.photos).outerjoin(schema.sightings, judged)
    # A double is one place, however many garments its image shows.
    return query.where(photos.counted | (func.coalesce(sightings.number, 0) == 0))


def _reasons(connection: Connection, groups: list[list[int] | None]) -> dict[str, int]:
    # A file that broke since it was read is skipped, but what was seen in it counts on.
    still_known = exists().where(schema.photos.c.place == schema.skips.c.place)
    found: dict[str, int] = {}
    for owners in groups:
        query = select(schema.skips.c.reason, func.count()).where(~still_known)
        query = query.group_by(schema.skips.c.reason)
        if owners is not None:
            query = query.where(schema.skips.c.customer_id.in_(owners))
        for reason, count in connection.execute(query):
            found[reason] = found.get(reason, 0) + count
    return found


def _rows(table: NDArray[np.int64], names: dict[int, str]) -> DataFrame:
    import numpy as np
    import pandas as pd

    photo, owner, moment, kind = table.T
    owners = np.array(sorted(names), np.int64)
    places = np.searchsorted(owners, owner)
    labels = [names[int(number)] for number in owners]
    known = np.where(kind < len(CATEGORIES), kind, -1)
    reason = np.where(kind >= len(CATEGORIES), kind - UNCERTAIN, -1)
    return pd.DataFrame(
        {
            "customer": _categorical(places, labels),
            "photo": photo,
            "posted_at": _times(moment),
            "category": _categorical(known, CATEGORIES),
            "reason": _categorical(reason, ("uncertain", "outside")),
        }
    )


def _categorical(codes: NDArray[Any], labels: Sequence[str]) -> Categorical[Any]:
    from pandas import Categorical, CategoricalDtype

    return Categorical.from_codes(codes, dtype=CategoricalDtype(list(labels)))


def _times(moments: NDArray[np.int64]) -> Series[Any]:
    import numpy as np
    import pandas as pd

    times = moments.astype("datetime64[us]")
    times[moments == NO_DATE] = np.datetime64("NaT")
    return pd.Series(times).dt.tz_localize("UTC")
