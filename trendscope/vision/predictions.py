"""What networks say of photos: the garments in them, and the photo as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8

from trendscope.categories import CATEGORIES

Verdict = Literal["classified", "uncertain", "outside"]

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels; x1 and y1 lie just outside."""

LEAST_CANDIDATE = 0.05
"""Smallest confidence of a candidate."""


@dataclass(frozen=True)
class Prediction:
    """The network's prediction for one garment, or for a photo as a whole.

    Attributes:
        verdict: ``classified``, ``uncertain`` (a garment, but which?) or ``outside`` (none of the
            ten).
        category: One of the ten; None unless ``classified``, or ``uncertain`` and a candidate.
        confidence: Calibrated probability of the most likely of the ten categories, 0..1, if it is
            one of them.
        probabilities: Float32[10] in label order, if it is one of them; they sum to 1.
        outside: Calibrated probability that it is none of the ten, 0..1.
        embedding: Float32[d], the layer below the logits; near for garments that look alike.
        box: Bounding box of the garment in pixels of the given picture; None if not known.
        needed: Confidence from which on its category is named; 0 if not known.
    """

    verdict: Verdict
    category: str | None
    confidence: float
    probabilities: Float32[np.ndarray, 10]
    outside: float
    embedding: Float32[np.ndarray, " d"]
    box: Box | None = None
    needed: float = 0.0

    def top(self, count: int = 3) -> list[tuple[str, float]]:
        """The most likely categories with their probabilities, best first."""
        order = np.argsort(-self.probabilities, kind="stable")[:count]
        return [(CATEGORIES[i], float(self.probabilities[i])) for i in order]


@dataclass(frozen=True)
class PhotoPrediction:
    """The network's prediction for one photo.

    Attributes:
        garments: Garments that reach the threshold of their category, in reading order; each is
            ``classified``.
        candidates: Garments that do not, each ``uncertain`` with a category: the surest one of each
            category whose confidence is at least `LEAST_CANDIDATE`, best first.
        whole: The photo as a whole: ``classified`` if there are garments, with the category of the
            surest one; ``uncertain`` if something is worn, but nothing for sure; ``outside`` if it
            is none of the ten. An uncertain photo counts in shares by its probabilities.
    """

    garments: tuple[Prediction, ...]
    candidates: tuple[Prediction, ...]
    whole: Prediction

    @classmethod
    def of_one(cls, prediction: Prediction) -> PhotoPrediction:
        """A photo in which the network sees one garment at most.

        While it cannot name that garment, every category that it may be is a candidate.
        """
        named = (prediction,) if prediction.verdict == "classified" else ()
        likely = prediction.top(len(CATEGORIES)) if prediction.verdict == "uncertain" else ()
        candidates = tuple(
            replace(prediction, category=category, confidence=probability)
            for category, probability in likely
            if probability >= LEAST_CANDIDATE
        )
        return cls(named, candidates, prediction)


@runtime_checkable
class Preparation(Protocol):
    """What is done to a picture before it goes to the network; threads may share it."""

    @property
    def decoded_side(self) -> int:
        """Longest side, in pixels, that pictures are decoded to."""

    def prepare(self, rgb: UInt8[np.ndarray, "h w 3"]) -> Any:
        """The picture as the network takes it in."""


@runtime_checkable
class Predictor(Preparation, Protocol):
    """Interface of a network with its weights."""

    @property
    def name(self) -> str:
        """The weights' name."""

    def predict(self, views: Sequence[Any]) -> list[PhotoPrediction]:
        """One prediction for each of some views of `prepare`."""


WeightsChoice = str | Path | Predictor | None
"""Name of shipped weights, a weights file, or a classifier; the default weights if None."""
