"""Reads tables (CSV) from any program: encodings, delimiters, comments, broken quotes.

One reader for manifests, catalogues, and lists of customers, labels and weeks. The header is the
first line that is one of those looked for, whatever stands above it, and the delimiter the one with
which it is (`dialect`).
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trendscope.errors import FeedError, ImageError, TrendscopeError
from trendscope.files.cells import restored
from trendscope.files.encodings import BROKEN_LETTER, decoded
from trendscope.files.formats import sniff
from trendscope.files.trees import read_file
from trendscope.limits import Limits
from trendscope.text import displayed

if TYPE_CHECKING:
    import pandas as pd

    from trendscope.proportions import Floats

DELIMITERS = ",;\t|"

_LONGEST_HEADER = 65_536  # characters
_MOST_ABOVE = 50  # lines with text above a header: titles, dates, notes
_NOTE = re.compile(r'\s*"?(#|sep=."?\s*$)')

# The usual 131,072 characters are too few: descriptions hold whole pages, and pictures as text.
# The limit is the whole process's, so it is set once here and not changed while tables are read.
csv.field_size_limit(10_000_000)

_KNOWN_STARTS = (
    (b"PK\x03\x04", "an Excel workbook or a zip; save it as CSV UTF-8 first"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save it as CSV UTF-8 first"),
    (b"\x1f\x8b", "packed by gzip; unpack it first"),
    (b"<", "a feed in XML, or a web page; download it as CSV or TSV"),
    (b"{", "JSON; export it as CSV"),
    (b"[", "JSON; export it as CSV"),
    (b"%PDF", "a PDF; export the products as CSV"),
)


_MOST_TEXTS = 3  # of a folder that may be tables; where there are more, they are captions


def may_be_tables(names: Iterable[str]) -> list[str]:
    """The files that may be tables by their names; spreadsheets and shops also write ``.txt``."""
    lower = {name: name.lower() for name in names}
    texts = Counter(n.rpartition("/")[0] for n, last in lower.items() if last.endswith(".txt"))
    return [
        name
        for name, last in lower.items()
        if last.endswith((".csv", ".tsv"))
        or (last.endswith(".txt") and texts[name.rpartition("/")[0]] <= _MOST_TEXTS)
    ]


class UnknownHeader(FeedError):
    """A table whose header is none of those looked for.

    Attributes:
        header: Names of the columns, in lower case, with the delimiter that gives the most of them.
    """

    def __init__(self, message: str, header: Sequence[str]):
        super().__init__(message)
        self.header = header


def dialect(text: str, is_known: Callable[[Sequence[str]], bool]) -> tuple[str, list[str]]:
    """A table's delimiter and header: a known one if any delimiter gives it, else the longest.

    Args:
        text: The table, from its header on.
        is_known: Whether a header is one of those looked for; names are in lower case, words
            separated by one blank, and ``_`` is a blank.
    """
    headers = {mark: [*map(_column, _header_cells(text, mark))] for mark in DELIMITERS}
    return max(headers.items(), key=lambda item: (is_known(item[1]), len(item[1])))


@dataclass(frozen=True)
class Table:
    """Rows of text.

    Attributes:
        header: The names of the columns in lower case, words separated by one blank.
        names: The names of the columns as the file has them, without blanks around.
        encoding: Encoding of the file; see `trendscope.files.encodings.decoded`.
        delimiter: Character between its cells.
    """

    header: tuple[str, ...]
    names: tuple[str, ...]
    encoding: str
    delimiter: str
    _text: str
    _first_line: int

    def longer_than(self, most: int) -> bool:
        """Whether there are more rows than that; a file with few lines is not parsed for it."""
        if self._text.count("\n") + self._text.count("\r") <= most:
            return False
        return any(count > most for count, _ in enumerate(self.rows(), start=1))

    def rows(self) -> Iterator[tuple[int, list[str] | str]]:
        """The number of each row's first line, and its cells; or what is wrong with the row."""
        plain = self._quotes_mean_nothing()
        for line, cells in self._plain_rows() if plain else self._quoted_rows():
            if isinstance(cells, str):
                yield self._first_line + line, cells
            elif line and any(cell.strip() for cell in cells):
                yield self._first_line + line, [_cell(cell) for cell in cells]

    def _plain_rows(self) -> Iterator[tuple[int, list[str]]]:
        for line, text in enumerate(io.StringIO(self._text, newline="")):
            yield line, [_unquoted(cell) for cell in text.rstrip("\r\n").split(self.delimiter)]

    def _quoted_rows(self) -> Iterator[tuple[int, list[str] | str]]:
        file = io.StringIO(self._text, newline="")
        reader = csv.reader(file, delimiter=self.delimiter, strict=True)
        while True:
            line = reader.line_num
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, _explained(str(error), reader.line_num - line - 1)
            else:
                yield line, cells

    def _quotes_mean_nothing(self) -> bool:
        """Whether every line is a row, and quotation marks are text, as in feeds parted by tabs."""
        if '"' not in self._text:
            return False
        lines = (line for line in io.StringIO(self._text, newline="") if line.strip())
        widths = [line.count(self.delimiter) + 1 for line in lines]
        width = len(self.header)
        if max(widths) > width:
            return False
        if self.delimiter == "\t" and min(widths) == width:
            return True
        rows = [cells for _, cells in self._quoted_rows()]
        whole = sum(isinstance(cells, list) and len(cells) == width for cells in rows)
        return any(isinstance(cells, str) for cells in rows) and widths.count(width) > whole


