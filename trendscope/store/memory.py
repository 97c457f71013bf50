"""What a store knows of a feed already: by place, without reading a file, or by bytes."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from importlib.metadata import version
from itertools import islice
from typing import Any, cast

import numpy as np
from sqlalchemy import Connection, and_, bindparam, exists, select

from trendscope.categories import CATEGORIES
from trendscope.feeds.customers import CustomerNames
from trendscope.feeds.post import Post
from trendscope.limits import Limits
from trendscope.photos.results import Garment, Label, PhotoResult
from trendscope.skipped import Skipped
from trendscope.store.database import Database, Store, opened
from trendscope.store.labels import labels_of
from trendscope.store.schema import (
    accounts,
    customers,
    from_moment,
    images,
    looks,
    photos,
    sightings,
    skips,
    thumbnails,
    to_moment,
    weights,
)
from trendscope.store.weights import current_weights
from trendscope.vision.near_duplicates import ImageFingerprint
from trendscope.vision.predictions import WeightsChoice
from trendscope.vision.weights import identity_of

CHUNK = 500
"""Items looked up at once."""

VERSION = version("trendscope")

MAY_MEND = ("unreadable", "timeout", "decoder_crash")
"""Reasons that can go away although the file stays the same: rights, a busy disk or computer."""


def limits_key(limits: Limits | None) -> str:
    """Who refuses a photo: this version under some limits; another may take it."""
    digest = hashlib.blake2b(repr(limits or Limits()).encode(), digest_size=4).hexdigest()
    return f"{VERSION[:20]} {digest}"


@dataclass(frozen=True)
class Stamp:
    """Where an item of a feed lies, and how it looked there from outside.

    Attributes:
        place: Digest of customer, absolute path and member: the same for every way to write a
            path, different for every two names, also those that are no text.
        size: Of the file in bytes; None if that is not known.
        modified: When it was last written, nanoseconds since 1970; of an object in a store another
            number that changes with it.
    """

    place: bytes
    size: int | None
    modified: int | None


def stamp(item: Post | Skipped) -> Stamp:
    """Stamps an item of a feed; costs one look at the file's entry, and does not open it."""
    if isinstance(item, Skipped):
        return Stamp(
            location_key("skip", item.customer or "", item.source, item.reason), None, None
        )
    if item.file is None:
        return Stamp(location_key("post", item.customer, item.source, ""), None, None)
    path, member, version = item.file
    if version is not None:
        return Stamp(location_key("file", item.customer, path, member), *version)
    try:
        facts = os.stat(path)
    except (OSError, ValueError):
        return Stamp(location_key("file", item.customer, path, member), None, None)
    return Stamp(
        location_key("file", item.customer, path, member), facts.st_size, facts.st_mtime_ns
    )


def location_key(*parts: str) -> bytes:
    """Digest of some texts, 16 bytes."""
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=16).digest()


@dataclass(frozen=True)
class KnownPhoto:
    """An item of a feed that is as it was when it was last looked at.

    Attributes:
        result: What is known of it; None if that is exactly what the store holds and nobody asked.
    """

    result: PhotoResult | Skipped | None


Fields = Any
"""A row, whose fields are the columns of its statement."""

Lookup = tuple[Stamp, Post | Skipped, KnownPhoto | None]
"""An item of a feed, and what is known of it; None if it has to be looked at."""


