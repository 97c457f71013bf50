"""What a catalogue file says: products, and remarks on rows that are not used or not whole."""

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
    "price": "with a price that cannot be read",
    "stock": "with a stock that cannot be read",
    "long_title": "with a title that was cut",
    "picture": "with a picture that is not there or not readable",
}
"""Every reason of a `Remark`, with a few plain words."""


@dataclass(frozen=True, slots=True)
class Product:
    """What a file says of one product.

    Attributes:
        sku: The shop's number of it; of several sizes the first one's.
        title: Plain text, without markup.
        brand: Empty if unknown.
        taxonomy: A path or number of Google's or Shopify's taxonomy; empty without.
        kinds: The shop's own product types or categories.
        age: For whom, such as ``kids``; empty if the file does not say.
        price: Now, the sale price if there is one; None if unknown or not certain.
        currency: ISO 4217, or a sign; empty if unknown.
        in_stock: None if the file does not say.
        url: Its page; empty if unknown.
        pictures: Addresses or file names, the main picture first.
        source: File and row.
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


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a row that a person should know.

    Attributes:
        source: File and row.
        sku: The product's SKU; empty if unknown.
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
        remarks: Rows that were not used, or not fully.
    """

    kind: str
    encoding: str
    products: tuple[Product, ...]
    remarks: tuple[Remark, ...]
