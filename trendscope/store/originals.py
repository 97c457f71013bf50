"""The bytes of a stored image, where a file of it still lies on this computer."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from sqlalchemy import select

from trendscope.errors import FeedError, ImageError
from trendscope.files.trees import read_file
from trendscope.files.zips import ZipTree
from trendscope.limits import Limits
from trendscope.store import schema
from trendscope.store.database import Database, reading
from trendscope.text import unescaped

MOST_PLACES = 20
"""Places of one image that are tried."""


def original(db: Database, sha256: str, limits: Limits) -> bytes | None:
    """An image's bytes from where a scan saw it; None if it lies there no more, or is another."""
    query = (
        select(schema.photos.c.source)
        .join_from(schema.photos, schema.images)
        .where(schema.images.c.sha256 == sha256)
        .order_by(schema.photos.c.id.desc())
        .limit(MOST_PLACES)
    )
    with reading(db) as connection:
        places = [Path(unescaped(source)) for source in connection.scalars(query)]
    for place in places:
        with suppress(ImageError, FeedError, KeyError, OSError):
            data = _read(place, limits)
            if data is not None and hashlib.sha256(data).hexdigest() == sha256:
                return data
    return None


def _read(place: Path, limits: Limits) -> bytes | None:
    """A file, or a member of the zip on the way to it; nothing for uploads, which lie nowhere."""
    if not place.is_absolute():
        return None
    if place.is_file():
        return read_file(place, limits.file_bytes)
    archive = next((folder for folder in place.parents if folder.is_file()), None)
    if archive is None:
        return None
    return ZipTree(archive, limits).read(str(place.relative_to(archive)), limits.file_bytes)
