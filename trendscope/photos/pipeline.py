"""The one orchestrator: feeds, images, garments and the classifier joined into readings of photos.

Photos are decoded, in processes of their own, while the weights load and beside the network, a
bounded number at a time, and come out in the order of the feed. A photo that fails costs itself and
is listed; the run goes on. What is known already passes through in its place.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from jaxtyping import UInt8

from trendscope.errors import ImageError
from trendscope.feeds.post import DateSource, Post
from trendscope.limits import Limits
from trendscope.photos.results import Garment, PhotoResult
from trendscope.skipped import Skipped
from trendscope.vision import segmentation
from trendscope.vision.images import DECODED_SIDE, thumbnail
from trendscope.vision.near_duplicates import ImageFingerprint, fingerprint
from trendscope.vision.predictions import Predictor
from trendscope.vision.sandbox import Decoder
from trendscope.vision.weights import DEFAULT, input_size

if TYPE_CHECKING:
    from trendscope.vision.predictions import Prediction

T = TypeVar("T")

R = TypeVar("R")

Done = PhotoResult | Skipped
"""What passes through without more work."""

THUMBNAIL_SIDE = 224

SEEN_SIDE = 112

THREADS = 2

BATCH = 32

MAX_PENDING = 2 * BATCH
"""Photos prepared but not yet judged."""

Recall = Callable[[Post, str], PhotoResult | None]
"""Gives what is known of a post's bytes, by their sha256 in hex; None if nothing is."""

Progress = Callable[[int, int], None]
"""Called with the number of photos and skipped items that are done, and of all found so far."""


def classify_posts(
    feed: Iterable[Post | Skipped | PhotoResult],
    load: Loader,
    *,
    zone: tzinfo = UTC,
    limits: Limits | None = None,
    pictures: bool = False,
    small: int | None = None,
    recall: Recall | None = None,
    tools: Engine | None = None,
) -> Generator[PhotoResult | Skipped, None, None]:
    """Reads a feed's photos in its order, holding no more than `MAX_PENDING` of them at a time.

    Args:
        feed: Posts; what the feed's reader skipped, and what is known already, is passed on in its
            place.
        load: Gives the classifier; runs beside the decoding of the first photos, and not at all if
            none has to be decoded.
        zone: Of cameras that do not say theirs.
        limits: What a photo may ask for.
        pictures: Add a thumbnail and the network's view to each reading.
        small: Add a thumbnail of so many pixels a side instead.
        recall: Knows photos by their bytes, so that they need not be judged again.
        tools: To be used, and kept for the next photos, instead of new ones made of `load` and
            `limits`; several threads may share them.

    Raises:
        WeightsError: `load` could not do its work.
    """
    own, tools = tools is None, tools or Engine(load, limits)
    # Half of the threads wait for a decoder while the others cut out what theirs has decoded.
    pool = ThreadPoolExecutor(2 * tools.threads)
    try:
        side = THUMBNAIL_SIDE if pictures else small
        prepare = partial(_prepare, tools=tools, recall=recall, zone=zone, side=side)
        prepared = _in_order(feed, partial(pool.submit, prepare))
        while batch := list(islice(prepared, BATCH)):
            yield from _judge(batch, tools, pictures)
    finally:
        # A caller who stops early, by Ctrl-C too, does not wait for photos nobody will see.
        if own:
            tools.close()
        pool.shutdown(cancel_futures=True)


class Engine:
    """The decoder and the classifier, both started once the first photo asks for them.

    Args:
        load: Gives the classifier.
        limits: What a photo may ask for.
        threads: Photos decoded at a time, and cut out at a time; `THREADS` if None.
    """

    def __init__(self, load: Loader, limits: Limits | None, threads: int | None = None):
        self.threads = threads or THREADS
        self.decoder = Decoder(limits, workers=self.threads)
        self._load = load
        self._loading = ThreadPoolExecutor(1)
        self._lock = Lock()
        self._classifier: Future[Predictor] | None = None

    @property
    def input_size(self) -> int:
        """Side of the classifier's cut-outs in pixels, known before it is loaded."""
        return self._load.input_size

    def start(self) -> None:
        """Starts both, without waiting for either."""
        with self._lock:
            if self._classifier is None:
                self.decoder.start()
                self._classifier = self._loading.submit(self._load)

    @property
    def classifier(self) -> Predictor:
        """The classifier, as soon as it is loaded."""
        assert self._classifier is not None, "not started"
        return self._classifier.result()

    def close(self) -> None:
        """Ends the decoder at once; does not wait for weights."""
        self.decoder.close()
        self._loading.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class _Prepared:
    post: Post
    sha256: str
    taken_at: datetime | None
    posted_at: datetime | None
    date_source: DateSource
    pixels: UInt8[np.ndarray, "2 s s 4"]
    box: segmentation.Box
    looks: ImageFingerprint
    thumbnail: bytes | None


