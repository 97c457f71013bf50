"""Any weekly table, checked and laid out as arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trendscope import weeks
from trendscope.errors import TrendscopeError
from trendscope.files.tables import as_floats, require_columns
from trendscope.proportions import Floats
from trendscope.trends.models import Series


@dataclass(frozen=True)
class Panel:
    """A weekly table as arrays: complete weeks without gaps, a column per category.

    Attributes:
        keys: ``segment``, if the table has it, and ``category`` of each column.
        first: Number of the first week, see `trendscope.weeks`.
        series: Weekly counts.
    """

    keys: pd.DataFrame
    first: int
    series: Series

    def long(self, first: int, values: dict[str, NDArray[np.generic]]) -> pd.DataFrame:
        """A row for each week and column of the arrays in `values`, all (weeks, columns)."""
        rows = len(next(iter(values.values())))
        names = np.array([weeks.name(week) for week in range(first, first + rows)], object)
        table = pd.DataFrame({"week": np.repeat(names, len(self.keys))})
        for name in self.keys:
            table[name] = np.tile(self.keys[name].to_numpy(object), rows)
        return table.assign(**{name: array.ravel() for name, array in values.items()})


def panel_of(table: pd.DataFrame) -> Panel:
    """Lays out a table ``week, category, count, total``, whose rows are in any order.

    Optional columns: ``segment``; ``partial``, whose rows are left out. A category that a week
    leaves out was seen 0 times of the total the others share; weeks left out had nobody.

    Raises:
        TrendscopeError: A column is missing, a week is none, a number is not one or not within
            0 <= count <= total, or a row stands there twice; says where.
    """
    require_columns(table, "week", "category", "count", "total")
    _check(table)
    keys = [name for name in ("segment", "category") if name in table]
    complete = table[~as_flags(table["partial"])] if "partial" in table else table
    labels, names = pd.factorize(complete["week"])
    number = _numbers(names)[labels]
    columns = complete[keys].drop_duplicates(ignore_index=True)
    column = complete.groupby(keys, sort=False, dropna=False).ngroup().to_numpy()
    first = int(number.min()) if len(number) else 0
    shape = (int(number.max()) - first + 1 if len(number) else 0, len(columns))
    count, total = np.zeros(shape), np.full(shape, np.nan)
    count[number - first, column] = as_floats(complete["count"])
    total[number - first, column] = as_floats(complete["total"])
    group = pd.factorize(columns["segment"])[0] if "segment" in keys else np.zeros(shape[1], int)
    season = np.array(
        [min(int(weeks.name(first + row)[-2:]), 52) - 1 for row in range(shape[0])], np.intp
    )
    return Panel(columns, first, Series(count, _filled(total, group), season, group))


def as_flags(column: pd.Series) -> NDArray[np.bool_]:
    """Truth values, also of a table that was read from a CSV."""
    texts = column.astype(str).str.strip().str.lower()
    return np.asarray(~texts.isin(["false", "0", "", "no"]), np.bool_)


def _numbers(names: Iterable[object]) -> NDArray[np.int64]:
    try:
        return np.array([weeks.number(str(name)) for name in names], np.int64)
    except ValueError as error:
        raise TrendscopeError(f"in the column week: {error}") from error


def _check(table: pd.DataFrame) -> None:
    try:
        count, total = as_floats(table["count"]), as_floats(table["total"])
    except (TypeError, ValueError) as error:
        raise TrendscopeError(f"count and total must be numbers: {error}") from error
    wrong = ~((count >= 0) & (count <= total) & np.isfinite(total))
    if wrong.any():
        row = table.iloc[int(wrong.argmax())]
        raise TrendscopeError(
            f"{row['week']} {row['category']}: count {row['count']} of total {row['total']}; "
            "expected 0 <= count <= total"
        )
    keys = [name for name in ("week", "segment", "category") if name in table]
    repeated = table.duplicated(keys)
    if repeated.any():
        row = table.loc[repeated, keys].iloc[0]
        raise TrendscopeError(f"{', '.join(map(str, row))} stands there twice; keep one row of it")


def _filled(total: Floats, group: NDArray[np.intp]) -> Floats:
    """Totals with those of categories that a week leaves out: the total that the others share."""
    filled = np.nan_to_num(total)
    for number in np.unique(group):
        own = group == number
        most, least = (
            choose(np.where(np.isnan(total[:, own]), other, total[:, own]), axis=1)
            for choose, other in ((np.max, -np.inf), (np.min, np.inf))
        )
        shared = np.where(most == least, most, 0)[:, None]
        filled[:, own] = np.where(np.isnan(total[:, own]), shared, total[:, own])
    return filled
