"""Cut-outs in, calibrated predictions out: the network, its weights file, and the gate.

The network is a small residual CNN in Flax. Its weights live in one safetensors file (a JSON header
and plain arrays, no pickle) that also says how inputs were prepared, what the network was trained
on, what it scored, and from which confidence on its word is to be taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Float32, UInt8

from trendscope.categories import CATEGORIES
from trendscope.vision.compilation import keep_compiled
from trendscope.vision.network import (
    LARGE_BATCH,
    Answer,
    Variables,
    make_predictor,
    softmax,
)
from trendscope.vision.predictions import Prediction, Verdict
from trendscope.vision.serialisation import _nested, _read_file, read_weights
from trendscope.vision.weights import DEFAULT, Gate, Header
from trendscope.vision.weights import SHIPPED as SHIPPED
from trendscope.vision.weights import find_weights as find_weights


class Classifier:
    """A network with its weights, ready to predict."""

    def __init__(self, header: Header, variables: Variables):
        self.header = header
        self._variables = jax.device_put(variables)
        self._answer = make_predictor(header.architecture)

    @classmethod
    def load(cls, weights: str | Path = DEFAULT) -> Classifier:
        """Loads shipped weights by name, or a weights file.

        Raises:
            WeightsError: There are none there, or they cannot be used.
        """
        keep_compiled()
        path = find_weights(weights)
        if path.parent == SHIPPED:
            # Their arrays are checked by the tests: to do it here takes a tenth of a second.
            header, arrays = _read_file(path)
            return cls(header, _nested(arrays))
        return cls(*read_weights(path))

    @property
    def name(self) -> str:
        """The weights' name."""
        return self.header.name

    @property
    def input_size(self) -> int:
        """Side of the cut-outs it takes, in pixels."""
        return self.header.architecture.size

    def predict(self, cut_outs: Sequence[UInt8[np.ndarray, "2 size size 4"]]) -> list[Prediction]:
        """Predicts for each cut-out; the result does not depend on what else is in the list."""
        if not cut_outs:
            return []
        return judge(*self.forward(np.stack(cut_outs)), self.header.gate)

    def forward(
        self, cut_outs: UInt8[np.ndarray, "n 2 size size 4"], large: int = LARGE_BATCH
    ) -> Answer:
        """Raw logits and embeddings of cut-outs, `large` at a time where there are as many."""
        return self._answer(self._variables, cut_outs, large)


def judge(
    logits: Float32[np.ndarray, "n outputs"], embeddings: Float32[np.ndarray, "n d"], gate: Gate
) -> list[Prediction]:
    """Turns logits into verdicts by the gate. Logits that are not numbers are ``uncertain``."""
    scaled = logits / gate.temperature
    ten = softmax(scaled[:, : len(CATEGORIES)])
    outside = softmax(scaled)[:, len(CATEGORIES)].tolist()
    predictions = []
    for likely, none, embedding in zip(ten, outside, embeddings, strict=True):
        best = int(likely.argmax())
        confidence = float(likely[best])
        verdict: Verdict = "classified" if confidence >= gate.min_confidence else "uncertain"
        if none >= gate.min_outside:
            verdict = "outside"
        named = CATEGORIES[best] if verdict == "classified" else None
        predictions.append(Prediction(verdict, named, confidence, likely, none, embedding))
    return predictions
