"""What was not used, and why."""

from __future__ import annotations

from dataclasses import dataclass

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
    "unclear_names": "archive with names in no certain encoding",
    "unsupported_compression": "packed by a method that is not supported",
    "decoder_crash": "crashed its decoder",
    "timeout": "took too long to decode",
    "duplicate": "counted already",
    "repost": "counted already, in another size or quality",
    "hidden": "hidden or deleted",
    "placeholder": "in the cloud only, not in this feed",
    "unlisted": "not named in the manifest",
    "unknown_media": "picture that the export does not explain",
    "bad_table": "line of a manifest not readable",
    "bad_date": "date in a manifest not readable",
    "links_only": "holds links and no photos",
    "html_export": "web pages instead of JSON",
    "not_included": "not asked for",
    "private": "private, never read",
    "other_data": "no photos",
    "other_dates": "of other dates than asked for",
}
"""Every reason code for something that was not used, with a few plain words."""

PARTS = ("not_included", "private", "other_data")
"""Reasons that stand for a whole part of an export, left out as it should be."""

OTHER_DATES = "other_dates"
"""Reason of photos of dates that were not asked for."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something in a feed that was not used, and why.

    Attributes:
        customer: Name of its owner; None where that is unknown.
        source: Its path, for people.
        reason: A key of `REASONS`.
        detail: One plain sentence.
    """

    customer: str | None
    source: str
    reason: str
    detail: str
