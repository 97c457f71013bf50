"""ISO weeks: Monday first, named like ``2026-W47``, in one stated time zone. Only calendar."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo

_LABEL = re.compile(r"(\d{4})-W(\d{2})")


def monday(moment: datetime, zone: tzinfo = UTC) -> date:
    """The Monday that opens the week of an aware time, as days begin in `zone`."""
    day = moment.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def label(day: date) -> str:
    """The week of a day: ``2026-W53`` for Friday 2027-01-01."""
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"


def number(name: str) -> int:
    """Counts weeks without gaps; the week of the first day of year 1 is 0.

    Raises:
        ValueError: It is not a week such as ``2026-W47``, or that year has no such week.
    """
    match = _LABEL.fullmatch(name)
    if not match:
        raise ValueError(f"{name!r} is not an ISO week; write it like 2026-W47")
    try:
        return number_of(date.fromisocalendar(int(match[1]), int(match[2]), 1))
    except ValueError as error:
        raise ValueError(f"{name!r} is not in the calendar: {error}") from error


def number_of(day: date) -> int:
    """The number of the week of a day."""
    return (day.toordinal() - 1) // 7


def name(number: int) -> str:
    """The label of a week's number; undoes `number`."""
    return label(date.fromordinal(7 * number + 1))


def monday_of(name: str) -> date:
    """The day on which a week such as ``2026-W47`` begins; raises ValueError as `number` does."""
    return date.fromordinal(7 * number(name) + 1)
