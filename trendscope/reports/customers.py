"""The customers of a database: a line, a JSON object or a CSV row for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from trendscope.reports.documents import document
from trendscope.reports.spreadsheets import csv_text
from trendscope.text import day, plural, shown

if TYPE_CHECKING:
    from trendscope.store import CustomerEntry

MOST = 3
"""Number of categories named of each customer."""
NAMED = 10
"""Most names of customers without photos; the others are counted."""
LINE = 80
"""Characters of a line, which a terminal shows without wrapping."""
COLUMNS = ("customer", "photos", "uncertain", "outside", "last_posted", "most_worn")


def customers_text(entries: Sequence[CustomerEntry], without: Sequence[str] = ()) -> str:
    """A line for each customer: photos, the date of the latest, and what is worn most.

    A line has at most 80 characters where names are no longer than 30; the last one tells of
    customers without any photo that could be used.
    """
    rows = [
        (shown(entry.customer, 30), plural(entry.photos, "photo"), day(entry.last_posted))
        for entry in entries
    ]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    lines = []
    for entry, (name, photos, latest) in zip(entries, rows, strict=True):
        line = f"{name:{widths[0]}}  {photos:>{widths[1]}}  {latest:>{widths[2]}}  "
        worn = [_most_worn(entry, most) for most in range(MOST, 0, -1)]
        line += next((text for text in worn if len(line + text) <= LINE), worn[-1])
        lines.append(f"{line.rstrip()}\n")
    if without:
        names = ", ".join(shown(name, 30) for name in without[:NAMED])
        names += f" and {len(without) - NAMED:,} others" if len(without) > NAMED else ""
        lines.append(f"Of {len(without):,} more no photo could be used: {names}.\n")
    return "".join(lines)


def customers_json(entries: Sequence[CustomerEntry], without: Sequence[str] = ()) -> str:
    """One document: ``schema_version`` (1), ``customers`` and ``without_photos``, names.

    Each has the fields of `trendscope.store.CustomerEntry`: ``customer``, ``photos``,
    ``uncertain``, ``outside``, ``counts`` (garments by category), ``shares``, ``last_posted`` and
    ``sha256`` (of the latest images with a category).
    """
    listed = [customer_facts(entry) for entry in entries]
    return document({"customers": listed, "without_photos": [*without]})


def customer_facts(entry: CustomerEntry) -> dict[str, Any]:
    """A customer as in `customers_json`."""
    shares = {category: round(share, 6) for category, share in entry.shares.items()}
    return {**asdict(entry), "shares": shares}


def customers_csv(entries: Sequence[CustomerEntry], without: Sequence[str] = ()) -> str:
    """A CSV row for each customer with photos; see `COLUMNS`."""
    return csv_text(
        COLUMNS,
        (
            (e.customer, e.photos, e.uncertain, e.outside, e.last_posted, _most_worn(e))
            for e in entries
        ),
    )


WRITERS = {None: customers_text, "json": customers_json, "csv": customers_csv}
"""Writers of the list by format; None is text for people."""


def _most_worn(entry: CustomerEntry, most: int = MOST) -> str:
    return ", ".join(f"{category} {count}" for category, count in [*entry.counts.items()][:most])
