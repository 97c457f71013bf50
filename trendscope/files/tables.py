"""A shop's table of whatever make, as rows of text: encodings, delimiters, comments, broken quotes.

UTF-8 and UTF-16 are told by their bytes; what is neither is taken for Windows-1252, which Excel
writes. The delimiter is the one with which the header is that of a known catalogue.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from trendscope.errors import FeedError, ImageError, TrendscopeError
from trendscope.files.formats import sniff
from trendscope.files.trees import read_file
from trendscope.limits import Limits
from trendscope.proportions import Floats
from trendscope.text import displayed

DELIMITERS = ",;\t|"

_LONGEST_CELL = 10_000_000  # letters; descriptions hold whole pages, and pictures as text

_KNOWN_STARTS = (
    (b"PK\x03\x04", "an Excel workbook or a zip; save it as CSV UTF-8 first"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save it as CSV UTF-8 first"),
    (b"<", "a feed in XML, or a web page; download it as CSV or TSV"),
    (b"{", "JSON; export it as CSV"),
    (b"[", "JSON; export it as CSV"),
    (b"%PDF", "a PDF; export the products as CSV"),
)


@dataclass(frozen=True)
class Table:
    """Rows of text.

    Attributes:
        header: The names of the columns in lower case, words parted by one blank.
        encoding: Of the file.
        delimiter: Between its cells.
    """

    header: tuple[str, ...]
    encoding: str
    delimiter: str
    _text: str
    _start: int

    def longer_than(self, most: int) -> bool:
        """Whether there are more rows than that; soon told of a file with few lines."""
        if self._text.count("\n") + self._text.count("\r") <= most:
            return False
        return any(count > most for count, _ in enumerate(self.rows(), start=1))

    def rows(self) -> Iterator[tuple[int, list[str] | str]]:
        """The number of each row's first line, and its cells; or what is wrong with the row."""
        file = io.StringIO(self._text, newline="")
        skipped = sum(1 for _ in zip(range(self._start), file, strict=False))
        csv.field_size_limit(_LONGEST_CELL)
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


def open_table(path: Path, known: Callable[[Sequence[str]], bool], limits: Limits) -> Table:
    """Opens a table.

    Args:
        path: The file.
        known: Whether a header is that of a known catalogue.
        limits: What it may ask for.

    Raises:
        FeedError: It is missing, no table, too large, or its header is not known.
    """
    shown = displayed(str(path))
    text, encoding = _decoded(_bytes(path, shown, limits), shown)
    lines = io.StringIO(text, newline="")
    start, first = 0, ""
    for start, first in enumerate(lines):  # noqa: B007
        if first.strip() and not re.match(r'\s*"?#|sep=.\s*$', first):
            break
    headers = {mark: _header(text, start, mark) for mark in DELIMITERS}
    for mark, header in headers.items():
        if known(header):
            return Table(tuple(header), encoding, mark, text, start + 1)
    header = max(headers.values(), key=len)
    names = ", ".join(displayed(name)[:30] for name in header[:8])
    raise FeedError(
        f"{shown}: its columns ({names}) are those of no known catalogue; give an export of "
        "Shopify, WooCommerce, Google or Meta, or a CSV with sku,title,category,price,url,image"
    )


def _bytes(path: Path, shown: str, limits: Limits) -> bytes:
    if os.path.isdir(path):
        raise FeedError(f"{shown} is a folder; give the catalogue file, and pictures by --images")
    if not os.path.lexists(path):
        raise FeedError(f"{shown} does not exist; check the spelling")
    try:
        data = read_file(path, limits.table_bytes)
    except ImageError as error:
        advice = "; raise it with --limit table_bytes=..." if error.reason == "too_large" else ""
        raise FeedError(f"{shown}: {error}{advice}") from error
    start = data.lstrip(b"\xef\xbb\xbf \r\n\t")[:8]
    for magic, what in _KNOWN_STARTS:
        if start.startswith(magic):
            raise FeedError(f"{shown} is {what}")
    if sniff(data[:32]) is not None:
        raise FeedError(f"{shown} is a picture or video; trendscope catalog add takes pictures")
    if not start:
        raise FeedError(f"{shown} is empty; export it again")
    return data


def _decoded(data: bytes, shown: str) -> tuple[str, str]:
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
    raise FeedError(f"{shown} is no text in a known encoding; save it as CSV UTF-8")


def _header(text: str, start: int, delimiter: str) -> list[str]:
    file = io.StringIO(text, newline="")
    for _ in range(start):
        file.readline()
    try:
        cells = next(csv.reader(file, delimiter=delimiter), [])
    except csv.Error:
        return []
    return [" ".join(cell.replace("_", " ").lower().split()) for cell in cells]


def _cell(cell: str) -> str:
    """The text of a cell; Excel's ``="007"`` is 007."""
    match = re.fullmatch(r'\s*="([^"]*)"\s*', cell)
    return (match[1] if match else cell).strip()


def _explained(error: str, more: int) -> str:
    if "end of data" in error:
        return f"a quotation mark is never closed; this and {more:,} more lines could not be read"
    return f"a quotation mark or delimiter inside a cell is not marked as such ({error})"


def as_floats(column: pd.Series) -> Floats:
    """A column as floats; raises ValueError or TypeError where one is no number."""
    return column.to_numpy(np.float64)


def require_columns(table: pd.DataFrame, *columns: str) -> None:
    """Raises TrendscopeError if a column is missing."""
    missing = [column for column in columns if column not in table]
    if missing:
        found = ", ".join(map(str, table.columns))
        raise TrendscopeError(f"the table has no column {missing[0]!r}; it has: {found}")


def read_csv(path: Path, *columns: str) -> pd.DataFrame:
    """Reads a CSV of someone's own: UTF-8 with or without BOM; comma, semicolon or tab.

    ``count`` and ``total`` are numbers; everything else is text as it stands.

    Raises:
        TrendscopeError: It cannot be read, is no CSV, or lacks one of `columns`.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            header = file.readline()
            comma = max(",;\t", key=header.count)
            file.seek(0)
            table = pd.read_csv(file, sep=comma, dtype=str, keep_default_na=False)
        if not isinstance(table.index, pd.RangeIndex):
            raise TrendscopeError("rows have more cells than the header")
        table.columns = table.columns.str.strip().str.lower()
        require_columns(table, *columns)
        for name in {"count", "total"} & {*table.columns}:
            table[name] = pd.to_numeric(table[name])
    except (OSError, ValueError, TrendscopeError) as error:
        reason = getattr(error, "strerror", None) or error
        expected = ",".join(columns)
        raise TrendscopeError(f"{path}: {reason}; give a CSV with the header {expected}") from error
    return table
