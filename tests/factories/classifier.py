"""A classifier that needs no weights: it names the category whose colour the garment has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from trendscope.categories import CATEGORIES
from trendscope.photos import pipeline
from trendscope.vision.predictions import PhotoPrediction, Prediction
from trendscope.vision.preparation import Stretching

COLORS = (
    "#4E79A7",
    "#F28E2B",
    "#59A14F",
    "#E15759",
    "#B07AA1",
    "#76B7B2",
    "#EDC948",
    "#9C755F",
    "#FF9DA7",
    "#79706E",
)
"""What it takes for each category, in label order."""
PALETTE = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in COLORS], np.float64)


class FakeClassifier:
    """Nearest category colour in the middle; black is uncertain, white outside."""

    name = "fake"
    decoded_side = 256

    def __init__(self):
        self.batches = []

    @classmethod
    def load(cls, weights="fake"):
        return cls()

    def prepare(self, rgb):
        return Stretching(28, (42, 28)).prepare(rgb)

    def predict(self, views):
        self.batches.append(len(views))
        return [
            PhotoPrediction.of_one(replace(self._predict_one(view.single), box=middle(view.size)))
            for view in views
        ]

    def _predict_one(self, pixels):
        side = len(pixels)  # Whatever the weights want that it stands for.
        assert pixels.shape == (side, side, 3) and pixels.dtype == np.uint8
        inner = slice(10 * side // 28, 18 * side // 28)
        colour = pixels[inner, inner].reshape(-1, 3).mean(0)
        best = int(np.abs(PALETTE - colour).sum(1).argmin())
        probabilities = np.full(10, 0.01, np.float32)
        verdict, category, probabilities[best], outside = "classified", CATEGORIES[best], 0.9, 0.01
        if colour.max() < 40:
            verdict, category, probabilities[best], outside = "uncertain", None, 0.3, 0.1
        elif colour.min() > 235:
            verdict, category, probabilities[best], outside = "outside", None, 0.05, 0.86
        confidence = float(probabilities[best])
        # Pictures of like colours look alike.
        embedding = np.array([*colour, 50], np.float32)
        return Prediction(verdict, category, confidence, probabilities, outside, embedding)


def middle(size):
    """The box of what lies in the middle of a picture: half its width and height."""
    width, height = size
    return width // 4, height // 4, 3 * width // 4, 3 * height // 4


def install():
    """Makes every command use it instead of the real one, without importing jax."""
    pipeline.resolve = lambda weights: FakeClassifier()


class Other(FakeClassifier):
    """Other weights, which take everything for a bag."""

    name = "other"

    def _predict_one(self, pixels):
        found = super()._predict_one(pixels)
        return Prediction("classified", "Bag", 0.7, found.probabilities, 0.0, found.embedding)


@dataclass(frozen=True)
class Bands:
    """A picture as `Outfits` takes it in."""

    pixels: np.ndarray


class Outfits(FakeClassifier):
    """Sees up to three garments side by side: a third of the picture each, by its colour.

    A black third may be a coat, a white one is nothing.
    """

    name = "outfits"

    def prepare(self, rgb):
        return Bands(rgb)

    def predict(self, views):
        self.batches.append(len(views))
        return [self._outfit(view.pixels) for view in views]

    def _outfit(self, rgb):
        height, width = rgb.shape[:2]
        edges = [width * i // 3 for i in range(4)]
        thirds = [
            self._third(rgb[:, left:right], (left, 0, right, height))
            for left, right in pairwise(edges)
        ]
        named = tuple(each for each in thirds if each.verdict == "classified")
        unsure = [each for each in thirds if each.verdict == "uncertain"]
        if named:
            whole = max(named, key=lambda each: each.confidence)
        else:
            whole = replace((unsure or thirds)[0], category=None)
        return PhotoPrediction(named, tuple(unsure[:1]), whole)

    def _third(self, rgb, box):
        flat = np.tile(rgb.reshape(-1, 3).mean(0).astype(np.uint8), (28, 28, 1))
        prediction = replace(self._predict_one(flat), box=box)
        return (
            replace(prediction, category="Coat")
            if prediction.verdict == "uncertain"
            else prediction
        )


if __name__ == "__main__":
    install()
    from trendscope.cli import main

    main()
