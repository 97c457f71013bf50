"""What the outputs of the networks mean, and their probabilities; known without loading Flax."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Float32

from trendscope.categories import CATEGORIES

ANOTHER_GARMENT = len(CATEGORIES)
NOTHING = ANOTHER_GARMENT + 1
CELL_OUTPUTS = NOTHING + 1
"""Of a cell: the ten categories, another garment, nothing."""

SEVERAL = CELL_OUTPUTS
PHOTO_OUTPUTS = SEVERAL + 1
"""Of a whole photo: those of a cell, and several garments."""

Variables = dict[str, Any]
"""Flax variables: ``params`` and the like, nested dicts of float32 arrays."""


def softmax(logits: Float[np.ndarray, "*n k"]) -> Float32[np.ndarray, "*n k"]:
    """Probabilities along the last axis; zeros where a logit is not a number."""
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    probabilities = shifted / shifted.sum(-1, keepdims=True)
    return np.nan_to_num(np.asarray(probabilities, np.float32))
