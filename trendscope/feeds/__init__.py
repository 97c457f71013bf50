"""Who posted which image when: one reader per kind of feed, recognised by content.

`open_feed` yields a `Post` for every image and a `Skipped` for everything that is not used, so that
nothing is lost without a word. Images are not read before they are asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from trendscope.errors import FeedError
from trendscope.feeds.dates import to_utc
from trendscope.limits import Limits as Limits

if TYPE_CHECKING:
    from trendscope.feeds.request import Names

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
    "unsupported_compression": "packed by a method that is not supported",
    "decoder_crash": "crashed its decoder",
    "timeout": "took too long to decode",
    "duplicate": "counted already",
    "repost": "counted already, in another size or quality",
    "hidden": "hidden or deleted",
    "unlisted": "not named in the manifest",
    "unknown_media": "picture that the export does not explain",
    "bad_table": "line of a manifest not readable",
    "links_only": "holds links and no photos",
    "html_export": "web pages instead of JSON",
    "not_included": "not asked for",
    "private": "private, never read",
    "other_data": "no photos",
}
"""Every reason code for something that was not used, with a few plain words."""


PARTS = ("not_included", "private", "other_data")
"""Reasons that stand for a whole part of an export, left out as it should be."""

KINDS = ("stories", "archived", "profile")
"""What may be read besides posts."""


class Located(NamedTuple):
    """Where an image's bytes lie. While the file's size and time stay, so do the bytes.

    Attributes:
        path: Absolute path of a file on this disk, or an object's URL.
        member: Of the archive that it is; "" for the file itself.
        version: Size in bytes, and a number that changes with the content, where a listing told
            them; None for files on this disk, which can be asked.
    """

    path: str
    member: str = ""
    version: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """One image that a customer posted.

    Attributes:
        customer: The customer's name as the feed gives it.
        post_id: Identifies the image within the customer; the same in every export of it.
        posted_at: Aware UTC time, None where the feed does not say.
        date_source: Where `posted_at` comes from; ``none`` when it is None.
        source: Where the image lies, for people: a path, or ``export.zip/media/x.jpg``.
        read: Returns the image's bytes, here or in a process that the post was sent to; raises
            `ImageError` when they cannot be read.
        file: Where they lie; None where that is no place to come back to.
    """

    customer: str
    post_id: str
    posted_at: datetime | None
    date_source: DateSource
    source: str
    read: Callable[[], bytes] = field(repr=False, compare=False)
    file: Located | None = field(default=None, repr=False, compare=False)

    def dated(self, taken_at: datetime | None, zone: tzinfo) -> tuple[datetime | None, DateSource]:
        """Its date: the feed's own is trusted first, then the camera's, then the file name's.

        Args:
            taken_at: When the camera says; see `trendscope.images.Photo`.
            zone: Of cameras that do not say theirs.
        """
        if self.date_source == "feed" or taken_at is None:
            return self.posted_at, self.date_source
        return to_utc(taken_at, zone), "exif"


@dataclass(frozen=True, slots=True)
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


def is_url(path: Path | str) -> bool:
    """True for what is not on this disk: ``s3://bucket/feeds``."""
    return "://" in str(path)


def open_feed(
    paths: Sequence[Path | str],
    *,
    customer: str | None = None,
    include: Collection[str] = (),
    zone: tzinfo = UTC,
    limits: Limits | None = None,
    now: datetime | None = None,
    names: Names | None = None,
) -> Iterator[Post | Skipped]:
    """Reads feeds of any known kind as one feed, in the order given and sorted within.

    Args:
        paths: Exports of Instagram, Facebook and Google Photos (zips or folders; the parts of one
            export are joined), what Instaloader and gallery-dl saved, manifests (CSV), folders of
            photos (images directly in a folder belong to one customer of its name; images in
            sub-folders to one customer per sub-folder), folders of all these at any depth, or
            single images. Text that is a URL names one in a store (`trendscope.feeds.remote`).
        customer: Whose photos they are where the feed does not say: instead of the name of the
            folder or zip. Two customers of one name are kept apart as ``ann`` and ``ann (2)``.
        include: Of `KINDS`, what is read besides posts.
        zone: Of dates that do not say theirs.
        limits: What it may ask for.
        now: The present, aware; what is dated more than a day later counts as undated.
        names: Those given out before, instead of `customer`; new ones are added.

    Raises:
        FeedError: A path is missing, or a store cannot be used.
    """
    for path in paths:
        if is_url(path):
            from trendscope.feeds.remote import find

            find(str(path))
        elif not os.path.lexists(path):
            shown = displayed(str(path))
            raise FeedError(f"{shown} does not exist; check the spelling, or drag the folder here")
    # Here and not above: the readers need the types of this module.
    from trendscope.feeds.opening import read_all
    from trendscope.feeds.request import Names, Request

    now = now or datetime.now(UTC)
    names = names or Names(customer)
    wanted = Request(limits or Limits(), now, frozenset(include), zone, names)
    return read_all(paths, wanted)


def displayed(name: str) -> str:
    """A name made safe to show: control characters and undecodable bytes as escapes."""
    if name.isprintable():
        return name
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in name
    )
