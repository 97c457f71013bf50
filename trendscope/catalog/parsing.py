"""Reads catalogue files: makes a product of its rows, and names every row that is not used.

The sizes of a product become one item, at the lowest price, in stock if one of them is.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from trendscope.catalog import layouts
from trendscope.catalog.grouping import Row, first_row_decides, group_rows, is_variation
from trendscope.catalog.layouts import PLAIN, Layout, layout_of
from trendscope.catalog.prices import Price, decimal_sign, is_zero, read_price
from trendscope.catalog.products import Catalog, Product, Remark
from trendscope.catalog.sales import sale_days, sale_runs
from trendscope.catalog.woocommerce import VARIETIES, varieties
from trendscope.errors import FeedError
from trendscope.files.tables import UnknownHeader, open_table
from trendscope.files.written_times import Order, orders_of_dates
from trendscope.limits import Limits
from trendscope.text import displayed

LONGEST_SKU = 200
LONGEST_TITLE = 500
_LONGEST_OTHER = 2_000


def read_catalog(
    path: Path,
    *,
    currency: str = "",
    store_url: str = "",
    limits: Limits | None = None,
    now: datetime | None = None,
) -> Catalog:
    """Reads a shop's catalogue file: Shopify, Google Merchant, Meta, WooCommerce or a plain CSV.

    Args:
        currency: ISO 4217 code assumed for prices without a currency.
        store_url: The shop's address, for the pages of Shopify's products.
        now: The present, aware; decides whether a dated sale price counts.

    Raises:
        FeedError: It cannot be read, is no known catalogue, or is too large.
    """
    limits = limits or Limits()
    try:
        table = open_table(path, lambda header: layout_of(header) is not None, limits)
    except UnknownHeader as error:
        names = ", ".join(displayed(name)[:30] for name in error.header[:8])
        raise FeedError(
            f"{displayed(str(path))}: its columns ({names}) are those of no known catalogue; give "
            "an export of Shopify, WooCommerce, Google or Meta, or a CSV with "
            "sku,title,category,price,url,image"
        ) from error
    layout = layout_of(table.header)
    assert layout is not None
    reader = _Reader(layout, table.header, path.name, currency.upper(), store_url, now)
    if table.longer_than(limits.catalog_rows):
        raise FeedError(
            f"{displayed(str(path))} has more than {limits.catalog_rows:,} rows; split it, or "
            "allow more: --limit catalog_rows=..."
        )
    rows = []
    # Columns that hold nothing but WooCommerce's types of products; and those of them with any.
    possible, seen = {*range(len(table.header) if layout is PLAIN else 0)}, set[int]()
    for line, cells in table.rows():
        if row := reader.row(line, cells):
            rows.append(row)
            possible = {i for i in possible if not cells[i] or varieties(cells[i]) <= VARIETIES}
            seen |= {i for i in possible if cells[i]}
    if types := sorted(possible & seen):
        column = displayed(table.header[types[0]])[:40]
        raise FeedError(
            f"{displayed(str(path))} is an export of WooCommerce, as its column {column!r} tells, "
            "without the columns for prices, or in a language that is not known; export all "
            "columns with English as the language of your profile"
        )
    products, withdrawn = reader.products(rows)
    remarks = sorted(reader.remarks, key=lambda remark: int(remark.source.rpartition(":")[2]))
    return Catalog(layout.name, table.encoding, products, tuple(remarks), withdrawn)


class _Reader:
    """Makes products of the rows of one file."""

    def __init__(
        self,
        layout: Layout,
        header: Sequence[str],
        name: str,
        currency: str,
        store_url: str,
        now: datetime | None,
    ):
        self.remarks: list[Remark] = []
        self._layout = layout
        self._name = displayed(name)
        self._currency = currency
        self._store_url = store_url.rstrip("/")
        self._now = now or datetime.now(UTC)
        self._orders: Mapping[str, Order] = {}
        position_of = {column: i for i, column in reversed(list(enumerate(header)))}
        self._positions = {
            field: [position_of[c] for c in columns if c in position_of]
            for field, columns in layout.columns.items()
        }
        self._pictures = [position_of[c] for c in layout.pictures if c in position_of]
        self._width = len(header)

    def row(self, line: int, cells: list[str] | str) -> Row | None:
        """A row with the fields of the layout; None, with a remark, if it cannot be read.

        Cells that are missing at its end are added to `cells`.
        """
        if isinstance(cells, str):
            self._remark(line, "", "bad_row", cells)
            return None
        if any(cells[self._width :]):
            detail = f"{len(cells)} cells under {self._width} columns; is a text with a comma "
            self._remark(line, "", "bad_row", detail + "not in quotation marks?")
            return None
        cells += [""] * (self._width - len(cells))
        fields = {
            name: next((cells[i] for i in columns if cells[i]), "")
            for name, columns in self._positions.items()
        }
        return Row(line, fields, tuple(cells[i] for i in self._pictures if cells[i]))

    def _remark(self, line: int, sku: str, reason: str, detail: str, kept: bool = False) -> None:
        self.remarks.append(Remark(f"{self._name}:{line}", sku, reason, detail, kept))

    def products(self, rows: Sequence[Row]) -> tuple[tuple[Product, ...], tuple[Product, ...]]:
        """The products that are for sale, and those that are not."""
        grouping = group_rows(self._layout, rows)
        for row, reason, detail in grouping.refusals:
            self._remark(row.line, row.fields.get("sku", "")[:LONGEST_SKU], reason, detail)
        prices = (row.fields.get(name, "") for row in rows for name in ("price", "sale"))
        sign = decimal_sign(prices)
        days = (day for row in rows for day in sale_days(row.fields) if day)
        self._orders = orders_of_dates(days)
        products: list[Product] = []
        withdrawn: list[Product] = []
        line_of_sku: dict[str, int] = {}
        for own in grouping.products:
            identity = self._identity(own)
            if not self._is_usable(identity, own):
                continue
            for_sale = self._for_sale(identity, own)
            line = own[0].line
            if not for_sale:
                withdrawn.append(identity)
            elif identity.sku in line_of_sku:
                detail = (
                    f"row {line_of_sku[identity.sku]} has the same number; the first one counts"
                )
                self._remark(line, identity.sku, "duplicate", detail)
            else:
                line_of_sku[identity.sku] = line
                products.append(self._product(identity, own, for_sale, sign))
        # A draft may be a copy of what is for sale, with the same numbers.
        sold = {sku for product in products for sku in (product.sku, *product.skus)}
        gone = (each for each in withdrawn if sold.isdisjoint((each.sku, *each.skus)))
        return tuple(products), tuple(gone)

    def _identity(self, rows: Sequence[Row]) -> Product:
        """What a product is known by."""
        main = rows[0].fields
        skus = tuple(dict.fromkeys(sku for row in rows if (sku := row.fields.get("sku", ""))))
        group = next((text for row in rows if (text := row.fields.get("group", ""))), "")
        if self._layout is layouts.WOOCOMMERCE:
            group = ""  # the variations' name for their parent, whose number is known already
        sku = next(iter(skus), "") or group or main.get("id", "")
        return Product(sku=sku, source=f"{self._name}:{rows[0].line}", skus=skus, group=group)

    def _is_usable(self, identity: Product, rows: Sequence[Row]) -> bool:
        """Whether a product can be told from others, and something is known of it."""
        problem = _wrong_sku(identity.sku)
        if not (plain_text(rows[0].fields.get("title", "")) or any(row.pictures for row in rows)):
            problem = problem or ("nothing", "the row has neither a title nor a picture")
        if problem:
            self._remark(rows[0].line, identity.sku[:LONGEST_SKU], *problem)
        return problem is None

    def _for_sale(self, identity: Product, rows: Sequence[Row]) -> list[Row]:
        """The rows of sizes that are for sale; remarks name the others."""
        reasons = [_not_for_sale(row.fields) for row in rows]
        offered = [row for row, reason in zip(rows, reasons, strict=True) if not reason]
        if reasons[0] and (first_row_decides(self._layout) or not offered):
            self._remark(rows[0].line, identity.sku, "not_for_sale", reasons[0])
            return []
        for row, reason in zip(rows, reasons, strict=True):
            if reason:
                sku = row.fields.get("sku", "") or identity.sku
                detail = f"{reason}; the product's other sizes count"
                self._remark(row.line, sku, "not_for_sale", detail, kept=True)
        return offered

    def _product(
        self, identity: Product, rows: Sequence[Row], offered: Sequence[Row], sign: str | None
    ) -> Product:
        line, sku = rows[0].line, identity.sku

        def text(name: str) -> str:
            """The main row's text of a field, or else that of the first row that has one."""
            return next((row.fields[name] for row in rows if row.fields.get(name)), "")

        title = plain_text(rows[0].fields.get("title", ""))
        if len(title) > LONGEST_TITLE:
            detail = f"the title has {len(title):,} letters; {LONGEST_TITLE} are kept"
            self._remark(line, sku, "long_title", detail, kept=True)
        # Of a WooCommerce product with variations, these are what is bought.
        sizes = [row for row in offered if is_variation(row)] or offered
        price = self._price(sizes, line, sku, text("currency"), sign)
        page = text("url")
        if self._store_url and identity.group:
            page = f"{self._store_url}/products/{identity.group}"
        return replace(
            identity,
            title=title[:LONGEST_TITLE].strip(),
            brand=plain_text(text("brand"))[:LONGEST_SKU],
            taxonomy=html.unescape(text("taxonomy"))[:_LONGEST_OTHER],
            kinds=_kinds(text("kind")),
            age=text("age").lower()[:40],
            price=price.amount,
            currency=price.currency if price.amount is not None else "",
            in_stock=self._stock(sizes, offered[0], line, sku),
            url=page[:_LONGEST_OTHER] if page.startswith(("https://", "http://")) else "",
            pictures=_pictures(rows),
        )

    def _price(
        self, sizes: Sequence[Row], line: int, sku: str, currency: str, sign: str | None
    ) -> Price:
        """The lowest price of all sizes, each the sale price where that is lower."""
        offers = []
        for regular, sale in dict.fromkeys(
            (row.fields.get("price", ""), self._sale(row, line, sku)) for row in sizes
        ):
            prices = [read_price(text, sign) for text in (regular, sale) if text]
            if problem := next((price.problem for price in prices if price.problem), ""):
                self._remark(line, sku, "price", f"the price {problem}", kept=True)
            if prices and not any(price.problem for price in prices):
                offers.append(min(prices, key=lambda price: price.amount or 0))
        if not offers:
            return Price(None)
        lowest = min(offers, key=lambda price: price.amount or 0)
        currency = currency.upper()[:3] or self._currency
        # A sign that several currencies use says less than a name.
        return (
            lowest
            if re.fullmatch("[A-Z]{3}", lowest.currency)
            else replace(lowest, currency=currency or lowest.currency)
        )

    def _sale(self, row: Row, line: int, sku: str) -> str:
        """The sale price as written; empty without one, if it is zero, or on other days."""
        sale = row.fields.get("sale", "")
        if not sale or is_zero(sale):
            return ""
        runs = sale_runs(row.fields, self._now, self._orders)
        if runs is None:
            detail = "the days of the sale are not understood, and the regular price counts; "
            self._remark(line, sku, "price", f"{detail}write them as 2026-12-24", kept=True)
        return sale if runs else ""

    def _stock(self, sizes: Sequence[Row], main: Row, line: int, sku: str) -> bool | None:
        """Whether one of the sizes is in stock, or else, where none says so, the main row is."""
        states: list[bool | str | None] = []
        for row in (*sizes, main):
            stock = [row.fields.get(name, "") for name in _STOCK]
            if row is main and any(isinstance(state, bool) for state in states):
                break
            if any(stock) or row.fields.get("sku"):
                states.append(_in_stock(*stock))
        if wrong := next((text for text in states if isinstance(text, str)), ""):
            detail = f"the stock {wrong[:40]!r} is not understood; write in stock or out of stock"
            self._remark(line, sku, "stock", detail, kept=True)
        certain = [value for value in states if isinstance(value, bool)]
        return any(certain) if certain else None


