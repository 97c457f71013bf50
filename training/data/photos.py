"""Labelled photos: a CSV beside them, or a folder per category.

The CSV has the columns `file` (in the CSV's folder or its `images` folder) and `category`: one of
the ten, several joined by `|` where each counts as right, or nothing or `outside` for "none of the
ten"; rows where it is `uncertain` teach nothing and are passed over. So the `corrections.csv` of
`trendscope export` can be given; photos in zips are read from there. A column `customer` (who took
the photo) keeps one person's photos together when some are held out; a column `label` (what it
shows, in words of your own) tells other things apart in evaluations.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, UInt8

from trendscope.categories import CATEGORIES
from trendscope.errors import TrendscopeError
from trendscope.files.zips import ZipTree
from trendscope.limits import Limits
from trendscope.vision.images import DECODED_SIDE, decode

LARGEST = 120
"""Customers with more photos are always trained on: a fold that is mostly one person's wardrobe
says little about other people's."""

OUTPUTS = len(CATEGORIES) + 1

UNCERTAIN = "uncertain"
"""Category of photos that teach nothing."""


def places_of(text: str) -> list[Path]:
    """Places of labelled photos as command lines take them, joined by commas; none of no text."""
    return [Path(place) for place in text.split(",") if place]


def read_table(path: Path) -> pd.DataFrame:
    """Lists labelled photos: columns file (full path), customer, label, category (as in the CSV).

    Args:
        path: A CSV, a folder with a `labels.csv`, or a folder of category folders. The folders are
            named after categories ("T-shirt/top" as "T-shirt_top", any case) or "outside".

    Raises:
        TrendscopeError: Neither is there, or a category is unknown; the message lists the ten.
    """
    table = path / "labels.csv" if path.is_dir() else path
    rows = _from_csv(table) if table.is_file() else _from_folders(path)
    for category in rows["category"]:
        target(category)
    return rows


def read_tables(places: Sequence[Path], relabel: Sequence[Path] = ()) -> pd.DataFrame:
    """Lists the labelled photos of several places: columns of `read_table`, place, and given.

    `given` is the category as the place's own table has it, before any other is preferred.

    A place is named after its folder, or a CSV of another name than `labels.csv` after itself;
    where two would be named alike, as they are given. `relabel` are CSVs of better categories for
    some of the photos, as `relabelled` takes them one after another; photos that are `uncertain` in
    the end are left out.

    Raises:
        TrendscopeError: As `read_table`, of any of the places, and as `relabelled`.
    """
    names = [_place_name(place) for place in places]
    if len(set(names)) < len(names):
        names = [str(place) for place in places]
    tables = [
        read_table(place).assign(place=name) for place, name in zip(places, names, strict=True)
    ]
    table = pd.concat(tables, ignore_index=True)
    table = table.assign(given=table["category"])
    for better in relabel:
        table = relabelled(table, better)
    return table[table["category"] != UNCERTAIN].reset_index(drop=True)


