"""`trendscope classify` and `trendscope profile`: photos in, results or sums per customer out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Protocol

from trendscope.feeds.customers import CustomerNames
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.post import Post
from trendscope.limits import Limits
from trendscope.photos.duplicates import drop_duplicates
from trendscope.photos.options import ScanOptions
from trendscope.photos.pipeline import Loader, Progress, classify_posts
from trendscope.photos.pseudonyms import Pseudonyms
from trendscope.photos.results import Classification, PhotoResult
from trendscope.photos.summary import Profile, summarise
from trendscope.skipped import Skipped
from trendscope.vision.predictions import WeightsChoice
from trendscope.vision.scores import read_scores
from trendscope.vision.weights import resolve

PROGRESS_EVERY = 1000
"""Items listed between two reports of progress."""


class KnownPhotos(Protocol):
    """Results of earlier runs, by weights of that name; `trendscope.store.memory` has them."""

    weights: str

    def names(self, given: str | None = None) -> CustomerNames:
        """The customers' names of earlier runs; `given` is the one for all that is read now."""

    @property
    def recall(self) -> Callable[[Post, str], PhotoResult | None] | None:
        """Lookup of a post's result by the SHA-256 of its bytes; None if there are no results."""

    def recalled(self, feed: Iterable[Post | Skipped]) -> Iterator[Post | Skipped | PhotoResult]:
        """A feed in its order, with results in place of the items that have one."""

    def corrected(self, result: PhotoResult | Skipped) -> PhotoResult | Skipped:
        """A result as a person labelled its image; unchanged if nobody did."""


def classify(
    paths: Sequence[Path | str],
    *,
    weights: WeightsChoice = None,
    customer: str | None = None,
    include: Collection[str] = (),
    zone: tzinfo = UTC,
    limits: Limits | None = None,
    pseudonyms: Pseudonyms | None = None,
    progress: Progress | None = None,
) -> Classification:
    """Names the garment in each photo.

    Args:
        paths: Photos, folders and exports; see `trendscope.feeds.dispatch.open_feed`.
        weights: Name of shipped weights, a weights file, or a classifier; the default if None.
        customer: Owner of the photos where the feed names none.
        include: Kinds of images to read besides posts (`trendscope.feeds.post.KINDS`).
        zone: Time zone assumed for dates without an offset.
        pseudonyms: Replacement for the customers' names, and for paths, which may hold them.

    Raises:
        FeedError: A path is missing.
        WeightsError: The weights are missing or cannot be used.
    """
    options = ScanOptions(weights, customer, include, zone, limits)
    return classify_paths(paths, options, pseudonyms=pseudonyms, progress=progress)


def profile(
    paths: Sequence[Path | str],
    *,
    weights: WeightsChoice = None,
    customer: str | None = None,
    include: Collection[str] = (),
    zone: tzinfo = UTC,
    limits: Limits | None = None,
    keep_reposts: bool = False,
    pseudonyms: Pseudonyms | None = None,
    pictures: bool = False,
    memory: KnownPhotos | None = None,
    progress: Progress | None = None,
) -> Profile:
    """Sums up per customer what they wear and how often; each image of a customer counts once.

    Errors, and arguments that are not named here, are those of `classify`.

    Args:
        zone: Time zone assumed for dates without an offset, and of the weeks.
        keep_reposts: Whether to count photos that were posted again in another size or quality.
        pictures: Whether to keep a thumbnail and the network's view of each photo.
        memory: Stored results, labels and names (`trendscope.store.memory.stored_photos`).
    """
    options = ScanOptions(weights, customer, include, zone, limits, pictures=pictures)
    return profile_paths(
        paths,
        options,
        keep_reposts=keep_reposts,
        pseudonyms=pseudonyms,
        memory=memory,
        progress=progress,
    )


def classify_paths(
    paths: Sequence[Path | str],
    options: ScanOptions,
    *,
    pseudonyms: Pseudonyms | None = None,
    progress: Progress | None = None,
) -> Classification:
    """`classify`, with its settings as one value."""
    load = Loader(options.weights)
    feed = list_feed(feed_of(paths, options, CustomerNames(options.customer)), progress)
    judged = _reported(classify_posts(feed, load, options), len(feed), progress)
    results = tuple(_pseudonymised(judged, pseudonyms))
    return Classification(load().name, results)


def profile_paths(
    paths: Sequence[Path | str],
    options: ScanOptions,
    *,
    keep_reposts: bool = False,
    pseudonyms: Pseudonyms | None = None,
    memory: KnownPhotos | None = None,
    progress: Progress | None = None,
) -> Profile:
    """`profile`, with its settings as one value."""
    file, load = resolve(options.weights), Loader(options.weights)
    scores = read_scores(file) if isinstance(file, Path) else None
    names = memory.names(options.customer) if memory else CustomerNames(options.customer)
    feed = list_feed(feed_of(paths, options, names), progress)
    if memory:
        judged = classify_posts(memory.recalled(feed), load, options, recall=memory.recall)
        labelled: Iterable[PhotoResult | Skipped] = map(memory.corrected, judged)
    else:
        labelled = classify_posts(feed, load, options)
    results = _pseudonymised(_reported(labelled, len(feed), progress), pseudonyms)
    counted = tuple(drop_duplicates(results, keep_reposts=keep_reposts))
    name = memory.weights if memory else load().name
    return summarise(name, counted, options.zone, scores)


def feed_of(
    paths: Sequence[Path | str], options: ScanOptions, names: CustomerNames
) -> Iterator[Post | Skipped]:
    """The feed of some paths, see `trendscope.feeds.dispatch.open_feed`."""
    return open_feed(
        paths, include=options.include, zone=options.zone, limits=options.limits, names=names
    )


def list_feed(feed: Iterable[Post | Skipped], progress: Progress | None) -> list[Post | Skipped]:
    """All items of a feed; progress is reported on the way, as a large feed takes long to list."""
    items: list[Post | Skipped] = []
    for item in feed:
        items.append(item)
        if progress and len(items) % PROGRESS_EVERY == 0:
            progress(0, len(items))
    return items


def _reported(
    results: Iterable[PhotoResult | Skipped], total: int, progress: Progress | None
) -> Iterator[PhotoResult | Skipped]:
    for done, result in enumerate(results, start=1):
        if progress:
            progress(done, total)
        yield result


def _pseudonymised(
    results: Iterable[PhotoResult | Skipped], pseudonyms: Pseudonyms | None
) -> Iterable[PhotoResult | Skipped]:
    return results if pseudonyms is None else map(pseudonyms.replaced, results)
