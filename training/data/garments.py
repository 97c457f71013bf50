"""Pictures of one garment and of people in outfits, and what each teaches the detector.

Places of single garments are read as `training.data.photos` reads them: phone photos, retailers'
pictures, pictures without a garment. A place of outfits is a folder with `images/`, `masks/`, and
the tables `labels.csv` (index, label, category), `boxes.csv` (file, label, x0, y0, x1, y1 in
pixels) and `photos.csv` (file, annotation: ``pixels`` or ``tags``, tags).

All pictures are decoded once and kept at the size that augmentation starts from, in files that are
mapped into memory.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, UInt8
from PIL import Image
from rich.progress import track

from training.data import photos
from trendscope.categories import CATEGORIES
from trendscope.errors import TrendscopeError
from trendscope.vision.images import decode
from trendscope.vision.outputs import ANOTHER_GARMENT, CELL_OUTPUTS, NOTHING
from trendscope.vision.preparation import stretched

SINGLE = (224, 224)
"""Rows and columns at which pictures of one garment are kept, whatever their shape was."""

PERSON = (384, 256)
"""Rows and columns at which pictures of people are kept."""

GARMENTS_APART = {"Hat", "Shorts", "Skirt", "Body", "Caps", "Skirts", "Scarves", "Mufflers",
                  "Gloves", "Ties", "Socks", "Briefs", "hat", "shorts", "skirt", "scarf",
                  "romper"}  # fmt: skip
"""Labels of things to wear that are none of the ten categories."""

OPEN_KINDS = {"another": ("skirt", ""), "doubtful": ("", "other")}
"""Labels and categories that stand for kinds that are none of the ten, or cannot be told."""

NO_GARMENT = {"null", "hair", "skin", "sunglasses"}
"""Labels of pixels that show nothing to wear but what a face does."""


@dataclass(frozen=True)
class Singles:
    """Pictures that show one garment, or none.

    Attributes:
        pixels: Pixels at the size that is kept; 0..255, RGB.
        allowed: Which outputs of a cell count as right for each.
        places: Name of the place each was read from.
        labels: Label of each picture in the place's own words.
        held_out: Whether it is for measuring only.
    """

    pixels: UInt8[np.ndarray, "n 224 224 3"]
    allowed: Bool[np.ndarray, "n cell_outputs"]
    places: np.ndarray
    labels: np.ndarray
    held_out: Bool[np.ndarray, " n"]


@dataclass(frozen=True)
class Outfits:
    """Pictures of people.

    Attributes:
        files: Names.
        pixels: Pixels at the size that is kept; 0..255, RGB.
        masks: Index of each pixel's label, as the place gives it; 0 all over where there are only
            tags.
        renamed: For a row, the label indices of its mask that stand for another one.
        has_mask: Whether there is more than tags.
        boxes: Boxes of each picture: rows of label index, x0, y0, x1, y1 in kept pixels.
        tags: Label indices of the garments that each picture shows.
        labels: Outputs that count as right for each label index; none where the label is neither
            to be learned nor to be taken for nothing.
        held_out: Whether it is for measuring only.
    """

    files: np.ndarray
    pixels: UInt8[np.ndarray, "n 384 256 3"]
    masks: UInt8[np.ndarray, "n 384 256"]
    renamed: Mapping[int, Mapping[int, int]]
    has_mask: Bool[np.ndarray, " n"]
    boxes: tuple[np.ndarray, ...]
    tags: tuple[np.ndarray, ...]
    labels: Bool[np.ndarray, "labels cell_outputs"]
    held_out: Bool[np.ndarray, " n"]


def allowed_outputs(category: str, label: str) -> Bool[np.ndarray, " cell_outputs"]:
    """Outputs that count as right for a category or several, such as ``Sandal|Sneaker``.

    Without a category it is another garment where the label says so, nothing where there is no
    label, and else either.
    """
    right = np.zeros(CELL_OUTPUTS, bool)
    if category:
        right[[CATEGORIES.index(name) for name in category.split("|")]] = True
    else:
        right[ANOTHER_GARMENT] = label != ""
        right[NOTHING] = label not in GARMENTS_APART
    return right


def drawn(name: str) -> int:
    """A number drawn by a digest of a name, so that it does not depend on who else is there."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


