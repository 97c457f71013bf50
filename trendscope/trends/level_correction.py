"""Shares corrected by the confusion matrix of the network (adjusted classify and count)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trendscope import proportions
from trendscope.errors import TrendscopeError
from trendscope.files.tables import as_floats, require_columns

LABELLED = PHOTOS = 1000
"""Labelled photos per category, and photos counted, from which correcting levels helps."""

DRAWS = 200
"""Number of bootstrap draws."""


def adjusted_shares(
    weekly: pd.DataFrame, confusion: pd.DataFrame, *, seed: int = 0
) -> pd.DataFrame:
    """Corrects the shares of all weeks together for what the classifier confuses.

    By the rates at which it takes each category for each other, measured on labelled photos like
    these (`trendscope.proportions.adjusted_classify_and_count`). Single weeks are left as they are:
    correcting them adds more noise than it takes away.

    Args:
        weekly: Table of `trendscope.trends.weekly`; without ``photos``, ``count`` is of photos.
        confusion: Counts of labelled photos: a row per true category, a column per predicted one,
            both named alike. They must be real photos that the network was not trained on.
        seed: Seed of the bootstrap, which draws both the labelled and the counted photos anew.

    Returns:
        ``category``; ``photos``; ``share`` of the photos as counted; ``corrected`` share, with the
        95 % interval ``lo95``, ``hi95``.

    Raises:
        TrendscopeError: Fewer than 1,000 photos, or labelled ones of a category: too few to help.
    """
    require_columns(weekly, "category")
    names = list(confusion.index)
    counted = "photos" if "photos" in weekly else "count"
    photos = as_floats(
        weekly.groupby("category", sort=False)[counted].sum().reindex(names).fillna(0)
    )
    matrix = confusion.reindex(columns=names).fillna(0).to_numpy(np.float64)
    _refuse_few("photos", photos.sum(), PHOTOS)
    fewest = int(matrix.sum(1).argmin())
    _refuse_few(f"labelled photos of {names[fewest]}", matrix.sum(1)[fewest], LABELLED)
    generator = np.random.default_rng(seed)
    again = generator.multinomial(int(photos.sum()), photos / photos.sum(), size=DRAWS)
    rows = [generator.multinomial(int(row.sum()), row / row.sum(), size=DRAWS) for row in matrix]
    levels_of_draws = proportions.adjusted_classify_and_count(
        again.astype(float), np.stack(rows, 1).astype(float), steps=300
    )
    low, high = np.quantile(levels_of_draws, (0.025, 0.975), axis=0)
    columns = {"category": names, "photos": photos.astype(int), "share": photos / photos.sum()}
    level = proportions.adjusted_classify_and_count(photos, matrix)
    return pd.DataFrame({**columns, "corrected": level, "lo95": low, "hi95": high})


def _refuse_few(what: str, count: float, needed: int) -> None:
    if count < needed:
        raise TrendscopeError(
            f"levels are not corrected: {count:,.0f} {what}, but with fewer than {needed:,} "
            "correcting is no better than leaving them"
        )


levels = adjusted_shares
"""The name of earlier versions."""
