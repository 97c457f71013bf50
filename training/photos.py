"""Labelled photos: a CSV beside them, or a folder per category.

The CSV has the columns `file` (in the CSV's folder or its `images` folder) and `category`: one of
the ten, several joined by `|` where each counts as right, or nothing for "none of the ten". A
column `customer` (who took the photo) keeps one person's photos together when some are held out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, UInt8
from rich.progress import track

from trendscope import garments
from trendscope.categories import CATEGORIES
from trendscope.errors import ImageError, TrendscopeError
from trendscope.images import decode

CANVAS = 128
"""Side of the stored cut-outs in pixels; augmentation shows the network their middle 112."""

CANVAS_MARGIN = 0.22
OUTPUTS = len(CATEGORIES) + 1


@dataclass(frozen=True)
class Photos:
    """Labelled photos, cut out.

    Attributes:
        files: Paths.
        customers: Who took each.
        right: 1 for each output that counts as right: the ten categories, then "outside".
        views: What the network sees of each at prediction, ``UInt8[n size size 3]``.
        canvases: The same with more room around it, for augmentation.
        masks: Where the garment is on the canvas, 0 or 255.
    """

    files: list[str]
    customers: np.ndarray
    right: Float32[np.ndarray, "n outputs"]
    views: UInt8[np.ndarray, "n size size 3"]
    canvases: UInt8[np.ndarray, "n canvas canvas 3"]
    masks: UInt8[np.ndarray, "n canvas canvas"]

    def __len__(self) -> int:
        return len(self.files)

    def take(self, rows: Bool[np.ndarray, " n"]) -> Photos:
        """The photos where `rows` is true."""
        files = [file for file, wanted in zip(self.files, rows, strict=True) if wanted]
        rest = (self.customers, self.right, self.views, self.canvases, self.masks)
        return Photos(files, *(array[rows] for array in rest))

    @property
    def digest(self) -> str:
        """sha256 over pixels and labels."""
        return hashlib.sha256(self.canvases.tobytes() + self.right.tobytes()).hexdigest()


def read_table(path: Path) -> pd.DataFrame:
    """Lists labelled photos: columns file (full path), customer, category (as in the CSV form).

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


def target(category: str) -> Float32[np.ndarray, " outputs"]:
    """Outputs that count as right for a label such as ``Coat``, ``Sandal|Sneaker`` or nothing."""
    right = np.zeros(OUTPUTS, np.float32)
    for name in filter(None, category.split("|")):
        if name not in CATEGORIES:
            raise TrendscopeError(
                f"unknown category {name!r}: use {', '.join(CATEGORIES)}, or leave it empty"
            )
        right[CATEGORIES.index(name)] = 1
    if not category:
        right[-1] = 1
    return right


def _from_csv(table: Path) -> pd.DataFrame:
    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    missing = {"file", "category"} - set(rows.columns)
    if missing:
        raise TrendscopeError(f"{table}: column {' and '.join(sorted(missing))} is missing")
    folder = table.parent / "images" if (table.parent / "images").is_dir() else table.parent
    customers = rows["customer"] if "customer" in rows else rows["file"]
    files = [str(folder / file) for file in rows["file"]]
    return pd.DataFrame({"file": files, "customer": customers, "category": rows["category"]})


def _from_folders(folder: Path) -> pd.DataFrame:
    names = {_plain(name): name for name in CATEGORIES} | {"outside": ""}
    rows = [
        (str(file), str(file), names[_plain(kind.name)])
        for kind in sorted(folder.iterdir())
        if kind.is_dir() and _plain(kind.name) in names
        for file in sorted(kind.iterdir())
        if file.is_file()
    ]
    if not rows:
        raise TrendscopeError(
            f"{folder}: expected labels.csv, or folders named {', '.join(CATEGORIES)} or outside"
        )
    return pd.DataFrame(rows, columns=["file", "customer", "category"])


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def load(path: Path, size: int) -> tuple[Photos, list[str]]:
    """Reads and cuts out all labelled photos of `path`.

    Returns:
        The photos, and one line for each that could not be read.
    """
    table = read_table(path)
    refused: list[str] = []
    kept = []
    for row, cut in zip(table.itertuples(), _cut_all(table["file"], size), strict=True):
        if isinstance(cut, Exception):
            refused.append(f"{row.file}: {cut}")
        else:
            kept.append((row, *cut))
    rows, views, canvases, masks = zip(*kept, strict=True)
    photos = Photos(
        [row.file for row in rows],
        np.array([row.customer for row in rows]),
        np.stack([target(row.category) for row in rows]),
        np.stack(views),
        np.stack(canvases),
        np.stack(masks),
    )
    return photos, refused


Cut = tuple[np.ndarray, np.ndarray, np.ndarray]


def _cut_all(files: Iterable[str], size: int) -> Iterator[Cut | Exception]:
    def cut(file: str) -> Cut | Exception:
        try:
            return cut_for_training(decode(Path(file).read_bytes(), edge=512).rgb, size)
        except (ImageError, OSError) as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        yield from track(pool.map(cut, files), "photos", total=len(list(files)))


def cut_for_training(rgb: UInt8[np.ndarray, "h w 3"], size: int) -> Cut:
    """The network's view of a photo, the same with more room around it, and the garment's mask."""
    canvas = garments.cut_out(rgb, CANVAS, CANVAS_MARGIN).pixels
    inside = garments.find_garment(garments.shrink(canvas, garments.WORKING_SIDE))
    return garments.cut_out(rgb, size).pixels, canvas, _enlarge(inside)


def _enlarge(inside: Bool[np.ndarray, "h w"]) -> UInt8[np.ndarray, "canvas canvas"]:
    return np.kron(inside, np.ones((CANVAS // len(inside),) * 2)).astype(np.uint8) * np.uint8(255)


def held_out_customers(customers: np.ndarray, fold: int, folds: int) -> Bool[np.ndarray, " n"]:
    """True for the photos of the customers in fold number `fold` of `folds`.

    Customers are dealt to the folds largest first, each to the fold with the fewest photos so far.
    """
    names, counts = np.unique(customers, return_counts=True)
    sizes = np.zeros(folds)
    chosen = set()
    for i in np.argsort(-counts, kind="stable"):
        smallest = int(sizes.argmin())
        sizes[smallest] += counts[i]
        if smallest == fold:
            chosen.add(names[i])
    return np.isin(customers, list(chosen))
