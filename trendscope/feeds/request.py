"""The settings with which a feed is read, and the customers' names so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from trendscope.errors import FeedError, ImageError
from trendscope.feeds.customers import CustomerNames
from trendscope.feeds.dates import named_date
from trendscope.feeds.post import DateSource, Post
from trendscope.files.tables import Table, table_of
from trendscope.files.trees import Member, Tree
from trendscope.limits import Limits
from trendscope.skipped import Skipped
from trendscope.text import displayed

VIDEOS = (".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi")

DATA = tuple(".json .html .htm .txt .srt .csv .js .css .xml .md .vcf .ics .pdf .json.xz".split())


@dataclass(frozen=True)
class Request:
    """The settings with which a feed is read.

    Attributes:
        now: Present time, aware.
        include: Names from ``stories``, ``archived`` and ``profile`` to be read besides posts.
        zone: Time zone assumed for dates without an offset.
        names: Names of customers, shared by all that is read together.
    """

    limits: Limits = field(default_factory=Limits)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    include: frozenset[str] = frozenset()
    zone: tzinfo = UTC
    names: CustomerNames = field(default_factory=CustomerNames)

    @property
    def latest(self) -> datetime:
        """The latest time that is believed: a day after the present, as clocks may run ahead."""
        return self.now + timedelta(days=1)

    def owner(self, tree: Tree, name: str) -> str:
        """The customer in whose folder a member lies, for feeds that do not name one."""
        return self.names.of_place(*tree.place(name))

    def table(
        self, tree: Tree, name: str, is_known: Callable[[Sequence[str]], bool]
    ) -> Table | None:
        """A member that is a table with a known header, see `trendscope.files.tables`; or None."""
        try:
            return table_of(tree.read(name, self.limits.table_bytes), is_known)
        except (FeedError, ImageError):
            return None

    def post(
        self,
        tree: Tree,
        name: str,
        customer: str,
        posted_at: datetime | None = None,
        post_id: str | None = None,
        *,
        dated_name: bool = True,
    ) -> Post:
        """A photo of a feed, dated by the feed, else by its name if that is `dated_name`."""
        source = tree.source(name)
        date_source: DateSource = "feed" if posted_at else "none"
        if dated_name and posted_at is None:
            posted_at = named_date(name.rsplit("/", 1)[-1], self.latest, self.zone)
            date_source = "file name" if posted_at else "none"
        read = Member(tree, name, self.limits.file_bytes)
        identity = displayed(post_id or source)
        file = tree.file(name)
        return Post(customer, identity, posted_at, date_source, source, read, file)


def video(source: str, customer: str) -> Skipped:
    """The notice for a video."""
    return Skipped(customer, source, "video", "a video; only photos are looked at")


def not_included(source: str, customer: str, kind: str) -> Skipped:
    """The notice for a photo of a kind that is read only on request."""
    return Skipped(customer, source, "not_included", f"no post; add --include {kind} to read it")


def unsafe_path(source: str, customer: str) -> Skipped:
    """The notice for a path that leads out of the feed."""
    return Skipped(customer, source, "unsafe_path", "the path leads out of the feed")


def missing_media(source: str, customer: str) -> Skipped:
    """The notice for a photo that a feed names and does not hold."""
    detail = "the export names this photo but does not hold it; ask for all parts of the export"
    return Skipped(customer, source, "missing_media", detail)
