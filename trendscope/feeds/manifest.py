"""Reads a manifest: a table (CSV) with the customer and the date of each image.

Columns: ``customer``, ``taken_at`` (ISO 8601 or Unix seconds; may be empty) and ``image`` (a path
from the manifest's own folder), in any order and case, among others that are not read. The manifest
speaks for all images below its folder: those it does not name are not read.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass

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
    used: set[str] = set()
    for name in part.names:
        if "/" in name or not name.lower().endswith(".csv") or (only or name) != name:
            continue
        if table := _rows(part, name, request):
            used.add(name)
            header, rows = table
            columns = [header.index(column) for column in COLUMNS]
            yield from _Manifest(part, name, columns, set(part.names), used, request).read(rows)
    for name in part.names:
        if name not in used and not only:
            detail = "the manifest does not name it; add a line to it"
            yield Skipped(None, part.source(name), "unlisted", detail)


@dataclass(frozen=True)
class _Manifest:
    """A manifest that is being read.

    Attributes:
        part: Members below the manifest's folder.
        name: Name of the manifest.
        columns: Positions of `COLUMNS` in a row.
        images: Names of all files below its folder.
        used: Names of the files used so far.
        request: Settings of the reading.
    """

    part: Tree
    name: str
    columns: list[int]
    images: set[str]
    used: set[str]
    request: Request

    def read(self, rows: Iterator[list[str]]) -> Iterator[Post | Skipped]:
        try:
            for number, cells in enumerate(rows, start=2):
                if any(cell.strip() for cell in cells):
                    yield self._row(f"{self.part.source(self.name)}:{number}", cells)
        except csv.Error as error:
            detail = f"the table is not readable ({error}); save it as CSV again"
            yield Skipped(None, self.part.source(self.name), "bad_table", detail)

    def _row(self, line: str, cells: list[str]) -> Post | Skipped:
        if len(cells) <= max(self.columns):
            return Skipped(None, line, "bad_table", "the line has fewer cells than the header")
        owner, taken_at, image = (cells[column].strip() for column in self.columns)
        if not owner or not image:
            return Skipped(None, line, "bad_table", "the line names no customer or no image")
        customer = self.request.names.of(owner, f"{self.part.source('')}{owner}")
        if unsafe(image) or "://" in image:
            return unsafe_path(line, customer)
        if image not in self.images:
            return missing_media(self.part.source(image), customer)
        self.used.add(image)
        posted_at = moment(taken_at, self.request.latest, zone=self.request.zone)
        return self.request.post(self.part, image, customer, posted_at)
