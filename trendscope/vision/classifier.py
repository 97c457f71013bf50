"""Loads a network that names one garment in a picture, and gives calibrated predictions.

The network is a small residual CNN in Flax. Its weights are one safetensors file (a JSON header and
plain arrays, no pickle) that also holds the training data, the scores and the thresholds of the
gate.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Float32, UInt8

from trendscope.categories import CATEGORIES
from trendscope.vision.outputs import Variables, softmax
from trendscope.vision.predictions import PhotoPrediction, Prediction, Verdict
from trendscope.vision.preparation import Squaring
from trendscope.vision.programs import Forward, Program
from trendscope.vision.serialisation import read_weights
from trendscope.vision.weights import SHIPPED, Architecture, Gate, Header, find_weights

BATCH = 8
"""Pictures per network call. Fewer are padded to it, so that the network is not compiled again."""

LARGE_BATCH = 32
"""Pictures per network call where there are enough: saves a sixth of the time. A single one would
wait for all the padding."""

Outputs = tuple[Float32[np.ndarray, "n outputs"], Float32[np.ndarray, "n dense"]]
"""Logits and embeddings."""


class Classifier:
    """A network that names one garment in a photo, with its weights, ready to predict."""

    def __init__(self, header: Header, variables: Variables):
        self.header = header
        self._variables = jax.device_put(variables)
        self._program = Program(str(header.architecture), 2, partial(_network, header.architecture))
        self._preparation = Squaring(header.architecture.size)

    @classmethod
    def load(cls, weights: str | Path = "fashion-mnist") -> Classifier:
        """Loads shipped weights by name, or a weights file.

        Raises:
            WeightsError: There are none there, or they cannot be used.
        """
        path = find_weights(weights)
        return cls(*read_weights(path, check=path.parent != SHIPPED))

    @property
    def name(self) -> str:
        """The weights' name."""
        return self.header.name

    @property
    def decoded_side(self) -> int:
        """Longest side, in pixels, that pictures are decoded to."""
        return self._preparation.decoded_side

    def prepare(self, rgb: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "size size 3"]:
        """The whole picture, squared."""
        return self._preparation.prepare(rgb)

    def predict(self, views: Sequence[UInt8[np.ndarray, "size size 3"]]) -> list[PhotoPrediction]:
        """One prediction per picture, of its one garment; where it is stays open."""
        if not views:
            return []
        predictions = judge(*self.forward(np.stack(views)), self.header.gate)
        return [PhotoPrediction.of_one(prediction) for prediction in predictions]

    def forward(
        self, pixels: UInt8[np.ndarray, "n size size 3"], large: int = LARGE_BATCH
    ) -> Outputs:
        """Raw logits and embeddings, of `large` pictures at a time where there are as many.

        The result for one picture does not depend on the others.
        """
        logits = np.empty((len(pixels), self.header.architecture.outputs), np.float32)
        embeddings = np.empty((len(pixels), self.header.architecture.dense), np.float32)
        start = 0
        while start < len(pixels):
            batch = large if len(pixels) - start >= large else BATCH
            padded = np.zeros((batch, *pixels.shape[1:]), pixels.dtype)
            rows = slice(start, start + batch)
            n = len(pixels[rows])
            padded[:n] = pixels[rows]
            outputs, embedded = self._program(self._variables, padded)
            logits[rows], embeddings[rows] = outputs[:n], embedded[:n]
            start += n
        return logits, embeddings


def _network(architecture: Architecture) -> Forward:
    # Imported here, because loading Flax takes longer than looking at hundreds of pictures.
    from trendscope.vision.network import GarmentNet

    return GarmentNet(architecture).apply


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
