"""Reads a manifest: a table (CSV) with the customer and the date of each image.

Columns: ``customer``, ``taken_at`` (any date that `trendscope.files.written_times.read_time` is
certain of; may be empty) and ``image`` (a path from the manifest's own folder, or one of another
computer that ends like a file here, with blanks as ``%20`` too), in any order and case, among
others that are not read. The manifest speaks for all images below its folder: those it does not
name are not read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, zip_longest
from urllib.parse import unquote

from trendscope.errors import FeedError, ImageError
from trendscope.feeds.dates import written_moment
from trendscope.feeds.post import Post
from trendscope.feeds.request import DATA, VIDEOS, Request, missing_media, unsafe_path
from trendscope.files.encodings import BROKEN_LETTER
from trendscope.files.tables import Table, UnknownHeader, may_be_tables, table_of
from trendscope.files.trees import Part, Tree, folder_of, shared_end, tidied, unsafe
from trendscope.files.written_times import Order, UnreadableTime, orders_of_dates, read_time
from trendscope.skipped import Skipped
from trendscope.text import displayed

COLUMNS = ("customer", "taken at", "image")
"""Names of the columns in lower case, ``_`` as a blank."""

_ROWS_LOOKED_AT = 100  # of a table without these columns
_ANY_ORDER: dict[str, Order] = dict.fromkeys("-/.", "day month year")


def find(tree: Tree, request: Request) -> list[Part]:
    """Members below the folder of each manifest; of nested ones, the outer one counts."""
    tables = (name for name in may_be_tables(tree.names) if _table(tree, name, request))
    parts: dict[str, Part] = {}
    for root in sorted({folder_of(name) for name in tables}, key=lambda root: root.rstrip("/")):
        if not root.startswith(tuple(parts)):
            parts[root] = Part(tree, [n for n in tree.names if n.startswith(root)], root)
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


def misnamed(tree: Tree, names: Iterable[str], request: Request) -> dict[str, Skipped]:
    """Notices of tables that name photos below their folder under other headings than `COLUMNS`.

    Tables that have neither two of these columns nor one of dates may be of any kind, and have no
    notice.
    """
    notices = {}
    for name in may_be_tables(names):
        if table := _table_of_dated_photos(tree, name, request):
            columns = ", ".join(displayed(column)[:40] for column in table.names[:6])
            detail = f"names photos that lie here, but in columns called {columns}; if it says "
            detail += "whose they are, call the columns customer, taken_at and image"
            notices[name] = Skipped(None, tree.source(name), "bad_table", detail)
    return notices


def _table_of_dated_photos(tree: Tree, name: str, request: Request) -> Table | None:
    if not (table := request.table(tree, name, lambda header: len(header) > 1)):
        return None
    rows = (cells for _, cells in islice(table.rows(), _ROWS_LOOKED_AT))
    columns = [*zip_longest(*(cells for cells in rows if not isinstance(cells, str)))]
    is_alike = len({*COLUMNS} & {*table.header}) > 1 or any(map(_are_dates, columns))
    if not is_alike:
        return None
    root = folder_of(name)
    others = [other for other in tree.names if other.startswith(root) and other != name]
    photos = [o[len(root) :] for o in others if not o.lower().endswith((*DATA, *VIDEOS))]
    images = _Images(photos)
    cells = (cell for column in columns for cell in column if cell)
    return table if any(images.has(images.path(cell)) for cell in cells) else None


def _are_dates(cells: Iterable[str | None]) -> bool:
    """Whether the cells that are not empty are dates; numbers may be anything."""
    texts = [cell for cell in cells if cell]
    try:
        return bool(texts) and all(read_time(t, _ANY_ORDER) and not t.isdigit() for t in texts)
    except UnreadableTime:
        return False


def read(part: Tree, request: Request, only: str | None = None) -> Iterator[Post | Skipped]:
    """Reads the images that the manifest names, in its order, then names those that it does not.

    Args:
        part: Members below the manifest's folder.
        only: Name of the manifest if it was given by itself; other files are left alone then.
    """
    images, used = _Images(part.names), set[str]()
    beside = (name for name in part.names if "/" not in name)
    for name in [only] if only else may_be_tables(beside):
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
        self._by_last: dict[str, list[str]] | None = None

    def path(self, cell: str) -> str:
        """The path in a cell as trees name it; that of an address of a file is the file's.

        Other paths are percent-encoded (``my%20photo.jpg``) if a file is found only so.
        """
        if cell.lower().startswith("file://"):
            return tidied(unquote(cell[7:].lstrip("/")))
        path, read = tidied(cell), tidied(unquote(cell))
        return read if read != path and self.has(read) and not self.has(path) else path

    def has(self, path: str) -> bool:
        """Whether a path may stand for a file here."""
        return bool(self._find(path))

    def certain(self, paths: Iterable[str]) -> dict[str, str | None]:
        """The file that each path stands for: None if there is none, "" if it is not certain.

        Of two paths that end in one file's, one is of a file that is not here.
        """
        found = {path: self._find(path) for path in paths}
        by_case = {path.casefold(): names for path, names in found.items()}
        claims = Counter(name for names in by_case.values() for name in names)
        files: dict[str, str | None] = {}
        for path, names in found.items():
            is_only = len(names) == 1 and (path in names or claims[names[0]] == 1)
            files[path] = names[0] if is_only else "" if names else None
        return files

    def _find(self, path: str) -> list[str]:
        """The files that a path may stand for: those of its name, else those with its end.

        A path of another computer (``C:/photos/1.jpg``), or from another folder, stands for the
        file whose own path agrees with the longest part of its end: wholly, or also in a folder.
        """
        if path in self._names:
            return [path]
        if self._by_last is None:
            self._by_last = {}
            for name in self._names:
                self._by_last.setdefault(name.rpartition("/")[2].casefold(), []).append(name)
        path = path.casefold()
        names = self._by_last.get(path.rpartition("/")[2], [])
        alike = {name: shared_end(name.casefold(), path) for name in names}
        most = max(alike.values(), default=0)
        best = [name for name, shared in alike.items() if shared == most]
        return sorted(name for name in best if most >= min(2, name.count("/") + 1))


def _rows(
    part: Tree, manifest: str, table: Table, images: _Images, request: Request
) -> Iterator[tuple[str, Post | Skipped]]:
    """The image that each row of a manifest names, "" where it names none, and what becomes of it.

    Args:
        manifest: Path of the manifest, for people.
    """
    rows = [(f"{manifest}:{line}", _fields(table, cells)) for line, cells in table.rows()]
    usable = [fields for _, fields in rows if not isinstance(fields, str)]
    orders = orders_of_dates((row["taken at"] for row in usable), request.latest.date())
    for row in usable:
        row["image"] = images.path(row["image"])
    file_of = images.certain({row["image"] for row in usable})
    for line, fields in rows:
        problem = fields if isinstance(fields, str) else _problem(fields)
        if isinstance(fields, str) or problem:
            yield "", Skipped(None, line, "bad_table", problem)
            continue
        yield from _image(part, line, fields, orders, file_of, request)


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
    orders: Mapping[str, Order] | None,
    file_of: Mapping[str, str | None],
    request: Request,
) -> Iterator[tuple[str, Post | Skipped]]:
    owner, path = fields["customer"], fields["image"]
    customer = request.names.of(owner, f"{part.source('')}{owner}")
    image = file_of[path]
    # A path of a whole computer, as Windows or others write it, is no way out.
    is_elsewhere = path.startswith(("/", "~/")) or path[1:3] == ":/"
    if unsafe(path) and (image is None or not is_elsewhere):
        yield "", unsafe_path(line, customer)
        return
    if image is None:
        yield "", missing_media(part.source(path), customer)
        return
    if not image:
        detail = f"it is not certain which file {displayed(path)[:80]!r} is; "
        detail += "write its path from the table's own folder"
        yield "", Skipped(customer, line, "bad_table", detail)
        return
    problem, posted_at = "", None
    try:
        if taken_at := fields["taken at"]:
            posted_at = written_moment(taken_at, request.latest, request.zone, orders)
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
