"""Feeds into the store: many customers at once, each photo judged once.

Files that are unchanged in their place are not read; images with stored results are not decoded;
the rest goes through `trendscope.photos.pipeline` and is written batch by batch. Whatever stops a
run, the next one goes on from the last whole batch.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, tzinfo
from functools import partial
from itertools import islice
from pathlib import Path

from trendscope.feeds.customers import CustomerNames
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.post import Post
from trendscope.files.trees import is_url
from trendscope.ingest.uploads import Uploads
from trendscope.limits import Limits
from trendscope.photos.cluster import Cluster, distribute, job_of
from trendscope.photos.options import ScanOptions
from trendscope.photos.pipeline import BATCH, Engine, Item, Loader, Progress, classify_keyed
from trendscope.photos.run import feed_of, list_feed
from trendscope.skipped import Skipped
from trendscope.store.database import Clock, Database, opened, present
from trendscope.store.memory import Lookup, Stamp, StoredPhotos
from trendscope.store.weights import finish_reclassifying, register_weights
from trendscope.store.write_photos import (
    ScanCounts,
    ScanResult,
    begin_scan,
    update_scan,
    write_results,
)
from trendscope.vision.predictions import WeightsChoice
from trendscope.vision.weights import identify

THUMBNAIL_SIDE = 128
"""Pixels a side of the small pictures that the store keeps for contact sheets."""

PREVIEW_SIDE = 1024
"""Pixels a side of the larger pictures that it keeps if a person chose so."""

UPDATE_EVERY = 32
"""Items between two reports of progress; drawing takes longer than recognising a photo."""


def scan(
    paths: Sequence[Path | str],
    db: Database = None,
    *,
    weights: WeightsChoice = None,
    customer: str | None = None,
    one_per_name: bool = False,
    include: Collection[str] = (),
    zone: tzinfo = UTC,
    limits: Limits | None = None,
    reclassify: bool = False,
    thumbnails: bool = True,
    previews: bool = False,
    batch: int = BATCH,
    cluster: Cluster | None = None,
    engine: Engine | None = None,
    uploads: Uploads | None = None,
    progress: Progress | None = None,
    note: Callable[[Skipped], None] | None = None,
    clock: Clock = present,
) -> ScanResult:
    """Judges the new photos of some feeds, and stores the results; ``trendscope scan``.

    Arguments that are not named here are those of `trendscope.classify`.

    Args:
        db: The database, which is made if it is missing; see `open_store`.
        weights: Name of shipped weights, a weights file, or a classifier, which is identified by
            its name; the default if None.
        one_per_name: Whether all accounts and folders of one name are one customer, wherever they
            lie; otherwise each is a customer of its own, told apart by a number.
        reclassify: Whether to judge all photos anew by other weights than before; the former
            results count until the last photo is judged.
        thumbnails: Whether to keep a small picture of each photo.
        previews: Whether to keep a larger one of each new photo, to look at.
        batch: Photos written at once, and the most that are lost when the run is killed.
        cluster: Ray's workers, which judge the photos instead of this process.
        engine: Shared decoder and classifier of `weights`, left running.
        uploads: The files that `paths` lead to, if they are uploads.
        progress: Callback with the numbers of items done and listed; what it raises ends the scan.
        note: Callback for each item that is not used.

    Raises:
        UsageError: The cluster is smaller than requested, or Ray is not installed.
        FeedError: A path is missing.
        WeightsError: The weights are missing or cannot be used.
        StoreError: The database cannot be used, or holds results of other weights.
    """
    side = THUMBNAIL_SIDE if thumbnails else None
    large = PREVIEW_SIDE if previews else None
    options = ScanOptions(weights, customer, include, zone, limits, side, large)
    identity = identify(weights)
    paths = [path if is_url(path) else Path(os.path.abspath(path)) for path in paths]
    open_feed(paths)  # reads nothing yet, but a missing path is an error before there is a database
    with opened(db, create=True, now=clock()) as store:
        with store.writing() as connection:
            weights_id = register_weights(connection, identity, reclassify, clock(), store.shown)
            scan_id = begin_scan(connection, weights_id, clock())
        memory = StoredPhotos(store, weights_id, zone=zone, limits=limits)
        names = memory.names(customer, together=one_per_name)
        write = partial(write_results, names=names, limits=limits, reclassify=reclassify)
        counter = _Counter(progress, note)
        feed = counter.listed(_feed(paths, options, names, uploads))
        new = _to_judge(memory.look_up(feed, full=False), counter)
        if cluster:
            judged = distribute(new, job_of(paths, options), cluster, memory.recall)
        else:
            load, recall = Loader(weights), memory.recall
            judged = classify_keyed(new, load, options, recall=recall, engine=engine)
        with closing(judged):
            while pairs := list(islice(judged, batch)):
                for _, result in pairs:
                    counter.add(result)
                with store.writing() as connection:
                    write(connection, weights_id, pairs)
                    update_scan(connection, scan_id, counter.tally)
                counter.report()
        with store.writing() as connection:
            missing = finish_reclassifying(connection, weights_id) if reclassify else 0
            update_scan(connection, scan_id, counter.tally, clock())
        counter.report()
        skipped = dict(sorted(counter.reasons.items()))
        numbered, verdicts = tuple(names.numbered), dict(counter.verdicts)
        return ScanResult(
            store.shown, identity.name, counter.tally, skipped, numbered, missing, verdicts
        )


def _feed(
    paths: Sequence[Path | str], options: ScanOptions, names: CustomerNames, uploads: Uploads | None
) -> Iterable[Post | Skipped]:
    if uploads is None:
        return feed_of(paths, options, names)
    names.home = uploads.home
    return map(uploads.without_folder, feed_of(paths, options, names))


class _Counter:
    """Counts of a scan's results, reported now and then by `progress`."""

    def __init__(self, progress: Progress | None, note: Callable[[Skipped], None] | None):
        self._counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.verdicts: Counter[str] = Counter()
        self._total = 0
        self._progress = progress
        self._note = note

    def listed(self, feed: Iterable[Post | Skipped]) -> Iterable[Post | Skipped]:
        """The feed; where progress is shown, all of it, as its end has to be known."""
        if self._progress is None:
            return feed
        items = list_feed(feed, self._progress)
        self._total = len(items)
        return items

    def add(self, item: Item) -> None:
        """Counts a result, or an item that is unchanged."""
        if isinstance(item, Skipped):
            self.reasons[item.reason] += 1
            self._counts["skipped"] += 1
            if self._note:
                self._note(item)
        elif isinstance(item, Post):
            self._counts["unchanged"] += 1
        elif item.recalled:
            self._counts["recognised"] += 1
        else:
            self._counts["judged"] += 1
            self.verdicts[item.verdict] += 1

    @property
    def tally(self) -> ScanCounts:
        """The present numbers."""
        return ScanCounts(**self._counts)

    def pass_by(self, item: Post | Skipped) -> None:
        """Counts an item that needs no work; there may be many before any that does."""
        self.add(item)
        if self._counts.total() % UPDATE_EVERY == 0:
            self.report()

    def report(self) -> None:
        """Calls `progress` with the present numbers."""
        if self._progress:
            self._progress(self._counts.total(), self._total)


def _to_judge(lookups: Iterable[Lookup], counter: _Counter) -> Iterator[tuple[Stamp, Item]]:
    """The items to judge or to write, each with its stamp; the others are only counted."""
    for stamp, item, stored in lookups:
        if isinstance(item, Post) and isinstance(stored, Skipped):
            counter.pass_by(stored)  # refused before, and still the same file
        elif stored is None:
            counter.pass_by(item)
        else:
            yield stamp, stored
