"""A network's prediction for one garment, and the interface of classifiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8

from trendscope.categories import CATEGORIES

Verdict = Literal["classified", "uncertain", "outside"]


@dataclass(frozen=True)
class Prediction:
    """The network's prediction for one crop.

    Attributes:
        verdict: ``classified``, ``uncertain`` (a garment, but which?) or ``outside`` (none of the
            ten).
        category: One of the ten; None unless ``classified``.
        confidence: Calibrated probability of the most likely of the ten categories, 0..1, if it is
            one of them.
        probabilities: Float32[10] in label order, if it is one of them; they sum to 1.
        outside: Calibrated probability that it is none of the ten, 0..1.
        embedding: Float32[d], the layer below the logits; near for garments that look alike.
    """

    verdict: Verdict
    category: str | None
    confidence: float
    probabilities: Float32[np.ndarray, 10]
    outside: float
    embedding: Float32[np.ndarray, " d"]

    def top(self, count: int = 3) -> list[tuple[str, float]]:
        """The most likely categories with their probabilities, best first."""
        order = np.argsort(-self.probabilities, kind="stable")[:count]
        return [(CATEGORIES[i], float(self.probabilities[i])) for i in order]


@runtime_checkable
class Predictor(Protocol):
    """Interface of a classifier."""

    @property
    def name(self) -> str:
        """The weights' name."""

    @property
    def input_size(self) -> int:
        """Side of the crops in pixels."""

    def predict(self, crops: Sequence[UInt8[np.ndarray, "2 s s 4"]]) -> list[Prediction]:
        """One prediction per crop."""


WeightsChoice = str | Path | Predictor | None
"""Name of shipped weights, a weights file, or a classifier; the default weights if None."""
