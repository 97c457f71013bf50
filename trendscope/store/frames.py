"""What a store holds, as data frames.

Every function takes a database (a file, a URL or an open `Store`), sees one state of it, and reads
what counts: a person's corrections, else the sightings of the current weights. Doubles are left
out: the same image or post of a customer counts once. Times are ``datetime64[us, UTC]``, NaT where
unknown. Rows come in the order of customer, time and place, unless a docstring names another, so
that the same content gives the same frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Boolean,
    Connection,
    Double,
    Integer,
    Select,
    and_,
    case,
    func,
    literal,
    select,
    union_all,
)

from trendscope.store import effective, schema
from trendscope.store.counts import STILL_KNOWN
from trendscope.store.database import Database, opened

if TYPE_CHECKING:
    from pandas import DataFrame

FETCHED = 50_000
"""Rows fetched at once."""


def sightings(
    db: Database = None, customer: str | None = None, *, vectors: bool = False
) -> DataFrame:
    """Every garment that was seen, and every photo in which none could be named.

    Args:
        db: The database.
        customer: Only this one's.
        vectors: Add the last two columns, which are large.

    Returns:
        customer, post_id: text.
        posted_at: time.
        date_source: ``feed``, ``exif``, ``file name`` or ``none``.
        category: one of the ten; None where a reason is given.
        reason: ``uncertain`` or ``outside``; None where a category is given.
        confidence: in the best of the ten, 0..1; 1 where a person named it, NaN where a person
            named none in a photo that the current weights have not judged.
        outside: probability that it is none of the ten, 0..1; 0 or 1 where a person labelled it.
        x0, y0, x1, y1: box in pixels of the upright photo, Int64; <NA> without a category, and
            where only a person saw one.
        corrected: bool; True where a person labelled it.
        sha256: of the image's bytes, in hex.
        source: where the photo lies, for people.
        probabilities: bytes, 10 float32 in label order (``numpy.frombuffer(value, "<f4")``).
        embedding: bytes, float32; None where it was not kept.
    """
    query = _sightings(vectors)
    if customer is not None:
        query = query.where(schema.customers.c.name == customer)
    return _frame(db, query)


def sightings_in_parts(connection: Connection) -> Iterator[DataFrame]:
    """The rows of `sightings` in their order, some thousands at a time.

    Args:
        connection: Of `Store.reading`.
    """
    return _parts(connection, _sightings())


def unsure_in_parts(connection: Connection) -> Iterator[DataFrame]:
    """What the photos may show that the current weights are not sure of, and no person was asked.

    Columns: ``customer`` text, ``probabilities`` as in `sightings`; in no order.

    Args:
        connection: Of `Store.reading`.
    """
    columns = schema.customers.c.name.label("customer"), schema.sightings.c.probabilities
    unsure = and_(~effective.CORRECTED, schema.sightings.c.reason == "uncertain")
    return _parts(connection, _seen(select(*columns)).where(unsure))


def _sightings(vectors: bool = False) -> Select[Any]:
    columns = (
        schema.customers.c.name.label("customer"),
        schema.photos.c.post_id,
        schema.photos.c.posted_at,
        schema.photos.c.date_source,
        effective.CATEGORY.label("category"),
        effective.REASON.label("reason"),
        effective.CONFIDENCE.label("confidence"),
        effective.OUTSIDE.label("outside"),
        *(box.label(name) for name, box in effective.BOX.items()),
        effective.CORRECTED.label("corrected"),
        schema.images.c.sha256,
        schema.photos.c.source,
    )
    query = _seen(select(*columns))
    if vectors:
        vector = schema.embeddings.c.vector.label("embedding")
        query = query.add_columns(schema.sightings.c.probabilities, vector)
        query = query.outerjoin(schema.embeddings, _SAME_SIGHT)
    return query.order_by(*_ORDER, effective.NUMBER)


def weekly_rows(
    db: Database = None, columns: Sequence[str] | None = None, *, since: datetime | None = None
) -> DataFrame:
    """What weekly tables are made of: a row per garment, or per photo without one.

    Unlike the other tables' rows these come in no order; sorting millions would take longer than
    counting them.

    Args:
        db: The database.
        columns: Only these; `sha256` and `source` take most of the memory.
        since: Only photos posted at this time or later, aware.

    Returns:
        customer: text, categorical.
        posted_at: time; NaT for undated photos.
        category: one of the ten, categorical; missing where a reason is given.
        reason: ``uncertain`` or ``outside``, categorical; missing where a category is given.
        confidence: as in `sightings`.
        sha256: of the image's bytes; the same in all rows of one photo of a customer.
        source: where the photo lies, for people.
    """
    fields = {
        "customer": schema.customers.c.name.label("customer"),
        "posted_at": schema.photos.c.posted_at,
        "category": effective.CATEGORY.label("category"),
        "reason": effective.REASON.label("reason"),
        "confidence": effective.CONFIDENCE.label("confidence"),
        "sha256": schema.images.c.sha256,
        "source": schema.photos.c.source,
    }
    names = list(fields) if columns is None else list(columns)
    query = _seen(select(*(fields[name] for name in names)))
    if since is not None:
        query = query.where(schema.photos.c.posted_at >= schema.to_moment(since))
    frame = _frame(db, query)
    few = [name for name in ("customer", "category", "reason") if name in names]
    return frame.astype(dict.fromkeys(few, "category"))


def customers(db: Database = None) -> DataFrame:
    """Everyone, with figures that add up: photos = classified + uncertain + outside + waiting.

    Returns:
        customer: text, in order.
        photos: that count.
        classified, uncertain, outside: of them, by what was seen.
        waiting: of them, not yet judged by the current weights.
        undated: of them, without a date.
        doubles: places that hold a photo that is counted elsewhere.
        skipped: files that were not used.
        first_posted, last_posted: times of the first and last dated photo that counts.
    """
    verdict = verdicts().subquery()
    counted = schema.photos.c.counted
    columns = [
        schema.customers.c.name.label("customer"),
        _count(counted).label("photos"),
        *(_count(and_(counted, verdict.c.verdict == name)).label(name) for name in _VERDICTS),
        _count(and_(counted, verdict.c.verdict.is_(None), schema.photos.c.id.isnot(None))).label(
            "waiting"
        ),
        _count(and_(counted, schema.photos.c.posted_at.is_(None))).label("undated"),
        _count(~counted).label("doubles"),
        func.min(case((counted, schema.photos.c.posted_at))).label("first_posted"),
        func.max(case((counted, schema.photos.c.posted_at))).label("last_posted"),
    ]
    query = (
        select(*columns)
        .select_from(schema.customers)
        .outerjoin(schema.photos, schema.photos.c.customer_id == schema.customers.c.id)
        .outerjoin(verdict, verdict.c.image_id == schema.photos.c.image_id)
        .group_by(schema.customers.c.id, schema.customers.c.name)
    )
    with opened(db) as store, store.reading() as connection:
        frame = _fetched(connection, query)
        refused = select(schema.customers.c.name, func.count()).join_from(
            schema.skips, schema.customers
        )
        counts = dict(
            tuple(row) for row in connection.execute(refused.group_by(schema.customers.c.name))
        )
    frame.insert(8, "skipped", frame["customer"].map(counts).fillna(0).astype("Int64"))
    return frame.sort_values("customer", ignore_index=True)


def skips(db: Database = None, customer: str | None = None) -> DataFrame:
    """What was not used.

    Args:
        db: The database.
        customer: Only this one's.

    Returns:
        customer: text; None where it is not known whose it was.
        source: where it lies, for people.
        reason: a key of `trendscope.skipped.REASONS`.
        detail: a plain sentence.
    """
    columns = (
        schema.customers.c.name.label("customer"),
        schema.skips.c.source,
        schema.skips.c.reason,
        schema.skips.c.detail,
    )
    query = select(*columns).select_from(schema.skips).outerjoin(schema.customers)
    if customer is not None:
        query = query.where(schema.customers.c.name == customer)
    order = (schema.customers.c.name.nulls_last(), schema.skips.c.source, schema.skips.c.reason)
    return _frame(db, query.order_by(*order))


def unused_in_parts(connection: Connection) -> Iterator[DataFrame]:
    """Everything that counts nowhere, as in `skips`; photos that lie elsewhere too are duplicates.

    Without files that broke since they were read: what was seen in them counts.

    Args:
        connection: Of `Store.reading`.
    """
    name, again = schema.customers.c.name.label("customer"), "the same photo is counted elsewhere"
    refused = (
        select(name, schema.skips.c.source, schema.skips.c.reason, schema.skips.c.detail)
        .outerjoin_from(schema.skips, schema.customers)
        .where(~STILL_KNOWN)
    )
    labels = literal("duplicate").label("reason"), literal(again).label("detail")
    doubles = select(name, schema.photos.c.source, *labels).join_from(
        schema.photos, schema.customers
    )
    both = union_all(refused, doubles.where(~schema.photos.c.counted)).subquery()
    order = (both.c.customer.nulls_last(), both.c.source, both.c.reason)
    return _parts(connection, select(*both.c).order_by(*order))


def thumbnails(db: Database, digests: Sequence[str]) -> dict[str, bytes]:
    """Small JPEGs by the sha256 of their images; those that were not kept are missing."""
    query = select(schema.images.c.sha256, schema.thumbnails.c.jpeg).join_from(
        schema.images, schema.thumbnails
    )
    jpegs: dict[str, bytes] = {}
    with opened(db) as store, store.reading() as connection:
        for start in range(0, len(digests), 500):
            part = schema.images.c.sha256.in_(digests[start : start + 500])
            jpegs |= {str(row[0]): bytes(row[1]) for row in connection.execute(query.where(part))}
    return jpegs


# --- queries -------------------------------------------------------------------------------------

_SAME_SIGHT = and_(
    schema.embeddings.c.image_id == schema.sightings.c.image_id,
    schema.embeddings.c.weights_id == schema.sightings.c.weights_id,
)
_VERDICTS = ("classified", "uncertain", "outside")
_ORDER = (
    schema.customers.c.name,
    schema.photos.c.posted_at.nulls_last(),
    schema.photos.c.place,
)


def _seen(query: Select[Any]) -> Select[Any]:
    """The query over counted photos with their owners, images and what counts of them."""
    photos = (
        query.select_from(schema.photos)
        .join(schema.customers, schema.customers.c.id == schema.photos.c.customer_id)
        .join(schema.images, schema.images.c.id == schema.photos.c.image_id)
        .where(schema.photos.c.counted)
    )
    return effective.with_effective(photos, schema.photos.c.image_id)


def verdicts() -> Select[Any]:
    """image_id and verdict of every image that a person or the current weights have judged."""
    verdict = func.coalesce(effective.REASON, literal("classified")).label("verdict")
    query = select(schema.images.c.id.label("image_id"), verdict).select_from(schema.images)
    return effective.with_effective(query, schema.images.c.id).where(effective.NUMBER == 0)


def _count(condition: Any) -> Any:
    return func.count(case((condition, 1)))


def _frame(db: Database, query: Select[Any]) -> DataFrame:
    with opened(db) as store, store.reading() as connection:
        return _fetched(connection, query)


def _fetched(connection: Connection, query: Select[Any]) -> DataFrame:
    """The rows as one frame; an empty one has their columns too."""
    import pandas as pd

    return pd.concat(list(_parts(connection, query)), ignore_index=True)


def _parts(connection: Connection, query: Select[Any]) -> Iterator[DataFrame]:
    """The rows as frames, their moments as times; at least one, though it be empty."""
    import pandas as pd

    result = connection.execution_options(yield_per=FETCHED).execute(query)
    names, rows = list(result.keys()), result.fetchmany(FETCHED)
    while True:
        # As objects first: what a column holds must not be guessed from the rows of one part.
        # As tuples, since pandas asks of every other kind of row what it can do.
        frame = pd.DataFrame.from_records(list(map(tuple, rows)), columns=names).astype(object)
        for column in query.selected_columns:
            if column.name.endswith("posted_at") or column.name.endswith("_posted"):
                moments = frame[column.name].astype("Int64")
                frame[column.name] = pd.to_datetime(moments, unit="us", utc=True)
            elif isinstance(column.type, Double | Integer):
                kind = "float64" if isinstance(column.type, Double) else "Int64"
                frame[column.name] = frame[column.name].astype(kind)
            elif isinstance(column.type, Boolean):
                frame[column.name] = frame[column.name].astype(bool)
        yield frame
        if not (rows := result.fetchmany(FETCHED)):
            return
