"""CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from trendscope.files.tables import defused
from trendscope.reports.documents import iso

if TYPE_CHECKING:
    import pandas as pd


def csv_text(columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    """A CSV table: UTF-8, comma, text in quotes, lines end in LF, every text cell defused.

    Times are ISO 8601 in UTC, truth values ``true`` and ``false``; None is an empty cell.
    """
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
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return iso(value)
    return defused(value) if isinstance(value, str) else value
