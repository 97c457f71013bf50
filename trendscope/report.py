"""Profiles and classifications written down for programs (JSON, CSV) and for people (HTML).

All figures are those of `trendscope.readings`; nothing is counted here. The same input gives the
same bytes: no clock, no random order. Shares are fractions 0..1 in JSON and CSV, "%" on the page.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trendscope.categories import CATEGORIES, COLORS
from trendscope.feeds import PARTS, REASONS, Skipped, displayed
from trendscope.measured import leaning
from trendscope.readings import (
    CategoryCount,
    Classification,
    CustomerProfile,
    Profile,
    Reading,
    photos_a_week,
)

if TYPE_CHECKING:
    from jinja2 import Environment

    from trendscope.labels import Corrected
    from trendscope.store import Forgotten, Status
    from trendscope.store.record import Collected

SCHEMA_VERSION = 1

# --- words and figures for people, on the terminal and on the page -------------------------------


def color(category: str) -> str:
    """The category's colour as ``#RRGGBB``."""
    return COLORS[CATEGORIES.index(category)]


def percent(share: float) -> str:
    """A fraction for people: ``42 %``, and ``< 1 %`` rather than a zero that is none."""
    return "< 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def plural(count: int, noun: str) -> str:
    """``1 photo``, ``2 photos``, ``1,200 photos``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def day(moment: datetime | None) -> str:
    """``3 May 2026`` in UTC, in English whatever the locale."""
    if moment is None:
        return "no date"
    months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
    return f"{moment.day} {months[moment.month - 1]} {moment.year}"


def minute(moment: datetime) -> str:
    """``3 May 2026, 07:05 UTC``, of an aware time in UTC."""
    return f"{day(moment)}, {moment:%H:%M} UTC"


def span(first: datetime | None, last: datetime | None) -> str:
    """``3 May 2026 to 9 Jun 2026``; one day where both fall on it."""
    return day(first) if day(first) == day(last) else f"{day(first)} to {day(last)}"


def shown(name: str, longest: int = 80) -> str:
    """A name from a feed made safe to show: no control characters, shortened in the middle."""
    safe = displayed(name)
    head, tail = longest // 2, (longest - 1) // 2
    return safe if len(safe) <= longest else f"{safe[:head]}…{safe[-tail:]}"


def file_name(source: str) -> str:
    """The last part of a path, inside an archive too."""
    return re.split(r"[/\\]", source)[-1]


def limits(readings: Iterable[Reading], skipped: Iterable[Skipped]) -> tuple[str, ...]:
    """What the figures leave out, one plain sentence each; none where nothing is left out."""
    readings = tuple(readings)
    verdicts = Counter(reading.verdict for reading in readings)
    undated = sum(reading.posted_at is None for reading in readings)
    sentences = (
        (
            verdicts["uncertain"],
            "not sure which garment it is: in no count, in the shares as what it may be",
        ),
        (verdicts["outside"], "shows none of the ten categories, so not counted in any"),
        (undated, "without a date, so missing from first and last seen and from the weeks"),
    )
    found = [f"{plural(count, 'photo')}: {text}." for count, text in sentences if count]
    return (*found, *limits_of(Counter(item.reason for item in skipped)))


def limits_of(reasons: Mapping[str, int]) -> tuple[str, ...]:
    """A sentence for every reason why files were not used."""
    return tuple(
        f"{_left_out(reason, count)}: {REASONS.get(reason, reason)}."
        for reason, count in sorted(reasons.items())
    )


def _left_out(reason: str, count: int) -> str:
    if reason in PARTS:
        return f"{plural(count, 'part')} left out"
    return f"{plural(count, 'file')} not used"


# --- JSON ----------------------------------------------------------------------------------------


def classification_json(classification: Classification) -> str:
    """One document with every photo's verdict.

    ``schema_version`` (1), ``weights`` (name), ``photos``: in the order of the feed, each with
    ``path``; ``verdict``: ``classified``, ``uncertain``, ``outside`` or ``unreadable``; ``reason``:
    null if classified, else the verdict or a key of `trendscope.feeds.REASONS`; ``detail``: the
    same as a sentence; ``garments``: ``category``, ``confidence`` 0..1 and ``box`` [x0, y0, x1, y1]
    in pixels of the upright photo; ``top``: the three likeliest categories with probabilities.
    """
    photos = [
        _skipped_photo(photo) if isinstance(photo, Skipped) else _photo(photo)
        for photo in classification.photos
    ]
    return document({"weights": classification.weights, "photos": photos})


def profile_json(profile: Profile) -> str:
    """One document with every customer's figures.

    ``schema_version`` (1), ``weights`` (name), ``timezone`` (of the weeks), ``customers``, and
    ``skipped`` for what belongs to no customer listed. A customer has ``customer`` (name),
    ``photos`` (looked at; skipped ones are not among them), ``counts`` and ``shares`` by category
    (all ten are listed; shares are not the counts' fractions, as they take in uncertain photos by
    `trendscope.readings.estimated_shares`), ``classified``, ``uncertain`` and ``outside`` photos,
    ``undated`` photos, ``first_seen`` and ``last_seen`` (ISO 8601 UTC, null if no photo is dated),
    ``seen`` (the same per category), ``weeks`` (photos per ISO week, at most the last 52) and
    ``skipped`` (``path``, ``reason``, ``detail``).
    """
    customers = [_customer(customer, profile.zone) for customer in profile.customers]
    skipped = [_skipped(item) for item in profile.unowned]
    facts = {"weights": profile.weights, "timezone": str(profile.zone)}
    return document({**facts, "customers": customers, "skipped": skipped})


def collected_json(collected: Collected) -> str:
    """One document about a scan into a database.

    ``schema_version`` (1), ``database``, ``weights`` (name), ``judged``, ``recognised``,
    ``unchanged`` (photos, see `trendscope.store.record.Tally`), ``skipped`` (files by reason),
    ``namesakes`` (new customers whose name another one had) and ``missing`` (images that new
    weights have not judged yet).
    """
    counts = asdict(collected.tally) | {"skipped": collected.skipped}
    names = {"database": collected.database, "weights": collected.weights}
    rest = {"namesakes": list(collected.namesakes), "missing": collected.missing}
    return document({**names, **counts, **rest})


def corrected_json(corrected: Corrected) -> str:
    """One document about labels taken over from a table.

    ``schema_version`` (1), ``database``, ``photos`` (labelled), ``changed`` (of them, not said
    before) and ``refused`` (``row``, ``reason``).
    """
    return document(plain(asdict(corrected)))


def status_json(status: Status) -> str:
    """One document about a database.

    ``schema_version`` (1) and the fields of `trendscope.store.Status`; times are ISO 8601 in UTC,
    null where there is none.
    """
    return document(plain(asdict(status)))


def forgotten_json(forgotten: Forgotten, customer: str, database: str) -> str:
    """One document about a customer who was removed.

    ``schema_version`` (1), ``database``, ``customer`` and the fields of
    `trendscope.store.Forgotten`.
    """
    return document({"database": database, "customer": customer, **asdict(forgotten)})


def forgotten_text(forgotten: Forgotten, customer: str, database: str, *, done: bool) -> str:
    """What was removed with a customer, or is going to be, in a few sentences."""
    what = (
        f"{plural(forgotten.photos, 'photo')}, {plural(forgotten.skipped, 'skipped file')}, and "
        f"all that was seen in {plural(forgotten.images, 'image')} nobody else posted"
    )
    text = f"{shown(customer)} in {shown(database, 200)}: {what}"
    if not done:
        return f"{text}."
    traces = (
        " Traces stay in the database's files until its server cleans up (VACUUM FULL), or other "
        "programs that read from it have ended; backups of it are not touched."
    )
    left = "" if forgotten.wiped else traces
    return f"{text}; removed.{left}"


def plain(value: Any) -> Any:
    """Facts as JSON has them: times as text, wherever they are."""
    if isinstance(value, datetime):
        return _iso(value)
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, tuple) else value


def document(facts: dict[str, Any]) -> str:
    """Facts as JSON: the version first, UTF-8, no NaN."""
    versioned = {"schema_version": SCHEMA_VERSION, **facts}
    return json.dumps(versioned, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _photo(reading: Reading) -> dict[str, Any]:
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


def _iso(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None


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
`trendscope.readings.estimated_shares`. first_seen, last_seen: of that category, ISO 8601 UTC, empty
if never or undated. all_photos, uncertain, outside, undated, skipped: of the customer, the same in
all ten rows.
"""

