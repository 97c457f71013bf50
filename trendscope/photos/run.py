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
from trendscope.photos.pipeline import Loader, Progress, classify_posts
from trendscope.photos.pseudonyms import Pseudonyms
from trendscope.photos.results import Classification, PhotoResult
from trendscope.photos.summary import Profile, summarise
from trendscope.skipped import Skipped
from trendscope.vision.predictions import WeightsChoice
from trendscope.vision.scores import Scores, read_scores
from trendscope.vision.weights import DEFAULT

PROGRESS_EVERY = 1000
"""Photos found between two reports of progress."""


class KnownPhotos(Protocol):
    """What is known of photos from before; `trendscope.store.memory.StoredPhotos` is one.

    Attributes:
        weights: Name of the weights that judged them.
    """

    weights: str

    def names(self, given: str | None = None) -> CustomerNames:
        """The customers' names given out before; `given` is the one for all that is read now."""

    @property
    def recall(self) -> Callable[[Post, str], PhotoResult | None] | None:
        """Says what is known of a post's image by the SHA-256 of its bytes; None if nothing is."""

    def recalled(self, feed: Iterable[Post | Skipped]) -> Iterator[Post | Skipped | PhotoResult]:
        """A feed in its order, with results in place of the items that are known."""

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
    """Says of each photo what garment it shows.

    Args:
        paths: Photos, folders and exports; see `trendscope.feeds.dispatch.open_feed`.
        weights: Name of shipped weights, a weights file, or a classifier; the default if None.
        customer: Whose photos they are where the feed does not say.
        include: Of `trendscope.feeds.post.KINDS`, what is read besides posts.
        zone: Of dates that do not say theirs.
        limits: What feeds and photos may ask for.
        pseudonyms: Replace the customers' names, and the paths, which may hold them.
        progress: Told after every item.

    Raises:
        FeedError: A path is missing.
        WeightsError: The weights are missing or cannot be used.
    """
    load = Loader(weights)
    found = open_feed(paths, customer=customer, include=include, zone=zone, limits=limits)
    feed = _listed(found, progress)
    looked_at = classify_posts(feed, load, zone=zone, limits=limits)
    results = _named(_told(looked_at, len(feed), progress), pseudonyms)
    return Classification(load().name, tuple(results))


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
    """Says per customer what they wear and how often; each image of a customer counts once.

    Args:
        paths: Photos, folders and exports; see `trendscope.feeds.dispatch.open_feed`.
        weights: Name of shipped weights, a weights file, or a classifier; the default if None.
        customer: Whose photos they are where the feed does not say.
        include: Of `trendscope.feeds.post.KINDS`, what is read besides posts.
        zone: Of dates that do not say theirs, and of the weeks.
        limits: What feeds and photos may ask for.
        keep_reposts: Count photos that were posted again in another size or quality.
        pseudonyms: Replace the customers' names, and the paths, which may hold them.
        pictures: Keep a thumbnail and the network's view of each photo, for a contact sheet.
        memory: Knows photos that need not be looked at again, what persons said of some, and the
            customers' names (`trendscope.store.memory.remembered`).
        progress: Told after every item.

    Raises:
        FeedError: A path is missing.
        WeightsError: The weights are missing or cannot be used.
    """
    scores, load = _measured(weights), Loader(weights)
    names = memory.names(customer) if memory else CustomerNames(customer)
    found = open_feed(paths, include=include, zone=zone, limits=limits, names=names)
    feed = _listed(found, progress)
    known = memory.recalled(feed) if memory else feed
    recall = memory.recall if memory else None
    looked_at = classify_posts(
        known, load, zone=zone, limits=limits, pictures=pictures, recall=recall
    )
    judged = map(memory.corrected, looked_at) if memory else looked_at
    results = _named(_told(judged, len(feed), progress), pseudonyms)
    once = tuple(drop_duplicates(results, keep_reposts=keep_reposts))
    name = memory.weights if memory else load().name
    return summarise(name, once, zone, scores)


def _measured(weights: WeightsChoice) -> Scores | None:
    """What weights from a file scored on photos; of a classifier without one nothing is known."""
    if weights is None or isinstance(weights, str | Path):
        return read_scores(weights or DEFAULT)
    return None


def _listed(feed: Iterable[Post | Skipped], progress: Progress | None) -> list[Post | Skipped]:
    """All of a feed, told now and then: a large one is long in being listed."""
    found: list[Post | Skipped] = []
    for item in feed:
        found.append(item)
        if progress and len(found) % PROGRESS_EVERY == 0:
            progress(0, len(found))
    return found


def _told(
    results: Iterable[PhotoResult | Skipped], total: int, progress: Progress | None
) -> Iterator[PhotoResult | Skipped]:
    for done, result in enumerate(results, start=1):
        if progress:
            progress(done, total)
        yield result


def _named(
    results: Iterable[PhotoResult | Skipped], pseudonyms: Pseudonyms | None
) -> Iterable[PhotoResult | Skipped]:
    return results if pseudonyms is None else map(pseudonyms.replaced, results)
