"""The days on which a sale price counts, as shops write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time


def sale_runs(fields: Mapping[str, str], now: datetime) -> bool | None:
    """Whether a sale price counts now; None if its days are not understood.

    A day without a time is the whole day in UTC, as no file says where the shop is. A sale without
    a first day has begun, one without a last day goes on, and one without either counts always.

    Args:
        fields: The cells ``sale_from`` and ``sale_to``, or ``sale_dates`` with both as Google and
            Meta have them: ``2026-11-01T00:00+01:00/2026-11-30T23:59+01:00``.
        now: The present, aware.
    """
    first, _, last = fields.get("sale_dates", "").partition("/")
    first, last = fields.get("sale_from", "") or first, fields.get("sale_to", "") or last
    begin, end = _moment(first), _moment(last, last=True)
    if begin is None or end is None:
        return None
    return begin <= now <= end


_ALWAYS = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def _moment(text: str, last: bool = False) -> datetime | None:
    """The first or last moment that a text names, aware; None if it names none for certain."""
    text = " ".join(text.split())
    if not text:
        return _ALWAYS[last]
    day_first = re.fullmatch(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})", text)
    if day_first:
        day, sign, month = int(day_first[1]), day_first[2], int(day_first[3])
        if sign != "." and day != month and day <= 12 and month <= 12:
            return None  # Europe writes the day first, America the month.
        if sign != "." and month > 12:
            day, month = month, day
        text = f"{day_first[4]}-{month:02}-{day:02}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if last and re.fullmatch(r"\d{4}-?\d{2}-?\d{2}", text):
        moment = datetime.combine(moment, time.max)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
