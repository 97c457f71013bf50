"""Any weekly table, checked and laid out as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trendscope import weeks
from trendscope.errors import TrendscopeError
from trendscope.files.tables import as_floats, require_columns
from trendscope.proportions import Floats
from trendscope.trends import clusters
from trendscope.trends.models import Series, pooled

VOTES, CUSTOMERS = "votes", "customers"

LEAST_DISPERSION = {VOTES: 0.4, CUSTOMERS: 1.0}
"""Least variance as a multiple of the binomial; a vote that is divided varies less than a whole."""

ROUNDING = 1e-6

MEASURES = {VOTES: ("votes", "voters"), CUSTOMERS: ("count", "total")}
"""Columns of which shares are made, by the name of the measure; the first that a table has."""

FIGURES = (
    *("count", "total", "photos", "all_photos", "uncertain", "outside", "new_customers"),
    *("confidence", "by_people", *clusters.COLUMNS),
)
"""Columns that a table may have besides; what is no number there is unknown."""


@dataclass(frozen=True)
class Panel:
    """A weekly table as arrays: complete weeks without gaps, a column per category.

    Attributes:
        keys: ``segment``, if the table has it, and ``category`` of each column.
        first: Number of the first week, see `trendscope.weeks`.
        series: Weekly counts: votes, or customers.
        measure: Name of what is counted, a key of `MEASURES`.
        figures: `FIGURES`, and the ``garments`` named in all photos; each (weeks, columns), NaN
            where not known.
    """

    keys: pd.DataFrame
    first: int
    series: Series
    measure: str
    figures: Mapping[str, Floats]

    def long(self, first: int, values: dict[str, NDArray[np.generic]]) -> pd.DataFrame:
        """A row for each week and column of the arrays in `values`, all (weeks, columns)."""
        rows = len(next(iter(values.values())))
        names = np.array([weeks.name(week) for week in range(first, first + rows)], object)
        columns: dict[str, NDArray[Any]] = {"week": np.repeat(names, len(self.keys))}
        for name in self.keys:
            columns[str(name)] = np.tile(self.keys[name].to_numpy(object), rows)
        columns |= {name: array.ravel() for name, array in values.items()}
        return pd.DataFrame(columns)  # At once: to add them one by one takes several times as long.


def measure_of(table: pd.DataFrame) -> str:
    """Name of what a weekly table counts: `VOTES` if it has them, else `CUSTOMERS`."""
    return VOTES if {*MEASURES[VOTES]} <= {*table} else CUSTOMERS


def panel_of(table: pd.DataFrame) -> Panel:
    """Lays out a table ``week, category``, with `MEASURES`, whose rows are in any order.

    Optional columns: ``segment``; ``partial``, whose rows are left out; `FIGURES`. A category that
    a week leaves out was seen 0 times of the total the others share; weeks left out had nobody.

    Raises:
        TrendscopeError: A column is missing, a week is none, a number is not one or not within
            0 <= count <= total, or a row stands there twice; says where.
    """
    measure = measure_of(table)
    counted, of = MEASURES[measure]
    require_columns(table, "week", "category", counted, of)
    _check(table, counted, of)
    keys = [name for name in ("segment", "category") if name in table]
    complete = table[~as_flags(table["partial"])] if "partial" in table else table
    labels, names = pd.factorize(complete["week"])
    number = _numbers(names)[labels]
    columns = complete[keys].drop_duplicates(ignore_index=True)
    column = complete.groupby(keys, sort=False, dropna=False).ngroup().to_numpy()
    first = int(number.min()) if len(number) else 0
    shape = (int(number.max()) - first + 1 if len(number) else 0, len(columns))

    def laid_out(name: str, empty: float) -> Floats:
        array = np.full(shape, empty)
        if name in complete:
            values = pd.to_numeric(complete[name], errors="coerce")
            array[number - first, column] = as_floats(values)
        return array

    group = pd.factorize(columns["segment"])[0] if "segment" in keys else np.zeros(shape[1], int)
    season = np.array(
        [min(int(weeks.name(first + row)[-2:]), 52) - 1 for row in range(shape[0])], np.intp
    )
    total = _filled(laid_out(of, np.nan), group)
    series = Series(np.minimum(laid_out(counted, 0.0), total), total, season, group)
    figures = {name: laid_out(name, np.nan) for name in FIGURES}
    figures["garments"] = pooled(figures["photos"].T, group).T
    if measure == CUSTOMERS:
        figures |= {counted: series.count, of: series.total}
    return Panel(columns, first, series, measure, figures)


def alike(table: pd.DataFrame) -> list[pd.DataFrame]:
    """Parts of a weekly table that were judged by the same weights, the earliest weeks first.

    Raises:
        TrendscopeError: A week was judged by several ``weights``, or a week is none.
    """
    if "weights" not in table or table.empty:
        return [table]
    require_columns(table, "week")
    weights = table["weights"].fillna("").astype(str)
    by_week = weights.groupby(table["week"].to_numpy()).unique()
    order = np.argsort(_numbers(by_week.index))
    for week, names in by_week.items():
        if len(names) > 1:
            raise TrendscopeError(
                f"{week} was judged by different weights ({', '.join(names)}); keep one of them"
            )
    names = by_week.iloc[order].str[0]
    block = (names != names.shift()).cumsum()
    parts = table["week"].map(block)
    return [table[parts == number] for number in block.unique()]


def as_flags(column: pd.Series) -> NDArray[np.bool_]:
    """Truth values, also of a table that was read from a CSV."""
    texts = column.astype(str).str.strip().str.lower()
    return np.asarray(~texts.isin(["false", "0", "", "no"]), np.bool_)


def _numbers(names: Iterable[object]) -> NDArray[np.int64]:
    try:
        return np.array([weeks.number(str(name)) for name in names], np.int64)
    except ValueError as error:
        raise TrendscopeError(f"in the column week: {error}") from error


def _check(table: pd.DataFrame, counted: str, of: str) -> None:
    try:
        count, total = as_floats(table[counted]), as_floats(table[of])
    except (TypeError, ValueError) as error:
        raise TrendscopeError(f"{counted} and {of} must be numbers: {error}") from error
    # Votes that were rounded for a CSV may exceed their voters by a little.
    wrong = ~((count >= 0) & (count <= total + ROUNDING) & np.isfinite(total))
    if wrong.any():
        row = table.iloc[int(wrong.argmax())]
        raise TrendscopeError(
            f"{row['week']} {row['category']}: {counted} {row[counted]} of {of} {row[of]}; "
            f"expected 0 <= {counted} <= {of}"
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
