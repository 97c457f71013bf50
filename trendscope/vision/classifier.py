"""Loads a network from its weights file and turns crops into calibrated predictions.

The network is a small residual CNN in Flax. Its weights are one safetensors file (a JSON header and
plain arrays, no pickle) that also holds the preparation of inputs, the training data, the scores
and the thresholds of the gate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Float32, UInt8

from trendscope.categories import CATEGORIES
from trendscope.vision.compilation import keep_compiled
from trendscope.vision.images import DECODED_SIDE
from trendscope.vision.network import (
    LARGE_BATCH,
    Outputs,
    Variables,
    make_predictor,
    softmax,
)
from trendscope.vision.predictions import PhotoPrediction, Prediction, Verdict
from trendscope.vision.segmentation import Crop, crop
from trendscope.vision.serialisation import read_weights
from trendscope.vision.weights import SHIPPED, Gate, Header, find_weights


class Classifier:
    """A network that names one garment in a photo, with its weights, ready to predict."""

    decoded_side = DECODED_SIDE

    def __init__(self, header: Header, variables: Variables):
        self.header = header
        self._variables = jax.device_put(variables)
        self._predict = make_predictor(header.architecture)

    @classmethod
    def load(cls, weights: str | Path = "fashion-mnist") -> Classifier:
        """Loads shipped weights by name, or a weights file.

        Raises:
            WeightsError: There are none there, or they cannot be used.
        """
        keep_compiled()
        path = find_weights(weights)
        return cls(*read_weights(path, check=path.parent != SHIPPED))

    @property
    def name(self) -> str:
        """The weights' name."""
        return self.header.name

    @property
    def input_size(self) -> int:
        """Side of its input in pixels."""
        return self.header.architecture.size

    def prepare(self, rgb: UInt8[np.ndarray, "h w 3"]) -> Crop:
        """Finds the garment in a picture and crops it."""
        return crop(rgb, self.input_size)

    def predict(self, views: Sequence[Crop]) -> list[PhotoPrediction]:
        """One prediction per photo, of its one garment."""
        predictions = self.predict_crops([view.pixels for view in views])
        return [
            PhotoPrediction.of_one(replace(prediction, box=view.box))
            for prediction, view in zip(predictions, views, strict=True)
        ]

    def predict_crops(
        self, crops: Sequence[UInt8[np.ndarray, "2 size size 4"]]
    ) -> list[Prediction]:
        """One prediction per crop; the result does not depend on the other crops in the list."""
        if not crops:
            return []
        return judge(*self.forward(np.stack(crops)), self.header.gate)

    def forward(
        self, crops: UInt8[np.ndarray, "n 2 size size 4"], large: int = LARGE_BATCH
    ) -> Outputs:
        """Raw logits and embeddings of crops, `large` at a time where there are as many."""
        return self._predict(self._variables, crops, large)


def judge(
    logits: Float32[np.ndarray, "n outputs"], embeddings: Float32[np.ndarray, "n d"], gate: Gate
) -> list[Prediction]:
    """Turns logits into verdicts by the gate. Logits that are not numbers are ``uncertain``."""
    scaled = logits / gate.temperature
    of_ten = softmax(scaled[:, : len(CATEGORIES)])
    outsides = softmax(scaled)[:, len(CATEGORIES)].tolist()
    predictions = []
    for probabilities, outside, embedding in zip(of_ten, outsides, embeddings, strict=True):
        best = int(probabilities.argmax())
        confidence = float(probabilities[best])
        verdict: Verdict = "classified" if confidence >= gate.min_confidence else "uncertain"
        if outside >= gate.min_outside:
            verdict = "outside"
        category = CATEGORIES[best] if verdict == "classified" else None
        predictions.append(
            Prediction(verdict, category, confidence, probabilities, outside, embedding)
        )
    return predictions
