"""A shop's catalogue that lies among feeds: its pictures are nobody's photos.

Told by the header of its table; only the table and the pictures that it names are left alone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from trendscope.catalog.layouts import PLAIN, layout_of
from trendscope.errors import ImageError
from trendscope.feeds.request import Request
from trendscope.files.trees import Tree
from trendscope.skipped import Skipped

_HEADER = 65_536  # bytes within which the header must end


def find(tree: Tree, names: list[str], request: Request) -> dict[str, list[str]]:
    """The pictures that each catalogue among some names names, as the tree has them."""
    tables = [name for name in names if name.lower().endswith((".csv", ".tsv"))]
    found = {}
    for table in tables:
        if pictures := _pictures(tree, table, request):
            home = table.rpartition("/")[0]
            root = f"{home}/" if home else ""
            found[table] = [
                name
                for name in names
                if name.startswith(root) and name.rpartition("/")[2] in pictures
            ]
    return found


def skipped(tree: Tree, table: str, pictures: list[str]) -> Skipped:
    """What is said of a catalogue."""
    detail = (
        f"a shop's catalogue with {len(pictures):,} pictures; trendscope catalog import reads it"
    )
    return Skipped(None, tree.source(table), "other_data", detail)


def _pictures(tree: Tree, name: str, request: Request) -> frozenset[str]:
    """The last parts of the pictures' names; empty if it is no catalogue, or names none."""
    try:
        text = tree.read(name, request.limits.table_bytes).decode("utf-8-sig", "replace")
    except ImageError:
        return frozenset()
    delimiter = max(",;\t", key=text[:_HEADER].partition("\n")[0].count)
    rows = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter)
    try:
        header = [" ".join(cell.replace("_", " ").lower().split()) for cell in next(rows, [])]
        layout = layout_of(header)
        # Many tables have an id and a name; a shop's has prices.
        if layout is None or (layout is PLAIN and "price" not in header):
            return frozenset()
        at = [i for i, column in enumerate(header) if column in layout.pictures]
        return frozenset(_last_parts(rows, at))
    except csv.Error:
        return frozenset()


def _last_parts(rows: Iterator[list[str]], at: list[int]) -> Iterator[str]:
    for cells in rows:
        for i in at:
            if i < len(cells) and (picture := cells[i].strip()):
                yield picture.partition("?")[0].replace("\\", "/").rpartition("/")[2]
