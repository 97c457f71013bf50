"""Reports on items of a shop: lines for people, JSON and CSV for programs, a page with pictures.

Nothing is decided here; the same input gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from trendscope.catalog.items import Item
from trendscope.catalog.products import REMARKS, Remark
from trendscope.reports.documents import document
from trendscope.reports.pages import page
from trendscope.reports.spreadsheets import csv_text
from trendscope.reports.wording import (
    confidence_of,
    kind_of,
    plain_price,
    price_of,
    stock_of,
    three_best,
)
from trendscope.text import plural, shown

if TYPE_CHECKING:
    from trendscope.ingest.catalog import ImportResult

LARGEST_PAGE = 2_000
"""Items on a page; the page says how many are left out."""

# --- words for people ----------------------------------------------------------------------------

_ENCODINGS = {
    "cp1252": "Windows-1252",
    "mac_roman": "Mac Roman",
    "utf-8-mixed": "UTF-8 with some letters of Windows-1252 and some that are broken",
}


def import_lines(result: ImportResult) -> list[str]:
    """The result of an import in sentences."""
    parts = ((result.new, "new"), (result.changed, "changed"), (result.unchanged, "as before"))
    summary = ", ".join(f"{count:,} {words}" for count, words in parts if count)
    lines = [f"{plural(result.items, 'item')} of a file by {result.kind}: {summary or 'none'}."]
    if encoding := _ENCODINGS.get(result.encoding):
        lines.append(f"The file is not UTF-8; it was read as {encoding}. Check the accents.")
    if result.pictures:
        pictures = f"{plural(result.pictures, 'item')} with a picture"
        lines.append(f"{pictures}, {result.judged:,} looked at now.")
    if result.on_the_web:
        pictures = f"Pictures of {plural(result.on_the_web, 'item')} are on the web"
        lines.append(f"{pictures} and are not fetched; give them by --images FOLDER or ZIP.")
    counts = [(name, count) for name, count in result.categories.items() if count]
    counts += [("none of the ten", result.outside), ("not sure", result.uncertain)]
    lines += [f"  {count:>9,}  {name}" for name, count in counts if count]
    if result.taken_off:
        gone = f"{plural(result.taken_off, 'item')} no longer for sale"
        lines.append(f"{gone}; out of stock from now on.")
    return lines


def remark_lines(remarks: Iterable[Remark]) -> list[str]:
    """A sentence for every reason why rows were not used, or not whole, with the first rows."""
    remarks = list(remarks)
    lines = []
    for (reason, used), count in sorted(Counter((r.reason, r.kept) for r in remarks).items()):
        first = [r for r in remarks if (r.reason, r.kept) == (reason, used)][:3]
        rows = ", ".join(shown(r.source.rpartition(":")[2], 20) for r in first)
        what = "used all the same" if used else "not used"
        more = ", ..." if count > len(first) else ""
        lines.append(
            f"{plural(count, 'row')} {REMARKS[reason]}, {what}: row {rows}{more} "
            f"({shown(first[0].detail, 160)})."
        )
    return lines


def item_lines(item: Item) -> list[str]:
    """Everything about an item, a line each."""
    rows = [
        ("category", _category_line(item)),
        ("picture", three_best(item) or ("not judged yet" if item.picture else "none")),
        ("review", item.review),
        ("kind", item.kind),
        ("brand", item.brand),
        ("price", price_of(item)),
        ("stock", stock_of(item)),
        ("page", item.url),
        ("file", item.picture),
        ("from", item.source),
    ]
    heading = f"{shown(item.sku)}: {shown(item.title, 120)}".rstrip(": ")
    return [heading, *(f"  {name:<9} {shown(text, 300)}" for name, text in rows if text)]


def _category_line(item: Item) -> str:
    parts = [kind_of(item)]
    if item.confidence is not None:
        parts.append(f"{confidence_of(item)} by the picture")
    if item.because:
        parts.append(item.because)
    return ", ".join(parts)


# --- JSON and CSV --------------------------------------------------------------------------------


def import_json(result: ImportResult) -> str:
    """One document about a catalogue file that was read.

    ``schema_version`` (1) and the fields of `trendscope.ingest.catalog.ImportResult`; ``remarks``
    are those of `trendscope.catalog.Remark`.
    """
    return document({"items": result.items, **asdict(result)})


def items_json(items: Iterable[Item], database: str) -> str:
    """One document: ``schema_version`` (1) and `items_facts`."""
    return document(items_facts(items, database))


def items_facts(items: Iterable[Item], database: str) -> dict[str, Any]:
    """``database`` and ``items``.

    An item has the fields of `trendscope.catalog.Item` without digest and prediction; ``price`` is
    text, so that it stays exact, null if unknown; ``top`` are the three likeliest categories of the
    picture with probabilities, ``outside`` the probability of none of the ten; null without one.
    """
    return {"database": database, "items": [_item(item) for item in items]}


def _item(item: Item) -> dict[str, Any]:
    facts = {
        name: getattr(item, name)
        for name in Item.__dataclass_fields__
        if name not in ("sha256", "prediction", "alone")
    }
    confidence = None if item.confidence is None else round(item.confidence, 4)
    price = None if item.price is None else plain_price(item.price)
    prediction = item.prediction
    top = prediction and [[name, round(p, 4)] for name, p in prediction.top()]
    return {
        **facts,
        "price": price,
        "confidence": confidence,
        "top": top,
        "outside": None if prediction is None else round(prediction.outside, 4),
    }


ITEM_COLUMNS = (
    *("sku", "title", "category", "reason", "approximate", "category_source", "because"),
    *("confidence", "picture_best", "picture_best_confidence", "review", "price", "currency"),
    *("in_stock", "brand", "kind", "url", "picture", "source"),
)
"""Columns of `items_csv`.

Those of `trendscope.catalog.Item`; empty where unknown. picture_best and picture_best_confidence:
what the picture looks like most, and its probability 0..1. in_stock, approximate: true or false.
"""


def items_csv(items: Iterable[Item]) -> str:
    """A table of `ITEM_COLUMNS`: UTF-8, comma, text in quotes, lines end in LF."""
    return csv_text(ITEM_COLUMNS, map(_csv_row, items))


def _csv_row(item: Item) -> list[Any]:
    facts = _item(item)
    likeliest, share = facts["top"][0] if facts["top"] else ("", None)
    facts |= {"picture_best": likeliest, "picture_best_confidence": share}
    return [facts[name] for name in ITEM_COLUMNS]


# --- HTML ----------------------------------------------------------------------------------------


def items_html(
    items: Sequence[Item], thumbnails: Mapping[str, bytes], *, title: str = "Catalogue"
) -> str:
    """A page of its own: every item with its picture. No scripts, no network."""
    return page(
        "catalog.html",
        title=title,
        items=items[:LARGEST_PAGE],
        thumbnails=thumbnails,
        total=len(items),
        left_out=max(0, len(items) - LARGEST_PAGE),
    )
