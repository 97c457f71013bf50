"""Joins the rows of a catalogue file to products, in whatever order they come.

A product has one row or several: its sizes (variants) and further pictures have rows of their own.
Spreadsheets sort them, and shops write variations above their products, so nothing is joined before
all rows are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from trendscope.catalog import layouts
from trendscope.catalog.layouts import Layout
from trendscope.catalog.woocommerce import varieties
from trendscope.text import displayed


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a catalogue file.

    Attributes:
        line: Number of its first line.
        fields: Text of each field of the layout; empty where it has none.
        pictures: Cells that name pictures, the main one first.
    """

    line: int
    fields: dict[str, str]
    pictures: tuple[str, ...]


Refusal = tuple[Row, str, str]
"""A row of no product, a key of `trendscope.catalog.products.REMARKS`, and one plain sentence."""


@dataclass
class Grouping:
    """The rows of a file by product.

    Attributes:
        products: The rows of each product, the main one first: that with the title, the parent of
            WooCommerce's variations, else the first in the file.
        refusals: Rows that belong to no product.
    """

    products: list[list[Row]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


def group_rows(layout: Layout, rows: Iterable[Row]) -> Grouping:
    """The rows of all products, in the order in which products appear in the file."""
    if layout in (layouts.SHOPIFY_OLD, layouts.SHOPIFY_NEW):
        return _by_handle(rows)
    if layout is layouts.WOOCOMMERCE:
        return _by_parent([*rows])
    return _by_number(rows)


def first_row_decides(layout: Layout) -> bool:
    """Whether the main row says for all sizes whether they are for sale."""
    return layout in (layouts.SHOPIFY_OLD, layouts.SHOPIFY_NEW, layouts.WOOCOMMERCE)


def _by_handle(rows: Iterable[Row]) -> Grouping:
    """Shopify's rows: those of further sizes and pictures have no title, and some no handle."""
    grouping = Grouping()
    groups: dict[str, list[Row]] = {}
    latest = ""
    for row in rows:
        latest = row.fields["group"] or (row.fields["title"] and f" {row.line}") or latest
        if latest:
            groups.setdefault(latest, []).append(row)
        else:
            grouping.refusals.append((row, "nothing", "a row without handle and title"))
    for handle, own in groups.items():
        main = next((row for row in own if row.fields["title"]), None)
        if main is None:
            detail = f"no row of the handle {displayed(handle)[:80]!r} has a title"
            grouping.refusals += [(row, "nothing", detail) for row in own]
        else:
            grouping.products.append([main, *(row for row in own if row is not main)])
    return grouping


def _by_parent(rows: Sequence[Row]) -> Grouping:
    """WooCommerce's rows: variations name their product by its SKU, or by its ID."""
    grouping = Grouping()
    of_sku: dict[str, list[Row]] = {}
    of_id: dict[str, list[Row]] = {}
    variations = []
    for row in rows:
        if is_variation(row):
            variations.append(row)
        elif number := _number(row, grouping, of_sku if row.fields["sku"] else of_id):
            own = [row]
            grouping.products.append(own)
            if row.fields["sku"]:
                of_sku[number] = own
            of_id.setdefault(row.fields["id"] or f" {row.line}", own)
    for row in variations:
        parent = row.fields["group"]
        number = parent.removeprefix("id:")
        product = of_sku.get(parent) or (of_id.get(number) if number != parent else None)
        if product:
            product.append(row)
        else:
            detail = f"the product {displayed(parent)[:80]!r} that it varies is not in the file"
            grouping.refusals.append((row, "no_parent", detail))
    return grouping


def is_variation(row: Row) -> bool:
    """Whether a row is a size of WooCommerce's, which names its product."""
    return "variation" in varieties(row.fields.get("variety", ""))


def _by_number(rows: Iterable[Row]) -> Grouping:
    """Rows of Google, Meta and plain tables: each with its number, and sizes with a group."""
    grouping = Grouping()
    numbers: dict[str, list[Row]] = {}
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        number = _number(row, grouping, numbers)
        if not number:
            continue
        group = row.fields.get("group", "")
        # Colours have pictures of their own, sizes share one.
        key = group, row.pictures[0] if row.pictures else ""
        own = groups.setdefault(key, []) if group else []
        if not own:
            grouping.products.append(own)
        own.append(row)
        numbers[number] = own
    return grouping


def _number(row: Row, grouping: Grouping, taken: dict[str, list[Row]]) -> str:
    """The number of a row; empty, with a refusal, if it has none or another row has it too."""
    number = row.fields["sku"] or row.fields.get("id", "")
    if not number:
        detail = "the row names no product; give it a number (SKU)"
        grouping.refusals.append((row, "no_sku", detail))
    elif earlier := taken.get(number):
        line = next(r.line for r in earlier if number in (r.fields["sku"], r.fields.get("id")))
        detail = f"row {line} has the same number; the first one counts"
        grouping.refusals.append((row, "duplicate", detail))
        return ""
    return number
