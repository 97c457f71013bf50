"""The stored results of a feed's items: by location, without reading a file, or by bytes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from importlib.metadata import version
from typing import Any

from sqlalchemy import Connection, bindparam, exists, select

from trendscope.feeds.customers import CustomerNames
from trendscope.feeds.post import Post
from trendscope.limits import Limits
from trendscope.photos.results import Label, PhotoResult, PictureResult
from trendscope.skipped import Skipped
from trendscope.store.database import Database, Store, opened, parts
from trendscope.store.labels import labels_of
from trendscope.store.pictures import candidates_of, thumbnails
from trendscope.store.schema import (
    accounts,
    customers,
    from_moment,
    images,
    looks,
    photos,
    sightings,
    skips,
    to_moment,
)
from trendscope.store.statements import grouped
from trendscope.store.weights import current_weights
from trendscope.vision.near_duplicates import ImageFingerprint
from trendscope.vision.predictions import WeightsChoice
from trendscope.vision.weights import identify

VERSION = version("trendscope")

MAY_PASS = ("unreadable", "timeout", "decoder_crash")
"""Reasons that can pass while the file stays the same: missing rights, a busy disk or computer."""


def limits_key(limits: Limits | None) -> str:
    """Names this version and the limits, under which a photo is refused; others may accept it."""
    digest = hashlib.blake2b(repr(limits or Limits()).encode(), digest_size=4).hexdigest()
    return f"{VERSION[:20]} {digest}"


@dataclass(frozen=True)
class Stamp:
    """Location of a feed's item, with the size and age of its file.

    Attributes:
        location: Digest of customer, absolute path and member: the same for every way to write a
            path, different for any two names, even those that are no text.
        size: Size of the file in bytes; None if unknown.
        modified: Time of the last change, nanoseconds since 1970; for an object in a store, another
            number that changes with it.
    """

    location: bytes
    size: int | None
    modified: int | None


def stamp(item: Post | Skipped) -> Stamp:
    """Stamps an item of a feed from the entry of its file, which is not opened."""
    if isinstance(item, Skipped):
        location = location_key("skip", item.customer or "", item.source, item.reason)
        return Stamp(location, None, None)
    if item.file is None:
        return Stamp(location_key("post", item.customer, item.source, ""), None, None)
    path, member, version = item.file
    location = location_key("file", item.customer, path, member)
    if version is not None:
        return Stamp(location, *version)
    try:
        entry = os.stat(path)
    except (OSError, ValueError):
        return Stamp(location, None, None)
    return Stamp(location, entry.st_size, entry.st_mtime_ns)


def location_key(*names: str) -> bytes:
    """Digest of some names, 16 bytes."""
    joined = "".join(f"{len(name)}:{name}" for name in names)
    return hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=16).digest()


Fields = Any
"""A row with a field for each column of its statement."""

Stored = PhotoResult | Skipped | None
"""Stored result of an item; None if its row need not be renewed, and no result was requested."""

Lookup = tuple[Stamp, Post | Skipped, Post | Stored]
"""Stamp and item of a feed, and its stored result; the item itself if it is not known."""


class StoredPhotos:
    """The stored results of photos by one set of weights. Threads may share it.

    Args:
        store: The store, which stays open while this is used.
        weights_id: Number of the weights; None for those that have judged nothing here.
        zone: Time zone assumed for dates without an offset.
        pictures: Whether the stored thumbnails are part of the results.

    Attributes:
        weights: Name of the weights; empty if it was not given.
    """

    def __init__(
        self,
        store: Store,
        weights_id: int | None,
        *,
        name: str = "",
        zone: tzinfo = UTC,
        limits: Limits | None = None,
        pictures: bool = False,
    ):
        self._store = store
        self._weights_id = weights_id
        self._zone = zone
        self._limits_key = limits_key(limits)
        self._pictures = pictures
        self.weights = name

    @cached_property
    def _labels(self) -> dict[str, Label]:
        with self._store.reading() as connection:
            return labels_of(connection)

    def corrected(self, result: PhotoResult | Skipped) -> PhotoResult | Skipped:
        """The result as a person has labelled its image; unchanged without a label."""
        if isinstance(result, PhotoResult) and (label := self._labels.get(result.sha256)):
            return result.labelled(label)
        return result

    def names(self, given: str | None = None, *, together: bool = False) -> CustomerNames:
        """The customers' names as the store has them; see `CustomerNames`."""
        with self._store.reading() as connection:
            taken = [str(name) for name in connection.scalars(select(customers.c.name))]
            rows = connection.execute(
                select(accounts.c.account, customers.c.name).join_from(accounts, customers)
            )
            names = {str(row[0]): str(row[1]) for row in rows}
        return CustomerNames(given, accounts=names, reserved=taken, one_per_name=together)

    @property
    def recall(self) -> Callable[[Post, str], PhotoResult | None] | None:
        """`by_bytes`; None where these weights have judged nothing yet, which saves queries."""
        judged = select(sightings.c.image_id).where(sightings.c.weights_id == self._weights_id)
        with self._store.reading() as connection:
            empty = connection.execute(judged.limit(1)).first() is None
        return None if empty else self.by_bytes

    def look_up(self, feed: Iterable[Post | Skipped], *, full: bool) -> Iterator[Lookup]:
        """Looks up each item of a feed, in its order, by its location.

        Args:
            feed: Posts, and items that the reader skipped.
            full: Whether every known item gets a result, not only those whose row in the store has
                to be renewed (a corrected date, another file name in the index).
        """
        for part in parts(feed):
            stamps = [stamp(item) for item in part]
            with self._store.reading() as connection:
                by_stamp = self._look_up_part(
                    connection, dict(zip(stamps, part, strict=True)), full
                )
            for key, item in zip(stamps, part, strict=True):
                yield key, item, by_stamp.get(key, item)

    def recalled(self, feed: Iterable[Post | Skipped]) -> Iterator[Post | Skipped | PhotoResult]:
        """A feed in its order, with stored results in place of their items."""
        for _, item, stored in self.look_up(feed, full=True):
            yield stored or item

    def by_bytes(self, post: Post, sha256: str) -> PhotoResult | None:
        """The stored result of a post's image, wherever it was posted."""
        with self._store.reading() as connection:
            row = connection.execute(
                _IMAGE, {"sha256": sha256, "weights_id": self._weights_id}
            ).one_or_none()
            if row is None:
                return None
            return self._results(connection, [(post, row)])[0]

    def _look_up_part(
        self, connection: Connection, items: dict[Stamp, Post | Skipped], full: bool
    ) -> dict[Stamp, Stored]:
        by_stamp: dict[Stamp, Stored] = {}
        values = {"places": [stamp.location for stamp in items], "weights_id": self._weights_id}
        to_read: dict[Stamp, tuple[Post, Fields]] = {}
        for row in connection.execute(_PHOTOS, values):
            stamp = Stamp(row.place, row.size, row.modified)
            item = items.get(stamp)
            if isinstance(item, Post) and stamp.size is not None:
                if full or _differs(item, row, self._zone):
                    to_read[stamp] = item, row
                else:
                    by_stamp[stamp] = None
        by_stamp |= zip(to_read, self._results(connection, list(to_read.values())), strict=True)
        if rest := [stamp.location for stamp in items if stamp not in by_stamp]:
            by_stamp |= _known_skips(connection, rest, items, self._limits_key)
        return by_stamp

    def _results(
        self, connection: Connection, pairs: Sequence[tuple[Post, Fields]]
    ) -> list[PhotoResult]:
        if not pairs:
            return []
        ids = [row.image_id for _, row in pairs]
        values = {"images": ids, "weights_id": self._weights_id}
        sightings_of = grouped(connection.execute(_SIGHTINGS, values), "image_id")
        digests = [row.sha256 for _, row in pairs]
        candidates = candidates_of(connection, digests, self._weights_id)
        small = thumbnails(connection, digests) if self._pictures else {}
        fingerprints = _fingerprints(connection, ids)
        results = []
        for post, row in pairs:
            picture = replace(
                PictureResult.of_sightings(
                    post.source,
                    row.sha256,
                    sightings_of[row.image_id],
                    candidates.get(row.sha256, ()),
                ),
                size=None if row.width is None else (row.width, row.height),
                taken_at=_taken_at(row),
                thumbnail=small.get(row.sha256),
                fingerprint=fingerprints.get(row.image_id),
                recalled=True,
            )
            dated = post.dated(picture.taken_at, self._zone)
            results.append(picture.posted(post.customer, post.post_id, *dated))
        return results


