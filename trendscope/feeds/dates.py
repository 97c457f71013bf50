"""The dates that feeds give: numbers and text of exports, and file names. All become aware UTC.

How far each is trusted, best first: the feed's own date (of an export, a sidecar or a manifest),
the camera's (EXIF, see `trendscope.images`), the date in the file name, none. A date that cannot be
true counts as none; nothing is ever given the present time. The month folders of Instagram's
exports are no dates: a month does not tell the week.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

FIRST_DAY = datetime(1990, 1, 1, tzinfo=UTC)
"""Earlier dates come from clocks that were never set."""

_MOST_SECONDS = 1e11  # the year 5138; larger numbers count smaller units

# A date and perhaps a time in names that phones, Instaloader and WhatsApp give their files.
_NAMED_DATE = re.compile(
    r"(?<!\d)(20\d\d)-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])"
    r"(?:[-_ T]([01]\d|2[0-3])-?([0-5]\d)-?([0-5]\d))?(?!\d{5})(_UTC)?"
)
_WRITTEN_DATE = re.compile(
    r"\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* (\d{1,2}), (\d{4}),? "
    r"(\d{1,2}):(\d\d)(?::(\d\d))?\s*([ap])m\b",
    re.IGNORECASE,
)
_MONTHS = ("jan feb mar apr may jun jul aug sep oct nov dec").split()


def moment(
    stamp: object, latest: datetime, *, earliest: datetime = FIRST_DAY, zone: tzinfo = UTC
) -> datetime | None:
    """A time of an export as aware UTC; None if it is missing or cannot be true.

    Args:
        stamp: Unix seconds as a number or text, where values a thousand, a million or a billion
            times too large are taken as milli-, micro- or nanoseconds; or ISO 8601.
        latest: A later time is not believed.
        earliest: Nor is an earlier one.
        zone: Of ISO 8601 without an offset.
    """
    if isinstance(stamp, bool) or not isinstance(stamp, int | float | str):
        return None
    try:
        found = _from_text(stamp, zone) if isinstance(stamp, str) else _from_unix(float(stamp))
    except (ValueError, OverflowError, OSError):
        return None
    return found if earliest <= found <= latest else None


def _from_text(text: str, zone: tzinfo) -> datetime:
    try:
        seconds = float(text)
    except ValueError:
        return to_utc(datetime.fromisoformat(text.strip()), zone)
    return _from_unix(seconds)


def _from_unix(seconds: float) -> datetime:
    for _ in range(3):
        if seconds > _MOST_SECONDS:
            seconds /= 1000
    return datetime.fromtimestamp(seconds, UTC)


def to_utc(found: datetime, zone: tzinfo) -> datetime:
    """Any time as aware UTC; one without an offset is taken in `zone`.

    Raises:
        OverflowError: It lies before year 1 or after 9999 in UTC.
    """
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def named_date(name: str, latest: datetime, zone: tzinfo = UTC) -> datetime | None:
    """The date in a file name such as ``IMG_20240131_123456.jpg``, aware UTC.

    Args:
        name: Without folders.
        latest: A later time is not believed.
        zone: The camera's; names that say ``_UTC`` are read as such.
    """
    match = _NAMED_DATE.search(name)
    if not match:
        return None
    *numbers, utc = match.groups(default="0")
    try:
        local = datetime(*map(int, numbers))  # type: ignore[arg-type]
    except ValueError:  # the 31st of February
        return None
    found = to_utc(local, UTC if utc == "_UTC" else zone)
    return found if found <= latest else None


def written_date(text: str, latest: datetime, zone: tzinfo = UTC) -> datetime | None:
    """The date in text of Meta's pages, such as ``Aug 06, 2012 4:13 pm``, aware UTC.

    Only English is read. The page gives the account's local time without saying which: `zone`.
    """
    match = _WRITTEN_DATE.search(text)
    if not match:
        return None
    month = _MONTHS.index(match[1].lower()) + 1
    hour = int(match[4]) % 12 + (12 if match[7].lower() == "p" else 0)
    numbers = (int(match[3]), month, int(match[2]), hour, int(match[5]), int(match[6] or 0))
    try:
        found = to_utc(datetime(*numbers), zone)
    except (ValueError, OverflowError):
        return None
    return found if FIRST_DAY <= found <= latest else None


def latest_believed(now: datetime) -> datetime:
    """A day after the present: clocks run ahead, and in the east it is tomorrow already."""
    return now + timedelta(days=1)
