"""The content of a catalogue file: products, and remarks on rows that are not fully used."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

REMARKS = {
    "bad_row": "row not readable",
    "no_sku": "without a number (SKU)",
    "mangled_sku": "with a number that a spreadsheet has spoilt",
    "nothing": "without a title or a picture",
    "duplicate": "with a number that another row has",
    "not_for_sale": "not published or archived",
    "no_parent": "a variation whose product is missing",
    "joined": "whose sizes were items of their own, which are out of stock now",
    "price": "with a price that cannot be read",
    "stock": "with a stock that cannot be read",
    "long_title": "with a title that was cut",
    "picture": "with a picture that is not there or not readable",
}
"""Reasons of a `Remark`, with words for people."""


@dataclass(frozen=True, slots=True)
class Product:
    """A product as a file describes it.

    Attributes:
        sku: The shop's number for it; that of the main row, else of the first size that has one.
        title: Plain text, without markup.
        brand: The maker; empty if unknown.
        taxonomy: Path or number in Google's or Shopify's taxonomy; empty without one.
        kinds: The shop's own product types or categories.
        age: Age group, such as ``kids``; empty if the file does not say.
        price: Present price, the sale price if there is one; None if unknown or not certain.
        currency: ISO 4217, or a sign; empty if unknown.
        in_stock: Whether it is in stock; None if the file does not say.
        url: Address of its page; empty if unknown.
        pictures: Addresses or file names, the main picture first.
        source: File and row.
        skus: The numbers of all its sizes, that of the main row first; empty where none has one.
        group: The shop's name for all its sizes together, such as Shopify's handle; empty without.
    """

    sku: str
    title: str = ""
    brand: str = ""
    taxonomy: str = ""
    kinds: tuple[str, ...] = ()
    age: str = ""
    price: Decimal | None = None
    currency: str = ""
    in_stock: bool | None = None
    url: str = ""
    pictures: tuple[str, ...] = ()
    source: str = ""
    skus: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """A fault of a row that a person should know about.

    Attributes:
        source: File and row.
        sku: SKU of the product; empty if unknown.
        reason: A key of `REMARKS`.
        detail: One plain sentence.
        kept: Whether the product is used all the same.
    """

    source: str
    sku: str
    reason: str
    detail: str
    kept: bool = False


@dataclass(frozen=True)
class Catalog:
    """A catalogue file.

    Attributes:
        kind: Name of the layout, for people.
        encoding: Encoding of the file.
        products: Products in the order of the file.
        remarks: Rows that were not used, or only in part.
        withdrawn: Products that are not for sale; of them, numbers, group and source are known.
    """

    kind: str
    encoding: str
    products: tuple[Product, ...]
    remarks: tuple[Remark, ...]
    withdrawn: tuple[Product, ...] = ()
