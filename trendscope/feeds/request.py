"""What was asked of a feed, and the customers' names given out so far."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from trendscope.feeds import DateSource, Limits, Post, Skipped, displayed
from trendscope.feeds.archive import Member, Tree
from trendscope.feeds.dates import latest_believed, named_date

VIDEOS = (".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi")
DATA = tuple(".json .html .htm .txt .srt .csv .js .css .xml .md .vcf .ics .pdf .json.xz".split())


class Names:
    """Gives every customer a name of their own: two of one name are told apart by a number.

    A customer is known by an account, such as ``instagram:ann`` or the folder's place on disk, and
    not by the name: the same account keeps its name, another one of that name is ``ann (2)``.

    Args:
        given: By the user, for whom the feed does not name; all accounts of that name are that
            customer's.
        known: Names given out before, by account.
        taken: Further names that are not free.
        together: Accounts of one name are one customer.

    Attributes:
        new: Names that accounts got here for the first time, by account.
        fresh: Those of them that nobody had before.
        numbered: Those of them that bear a number.
    """

    def __init__(
        self,
        given: str | None = None,
        *,
        known: Mapping[str, str] | None = None,
        taken: Iterable[str] = (),
        together: bool = False,
    ):
        self.new: dict[str, str] = {}
        self.fresh: set[str] = set()
        self.numbered: list[str] = []
        self._given = given
        self._names = dict(known or {})
        self._taken = {_composed(name): name for name in (*self._names.values(), *taken)}
        self._together = together

    def of_place(self, name: str, place: str) -> str:
        """The name for what only its place has a name for; the one given by the user, if any."""
        return self._given or self.of(name, place)

    def of(self, name: str, account: str) -> str:
        """The name to show for an account that the feed names."""
        if self._given and _composed(name).casefold() == _composed(self._given).casefold():
            return self._given
        if account not in self._names:
            self._names[account] = self.new[account] = self._allotted(displayed(name))
        return self._names[account]

    def _allotted(self, name: str) -> str:
        if self._together and (known := self._taken.get(_composed(name))):
            return known
        free, number = name, 2
        while _composed(free) in self._taken:
            free, number = f"{name} ({number})", number + 1
        self._taken[_composed(free)] = free
        self.fresh.add(free)
        if free != name:
            self.numbered.append(free)
        return free


def _composed(name: str) -> str:
    """Names that look the same must not be two customers without a word."""
    return unicodedata.normalize("NFC", name)


@dataclass(frozen=True)
class Request:
    """How a feed is to be read.

    Attributes:
        limits: What it may ask for.
        now: The present, aware.
        include: Of ``stories``, ``archived`` and ``profile``, what is read besides posts.
        zone: Of dates that do not say theirs.
        names: The customers' names, shared by all that is read together.
    """

    limits: Limits = field(default_factory=Limits)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    include: frozenset[str] = frozenset()
    zone: tzinfo = UTC
    names: Names = field(default_factory=Names)

    @property
    def latest(self) -> datetime:
        """The latest time that is believed."""
        return latest_believed(self.now)

    def owner(self, tree: Tree, name: str) -> str:
        """The customer of a member by where it lies, where nothing better is known."""
        return self.names.of_place(*tree.place(name))

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


def video(tree: Tree, name: str, customer: str) -> Skipped:
    """A video, by its name or by what the feed says of it."""
    return Skipped(customer, tree.source(name), "video", "a video; only photos are looked at")


def unsafe_path(source: str, customer: str) -> Skipped:
    """A place that a feed names and that lies outside of it."""
    return Skipped(customer, source, "unsafe_path", "the path leads out of the feed")


def missing_media(source: str, customer: str) -> Skipped:
    """A photo that a feed names and does not hold."""
    detail = "the export names this photo but does not hold it; ask for all parts of the export"
    return Skipped(customer, source, "missing_media", detail)