def _pictures(rows: Sequence[Row]) -> tuple[str, ...]:
    """The pictures that the rows name, each once, those of the main row first."""
    joined = "\n".join(picture for row in rows for picture in row.pictures)
    parts = re.split(r"\n|\s*,\s*(?=\S+\.\w{3,4}\b|https?:)", joined)
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


# As spreadsheets save TRUE and FALSE in their language.
_TRUE = frozenset(
    "true wahr vrai verdadero vero verdadeiro waar prawda sant sand sann tosi pravda igaz doğru "
    "adevărat истина αληθεσ".split()
)
_FALSE = frozenset(
    "false falsch faux falso onwaar fałsz falskt falsk usann epätosi nepravda hamis yanliş fals "
    "ложь ψευδεσ".split()
)

_STOCK = ("stock", "quantity", "tracker", "policy")
_AVAILABLE = frozenset("in stock, instock, available, yes, 1, limited availability, y".split(", "))
_UNAVAILABLE = frozenset(
    "out of stock, outofstock, no, 0, sold out, discontinued, preorder, pre order, "
    "backorder, on backorder, unavailable, n, not available, pending".split(", ")
)


def _in_stock(stock: str, quantity: str, tracker: str, policy: str) -> bool | str | None:
    """Whether something can be bought now; the text if it is not understood."""
    word = " ".join(re.sub("[_-]", " ", stock.casefold()).split())
    if word in _AVAILABLE | _TRUE or word in _UNAVAILABLE | _FALSE:
        return word in _AVAILABLE | _TRUE
    if policy.casefold() in {"continue", "yes"} | _TRUE:
        return True
    for text in (quantity, stock):
        if text:
            number = re.fullmatch(r"(-?\d{1,12})(?:[.,]0+)?", text.replace(" ", ""))
            return int(number[1]) > 0 if number else text
    # Shopify always sells products whose stock is not tracked.
    return True if policy and not tracker else None


