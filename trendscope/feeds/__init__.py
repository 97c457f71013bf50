"""Who posted which image when: one reader per kind of feed, recognised by content.

`open_feed` yields a `Post` for every image and a `Skipped` for everything that is not used, so that
nothing is lost without a word. Images are not read before they are asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from trendscope.errors import FeedError

DateSource = Literal["feed", "exif", "file name", "none"]

REASONS: dict[str, str] = {
    "empty": "empty file",
    "truncated": "file cut short or damaged",
    "decoder_error": "damaged picture",
    "not_an_image": "not a picture",
    "unsupported_format": "picture format not supported",
    "video": "video",
    "too_large": "too large",
    "unreadable": "could not be read",
    "link": "link to another place",
    "special_file": "not a regular file",
    "missing_media": "named in the export, but not in it",
    "bad_json": "export file not readable",
    "unsafe_path": "unsafe path in the archive",
    "encrypted": "protected by a password",
    "nested_archive": "archive inside an archive",
    "archive_limit": "archive larger than allowed",
    "damaged_archive": "damaged archive",
    "duplicate": "counted already",
}
"""Every reason code for something that was not used, with a few plain words."""


@dataclass(frozen=True)
class Post:
    """One image that a customer posted.

    Attributes:
        customer: The customer's name as the feed gives it.
        post_id: Identifies the image within the customer; the same in every export of it.
        posted_at: Aware UTC time, None where the feed does not say.
        date_source: Where `posted_at` comes from; ``none`` when it is None.
        source: Where the image lies, for people: a path, or ``export.zip/media/x.jpg``.
        read: Returns the image's bytes; raises `ImageError` when they cannot be read.
        file: Absolute path of the file on this disk that holds the bytes, and the member in it (""
            for the file itself); None where there is none. While that file's size and time stay,
            so do the bytes.
    """

    customer: str
    post_id: str
    posted_at: datetime | None
    date_source: DateSource
    source: str
    read: Callable[[], bytes] = field(repr=False, compare=False)
    file: tuple[str, str] | None = field(default=None, repr=False, compare=False)

    def dated(self, taken_at: datetime | None) -> tuple[datetime | None, DateSource]:
        """Its date: the feed's own is trusted first, then the camera's, then the file name's."""
        if self.date_source == "feed" or taken_at is None:
            return self.posted_at, self.date_source
        return taken_at, "exif"


@dataclass(frozen=True)
class Skipped:
    """Something in a feed that was not used, and why.

    Attributes:
        customer: Whose it would have been; None where that is unknown.
        source: Where it lies, for people.
        reason: A key of `REASONS`.
        detail: One plain sentence.
    """

    customer: str | None
    source: str
    reason: str
    detail: str


@dataclass(frozen=True)
class Limits:
    """What a feed may ask for.

    Attributes:
        file_bytes: Largest single image file.
        json_bytes: Largest index file of an export.
        archive_bytes: Most bytes read out of one archive, all members together.
        members: Most members of one archive.
        ratio: Most bytes a member may unpack to per packed byte, beyond its first 10 MB.
    """

    file_bytes: int = 100_000_000
    json_bytes: int = 200_000_000
    archive_bytes: int = 50_000_000_000
    members: int = 500_000
    ratio: int = 200


def open_feed(
    paths: Sequence[Path],
    *,
    customer: str | None = None,
    limits: Limits | None = None,
    now: datetime | None = None,
) -> Iterator[Post | Skipped]:
    """Reads feeds of any known kind, in the order given and sorted within.

    Args:
        paths: Instagram exports (zip or folder, JSON), folders of photos (images directly in a
            folder belong to one customer of its name; images in sub-folders to one customer per
            sub-folder), folders of such feeds at any depth, or single images.
        customer: Whose feed it is, instead of what the feed says.
        limits: What it may ask for.
        now: The present, aware; what is dated more than a day later counts as undated.

    Raises:
        FeedError: A path is missing.
    """
    for path in paths:
        if not os.path.lexists(path):
            shown = displayed(str(path))
            raise FeedError(f"{shown} does not exist; check the spelling, or drag the folder here")
    return _read_all(paths, customer, limits or Limits(), now or datetime.now(UTC))


def _read_all(
    paths: Sequence[Path], customer: str | None, limits: Limits, now: datetime
) -> Iterator[Post | Skipped]:
    from trendscope.feeds import folder

    for path in paths:
        yield from folder.read(path, customer, limits, now)


def displayed(name: str) -> str:
    """A name made safe to show: control characters and undecodable bytes as escapes."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in name
    )
