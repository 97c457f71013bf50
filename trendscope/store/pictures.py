"""What a store knows of single images: what counts, what else may be seen, and sizes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, select

from trendscope.photos.results import Garment, PictureResult, box_of
from trendscope.store import effective, schema
from trendscope.store.database import Database, opened, parts


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


def image_result(db: Database, sha256: str) -> PictureResult | None:
    """What counts for an image; its candidates are all garments that the network sees beside these.

    Args:
        db: The database.
        sha256: Digest of the image's bytes, in hex.

    Returns:
        The result, with the digest for its path; None if neither a person nor the current weights
        have judged such an image.
    """
    image = schema.images.c.sha256 == sha256
    seen = (
        select(schema.sightings)
        .join(schema.images, schema.images.c.id == schema.sightings.c.image_id)
        .where(image, schema.sightings.c.weights_id == effective.CURRENT)
        .where(schema.sightings.c.category.isnot(None))
        .order_by(schema.sightings.c.number)
    )
    with opened(db) as store, store.reading() as connection:
        rows = connection.execute(_COUNTS.where(image)).all()
        if not rows:
            return None
        others = [Garment(r.category, r.confidence, box_of(r)) for r in connection.execute(seen)]
        others += candidates_of(connection, [sha256]).get(sha256, ())
        size = sizes_of(connection, [sha256]).get(sha256)
    boxes = {box_of(row) for row in rows}
    candidates = tuple(garment for garment in others if garment.box not in boxes)
    picture = PictureResult.of_sightings(sha256, sha256, rows, candidates)
    return replace(picture, size=size)


_COUNTS = effective.with_effective(
    select(
        effective.CATEGORY.label("category"),
        effective.REASON.label("reason"),
        effective.CONFIDENCE.label("confidence"),
        effective.OUTSIDE.label("outside"),
        schema.sightings.c.probabilities,
        *(column.label(name) for name, column in effective.BOX.items()),
    ).select_from(schema.images),
    schema.images.c.id,
).order_by(effective.NUMBER)