def _fingerprints(connection: Connection, ids: Sequence[int]) -> dict[int, ImageFingerprint]:
    rows = connection.execute(select(looks).where(looks.c.image_id.in_(ids)))
    return {
        row.image_id: ImageFingerprint(int.from_bytes(row.hash), bytes(row.colours), row.aspect)
        for row in rows
    }


def _known_skips(
    connection: Connection, rest: list[bytes], items: dict[Stamp, Post | Skipped], version: str
) -> dict[Stamp, Stored]:
    by_stamp: dict[Stamp, Stored] = {}
    for row in connection.execute(_SKIPS, {"places": rest, "version": version}):
        stamp = Stamp(row.place, row.size, row.modified)
        item = items.get(stamp)
        if isinstance(item, Skipped):
            by_stamp[stamp] = item if item.detail != row.detail else None
        elif item and stamp.size is not None and row.reason not in MAY_PASS:
            by_stamp[stamp] = Skipped(item.customer, item.source, row.reason, row.detail)
    return by_stamp


_JUDGED = exists().where(
    sightings.c.image_id == images.c.id, sightings.c.weights_id == bindparam("weights_id")
)

_IMAGES = select(
    images.c.id.label("image_id"),
    *(images.c[name] for name in ("sha256", "taken_at", "local", "width", "height")),
)

