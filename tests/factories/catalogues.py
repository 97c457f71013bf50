"""Catalogue files of the five kinds with the same made-up products, and the truth about them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from decimal import Decimal

from trendscope.categories import CATEGORIES

TITLES = (
    "Crew neck T-shirt",
    "Slim chinos",
    "Merino jumper",
    "Wrap dress",
    "Wool coat",
    "Strappy sandal",
    "Dress shirt",
    "Running shoes",
    "Canvas tote",
    "Chelsea boots",
)
"""A title of each category, in label order."""

WEB = "https://cdn.example"


@dataclass(frozen=True)
class Truth:
    sku: str
    title: str
    category: str
    price: Decimal
    in_stock: bool


def truth(count):
    """Product i is of category i % 10, costs 10.00 + i / 100, and every seventh is sold out."""
    return [
        Truth(
            f"P-{i:05}",
            f"{TITLES[i % 10]} no. {i}",
            CATEGORIES[i % 10],
            Decimal(1000 + i) / 100,
            i % 7 != 0,
        )
        for i in range(count)
    ]


def table(header, rows, delimiter=","):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(
        [header.split(","), *rows]
    )
    return out.getvalue().encode()


def shopify_old(products):
    """Each with a second size, which costs more, and a row with a further picture."""
    rows = []
    for p in products:
        h, stock = p.sku.lower(), 5 if p.in_stock else 0
        rows.append(
            (h, p.title, "<p>Soft.</p>", "Ours", "TRUE", p.sku, stock, p.price, f"{WEB}/1.jpg")
        )
        rows.append((h, "", "", "", "", f"{p.sku}-L", 0, p.price + 5, ""))
        rows.append((h, "", "", "", "", "", "", "", f"{WEB}/2.jpg"))
    header = "Handle,Title,Body (HTML),Vendor,Published,Variant SKU,Variant Inventory Qty"
    return table(f"{header},Variant Price,Image Src", rows)


def shopify_new(products):
    rows = [
        (p.title, p.sku.lower(), "Active", p.sku, p.price, "shopify", 3 * p.in_stock, "DENY")
        for p in products
    ]
    header = "Title,URL handle,Status,SKU,Price,Inventory tracker,Inventory quantity"
    return table(f"{header},Continue selling when out of stock", rows)


def merchant(products):
    """Tabs, two lines of comments, and a sale price on every product."""
    rows = [
        (
            p.sku,
            p.title,
            "in_stock" if p.in_stock else "out_of_stock",
            f"{p.price + 10} EUR",
            f"{p.price} EUR",
            f"https://shop.example/{p.sku}",
        )
        for p in products
    ]
    text = table("id,title,availability,price,sale_price,link", rows, "\t")
    return b'# Required | Required\r\n"# see the specification"\r\n' + text


def woocommerce(products):
    """The product without a price, and its sizes in rows behind it."""
    rows = []
    for i, p in enumerate(products):
        rows.append((i + 1, "variable", p.sku, p.title, 1, "", "", "", ""))
        stock = 1 if p.in_stock else 0
        rows.append((f"9{i}", "variation", f"{p.sku}-S", "", 1, stock, p.price + 3, p.price, p.sku))
        rows.append((f"8{i}", "variation", f"{p.sku}-M", "", 1, 0, p.price + 9, "", f"id:{i + 1}"))
    header = "ID,Type,SKU,Name,Published,In stock?,Regular price,Sale price,Parent"
    return table(header, rows)


def plain(products):
    """Semicolons, decimal commas, Windows-1252."""
    rows = [
        (p.sku, f"{p.title} in Größe S", f"{p.price:.2f}".replace(".", ","), "ny"[p.in_stock])
        for p in products
    ]
    return table("SKU,Name,Price,In stock", rows, ";").decode().encode("cp1252")


KINDS = {
    "shopify_old": shopify_old,
    "shopify_new": shopify_new,
    "merchant": merchant,
    "woocommerce": woocommerce,
    "plain": plain,
}
