"""Reads a manifest: a table (CSV) with the customer and the date of each image.

Columns: ``customer``, ``taken_at`` (any date that `trendscope.files.written_times.read_time` is
certain of; may be empty) and ``image`` (a path from the manifest's own folder), in any order and
case, among others that are not read. The manifest speaks for all images below its folder: those it
does not name are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from trendscope.errors import FeedError, ImageError
from trendscope.feeds.dates import written_moment
from trendscope.feeds.post import Post
from trendscope.feeds.request import Request, missing_media, unsafe_path
from trendscope.files.encodings import BROKEN_LETTER
from trendscope.files.tables import Table, UnknownHeader, table_of
from trendscope.files.trees import Part, Tree, tidied, unsafe
from trendscope.files.written_times import UnreadableTime, day_comes_first
from trendscope.skipped import Skipped
from trendscope.text import displayed

_TABLES = (".csv", ".tsv")

COLUMNS = ("customer", "taken at", "image")
"""Names of the columns in lower case, ``_`` as a blank."""


def find(tree: Tree, request: Request) -> list[Part]:
    """Members below the folder of each manifest; of nested ones, the outer one counts."""
    roots = sorted(
        name.rpartition("/")[0]
        for name in tree.names
        if name.lower().endswith(_TABLES) and _table(tree, name, request)
    )
    parts: dict[str, Part] = {}
    for root in (f"{folder}/".lstrip("/") for folder in roots):
        if not root.startswith(tuple(parts)):
            inside = [name[len(root) :] for name in tree.names if name.startswith(root)]
            parts[root] = Part(tree, inside, root)
    return list(parts.values())


def _table(tree: Tree, name: str, request: Request) -> Table | str | None:
    """A manifest, or why it cannot be read; None if the file is none."""
    try:
        data = tree.read(name, request.limits.table_bytes)
        return table_of(data, _is_manifest)
    except (ImageError, UnknownHeader):
        return None
    except FeedError as error:
        try:  # it speaks for its folder even so
            table_of(data.decode("latin-1").encode(), _is_manifest)
        except FeedError:
            return None
        return f"the table {error}"


def _is_manifest(header: Sequence[str]) -> bool:
    return {*COLUMNS} <= {*header}


def read(part: Tree, request: Request, only: str | None = None) -> Iterator[Post | Skipped]:
    """Reads the images that the manifest names, in its order, then names those that it does not.

    Args:
        part: Members below the manifest's folder.
        request: Settings of the reading.
        only: Name of the manifest if it was given by itself; other files are left alone then.
    """
    images, used = _Images(part.names), set[str]()
    for name in part.names:
        if "/" in name or not name.lower().endswith(_TABLES) or (only or name) != name:
            continue
        if table := _table(part, name, request):
            used.add(name)
            if isinstance(table, str):
                yield Skipped(None, part.source(name), "bad_table", table)
                continue
            for image, item in _rows(part, part.source(name), table, images, request):
                used.add(image)
                yield item
    for name in part.names:
        if name not in used and not only:
            detail = "the manifest does not name it; add a line to it"
            yield Skipped(None, part.source(name), "unlisted", detail)


class _Images:
    """Files by the paths that a table gives them; Windows does not mind the case of letters."""

    def __init__(self, names: list[str]):
        self._names = set(names)
        self._folded: dict[str, list[str]] | None = None

    def find(self, path: str) -> str | None:
        """The file of that name; None if there is none, or several but for the case."""
        if path in self._names:
            return path
        if self._folded is None:
            self._folded = {}
            for name in self._names:
                self._folded.setdefault(name.casefold(), []).append(name)
        alike = self._folded.get(path.casefold(), [])
        return alike[0] if len(alike) == 1 else None


def _rows(
    part: Tree, manifest: str, table: Table, images: _Images, request: Request
) -> Iterator[tuple[str, Post | Skipped]]:
    """The image that each row of a manifest names, "" where it names none, and what becomes of it.

    Args:
        part: Members below the manifest's folder.
        manifest: Path of the manifest, for people.
        table: The manifest.
        images: All files below its folder.
        request: Settings of the reading.
    """
    rows = [(f"{manifest}:{line}", _fields(table, cells)) for line, cells in table.rows()]
    dates = [fields["taken at"] for _, fields in rows if not isinstance(fields, str)]
    day_first = day_comes_first(dates)
    for line, fields in rows:
        problem = fields if isinstance(fields, str) else _problem(fields)
        if isinstance(fields, str) or problem:
            yield "", Skipped(None, line, "bad_table", problem)
            continue
        yield from _image(part, line, fields, day_first, images, request)


def _fields(table: Table, cells: list[str] | str) -> dict[str, str] | str:
    """The text of each column of a row; or what is wrong with it."""
    if isinstance(cells, str):
        return cells
    positions = {column: table.header.index(column) for column in COLUMNS}
    if len(cells) <= max(positions.values()):
        return "the line has fewer cells than the header"
    return {column: cells[position] for column, position in positions.items()}


def _problem(fields: Mapping[str, str]) -> str:
    if not fields["customer"] or not fields["image"]:
        return "the line names no customer or no image"
    if BROKEN_LETTER in fields["customer"]:
        return "a letter of the customer's name is broken; save the table as CSV UTF-8"
    return ""


def _image(
    part: Tree,
    line: str,
    fields: Mapping[str, str],
    day_first: bool | None,
    images: _Images,
    request: Request,
) -> Iterator[tuple[str, Post | Skipped]]:
    owner, path = fields["customer"], tidied(fields["image"])
    customer = request.names.of(owner, f"{part.source('')}{owner}")
    if unsafe(path) or "://" in fields["image"]:
        yield "", unsafe_path(line, customer)
        return
    image = images.find(path)
    if image is None:
        yield "", missing_media(part.source(path), customer)
        return
    problem, posted_at = "", None
    try:
        if taken_at := fields["taken at"]:
            posted_at = written_moment(taken_at, request.latest, request.zone, day_first)
    except UnreadableTime as error:
        problem = str(error)
    post = request.post(part, image, customer, posted_at, dated_name=not problem)
    yield image, replace(post, is_undatable=bool(problem))
    if problem:
        text = displayed(fields["taken at"])[:40]
        detail = (
            f"the date {text!r} in taken_at {problem}: the photo counts without; "
            "write 2026-11-03 10:00"
        )
        yield image, Skipped(customer, line, "bad_date", detail)
