"""What a store knows of images beside their sightings: uncertain garments, and sizes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, select

from trendscope.photos.results import Garment, box_of
from trendscope.store import effective, schema
from trendscope.store.database import parts


def candidates_of(
    connection: Connection,
    digests: Iterable[str],
    weights_id: int | ColumnElement[int] | None = effective.CURRENT,
) -> dict[str, tuple[Garment, ...]]:
    """The garments of some images that some weights were not sure of, best first.

    Args:
        connection: Connection from `Store.reading`.
        digests: The sha256 of the images, in hex.
        weights_id: Number of the weights; the current ones unless given.

    Returns:
        Candidates by sha256; images without any are missing.
    """
    query = (
        select(schema.images.c.sha256, schema.candidates)
        .join_from(schema.candidates, schema.images)
        .where(schema.candidates.c.weights_id == weights_id)
        .order_by(schema.candidates.c.image_id, schema.candidates.c.number)
    )
    garments: defaultdict[str, tuple[Garment, ...]] = defaultdict(tuple)
    for part in parts(digests):
        for row in connection.execute(query.where(schema.images.c.sha256.in_(part))):
            garments[row.sha256] += (Garment(row.category, row.confidence, box_of(row)),)
    return dict(garments)


def sizes_of(connection: Connection, digests: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Width and height of some upright images in pixels, by sha256; unknown ones are missing."""
    images = schema.images.c
    query = select(images.sha256, images.width, images.height).where(images.width.isnot(None))
    return {
        row.sha256: (row.width, row.height)
        for part in parts(digests)
        for row in connection.execute(query.where(images.sha256.in_(part)))
    }
