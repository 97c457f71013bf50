"""CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = re.compile(r"'*\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|'*[\t\r\n]")


def defused(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: those that could be get a leading '.

    The rule covers what OWASP lists (= + - @, tab, carriage return), also after blanks and in full
    width. Text that begins with ' and then such a sign gets one more, so that taking a single '
    away always gives the name back. NUL, which no CSV reader accepts, is left out.
    """
    text = text.replace("\0", "")
    return f"'{text}" if _FORMULA.match(text) else text


def csv_text(columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    """A CSV table: UTF-8, comma, text in quotes, lines end in LF, every text cell defused."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def frame_csv(frame: pd.DataFrame, *, header: bool = True) -> str:
    """A data frame as CSV: comma, quotes where needed, lines end in LF, text defused."""
    cells = frame.copy()
    for name in cells:
        values = cells[name].astype(object) if cells[name].dtype.kind == "O" else cells[name]
        texts = [value for value in values.unique() if isinstance(value, str)]
        if texts:
            cells[name] = values.map({text: defused(text) for text in texts})
    return cells.to_csv(index=False, header=header, lineterminator="\n")


def _cell(value: Any) -> Any:
    return defused(value) if isinstance(value, str) else value