class Loader:
    """Loads a classifier when it is first called, and only then.

    Args:
        weights: Name of shipped weights, a weights file, or a classifier; the default if None.
    """

    def __init__(self, weights: str | Path | Predictor | None):
        self._weights = DEFAULT if weights is None else weights

    def __call__(self) -> Predictor:
        """The classifier; raises WeightsError."""
        return self._classifier

    @cached_property
    def _classifier(self) -> Predictor:
        if not isinstance(self._weights, str | Path):
            return self._weights
        # Here and not above, so that this module can be used, and tested, without jax.
        from trendscope.vision.classifier import Classifier

        return Classifier.load(self._weights)

    @cached_property
    def input_size(self) -> int:
        """As `Predictor.input_size`; of weights in a file their header tells, and jax can wait."""
        if not isinstance(self._weights, str | Path):
            return self._weights.input_size
        return input_size(self._weights)


def _in_order(
    items: Iterable[T | Done], begin: Callable[[T], Future[R | Done]]
) -> Iterator[R | Done]:
    """The results of what was begun for each item, at most `MAX_PENDING` of them ahead."""
    waiting: deque[Future[R | Done] | Done] = deque()
    for item in items:
        waiting.append(item if isinstance(item, Done) else begin(item))
        if len(waiting) >= MAX_PENDING:
            yield _finished(waiting.popleft())
    while waiting:
        yield _finished(waiting.popleft())


def _finished(item: Future[R | Done] | Done) -> R | Done:
    return item if isinstance(item, Done) else item.result()


def _prepare(
    post: Post, tools: Engine, recall: Recall | None, zone: tzinfo, side: int | None
) -> _Prepared | Done:
    """Reads, decodes and cuts out one photo, unless it is known."""
    try:
        data = post.read()
        sha256 = hashlib.sha256(data).hexdigest()
        if recall and (known := recall(post, sha256)):
            return known
        tools.start()
        photo = tools.decoder.decode(data, edge=DECODED_SIDE)
    except ImageError as error:
        return Skipped(post.customer, post.source, error.reason, str(error))
    cut = segmentation.cut_out(photo.rgb, tools.input_size)
    posted_at, date_source = post.dated(photo.taken_at, zone)
    box = _scaled(cut.box, photo.size[0] / photo.rgb.shape[1], photo.size[1] / photo.rgb.shape[0])
    looks = fingerprint(photo)
    small = thumbnail(photo.rgb, side) if side else None
    return _Prepared(
        post,
        sha256,
        photo.taken_at,
        posted_at,
        date_source,
        cut.pixels,
        box,
        looks,
        small,
    )


def _scaled(box: segmentation.Box, across: float, down: float) -> segmentation.Box:
    x0, y0, x1, y1 = box
    return round(x0 * across), round(y0 * down), round(x1 * across), round(y1 * down)


def _judge(
    batch: list[_Prepared | Done], tools: Engine, pictures: bool
) -> Iterator[PhotoResult | Skipped]:
    cut_outs = [item.pixels for item in batch if isinstance(item, _Prepared)]
    predictions = iter(tools.classifier.predict(cut_outs) if cut_outs else ())
    for item in batch:
        if isinstance(item, _Prepared):
            yield _reading(item, next(predictions), pictures)
        else:
            yield item


def _reading(item: _Prepared, prediction: Prediction, pictures: bool) -> PhotoResult:
    found: tuple[Garment, ...] = ()
    if prediction.category is not None:
        found = (Garment(prediction.category, prediction.confidence, item.box),)
    return PhotoResult(
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
        looks=item.looks,
        thumbnail=item.thumbnail,
        seen=thumbnail(item.pixels[0, ..., :3], SEEN_SIDE, quality=90) if pictures else None,
        taken_at=item.taken_at,
        embedding=prediction.embedding.astype("<f4").tobytes(),
    )
