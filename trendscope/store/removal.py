"""Removing a customer from a store, without a trace."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from sqlalchemy import Connection, Table, delete, exists, func, select

from trendscope.errors import StoreError
from trendscope.store import schema
from trendscope.store.database import Database, opened
from trendscope.text import displayed


@dataclass(frozen=True)
class Forgotten:
    """What was removed with a customer, or would be.

    Attributes:
        photos: Rows of photos, doubles included.
        skipped: Rows of files that were not used.
        images: Images that nobody else posted, with their sightings and thumbnails.
        rows: All rows by table, those of tables that only name the customer or an image included.
        wiped: Whether nothing is left in the file either; False while another program reads from
            it, and for a server, which overwrites what is removed when it next cleans up.
    """

    photos: int
    skipped: int
    images: int
    rows: dict[str, int]
    wiped: bool = False


def forgettable(db: Database, customer: str) -> Forgotten:
    """What `forget` would remove; nothing is changed.

    Raises:
        StoreError: There is no such customer; names the nearest ones.
    """
    with opened(db) as store, store.reading() as connection:
        owner = _owner(connection, store.shown, customer)
        return _counted(connection, owner, _orphans(connection, owner))


def forget(db: Database, customer: str) -> Forgotten:
    """Removes a customer: name, photos, skipped files, and what was seen only in their images.

    An image that another customer posted too stays with that one. A SQLite file is written anew, so
    that nothing is left between its pages.

    Raises:
        StoreError: There is no such customer, or the database cannot be written; nothing is
            removed.
    """
    with opened(db) as store:
        with store.writing() as connection:
            owner = _owner(connection, store.shown, customer)
            images = _orphans(connection, owner)
            gone = _counted(connection, owner, images)
            for table in _owned("customer_id"):
                connection.execute(delete(table).where(table.c.customer_id == owner))
            for start in range(0, len(images), _CHUNK):
                part = images[start : start + _CHUNK]
                for table in _owned("image_id"):
                    connection.execute(delete(table).where(table.c.image_id.in_(part)))
                connection.execute(delete(schema.images).where(schema.images.c.id.in_(part)))
            connection.execute(delete(schema.customers).where(schema.customers.c.id == owner))
        wiped = store.wipe()
    return Forgotten(gone.photos, gone.skipped, gone.images, gone.rows, wiped)


_CHUNK = 500


def _owned(column: str) -> list[Table]:
    """Every table with rows of a customer (``customer_id``) or of an image (``image_id``).

    Found by the columns, so that a table that comes later is not forgotten.
    """
    tables = reversed(schema.metadata.sorted_tables)
    return [table for table in tables if column in table.c]


def _owner(connection: Connection, shown: str, customer: str) -> int:
    known = schema.customers.c
    owner = connection.scalar(select(known.id).where(known.name == customer))
    if owner is None:
        names = [str(name) for name in connection.scalars(select(known.name))]
        near = ", ".join(displayed(name) for name in get_close_matches(customer, names, 3))
        advice = f"is it {near}?" if near else "check the spelling"
        raise StoreError(f"{shown} holds no customer {displayed(customer)!r}; {advice}")
    return int(owner)


def _orphans(connection: Connection, owner: int) -> list[int]:
    """Images that nobody else posted."""
    theirs = schema.photos.c.customer_id == owner
    also_theirs = exists().where(
        schema.photos.c.image_id == schema.images.c.id, schema.photos.c.customer_id != owner
    )
    orphans = select(schema.images.c.id).where(
        schema.images.c.id.in_(select(schema.photos.c.image_id).where(theirs)), ~also_theirs
    )
    return [int(image) for image in connection.scalars(orphans)]


def _counted(connection: Connection, owner: int, images: list[int]) -> Forgotten:
    rows = {
        table.name: connection.scalar(
            select(func.count()).select_from(table).where(table.c.customer_id == owner)
        )
        or 0
        for table in _owned("customer_id")
    }
    for table in _owned("image_id"):
        if "customer_id" not in table.c:
            rows[table.name] = sum(
                connection.scalar(
                    select(func.count())
                    .select_from(table)
                    .where(table.c.image_id.in_(images[start : start + _CHUNK]))
                )
                or 0
                for start in range(0, len(images), _CHUNK)
            )
    return Forgotten(rows["photos"], rows["skips"], len(images), dict(sorted(rows.items())))
