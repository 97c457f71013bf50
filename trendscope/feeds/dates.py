"""The dates that feeds give: numbers and text of exports, and file names. All become aware UTC.

How far each is trusted, best first: the feed's own date (of an export, a sidecar or a manifest),
the camera's (EXIF, see `trendscope.vision.images`), the date in the file name, none. A date that
cannot be true counts as none; nothing is ever given the present time. The month folders of
Instagram's exports are no dates: a month does not tell the week.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timezone, tzinfo

from trendscope.files.written_times import MONTHS, Order, UnreadableTime, offset_of, read_time

FIRST_DAY = datetime(1990, 1, 1, tzinfo=UTC)
"""Earliest date that is believed; earlier ones come from clocks that were never set."""

_MOST_SECONDS = 1e11  # the year 5138; larger numbers count smaller units

# Dates in names that phones, Instaloader, WhatsApp and others give their files. Digits alone are
# one only together with a time, or where a program is known to write days so: they may number
# anything.
_OFFSET = (
    r"(?:Z|[-_. (]{0,2}(?:UTC|GMT)(?:(?:\+|%2B)\d\d?|[-\u2212]\d\d)?(?:[-:._]?[0-5]\d(?!\d))?"
    r"|(?:\+|%2B)(?:0\d|1[0-4])(?:[-:._]?(?:00|15|30|45))?(?!\d)"
    r"|[-\u2212](?:0\d|1[0-2])[-:._]?(?:00|15|30|45)(?!\d))(?![A-Za-z])"
)
_CLOCK = (
    r"[-_.:]?(?P<minute>[0-5]\d)"
    rf"(?:[-_.:]?(?P<second>[0-5]\d)|(?={_OFFSET}| ?[AaPp]\.?[Mm]\b))(?:[-_.]?\d{{3}})?(?!\d)"
)
_ZONE = rf"(?:[ _\u202f]?(?P<half>[AaPp])\.?[Mm]\b)?(?P<zone>{_OFFSET})?"
_DAY = r"(?P<day>0[1-9]|[12]\d|3[01])"
_NAMED_DATES = (
    re.compile(
        rf"(?<!\d)(?P<year>20\d\d)(?P<sign>[-_.])(?P<month>0[1-9]|1[0-2])(?P=sign){_DAY}(?!\d)"
        r"(?:(?:[-_. T]|[ _](?:at|um|à|alle|om|kl\.|a las)[ _])(?P<hour>[01]?\d|2[0-3])"
        rf"{_CLOCK}{_ZONE})?"
    ),
    re.compile(
        rf"(?<!\d)(?P<year>20\d\d)(?P<month>0[1-9]|1[0-2]){_DAY}[-_ T]?(?P<hour>[01]\d|2[0-3])"
        rf"{_CLOCK}{_ZONE}"
    ),
    re.compile(
        rf"(?:^|[^A-Za-z])(?:MV)?(?:IMG|PXL|PANO|VID|Screenshot)[-_ ](?P<year>20\d\d)"
        rf"(?P<month>0[1-9]|1[0-2]){_DAY}(?!\d)(?P<hour>)(?P<minute>)(?P<second>)(?P<zone>)(?P<half>)"
    ),
)
_WRITTEN_ZONE = re.compile(r"(?<=[\dm]) ?(?:UTC|GMT)(?:[+\-\u2212]\d\d?(?::?\d\d)?)?$")
_WRITTEN_DATE = re.compile(
    r"\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* (\d{1,2}), (\d{4}),?(?: at)? "
    r"(\d{1,2}):(\d\d)(?::(\d\d))?\s*([ap])m\b",
    re.IGNORECASE,
)
# Other languages have the day first, or the year, and 24 hours; a time with a word before it, such
# as "PM" in Korean, is not read.
_TIME = r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?"
_DAY_FIRST = re.compile(
    r"(\d{1,2})\.?(?: de)? ([^\W\d_]{3,10})\.?(?: de)? (\d{4}),?(?: um| à| alle| om| at)? " + _TIME
)
_YEAR_FIRST = re.compile(
    rf"(\d{{4}})(?:-| ?年 ?)(\d{{1,2}})(?:-| ?月 ?)(\d{{1,2}})(?: ?日)?,? ?(?<!\d){_TIME}"
)
_DOTTED = re.compile(rf"(\d{{1,2}})\. ?(\d{{1,2}})\. ?(\d{{4}}),?(?: um)? {_TIME}")


def moment(stamp: object, latest: datetime, *, earliest: datetime = FIRST_DAY) -> datetime | None:
    """A time of an export as aware UTC; None if it is missing or cannot be true.

    Args:
        stamp: Unix seconds as a number or text, where values a thousand, a million or a billion
            times too large are taken as milli-, micro- or nanoseconds; or ISO 8601, in UTC where
            it has no offset.
    """
    if isinstance(stamp, bool) or not isinstance(stamp, int | float | str):
        return None
    try:
        time = _from_text(stamp) if isinstance(stamp, str) else _from_unix(float(stamp))
    except (ValueError, OverflowError, OSError):
        return None
    return time if earliest <= time <= latest else None


def first_moment(
    stamps: Iterable[object], latest: datetime, *, earliest: datetime = FIRST_DAY
) -> datetime | None:
    """The first time of an export that is believed, see `moment`; None if none is."""
    moments = (moment(stamp, latest, earliest=earliest) for stamp in stamps)
    return next(filter(None, moments), None)


def _from_text(text: str) -> datetime:
    try:
        return _from_unix(float(text))
    except ValueError:
        return to_utc(datetime.fromisoformat(text.strip()), UTC)


def _from_unix(seconds: float) -> datetime:
    for _ in range(3):
        if seconds > _MOST_SECONDS:
            seconds /= 1000
    return datetime.fromtimestamp(seconds, UTC)


def written_moment(
    text: str, latest: datetime, zone: tzinfo, orders: Mapping[str, Order] | None = None
) -> datetime:
    """The time that a cell of a feed's table gives, aware UTC.

    Args:
        text: What the cell holds; see `trendscope.files.written_times.read_time`.
        latest: Upper bound of believable times, aware.
        zone: Time zone of cells that name none.
        orders: The orders of the column's dates, see
            `trendscope.files.written_times.orders_of_dates`.

    Raises:
        UnreadableTime: It is no time, has two readings, or cannot be true.
    """
    try:
        moment = to_utc(read_time(text, orders, latest.date()), zone)
    except OverflowError as error:
        raise UnreadableTime("is no date") from error
    if not FIRST_DAY <= moment <= latest:
        raise UnreadableTime("cannot be true")
    return moment


def to_utc(time: datetime, zone: tzinfo) -> datetime:
    """Any time as aware UTC; one without an offset is read as local time in `zone`.

    Raises:
        OverflowError: It lies before year 1 or after 9999 in UTC.
    """
    return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)


def named_date(name: str, latest: datetime, zone: tzinfo = UTC) -> datetime | None:
    """The date in a file name such as ``IMG_20240131_123456.jpg``, aware UTC.

    Args:
        zone: The camera's time zone, if the name has no offset: ``Z``, ``_UTC``, ``+0200``.
    """
    match = next(filter(None, (pattern.search(name) for pattern in _NAMED_DATES)), None)
    if not match:
        return None
    parts = ("year", "month", "day", "hour", "minute", "second")
    year, month, day, hour, minute, second = (int(match[part] or 0) for part in parts)
    if match["half"] and hour <= 12:
        hour = hour % 12 + (12 if match["half"].upper() == "P" else 0)
    try:
        local = datetime(year, month, day, hour, minute, second)
    except ValueError:  # the 31st of February
        return None
    time = to_utc(local, _own_zone(match["zone"] or "") or zone)
    return time if time <= latest else None


def _own_zone(offset: str) -> timezone | None:
    """The zone of an offset as file names have it: ``+02-00``, ``_UTC``, ``%2B0200``."""
    offset = offset.replace("%2B", "+")
    match = re.search("([+\u2212-])(\\d\\d?)\\D?(\\d\\d)?$", offset)
    return offset_of(f"{match[1]}{match[2]}:{match[3] or '00'}" if match else offset.strip("-_. ("))


def written_date(text: str, latest: datetime, zone: tzinfo = UTC) -> datetime | None:
    """The date in text of Meta's pages, such as ``Aug 06, 2012 4:13 pm``, aware UTC.

    English is read anywhere in the text. Where the text is a date and nothing else, so are German,
    French, Spanish, Italian, Portuguese and Dutch, and numbers in an order that cannot be mistaken:
    ``6. Aug. 2012, 16:13``, ``06.08.2012 16:13``, ``2012-08-06 16:13``; not ``06/08/2012``. The
    page gives the account's local time, mostly without saying which: `zone`, unless an offset such
    as ``UTC+02`` follows.
    """
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    own = _WRITTEN_ZONE.search(text)
    numbers = _english(text) or _foreign(text[: own.start()] if own else text)
    if not numbers:
        return None
    try:
        time = to_utc(datetime(*numbers), (own and offset_of(own[0])) or zone)
    except (ValueError, OverflowError):
        return None
    return time if FIRST_DAY <= time <= latest else None


_Numbers = tuple[int, int, int, int, int, int]
"""Year, month, day, hour, minute and second."""


def _english(text: str) -> _Numbers | None:
    match = _WRITTEN_DATE.search(text)
    if not match:
        return None
    month = MONTHS[match[1].lower()]
    hour = int(match[4]) % 12 + (12 if match[7].lower() == "p" else 0)
    return int(match[3]), month, int(match[2]), hour, int(match[5]), int(match[6] or 0)


def _foreign(text: str) -> _Numbers | None:
    if match := _DAY_FIRST.fullmatch(text):
        day, word, year, *time = match.groups("0")
        month = str(MONTHS.get(word.casefold(), 0))
    elif match := _DOTTED.fullmatch(text):
        day, month, year, *time = match.groups("0")
    elif match := _YEAR_FIRST.fullmatch(text):
        year, month, day, *time = match.groups("0")
    else:
        return None
    hour, minute, second = map(int, time)
    return int(year), int(month), int(day), hour, minute, second
