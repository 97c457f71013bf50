"""CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from trendscope.files.cells import quoted
from trendscope.reports.documents import iso

if TYPE_CHECKING:
    import pandas as pd


def csv_text(columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    """A CSV table: UTF-8, comma, text in quotes, lines end in LF, every text cell defused.

    Times are ISO 8601 in UTC, truth values ``true`` and ``false``; None is an empty cell.
    """
    cells = (map(_cell, row) for row in (columns, *rows))
    return "".join(f"{','.join(row)}\n" for row in cells)


def frame_csv(frame: pd.DataFrame, *, header: bool = True) -> str:
    """A data frame as CSV: comma, text in quotes, lines end in LF, every text cell defused.

    Truth values are ``True`` and ``False``; a missing value is an empty cell.
    """
    columns = [_column(frame[name]) for name in frame]
    names = [",".join(map(str, frame.columns))] if header else []
    return "".join(f"{line}\n" for line in (*names, *map(",".join, zip(*columns, strict=True))))


def _column(values: pd.Series) -> list[str]:
    known = values.astype(object).where(values.notna(), None).tolist()
    # Most texts come many times, and each is quoted once.
    texts = {text: quoted(text) for text in {value for value in known if isinstance(value, str)}}
    return [
        texts[value] if isinstance(value, str) else "" if value is None else str(value)
        for value in known
    ]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return quoted(iso(value))
    return quoted(value) if isinstance(value, str) else str(value)
