"""Profiles and classifications written down for programs (JSON, CSV) and for people (HTML).

All figures are those of `trendscope.photos.results`; nothing is counted here. The same input gives
the same bytes: no clock, no random order. Shares are fractions 0..1 in JSON and CSV, "%" on the
page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from trendscope.categories import CATEGORIES, color
from trendscope.photos.results import Classification, PhotoResult
from trendscope.photos.summary import CategoryCount, CustomerProfile, Profile, photos_a_week
from trendscope.reports.documents import _iso, document
from trendscope.reports.pages import page
from trendscope.reports.spreadsheets import csv_text
from trendscope.skipped import REASONS, Skipped

# --- JSON ----------------------------------------------------------------------------------------


def classification_json(classification: Classification) -> str:
    """One document with the version and `classification_facts`."""
    return document(classification_facts(classification))


def classification_facts(classification: Classification) -> dict[str, Any]:
    """Every photo's verdict.

    ``weights`` (name), ``photos``: in the order of the feed, each with ``path``;
    ``verdict``: ``classified``, ``uncertain``, ``outside`` or ``unreadable``; ``reason``:
    null if classified, else the verdict or a key of `trendscope.skipped.REASONS`; ``detail``: the
    same as a sentence; ``garments``: ``category``, ``confidence`` 0..1 and ``box`` [x0, y0, x1, y1]
    in pixels of the upright photo; ``top``: the three likeliest categories with probabilities.
    """
    photos = [
        _skipped_photo(photo) if isinstance(photo, Skipped) else _photo(photo)
        for photo in classification.photos
    ]
    return {"weights": classification.weights, "photos": photos}


def profile_json(profile: Profile) -> str:
    """One document with every customer's figures.

    ``schema_version`` (1), ``weights`` (name), ``timezone`` (of the weeks), ``customers``, and
    ``skipped`` for what belongs to no customer listed. A customer has ``customer`` (name),
    ``photos`` (looked at; skipped ones are not among them), ``counts`` and ``shares`` by category
    (all ten are listed; shares are not the counts' fractions, as they take in uncertain photos by
    `trendscope.proportions.estimated_shares`), ``classified``, ``uncertain`` and ``outside``
    photos, ``undated`` photos, ``first_seen`` and ``last_seen`` (ISO 8601 UTC, null if no photo is
    dated), ``seen`` (the same per category), ``weeks`` (photos per ISO week, at most the last 52)
    and ``skipped`` (``path``, ``reason``, ``detail``).
    """
    customers = [_customer(customer, profile.zone) for customer in profile.customers]
    skipped = [_skipped(item) for item in profile.unowned]
    facts = {"weights": profile.weights, "timezone": str(profile.zone)}
    return document({**facts, "customers": customers, "skipped": skipped})


def _photo(reading: PhotoResult) -> dict[str, Any]:
    classified = reading.verdict == "classified"
    return {
        "path": reading.source,
        "verdict": reading.verdict,
        "reason": None if classified else reading.verdict,
        "detail": reading.explanation,
        "garments": [
            {
                "category": g.category,
                "confidence": round(g.confidence, 4),
                "box": g.box and list(g.box),
            }
            for g in reading.garments
        ],
        "top": [[category, round(p, 4)] for category, p in reading.probabilities[:3]],
        "outside": round(reading.outside, 4),
        "customer": reading.customer,
        "posted_at": _iso(reading.posted_at),
        "date_source": reading.date_source,
        "sha256": reading.sha256,
    }


def _skipped_photo(item: Skipped) -> dict[str, Any]:
    return {**_skipped(item), "verdict": "unreadable", "garments": [], "top": []}


def _customer(customer: CustomerProfile, zone: tzinfo) -> dict[str, Any]:
    dates = customer.dates
    return {
        "customer": customer.customer,
        "photos": len(customer.readings),
        "counts": {c.category: c.count for c in customer.categories},
        "shares": {c.category: round(c.share, 6) for c in customer.categories},
        "classified": len(customer.verdicts("classified")),
        "uncertain": len(customer.verdicts("uncertain")),
        "outside": len(customer.verdicts("outside")),
        "undated": customer.undated,
        "first_seen": _iso(min(dates, default=None)),
        "last_seen": _iso(max(dates, default=None)),
        "seen": {c.category: [_iso(c.first_seen), _iso(c.last_seen)] for c in customer.ranked},
        "weeks": dict(photos_a_week(dates, zone=zone)),
        "skipped": [_skipped(item) for item in customer.skipped],
    }


def _skipped(item: Skipped) -> dict[str, str]:
    return {"path": item.source, "reason": item.reason, "detail": item.detail}


# --- CSV -----------------------------------------------------------------------------------------

CSV_COLUMNS = (
    "customer",
    "category",
    "photos",
    "share",
    "first_seen",
    "last_seen",
    "all_photos",
    "uncertain",
    "outside",
    "undated",
    "skipped",
)
"""Columns of `profile_csv`.