def plain_text(text: str) -> str:
    """Text without markup, entities, control characters and double blanks."""
    if "<" not in text and "&" not in text and text.isprintable():
        return " ".join(text.split())
    # Twice, as entities may hide tags.
    plain = html.unescape(_TAG.sub(" ", text))
    plain = _TAG.sub(" ", plain)
    return " ".join("".join(c if c.isprintable() else " " for c in plain).split())


_TAG = re.compile(r"<(?:[a-zA-Z/!][^<>]*)>")


def _wrong_sku(sku: str) -> tuple[str, str] | None:
    if not sku:
        return "no_sku", "the row names no product; give it a number (SKU)"
    if len(sku) > LONGEST_SKU:
        return "bad_row", f"the number (SKU) has {len(sku):,} letters; is a delimiter missing?"
    if re.fullmatch(r"\d[.,]\d+E\+\d+", sku, re.IGNORECASE):
        detail = f"{sku} was a long number before a spreadsheet rounded it; export the file again"
        return "mangled_sku", detail
    return None


_HIDDEN = frozenset(
    "draft, auto-draft, archived, unlisted, hidden, staging, private, pending, trash, inactive, "
    "future, invisible".split(", ")
)


def _not_for_sale(fields: Mapping[str, str]) -> str:
    """Why nobody can buy what a row offers; empty if anybody can."""
    for name in ("status", "visibility"):
        if (word := fields.get(name, "").lower()) in _HIDDEN:
            return f"its {name} is {word}"
    published = fields.get("published", "").casefold()
    if published in {"no", "0", "-1", "n"} | _FALSE | _HIDDEN:
        return "it is not published"
    return ""


def _kinds(text: str) -> tuple[str, ...]:
    """The shop's categories, which WooCommerce separates by commas: ``A > B, C``."""
    text = plain_text(re.sub(r"\s*>\s*", " ⟩ ", text[:_LONGEST_OTHER])).replace("⟩", ">")
    return tuple(part.strip() for part in re.split(r"(?<!\\),", text) if part.strip())
