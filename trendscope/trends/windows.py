"""Sums and differences over windows of weeks. Arrays hold a row per week, oldest first."""

from __future__ import annotations

import numpy as np

from trendscope.proportions import Floats

RECENT, BEFORE = 4, 22
"""Weeks taken together, and weeks before them that they are compared with."""


def window(values: Floats, back: int, length: int) -> Floats:
    """Sums over the `length` weeks that end `back` weeks before each week."""
    sums = np.vstack([np.zeros((1, values.shape[1])), values.cumsum(0)])
    end = np.arange(1, len(values) + 1) - back
    return np.asarray(sums[np.maximum(end, 0)] - sums[np.maximum(end - length, 0)])


def earlier(values: Floats, by: int) -> Floats:
    """The values of `by` weeks before; NaN at the beginning."""
    before = np.full_like(values, np.nan)
    before[by:] = values[: max(len(values) - by, 0)]
    return before
