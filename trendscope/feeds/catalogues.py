"""Recognises a shop's catalogue among feeds, whose pictures are no photos of customers.

It is recognised by its header; only the table and the pictures that it names are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from trendscope.catalog.layouts import PLAIN, layout_of
from trendscope.feeds.request import Request
from trendscope.files.tables import Table, may_be_tables
from trendscope.files.trees import Tree, folder_of, tidied
from trendscope.skipped import Skipped


def find(tree: Tree, names: list[str], request: Request) -> dict[str, list[str]]:
    """The members of the tree that are pictures of a catalogue, by catalogue."""
    catalogues = {}
    for table in may_be_tables(names):
        if pictures := _pictures(tree, table, request):
            below = [name for name in names if name.startswith(folder_of(table))]
            catalogues[table] = [name for name in below if name.rpartition("/")[2] in pictures]
    return catalogues


def notice(tree: Tree, table: str, pictures: list[str]) -> Skipped:
    """The notice that a catalogue and its pictures are left alone."""
    detail = (
        f"a shop's catalogue with {len(pictures):,} pictures; trendscope catalog import reads it"
    )
    return Skipped(None, tree.source(table), "other_data", detail)


def _pictures(tree: Tree, name: str, request: Request) -> frozenset[str]:
    """File names of a catalogue's pictures; empty if it is no catalogue, or names none."""
    table = request.table(tree, name, _is_catalogue)
    layout = layout_of(table.header) if table else None
    if table is None or layout is None:
        return frozenset()
    columns = [i for i, column in enumerate(table.header) if column in layout.pictures]
    return frozenset(_file_names(table, columns))


def _is_catalogue(header: Sequence[str]) -> bool:
    layout = layout_of(header)
    # Many tables have an id and a name; a shop's has prices.
    return layout is not None and (layout is not PLAIN or "price" in header)


def _file_names(table: Table, columns: list[int]) -> Iterator[str]:
    for _, cells in table.rows():
        for i in [] if isinstance(cells, str) else columns:
            if i < len(cells) and (picture := cells[i]):
                path = picture.partition("?")[0]
                yield from (tidied(each).rpartition("/")[2] for each in (path, unquote(path)))
