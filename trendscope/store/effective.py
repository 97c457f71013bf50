"""What counts as seen in an image: a person's word, else the sightings of the current weights.

The one place that decides it in SQL; `trendscope.photos.results.PhotoResult.labelled` does the same
for a reading in memory. Sightings stay as they are, so a correction can be taken back, and outlives
every scan and all weights.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Double, Select, and_, case, func, literal, select, true

from trendscope.store.schema import corrections, sightings, weights

CORRECTED = corrections.c.image_id.isnot(None)
"""True where a person labelled it."""

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
"""Of a corrected image only the first garment can lie where the network saw one."""

CURRENT = select(weights.c.id).where(weights.c.current).scalar_subquery()
"""Id of the weights whose sightings count."""


def with_effective(
    query: Select[Any], image_id: ColumnElement[Any], *, waiting: bool = False
) -> Select[Any]:
    """Joins a query with what counts of each image: a row per garment, or one with the reason.

    Args:
        query: Its columns may use those of this module.
        image_id: Of the images, in what the query selects from.
        waiting: Keep images that neither a person nor the current weights have judged, in one row
            whose `NUMBER` is null; otherwise they drop out.
    """
    # Without "+ 0" SQLite looks up the index by weights first, and each row a second time.
    judged = and_(sightings.c.image_id == image_id, sightings.c.weights_id + 0 == CURRENT)
    joined = query.outerjoin(sightings, judged).outerjoin(
        corrections, corrections.c.image_id == image_id
    )
    once = func.coalesce(sightings.c.number, 0) == 0
    others = true() if waiting else sightings.c.image_id.isnot(None)
    return joined.where(case((CORRECTED, once), else_=others))
