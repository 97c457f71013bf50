"""What a store holds, as data frames.

Every function takes a database (a file, a URL or an open `Store`) or a connection of
`Store.reading`, sees one state of it, and reads what counts: corrections, else the sightings of the
current weights. Duplicates are left out: the same image or post of a customer counts once. Times
are ``datetime64[us, UTC]``, NaT where unknown. Rows come in the order of customer, time and place,
unless a docstring names another, so that the same content gives the same frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Double,
    Integer,
    Select,
    Subquery,
    and_,
    case,
    func,
    literal,
    select,
    union_all,
)

from trendscope.store import effective, schema
from trendscope.store.counts import FETCHED, READ_BEFORE
from trendscope.store.database import Database, reading
from trendscope.text import natural

if TYPE_CHECKING:
    from pandas import DataFrame


def sightings(
    db: Database | Connection = None, customer: str | None = None, *, vectors: bool = False
) -> DataFrame:
    """Every garment that was seen, and every photo in which none could be named.

    Args:
        vectors: Whether the last three columns are added, which are large.

    Returns:
        customer, post_id: text.
        posted_at: time.
        date_source: ``feed``, ``exif``, ``file name`` or ``none``.
        category: one of the ten; None where a reason is given.
        reason: ``uncertain`` or ``outside``; None where a category is given.
        confidence: calibrated probability of the best of the ten, 0..1; 1 where a person named it,
            NaN where a person named none in a photo that the current weights have not judged.
        outside: probability that it is none of the ten, 0..1; 0 or 1 where a person labelled it.
        x0, y0, x1, y1: box in pixels of the upright photo, Int64; <NA> without a category, and for
            garments that only a person saw.
        corrected: bool; True where a person labelled it.
        sha256: of the image's bytes, in hex.
        source: path of the photo, for people.
        needed: confidence from which on it is named, where it was not; else NaN.
        probabilities: bytes, 10 float32 in label order (``numpy.frombuffer(value, "<f4")``).
        embedding: bytes, float32, of the garment, or of the photo where a garment has none of its
            own; None where it was not kept.
    """
    query = _sightings(vectors)
    if customer is not None:
        query = query.where(schema.customers.c.name == customer)
    return fetched(db, query)


def sightings_in_parts(connection: Connection) -> Iterator[DataFrame]:
    """The rows of `sightings` in their order, some thousands at a time."""
    return _frames(connection, _sightings())


def unsure_in_parts(connection: Connection) -> Iterator[DataFrame]:
    """The photos that the current weights are not sure of, and that no person has labelled.

    Columns: ``customer`` text, ``probabilities`` as in `sightings`; in no order.
    """
    query = select(_CUSTOMER, schema.sightings.c.probabilities)
    return _frames(connection, _effective(query).where(effective.UNSURE))


_CUSTOMER = schema.customers.c.name.label("customer")
_REFUSED = select(
    _CUSTOMER, *(schema.skips.c[name] for name in ("source", "reason", "detail"))
).outerjoin_from(schema.skips, schema.customers)
_COLUMNS = {
    "customer": _CUSTOMER,
    "post_id": schema.photos.c.post_id,
    "posted_at": schema.photos.c.posted_at,
    "date_source": schema.photos.c.date_source,
    "category": effective.CATEGORY.label("category"),
    "reason": effective.REASON.label("reason"),
    "confidence": effective.CONFIDENCE.label("confidence"),
    "outside": effective.OUTSIDE.label("outside"),
    **{name: box.label(name) for name, box in effective.BOX.items()},
    "corrected": effective.CORRECTED.label("corrected"),
    "sha256": schema.images.c.sha256,
    "source": schema.photos.c.source,
}
_WEEKLY = ("customer", "posted_at", "category", "reason", "confidence", "sha256", "source")


def _sightings(vectors: bool = False) -> Select[Any]:
    query = _effective(select(*_COLUMNS.values()))
    if vectors:
        vector = func.coalesce(schema.embeddings.c.vector, _FIRST_VECTOR).label("embedding")
        query = query.add_columns(
            schema.sightings.c.probabilities, schema.sightings.c.needed, vector
        )
        query = query.outerjoin(schema.embeddings, _SAME_GARMENT)
    return query.order_by(*_ORDER, effective.NUMBER)


def weekly_rows(
    db: Database = None, columns: Sequence[str] | None = None, *, since: datetime | None = None
) -> DataFrame:
    """The rows that weekly tables count: one per garment, or per photo without one, in no order.

    Sorting millions of them would take longer than counting them.

    Args:
        columns: The only columns to read; `sha256` and `source` take most of the memory.
        since: Aware time from which on photos are read.

    Returns:
        customer: text, categorical.
        posted_at: time; NaT for undated photos.
        category: one of the ten, categorical; missing where a reason is given.
        reason: ``uncertain`` or ``outside``, categorical; missing where a category is given.
        confidence: as in `sightings`.
        sha256: of the image's bytes; the same in all rows of one photo of a customer.
        source: path of the photo, for people.
    """
    names = _WEEKLY if columns is None else columns
    query = _effective(select(*(_COLUMNS[name] for name in names)))
    if since is not None:
        query = query.where(schema.photos.c.posted_at >= schema.to_moment(since))
    frame = fetched(db, query)
    categorical = [name for name in ("customer", "category", "reason") if name in names]
    return frame.astype(dict.fromkeys(categorical, "category"))


def by_name(rows: DataFrame) -> DataFrame:
    """Rows by ``customer`` as people sort names; those of each stay in their order."""
    names = sorted(rows["customer"].unique(), key=natural)
    places = rows["customer"].map({name: place for place, name in enumerate(names)})
    return rows.iloc[places.to_numpy(int).argsort(kind="stable")].reset_index(drop=True)


def customers(db: Database = None) -> DataFrame:
    """All customers, with figures that add up: photos = classified + uncertain + outside + waiting.

    Returns:
        customer: text, in order.
        photos: number of photos that count.
        classified, uncertain, outside: number of these with each verdict.
        waiting: number of these that the current weights have not judged yet.
        undated: number of these without a date.
        doubles: number of photos that are counted elsewhere.
        skipped: number of files that were not used.
        first_posted, last_posted: times of the first and last dated photo that counts.
    """
    verdict = verdicts().subquery()
    refused = select(func.count()).where(schema.skips.c.customer_id == schema.customers.c.id)
    figures = photo_figures(verdict)
    figures.insert(7, refused.scalar_subquery().label("skipped"))  # after doubles
    query = (
        select(_CUSTOMER, *figures)
        .outerjoin_from(schema.customers, schema.photos)
        .outerjoin(verdict, verdict.c.image_id == schema.photos.c.image_id)
        .group_by(schema.customers.c.id, schema.customers.c.name)
    )
    return by_name(fetched(db, query))


def skips(db: Database | Connection = None, customer: str | None = None) -> DataFrame:
    """The items that were not used.

    Returns:
        customer: text; None where unknown.
        source: path of the item, for people.
        reason: a key of `trendscope.skipped.REASONS`.
        detail: a plain sentence.
    """
    query = _REFUSED
    if customer is not None:
        query = query.where(schema.customers.c.name == customer)
    order = (schema.customers.c.name.nulls_last(), schema.skips.c.source, schema.skips.c.reason)
    return fetched(db, query.order_by(*order))


def unused_in_parts(connection: Connection) -> Iterator[DataFrame]:
    """The items that count nowhere, as in `skips`; photos that lie elsewhere too are duplicates.

    Files that broke after they had been read are left out, as their sightings count.
    """
    duplicates = (
        select(
            _CUSTOMER,
            schema.photos.c.source,
            literal("duplicate").label("reason"),
            literal("the same photo is counted elsewhere").label("detail"),
        )
        .join_from(schema.photos, schema.customers)
        .where(~schema.photos.c.counted)
    )
    both = union_all(_REFUSED.where(~READ_BEFORE), duplicates).subquery()
    order = (both.c.customer.nulls_last(), both.c.source, both.c.reason)
    return _frames(connection, select(*both.c).order_by(*order))


# --- queries -------------------------------------------------------------------------------------

_SAME_GARMENT = and_(
    schema.embeddings.c.image_id == schema.sightings.c.image_id,
    schema.embeddings.c.weights_id == schema.sightings.c.weights_id,
    schema.embeddings.c.number == effective.EMBEDDED,
)
_first = schema.embeddings.alias("first_embeddings")
_FIRST_VECTOR = (
    select(_first.c.vector)
    .where(
        _first.c.image_id == schema.sightings.c.image_id,
        _first.c.weights_id == schema.sightings.c.weights_id,
        _first.c.number == 0,
    )
    .scalar_subquery()
)
_ORDER = (schema.customers.c.name, schema.photos.c.posted_at.nulls_last(), schema.photos.c.place)


def _effective(query: Select[Any]) -> Select[Any]:
    """The query over counted photos with their owners, images and what counts for them."""
    photos = query.join_from(schema.photos, schema.customers).join(schema.images)
    photos = photos.where(schema.photos.c.counted)
    return effective.with_effective(photos, schema.photos.c.image_id)


def verdicts() -> Select[Any]:
    """image_id and verdict of every image that a person or the current weights have judged."""
    verdict = func.coalesce(effective.REASON, literal("classified")).label("verdict")
    query = select(schema.images.c.id.label("image_id"), verdict).select_from(schema.images)
    return effective.with_effective(query, schema.images.c.id).where(effective.NUMBER == 0)


def photo_figures(verdict: Subquery) -> list[ColumnElement[Any]]:
    """Columns of `customers` that count photos, for photos joined with their `verdicts`."""
    photos = schema.photos.c
    conditions = {
        "photos": photos.counted,
        "classified": and_(photos.counted, verdict.c.verdict == "classified"),
        "uncertain": and_(photos.counted, verdict.c.verdict == "uncertain"),
        "outside": and_(photos.counted, verdict.c.verdict == "outside"),
        "waiting": and_(photos.counted, verdict.c.verdict.is_(None)),
        "undated": and_(photos.counted, photos.posted_at.is_(None)),
        "doubles": ~photos.counted,
    }
    dates = case((photos.counted, photos.posted_at))
    return [
        *(func.count(case((condition, 1))).label(name) for name, condition in conditions.items()),
        func.min(dates).label("first_posted"),
        func.max(dates).label("last_posted"),
    ]


def fetched(db: Database | Connection, query: Select[Any]) -> DataFrame:
    """The rows as one frame, with all columns even if it is empty."""
    import pandas as pd

    with reading(db) as connection:
        return pd.concat(list(_frames(connection, query)), ignore_index=True)


def _frames(connection: Connection, query: Select[Any]) -> Iterator[DataFrame]:
    """The rows in frames, with moments as times; at least one frame, even if it is empty."""
    import pandas as pd

    result = connection.execution_options(yield_per=FETCHED).execute(query)
    names, rows = list(result.keys()), result.fetchmany(FETCHED)
    while True:
        # Objects first, so that no type is guessed from the rows of one frame; and plain tuples,
        # as pandas inspects every other kind of row at length.
        frame = pd.DataFrame.from_records(list(map(tuple, rows)), columns=names).astype(object)
        for column in query.selected_columns:
            if column.name.endswith(("_at", "_posted")):
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