def table_of(data: bytes, is_known: Callable[[Sequence[str]], bool]) -> Table:
    """A table by the bytes of its file; `is_known` is that of `dialect`.

    Raises:
        UnknownHeader: Its header is none of those looked for.
        FeedError: Its encoding is not certain.
    """
    try:
        text, encoding = decoded(data)
    except ValueError as error:
        raise FeedError("is no text in a known encoding; save it as CSV UTF-8") from error
    line, at, delimiter, header = _header_of(text, is_known)
    if not is_known(header):
        raise UnknownHeader("its columns are not those expected", header)
    text = text[at:]
    names = [cell.strip() for cell in _header_cells(text, delimiter)]
    return Table(tuple(header), tuple(names), encoding, delimiter, text, line)


def _header_of(
    text: str, is_known: Callable[[Sequence[str]], bool]
) -> tuple[int, int, str, list[str]]:
    """The number of the header's line, where in the text it begins, its delimiter and the header.

    A line that looks like a note may be the header too, as a column may be called ``#``. Without a
    known header the first line is taken, or the widest if the first has one cell.
    """
    plain, notes = list[tuple[int, int, str]](), list[tuple[int, int, str]]()
    lines, at = io.StringIO(text, newline=""), 0
    for number, line in enumerate(lines, start=1):
        if line.strip():
            # A line with a lone quotation mark goes on in the next one.
            row = text[at : at + _LONGEST_HEADER] if line.count('"') % 2 else line
            (notes if _NOTE.match(line) else plain).append((number, at, row))
        if len(plain) + len(notes) == _MOST_ABOVE:
            break
        at = lines.tell()
    headers = []
    for number, at, row in (*plain, *notes):
        headers.append((number, at, *dialect(row, is_known)))
        if is_known(headers[-1][3]):
            return headers[-1]
    first = headers[0] if headers else (1, 0, DELIMITERS[0], [])
    return first if len(first[3]) > 1 else max(headers, key=lambda row: len(row[3]), default=first)


def open_table(path: Path, is_known: Callable[[Sequence[str]], bool], limits: Limits) -> Table:
    """Opens a table of at most `table_bytes`; `is_known` is that of `dialect`.

    Raises:
        UnknownHeader: Its header is none of those looked for.
        FeedError: It is missing, no table, or too large.
    """
    label = displayed(str(path))
    try:
        return table_of(_bytes(path, label, limits), is_known)
    except UnknownHeader as error:
        raise UnknownHeader(f"{label}: {error}", error.header) from error
    except FeedError as error:
        text = str(error)
        raise FeedError(text if text.startswith(label) else f"{label} {text}") from error


def _bytes(path: Path, label: str, limits: Limits) -> bytes:
    if os.path.isdir(path):
        raise FeedError(f"{label} is a folder; give the catalogue file, and pictures by --images")
    if not os.path.lexists(path):
        raise FeedError(f"{label} does not exist; check the spelling")
    try:
        data = read_file(path, limits.table_bytes)
    except ImageError as error:
        advice = "; raise it with --limit table_bytes=..." if error.reason == "too_large" else ""
        raise FeedError(f"{label}: {error}{advice}") from error
    start = data.lstrip(b"\xef\xbb\xbf \r\n\t")[:8]
    for magic, what in _KNOWN_STARTS:
        if start.startswith(magic):
            raise FeedError(f"{label} is {what}")
    if sniff(data[:32]) is not None:
        raise FeedError(f"{label} is a picture or video; trendscope catalog add takes pictures")
    if not start:
        raise FeedError(f"{label} is empty; export it again")
    return data


