"""Reads tables (CSV) from any program: encodings, delimiters, comments, broken quotes.

The delimiter is the one with which the header is one of those looked for (`dialect`). Of catalogues
(`open_table`), UTF-8 and UTF-16 are recognised by their bytes; anything else is taken for
Windows-1252, which Excel writes.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from trendscope.errors import FeedError, ImageError, TrendscopeError
from trendscope.files.cells import restored
from trendscope.files.formats import sniff
from trendscope.files.trees import read_file
from trendscope.limits import Limits
from trendscope.text import displayed

if TYPE_CHECKING:
    import pandas as pd

    from trendscope.proportions import Floats

DELIMITERS = ",;\t|"

_LONGEST_HEADER = 65_536  # characters

# The usual 131,072 characters are too few: descriptions hold whole pages, and pictures as text.
# The limit is the whole process's, so it is set once here and not changed while tables are read.
csv.field_size_limit(10_000_000)

_KNOWN_STARTS = (
    (b"PK\x03\x04", "an Excel workbook or a zip; save it as CSV UTF-8 first"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save it as CSV UTF-8 first"),
    (b"<", "a feed in XML, or a web page; download it as CSV or TSV"),
    (b"{", "JSON; export it as CSV"),
    (b"[", "JSON; export it as CSV"),
    (b"%PDF", "a PDF; export the products as CSV"),
)


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
    headers = {mark: _header(text[:_LONGEST_HEADER], mark) for mark in DELIMITERS}
    return max(headers.items(), key=lambda item: (is_known(item[1]), len(item[1])))


def read_rows(
    text: str | None, is_known: Callable[[Sequence[str]], bool]
) -> tuple[list[str], Iterator[list[str]]] | None:
    """The header and rows of a table; None if there is none or its header is not known.

    The rows raise `csv.Error` where a cell is too long.

    Args:
        text: The table; None where it cannot be read.
        is_known: Whether a header is one of those looked for; see `dialect`.
    """
    text = (text or "").removeprefix("\ufeff").replace("\0", "")
    delimiter, header = dialect(text, is_known)
    if not is_known(header):
        return None
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return header, islice(rows, 1, None)


@dataclass(frozen=True)
class Table:
    """Rows of text.

    Attributes:
        header: The names of the columns in lower case, words separated by one blank.
        encoding: Encoding of the file.
        delimiter: Character between its cells.
    """

    header: tuple[str, ...]
    encoding: str
    delimiter: str
    _text: str
    _start: int

    def longer_than(self, most: int) -> bool:
        """Whether there are more rows than that; a file with few lines is not parsed for it."""
        if self._text.count("\n") + self._text.count("\r") <= most:
            return False
        return any(count > most for count, _ in enumerate(self.rows(), start=1))

    def rows(self) -> Iterator[tuple[int, list[str] | str]]:
        """The number of each row's first line, and its cells; or what is wrong with the row."""
        file = io.StringIO(self._text, newline="")
        skipped = sum(1 for _ in zip(range(self._start), file, strict=False))
        reader = csv.reader(file, delimiter=self.delimiter, strict=True)
        while True:
            line = skipped + reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, _explained(str(error), skipped + reader.line_num - line)
            else:
                if any(cell.strip() for cell in cells):
                    yield line, [_cell(cell) for cell in cells]


def open_table(path: Path, is_known: Callable[[Sequence[str]], bool], limits: Limits) -> Table:
    """Opens a table.

    Args:
        path: The file.
        is_known: Whether a header is one of those looked for; see `dialect`.
        limits: Largest size in bytes, as `table_bytes`.

    Raises:
        UnknownHeader: Its header is none of those looked for.
        FeedError: It is missing, no table, or too large.
    """
    label = displayed(str(path))
    text, encoding = _decoded(_bytes(path, label, limits), label)
    lines = io.StringIO(text, newline="")
    start, first = 0, ""
    for start, first in enumerate(lines):  # noqa: B007
        if first.strip() and not re.match(r'\s*"?#|sep=.\s*$', first):
            break
    begin = lines.tell() - len(first)
    delimiter, header = dialect(text[begin : begin + _LONGEST_HEADER], is_known)
    if not is_known(header):
        raise UnknownHeader(f"{label}: its columns are not those expected", header)
    return Table(tuple(header), encoding, delimiter, text, start + 1)


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


def _decoded(data: bytes, label: str) -> tuple[str, str]:
    guesses = ["utf-8-sig", "cp1252"]
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        guesses = ["utf-16"]
    for encoding in guesses:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if text.count("\0") * 10 < len(text):
            return text.replace("\0", ""), encoding
    raise FeedError(f"{label} is no text in a known encoding; save it as CSV UTF-8")


def _header(text: str, delimiter: str) -> list[str]:
    cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    return [_column(cell) for cell in cells]


def _column(name: str) -> str:
    """A column's name as it is compared: ``Taken_At`` is ``taken at``."""
    return " ".join(name.replace("_", " ").lower().split())


def _cell(cell: str) -> str:
    """The text of a cell: ``="007"`` of Excel is 007, ``'-5 %`` of a shop's export is -5 %."""
    match = re.fullmatch(r'\s*="([^"]*)"\s*', cell)
    return restored((match[1] if match else cell).strip()).strip()


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


def read_csv(path: Path, *columns: str) -> pd.DataFrame:
    """Reads a user's table (CSV): UTF-8 with or without BOM; comma, semicolon, tab or ``|``.

    ``count`` and ``total`` are numbers; everything else is text, without the ' that keeps our own
    tables from being run as formulas.

    Raises:
        TrendscopeError: It cannot be read, is no CSV, or lacks one of `columns`.
    """
    # Not at the top: the readers of feeds do without pandas and its 40 MB of memory.
    import pandas as pd

    required = {_column(column) for column in columns}
    try:
        with path.open(encoding="utf-8-sig") as file:
            delimiter, _ = dialect(file.readline(), lambda header: required <= {*header})
            file.seek(0)
            table = pd.read_csv(file, sep=delimiter, dtype=str, keep_default_na=False)
        if not isinstance(table.index, pd.RangeIndex):
            raise TrendscopeError("rows have more cells than the header")
        table.columns = table.columns.str.strip().str.lower()
        require_columns(table, *columns)
        for name in {*table.columns}:
            number = name in ("count", "total")
            table[name] = pd.to_numeric(table[name]) if number else table[name].map(restored)
    except (OSError, ValueError, TrendscopeError) as error:
        reason = getattr(error, "strerror", None) or error
        expected = ",".join(columns)
        raise TrendscopeError(f"{path}: {reason}; give a CSV with the header {expected}") from error
    return table
