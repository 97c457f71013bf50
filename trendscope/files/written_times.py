"""Times as people, spreadsheets and cameras write them: read where certain, else refused.

Nothing is guessed: ``03/11/2026`` has two readings and is refused unless the other cells of its
column leave one (`day_comes_first`). Libraries that read dates of any form guess here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

_OFFSET = re.compile(
    r"(?:UTC|GMT)?\s*(?P<sign>[+\-\u2212])(?P<hours>\d{1,2})(?::?(?P<minutes>\d\d))?(?::?\d\d)?",
    re.IGNORECASE,
)
_MOST_OFFSET = 14 * 60  # minutes; Kiribati's


def offset_of(text: str) -> timezone | None:
    """The zone written as ``+01:00``, ``+0100``, ``+1``, ``UTC+1``, ``Z`` or ``UTC``; else None."""
    text = text.strip("\0 \u200e\u200f")
    if text.upper() in ("Z", "UTC", "GMT"):
        return UTC
    match = _OFFSET.fullmatch(text)
    if match is None:
        return None
    minutes = 60 * int(match["hours"]) + int(match["minutes"] or 0)
    sign = 1 if match["sign"] == "+" else -1
    return timezone(timedelta(minutes=sign * minutes)) if minutes <= _MOST_OFFSET else None


# German, French, Spanish, Italian, Portuguese, Dutch: no word here means two months. Others that
# would be (Finnish "marras" is no March) are left out; words are compared whole, or as cut short by
# Unicode's locale data.
_MONTH_WORDS = (
    "jan january januar januari janv janvier ene enero gen gennaio janeiro",
    "feb february februar februari févr février febrero febbraio fev fevereiro",
    "mar march mär märz mrz mars marzo março maart mrt",
    "apr april avr avril abr abril aprile",
    "may mai mayo maggio mag maio mei",
    "jun june juni juin junio giugno giu junho",
    "jul july juli juil juillet julio luglio lug julho",
    "aug august août agosto ago augustus",
    "sep sept september septembre septiembre settembre set setembro",
    "oct october okt oktober octobre octubre ottobre ott out outubro",
    "nov november novembre noviembre novembro",
    "dec december dez dezember déc décembre dic diciembre dicembre dezembro",
)
MONTHS = {word: n for n, words in enumerate(_MONTH_WORDS, 1) for word in words.split()}
"""The numbers of months by their names in seven languages, in lower case."""

_TIME = re.compile(
    r"(?:um |à |alle |om |at |a las )?(?P<hour>\d{1,2})[:.h](?P<minute>\d\d)"
    r"(?:[:.](?P<second>\d\d)(?:[.,]\d+)?)?(?: ?(?P<half>[ap])\.? ?m\.?)?(?: uhr)?"
    r" ?(?P<zone>z|(?:utc|gmt)?[+\-\u2212][\d:]+|utc|gmt)?",
    re.IGNORECASE,
)
_YEAR_FIRST = re.compile(r"(\d{4}) ?([-/.:]|年) ?(\d{1,2}) ?(?:\2|月) ?(\d{1,2})(?:\.|日)?")
_YEAR_LAST = re.compile(r"(\d{1,2}) ?([-/.]) ?(\d{1,2}) ?\2 ?(\d{4})")
_DAY_MONTH = re.compile(
    r"(\d{1,2})(?:\.|st|nd|rd|th)?[- ]?(?:de )?([^\W\d_]+)\.?[- ,]?(?: ?de )? ?(\d{4}|\d\d)"
)
_MONTH_DAY = re.compile(r"([^\W\d_]+)\.? (\d{1,2})(?:st|nd|rd|th)?,? ?(\d{4})")
_FIRST_SERIAL, _LAST_SERIAL = 32_874, 73_050  # 1990 and 2100 in days since the end of 1899
_SERIAL_START = datetime(1899, 12, 30)
_UNIX_DIGITS = (9, 10, 13, 16, 19)  # seconds, milli-, micro- and nanoseconds


class UnreadableTime(ValueError):
    """A text that is no time, or could be two; the message says which."""


def day_comes_first(texts: Iterable[str]) -> bool | None:
    """Whether a column writes the day before the month, by its cells that allow one reading only.

    None if no cell tells, or if they differ.
    """
    orders = set()
    for text in texts:
        if match := _YEAR_LAST.match(_cleaned(text)):
            first, second = int(match[1]), int(match[3])
            if match[2] == ".":
                continue
            if first > 12 >= second:
                orders.add(True)
            elif second > 12 >= first:
                orders.add(False)
    return orders.pop() if len(orders) == 1 else None


def read_time(text: str, day_first: bool | None = None) -> datetime:
    """The time that a cell of a table gives; without a zone where the cell names none.

    Args:
        text: ISO 8601; numbers with the year first or last; days and names of months in seven
            languages; days counted by spreadsheets since 1900 (``46329.4167``); Unix seconds and
            smaller units; each perhaps with a time of 24 or 12 hours and an offset.
        day_first: The column's order where a cell allows two, see `day_comes_first`.

    Raises:
        UnreadableTime: It is none of these, or has two readings.
    """
    cleaned = _cleaned(text)
    try:
        return _read_number(cleaned) or _read_iso(cleaned) or _read_words(cleaned, day_first)
    except UnreadableTime:
        raise
    except (ValueError, OverflowError, OSError) as error:
        raise UnreadableTime("is no date") from error


def _cleaned(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).replace("\u200e", "").replace("\u200f", "")
    return " ".join(re.sub(r"\([^)]*\)", " ", text).split())


def _read_number(text: str) -> datetime | None:
    match = re.fullmatch(r"(\d+)(?:[.,](\d+))?", text)
    if match is None:
        return None
    whole, fraction = match[1], match[2] or ""
    forms = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
    if len(whole) in forms and not fraction:
        return datetime.strptime(whole, forms[len(whole)])
    if len(whole) in _UNIX_DIGITS:
        units = 1000 ** ((len(whole) - 9) // 3)
        return datetime.fromtimestamp(int(whole) / units, UTC)
    days = float(f"{whole}.{fraction}")
    if _FIRST_SERIAL <= days < _LAST_SERIAL:
        return _SERIAL_START + timedelta(seconds=round(days * 86_400))
    raise UnreadableTime("is a number and no date")


def _read_iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _read_words(text: str, day_first: bool | None) -> datetime:
    weekday = re.match(r"[^\W\d]+\.?,? (?=\S)", text)
    for candidate in (text, text[weekday.end() :] if weekday else ""):
        for pattern in (_YEAR_FIRST, _YEAR_LAST, _DAY_MONTH, _MONTH_DAY):
            match = pattern.match(candidate)
            rest = candidate[match.end() :].lstrip(",T") if match else ""
            if match and (not rest or rest != candidate[match.end() :] or rest.startswith(" ")):
                day = _day(pattern, match, day_first)
                if day:
                    return _with_time(day, rest.strip())
    raise UnreadableTime("is no date")


def _day(
    pattern: re.Pattern[str], match: re.Match[str], day_first: bool | None
) -> tuple[int, int, int] | None:
    """Year, month and day; None if the word between is no month."""
    if pattern is _YEAR_FIRST:
        return int(match[1]), int(match[3]), int(match[4])
    if pattern is _YEAR_LAST:
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        if match[2] != "." and first != second and max(first, second) <= 12 and day_first is None:
            raise UnreadableTime("has two readings, as day/month and as month/day")
        is_first = match[2] == "." or first > 12 or (second <= 12 and bool(day_first))
        return (year, second, first) if is_first else (year, first, second)
    word, number = (match[2], match[1]) if pattern is _DAY_MONTH else (match[1], match[2])
    month = MONTHS.get(word.casefold())
    year = int(match[3]) + (2000 if len(match[3]) == 2 else 0)
    return (year, month, int(number)) if month else None


def _with_time(day: tuple[int, int, int], text: str) -> datetime:
    if not text:
        return datetime(*day)
    match = _TIME.fullmatch(text)
    if match is None:
        raise UnreadableTime("is no date and time")
    hour = int(match["hour"])
    if half := match["half"]:
        is_late = half.lower() == "p"
        if hour > 12 and not is_late:
            raise UnreadableTime("is no time of 12 hours")
        hour = hour if hour > 12 else hour % 12 + 12 * is_late  # Apple writes 14:00 PM
    zone = offset_of(match["zone"]) if match["zone"] else None
    if match["zone"] and zone is None:
        raise UnreadableTime("has an offset that no place has")
    return datetime(*day, hour, int(match["minute"]), int(match["second"] or 0), tzinfo=zone)
