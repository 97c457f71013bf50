"""Labelled photos judged as the product judges them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track

from training.data.photos import pixels_of, target
from training.evaluation.photo_metrics import Judged
from trendscope.categories import CATEGORIES
from trendscope.errors import ImageError, TrendscopeError
from trendscope.vision.predictions import Predictor
from trendscope.vision.scores import UNSEEN
from trendscope.vision.weights import DetectorHeader, Header

BATCH = 32
"""Photos prepared at a time."""


def predict_photos(predictor: Predictor, table: pd.DataFrame) -> tuple[list[Judged], list[str]]:
    """Runs every photo through decoding, network and gate once.

    Args:
        predictor: A network as the product loads it.
        table: Columns as of `training.data.photos.read_tables`.

    Returns:
        The photos in the table's order, each with what is said of it as a whole, and one line for
        each that could not be read.

    Raises:
        TrendscopeError: None could be read.
    """
    judged: list[Judged] = []
    refused: list[str] = []
    starts = range(0, len(table), BATCH)
    with ThreadPoolExecutor(2) as pool:
        for start in track(starts, "photos", console=Console(stderr=True)):
            for result in _judge(predictor, table.iloc[start : start + BATCH], pool):
                if isinstance(result, Judged):
                    judged.append(result)
                else:
                    refused.append(result)
    if not judged:
        raise TrendscopeError(f"no photo could be read, for example {refused[0]}")
    return judged, refused


def _judge(predictor: Predictor, table: pd.DataFrame, pool: Executor) -> Iterator[Judged | str]:
    def prepare(file: str) -> Any:
        try:
            return predictor.prepare(pixels_of(file, predictor.decoded_side))
        except (ImageError, OSError) as error:
            return error

    views = list(pool.map(prepare, table["file"]))
    predictions = iter(predictor.predict([x for x in views if not isinstance(x, Exception)]))
    columns = (table[name] for name in ("file", "place", "customer", "label", "category"))
    for file, place, customer, label, category, view in zip(*columns, views, strict=True):
        if isinstance(view, Exception):
            yield f"{file}: {view}"
        else:
            right = target(category)[: len(CATEGORIES)]
            allowed = tuple(CATEGORIES[i] for i in np.flatnonzero(right))
            yield Judged(file, place, customer, label, allowed, next(predictions).whole)


def scored_on(header: Header | DetectorHeader, fold: int | None, folds: int) -> str:
    """Says whose photos are scored, and whether the weights can have learned from them."""
    whose = "all customers" if fold is None else f"customers of fold {fold} of {folds}"
    settings = header.settings
    left_out = fold is not None and (settings.get("fold"), settings.get("folds")) == (fold, folds)
    unseen = left_out or "photos" not in header.trained_on
    return f"{whose}, {UNSEEN if unseen else 'perhaps trained on'}"
