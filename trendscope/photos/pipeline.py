"""Feeds, images, garments and the classifier joined: posts in, one result per photo out.

Photos are decoded, in processes of their own, while the weights load and beside the network, a
bounded number at a time; results come in the order of the feed. A photo that fails costs only
itself and is listed; the run goes on. Results of earlier runs pass through in their place.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, TypeVar, runtime_checkable

from trendscope.errors import ImageError
from trendscope.feeds.post import Post
from trendscope.files.formats import PHOTO_SUFFIXES
from trendscope.limits import Limits
from trendscope.photos.options import DEFAULTS, ScanOptions
from trendscope.photos.results import PhotoResult, PictureResult
from trendscope.skipped import Skipped
from trendscope.vision.images import thumbnail
from trendscope.vision.near_duplicates import fingerprint
from trendscope.vision.predictions import PhotoPrediction, Predictor, Preparation, WeightsChoice
from trendscope.vision.preparation import preparation_of
from trendscope.vision.sandbox import Decoder
from trendscope.vision.weights import read_header, resolve

K = TypeVar("K")

Done = PhotoResult | Skipped
"""Items that pass through without more work."""

Item = Post | Done

PictureDone = PictureResult | Skipped
"""The same of pictures, whoever they belong to."""


@runtime_checkable
class Picture(Protocol):
    """An image with its path, as shown to people, and a way to read its bytes."""

    @property
    def source(self) -> str:
        """Path of the image, as shown to people."""

    @property
    def read(self) -> Callable[[], bytes]:
        """Returns the bytes; raises `ImageError` when they cannot be read."""


THUMBNAIL_SIDE = 224
"""Longest side of thumbnails for contact sheets, in pixels."""

THREADS = 2

BATCH = 32

MAX_PENDING = 2 * BATCH
"""Photos prepared but not yet judged."""

Recall = Callable[[Post, str], PhotoResult | None]
"""Returns the stored result of a post's image by the sha256 of its bytes in hex, or None."""

Progress = Callable[[int, int], None]
"""Called with the number of photos and skipped items that are done, and of all listed so far."""


def classify_posts(
    feed: Iterable[Item],
    load: Loader,
    options: ScanOptions = DEFAULTS,
    *,
    recall: Recall | None = None,
    engine: Engine | None = None,
) -> Generator[Done, None, None]:
    """`classify_keyed` for items without keys."""
    pairs = ((None, item) for item in feed)
    with closing(classify_keyed(pairs, load, options, recall=recall, engine=engine)) as results:
        for _, result in results:
            yield result


def classify_keyed(
    feed: Iterable[tuple[K, Item]],
    load: Loader,
    options: ScanOptions = DEFAULTS,
    *,
    recall: Recall | None = None,
    engine: Engine | None = None,
) -> Generator[tuple[K, Done], None, None]:
    """Judges a feed's photos in its order, holding at most `MAX_PENDING` of them at a time.

    Args:
        feed: Pairs of a key, which comes back unchanged beside the result, and a post; skipped
            items and results of earlier runs are passed on.
        load: Loader of the classifier; runs beside the decoding of the first photos, and not at
            all if none has to be decoded.
        options: Time zone, limits and pictures to add; its weights are those of `load`.
        recall: Lookup of stored results by the photos' bytes, so that they are not judged again.
        engine: Shared decoder and classifier, left running; made of `load` and closed if None.

    Raises:
        WeightsError: The weights are missing or cannot be used.
    """
    pairs = (((key, item), item) for key, item in feed)
    with closing(judge_pictures(pairs, load, options, recall=recall, engine=engine)) as results:
        for (key, item), result in results:
            yield key, _of_post(item, result, options.zone)


def _of_post(item: Item, result: PictureDone, zone: tzinfo) -> Done:
    if not isinstance(item, Post):
        return item
    if isinstance(result, Skipped):
        return replace(result, customer=item.customer)
    if isinstance(result, PhotoResult):
        return result
    return result.posted(item.customer, item.post_id, *item.dated(result.taken_at, zone))


def judge_pictures(
    feed: Iterable[tuple[K, Picture | PictureDone]],
    load: Loader,
    options: ScanOptions = DEFAULTS,
    *,
    recall: Callable[[Any, str], PictureResult | None] | None = None,
    engine: Engine | None = None,
) -> Generator[tuple[K, PictureDone], None, None]:
    """`classify_keyed` for pictures, whoever they belong to; those skipped have no customer."""
    own, engine = engine is None, engine or Engine(load, options.limits)
    # Half of the threads wait for a decoder while the others prepare decoded photos.
    pool = ThreadPoolExecutor(2 * engine.threads)
    try:
        prepare = partial(_prepare, engine=engine, recall=recall, options=options)
        prepared = _in_order(feed, partial(pool.submit, prepare))
        while batch := list(islice(prepared, BATCH)):
            yield from _judge(batch, engine)
    finally:
        # A caller who stops early, by Ctrl-C too, does not wait for photos under way.
        if own:
            engine.close()
        pool.shutdown(cancel_futures=True)


