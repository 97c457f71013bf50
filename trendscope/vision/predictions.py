"""What a network says of one garment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from jaxtyping import Float32, UInt8

from trendscope.categories import CATEGORIES

Verdict = Literal["classified", "uncertain", "outside"]

# --- predicting ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Prediction:
    """What the network says of one cut-out.

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


class Predictor(Protocol):
    """What the scan needs of a classifier."""

    @property
    def name(self) -> str:
        """The weights' name."""

    @property
    def input_size(self) -> int:
        """Side of the cut-outs in pixels."""

    def predict(self, cut_outs: Sequence[UInt8[np.ndarray, "2 s s 4"]]) -> list[Prediction]:
        """One prediction per cut-out."""


WeightsChoice = str | Path | Predictor | None
"""Name of shipped weights, a weights file, or a classifier; the default weights if None."""
