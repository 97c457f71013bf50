"""Labels that persons give images: stored as corrections, removed, listed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, insert, select

from trendscope.errors import StoreError
from trendscope.photos.results import Label, box_of
from trendscope.store import effective, schema
from trendscope.store.database import Database, opened, reading
from trendscope.store.frames import fetched
from trendscope.store.schema import box_columns, to_moment
from trendscope.store.statements import grouped, ids_of, rows_with

if TYPE_CHECKING:
    from pandas import DataFrame


def correct(
    db: Database, labels: Mapping[str, Label | None], now: datetime
) -> dict[str, Label | None]:
    """Stores a person's labels of images; they count from now on instead of the sightings.

    A label without boxes that names the same categories as the stored one keeps its boxes.

    Args:
        labels: Labels by the sha256 of the image in hex; None removes the one that is stored.

    Returns:
        The former label of each image, None without one.

    Raises:
        StoreError: An image is not there, or the database cannot be written; nothing was changed.
    """
    with opened(db) as store, store.writing() as connection:
        ids = ids_of(connection, schema.images.c.sha256, labels)
        if unknown := sorted(labels.keys() - ids.keys()):
            raise StoreError(
                f"{store.shown} holds no image {unknown[0][:64]}; scan its photo first"
            )
        former = labels_of(connection, labels)
        for digest, label in labels.items():
            label = _with_boxes(label, former.get(digest))
            former_rows = schema.corrections.c.image_id == ids[digest]
            connection.execute(delete(schema.corrections).where(former_rows))
            if label is not None:
                connection.execute(insert(schema.corrections), _rows(ids[digest], label, now))
    return {digest: former.get(digest) for digest in labels}


def _with_boxes(label: Label | None, former: Label | None) -> Label | None:
    if label and former and not label.boxes and {*label.categories} == {*former.categories}:
        return former if former.boxes else label
    return label


def labels_of(connection: Connection, digests: Iterable[str] | None = None) -> dict[str, Label]:
    """The labels of some images, or of all if None, by the sha256 of the image."""
    query = (
        select(schema.images.c.sha256, schema.corrections)
        .join_from(schema.corrections, schema.images)
        .order_by(schema.corrections.c.image_id, schema.corrections.c.number)
    )
    sha256 = schema.images.c.sha256
    rows: Iterable[Any] = rows_with(connection, query, sha256, digests or ())
    if digests is None:
        rows = connection.execute(query)
    return {digest: _label(own) for digest, own in grouped(rows, "sha256").items()}


def images_at(db: Database, sources: Iterable[str]) -> dict[str, set[tuple[str, str]]]:
    """The sha256 and the customer of the photos at some paths, by the path as reports show it."""
    source = schema.photos.c.source
    query = select(source, schema.images.c.sha256, schema.customers.c.name)
    query = query.join_from(schema.photos, schema.images).join(schema.customers)
    with reading(db) as connection:
        rows_of = grouped(rows_with(connection, query, source, sources), "source")
    return {path: {(row.sha256, row.name) for row in rows} for path, rows in rows_of.items()}


def known_images(db: Database, digests: Iterable[str]) -> set[str]:
    """Those of some images that the database holds, by sha256."""
    with reading(db) as connection:
        return set(ids_of(connection, schema.images.c.sha256, digests))


def corrections(db: Database | Connection = None) -> DataFrame:
    """All images that a person has labelled; ``training.adapt`` learns from them.

    Returns:
        file: path of a photo of the image, the first by customer and place.
        customer: text; the owner of that photo.
        category: the label: one of the ten, several joined by ``|``, ``outside`` or ``uncertain``.
        network: verdict of the current weights in the same words; None if they have not judged it.
        corrected_at: time, ``datetime64[us, UTC]``.
        sha256: of the image's bytes, in hex.
    """
    import pandas as pd

    with reading(db) as connection:
        labels, network = labels_of(connection), _network(connection)
        frame = fetched(connection, _LISTED).drop_duplicates("sha256")
    words = [network.get(digest) for digest in frame["sha256"]]
    frame.insert(2, "network", pd.Series(words, frame.index, object))
    categories = frame["sha256"].map(lambda digest: str(labels[digest]))
    frame.insert(2, "category", categories.astype(object))
    return frame.sort_values(["customer", "file", "sha256"], ignore_index=True)


def _network(connection: Connection) -> dict[str, str]:
    """What the current weights say of the labelled images, in the words of labels."""
    sightings = schema.sightings.c
    query = (
        select(schema.images.c.sha256, sightings.category, sightings.reason)
        .join_from(schema.sightings, schema.images)
        .where(
            sightings.weights_id == effective.CURRENT,
            sightings.image_id.in_(select(schema.corrections.c.image_id)),
        )
        .order_by(sightings.image_id, sightings.number)
    )
    words: defaultdict[str, list[str]] = defaultdict(list)
    for digest, category, reason in connection.execute(query):
        words[digest].append(category or reason)
    return {digest: "|".join(dict.fromkeys(each)) for digest, each in words.items()}


_LISTED = (
    select(
        schema.photos.c.source.label("file"),
        schema.customers.c.name.label("customer"),
        schema.corrections.c.corrected_at,
        schema.images.c.sha256,
    )
    .join_from(schema.corrections, schema.images)
    .join(schema.photos)
    .join(schema.customers)
    .where(schema.corrections.c.number == 0)
    .order_by(schema.customers.c.name, schema.photos.c.source, schema.photos.c.place)
)


def _rows(image_id: int, label: Label, now: datetime) -> list[dict[str, Any]]:
    common = {"image_id": image_id, "reason": label.reason, "corrected_at": to_moment(now)}
    garments = zip_longest(label.categories or (None,), label.boxes)
    return [
        {**common, "number": number, "category": category, **box_columns(box)}
        for number, (category, box) in enumerate(garments)
    ]


def _label(rows: list[Any]) -> Label:
    boxes = tuple(map(box_of, rows))
    categories = tuple(row.category for row in rows if row.category)
    return Label(categories, rows[0].reason, boxes if any(boxes) else ())