class Engine:
    """The decoder and the classifier, both started once the first photo asks for them.

    Args:
        threads: Photos decoded at a time, and prepared at a time; `THREADS` if None.
    """

    def __init__(self, load: Loader, limits: Limits | None, threads: int | None = None):
        self.threads = threads or THREADS
        self.decoder = Decoder(limits, workers=self.threads)
        self._load = load
        self._loading = ThreadPoolExecutor(1)
        self._lock = Lock()
        self._classifier: Future[Predictor] | None = None

    @property
    def preparation(self) -> Preparation:
        """How photos are prepared for the classifier, known before it is loaded."""
        return self._load.preparation

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
    """A picture as the network takes it in, and the fields of its result that no network fills."""

    view: Any
    scale: tuple[float, float]
    source: str
    sha256: str
    fields: dict[str, Any]

    def result(self, prediction: PhotoPrediction) -> PictureResult:
        seen = PictureResult.of_prediction(self.source, self.sha256, prediction, self.scale)
        return replace(seen, **self.fields)


class Loader:
    """Loads a classifier when it is first called, and only then."""

    def __init__(self, weights: WeightsChoice):
        self._weights = weights

    def __call__(self) -> Predictor:
        """The classifier; raises WeightsError."""
        return self._classifier

    @cached_property
    def _source(self) -> Path | Predictor:
        return resolve(self._weights)

    @cached_property
    def _classifier(self) -> Predictor:
        if not isinstance(self._source, Path):
            return self._source
        # Imported here, so that this module can be used, and tested, without jax.
        from trendscope.vision.loading import load_predictor

        return load_predictor(self._source)

    @cached_property
    def preparation(self) -> Preparation:
        """How photos are prepared for the classifier; for a weights file, known without jax."""
        if not isinstance(self._source, Path):
            return self._source
        return preparation_of(read_header(self._source))


def _in_order(
    pairs: Iterable[tuple[K, Picture | PictureDone]],
    begin: Callable[[Picture], Future[_Prepared | PictureDone]],
) -> Iterator[tuple[K, _Prepared | PictureDone]]:
    """The results of what was begun for each item, at most `MAX_PENDING` of them ahead."""
    pending: deque[tuple[K, Future[_Prepared | PictureDone] | PictureDone]] = deque()
    for key, item in pairs:
        pending.append((key, item if isinstance(item, PictureDone) else begin(item)))
        if len(pending) >= MAX_PENDING:
            yield _finished(*pending.popleft())
    while pending:
        yield _finished(*pending.popleft())


def _finished(
    key: K, item: Future[_Prepared | PictureDone] | PictureDone
) -> tuple[K, _Prepared | PictureDone]:
    return key, item.result() if isinstance(item, Future) else item


def _prepare(
    picture: Picture,
    engine: Engine,
    recall: Callable[[Any, str], PictureResult | None] | None,
    options: ScanOptions,
) -> _Prepared | PictureDone:
    """Reads, decodes and prepares one picture, unless its result is stored already."""
    try:
        data = picture.read()
        sha256 = hashlib.sha256(data).hexdigest()
        if recall and (stored := recall(picture, sha256)):
            return stored
        engine.start()
        decode, large = engine.decoder.decode, options.preview_side
        photo = decode(data, max_side=engine.preparation.decoded_side)
        preview = thumbnail(decode(data, max_side=large).rgb, large) if large else None
    except ImageError as error:
        return _refused(picture.source, error)
    side = THUMBNAIL_SIDE if options.pictures else options.thumbnail_side
    (width, height), (rows, columns, _) = photo.size, photo.rgb.shape
    fields = {
        "size": photo.size,
        "fingerprint": fingerprint(photo),
        "thumbnail": thumbnail(photo.rgb, side) if side else None,
        "preview": preview,
        "taken_at": photo.taken_at,
    }
    view, scale = engine.preparation.prepare(photo.rgb), (width / columns, height / rows)
    return _Prepared(view, scale, picture.source, sha256, fields)


def _refused(source: str, error: ImageError) -> Skipped:
    """A picture left out; zeros stand for a photo in the cloud only where the name is a photo's."""
    if error.reason == "placeholder" and not source.lower().endswith(PHOTO_SUFFIXES):
        return Skipped(None, source, "not_an_image", "nothing but zeros")
    return Skipped(None, source, error.reason, str(error))


def _judge(
    batch: list[tuple[K, _Prepared | PictureDone]], engine: Engine
) -> Iterator[tuple[K, PictureDone]]:
    photos = [item for _, item in batch if isinstance(item, _Prepared)]
    predictions = engine.classifier.predict([photo.view for photo in photos]) if photos else []
    judged = zip(photos, predictions, strict=True)
    results = iter([photo.result(prediction) for photo, prediction in judged])
    for key, item in batch:
        yield key, next(results) if isinstance(item, _Prepared) else item
