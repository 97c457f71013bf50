"""What counts for an image: its correction, else the sightings of the current weights.

The one place that decides it in SQL; `trendscope.photos.results.PhotoResult.labelled` does the same
for a result in memory. Sightings stay as they are, so a correction can be removed, and outlives
every scan and all weights.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    Select,
    Table,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    true,
)

from trendscope.store.schema import candidates, corrections, sightings, weights

CORRECTED = corrections.c.image_id.isnot(None)
"""True for an image that a person has labelled."""

UNSURE = and_(~CORRECTED, sightings.c.reason == "uncertain")
"""True for an image that the network is not sure of, and that no person has labelled."""

NUMBER: ColumnElement[int] = func.coalesce(corrections.c.number, sightings.c.number)
CATEGORY = case((CORRECTED, corrections.c.category), else_=sightings.c.category)
REASON = case((CORRECTED, corrections.c.reason), else_=sightings.c.reason)
_NAMED = corrections.c.category.isnot(None)
CONFIDENCE = case((_NAMED, literal(1.0, Double)), else_=sightings.c.confidence)
OUTSIDE = case(
    (_NAMED, literal(0.0, Double)),
    (corrections.c.reason == "outside", literal(1.0, Double)),
    else_=sightings.c.outside,
)
_CORNERS = ("x0", "y0", "x1", "y1")
_other = corrections.alias("other_corrections")
_PLACED = exists().where(_other.c.image_id == corrections.c.image_id, _other.c.x0.isnot(None))
_FIRST = and_(corrections.c.number == 0, ~_PLACED)
_SEEN = and_(CATEGORY.isnot(None), or_(~CORRECTED, _FIRST))
BOX = {
    name: case((corrections.c.x0.isnot(None), corrections.c[name]), (_SEEN, sightings.c[name]))
    for name in _CORNERS
}
"""A person's, if one was given for any garment of the image. Else, of the garments in a corrected
image, only the first can be the one that the network saw."""

CURRENT = select(weights.c.id).where(weights.c.current).scalar_subquery()
"""Number of the weights whose sightings count."""


def _number(table: Table, *names: str) -> ColumnElement[Any]:
    """Number of the first garment in `table` whose columns agree with those of the correction."""
    other = table.alias()
    same = (other.c[name] == corrections.c[name] for name in ("image_id", *names))
    query = select(func.min(other.c.number)).where(other.c.weights_id == CURRENT, *same)
    return query.scalar_subquery()


EMBEDDED: ColumnElement[int] = case(
    (
        CORRECTED,
        func.coalesce(
            _number(sightings, *_CORNERS),
            _number(candidates, *_CORNERS),
            _number(sightings, "category"),
            _number(candidates, "category"),
            0,
        ),
    ),
    else_=sightings.c.number,
)
"""Number of the embedding: of the garment itself; where a person named it, of the garment of the
same box, else of the same category, else of the first one."""


def with_effective(
    query: Select[Any], image_id: ColumnElement[Any], *, pending: bool = False
) -> Select[Any]:
    """Joins a query with what counts for each image: a row per garment, or one with the reason.

    Args:
        query: Query whose columns may use those of this module.
        image_id: Column of image numbers in the query's tables.
        pending: Whether images that neither a person nor the current weights have judged are kept,
            in one row whose `NUMBER` is null.
    """
    # Without "+ 0" SQLite looks up the index by weights first, and each row a second time.
    judged = and_(sightings.c.image_id == image_id, sightings.c.weights_id + 0 == CURRENT)
    joined = query.outerjoin(sightings, judged).outerjoin(
        corrections, corrections.c.image_id == image_id
    )
    once = func.coalesce(sightings.c.number, 0) == 0
    others = true() if pending else sightings.c.image_id.isnot(None)
    return joined.where(case((CORRECTED, once), else_=others))
