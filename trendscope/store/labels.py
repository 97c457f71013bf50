"""What persons say photos show: written, taken back, listed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, func, insert, select

from trendscope.errors import StoreError
from trendscope.photos.results import Label
from trendscope.store import effective, schema
from trendscope.store.database import Database, opened
from trendscope.store.schema import from_moment, to_moment

if TYPE_CHECKING:
    from pandas import DataFrame

PART = 500
"""Images looked up at once."""


def correct(
    db: Database, labels: Mapping[str, Label | None], now: datetime
) -> dict[str, Label | None]:
    """Notes what a person says of some images; it counts from now on instead of what was seen.

    Args:
        db: The database.
        labels: By the sha256 of the image in hex; None takes a person's word back.
        now: The present, aware.

    Returns:
        The former label of each.

    Raises:
        StoreError: An image is not there, or the database cannot be written; nothing was changed.
    """
    with opened(db) as store, store.writing() as connection:
        ids = _ids(connection, labels)
        if unknown := sorted(labels.keys() - ids.keys()):
            raise StoreError(
                f"{store.shown} holds no image {unknown[0][:64]}; scan its photo first"
            )
        former = labels_of(connection, labels)
        for digest, label in labels.items():
            mine = schema.corrections.c.image_id == ids[digest]
            connection.execute(delete(schema.corrections).where(mine))
            if label is not None:
                connection.execute(insert(schema.corrections), _rows(ids[digest], label, now))
    return {digest: former.get(digest) for digest in labels}


def labels_of(connection: Connection, digests: Iterable[str] | None = None) -> dict[str, Label]:
    """What persons say, by the sha256 of the image; of all images if none are named."""
    query = (
        select(schema.images.c.sha256, schema.corrections)
        .join_from(schema.corrections, schema.images)
        .order_by(schema.corrections.c.image_id, schema.corrections.c.number)
    )
    rows_of: defaultdict[str, list[Any]] = defaultdict(list)
    for part in [None] if digests is None else _parts(digests):
        wanted = query if part is None else query.where(schema.images.c.sha256.in_(part))
        for row in connection.execute(wanted):
            rows_of[row.sha256].append(row)
    return {digest: _label(rows) for digest, rows in rows_of.items()}


def images_at(db: Database, sources: Iterable[str]) -> dict[str, set[tuple[str, str]]]:
    """sha256 and customer of the photos at some places, by the place as reports show it."""
    query = select(
        schema.photos.c.source, schema.images.c.sha256, schema.customers.c.name
    ).join_from(schema.photos, schema.images)
    query = query.join(schema.customers, schema.customers.c.id == schema.photos.c.customer_id)
    images: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    with opened(db) as store, store.reading() as connection:
        for part in _parts(sources):
            for row in connection.execute(query.where(schema.photos.c.source.in_(part))):
                images[row.source].add((row.sha256, row.name))
    return dict(images)


def known_images(db: Database, digests: Iterable[str]) -> set[str]:
    """Which of some images the database holds, by sha256."""
    with opened(db) as store, store.reading() as connection:
        return set(_ids(connection, digests))


def corrections(db: Database = None) -> DataFrame:
    """Every image that a person labelled; ``training.adapt`` learns from it.

    Returns:
        file: where a photo of it lies, the first by customer and place.
        customer: whose photo that is.
        category: as the person says: one of the ten, several joined by ``|``, ``outside`` or
            ``uncertain``.
        network: what the current weights say, in the same words; None if they have not judged it.
        corrected_at: time, ``datetime64[us, UTC]``.
        sha256: of the image's bytes, in hex.
    """
    with opened(db) as store, store.reading() as connection:
        return corrections_at(connection)


def corrections_at(connection: Connection) -> DataFrame:
    """The same over a connection of `Store.reading`, to read more of the same state."""
    import pandas as pd

    labels = labels_of(connection)
    rows = connection.execute(_LISTED).all()
    facts = {row.sha256: row for row in reversed(rows)}
    table = [
        {
            "file": facts[digest].source,
            "customer": facts[digest].name,
            "category": str(label),
            "network": facts[digest].network,
            "corrected_at": from_moment(facts[digest].corrected_at),
            "sha256": digest,
        }
        for digest, label in labels.items()
    ]
    columns = ["file", "customer", "category", "network", "corrected_at", "sha256"]
    frame = pd.DataFrame(table, columns=columns, dtype=object)
    frame["corrected_at"] = pd.to_datetime(frame["corrected_at"], utc=True).astype(
        "datetime64[us, UTC]"
    )
    return frame.sort_values(["customer", "file", "sha256"], ignore_index=True)


_NETWORK = (
    select(
        func.coalesce(schema.sightings.c.category, schema.sightings.c.reason),
    )
    .where(
        schema.sightings.c.image_id == schema.images.c.id,
        schema.sightings.c.weights_id == effective.CURRENT,
        schema.sightings.c.number == 0,
    )
    .scalar_subquery()
)
_LISTED = (
    select(
        schema.images.c.sha256,
        schema.photos.c.source,
        schema.customers.c.name,
        schema.corrections.c.corrected_at,
        _NETWORK.label("network"),
    )
    .select_from(schema.corrections)
    .join(schema.images, schema.images.c.id == schema.corrections.c.image_id)
    .join(schema.photos, schema.photos.c.image_id == schema.images.c.id)
    .join(schema.customers, schema.customers.c.id == schema.photos.c.customer_id)
    .where(schema.corrections.c.number == 0)
    .order_by(schema.customers.c.name, schema.photos.c.source, schema.photos.c.place)
)


def _ids(connection: Connection, digests: Iterable[str]) -> dict[str, int]:
    query = select(schema.images.c.sha256, schema.images.c.id)
    ids: dict[str, int] = {}
    for part in _parts(digests):
        rows = connection.execute(query.where(schema.images.c.sha256.in_(part)))
        ids |= {str(row[0]): int(row[1]) for row in rows}
    return ids


def _parts(values: Iterable[str]) -> Iterable[list[str]]:
    wanted = list(values)
    return (wanted[start : start + PART] for start in range(0, len(wanted), PART))


def _rows(image_id: int, label: Label, now: datetime) -> list[dict[str, Any]]:
    known = {"image_id": image_id, "corrected_at": to_moment(now)}
    if label.reason:
        return [{**known, "number": 0, "category": None, "reason": label.reason}]
    return [
        {**known, "number": number, "category": category, "reason": None}
        for number, category in enumerate(label.categories)
    ]


def _label(rows: list[Any]) -> Label:
    if rows[0].reason:
        return Label(reason=rows[0].reason)
    return Label(tuple(row.category for row in rows))
