"""Labelled photos judged as the product judges them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from rich.console import Console
from rich.progress import track

from training.data.photos import pixels_of, target
from training.evaluation.photo_metrics import Judged
from trendscope.categories import CATEGORIES
from trendscope.errors import ImageError, TrendscopeError
from trendscope.vision import segmentation
from trendscope.vision.classifier import Classifier
from trendscope.vision.scores import UNSEEN
from trendscope.vision.weights import Header

BATCH = 32
"""Photos prepared at a time."""


def prepared(file: str, size: int) -> UInt8[np.ndarray, "2 size size 4"]:
    """What `Classifier.predict_crops` takes of a photo; raises as `pixels_of`."""
    return segmentation.crop(pixels_of(file), size).pixels


def predict_photos(classifier: Classifier, table: pd.DataFrame) -> tuple[list[Judged], list[str]]:
    """Runs every photo through decoding, cut-out, network and gate once.

    Args:
        classifier: The product's, with the weights to judge.
        table: Columns as of `training.data.photos.read_tables`.

    Returns:
        The photos in the table's order, and one line for each that could not be read.

    Raises:
        TrendscopeError: None could be read.
    """
    judged: list[Judged] = []
    refused: list[str] = []
    starts = range(0, len(table), BATCH)
    with ThreadPoolExecutor(2) as pool:
        for start in track(starts, "photos", console=Console(stderr=True)):
            for result in _judge(classifier, table.iloc[start : start + BATCH], pool):
                if isinstance(result, Judged):
                    judged.append(result)
                else:
                    refused.append(result)
    if not judged:
        raise TrendscopeError(f"no photo could be read, for example {refused[0]}")
    return judged, refused


def _judge(classifier: Classifier, table: pd.DataFrame, pool: Executor) -> Iterator[Judged | str]:
    def prepare(file: str) -> UInt8[np.ndarray, "2 size size 4"] | Exception:
        try:
            return prepared(file, classifier.input_size)
        except (ImageError, OSError) as error:
            return error

    inputs = list(pool.map(prepare, table["file"]))
    predictions = iter(
        classifier.predict_crops([x for x in inputs if not isinstance(x, Exception)])
    )
    columns = (table[name] for name in ("file", "place", "customer", "label", "category"))
    for file, place, customer, label, category, x in zip(*columns, inputs, strict=True):
        if isinstance(x, Exception):
            yield f"{file}: {x}"
        else:
            right = target(category)[: len(CATEGORIES)]
            allowed = tuple(CATEGORIES[i] for i in np.flatnonzero(right))
            yield Judged(file, place, customer, label, allowed, next(predictions))


def scored_on(header: Header, fold: int | None, folds: int) -> str:
    """Says whose photos are scored, and whether the weights can have learned from them."""
    whose = "all customers" if fold is None else f"customers of fold {fold} of {folds}"
    adapted = header.settings.get("adapt", {})
    left_out = fold is not None and (adapted.get("fold"), adapted.get("folds")) == (fold, folds)
    unseen = left_out or "photos" not in header.trained_on
    return f"{whose}, {UNSEEN if unseen else 'perhaps trained on'}"
