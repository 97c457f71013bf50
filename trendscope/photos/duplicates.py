"""Photos that were posted again in another size or quality are counted once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Generic

import numpy as np

from trendscope.photos.results import PhotoResult
from trendscope.skipped import Skipped
from trendscope.vision.near_duplicates import (
    HASH_BITS_APART,
    ImageFingerprint,
    T,
    is_near_duplicate,
)


class DuplicateIndex(Generic[T]):
    """Photos of many customers, each with something to tell it by, searched by likeness.

    A search takes a customer's photos times a few nanoseconds.
    """

    def __init__(self) -> None:
        self._photos: defaultdict[str, list[tuple[ImageFingerprint, T]]] = defaultdict(list)
        self._hashes: defaultdict[str, np.ndarray] = defaultdict(lambda: np.zeros(64, np.uint64))

    def find(self, customer: str, looks: ImageFingerprint) -> T | None:
        """What was added first of those of the customer's photos that look the same."""
        photos = self._photos[customer]
        hashes = self._hashes[customer][: len(photos)]
        apart = np.bitwise_count(hashes ^ np.uint64(looks.hash))
        near = np.flatnonzero(apart <= HASH_BITS_APART)
        return next((photos[i][1] for i in near if is_near_duplicate(photos[i][0], looks)), None)

    def add(self, customer: str, looks: ImageFingerprint, known_by: T) -> None:
        """Adds a photo."""
        photos = self._photos[customer]
        if len(photos) == len(self._hashes[customer]):
            self._hashes[customer] = np.tile(self._hashes[customer], 2)
        self._hashes[customer][len(photos)] = looks.hash
        photos.append((looks, known_by))


def drop_duplicates(
    results: Iterable[PhotoResult | Skipped], *, keep_reposts: bool = False
) -> Iterator[PhotoResult | Skipped]:
    """Turns a customer's image that was read before into a `Skipped`.

    Args:
        results: What was read.
        keep_reposts: Only the same post or the same bytes are the same image; else also what looks
            the same in another size or compression, which is told apart as ``repost``.
    """
    seen: set[tuple[str, str]] = set()
    album = DuplicateIndex[str]()
    for result in results:
        if isinstance(result, Skipped):
            yield result
            continue
        keys = {(result.customer, result.sha256), (result.customer, result.post_id)}
        if keys & seen:
            detail = "the same photo of this customer was counted already"
            yield Skipped(result.customer, result.source, "duplicate", detail)
            continue
        seen |= keys
        yield result if keep_reposts else _first(result, album)


def _first(reading: PhotoResult, album: DuplicateIndex[str]) -> PhotoResult | Skipped:
    """The reading, unless the album holds one that looks the same."""
    if reading.looks is None:
        return reading
    if original := album.find(reading.customer, reading.looks):
        detail = (
            f"the same photo as {original}, in another size or quality; --keep-reposts counts it"
        )
        return Skipped(reading.customer, reading.source, "repost", detail)
    album.add(reading.customer, reading.looks, reading.source)
    return reading
