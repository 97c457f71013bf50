"""Reads catalogue files: joins the rows of each product, and names every row that is not used.

A product has one row or several: its sizes (variants) and further pictures have rows of their own.
The sizes become one item, at the lowest price, in stock if one of them is.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from trendscope.catalog import layouts
from trendscope.catalog.layouts import Layout, layout_of
from trendscope.catalog.prices import Price, decimal_sign, read_price
from trendscope.catalog.products import Catalog, Product, Remark
from trendscope.errors import FeedError
from trendscope.files.tables import UnknownHeader, open_table
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
        path: The file.
        currency: ISO 4217 code assumed for prices without a currency.
        store_url: The shop's address, for the pages of Shopify's products.
        limits: Upper bounds on the file's size in bytes and on its rows.
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
    for line, cells in table.rows():
        reader.take(line, cells)
    products = tuple(reader.products())
    remarks = sorted(reader.remarks, key=lambda remark: int(remark.source.rpartition(":")[2]))
    return Catalog(layout.name, table.encoding, products, tuple(remarks))


@dataclass(slots=True)
class _Draft:
    """A product of which more rows may follow; `fields` are those of the first row."""

    line: int
    fields: dict[str, str]
    skus: list[str] = field(default_factory=list)
    prices: list[tuple[str, str]] = field(default_factory=list)
    stocks: list[tuple[str, str, str, str]] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)


class _Reader:
    """Joins the rows of one file to products."""

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
        position_of = {column: i for i, column in reversed(list(enumerate(header)))}
        self._positions = {
            field: [position_of[c] for c in columns if c in position_of]
            for field, columns in layout.columns.items()
        }
        self._pictures = [position_of[c] for c in layout.pictures if c in position_of]
        self._width = len(header)
        self._drafts: dict[str, _Draft] = {}
        self._latest = ""
        self._parents: dict[str, str] = {}

    def take(self, line: int, cells: list[str] | str) -> None:
        """Adds a row to its product."""
        if isinstance(cells, str):
            self._remark(line, "", "bad_row", cells)
            return
        if any(cells[self._width :]):
            detail = f"{len(cells)} cells under {self._width} columns; is a text with a comma "
            self._remark(line, "", "bad_row", detail + "not in quotation marks?")
            return
        cells += [""] * (self._width - len(cells))
        fields = {
            name: next((cells[i] for i in columns if cells[i]), "")
            for name, columns in self._positions.items()
        }
        pictures = [cells[i] for i in self._pictures if cells[i]]
        key = self._key(line, fields, pictures)
        if key is not None:
            draft = self._drafts.setdefault(key, _Draft(line, fields))
            self._add(draft, line, fields, pictures)

    def _key(self, line: int, fields: dict[str, str], pictures: list[str]) -> str | None:
        """A key that all rows of one product share; None if the row is refused."""
        if self._layout in (layouts.SHOPIFY_OLD, layouts.SHOPIFY_NEW):
            # Rows of further sizes and pictures leave the title empty, and some the handle too.
            self._latest = fields["group"] or (fields["title"] and f" {line}") or self._latest
            if not fields["title"] and self._latest not in self._drafts:
                self._remark(line, fields["sku"], "nothing", "a row without handle and title")
                return None
            return self._latest
        if self._layout is layouts.WOOCOMMERCE and fields.get("variety", "").lower() == "variation":
            parent = fields.get("group", "")
            if key := self._parents.get(parent):
                return key
            detail = f"the product {displayed(parent)!r} that it varies does not stand above it"
            self._remark(line, fields["sku"], "no_parent", detail)
            return None
        return self._own_key(line, fields, pictures)

    def _own_key(self, line: int, fields: dict[str, str], pictures: list[str]) -> str | None:
        sku, group = fields["sku"] or fields.get("id", ""), fields.get("group", "")
        if not sku:
            self._remark(line, "", "no_sku", "the row names no product; give it a number (SKU)")
            return None
        if group and self._layout is not layouts.WOOCOMMERCE:
            # Colours have pictures of their own, sizes share one.
            return f"group {group} {''.join(pictures[:1])}"
        kind = "sku" if fields["sku"] else "id"
        if earlier := self._drafts.get(f"{kind} {sku}"):
            detail = f"row {earlier.line} has the same number; the first one counts"
            self._remark(line, sku, "duplicate", detail)
            return None
        # WooCommerce names the product that a row varies by its SKU, or by its number.
        self._parents |= {sku: f"{kind} {sku}", f"id:{fields.get('id', '')}": f"{kind} {sku}"}
        return f"{kind} {sku}"

    def _add(self, draft: _Draft, line: int, fields: dict[str, str], pictures: list[str]) -> None:
        if self._layout is layouts.MERCHANT and fields["sku"] in draft.skus:
            detail = f"the product of row {draft.line} has the same number; the first one counts"
            self._remark(line, fields["sku"], "duplicate", detail)
            return
        if fields["sku"]:
            draft.skus.append(fields["sku"])
        draft.prices.append((fields.get("price", ""), self._sale(fields)))
        names = ("stock", "quantity", "tracker", "policy")
        stock = tuple(fields.get(name, "") for name in names)
        if any(stock) or fields["sku"]:
            draft.stocks.append(stock)  # type: ignore[arg-type]
        joined = "\n".join(pictures)
        parts = re.split(r"\n|\s*,\s*(?=\S+\.\w{3,4}\b|https?:)", joined)
        draft.pictures += [part.strip() for part in parts if part.strip()]

    def _sale(self, fields: dict[str, str]) -> str:
        """The sale price, unless it is dated and not of today."""
        first, _, last = fields.get("sale_dates", "").partition("/")
        try:
            days = [datetime.fromisoformat(day.strip()) for day in (first, last) if day.strip()]
        except ValueError:
            return ""
        aware = [day if day.tzinfo else day.replace(tzinfo=UTC) for day in days]
        if len(aware) == 2 and not aware[0] <= self._now <= aware[1]:
            return ""
        return fields.get("sale", "")

    def _remark(self, line: int, sku: str, reason: str, detail: str, kept: bool = False) -> None:
        self.remarks.append(Remark(f"{self._name}:{line}", sku, reason, detail, kept))

    def products(self) -> Iterator[Product]:
        """The products, after all rows have been taken."""
        sign = decimal_sign(
            text for draft in self._drafts.values() for pair in draft.prices for text in pair
        )
        line_of_sku: dict[str, int] = {}
        for draft in self._drafts.values():
            product = self._product(draft, sign)
            if product is None:
                continue
            if product.sku in line_of_sku:
                detail = f"row {line_of_sku[product.sku]} has the same number; the first one counts"
                self._remark(draft.line, product.sku, "duplicate", detail)
                continue
            line_of_sku[product.sku] = draft.line
            yield product

    def _product(self, draft: _Draft, sign: str | None) -> Product | None:
        fields, line = draft.fields, draft.line
        sku = next(iter(draft.skus), "") or fields.get("group", "") or fields.get("id", "")
        title = plain_text(fields.get("title", ""))
        problem = _wrong_sku(sku) or _not_for_sale(fields)
        if not title and not draft.pictures:
            problem = problem or ("nothing", "the row has neither a title nor a picture")
        if problem:
            self._remark(line, sku[:LONGEST_SKU], *problem)
            return None
        if len(title) > LONGEST_TITLE:
            detail = f"the title has {len(title):,} letters; {LONGEST_TITLE} are kept"
            self._remark(line, sku, "long_title", detail, kept=True)
        price = self._price(draft, sku, sign)
        handle = fields.get("group", "") if self._store_url else ""
        page = f"{self._store_url}/products/{handle}" if handle else fields.get("url", "")
        return Product(
            sku=sku,
            title=title[:LONGEST_TITLE].strip(),
            brand=plain_text(fields.get("brand", ""))[:LONGEST_SKU],
            taxonomy=html.unescape(fields.get("taxonomy", ""))[:_LONGEST_OTHER],
            kinds=_kinds(fields.get("kind", "")),
            age=fields.get("age", "").lower()[:40],
            price=price.amount,
            currency=price.currency if price.amount is not None else "",
            in_stock=self._stock(draft, sku),
            url=page[:_LONGEST_OTHER] if page.startswith(("https://", "http://")) else "",
            pictures=tuple(dict.fromkeys(draft.pictures)),
            source=f"{self._name}:{line}",
        )

    def _price(self, draft: _Draft, sku: str, sign: str | None) -> Price:
        """The lowest price of all sizes, each the sale price where that is lower."""
        offers = []
        for regular, sale in dict.fromkeys(draft.prices):
            prices = [read_price(text, sign) for text in (regular, sale) if text]
            if problem := next((price.problem for price in prices if price.problem), ""):
                self._remark(draft.line, sku, "price", f"the price {problem}", kept=True)
            if prices and not any(price.problem for price in prices):
                offers.append(min(prices, key=lambda price: price.amount or 0))
        if not offers:
            return Price(None)
        lowest = min(offers, key=lambda price: price.amount or 0)
        currency = draft.fields.get("currency", "").upper()[:3] or self._currency
        # A sign that several currencies use says less than a name.
        return (
            lowest
            if re.fullmatch("[A-Z]{3}", lowest.currency)
            else replace(lowest, currency=currency or lowest.currency)
        )

    def _stock(self, draft: _Draft, sku: str) -> bool | None:
        states = [_in_stock(*stock) for stock in draft.stocks]
        if wrong := next((text for text in states if isinstance(text, str)), ""):
            detail = f"the stock {wrong[:40]!r} is not understood; write in stock or out of stock"
            self._remark(draft.line, sku, "stock", detail, kept=True)
        certain = [value for value in states if isinstance(value, bool)]
        return any(certain) if certain else None


_AVAILABLE = frozenset(
    "in stock, instock, available, yes, true, 1, limited availability, y".split(", ")
)
_UNAVAILABLE = frozenset(
    "out of stock, outofstock, no, false, 0, sold out, discontinued, preorder, pre order, "
    "backorder, on backorder, unavailable, n, not available, pending".split(", ")
)


def _in_stock(stock: str, quantity: str, tracker: str, policy: str) -> bool | str | None:
    """Whether something can be bought now; the text if it is not understood."""
    word = " ".join(re.sub("[_-]", " ", stock.lower()).split())
    if word in _AVAILABLE or word in _UNAVAILABLE:
        return word in _AVAILABLE
    if policy.lower() in ("continue", "true", "yes"):
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


def _not_for_sale(fields: dict[str, str]) -> tuple[str, str] | None:
    status = fields.get("status", "").lower()
    if status in ("draft", "archived", "unlisted", "hidden", "staging"):
        return "not_for_sale", f"its status is {status}"
    if fields.get("published", "").lower() in ("false", "no", "0", "-1"):
        return "not_for_sale", "it is not published"
    return None


def _kinds(text: str) -> tuple[str, ...]:
    """The shop's categories, which WooCommerce separates by commas: ``A > B, C``."""
    text = plain_text(re.sub(r"\s*>\s*", " ⟩ ", text[:_LONGEST_OTHER])).replace("⟩", ">")
    return tuple(part.strip() for part in re.split(r"(?<!\\),", text) if part.strip())