class StoredPhotos:
    """What a store knows of photos by one set of weights. Threads may share it.

    Args:
        store: Stays open while it is used.
        weights_id: Of the weights; None for those that have judged nothing here.
        name: Of such weights.
        zone: Of cameras that do not say theirs.
        limits: What photos may ask for now.
        pictures: Bring the kept thumbnails too.

    Attributes:
        weights: The weights' name.
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
        self._refuser = limits_key(limits)
        self._pictures = pictures
        with store.reading() as connection:
            known = select(weights.c.name).where(weights.c.id == weights_id)
            self.weights = name or str(connection.scalar(known))

    @cached_property
    def _labels(self) -> dict[str, Label]:
        with self._store.reading() as connection:
            return labels_of(connection)

    def corrected(self, result: PhotoResult | Skipped) -> PhotoResult | Skipped:
        """A reading as a person sees its image, if one has labelled it; else unchanged."""
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
            known = {str(row[0]): str(row[1]) for row in rows}
        return CustomerNames(given, accounts=known, reserved=taken, one_per_name=together)

    @property
    def recall(self) -> Callable[[Post, str], PhotoResult | None] | None:
        """`by_bytes`; None where these weights have judged nothing yet, which saves asking."""
        with self._store.reading() as connection:
            seen = select(sightings.c.image_id).where(sightings.c.weights_id == self._weights_id)
            empty = connection.execute(seen.limit(1)).first() is None
        return None if empty else self.by_bytes

    def look_up(self, feed: Iterable[Post | Skipped], *, full: bool) -> Iterator[Lookup]:
        """Says of each item of a feed, in its order, what is known of it by its place.

        Args:
            feed: Posts and what the reader skipped.
            full: Give a result for everything that is known, not only where the store's own row
                has to be renewed (a corrected date, another file name in the index).
        """
        items = iter(feed)
        while chunk := list(islice(items, CHUNK)):
            stamps = [stamp(item) for item in chunk]
            with self._store.reading() as connection:
                known = self._known(connection, dict(zip(stamps, chunk, strict=True)), full)
            yield from ((s, item, known.get(s)) for s, item in zip(stamps, chunk, strict=True))

    def recalled(self, feed: Iterable[Post | Skipped]) -> Iterator[Post | Skipped | PhotoResult]:
        """A feed in its order, with results in place of the items that are known."""
        for _, item, known in self.look_up(feed, full=True):
            yield (known and known.result) or item

    def by_bytes(self, post: Post, sha256: str) -> PhotoResult | None:
        """What is known of a post's image, wherever it was seen."""
        with self._store.reading() as connection:
            row = connection.execute(
                _IMAGE, {"sha256": sha256, "weights_id": self._weights_id}
            ).one_or_none()
            if row is None:
                return None
            (result,) = self._readings(connection, [(post, row)])
            return result

    def _known(
        self, connection: Connection, items: dict[Stamp, Post | Skipped], full: bool
    ) -> dict[Stamp, KnownPhoto]:
        known: dict[Stamp, KnownPhoto] = {}
        values = {"places": [stamp.place for stamp in items], "weights_id": self._weights_id}
        wanted: list[tuple[Stamp, Post, Fields]] = []
        for row in connection.execute(_PHOTOS, values):
            stamp = Stamp(row.place, row.size, row.modified)
            item = items.get(stamp)
            if isinstance(item, Post) and stamp.size is not None:
                if full or _differs(item, row, self._zone):
                    wanted.append((stamp, item, row))
                else:
                    known[stamp] = KnownPhoto(None)
        readings = self._readings(connection, [(post, row) for _, post, row in wanted])
        known |= {stamp: KnownPhoto(r) for (stamp, _, _), r in zip(wanted, readings, strict=True)}
        rest = [stamp.place for stamp in items if stamp not in known]
        if rest:
            known |= _known_skips(connection, rest, items, self._refuser)
        return known

    def _readings(
        self, connection: Connection, pairs: Sequence[tuple[Post, Fields]]
    ) -> list[PhotoResult]:
        if not pairs:
            return []
        seen = defaultdict(list)
        values: dict[str, Any] = {
            "images": [row.image_id for _, row in pairs],
            "weights_id": self._weights_id,
        }
        for sighting in connection.execute(_SIGHTINGS, values):
            seen[sighting.image_id].append(sighting)
        small = _thumbnails(connection, values["images"]) if self._pictures else {}
        alike = _looks(connection, values["images"])
        return [
            replace(
                _reading(post, row, seen[row.image_id], self._zone),
                thumbnail=small.get(row.image_id),
                fingerprint=alike.get(row.image_id),
            )
            for post, row in pairs
        ]


def _thumbnails(connection: Connection, ids: Sequence[int]) -> dict[int, bytes]:
    query = select(thumbnails.c.image_id, thumbnails.c.jpeg).where(thumbnails.c.image_id.in_(ids))
    return {int(row[0]): bytes(row[1]) for row in connection.execute(query)}


def _looks(connection: Connection, ids: Sequence[int]) -> dict[int, ImageFingerprint]:
    rows = connection.execute(select(looks).where(looks.c.image_id.in_(ids)))
    return {
        row.image_id: ImageFingerprint(int.from_bytes(row.hash), bytes(row.colours), row.aspect)
        for row in rows
    }


