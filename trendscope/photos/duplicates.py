"""Photos that were posted again in another size or quality are counted once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

import numpy as np

from trendscope.photos.results import PhotoResult
from trendscope.skipped import Skipped
from trendscope.vision.near_duplicates import HASH_BITS_APART, ImageFingerprint, is_near_duplicate

T = TypeVar("T")


class DuplicateIndex(Generic[T]):
    """Photos of many customers, each with a label, searched by their fingerprints.

    A search takes a few nanoseconds per photo of the customer.
    """

    def __init__(self) -> None:
        self._photos: defaultdict[str, list[tuple[ImageFingerprint, T]]] = defaultdict(list)
        self._hashes: defaultdict[str, np.ndarray] = defaultdict(lambda: np.zeros(64, np.uint64))

    def find(self, customer: str, fingerprint: ImageFingerprint) -> T | None:
        """The label of the customer's first photo that looks the same; None if none does."""
        photos = self._photos[customer]
        hashes = self._hashes[customer][: len(photos)]
        apart = np.bitwise_count(hashes ^ np.uint64(fingerprint.hash))
        near = np.flatnonzero(apart <= HASH_BITS_APART)
        matches = (photos[i][1] for i in near if is_near_duplicate(photos[i][0], fingerprint))
        return next(matches, None)

    def add(self, customer: str, fingerprint: ImageFingerprint, label: T) -> None:
        """Adds a photo under a label."""
        photos = self._photos[customer]
        if len(photos) == len(self._hashes[customer]):
            self._hashes[customer] = np.tile(self._hashes[customer], 2)
        self._hashes[customer][len(photos)] = fingerprint.hash
        photos.append((fingerprint, label))


def drop_duplicates(
    results: Iterable[PhotoResult | Skipped], *, keep_reposts: bool = False
) -> Iterator[PhotoResult | Skipped]:
    """Turns repeated images of a customer into `Skipped`, so that each counts once.

    Args:
        keep_reposts: Whether to drop only the same post and the same bytes (``duplicate``), and not
            images that look the same in another size or compression (``repost``).
    """
    counted: set[tuple[str, str]] = set()
    index = DuplicateIndex[str]()
    for result in results:
        if isinstance(result, Skipped):
            yield result
            continue
        customer, source, fingerprint = result.customer, result.source, result.fingerprint
        keys = {(customer, result.sha256), (customer, result.post_id)}
        if keys & counted:
            detail = "the same photo of this customer was counted already"
            yield Skipped(customer, source, "duplicate", detail)
            continue
        counted |= keys
        if keep_reposts or fingerprint is None:
            yield result
        elif original := index.find(customer, fingerprint):
            detail = f"the same photo as {original}, in another size or quality; "
            yield Skipped(customer, source, "repost", f"{detail}--keep-reposts counts it")
        else:
            index.add(customer, fingerprint, source)
            yield result
