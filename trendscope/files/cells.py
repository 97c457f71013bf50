"""Text in the cells of CSV tables: written so that no spreadsheet runs it, and given back."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

_SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
_SIGN = re.compile(f"[{re.escape(_SIGNS)}]")
_BEFORE_SIGN = re.compile(r"[;,\"'\s]+")
_BREAKS = "\t\r\n"
_STARTS_WITH_BREAK = re.compile(rf"'*[{_BREAKS}]")
_PLAIN = re.compile(r"\w[^;,\"'\s\0]*")
"""Most texts: in them nothing could begin a formula or end a cell."""


def defused(text: str) -> str:
    """A text that no spreadsheet takes for a formula: each that it could be gets a leading '.

    A spreadsheet whose list separator is a semicolon (German, French, Spanish and others) or a tab
    parts text there, whatever quotation marks are around it. So a formula may begin with the text,
    and after every semicolon, comma, tab and line break in it. The rule covers what OWASP lists
    (= + - @, and a tab or carriage return at the beginning), also after blanks and quotation marks,
    and in full width. Text with a ' at such a place gets one more, so that `restored` always gives
    it back. NUL, which no CSV reader accepts, is left out.
    """
    text = text.replace("\0", "")
    ends = [*_starts_of_formulas(text), len(text)]
    return text[: ends[0]] + "".join(
        f"'{text[start:end]}" for start, end in itertools.pairwise(ends)
    )


def restored(cell: str) -> str:
    """The text of a cell that `defused` wrote."""
    ends = [*_starts_of_formulas(cell), len(cell)]
    return cell[: ends[0]] + "".join(
        cell[start:end].removeprefix("'") for start, end in itertools.pairwise(ends)
    )


def quoted(text: str) -> str:
    """The text as a cell of a CSV table: defused, in quotation marks."""
    if _PLAIN.fullmatch(text):
        return f'"{text}"'
    return '"' + defused(text).replace('"', '""') + '"'


def _starts_of_formulas(text: str) -> Iterator[int]:
    """The places, in order, where a spreadsheet may see the beginning of a formula.

    Linear in the length of the text: each run of what may stand before a sign is looked at once.
    """
    if text and (text[0] in _SIGNS or _STARTS_WITH_BREAK.match(text)):
        yield 0
    if not _SIGN.search(text):
        return
    for run in _BEFORE_SIGN.finditer(text):
        if not _SIGN.match(text, run.end()):
            continue
        first = max(text.rfind(mark, *run.span()) for mark in ";,") + 1
        if first or (run.start() == 0 and not _STARTS_WITH_BREAK.match(text)):
            yield first
        start = max(first, run.start())
        yield from (at + 1 for at in range(start, run.end()) if text[at] in _BREAKS)