def _known_skips(
    connection: Connection, places: list[bytes], items: dict[Stamp, Post | Skipped], limits_key: str
) -> dict[Stamp, KnownPhoto]:
    known = {}
    for row in connection.execute(_SKIPS, {"places": places, "version": limits_key}):
        s = Stamp(row.place, row.size, row.modified)
        item = items.get(s)
        if isinstance(item, Skipped):
            known[s] = KnownPhoto(item if item.detail != row.detail else None)
        elif item and s.size is not None and row.reason not in MAY_MEND:
            known[s] = KnownPhoto(Skipped(item.customer, item.source, row.reason, row.detail))
    return known


_JUDGED = exists().where(
    sightings.c.image_id == images.c.id, sightings.c.weights_id == bindparam("weights_id")
)

_PHOTOS = (
    select(
        photos.c.place,
        photos.c.size,
        photos.c.modified,
        photos.c.post_id,
        photos.c.source,
        photos.c.posted_at,
        photos.c.date_source,
        images.c.id.label("image_id"),
        images.c.sha256,
        images.c.taken_at,
        images.c.local,
    )
    .join_from(photos, images)
    .where(photos.c.place.in_(bindparam("places", expanding=True)), _JUDGED)
)

_IMAGE = select(
    images.c.id.label("image_id"), images.c.sha256, images.c.taken_at, images.c.local
).where(images.c.sha256 == bindparam("sha256"), _JUDGED)

_SIGHTINGS = (
    select(sightings)
    .where(
        and_(
            sightings.c.image_id.in_(bindparam("images", expanding=True)),
            sightings.c.weights_id == bindparam("weights_id"),
        )
    )
    .order_by(sightings.c.image_id, sightings.c.number)
)

_SKIPS = select(skips).where(
    skips.c.place.in_(bindparam("places", expanding=True)),
    skips.c.version == bindparam("version"),
)


def _taken_at(image: Fields) -> datetime | None:
    """The camera's time as it was read: without a zone where it names none."""
    moment = from_moment(image.taken_at)
    return moment.replace(tzinfo=None) if moment and image.local else moment


def _differs(post: Post, row: Fields, zone: tzinfo) -> bool:
    """True if the feed now says something else of the photo than the store's row."""
    posted_at, date_source = post.dated(_taken_at(row), zone)
    now = (post.post_id, post.source, to_moment(posted_at), date_source)
    return now != (row.post_id, row.source, row.posted_at, row.date_source)


def _reading(post: Post, image: Fields, seen: Sequence[Fields], zone: tzinfo) -> PhotoResult:
    taken_at = _taken_at(image)
    posted_at, date_source = post.dated(taken_at, zone)
    first = seen[0]
    return PhotoResult(
        customer=post.customer,
        post_id=post.post_id,
        source=post.source,
        sha256=image.sha256,
        posted_at=posted_at,
        date_source=date_source,
        verdict=first.reason or "classified",
        garments=tuple(_garment(row) for row in seen if row.category),
        probabilities=ranked(first.probabilities),
        outside=first.outside,
        taken_at=taken_at,
        recalled=True,
    )


def _garment(row: Fields) -> Garment:
    box = cast(tuple[int, int, int, int], (row.x0, row.y0, row.x1, row.y1))
    return Garment(row.category, row.confidence, box)


def ranked(probabilities: bytes) -> tuple[tuple[str, float], ...]:
    """The ten categories with their probabilities, best first, ties in label order."""
    values = np.frombuffer(probabilities, "<f4")
    order = np.argsort(-values, kind="stable")
    return tuple((CATEGORIES[i], float(values[i])) for i in order)


@contextmanager
def remembered(
    db: Database,
    weights: WeightsChoice = None,
    *,
    zone: tzinfo = UTC,
    limits: Limits | None = None,
    pictures: bool = False,
) -> Iterator[StoredPhotos]:
    """What a database knows by some weights, and from persons, for `trendscope.profile`.

    Args:
        db: The database.
        weights: Those that would judge what is not known.
        zone: Of cameras that do not say theirs.
        limits: What photos may ask for now.
        pictures: Bring the kept thumbnails too.

    Raises:
        StoreError: It is missing, or cannot be read.
    """
    identity = identity_of(weights)
    with opened(db) as store:
        with store.reading() as connection:
            current = current_weights(connection)
        weights_id = current[0] if current and current[1].digest == identity.digest else None
        yield StoredPhotos(
            store, weights_id, name=identity.name, zone=zone, limits=limits, pictures=pictures
        )
