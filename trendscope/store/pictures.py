"""What a store knows of single images: what counts, what else may be seen, sizes, thumbnails."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, Table, select

from trendscope.photos.results import Garment, PictureResult, box_of
from trendscope.store import effective, schema
from trendscope.store.database import Database, reading
from trendscope.store.statements import grouped, rows_with


def candidates_of(
    connection: Connection,
    digests: Iterable[str],
    weights_id: int | ColumnElement[int] | None = effective.CURRENT,
) -> dict[str, tuple[Garment, ...]]:
    """The garments of some images that some weights were not sure of, best first.

    Args:
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
    rows_of = _rows_of(connection, query, digests)
    return {sha256: tuple(map(_garment, rows)) for sha256, rows in rows_of.items()}


def sizes_of(connection: Connection, digests: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Width and height of some upright images in pixels, by sha256; unknown ones are missing."""
    images = schema.images.c
    query = select(images.sha256, images.width, images.height).where(images.width.isnot(None))
    rows = rows_with(connection, query, images.sha256, digests)
    return {row.sha256: (row.width, row.height) for row in rows}


def thumbnails(db: Database | Connection, digests: Sequence[str]) -> dict[str, bytes]:
    """Small JPEGs by the sha256 of their images; those that were not kept are missing."""
    return jpegs(db, schema.images.c.sha256, schema.thumbnails, digests)


def preview(db: Database | Connection, sha256: str) -> bytes | None:
    """The larger JPEG of an image; None if none was kept."""
    return jpegs(db, schema.images.c.sha256, schema.previews, [sha256]).get(sha256)


def jpegs(
    db: Database | Connection, key: Column[str], table: Table, values: Sequence[str]
) -> dict[str, bytes]:
    """The JPEGs of a table of thumbnails by a column of the table that it belongs to."""
    query = select(key, table.c.jpeg).join_from(key.table, table)
    with reading(db) as connection:
        return {str(row[0]): bytes(row[1]) for row in rows_with(connection, query, key, values)}


def image_results(db: Database, digests: Iterable[str]) -> dict[str, PictureResult]:
    """What counts for some images; as candidates all that the network sees beside these garments.

    Returns:
        Results by sha256, which is their path too; images that neither a person nor the current
        weights have judged are missing.
    """
    digests = list(digests)
    with reading(db) as connection:
        counted = _rows_of(connection, _COUNTED, digests)
        network_rows = _rows_of(connection, _SEEN, digests)
        unsure, sizes = candidates_of(connection, digests), sizes_of(connection, digests)
    results = {}
    for sha256, rows in counted.items():
        boxes = {box_of(row) for row in rows}
        others = (*map(_garment, network_rows[sha256]), *unsure.get(sha256, ()))
        candidates = tuple(garment for garment in others if garment.box not in boxes)
        result = PictureResult.of_sightings(sha256, sha256, rows, candidates)
        results[sha256] = replace(result, size=sizes.get(sha256))
    return results


def _rows_of(
    connection: Connection, query: Select[Any], digests: Iterable[str]
) -> defaultdict[str, list[Any]]:
    return grouped(rows_with(connection, query, schema.images.c.sha256, digests), "sha256")


def _garment(row: Any) -> Garment:
    return Garment(row.category, row.confidence, box_of(row))


_COUNTED = effective.with_effective(
    select(
        schema.images.c.sha256,
        effective.CATEGORY.label("category"),
        effective.REASON.label("reason"),
        effective.CONFIDENCE.label("confidence"),
        effective.OUTSIDE.label("outside"),
        schema.sightings.c.probabilities,
        *(column.label(name) for name, column in effective.BOX.items()),
    ).select_from(schema.images),
    schema.images.c.id,
).order_by(schema.images.c.id, effective.NUMBER)

_SEEN = (
    select(schema.images.c.sha256, schema.sightings)
    .join_from(schema.sightings, schema.images)
    .where(schema.sightings.c.weights_id == effective.CURRENT)
    .where(schema.sightings.c.category.isnot(None))
    .order_by(schema.sightings.c.image_id, schema.sightings.c.number)
)
