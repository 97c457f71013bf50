"""Photos of the database as large as they can be shown, under /api/photos."""

from __future__ import annotations

from fastapi import APIRouter, Response

from trendscope import store
from trendscope.errors import ImageError
from trendscope.store.originals import original
from trendscope.vision.images import thumbnail
from trendscope.web.api import PICTURE, AtDesk, Sha256, picture
from trendscope.web.desk import Desk

LARGE_SIDE = 1600
"""Longest side of a large picture in pixels."""

router = APIRouter(prefix="/api/photos")


@router.get("/{sha256}/large.jpg", responses=PICTURE, response_class=Response)
def large_picture(desk: AtDesk, sha256: Sha256) -> Response:
    """A photo from its file, if that still lies here; else the largest picture that is kept."""
    kept = _large(desk, sha256) or store.preview(desk.store, sha256)
    return picture(kept or store.thumbnails(desk.store, [sha256]).get(sha256))


def _large(desk: Desk, sha256: str) -> bytes | None:
    data = original(desk.store, sha256, desk.settings.limits)
    if data is None:
        return None
    try:
        photo = desk.jobs.engine.decoder.decode(data, max_side=LARGE_SIDE)
    except ImageError:
        return None
    return thumbnail(photo.rgb, LARGE_SIDE)
