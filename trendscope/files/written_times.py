"""Times as people, spreadsheets and cameras write them: read where certain, else refused.

Nothing is guessed: ``03/11/2026`` and ``03.11.26`` have two readings and are refused unless the
other cells of their column leave one (`orders_of_dates`). Libraries that read dates of any form
guess here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Literal

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
_NUMBERS = re.compile(r"(\d{1,2}) ?([-/.]) ?(\d{1,2}) ?\2 ?(\d{4}|'?\d\d)(?!\d)")
_DAY_MONTH = re.compile(
    r"(\d{1,2})(?:\.|st|nd|rd|th)?[- ]?(?:de )?([^\W\d_]+)\.?[- ,]?(?: ?de )? ?(\d{4}|\d\d)"
)
_MONTH_DAY = re.compile(r"([^\W\d_]+)\.? (\d{1,2})(?:st|nd|rd|th)?,? ?(\d{4})")
_FIRST_SERIAL, _LAST_SERIAL = 32_874, 73_050  # 1990 and 2100 in days since the end of 1899
_SERIAL_START = datetime(1899, 12, 30)
_UNIX_DIGITS = (9, 10, 13, 16, 19)  # seconds, milli-, micro- and nanoseconds


class UnreadableTime(ValueError):
    """A text that is no time, or could be two; the message says which."""


Order = Literal["day month year", "month day year", "year month day"]
"""The order in which dates in numbers are written."""


def orders_of_dates(texts: Iterable[str], latest: date | None = None) -> dict[str, Order]:
    """The orders of a column's dates by the sign between their numbers: ``.``, ``-`` or ``/``.

    An order counts if it is the only one that all dates with that sign allow.

    Args:
        latest: The last day that is believed; None if all are.
    """
    left: dict[str, set[Order]] = {}
    for text in texts:
        match = _NUMBERS.match(_cleaned(text))
        if match and (possible := {*_readings(match, latest)}):
            left[match[2]] = left.get(match[2], possible) & possible
    return {sign: next(iter(orders)) for sign, orders in left.items() if len(orders) == 1}


def _readings(match: re.Match[str], latest: date | None) -> dict[Order, date]:
    """The days that a date in numbers can be, by the order of its numbers.

    With points the month never comes first, and a year before the others has two digits here.
    """
    first, second, third = int(match[1]), int(match[3]), int(match[4].lstrip("'"))
    orders: dict[Order, tuple[int, int, int]] = {
        "day month year": (_whole_year(third), second, first)
    }
    if match[2] != ".":
        orders["month day year"] = (_whole_year(third), first, second)
    if len(match[1]) == len(match[4]) == 2:
        orders["year month day"] = (_whole_year(first), second, third)
    days = {}
    for order, numbers in orders.items():
        try:
            days[order] = date(*numbers)
        except ValueError:
            continue
    if latest and len(match[4]) < 4:
        days = {order: day for order, day in days.items() if day.year <= latest.year}
    return days


def _whole_year(year: int) -> int:
    """Two digits as spreadsheets read them, up to 2069."""
    return year if year > 99 else year + (1900 if year > 69 else 2000)


def read_time(
    text: str, orders: Mapping[str, Order] | None = None, latest: date | None = None
) -> datetime:
    """The time that a cell of a table gives; without a zone where the cell names none.

    Args:
        text: ISO 8601; numbers with the year first or last, of two digits too; days and names of
            months in seven languages; days counted by spreadsheets since 1900 (``46329.4167``);
            Unix seconds and smaller units; each perhaps with a time of 24 or 12 hours and an
            offset.
        orders: The column's orders where a cell allows several, see `orders_of_dates`.
        latest: The last day that is believed; None if all are.

    Raises:
        UnreadableTime: It is none of these, or has two readings.
    """
    cleaned = _cleaned(text)
    try:
        if number := _read_number(cleaned):
            return number
        with suppress(ValueError):
            return datetime.fromisoformat(cleaned)
        return _read_words(cleaned, orders or {}, latest)
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


def _read_words(text: str, orders: Mapping[str, Order], latest: date | None) -> datetime:
    weekday = re.match(r"[^\W\d]+\.?,? (?=\S)", text)
    for candidate in (text, text[weekday.end() :] if weekday else ""):
        for pattern in (_YEAR_FIRST, _NUMBERS, _DAY_MONTH, _MONTH_DAY):
            match = pattern.match(candidate)
            rest = candidate[match.end() :].lstrip(",T") if match else ""
            if match and (not rest or rest != candidate[match.end() :] or rest.startswith(" ")):
                day = _only_day(match, orders, latest) if pattern is _NUMBERS else _day(match)
                if day:
                    return _with_time(day, rest.strip())
    raise UnreadableTime("is no date")


def _only_day(match: re.Match[str], orders: Mapping[str, Order], latest: date | None) -> date:
    """The day that numbers mean.

    Raises:
        UnreadableTime: They are none, or could be several.
    """
    readings = _readings(match, latest)
    order = orders.get(match[2])
    days = {readings[order]} if order in readings else {*readings.values()}
    if len(days) > 1:
        raise UnreadableTime("has two readings, as it may begin with day, month or year")
    if not days:
        raise UnreadableTime("is no date")
    return days.pop()


def _day(match: re.Match[str]) -> date | None:
    """The day that a year before numbers, or a month's name, tells; None if it is no month."""
    if match.re is _YEAR_FIRST:
        return date(int(match[1]), int(match[3]), int(match[4]))
    is_first = match.re is _DAY_MONTH
    word, number = (match[2], match[1]) if is_first else (match[1], match[2])
    month = MONTHS.get(word.casefold())
    return date(_whole_year(int(match[3])), month, int(number)) if month else None


def _with_time(day: date, text: str) -> datetime:
    if not text:
        return datetime(day.year, day.month, day.day)
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
    minute, second = int(match["minute"]), int(match["second"] or 0)
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone)
