"""Reads the copy of iCloud Photos that Apple gives out (privacy.apple.com).

Numbered zips hold a folder ``Photos`` with originals and tables (``Photo Details.csv``,
``Photo Details-1.csv``, ...) of their names, dates in UTC, and whether they were hidden or deleted;
beside it lie lists of albums and memories, which name the same photos once more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from trendscope.feeds.dates import written_moment
from trendscope.feeds.edited_copies import second_copies
from trendscope.feeds.post import Post
from trendscope.feeds.request import DATA, VIDEOS, Request, video
from trendscope.feeds.sidecar import by_folder
from trendscope.files.tables import Table
from trendscope.files.trees import Part, Tree, folder_of
from trendscope.files.written_times import UnreadableTime
from trendscope.files.zips import series_name
from trendscope.skipped import Skipped
from trendscope.text import displayed, plural

_NAME, _DATE = "imgname", "originalcreationdate"
_FOLDERS = ("photos", "albums", "memories")
_PHOTOS = re.compile(r"(^|(?<=/))photos/$", re.IGNORECASE)


class _Details(NamedTuple):
    """The row of a photo: its place, its date as text, and why it is not read, if so."""

    source: str
    date: str
    problem: str


def find(tree: Tree, request: Request) -> list[Part]:
    """The members beside and in each folder that has a table of photo details."""
    tables = (name for name in tree.names if name.lower().endswith(".csv"))
    places = {folder_of(name) for name in tables if _table(tree, name, request)}
    return [
        Part(tree, [n for n in tree.names if n.startswith(root) and _is_own(n[len(root) :])], root)
        for root in sorted({_PHOTOS.sub("", place) for place in places})
    ]


def _is_own(name: str) -> bool:
    return "/" not in name or name.partition("/")[0].casefold() in _FOLDERS


def _table(tree: Tree, name: str, request: Request) -> Table | None:
    return request.table(tree, name, lambda header: {_NAME, _DATE} <= {*header})


def read(part: Part, request: Request) -> Iterator[Post | Skipped]:
    """Reads folder by folder; lists of albums and memories are counted."""
    owner = _owner(part, request)
    for folder, names in by_folder(part.names).items():
        lists = [name for name in names if name.lower().endswith(DATA)]
        if folder and folder.partition("/")[0].casefold() != "photos":
            detail = f"{plural(len(lists), 'list')} of photos in albums and memories"
            yield Skipped(owner, f"{part.label}/{displayed(folder)}", "other_data", detail)
            names = [name for name in names if name not in lists]
        details = _details(part, lists, request)
        copies = second_copies(names)
        for name in names:
            if name in copies:
                yield Skipped(owner, part.source(name), *copies[name])
            elif not name.lower().endswith(DATA):
                row = details.get(name.rpartition("/")[2])
                yield from _photo(part, name, row, owner, request)


def _owner(part: Part, request: Request) -> str:
    """The customer in whose folder the numbered parts lie, whichever part it is."""
    name, account = part.place("x")
    if series_name(name) != name:
        name, account = part.whole.place("x")
    return request.names.of_place(series_name(name), account)


def _details(part: Part, tables: list[str], request: Request) -> dict[str, _Details]:
    """The rows of a folder's tables by the photo's name; names that stand for two are left out."""
    rows: dict[str, _Details] = {}
    doubled = set()
    for table_name in tables:
        if (table := _table(part, table_name, request)) is None:
            continue
        for line, cells in table.rows():
            if isinstance(cells, str) or len(cells) < len(table.header):
                continue
            fields = dict(zip(table.header, cells, strict=False))
            row = _Details(f"{part.source(table_name)}:{line}", fields[_DATE], _problem(fields))
            known = rows.setdefault(fields[_NAME], row)
            if (known.date, known.problem) != (row.date, row.problem):
                doubled.add(fields[_NAME])
    return {name: row for name, row in rows.items() if name not in doubled}


def _problem(fields: dict[str, str]) -> str:
    marks = {name: cell.lower() for name, cell in fields.items()}
    if marks.get("deleted") == "yes":
        return "recently deleted"
    if marks.get("hidden") == "yes":
        return "hidden by the customer"
    shared = marks.get("contributedbyme") == "no"
    return "put into a shared library by somebody else" if shared else ""


def _photo(
    part: Part, name: str, details: _Details | None, owner: str, request: Request
) -> Iterator[Post | Skipped]:
    if details and details.problem:
        yield Skipped(owner, part.source(name), "private", details.problem)
    elif name.lower().endswith(VIDEOS):
        yield video(part.source(name), owner)
    elif details is None or not details.date:
        yield request.post(part, name, owner)
    else:
        try:
            yield request.post(
                part, name, owner, written_moment(details.date, request.latest, request.zone)
            )
        except UnreadableTime as error:
            post = request.post(part, name, owner, dated_name=False)
            yield replace(post, is_undatable=True)
            detail = f"the date {displayed(details.date)[:60]!r} {error}: the photo counts without"
            yield Skipped(owner, details.source, "bad_date", detail)