# --- single garments -----------------------------------------------------------------------------


def single_garments(
    places: Sequence[Path], cache: Path, fold: int, folds: int, relabel: Sequence[Path] = ()
) -> Singles:
    """Reads pictures of one garment or none.

    Args:
        places: Folders or tables for `training.data.photos.read_table`.
        cache: Folder where decoded pictures are kept.
        fold: Number of the fold of customers to hold out, from 0; none of them with -1.
        folds: How many folds the customers are dealt to.
        relabel: CSVs of better categories for some of the pictures.

    Raises:
        TrendscopeError: As `training.data.photos.read_tables`, or a picture cannot be read.
    """
    table = photos.read_tables(list(places), relabel)
    kept = kept_pictures(list(table["file"]), SINGLE, cache / "singles")
    return Singles(
        kept,
        np.stack(
            [
                allowed_outputs(category, label)
                for category, label in zip(table["category"], table["label"], strict=True)
            ]
        ),
        table["place"].to_numpy(str),
        table["label"].to_numpy(str),
        held_out(table, fold, folds),
    )


def held_out(table: pd.DataFrame, fold: int, folds: int) -> Bool[np.ndarray, " n"]:
    """Which pictures of `training.data.photos.read_tables` are of a fold's customers.

    Args:
        table: Columns place and customer; customers of each place are dealt for themselves.
        fold: Number of the fold, from 0; none of them with -1.
        folds: How many folds the customers are dealt to.
    """
    rows = np.zeros(len(table), bool)
    if fold >= 0:
        for place in table["place"].unique():
            of_place = (table["place"] == place).to_numpy()
            names = table["customer"].to_numpy()[of_place]
            rows[of_place] = photos.held_out_customers(names, fold, folds)
    return rows


def kept_pictures(files: Sequence[str], size: tuple[int, int], cache: Path) -> np.ndarray:
    """All pictures at one size, mapped from a file that is made anew when the list changes."""

    def read(file: str) -> np.ndarray:
        return stretched(decode(Path(file).read_bytes(), max_side=2 * max(size)).rgb, size)

    return _kept(files, read, (*size, 3), cache)


def _kept(
    files: Sequence[str],
    read: Callable[[str], np.ndarray],
    shape: tuple[int, ...],
    cache: Path,
) -> np.ndarray:
    digest = hashlib.sha256("\n".join([*files, str(shape)]).encode()).hexdigest()[:16]
    path = cache.with_name(f"{cache.name}-{digest}.npy")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        whole = np.lib.format.open_memmap(part, "w+", np.uint8, (len(files), *shape))
        with ThreadPoolExecutor(2) as pool:
            rows = track(pool.map(read, files), cache.name, total=len(files))
            for i, picture in enumerate(rows):
                whole[i] = picture
        whole.flush()
        del whole
        os.replace(part, path)
    return np.asarray(np.load(path, mmap_mode="r"))


# --- people in outfits ---------------------------------------------------------------------------


