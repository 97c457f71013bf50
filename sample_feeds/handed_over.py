"""Feeds as people hand them over: packed, written and sorted by the programs they have."""

from __future__ import annotations

import csv
import unicodedata
import zipfile
from pathlib import Path

from sample_feeds.exports import Files, Shoot, Truth, lay, pack, photo
from sample_feeds.shop import ITEMS, handle_of

HERE = Path(__file__).parent
FOLDERS = ("atelier", "nele")
MAC_ZIP = "Archive.zip"
SORTED = "shop/products-sorted.csv"

SHOPIFY = "Handle,Title,Vendor,Type,Published,Option1 Name,Option1 Value,Variant SKU,"
SHOPIFY += "Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,"
SHOPIFY += "Image Src,Status"


def make(shoot: Shoot) -> Truth:
    """Makes all of them; `shoot` gives a photo of a category. Returns rows of truth.csv."""
    sorted_products()
    return [row for maker in (mac_zip, manifest, icloud) for row in maker(shoot)]


class _Unmarked(zipfile.ZipInfo):
    """A member whose name is UTF-8 without being marked so, as macOS writes them."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode(), self.flag_bits


def mac_zip(shoot: Shoot) -> Truth:
    """The folder Zoë, packed by the Finder: decomposed names, and what macOS notes beside each."""
    names = ["Zoë/Grünes Kleid 2026-09-08.jpg", "Zoë/Schöne Tasche 2026-09-15.jpg"]
    files = {name: photo(shoot, c) for name, c in zip(names, ("Dress", "Bag"), strict=True)}
    notes = {f"__MACOSX/{n.replace('/', '/._')}": b"\0\5\x16\7\0\2\0\0Mac OS X" for n in names}
    with zipfile.ZipFile(HERE / MAC_ZIP, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted((files | notes | {"Zoë/.DS_Store": b"\0\0\0\1Bud1"}).items()):
            stored = unicodedata.normalize("NFD", name)
            archive.writestr(_Unmarked(stored, (2026, 11, 16, 8, 0, 0)), content)
    return [("Zoë", f"{MAC_ZIP}/{n}", c) for n, c in zip(names, ("Dress", "Bag"), strict=True)]


def manifest(shoot: Shoot) -> Truth:
    """A table that Excel on a German Windows saved as CSV, with the paths of its disk."""
    rows = ("Kunde Nr.;customer;taken_at;image", "1;Jörg Weiß;08.09.2026 10:00;Fotos\\Größe M.jpg")
    rows += ("2;Änne;15.09.2026;.\\Fotos\\2.JPG",)
    files = {"atelier/Fotos/Größe M.jpg": photo(shoot, "Shirt")}
    files |= {"atelier/Fotos/2.jpg": photo(shoot, "Coat")}
    lay(files | {"atelier/Kunden.csv": "".join(f"{row}\r\n" for row in rows).encode("cp1252")})
    owners = ("Jörg Weiß", "Shirt"), ("Änne", "Coat")
    return [(who, name, c) for name, (who, c) in zip(files, owners, strict=True)]


def icloud(shoot: Shoot) -> Truth:
    """Nele's copy of iCloud Photos from Apple: an album, and photos that she hid and deleted."""
    dates = ("Tuesday September 8,2026 10:05 AM GMT", "Monday September 14,2026 6:30 PM GMT")
    facts = [("IMG_0001.JPG", "no", "no"), ("IMG_0002.JPG", "no", "no")]
    facts += [("IMG_0003.JPG", "yes", "no"), ("IMG_0004.JPG", "no", "yes")]
    table = (
        "imgName,fileChecksum,favorite,hidden,deleted,originalCreationDate,viewCount,importDate\n"
    )
    for number, (name, hidden, deleted) in enumerate(facts):
        date = dates[number % 2]
        table += f'{name},x{number},no,{hidden},{deleted},"{date}",1,"{date}"\n'
    worn = ("Trouser", "Sneaker", "Dress", "Bag")
    files: Files = {f"Photos/{f[0]}": photo(shoot, c) for f, c in zip(facts, worn, strict=True)}
    files["Photos/Photo Details.csv"] = table.encode()
    files["Albums/September.csv"] = b"Images\nIMG_0001.JPG\nIMG_0002.JPG\n"
    name = "nele/iCloud Photos Part 1 of 1.zip"
    pack(name, files)
    return [("nele", f"{name}/Photos/{facts[i][0]}", worn[i]) for i in range(2)]


def sorted_products() -> None:
    """The shop's catalogue in Shopify's older form, sorted in a spreadsheet.

    By price, so that the sizes of a product lie apart and its title stands in none of the first
    rows; the sizes M cost a little less.
    """
    rows: list[tuple[object, ...]] = []
    for number, (title, _, kind, status, price, quantity, category) in enumerate(ITEMS, start=1):
        handle = handle_of(title)
        sku = f"SH-{number:02}"
        picture = f"https://cdn.shopify.com/s/files/1/0001/{handle}.jpg" if category else ""
        main = (handle, title, "Us", kind, "TRUE", "Size", "S", sku, "shopify", quantity, "deny")
        rows.append((*main, price, picture, status.lower()))
        more = (handle, "", "", "", "", "", "M", f"{sku}-M", "shopify", quantity, "deny")
        rows.append((*more, f"{float(price) - 1:.2f}", "", ""))
    rows.sort(key=lambda row: float(str(row[11])))
    with (HERE / SORTED).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(SHOPIFY.split(","))
        writer.writerows(rows)
