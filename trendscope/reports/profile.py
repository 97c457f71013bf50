"""Reports on profiles and classifications for programs (JSON, CSV) and for people (HTML).

All figures are those of `trendscope.photos.results`; nothing is counted here. The same input gives
the same bytes: no clock, no random order. Shares are fractions 0..1 in JSON and CSV, "%" on the
page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from trendscope.categories import CATEGORIES, color
from trendscope.photos.results import Classification, Garment, PhotoResult
from trendscope.photos.summary import CustomerProfile, Profile, photos_a_week
from trendscope.reports.boxes import drawing
from trendscope.reports.documents import document
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
    same as a sentence; ``garments``, in reading order: ``category``, ``confidence`` 0..1 and
    ``box`` [x0, y0, x1, y1] in pixels of the upright photo; ``candidates``: the same of garments
    that are not sure enough, best first; ``size``: [width, height] of that photo, null if unknown;
    ``top``: the three likeliest categories with probabilities.
    """
    photos = [
        _photo(photo) if isinstance(photo, PhotoResult) else _unreadable(photo)
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
    skipped = [skipped_facts(item) for item in profile.unowned]
    facts = {"weights": profile.weights, "timezone": str(profile.zone)}
    return document({**facts, "customers": customers, "skipped": skipped})


def _photo(reading: PhotoResult) -> dict[str, Any]:
    classified = reading.verdict == "classified"
    return {
        "path": reading.source,
        "verdict": reading.verdict,
        "reason": None if classified else reading.verdict,
        "detail": reading.explanation,
        **garment_facts(reading.garments, reading.candidates, reading.size),
        "top": [[category, round(p, 4)] for category, p in reading.probabilities[:3]],
        "outside": round(reading.outside, 4),
        "customer": reading.customer,
        "posted_at": reading.posted_at,
        "date_source": reading.date_source,
        "sha256": reading.sha256,
    }


def garment_facts(
    garments: Iterable[Garment], candidates: Iterable[Garment], size: tuple[int, int] | None
) -> dict[str, Any]:
    """The garments of a photo as in `classification_facts`."""
    return {
        "garments": [_garment(garment) for garment in garments],
        "candidates": [_garment(garment) for garment in candidates],
        "size": size and list(size),
    }


def _garment(garment: Garment) -> dict[str, Any]:
    return {
        "category": garment.category,
        "confidence": round(garment.confidence, 4),
        "box": garment.box and list(garment.box),
    }


def _unreadable(item: Skipped) -> dict[str, Any]:
    return {
        **skipped_facts(item),
        "verdict": "unreadable",
        **garment_facts((), (), None),
        "top": [],
    }


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
        "first_seen": min(dates, default=None),
        "last_seen": max(dates, default=None),
        "seen": {c.category: [c.first_seen, c.last_seen] for c in customer.ranked},
        "weeks": dict(photos_a_week(dates, zone=zone)),
        "skipped": [skipped_facts(item) for item in customer.skipped],
    }


def skipped_facts(item: Skipped) -> dict[str, str]:
    """A file that was not used."""
    return {"path": item.source, "reason": item.reason, "detail": item.detail}


# --- CSV -----------------------------------------------------------------------------------------

CSV_COLUMNS = (
    *("customer", "category", "photos", "share", "first_seen", "last_seen"),
    *("all_photos", "uncertain", "outside", "undated", "skipped"),
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
    return csv_text(CSV_COLUMNS, _csv_rows(profile))


def _csv_rows(profile: Profile) -> Iterator[tuple[str | int | float | datetime | None, ...]]:
    for customer in profile.customers:
        left_open = [len(customer.verdicts(verdict)) for verdict in ("uncertain", "outside")]
        totals = (len(customer.readings), *left_open, customer.undated, len(customer.skipped))
        for row in customer.categories:
            numbers = (row.count, round(row.share, 6))
            dates = (row.first_seen, row.last_seen)
            yield customer.customer, row.category, *numbers, *dates, *totals


SKIPPED_COLUMNS = ("customer", "path", "reason", "detail")
"""Columns of `skipped_csv`.

All text. customer: owner, empty if unknown. path: place of the file. reason: a key of
`trendscope.skipped.REASONS`. detail: the reason in a sentence.
"""


def skipped_csv(skipped: Iterable[Skipped]) -> str:
    """A table of `SKIPPED_COLUMNS`, written as `profile_csv` is."""
    rows = ((item.customer or "", item.source, item.reason, item.detail) for item in skipped)
    return csv_text(SKIPPED_COLUMNS, rows)


# --- HTML ----------------------------------------------------------------------------------------

LARGEST_GROUP = 200
"""Pictures shown of one customer and group, the latest; the page says how many are left out."""


@dataclass(frozen=True)
class Group:
    """Photos that stand together on the contact sheet.

    Attributes:
        title, color: A category and its colour, or words for photos without one.
        note: Meaning of the group; empty where the title says it.
        readings: Results of the photos, latest first, no more than `LARGEST_GROUP`.
        total: Number of all photos of the group.
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
    facts["title"] = "What customers wear"
    return page("profile.html", profile=profile, drawn=_drawn(profile), **facts)


def _drawn(profile: Profile) -> dict[str, PhotoResult]:
    """The pictures over which boxes are drawn, by sha256: under several categories, stored once."""
    shown = (r for c in profile.customers for group in groups(c) for r in group.readings)
    return {r.sha256: r for r in shown if r.thumbnail and drawing(r)}


WRITERS = {"json": profile_json, "csv": profile_csv, "html": profile_html}
"""Writers of profiles by format."""


def _group(title: str, shade: str, note: str, readings: Iterable[PhotoResult]) -> Group:
    latest = sorted(readings, key=_latest_first)
    return Group(title, shade, note, tuple(latest[:LARGEST_GROUP]), len(latest))


def _latest_first(reading: PhotoResult) -> tuple[float, str]:
    """Sorts photos by date, those without one last."""
    moment = reading.posted_at
    return (-moment.timestamp() if moment else float("inf")), reading.source
