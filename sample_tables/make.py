"""Makes the sample of a weekly table, with a real rise, a fall, and categories that stay.

Run with ``python -m sample_tables.make``. 400 made-up customers post over 40 weeks, some often,
most seldom, each with a taste of their own. In the last ten weeks coats become two and a half times
as frequent, and sandals a third; nothing else changes but to make room.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from trendscope.categories import CATEGORIES
from trendscope.trends import weekly

FILE = Path(__file__).parent / "weekly.csv"
COLUMNS = ("week", "category", "count", "total", "votes", "voters")
CUSTOMERS, WEEKS, CHANGING = 400, 40, 10
FIRST = pd.Timestamp("2026-02-09 12:00", tz="UTC")
WORN = (0.20, 0.15, 0.10, 0.12, 0.08, 0.09, 0.08, 0.10, 0.05, 0.03)
"""Shares of what is worn at first, in the order of the categories."""
AT_LAST = {"Coat": 2.5, "Sandal": 1 / 3}
"""Factors on these shares in the last week."""
TASTE = 12
"""Concentration of the customers' own shares around `WORN`."""


def sightings() -> pd.DataFrame:
    """A row for each photo: ``customer``, ``photo``, ``posted_at``, ``category``, ``reason``."""
    draw = np.random.default_rng(46)
    tastes = draw.dirichlet(TASTE * np.array(WORN), CUSTOMERS)
    photos_a_week = np.minimum(draw.lognormal(np.log(0.8), 1, CUSTOMERS), 20)
    last = np.array([AT_LAST.get(category, 1.0) for category in CATEGORIES])
    parts = []
    for week in range(WEEKS):
        progress = max(0, week - (WEEKS - CHANGING) + 1) / CHANGING
        shares = tastes * last**progress
        limits = (shares / shares.sum(1, keepdims=True)).cumsum(1)
        customer = np.repeat(np.arange(CUSTOMERS), draw.poisson(photos_a_week))
        kind = (draw.random((len(customer), 1)) > limits[customer, :-1]).sum(1)
        parts.append(
            pd.DataFrame(
                {
                    "customer": customer,
                    "posted_at": FIRST + pd.Timedelta(weeks=week),
                    "category": np.array(CATEGORIES)[kind],
                    "reason": "",
                }
            )
        )
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(photo=rows.index)


def table() -> pd.DataFrame:
    """The weekly table of these photos."""
    rows = weekly(sightings())
    return rows[[name for name in COLUMNS if name in rows]]


if __name__ == "__main__":
    table().round({"votes": 4}).to_csv(FILE, index=False, lineterminator="\n")
