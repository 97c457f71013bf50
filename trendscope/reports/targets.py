"""Reports on targets: CSV for mail tools, JSON for programs, sentences and a page for people.

All figures are those of `trendscope.recommend.ranking`; nothing is worked out here. The same input
gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pandas as pd

from trendscope import text
from trendscope.recommend.campaigns import Campaign
from trendscope.recommend.preferences import NoTarget
from trendscope.reports import documents, pages
from trendscope.reports.spreadsheets import csv_text
from trendscope.text import plural, shown

CSV_COLUMNS = ("customer", "sku", "category", "rank", "score", "reason")
"""Columns of `targets_csv`; see `trendscope.recommend.ranking.Targets`.

Customers without a target have no row. sku is empty in a campaign about a category.
"""

LARGEST_TABLE, LARGEST_PAGE = 200, 1_000
"""Targets shown on the terminal, and with pictures on a page; both say how many are left out.
"""


# --- for programs --------------------------------------------------------------------------------


def targets_csv(campaign: Campaign) -> str:
    """A table of `CSV_COLUMNS`: UTF-8, comma, text in quotes, lines end in LF, formulas defused."""
    rows = campaign.targets.rows[[*CSV_COLUMNS]]
    scores = [round(score, 4) for score in rows["score"].tolist()]
    columns = [scores if name == "score" else rows[name].tolist() for name in rows]
    return csv_text(CSV_COLUMNS, zip(*columns, strict=True))


def targets_json(campaign: Campaign) -> str:
    """One document with the targets and all that was left out.

    ``schema_version`` (1), ``database``, ``about`` (``customers``, ``category`` or ``sku``),
    ``asked`` (the customer, category or SKU; null for all customers), ``as_of`` (time up to which a
    photo's age is counted), ``targets`` (the columns of
    `trendscope.recommend.ranking.Targets.rows`; null where unknown), ``silent`` (customers without
    a target: ``customer``, ``reason``), ``left_out`` (items by reason), ``withheld`` (number of
    customers who may not be written to), ``strangers`` (names that no customer has, by the list
    that has them) and ``notes`` (plain sentences).
    """
    offers, lists = campaign.targets, campaign.consent
    return documents.document(
        {
            "database": campaign.database,
            "about": campaign.about,
            "asked": campaign.about_name or None,
            "as_of": campaign.as_of,
            "targets": [_target(row) for row in offers.rows.to_dict("records")],
            "silent": offers.without_targets[["customer", "reason"]].to_dict("records"),
            "left_out": dict(offers.left_out),
            "withheld": len(lists.suppressed),
            "strangers": lists.unknown_names,
            "notes": notes(campaign),
        }
    )


def _target(row: Mapping[Any, Any]) -> dict[str, Any]:
    facts = {name: None if pd.isna(value) else value for name, value in row.items()}
    rounded = ("score", "affinity", "likeness")
    facts |= {name: None if pd.isna(row[name]) else round(row[name], 4) for name in rounded}
    return {**facts, "sku": facts["sku"] or None}


# --- for people ----------------------------------------------------------------------------------


WRITERS = {"json": targets_json, "csv": targets_csv}
"""Writers of targets by format."""


@dataclass(frozen=True)
class Line:
    """A target in words.

    Attributes:
        customer, sku, title: Names made safe to show.
        price: Price with its currency; empty if unknown.
        score: Score, ``0.42``.
        day: Day of the customer's photo; empty without one.
        photo, picture: Keys of the pictures: sha256 of the customer's photo, and the SKU as it is
            stored; empty without one.
        name, item: The customer's name and the item's SKU as they are stored.
    """

    rank: int
    customer: str
    sku: str
    title: str
    category: str
    price: str
    score: str
    reason: str
    day: str
    photo: str
    picture: str
    name: str = ""
    item: str = ""


@dataclass(frozen=True)
class Group:
    """Targets that stand together, best first: those of one customer, or all of a campaign.

    The title is the customer's name, made safe to show; empty for an item or a category.
    """

    title: str
    lines: tuple[Line, ...]


def title(campaign: Campaign) -> str:
    """The heading of a report on targets."""
    name = shown(campaign.about_name)
    if campaign.about == "customers":
        return f"What suits {name}" if campaign.about_name else "What suits whom"
    if campaign.title:
        name += f", {shown(campaign.title)}"
    return f"Whom to write to about {name}"


def lines(campaign: Campaign, largest: int) -> list[Line]:
    """The first `largest` targets in words, by customer or by rank."""
    return [_line(row) for row in campaign.targets.rows.head(largest).itertuples(index=False)]


def groups(campaign: Campaign, largest: int) -> tuple[Group, ...]:
    """The same `lines`, those of a customer together."""
    every = lines(campaign, largest)
    if campaign.about != "customers":
        return (Group("", tuple(every)),) if every else ()
    by_customer = groupby(every, key=lambda line: line.name)
    return tuple(Group(shown(name), tuple(own)) for name, own in by_customer)


def _line(row: Any) -> Line:
    price = "" if pd.isna(row.price) else f"{row.price:,.2f} {row.currency}".strip()
    return Line(
        rank=row.rank,
        customer=shown(row.customer),
        sku=shown(row.sku, 40),
        title=shown(row.title, 60),
        category=row.category,
        price=price,
        score=f"{row.score:.2f}",
        reason=shown(row.reason, 200),
        day="" if pd.isna(row.posted_at) else text.day(row.posted_at),
        photo="" if pd.isna(row.sha256) else row.sha256,
        picture=row.sku,
        name=row.customer,
        item=row.sku,
    )


def headings(campaign: Campaign) -> tuple[str, ...]:
    """The headings of `cells`."""
    if campaign.about == "customers":
        return ("", "sku", "title", "category", "price", "score", "why")
    return ("", "customer", "score", "why")


def cells(campaign: Campaign, line: Line) -> tuple[str, ...]:
    """The cells of a target in a table."""
    if campaign.about == "customers":
        names = (line.sku, line.title, line.category, line.price)
        return (str(line.rank), *names, line.score, line.reason)
    return (str(line.rank), line.customer, line.score, line.reason)


def notes(campaign: Campaign) -> list[str]:
    """Sentences on what to know before acting on the targets."""
    consent, items = campaign.consent, campaign.targets.left_out.items()
    sentences = [f"{plural(count, 'item')} left out: {reason}." for reason, count in items]
    if campaign.without_picture:
        sentences.append(
            f"{plural(campaign.without_picture, 'item')} without a judged picture: chosen by "
            "category alone, and only where nothing else is left."
        )
    sentences += _without_targets(campaign.targets.without_targets)
    if consent.suppressed:
        sentences.append(f"{plural(len(consent.suppressed), 'customer')} not to be written to.")
    for file, names in consent.unknown_names.items():
        first = ", ".join(shown(name, 40) for name in names[:3])
        more = ", ..." if len(names) > 3 else ""
        sentences.append(
            f"{plural(len(names), 'name')} in {shown(file)} that no customer has: {first}{more}."
        )
    return sentences


def _without_targets(rows: pd.DataFrame) -> list[str]:
    """Why customers have no target: a sentence each for a few, counts by reason for many."""
    if len(rows) <= 3:
        pairs = zip(rows["customer"], rows["reason"], strict=True)
        return [f"Nothing for {shown(name)}: {reason}." for name, reason in pairs]
    counts = Counter(rows["code"])
    parts = "; ".join(f"{count:,} {_IN_SHORT[code]}" for code, count in counts.most_common())
    return [f"Nothing for {len(rows):,} customers, of whom too little is known: {parts}."]


_IN_SHORT = {
    NoTarget.NO_PHOTO: "without a judged photo",
    NoTarget.FEW_GARMENTS: "with too few recognised garments",
    NoTarget.NO_CATEGORY: "with no category worn often enough",
    NoTarget.NOT_OFFERED: "whose categories are not on offer",
}


def targets_html(
    campaign: Campaign, photos: Mapping[str, bytes], pictures: Mapping[str, bytes]
) -> str:
    """A page of its own: the customer's photo beside the item. No scripts, no network.

    It shows the first `LARGEST_PAGE`, with small JPEGs: photos by sha256, pictures by SKU.
    """
    total = len(campaign.targets.rows)
    return pages.page(
        "targets.html",
        title=title(campaign),
        about=campaign.about,
        groups=groups(campaign, LARGEST_PAGE),
        left_out=max(0, total - LARGEST_PAGE),
        notes=notes(campaign),
        as_of=campaign.as_of,
        photos=photos,
        pictures=pictures,
    )


def shown_pictures(campaign: Campaign) -> tuple[Sequence[str], Sequence[str]]:
    """The sha256 of the photos and the SKUs of the items that are on the page."""
    every = lines(campaign, LARGEST_PAGE)
    return (
        sorted({line.photo for line in every if line.photo}),
        sorted({line.picture for line in every if line.picture}),
    )
