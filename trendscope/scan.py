"""The one orchestrator: feeds, images, garments and the classifier joined into readings of photos.

Photos are decoded in threads while the weights load and beside the network, a bounded number at a
time, and come out in the order of the feed. A photo that fails costs itself and is listed; the run
goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from jaxtyping import UInt8

from trendscope import garments
from trendscope.errors import ImageError
from trendscope.feeds import DateSource, Post, Skipped, open_feed
from trendscope.feeds.dates import to_utc
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


Progress = Callable[[int, int], None]
"""Called with the number of photos and skipped items that are done, and of all there are."""


def classify(
    paths: Sequence[Path],
    *,
    weights: str | Path | Predictor | None = None,
    customer: str | None = None,
    include: Collection[str] = (),
    zone: tzinfo = UTC,
    progress: Progress | None = None,
) -> Classification:
    """Says of each photo what garment it shows.

    Args:
        paths: Photos, folders and exports; see `trendscope.feeds.open_feed`.
        weights: Name of shipped weights, a weights file, or a classifier; the default if None.
        customer: Whose photos they are, instead of what the feed says.
        include: Of `trendscope.feeds.KINDS`, what is read besides posts.
        zone: Of dates that do not say theirs.
        progress: Told after every item.

    Raises:
        FeedError: A path is missing.
        WeightsError: The weights are missing or cannot be used.
    """
    load = _loader(weights)
    feed = list(open_feed(paths, customer=customer, include=include, zone=zone))
    results = tuple(_told(scan(feed, load, zone=zone), len(feed), progress))
    return Classification(load().name, results)


def profile(
    paths: Sequence[Path],
    *,
    weights: str | Path | Predictor | None = None,
    customer: str | None = None,
    include: Collection[str] = (),
    zone: tzinfo = UTC,
    pictures: bool = False,
    progress: Progress | None = None,
) -> Profile:
    """Says per customer what they wear and how often; each image of a customer counts once.

    Args:
        paths: Photos, folders and exports; see `trendscope.feeds.open_feed`.
        weights: Name of shipped weights, a weights file, or a classifier; the default if None.
        customer: Whose photos they are, instead of what the feed says.
        include: Of `trendscope.feeds.KINDS`, what is read besides posts.
        zone: Of dates that do not say theirs, and of the weeks.
        pictures: Keep a thumbnail and the network's view of each photo, for a contact sheet.
        progress: Told after every item.

    Raises:
        FeedError: A path is missing.
        WeightsError: The weights are missing or cannot be used.
    """
    load = _loader(weights)
    feed = list(open_feed(paths, customer=customer, include=include, zone=zone))
    results = _told(scan(feed, load, zone=zone, pictures=pictures), len(feed), progress)
    once = tuple(count_once(results))
    return summarise(load().name, once, zone)


def scan(
    feed: Iterable[Post | Skipped],
    load: Callable[[], Predictor],
    *,
    zone: tzinfo = UTC,
    pictures: bool = False,
) -> Iterator[Reading | Skipped]:
    """Reads a feed's photos in its order, holding no more than `AHEAD` of them at a time.

    Args:
        feed: Posts, and what the feed's reader skipped, which is passed on in its place.
        load: Gives the classifier; runs beside the decoding of the first photos.
        zone: Of cameras that do not say theirs.
        pictures: Add a thumbnail and the network's view to each reading.

    Raises:
        WeightsError: `load` could not do its work.
    """
    loading = ThreadPoolExecutor(1)
    decoding = ThreadPoolExecutor(THREADS)
    try:
        classifier = loading.submit(load)
        prepare = partial(_prepare, classifier=classifier, zone=zone, pictures=pictures)
        prepared = _in_order(feed, partial(decoding.submit, prepare))
        while batch := list(islice(prepared, BATCH)):
            yield from _judge(batch, classifier.result(), pictures)
    finally:
        # A caller who stops early, by Ctrl-C too, does not wait for photos nobody will see.
        loading.shutdown(wait=False, cancel_futures=True)
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


@dataclass(frozen=True)
class _Prepared:
    post: Post
    sha256: str
    posted_at: datetime | None
    date_source: DateSource
    pixels: UInt8[np.ndarray, "s s 3"]
    box: garments.Box
    thumbnail: bytes | None


def _loader(weights: str | Path | Predictor | None) -> Callable[[], Predictor]:
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
    feed: Iterable[Post | Skipped], prepare: Callable[[Post], Future[_Prepared | Skipped]]
) -> Iterator[_Prepared | Skipped]:
    waiting: deque[Future[_Prepared | Skipped] | Skipped] = deque()
    for item in feed:
        waiting.append(item if isinstance(item, Skipped) else prepare(item))
        if len(waiting) >= AHEAD:
            yield _finished(waiting.popleft())
    while waiting:
        yield _finished(waiting.popleft())


def _finished(item: Future[_Prepared | Skipped] | Skipped) -> _Prepared | Skipped:
    return item if isinstance(item, Skipped) else item.result()


def _prepare(
    post: Post, classifier: Future[Predictor], zone: tzinfo, pictures: bool
) -> _Prepared | Skipped:
    try:
        photo = decode(post.read(), edge=DECODED_SIDE)
    except ImageError as error:
        return Skipped(post.customer, post.source, error.reason, str(error))
    size = classifier.result().input_size
    cut = garments.cut_out(photo.rgb, size)
    posted_at, date_source = _date(post, photo.taken_at, zone)
    box = _scaled(cut.box, photo.size[0] / photo.rgb.shape[1], photo.size[1] / photo.rgb.shape[0])
    small = thumbnail(photo.rgb, THUMBNAIL_SIDE) if pictures else None
    return _Prepared(post, photo.sha256, posted_at, date_source, cut.pixels, box, small)


def _date(
    post: Post, taken_at: datetime | None, zone: tzinfo
) -> tuple[datetime | None, DateSource]:
    """The feed's own date is trusted first, then the camera's, then the file name's."""
    if post.date_source == "feed" or taken_at is None:
        return post.posted_at, post.date_source
    return to_utc(taken_at, zone), "exif"


def _scaled(box: garments.Box, across: float, down: float) -> garments.Box:
    x0, y0, x1, y1 = box
    return round(x0 * across), round(y0 * down), round(x1 * across), round(y1 * down)


def _judge(
    batch: list[_Prepared | Skipped], classifier: Predictor, pictures: bool
) -> Iterator[Reading | Skipped]:
    cut_outs = [item.pixels for item in batch if isinstance(item, _Prepared)]
    predictions = iter(classifier.predict(cut_outs) if cut_outs else ())
    for item in batch:
        if isinstance(item, Skipped):
            yield item
        else:
            yield _reading(item, next(predictions), pictures)


def _reading(item: _Prepared, prediction: Prediction, pictures: bool) -> Reading:
    found: tuple[Garment, ...] = ()
    if prediction.category is not None:
        found = (Garment(prediction.category, prediction.confidence, item.box),)
    return Reading(
        customer=item.post.customer,
        post_id=item.post.post_id,
        source=item.post.source,
        sha256=item.sha256,
        posted_at=item.posted_at,
        date_source=item.date_source,
        verdict=prediction.verdict,
        garments=found,
        probabilities=tuple(prediction.top(len(prediction.probabilities))),
        outside=prediction.outside,
        thumbnail=item.thumbnail,
        seen=thumbnail(item.pixels, SEEN_SIDE, quality=90) if pictures else None,
    )
