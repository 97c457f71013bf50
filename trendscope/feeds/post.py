"""The value that readers give: an image of a customer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Literal

from trendscope.feeds.dates import to_utc
from trendscope.files.trees import Located

DateSource = Literal["feed", "exif", "file name", "none"]

KINDS = ("stories", "archived", "profile")
"""Kinds of photos that may be read besides posts."""


@dataclass(frozen=True, slots=True)
class Post:
    """One image that a customer posted.

    Attributes:
        customer: The customer's name as the feed gives it.
        post_id: Identifies the image within the customer; the same in every export of it.
        posted_at: Time of the post, aware UTC; None where the feed does not say.
        date_source: Source of `posted_at`; ``none`` when that is None.
        is_undatable: Whether the feed gives a date that cannot be read: no other one stands for it.
        source: Place of the image for people: a path, or ``export.zip/media/x.jpg``.
        read: Returns the image's bytes, here or in a process that the post was sent to; raises
            `ImageError` when they cannot be read.
        file: The file that holds the bytes; None where they cannot be read again.
    """

    customer: str
    post_id: str
    posted_at: datetime | None
    date_source: DateSource
    source: str
    read: Callable[[], bytes] = field(repr=False, compare=False)
    file: Located | None = field(default=None, repr=False, compare=False)
    is_undatable: bool = False

    def dated(self, taken_at: datetime | None, zone: tzinfo) -> tuple[datetime | None, DateSource]:
        """The date of the image and its source: the feed's first, then the camera's, the name's.

        Args:
            taken_at: The camera's time; see `trendscope.vision.images.Photo`.
            zone: Time zone assumed for cameras that record none.
        """
        if self.date_source == "feed" or taken_at is None or self.is_undatable:
            return self.posted_at, self.date_source
        return to_utc(taken_at, zone), "exif"
