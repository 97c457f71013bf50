"""What pages and API of the desk share: the store and uploads."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import IO, Any, TypeVar

from trendscope import store
from trendscope.catalog.items import Item
from trendscope.errors import NothingUsable, UsageError
from trendscope.ingest.catalog import add
from trendscope.photos.pipeline import Engine
from trendscope.photos.results import Label
from trendscope.recommend.campaigns import Campaign, campaign
from trendscope.store.database import Store
from trendscope.store.labels import labels_of
from trendscope.store.weights import current_weights
from trendscope.store.write_items import ItemRows, put_item_back, rows_of_item
from trendscope.text import natural
from trendscope.trends.from_store import trends_of_store
from trendscope.trends.summary import TrendSummary
from trendscope.vision.predictions import WeightsChoice
from trendscope.vision.weights import find_digest, identify
from trendscope.web.scan_jobs import ScanJobs
from trendscope.web.settings import Settings
from trendscope.web.spool import Spool
from trendscope.web.undo import Undo
from trendscope.web.upload_jobs import UploadJobs

T = TypeVar("T")

MOST_SUMMARIES = 8
"""Summaries of trends that a desk keeps."""


@dataclass(eq=False)
class Desk:
    """The state of a running desk.

    Attributes:
        store: The open database; `close` closes it.
        jobs: Uploads, waiting and done.
        spool: Folder in which uploads lie until they were looked at.
        weights: Weights of the classifier, as `trendscope.profile` takes them.
    """

    store: Store
    jobs: UploadJobs
    settings: Settings
    spool: Spool
    weights: WeightsChoice

    def __post_init__(self) -> None:
        self.undo = Undo()
        self.scans = ScanJobs(self.store, self.jobs, self.settings, self.weights, self.spool)
        self._summaries: dict[tuple[int, str | None], tuple[object, TrendSummary]] = {}

    def now(self) -> datetime:
        """The present, in UTC."""
        return datetime.now(UTC)

    def state(self) -> tuple[object, ...]:
        """What differs as soon as pages may: the database's version, the day, and the lists."""
        lists = (self.settings.only, self.settings.never)
        written = [path.stat().st_mtime_ns for path in lists if path and path.is_file()]
        return self.store.version(), self.now().astimezone(self.settings.zone).date(), *written

    def trend_summary(self, ahead: int = 4, segment: str | None = None) -> TrendSummary:
        """What is worn more and what less, of all customers or of those of one segment.

        It is kept until the database or the day is another one.

        Raises:
            NothingUsable: There is no such segment, or nobody in it.
        """
        members = self.members(segment)
        key, state = (ahead, segment or None), self.state()
        then, summary = self._summaries.get(key, (None, None))
        if summary is not None and then == state:
            return summary
        summary = trends_of_store(
            self.store,
            customers=members,
            weeks_ahead=ahead,
            now=self.now(),
            zone=self.settings.zone,
        )
        if len(self._summaries) >= MOST_SUMMARIES:
            self._summaries.clear()
        self._summaries[key] = state, summary
        return summary

    def change_item(self, sku: str, change: Callable[[], T]) -> tuple[T, str]:
        """What a change of an item returns, and the key by which it can be taken back."""

        def read() -> ItemRows:
            with self.store.reading() as connection:
                return rows_of_item(connection, sku)

        return self.undo.changing(read, partial(self.put_item_back, sku), change)

    def put_item_back(self, sku: str, rows: ItemRows) -> None:
        """Makes an item what it was; without rows it is removed."""
        with self.store.writing() as connection:
            put_item_back(connection, sku, rows)

    def correct(self, sha256: str, label: Label | None) -> tuple[Label | None, str]:
        """Notes what a person says of a photo, or removes it.

        Returns:
            The former label, and the key by which the change can be taken back.
        """

        def read() -> Label | None:
            with self.store.reading() as connection:
                return labels_of(connection, [sha256]).get(sha256)

        def write(label: Label | None) -> None:
            store.correct(self.store, {sha256: None}, self.now())  # so that no box outlasts it
            change(label)

        def change(label: Label | None) -> Label | None:
            return store.correct(self.store, {sha256: label}, self.now())[sha256]

        return self.undo.changing(read, write, partial(change, label))

    def add_item(self, picture: IO[bytes] | None, sku: str, **facts: Any) -> Item:
        """Adds an item, or what is given of a known one; see `trendscope.ingest.catalog.add`."""

        def work(engine: Engine | None) -> Item:
            folder = self.spool.new()
            try:
                path = folder / "picture" if picture else None
                if picture and path:
                    with path.open("xb") as out:
                        shutil.copyfileobj(picture, out, 1 << 20)
                return add(
                    path,
                    self.store,
                    sku=sku,
                    weights=self.weights,
                    limits=self.settings.limits,
                    tools=engine,
                    **facts,
                )
            finally:
                shutil.rmtree(folder, ignore_errors=True)

        # Words alone need no classifier, and do not wait for one.
        return self.jobs.borrow(work) if picture else work(None)

    def campaign(
        self, *, customer: str | None = None, sku: str | None = None, category: str | None = None
    ) -> Campaign:
        """What to offer a customer, or whom to offer an item or a category, if they may be asked.

        Arguments and errors are those of `trendscope.recommend.campaigns.campaign`.
        """
        return campaign(
            self.store,
            customer=customer,
            sku=sku,
            category=category,
            only=self.settings.only,
            never=self.settings.never,
            unknown_names="keep",
        )

    def members(self, segment: str | None) -> list[str] | None:
        """The customers of a segment; None, for all, without one.

        Raises:
            NothingUsable: There is no such segment.
        """
        if not segment:
            return None
        if segment not in self.segments:
            raise NothingUsable(f"there is no segment {segment[:60]!r}")
        return [name for name, group in self.settings.segments.items() if group == segment]

    @property
    def segments(self) -> tuple[str, ...]:
        """The names of the segments, in order."""
        return tuple(sorted({*self.settings.segments.values()}, key=natural))

    def close(self) -> None:
        """Closes scans, uploads and store."""
        self.scans.close()
        self.jobs.close()
        self.store.close()


def open_desk(db: Store, settings: Settings, weights: WeightsChoice, spool: Spool) -> Desk:
    """A desk over an open store, with the weights in use there. The caller closes it.

    Raises:
        UsageError: `weights` are others, or those in use are no shipped ones and none were named.
    """
    with db.reading() as connection:
        current = current_weights(connection)
    if current and weights is None:
        weights = find_digest(current[1].digest)
    if current and identify(weights).digest != current[1].digest:
        raise UsageError(
            f"{db.shown} holds what {current[1]} saw, and other weights are never mixed with it; "
            "name those with --weights FILE"
        )
    return Desk(db, UploadJobs(settings, weights, spool), settings, spool, weights)