customer, category: text; every customer has a row for each of the ten. photos: with that category.
share: of the customer's garments, 0..1, uncertain photos among them: see
`trendscope.proportions.estimated_shares`. first_seen, last_seen: of that category, ISO 8601 UTC,
empty if never or undated. all_photos, uncertain, outside, undated, skipped: of the customer, the
same in all ten rows.
"""


def profile_csv(profile: Profile) -> str:
    """A table of `CSV_COLUMNS`: UTF-8, comma, text in quotes, lines end in LF."""
    rows = (
        _csv_row(customer, category)
        for customer in profile.customers
        for category in customer.categories
    )
    return csv_text(CSV_COLUMNS, rows)


SKIPPED_COLUMNS = ("customer", "path", "reason", "detail")
"""Columns of `skipped_csv`.

All text: whose it would have been, empty if unknown; where it lies; a key of
`trendscope.skipped.REASONS`; one plain sentence.
"""


def skipped_csv(skipped: Iterable[Skipped]) -> str:
    """A table of `SKIPPED_COLUMNS`, written as `profile_csv` is."""
    rows = ((item.customer or "", item.source, item.reason, item.detail) for item in skipped)
    return csv_text(SKIPPED_COLUMNS, rows)


def _csv_row(customer: CustomerProfile, category: CategoryCount) -> tuple[str | int | float, ...]:
    return (
        customer.customer,
        category.category,
        category.count,
        round(category.share, 6),
        _iso(category.first_seen) or "",
        _iso(category.last_seen) or "",
        len(customer.readings),
        len(customer.verdicts("uncertain")),
        len(customer.verdicts("outside")),
        customer.undated,
        len(customer.skipped),
    )


# --- HTML ----------------------------------------------------------------------------------------

LARGEST_GROUP = 200
"""Pictures shown of one customer and group, the latest; the page says how many are left out."""


@dataclass(frozen=True)
class Group:
    """Photos that stand together on the contact sheet.

    Attributes:
        title: A category, or words for photos without one.
        color: Of the category; empty without.
        note: What the group means; empty where the title says it.
        readings: The photos, latest first, no more than `LARGEST_GROUP`.
        total: All the photos there are.
    """

    title: str
    color: str
    note: str
    readings: tuple[PhotoResult, ...]
    total: int


def groups(customer: CustomerProfile) -> tuple[Group, ...]:
    """The customer's photos by category, most worn first, then those without one."""
    groups_of = []
    for category in customer.ranked:
        name = category.category
        worn = [r for r in customer.readings if any(g.category == name for g in r.garments)]
        groups_of.append(_group(name, color(name), "", worn))
    uncertain, outside = customer.verdicts("uncertain"), customer.verdicts("outside")
    note = "A garment, but it is not clear which; counted in no category."
    groups_of.append(_group("Not sure", "", note, uncertain))
    note = "Nothing of the ten categories was seen; counted in none."
    groups_of.append(_group("None of the ten", "", note, outside))
    return tuple(group for group in groups_of if group.total)


def profile_html(profile: Profile) -> str:
    """A page of its own: figures, contact sheet and what was left out. No scripts, no network."""
    facts = {"categories": CATEGORIES, "reasons": REASONS, "groups": groups}
    return page("profile.html", profile=profile, **facts)


def _group(title: str, shade: str, note: str, readings: Iterable[PhotoResult]) -> Group:
    undated_last = sorted(readings, key=_latest_first)
    return Group(title, shade, note, tuple(undated_last[:LARGEST_GROUP]), len(undated_last))


def _latest_first(reading: PhotoResult) -> tuple[float, str]:
    moment = reading.posted_at
    return (-moment.timestamp() if moment else float("inf")), reading.source
