"""Removing a customer from a store without a trace."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, func, select

from trendscope.store import schema
from trendscope.store.database import Database, opened, parts
from trendscope.store.listing import unknown_customer


@dataclass(frozen=True)
class Forgotten:
    """The rows that were removed with a customer, or would be.

    Attributes:
        photos: Number of photos, duplicates included.
        skipped: Number of files that were not used.
        images: Number of images that nobody else posted; their sightings and thumbnails go too.
        rows: Number of rows by table, for every table that names the customer or an image.
        wiped: Whether nothing is left in the file either; False while another program reads from
            it, and for a server, which overwrites what is removed when it next cleans up.
    """

    photos: int
    skipped: int
    images: int
    rows: dict[str, int]
    wiped: bool = False


def forgettable(db: Database, customer: str) -> Forgotten:
    """Counts the rows that `forget` would remove; changes nothing.

    Raises:
        StoreError: There is no such customer; names the nearest ones.
    """
    with opened(db) as store, store.reading() as connection:
        owner = _owner(connection, store.shown, customer)
        return _counted(connection, owner, _orphans(connection, owner))


def forget(db: Database, customer: str) -> Forgotten:
    """Removes a customer: name, photos, skipped files, and the images that nobody else posted.

    A SQLite file is written anew, so that nothing is left between its pages.

    Raises:
        StoreError: There is no such customer, or the database cannot be written; nothing is
            removed.
    """
    with opened(db) as store:
        with store.writing() as connection:
            owner = _owner(connection, store.shown, customer)
            images = _orphans(connection, owner)
            removed = _counted(connection, owner, images)
            for table in _owned("customer_id"):
                connection.execute(delete(table).where(table.c.customer_id == owner))
            for part in parts(images):
                for table in _owned("image_id"):
                    connection.execute(delete(table).where(table.c.image_id.in_(part)))
                connection.execute(delete(schema.images).where(schema.images.c.id.in_(part)))
            connection.execute(delete(schema.customers).where(schema.customers.c.id == owner))
        wiped = store.wipe()
    return replace(removed, wiped=wiped)


def _owned(column: str) -> list[Table]:
    """The tables with rows of a customer (``customer_id``) or of an image (``image_id``).

    They are known by their columns, so that a later table is not forgotten.
    """
    tables = reversed(schema.metadata.sorted_tables)
    return [table for table in tables if column in table.c]


def _owner(connection: Connection, shown: str, customer: str) -> int:
    name = schema.customers.c.name
    owner = connection.scalar(select(schema.customers.c.id).where(name == customer))
    if owner is None:
        raise unknown_customer(shown, customer, map(str, connection.scalars(select(name))))
    return int(owner)


def _orphans(connection: Connection, owner: int) -> list[int]:
    """The images that nobody else posted."""
    posted = select(schema.photos.c.image_id).where(schema.photos.c.customer_id == owner)
    posted_by_others = exists().where(
        schema.photos.c.image_id == schema.images.c.id, schema.photos.c.customer_id != owner
    )
    orphans = select(schema.images.c.id).where(schema.images.c.id.in_(posted), ~posted_by_others)
    return [int(image_id) for image_id in connection.scalars(orphans)]


def _counted(connection: Connection, owner: int, images: list[int]) -> Forgotten:
    def count(table: Table, condition: ColumnElement[bool]) -> int:
        return connection.scalar(select(func.count()).select_from(table).where(condition)) or 0

    rows = {
        table.name: count(table, table.c.customer_id == owner) for table in _owned("customer_id")
    }
    for table in _owned("image_id"):
        if "customer_id" not in table.c:
            some = (table.c.image_id.in_(part) for part in parts(images))
            rows[table.name] = sum(count(table, condition) for condition in some)
    return Forgotten(rows["photos"], rows["skips"], len(images), dict(sorted(rows.items())))
