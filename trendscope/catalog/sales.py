"""The days on which a sale price counts, as shops write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time

from trendscope.files.written_times import Order, UnreadableTime, read_time


def sale_days(fields: Mapping[str, str]) -> tuple[str, str]:
    """The texts of the first and the last day of a sale; empty where the file gives none.

    Args:
        fields: The cells ``sale_from`` and ``sale_to``, or ``sale_dates`` with both as Google and
            Meta have them: ``2026-11-01T00:00+01:00/2026-11-30T23:59+01:00``.
    """
    first, _, last = fields.get("sale_dates", "").partition("/")
    return fields.get("sale_from", "") or first, fields.get("sale_to", "") or last


def sale_runs(
    fields: Mapping[str, str], now: datetime, orders: Mapping[str, Order] | None = None
) -> bool | None:
    """Whether a sale price counts now; None if its days are not understood.

    A day without a time is the whole day in UTC, as no file says where the shop is. A sale without
    a first day has begun, one without a last day goes on, and one without either counts always.

    Args:
        fields: The cells of the row, see `sale_days`.
        now: The present, aware.
        orders: The orders of the file's dates, see
            `trendscope.files.written_times.orders_of_dates`.
    """
    first, last = sale_days(fields)
    try:
        begin = _moment(first, orders) if first else now
        end = _moment(last, orders, last=True) if last else now
    except UnreadableTime:
        return None
    return begin <= now <= end


def _moment(text: str, orders: Mapping[str, Order] | None, last: bool = False) -> datetime:
    """The first or last moment that a text names, aware."""
    moment = read_time(text, orders)
    zone = moment.tzinfo or UTC
    if last and moment.time() == time.min and ":" not in text:
        moment = datetime.combine(moment, time.max)
    return moment.replace(tzinfo=zone)
