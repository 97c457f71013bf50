"""Feeds into the store: many customers at once, each photo judged once, nothing done twice.

What lies unchanged where it lay is not read; what has known bytes is not decoded; the rest goes
through `trendscope.photos.pipeline` and is written batch by batch. Whatever stops a run, the next
one goes on from the last whole batch.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.post import Post
from trendscope.files.trees import is_url
from trendscope.limits import Limits
from trendscope.photos.cluster import Cluster, distribute, job_of
from trendscope.photos.pipeline import BATCH, Loader, Progress, classify_posts
from trendscope.photos.results import PhotoResult
from trendscope.photos.run import PROGRESS_EVERY
from trendscope.skipped import Skipped
from trendscope.store.database import Clock, Database, Store, _opened, present
from trendscope.store.memory import Lookup, Stamp, StoredPhotos
from trendscope.store.weights import finish_reclassifying, register_weights
from trendscope.store.write_photos import (
    Found,
    ScanCounts,
    ScanResult,
    begin_scan,
    update_scan,
    write_results,
)
from trendscope.vision.predictions import WeightsChoice
from trendscope.vision.weights import identity_of

THUMBNAIL_SIDE = 128
"""Pixels a side of the small pictures that the store keeps for contact sheets."""

UPDATE_EVERY = 32
"""Photos between two reports of progress; drawing takes longer than recognising a photo."""


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
    batch: int = BATCH,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
    clock: Clock = present,
) -> ScanResult:
    """Looks at what is new in some feeds, and keeps what it saw; ``trendscope scan``.

    Args:
        paths: Photos, folders and exports of any number of customers; see `open_feed`.
        db: The database, which is made if it is not there; see `open_store`.
        weights: Name of shipped weights, a weights file, or a classifier, which is told from others
            by its name; the default if None.
        customer: Whose photos they are where the feed does not say.
        one_per_name: Whoever bears the name of a known customer is the same one, wherever it lies;
            otherwise another one, who is told apart by a number.
        include: Of `trendscope.feeds.post.KINDS`, what is read besides posts.
        zone: Of dates that do not say theirs.
        limits: What feeds and photos may ask for.
        reclassify: Judge all photos anew by other weights than before; what the former ones saw
            counts until the last photo is judged.
        thumbnails: Keep a small picture of each photo.
        batch: Photos written at once, and the most that are lost when the run is killed.
        cluster: Have photos looked at by Ray's workers, wherever they are, instead of here.
        progress: Told now and then.
        clock: Gives the present, aware.

    Raises:
        UsageError: The cluster is smaller than was asked for, or Ray is not installed.
        FeedError: A path is missing.
        WeightsError: The weights are missing or cannot be used.
        StoreError: The database cannot be used, or holds what other weights saw.
    """
    identity = identity_of(weights)
    paths = [path if is_url(path) else Path(os.path.abspath(path)) for path in paths]
    read = partial(open_feed, paths, include=include, zone=zone, limits=limits)
    counted = read()
    total = _counted(counted, progress) if progress else 0
    with _opened(db, clock()) as store:
        with store.writing() as connection:
            weights_id = register_weights(connection, identity, reclassify, clock(), store.shown)
            scan_id = begin_scan(connection, weights_id, clock())
        known = StoredPhotos(store, weights_id, zone=zone, limits=limits)
        names = known.names(customer, together=one_per_name)
        write = partial(
            write_results, weights_id=weights_id, names=names, limits=limits, reclassify=reclassify
        )
        run = _Run(store, scan_id, write, partial(_told, progress, total))
        small = THUMBNAIL_SIDE if thumbnails else None
        fresh = run.fresh(known.look_up(read(names=names), full=False))
        look = partial(_by_ray, cluster, paths) if cluster else _here
        seen = look(fresh, known, weights=weights, zone=zone, limits=limits, small=small)
        with closing(seen):
            run.keep(seen, batch)
        missing = run.finish(clock(), weights_id if reclassify else None)
        skipped = dict(sorted(run.reasons.items()))
        namesakes = tuple(names.numbered)
        return ScanResult(store.shown, identity.name, run.tally, skipped, namesakes, missing)


def _here(
    fresh: Iterable[Post | Skipped | PhotoResult],
    known: StoredPhotos,
    *,
    weights: WeightsChoice,
    **options: Any,
) -> Generator[PhotoResult | Skipped, None, None]:
    return classify_posts(fresh, Loader(weights), recall=known.recall, **options)


def _by_ray(
    cluster: Cluster,
    paths: Sequence[Path | str],
    fresh: Iterable[Post | Skipped | PhotoResult],
    known: StoredPhotos,
    **facts: Any,
) -> Generator[PhotoResult | Skipped, None, None]:
    return distribute(fresh, job_of(paths, **facts), cluster, known.recall)


class _Run:
    """One scan on its way into a store."""

    def __init__(
        self,
        store: Store,
        scan_id: int,
        write: Callable[..., None],
        told: Callable[[int], None],
    ):
        self.tally = ScanCounts()
        self.reasons: Counter[str] = Counter()
        self._store = store
        self._scan_id = scan_id
        self._write = write
        self._told = told
        self._stamps: deque[Stamp] = deque()

    def fresh(self, looked: Iterable[Lookup]) -> Iterator[Post | Skipped | PhotoResult]:
        """What has to be looked at or written; the rest is counted."""
        for stamp, item, known in looked:
            result = known.result if known else item
            if isinstance(item, Post) and isinstance(result, Skipped):
                self._count(result)  # refused before, and still the same file
            elif result is None:
                self._count(item)
            else:
                self._stamps.append(stamp)
                yield result

    def keep(self, results: Iterable[PhotoResult | Skipped], batch: int) -> None:
        """Writes results, which come in the order of what `fresh` gave, batch by batch."""
        results = iter(results)
        while part := list(islice(results, batch)):
            found: list[Found] = [(self._stamps.popleft(), result) for result in part]
            for result in part:
                self._count(result)
            with self._store.writing() as connection:
                self._write(connection, batch=found)
                update_scan(connection, self._scan_id, self.tally)

    def finish(self, now: datetime, new_weights: int | None) -> int:
        """Notes the end of the scan; returns how many images the new weights still lack."""
        missing = 0
        with self._store.writing() as connection:
            if new_weights is not None:
                missing = finish_reclassifying(connection, new_weights)
            update_scan(connection, self._scan_id, self.tally, now)
        self._told(self.tally.photos + self.tally.skipped)
        return missing

    def _count(self, item: Post | PhotoResult | Skipped) -> None:
        tally = self.tally
        if isinstance(item, Skipped):
            self.reasons[item.reason] += 1
            self.tally = replace(tally, skipped=tally.skipped + 1)
        elif isinstance(item, Post):
            self.tally = replace(tally, unchanged=tally.unchanged + 1)
        elif item.embedding is None:
            self.tally = replace(tally, recognised=tally.recognised + 1)
        else:
            self.tally = replace(tally, judged=tally.judged + 1)
        done = self.tally.photos + self.tally.skipped
        if done % UPDATE_EVERY == 0:
            self._told(done)


def _counted(feed: Iterable[Post | Skipped], progress: Progress) -> int:
    total = 0
    for total, _ in enumerate(feed, start=1):
        if total % PROGRESS_EVERY == 0:
            progress(0, total)
    return total


def _told(progress: Progress | None, total: int, done: int) -> None:
    if progress:
        # Files may have come since they were counted.
        progress(done, max(done, total))
