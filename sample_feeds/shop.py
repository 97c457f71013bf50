"""The catalogue of a small shop: a Shopify export and its pictures, a garment each.

Most titles say what the thing is; one says nothing, one leaves it open, one is wrong, one thing is
none of the ten, one is sold out and one not published.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent / "shop"
SIDE = (480, 600)

COLUMNS = ("Title", "URL handle", "Product category", "Type", "Status", "SKU", "Price")
COLUMNS += ("Inventory tracker", "Inventory quantity", "Product image URL")
CLOTHING = "Apparel & Accessories > Clothing"

# title, taxonomy, type, status, price, quantity, true category of the picture
ITEMS = (
    ("Wrap dress with belt", f"{CLOTHING} > Dresses", "", "Active", "59.90", 4, "Dress"),
    ("Linen shift dress", "", "Dresses", "Active", "79.00", 2, "Dress"),
    ("Slip dress in satin", "", "", "Active", "89.90", 0, "Dress"),
    ("Slim-fit chinos", f"{CLOTHING} > Pants", "", "Active", "49.90", 9, "Trouser"),
    ("Wide-leg trousers", "", "Bottoms", "Active", "64.50", 3, "Trouser"),
    ("Crew neck T-shirt", f"{CLOTHING} > Shirts & Tops", "", "Active", "19.90", 30, "T-shirt/top"),
    ("Emma, ecru", "", "", "Active", "24.90", 12, "T-shirt/top"),
    ("Cardigan Nora", "", "Knitwear", "Active", "69.90", 5, "Pullover"),
    ("Merino jumper", "", "", "Active", "85.00", 6, "Pullover"),
    ("Wool coat", f"{CLOTHING} > Outerwear > Coats & Jackets", "", "Active", "199.00", 1, "Coat"),
    ("Dress shirt, easy iron", "", "Shirts", "Active", "45.00", 8, "Shirt"),
    ("Canvas tote", "Luggage & Bags > Shopping Totes", "", "Active", "29.00", 15, "Bag"),
    ("Leather clutch", "", "", "Active", "75.00", 2, "Bag"),
    ("Linen shirt", "", "", "Active", "55.00", 7, "Dress"),
    ("Denim midi skirt", f"{CLOTHING} > Skirts", "", "Active", "39.90", 4, ""),
    ("Chelsea boots", "", "", "Active", "120.00", 3, "Ankle boot"),
    ("Next summer's sandals", "", "", "Draft", "49.00", 0, ""),
)


def make(photo: Callable[[str], Image.Image]) -> None:
    """Makes the catalogue anew; `photo` gives a picture of a category."""
    shutil.rmtree(HERE, ignore_errors=True)
    (HERE / "pictures").mkdir(parents=True)
    with (HERE / "products.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for number, item in enumerate(ITEMS, start=1):
            title, taxonomy, kind, status, price, quantity, category = item
            handle = handle_of(title)
            address = ""
            if category:
                picture = photo(category).resize(SIDE)
                picture.save(HERE / "pictures" / f"{handle}.jpg", quality=72)
                address = f"https://cdn.shopify.com/s/files/1/0001/{handle}.jpg?v=17"
            row = (title, handle, taxonomy, kind, status, f"SH-{number:02}", price)
            writer.writerow((*row, "shopify", quantity, address))


def handle_of(title: str) -> str:
    """Shopify's name of a product in its address."""
    return "-".join(title.lower().replace(",", "").replace("'", "").split())