_FORMULA = re.compile(r"'*\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|'*[\t\r\n]")


def profile_csv(profile: Profile) -> str:
    """A table of `CSV_COLUMNS`: UTF-8, comma, text in quotes, lines end in LF."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for customer in profile.customers:
        for category in customer.categories:
            writer.writerow(_csv_row(customer, category))
    return out.getvalue()


SKIPPED_COLUMNS = ("customer", "path", "reason", "detail")
"""Columns of `skipped_csv`.

All text: whose it would have been, empty if unknown; where it lies; a key of
`trendscope.feeds.REASONS`; one plain sentence.
"""


def skipped_csv(skipped: Iterable[Skipped]) -> str:
    """A table of `SKIPPED_COLUMNS`, written as `profile_csv` is."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(SKIPPED_COLUMNS)
    for item in skipped:
        cells = (item.customer or "", item.source, item.reason, item.detail)
        writer.writerow([defused(cell) for cell in cells])
    return out.getvalue()


def defused(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: those that could be get a leading '.

    The rule covers what OWASP lists (= + - @, tab, carriage return), also after blanks and in full
    width. Text that begins with ' and then such a sign gets one more, so that taking a single '
    away always gives the name back. NUL, which no CSV reader accepts, is left out.
    """
    text = text.replace("\0", "")
    return f"'{text}" if _FORMULA.match(text) else text


def _csv_row(customer: CustomerProfile, category: CategoryCount) -> tuple[str | int | float, ...]:
    return (
        defused(customer.customer),
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
"""Pictures shown of one customer and group, the latest; how many are left out is said there."""


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
    readings: tuple[Reading, ...]
    total: int


def groups(customer: CustomerProfile) -> tuple[Group, ...]:
    """The customer's photos by category, most worn first, then those without one."""
    found = []
    for category in customer.ranked:
        name = category.category
        worn = [r for r in customer.readings if any(g.category == name for g in r.garments)]
        found.append(_group(name, color(name), "", worn))
    uncertain, outside = customer.verdicts("uncertain"), customer.verdicts("outside")
    note = "A garment, but it is not clear which; counted in no category."
    found.append(_group("Not sure", "", note, uncertain))
    note = "Nothing of the ten categories was seen; counted in none."
    found.append(_group("None of the ten", "", note, outside))
    return tuple(group for group in found if group.total)


def profile_html(profile: Profile) -> str:
    """A page of its own: figures, contact sheet and what was left out. No scripts, no network."""
    return page("profile.html", profile=profile, categories=CATEGORIES, reasons=REASONS)


def page(template: str, **facts: object) -> str:
    """Fills a template; every text is escaped."""
    return _environment().get_template(template).render(**facts)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (
        *(percent, plural, day, minute, span, shown, file_name, color),
        *(limits, limits_of, groups, photos_a_week, leaning),
    )
    for function in filters:
        environment.filters[function.__name__] = function
    environment.filters["picture"] = _data_uri
    return environment


def _group(title: str, shade: str, note: str, readings: Iterable[Reading]) -> Group:
    undated_last = sorted(readings, key=_latest_first)
    return Group(title, shade, note, tuple(undated_last[:LARGEST_GROUP]), len(undated_last))


def _latest_first(reading: Reading) -> tuple[float, str]:
    moment = reading.posted_at
    return (-moment.timestamp() if moment else float("inf")), reading.source


def _data_uri(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
