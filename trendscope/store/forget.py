"""Removing a customer from a store, without a trace."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, exists, select

from trendscope.errors import StoreError
from trendscope.store import schema
from trendscope.store.database import Database, opened


@dataclass(frozen=True)
class Forgotten:
    """What was removed with a customer.

    Attributes:
        photos: Rows of photos, doubles included.
        skipped: Rows of files that were not used.
        images: Images that nobody else posted, with their sightings and thumbnails.
    """

    photos: int
    skipped: int
    images: int


def forget(db: Database, customer: str) -> Forgotten:
    """Removes a customer: name, photos, skipped files, and what was seen only in their images.

    An image that another customer posted too stays with that one. SQLite overwrites what is removed
    at once; a PostgreSQL server does so when it next cleans up.

    Raises:
        StoreError: The database cannot be written; the customer is still there as a whole.
    """
    with opened(db) as store:
        with store.writing() as connection:
            owner = connection.scalar(
                select(schema.customers.c.id).where(schema.customers.c.name == customer)
            )
            if owner is None:
                raise StoreError(
                    f"{store.shown} holds no customer {customer!r}; check the spelling"
                )
            theirs = schema.photos.c.customer_id == owner
            also_theirs = exists().where(
                schema.photos.c.image_id == schema.images.c.id, schema.photos.c.customer_id != owner
            )
            orphans = select(schema.images.c.id).where(
                schema.images.c.id.in_(select(schema.photos.c.image_id).where(theirs)),
                ~also_theirs,
            )
            ids = connection.scalars(orphans).all()
            gone = [
                connection.execute(delete(table).where(table.c.customer_id == owner)).rowcount
                for table in (schema.photos, schema.skips)
            ]
            for start in range(0, len(ids), 500):
                part = schema.images.c.id.in_(ids[start : start + 500])
                connection.execute(delete(schema.images).where(part))
            connection.execute(delete(schema.customers).where(schema.customers.c.id == owner))
        store.wipe()
    return Forgotten(gone[0], gone[1], len(ids))
