"""Measures `trends --db` beside SQLite's own SQL: ``python -m tests.benchmarks.stored [ROWS]``.

A SQLite store of ROWS sightings (a million), 156 weeks, a customer per hundred, is made in a
temporary folder (700 bytes a sighting). Prints a Markdown table: processor's seconds (medians
of three runs), ratios to SQL, and the memory that the process took at most.
"""

from __future__ import annotations

import hashlib
import resource
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np

from trendscope import store
from trendscope.categories import CATEGORIES
from trendscope.reports.table_export import export
from trendscope.store import open_store
from trendscope.store.schema import to_moment
from trendscope.trends.counts import weekly
from trendscope.trends.from_store import trends_of_store

WEEKS = 156
FIRST = to_moment(datetime(2023, 1, 2, tzinfo=UTC))  # a Monday

WORN = f"""
WITH worn AS (
  SELECT (posted_at - {FIRST}) / 604800000000 AS week, category, customer_id, photos.id AS photo
  FROM photos
  JOIN sightings ON sightings.image_id = photos.image_id
  JOIN weights ON weights.id = sightings.weights_id AND weights.current
  WHERE counted AND posted_at IS NOT NULL
)
"""
SQL = (
    WORN + "SELECT week, category, count(DISTINCT customer_id), count(DISTINCT photo) "
    "FROM worn WHERE category IS NOT NULL GROUP BY week, category",
    WORN + "SELECT week, count(DISTINCT customer_id), "
    "count(DISTINCT CASE WHEN category IS NOT NULL THEN photo END) FROM worn GROUP BY week",
)
"""The counts of `trendscope.trends.counts.weekly`, for weeks of UTC alone."""


def fill(path, rows):
    """A store as a scan would leave it, without pictures."""
    draw = np.random.default_rng(0)
    customers = max(rows // 100, 1)
    owner = draw.integers(1, customers + 1, rows).tolist()
    moment = (FIRST + draw.integers(0, WEEKS * 7 * 86400, rows) * 1_000_000).tolist()
    kind = draw.integers(0, 15, rows).tolist()  # a third without a category
    open_store(path, create=True).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("INSERT INTO weights VALUES (1, 'w', 'w', 0, 1)")
    names = ((i, f"customer {i}") for i in range(1, customers + 1))
    db.executemany("INSERT INTO customers VALUES (?, ?)", names)
    images = ((i, hashlib.sha256(b"%d" % i).hexdigest()) for i in range(rows))
    db.executemany("INSERT INTO images (id, sha256, local) VALUES (?, ?, 0)", images)
    places = (
        (i, owner[i], i, i.to_bytes(32), f"post {i}", f"feeds/{owner[i]}/{i}.jpg", moment[i])
        for i in range(rows)
    )
    db.executemany("INSERT INTO photos VALUES (?, ?, ?, ?, ?, ?, ?, 'feed', 1, 1, 1)", places)
    blob = bytes(40)
    sightings = (
        (i, CATEGORIES[kind[i]], None) if kind[i] < 10 else (i, None, "uncertain")
        for i in range(rows)
    )
    db.executemany(
        "INSERT INTO sightings (image_id, weights_id, number, category, reason, confidence, "
        "outside, probabilities, x0, y0, x1, y1) VALUES (?1, 1, 0, ?2, ?3, 0.9, 0.1, x'"
        + blob.hex()
        + "', iif(?2 IS NULL, NULL, 1), 1, 2, 2)",
        sightings,
    )
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def by_sql(path):
    with sqlite3.connect(path) as db:
        return [db.execute(query).fetchall() for query in SQL]


def seconds(run, times=3):
    """The median of the processor's time; other programs do not count."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return median(taken)


def main():
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fashion.db"
        fill(path, rows)
        table = weekly(store.census(path).rows)
        (of_kinds, of_weeks) = by_sql(path)
        assert table["count"].sum() == sum(row[2] for row in of_kinds)
        assert table.groupby("week")["total"].first().sum() == sum(row[1] for row in of_weeks)
        measured = [
            ("SQLite's own SQL", seconds(lambda: by_sql(path))),
            (
                "the same table, weekly(census(db).rows)",
                seconds(lambda: weekly(store.census(path).rows)),
            ),
            ("all of trends --db", seconds(lambda: trends_of_store(path))),
        ]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        measured.append(
            ("export, four files", seconds(lambda: export(path, Path(folder) / "t"), 1))
        )
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"| {rows:,} sightings | s | to SQL |\n|---|---:|---:|")
    for name, taken in measured:
        print(f"| {name} | {taken:.2f} | {taken / measured[0][1]:.2f} |")
    print(f"\nMost memory: {peak:.2f} GiB; with export {after:.2f} GiB")


if __name__ == "__main__":
    main()