def outfits(place: Path, cache: Path, fold: int, folds: int, kinds: Sequence[Path] = ()) -> Outfits:
    """Reads pictures of people.

    Args:
        place: Folder of the outfits.
        cache: Folder where decoded pictures are kept.
        fold: Number of the fold of pictures to hold out, from 0; none of them with -1.
        folds: How many folds the pictures are dealt to.
        kinds: CSVs (file, label, kind) of the kinds of garments whose label is wrong or leaves
            the kind open: one of the ten categories, several that it may be, as
            ``Shirt|T-shirt/top``, ``another`` for none of the ten, ``doubtful`` where nothing can
            be said, or ``unclear``, which lets the label stand. A kind without a label is of a
            garment that no label names. What a later table says of a garment counts.

    Raises:
        TrendscopeError: A table is missing, or a kind unknown.
    """
    listed, labels, boxes = (_table(place, name) for name in ("photos", "labels", "boxes"))
    new: dict[tuple[str, str], str] = {}
    for table in kinds:
        new |= _kinds(table)
    index = {label: int(i) for i, label in zip(labels["index"], labels["label"], strict=True)}
    places = [*zip(labels["label"], labels["category"], strict=True)]
    for kind in dict.fromkeys(new.values()):
        index[kind] = len(places)
        places.append(OPEN_KINDS.get(kind, (kind, kind)))
    files = listed["file"].to_numpy(str)
    sizes = [Image.open(place / "images" / file).size for file in files]
    has_mask = (listed["annotation"] == "pixels").to_numpy()
    rows = {file: row for row, file in enumerate(files)}
    renamed: dict[int, dict[int, int]] = {}
    for (file, label), kind in new.items():
        if label:
            renamed.setdefault(rows[file], {})[index[label]] = index[kind]
    masks = [
        str((place / "masks" / file).with_suffix(".png")) if masked else ""
        for file, masked in zip(files, has_mask, strict=True)
    ]
    boxes["label"] = [
        new.get(pair, pair[1]) for pair in zip(boxes["file"], boxes["label"], strict=True)
    ]
    by_file = dict(tuple(boxes.groupby("file")))
    return Outfits(
        files,
        kept_pictures([str(place / "images" / f) for f in files], PERSON, cache / "outfits"),
        _kept(masks, _read_mask, PERSON, cache / "masks"),
        renamed,
        has_mask,
        tuple(_boxes(by_file.get(f), index, s) for f, s in zip(files, sizes, strict=True)),
        tuple(
            np.array([index[t] for t in _shown(f, tags.split("|"), new) if t in index], int)
            for f, tags in zip(files, listed["tags"], strict=True)
        ),
        np.stack([_outputs_of(label, category) for label, category in places]),
        np.array([fold >= 0 and drawn(file) % folds == fold for file in files]),
    )


def _kinds(table: Path) -> dict[tuple[str, str], str]:
    """For a file and a label of it, or none, its kind; without those that are unclear."""
    kinds = {}
    for row in pd.read_csv(table, dtype=str, keep_default_na=False).to_dict("records"):
        kind = row["kind"]
        if kind == "unclear":
            continue
        if kind not in OPEN_KINDS and not set(kind.split("|")) <= set(CATEGORIES):
            raise TrendscopeError(f"{table}: unknown kind {kind!r} of {row['file']}")
        kinds[row["file"], row["label"]] = kind
    return kinds


def _shown(file: str, tags: Sequence[str], kinds: Mapping[tuple[str, str], str]) -> list[str]:
    """What a photo shows: its labels, or kinds where they are known, and last what has no label."""
    return [*(kinds.get((file, tag), tag) for tag in tags), kinds.get((file, ""), "")]


def _table(place: Path, name: str) -> pd.DataFrame:
    path = place / f"{name}.csv"
    if not path.is_file():
        raise TrendscopeError(f"{path} is not there: expected photos, labels and boxes as CSVs")
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _read_mask(file: str) -> np.ndarray:
    if not file:
        return np.zeros(PERSON, np.uint8)
    rows, columns = PERSON
    with Image.open(file) as mask:
        return np.asarray(mask.resize((columns, rows), Image.Resampling.NEAREST), np.uint8)


def _boxes(rows: pd.DataFrame | None, index: dict[str, int], size: tuple[int, int]) -> np.ndarray:
    if rows is None:
        return np.zeros((0, 5), np.float32)
    scale = np.array([PERSON[1] / size[0], PERSON[0] / size[1]] * 2)
    corners = rows[["x0", "y0", "x1", "y1"]].to_numpy(float) * scale
    return np.column_stack([rows["label"].map(index), corners]).astype(np.float32)


def _outputs_of(label: str, category: str) -> np.ndarray:
    if category == "other":
        return np.zeros(CELL_OUTPUTS, bool)
    if not category:
        right = np.zeros(CELL_OUTPUTS, bool)
        right[NOTHING if label in NO_GARMENT else ANOTHER_GARMENT] = True
        return right
    return allowed_outputs(category, label)