def relabelled(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """The table with the categories that a CSV (`file`, `category`) gives some of its photos.

    A photo is known by its file's name, without folders; `uncertain` is a category, too.

    Raises:
        TrendscopeError: A column is missing, a category unknown, or no photo of that name is there.
    """
    new = _csv_rows(path)
    for category in new["category"][new["category"] != UNCERTAIN]:
        target(category)
    new_category = dict(zip(new["file"].map(_name), new["category"], strict=True))
    names = table["file"].map(_name)
    if unknown_names := sorted(set(new_category) - set(names)):
        raise TrendscopeError(f"{path}: there is no photo {unknown_names[0]} among those given")
    return table.assign(category=names.map(new_category).fillna(table["category"]))


def _name(file: str) -> str:
    return Path(file).name


def _place_name(place: Path) -> str:
    whole = place.resolve()
    if whole.name == "labels.csv":
        return whole.parent.name
    return whole.stem if whole.is_file() else whole.name


def customers_of_fold(table: pd.DataFrame, fold: int, folds: int) -> pd.DataFrame:
    """The rows of the customers whom `held_out_customers` names.

    Training counts only photos that can be read, so of all listed ones at most fewer
    customers are small enough for a fold: none of those kept here was trained on.

    Raises:
        TrendscopeError: There is no such customer.
    """
    usable = table[held_out_customers(table["customer"].to_numpy(), fold, folds)]
    if usable.empty:
        raise TrendscopeError(
            f"fold {fold} of {folds} has no customer: use fewer folds, or give a column customer"
        )
    return usable


def target(category: str) -> Float32[np.ndarray, " outputs"]:
    """Outputs that count as right for a label such as ``Coat``, ``Sandal|Sneaker`` or nothing."""
    targets = np.zeros(OUTPUTS, np.float32)
    for name in filter(None, category.split("|")):
        if name not in CATEGORIES:
            raise TrendscopeError(
                f"unknown category {name!r}: use {', '.join(CATEGORIES)}, or leave it empty"
            )
        targets[CATEGORIES.index(name)] = 1
    if not category:
        targets[-1] = 1
    return targets


def _csv_rows(table: Path) -> pd.DataFrame:
    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    missing = {"file", "category"} - set(rows.columns)
    if missing:
        raise TrendscopeError(f"{table}: column {' and '.join(sorted(missing))} is missing")
    return rows.assign(category=rows["category"].replace("outside", ""))


def _from_csv(table: Path) -> pd.DataFrame:
    rows = _csv_rows(table)
    rows = rows[rows["category"] != UNCERTAIN]
    folder = table.parent / "images" if (table.parent / "images").is_dir() else table.parent
    customers = rows["customer"] if "customer" in rows else rows["file"]
    files = [str(folder / file) for file in rows["file"]]
    labels = rows["label"] if "label" in rows else ""
    return pd.DataFrame(
        {"file": files, "customer": customers, "label": labels, "category": rows["category"]}
    )


def _from_folders(folder: Path) -> pd.DataFrame:
    names = {_plain(name): name for name in CATEGORIES} | {"outside": ""}
    rows = [
        (str(file), str(file), "", names[_plain(kind.name)])
        for kind in (sorted(folder.iterdir()) if folder.is_dir() else ())
        if kind.is_dir() and _plain(kind.name) in names
        for file in sorted(kind.iterdir())
        if file.is_file()
    ]
    if not rows:
        raise TrendscopeError(
            f"{folder}: expected labels.csv, or folders named {', '.join(CATEGORIES)} or outside"
        )
    return pd.DataFrame(rows, columns=["file", "customer", "label", "category"])


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def pixels_of(file: str, side: int = DECODED_SIDE) -> UInt8[np.ndarray, "h w 3"]:
    """A photo as the product decodes it: upright RGB, its longer side at most `side` pixels.

    Raises:
        ImageError: It is no picture, or a damaged one.
        OSError: The file cannot be read.
    """
    return decode(_bytes_of(Path(file)), max_side=side).rgb


def _bytes_of(file: Path) -> bytes:
    """Of a photo on the disk, or of `export.zip/media/photo.jpg` inside a zip."""
    outer = next((place for place in file.parents if place.is_file()), None)
    if outer is None:
        return file.read_bytes()
    return _zip(outer).read(file.relative_to(outer).as_posix(), Limits().file_bytes)


@cache
def _zip(path: Path) -> ZipTree:
    return ZipTree(path, Limits())


def held_out_customers(customers: np.ndarray, fold: int, folds: int) -> Bool[np.ndarray, " n"]:
    """True for the photos of the customers in fold number `fold` (from 0) of `folds`.

    A customer's fold is drawn by a digest of the name, so it does not depend on who else is there.
    Customers with more than `LARGEST` photos are in no fold.
    """
    names, counts = np.unique(customers, return_counts=True)
    in_folds = (str(name) for name in names[counts <= LARGEST])
    return np.isin(customers, [name for name in in_folds if _drawn(name) % folds == fold])


def _drawn(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