def _header_cells(text: str, delimiter: str) -> list[str]:
    start = io.StringIO(text[:_LONGEST_HEADER], newline="")
    return next(csv.reader(start, delimiter=delimiter), [])


def _column(name: str) -> str:
    """A column's name as it is compared: ``Taken_At`` is ``taken at``."""
    return " ".join(name.replace("_", " ").lower().split())


def _cell(cell: str) -> str:
    """The text of a cell: ``="007"`` of Excel is 007, ``'-5 %`` of a shop's export is -5 %."""
    match = re.fullmatch(r'\s*="([^"]*)"\s*', cell)
    return restored((match[1] if match else cell).strip()).strip()


def _unquoted(cell: str) -> str:
    """A cell without the quotation marks around all of it."""
    inside = cell[1:-1].replace('""', "")
    whole = len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inside
    return cell[1:-1].replace('""', '"') if whole else cell


def _explained(error: str, more: int) -> str:
    if "end of data" in error:
        return f"a quotation mark is never closed; this and {more:,} more lines could not be read"
    return f"a quotation mark or delimiter inside a cell is not marked as such ({error})"


def as_floats(column: pd.Series) -> Floats:
    """A column as floats; raises ValueError or TypeError where one is no number."""
    return column.to_numpy("float64")


def require_columns(table: pd.DataFrame, *columns: str) -> None:
    """Raises TrendscopeError if a column is missing."""
    missing = [column for column in columns if column not in table]
    if missing:
        present = ", ".join(map(str, table.columns))
        raise TrendscopeError(f"the table has no column {missing[0]!r}; it has: {present}")


def read_csv(path: Path, *columns: str, one_of: Sequence[str] = ()) -> pd.DataFrame:
    """Reads a user's table (CSV) of any encoding and delimiter that `table_of` knows.

    ``count``, ``total``, ``votes`` and ``voters`` are numbers; everything else is text, without
    the ' that keeps our own tables from being run as formulas.

    Args:
        *columns: Columns that it must have.
        one_of: Columns of which it must have at least one.

    Returns:
        The rows; ``attrs["lines"]`` has the number of each one's first line in the file.

    Raises:
        TrendscopeError: It cannot be read, is no CSV, or lacks one of `columns`; or a row of it
            cannot be read, or a letter in one of `columns`.
    """
    # Not at the top: the readers of feeds do without pandas and its 40 MB of memory.
    import pandas as pd

    try:
        data = path.read_bytes()
        for start, what in _KNOWN_STARTS[:2]:
            if data.startswith(start):
                raise TrendscopeError(f"is {what}")
        table = _frame(data, columns, one_of)
        for name in table.columns:
            if name in ("count", "total", "votes", "voters"):
                table[name] = pd.to_numeric(table[name])
    except (OSError, ValueError, TrendscopeError) as error:
        reason = getattr(error, "strerror", None) or error
        expected = ",".join((*one_of[:1], *columns))
        raise TrendscopeError(f"{path}: {reason}; give a CSV with the header {expected}") from error
    return table


def _frame(data: bytes, columns: Sequence[str], one_of: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    wanted = {_column(column): column for column in columns}
    some = {_column(column): column for column in one_of}

    def missing(header: Sequence[str]) -> str:
        lacking = [column for name, column in wanted.items() if name not in header]
        return next(iter(lacking), "" if some.keys() & {*header} else " or ".join(one_of))

    try:
        source = table_of(data, lambda header: not missing(header))
    except UnknownHeader as error:
        if not any(error.header):
            raise TrendscopeError("the table is empty") from error
        present = ", ".join(displayed(name) for name in error.header)
        raise TrendscopeError(
            f"the table has no column {missing(error.header)!r}; it has: {present}"
        ) from error
    named = wanted | some
    names = [named.get(_column(name), name.lower()) for name in source.names]
    positions = {name: names.index(name) for name in dict.fromkeys(names) if name}
    cells_of: dict[str, list[str]] = {name: [] for name in positions}
    lines = []
    for line, cells in source.rows():
        if isinstance(cells, str):
            raise TrendscopeError(f"line {line}: {cells}")
        if any(cells[len(names) :]):
            raise TrendscopeError(f"rows have more cells than the header (line {line})")
        for name, position in positions.items():
            cell = cells[position] if position < len(cells) else ""
            if name in columns and BROKEN_LETTER in cell:
                raise TrendscopeError(f"line {line}: a letter is broken; save it as CSV UTF-8")
            cells_of[name].append(cell)
        lines.append(line)
    table = pd.DataFrame(cells_of, dtype=str)
    table.attrs["lines"] = lines
    return table
