"""Scores a detector on the 10,000 test images of Fashion-MNIST; nothing is chosen by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from training.data import fashion_mnist
from training.evaluation import metrics
from training.evaluation.metrics import rounded
from trendscope.categories import CATEGORIES
from trendscope.vision.photo_detector import PhotoDetector

BATCH = 200
"""Images prepared at a time."""


def published_scores(
    detector: PhotoDetector, key: str, folder: Path, images: fashion_mnist.Images | None = None
) -> dict[str, Any]:
    """Accuracy of the likeliest of the ten, and recall by category.

    Args:
        detector: The network.
        key: Says which weights these are.
        folder: Where its answers are kept, as by `training.evaluation.looks.kept_looks`.
        images: Images to score on; by default the official 10,000.
    """
    test = images or fashion_mnist.load("test")
    path = folder / f"published-{key[:16]}-{detector.header.side}.npy"
    if path.is_file():
        photo = np.load(path)
    else:
        photo = answers(detector, test.pixels)
        np.save(path, photo)
    best = photo[:, : len(CATEGORIES)].argmax(-1)
    rows = metrics.per_class(metrics.confusion(test.labels, best))
    return {
        "images": len(test),
        "accuracy": rounded((best == test.labels).mean()),
        "recall": {row.category: row.recall for row in rows},
    }


def answers(
    detector: PhotoDetector, pixels: UInt8[np.ndarray, "n 28 28"]
) -> Float32[np.ndarray, "n photo_outputs"]:
    """Probabilities of whole pictures, prepared as the product prepares them."""
    rgb = np.repeat(pixels[..., None], 3, -1)
    looks = [
        look
        for start in range(0, len(rgb), BATCH)
        for look in detector.first_looks(
            [detector.prepare(image) for image in rgb[start : start + BATCH]]
        )
    ]
    return np.concatenate([look.photo for look in looks])
