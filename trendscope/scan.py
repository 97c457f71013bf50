"""The one orchestrator: feeds, images, garments and the classifier joined into readings of photos.

Photos are decoded in threads while the weights load and beside the network, a bounded number at a
time, and come out in the order of the feed. A photo that fails costs itself and is listed; the run
goes on.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol

import numpy as np
from jaxtyping import UInt8

from trendscope import garments
from trendscope.errors import ImageError
from trendscope.feeds import Post, Skipped, open_feed
from trendscope.images import decode, thumbnail
from trendscope.readings import (
    Classification,
    Garment,
    Profile,
    Reading,
    summarise,
)

if TYPE_CHECKING:
    from trendscope.classifier import Prediction
    from trendscope.store.recall import Memory

DECODED_SIDE = 384
"""Longest side, in pixels, at which photos are looked at; larger ones are decoded to it at once."""

THUMBNAIL_SIDE = 224
SEEN_SIDE = 112

THREADS = 2
BATCH = 64
AHEAD = 2 * BATCH
"""Photos decoded but not yet judged; each keeps its cut-out and thumbnail, not all its pixels."""


class Predictor(Protocol):
    """What the scan needs of a classifier."""

    @property
    def name(self) -> str:
        """The weights' name."""

    @property
    def input_size(self) -> int:
        """Side of the cut-outs in pixels."""

    def predict(self, cut_outs: Sequence[UInt8[np.ndarray, "s s 3"]]) -> list[Prediction]:
        """One prediction per cut-out."""


Recall = Callable[[Post, str], Reading | None]
"""Gives what is known of a post's bytes, by their sha256 in hex; None if nothing is."""

Progress = Callable[[int, int], None]
"""Called with the number of photos and skipped items that are done, and of all there are."""


def classify(
    paths: Sequence[Path],
    *,
    weights: str | Path | Predictor | None = None,
    customer: str | None = None,
    progress: Progress | None = None,
) -> Classification:
    """Says of each photo what garment it shows.

    Args:
        paths: Photos, folders and exports; see `trendscope.feeds.open_feed`.
        weights: Name of shipped weights, a weights file, or a classifier; the default if None.
        customer: Whose photos they are, instead of what the feed says.
        progress: Told after every item.

    Raises:
        FeedError: A path is missing.
        WeightsError: The weights are missing or cannot be used.
    """
    load = loader(weights)
    feed = list(open_feed(paths, customer=customer))
    results = tuple(_told(scan(feed, load), len(feed), progress))
    return Classification(load().name, results)


def profile(
    paths: Sequence[Path],
    *,
    weights: str | Path | Predictor | None = None,
    customer: str | None = None,
    pictures: bool = False,
    memory: Memory | None = None,
    progress: Progress | None = None,
) -> Profile:
    """Says per customer what they wear and how often; each image of a customer counts once.

    Args:
        paths: Photos, folders and exports; see `trendscope.feeds.open_feed`.
        weights: Name of shipped weights, a weights file, or a classifier; the default if None.
        customer: Whose photos they are, instead of what the feed says.
        pictures: Keep a thumbnail and the network's view of each photo, for a contact sheet.
        memory: Knows photos that need not be looked at again (`trendscope.collect.remembered`).
        progress: Told after every item.

    Raises:
        FeedError: A path is missing.
        WeightsError: The weights are missing or cannot be used.
    """
    load = loader(weights)
    feed = list(open_feed(paths, customer=customer))
    recall = memory.by_bytes if memory else None
    known = _recalled(feed, memory) if memory else feed
    results = _told(scan(known, load, pictures=pictures, recall=recall), len(feed), progress)
    once = tuple(count_once(results))
    return summarise(memory.weights if memory else load().name, once)


def _recalled(feed: Iterable[Post | Skipped], memory: Memory) -> Iterator[Post | Skipped | Reading]:
    for _, item, known in memory.look_up(feed, full=True):
        yield (known and known.result) or item


def scan(
    feed: Iterable[Post | Skipped | Reading],
    load: Callable[[], Predictor],
    *,
    pictures: bool = False,
    small: int | None = None,
    recall: Recall | None = None,
) -> Iterator[Reading | Skipped]:
    """Reads a feed's photos in its order, holding no more than `AHEAD` of them at a time.

    Args:
        feed: Posts; what the feed's reader skipped, and what is known already, is passed on in its
            place.
        load: Gives the classifier; runs beside the decoding of the first photos, and not at all if
            none has to be decoded.
        pictures: Add a thumbnail and the network's view to each reading.
        small: Add a thumbnail of so many pixels a side instead.
        recall: Knows photos by their bytes, so that they need not be judged again.

    Raises:
        WeightsError: `load` could not do its work.
    """
    loading = _Loading(load)
    decoding = ThreadPoolExecutor(THREADS)
    try:
        side = THUMBNAIL_SIDE if pictures else small
        prepare = partial(_prepare, loading=loading, side=side, recall=recall)
        prepared = _in_order(feed, partial(decoding.submit, prepare))
        while batch := list(islice(prepared, BATCH)):
            yield from _judge(batch, loading, pictures)
    finally:
        # A caller who stops early, by Ctrl-C too, does not wait for photos nobody will see.
        loading.close()
        decoding.shutdown(cancel_futures=True)


