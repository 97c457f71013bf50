"""Reads a manifest: a table (CSV) with the customer and the date of each image.

Columns: ``customer``, ``taken_at`` (ISO 8601 or Unix seconds; may be empty) and ``image`` (a path
from the manifest's own folder), in any order and case, among others that are not read. The manifest
speaks for all images below its folder: those it does not name are not read.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

from trendscope.feeds.dates import moment
from trendscope.feeds.post import Post
from trendscope.feeds.request import Request, missing_media, unsafe_path
from trendscope.files.tables import read_rows
from trendscope.files.trees import Part, Tree, unsafe
from trendscope.skipped import Skipped

COLUMNS = ("customer", "taken at", "image")
"""Names of the columns in lower case, ``_`` as a blank."""


def find(tree: Tree, request: Request) -> list[Part]:
    """Members below the folder of each manifest; of nested ones, the outer one counts."""
    roots = sorted(
        name.rpartition("/")[0]
        for name in tree.names
        if name.lower().endswith(".csv") and _rows(tree, name, request)
    )
    parts: dict[str, Part] = {}
    for root in (f"{folder}/".lstrip("/") for folder in roots):
        if not root.startswith(tuple(parts)):
            inside = [name[len(root) :] for name in tree.names if name.startswith(root)]
            parts[root] = Part(tree, inside, root)
    return list(parts.values())


def _rows(tree: Tree, name: str, request: Request) -> tuple[list[str], Iterator[list[str]]] | None:
    """A manifest's header and rows; None if the file is no manifest."""
    text = tree.read_text(name, request.limits.table_bytes)
    return read_rows(text, lambda header: {*COLUMNS} <= {*header})


def read(part: Tree, request: Request, only: str | None = None) -> Iterator[Post | Skipped]:
    """Reads the images that the manifest names, in its order, then names those that it does not.

    Args:
        part: Members below the manifest's folder.
        request: Settings of the reading.
        only: Name of the manifest if it was given by itself; other files are left alone then.
    """
    images, used = set(part.names), set[str]()
    for name in part.names:
        if "/" in name or not name.lower().endswith(".csv") or (only or name) != name:
            continue
        if table := _rows(part, name, request):
            used.add(name)
            for image, item in _images(part, part.source(name), *table, images, request):
                used.add(image)
                yield item
    for name in part.names:
        if name not in used and not only:
            detail = "the manifest does not name it; add a line to it"
            yield Skipped(None, part.source(name), "unlisted", detail)


def _images(
    part: Tree,
    manifest: str,
    header: list[str],
    rows: Iterator[list[str]],
    images: set[str],
    request: Request,
) -> Iterator[tuple[str, Post | Skipped]]:
    """The image that each row of a manifest names, "" where it names none, and what becomes of it.

    Args:
        part: Members below the manifest's folder.
        manifest: Path of the manifest, for people.
        header: Names of its columns.
        rows: Cells of its other rows.
        images: Names of all files below its folder.
        request: Settings of the reading.
    """
    columns = [header.index(column) for column in COLUMNS]
    try:
        for number, cells in enumerate(rows, start=2):
            if any(cell.strip() for cell in cells):
                values = [cells[i].strip() for i in columns if i < len(cells)]
                yield _image(part, f"{manifest}:{number}", values, images, request)
    except csv.Error as error:
        detail = f"the table is not readable ({error}); save it as CSV again"
        yield "", Skipped(None, manifest, "bad_table", detail)


def _image(
    part: Tree, line: str, values: list[str], images: set[str], request: Request
) -> tuple[str, Post | Skipped]:
    if len(values) < len(COLUMNS):
        return "", Skipped(None, line, "bad_table", "the line has fewer cells than the header")
    owner, taken_at, image = values
    if not owner or not image:
        return "", Skipped(None, line, "bad_table", "the line names no customer or no image")
    customer = request.names.of(owner, f"{part.source('')}{owner}")
    if unsafe(image) or "://" in image:
        return "", unsafe_path(line, customer)
    if image not in images:
        return "", missing_media(part.source(image), customer)
    posted_at = moment(taken_at, request.latest, zone=request.zone)
    return image, request.post(part, image, customer, posted_at)
