"""The layouts of catalogue files: what their columns mean.

A layout is recognised by its header alone. Names are compared in lower case, ``_`` as a blank.
Sources: help.shopify.com (products CSV, the form until 2024 and the one since), Google Merchant
Center's and Meta's product data specifications, WooCommerce's product export.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trendscope.catalog import woocommerce


@dataclass(frozen=True)
class Layout:
    """A kind of catalogue file.

    Attributes:
        name: Name for people.
        needs: Groups of columns, of each of which a header has at least one.
        columns: Columns of each field; the first one with text counts.
        pictures: Columns of pictures, the main one first.
    """

    name: str
    needs: tuple[frozenset[str], ...]
    columns: Mapping[str, tuple[str, ...]]
    pictures: tuple[str, ...]

    def fits(self, header: Sequence[str]) -> bool:
        """True for a header of this layout."""
        return all(not group.isdisjoint(header) for group in self.needs)


def _columns(text: str) -> dict[str, tuple[str, ...]]:
    """The columns of each field, from ``field: column, another; field: column``."""
    fields = (field.split(": ") for field in text.split("; "))
    return {name: tuple(columns.split(", ")) for name, columns in fields}


def _needs(*groups: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(group.split(", ")) for group in groups)


_SHOPIFY = _columns(
    "title: title; brand: vendor; "
    "taxonomy: product category, google shopping / google product category; kind: type; "
    "status: status; age: google shopping / age group"
)
SHOPIFY_OLD = Layout(
    "Shopify (export until 2024)",
    _needs("handle", "title", "variant price, variant sku, body (html)"),
    _SHOPIFY
    | _columns(
        "group: handle; sku: variant sku; price: variant price; quantity: variant inventory qty; "
        "tracker: variant inventory tracker; policy: variant inventory policy; published: published"
    ),
    ("image src", "variant image"),
)
SHOPIFY_NEW = Layout(
    "Shopify (export since 2024)",
    _needs("title", "url handle, published on online store, product image url"),
    _SHOPIFY
    | _columns(
        "group: url handle; sku: sku; price: price; quantity: inventory quantity; "
        "tracker: inventory tracker; policy: continue selling when out of stock; "
        "published: published on online store"
    ),
    ("product image url", "variant image url"),
)

WOOCOMMERCE = Layout(
    "WooCommerce",
    tuple(
        frozenset(name for field in fields for name in woocommerce.COLUMNS[field])
        for fields in (("title",), ("sku", "id"), ("price",), ("variety", "kind"))
    ),
    woocommerce.COLUMNS,
    woocommerce.PICTURES,
)
MERCHANT = Layout(
    "Google or Meta",
    _needs("id", "title", "availability, image link"),
    _columns(
        "group: item group id; sku: id; title: title; brand: brand; "
        "taxonomy: google product category, fb product category; kind: product type; price: price; "
        "sale: sale price; sale_dates: sale price effective date; stock: availability; url: link; "
        "status: status; visibility: visibility; age: age group"
    ),
    ("image link", "additional image link"),
)
PLAIN = Layout(
    "a table of its own",
    _needs(
        "sku, id, item id, article, article number, item number, product id",
        "title, name, product name, product, image, picture, photo",
    ),
    _columns(
        "sku: sku, id, item id, article number, article, item number, product id; "
        "title: title, name, product name, product; brand: brand, vendor; "
        "kind: category, product type, type, product category; price: price, regular price; "
        "sale: sale price; sale_dates: sale price effective date; "
        "sale_from: sale from, sale start, sale starts, date sale price starts; "
        "sale_to: sale to, sale end, sale ends, date sale price ends; "
        "currency: currency; stock: availability, in stock, in stock?, stock, quantity; "
        "url: url, link, product url; status: status; age: age group; "
        "published: published, active; visibility: visibility, visibility in catalog"
    ),
    ("image", "picture", "photo", "image url", "image link", "filename", "images"),
)

LAYOUTS = (SHOPIFY_OLD, SHOPIFY_NEW, WOOCOMMERCE, MERCHANT, PLAIN)
"""All layouts, in the order in which they are tried; the last one fits most."""


def layout_of(header: Sequence[str]) -> Layout | None:
    """The layout that has such a header; None if none has."""
    return next((layout for layout in LAYOUTS if layout.fits(header)), None)