def count_once(results: Iterable[Reading | Skipped]) -> Iterator[Reading | Skipped]:
    """Turns a customer's image that was read before, by its id or its bytes, into a `Skipped`."""
    seen: set[tuple[str, str]] = set()
    for result in results:
        if isinstance(result, Skipped):
            yield result
            continue
        keys = {(result.customer, result.sha256), (result.customer, result.post_id)}
        if keys & seen:
            detail = "the same photo of this customer was counted already"
            yield Skipped(result.customer, result.source, "duplicate", detail)
        else:
            seen |= keys
            yield result


class _Loading:
    """A classifier that is loaded beside the decoding, once the first photo asks for it."""

    def __init__(self, load: Callable[[], Predictor]):
        self._load = load
        self._thread = ThreadPoolExecutor(1)
        self._lock = Lock()
        self._classifier: Future[Predictor] | None = None

    def start(self) -> Future[Predictor]:
        with self._lock:
            if self._classifier is None:
                self._classifier = self._thread.submit(self._load)
            return self._classifier

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class _Prepared:
    post: Post
    sha256: str
    taken_at: datetime | None
    pixels: UInt8[np.ndarray, "s s 3"]
    box: garments.Box
    thumbnail: bytes | None


_Step = _Prepared | Skipped | Reading


def loader(weights: str | Path | Predictor | None) -> Callable[[], Predictor]:
    """A function that loads the classifier when it is first called."""

    @cache
    def load() -> Predictor:
        if weights is not None and not isinstance(weights, str | Path):
            return weights
        # Here and not above, so that this module can be used, and tested, without jax.
        from trendscope.classifier import Classifier

        return Classifier.load() if weights is None else Classifier.load(weights)

    return load


def _told(
    results: Iterable[Reading | Skipped], total: int, progress: Progress | None
) -> Iterator[Reading | Skipped]:
    for done, result in enumerate(results, start=1):
        if progress:
            progress(done, total)
        yield result


def _in_order(
    feed: Iterable[Post | Skipped | Reading], prepare: Callable[[Post], Future[_Step]]
) -> Iterator[_Step]:
    waiting: deque[Future[_Step] | Skipped | Reading] = deque()
    for item in feed:
        waiting.append(prepare(item) if isinstance(item, Post) else item)
        if len(waiting) >= AHEAD:
            yield _finished(waiting.popleft())
    while waiting:
        yield _finished(waiting.popleft())


def _finished(item: Future[_Step] | Skipped | Reading) -> _Step:
    return item.result() if isinstance(item, Future) else item


def _prepare(post: Post, loading: _Loading, side: int | None, recall: Recall | None) -> _Step:
    try:
        data = post.read()
        if recall and (known := recall(post, hashlib.sha256(data).hexdigest())):
            return known
        classifier = loading.start()
        photo = decode(data, edge=DECODED_SIDE)
    except ImageError as error:
        return Skipped(post.customer, post.source, error.reason, str(error))
    size = classifier.result().input_size
    cut = garments.cut_out(photo.rgb, size)
    box = _scaled(cut.box, photo.size[0] / photo.rgb.shape[1], photo.size[1] / photo.rgb.shape[0])
    small = thumbnail(photo.rgb, side) if side else None
    return _Prepared(post, photo.sha256, photo.taken_at, cut.pixels, box, small)


def _scaled(box: garments.Box, across: float, down: float) -> garments.Box:
    x0, y0, x1, y1 = box
    return round(x0 * across), round(y0 * down), round(x1 * across), round(y1 * down)


def _judge(batch: list[_Step], loading: _Loading, pictures: bool) -> Iterator[Reading | Skipped]:
    cut_outs = [item.pixels for item in batch if isinstance(item, _Prepared)]
    predictions = iter(loading.start().result().predict(cut_outs) if cut_outs else ())
    for item in batch:
        if isinstance(item, _Prepared):
            yield _reading(item, next(predictions), pictures)
        else:
            yield item


def _reading(item: _Prepared, prediction: Prediction, pictures: bool) -> Reading:
    found: tuple[Garment, ...] = ()
    if prediction.category is not None:
        found = (Garment(prediction.category, prediction.confidence, item.box),)
    posted_at, date_source = item.post.dated(item.taken_at)
    return Reading(
        customer=item.post.customer,
        post_id=item.post.post_id,
        source=item.post.source,
        sha256=item.sha256,
        posted_at=posted_at,
        date_source=date_source,
        verdict=prediction.verdict,
        garments=found,
        probabilities=tuple(prediction.top(len(prediction.probabilities))),
        outside=prediction.outside,
        thumbnail=item.thumbnail,
        seen=thumbnail(item.pixels, SEEN_SIDE, quality=90) if pictures else None,
        taken_at=item.taken_at,
        embedding=prediction.embedding.astype("<f4").tobytes(),
    )
