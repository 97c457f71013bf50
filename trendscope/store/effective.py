"""What counts for an image: its correction, else the sightings of the current weights.

The one place that decides it in SQL; `trendscope.photos.results.PhotoResult.labelled` does the same
for a result in memory. Sightings stay as they are, so a correction can be removed, and outlives
every scan and all weights.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Double, Select, and_, case, func, literal, select, true

from trendscope.store.schema import corrections, sightings, weights

CORRECTED = corrections.c.image_id.isnot(None)
"""True for an image that a person has labelled."""

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
_BOXED = and_(CATEGORY.isnot(None), func.coalesce(corrections.c.number, 0) == 0)
BOX = {name: case((_BOXED, sightings.c[name])) for name in ("x0", "y0", "x1", "y1")}
"""Of the garments in a corrected image, only the first can be the one that the network saw."""

CURRENT = select(weights.c.id).where(weights.c.current).scalar_subquery()
"""Number of the weights whose sightings count."""


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
