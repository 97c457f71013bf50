"""Measures `weekly` on ten million sightings: ``python -m tests.benchmarks.weekly [ROWS]``.

156 weeks, 100,000 customers, ten categories, beside pandas' bare group-by with distinct customers
on columns prepared for it, and beside DuckDB and polars where they are installed. Prints a
Markdown table: medians of three runs, and the ratio to pandas.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from statistics import median

import numpy as np
import pandas as pd

from trendscope.categories import CATEGORIES
from trendscope.trends.counts import weekly

CUSTOMERS, WEEKS = 100_000, 156


def sightings(rows):
    """Customers and categories as categoricals, times to the second."""
    draw = np.random.default_rng(0)
    seconds = draw.integers(0, WEEKS * 7 * 86400, rows)
    return pd.DataFrame(
        {
            "customer": pd.Categorical.from_codes(
                draw.integers(0, CUSTOMERS, rows), [f"customer {i}" for i in range(CUSTOMERS)]
            ),
            "posted_at": pd.Timestamp("2023-01-02", tz="UTC") + pd.to_timedelta(seconds, unit="s"),
            "category": pd.Categorical.from_codes(draw.integers(0, 10, rows), CATEGORIES),
        }
    )


def peers(table):
    """The bare count and the distinct customers per week and category, by others."""
    prepared = table.assign(week=(table["posted_at"] - table["posted_at"].min()).dt.days // 7)
    prepared = prepared[["week", "category", "customer"]]

    def by_pandas():
        groups = prepared.groupby(["week", "category"], observed=True)["customer"]
        return groups.agg(["size", "nunique"])

    yield "pandas, week known", by_pandas
    if importlib.util.find_spec("polars"):
        import polars

        frame = polars.from_pandas(prepared)
        counts = polars.len(), polars.col("customer").n_unique()
        yield "polars, week known", lambda: frame.group_by("week", "category").agg(*counts)
    if importlib.util.find_spec("duckdb"):
        import duckdb

        counts = "count(*), count(distinct customer)"
        query = f"select week, category, {counts} from prepared group by 1, 2"
        database = duckdb.connect().register("prepared", prepared)
        yield "DuckDB, week known", lambda: database.execute(query).fetchall()


def seconds(run, times=3):
    """The median of some runs."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return median(taken)


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    table = sightings(rows)
    measured = [(name, seconds(run)) for name, run in peers(table)]
    measured.append(("trendscope.weekly, from times", seconds(lambda: weekly(table))))
    print(f"| {rows:,} sightings | s | to pandas |\n|---|---:|---:|")
    for name, taken in measured:
        print(f"| {name} | {taken:.2f} | {taken / measured[0][1]:.2f} |")


if __name__ == "__main__":
    main()