_IMAGE = _IMAGES.where(images.c.sha256 == bindparam("sha256"), _JUDGED)

_PHOTOS = (
    _IMAGES.add_columns(
        *(photos.c[name] for name in ("place", "size", "modified", "post_id", "source")),
        *(photos.c.posted_at, photos.c.date_source),
    )
    .join_from(photos, images)
    .where(photos.c.place.in_(bindparam("places", expanding=True)), _JUDGED)
)

_SIGHTINGS = (
    select(sightings)
    .where(
        sightings.c.image_id.in_(bindparam("images", expanding=True)),
        sightings.c.weights_id == bindparam("weights_id"),
    )
    .order_by(sightings.c.image_id, sightings.c.number)
)

_SKIPS = select(skips).where(
    skips.c.place.in_(bindparam("places", expanding=True)), skips.c.version == bindparam("version")
)


def _taken_at(image: Fields) -> datetime | None:
    """The camera's time as it was read, without a zone if the camera names none."""
    moment = from_moment(image.taken_at)
    return moment.replace(tzinfo=None) if moment and image.local else moment


def _differs(post: Post, row: Fields, zone: tzinfo) -> bool:
    """True if the feed now gives other facts of the photo than the row in the store."""
    posted_at, date_source = post.dated(_taken_at(row), zone)
    now = (post.post_id, post.source, to_moment(posted_at), date_source)
    return now != (row.post_id, row.source, row.posted_at, row.date_source)


@contextmanager
def stored_photos(
    db: Database,
    weights: WeightsChoice = None,
    *,
    zone: tzinfo = UTC,
    limits: Limits | None = None,
    pictures: bool = False,
) -> Iterator[StoredPhotos]:
    """The results of some weights in a database, and its labels, for `trendscope.profile`.

    Args:
        weights: Weights that judge the photos which are not stored.
        zone: Time zone assumed for dates without an offset.
        pictures: Whether the stored thumbnails are part of the results.

    Raises:
        StoreError: It is missing, or cannot be read.
    """
    identity = identify(weights)
    with opened(db) as store:
        with store.reading() as connection:
            current = current_weights(connection)
        weights_id = current[0] if current and current[1].digest == identity.digest else None
        yield StoredPhotos(
            store, weights_id, name=identity.name, zone=zone, limits=limits, pictures=pictures
        )
