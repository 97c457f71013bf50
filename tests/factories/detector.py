"""A detector that needs no weights: every field in a category's colour is a garment of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from tests.factories.classifier import PALETTE
from trendscope.categories import CATEGORIES
from trendscope.photos import pipeline
from trendscope.vision.predictions import PhotoPrediction, Prediction

FAINT = 0.6
"""Shade of a colour, 0..1, in which a garment is not certain."""


@dataclass(frozen=True)
class Whole:
    """The whole picture, as it is."""

    pixels: np.ndarray


class FakeDetector:
    """Names every field of a category's colour; a darker one is only a candidate."""

    name = "fake-detector"
    decoded_side = 512

    @classmethod
    def load(cls, weights="fake-detector"):
        return cls()

    def prepare(self, rgb):
        return Whole(rgb)

    def predict(self, views):
        return [self._predict_one(view.pixels.astype(np.float64)) for view in views]

    def _predict_one(self, pixels):
        garments = found(pixels, PALETTE, 0.9, "classified")
        candidates = found(pixels, PALETTE * FAINT, 0.3, "uncertain")
        best = max((*garments, *candidates), key=lambda one: one.confidence, default=None)
        if best is None:
            even = np.full(10, 0.1, np.float32)
            best = Prediction("outside", None, 0.1, even, 0.9, np.zeros(4, np.float32))
        return PhotoPrediction(garments, candidates, best)


def found(pixels, colors, confidence, verdict):
    """A prediction for each field of some colours, in reading order."""
    predictions = []
    for number, color in enumerate(colors):
        rows, columns = np.nonzero(np.abs(pixels - color).sum(2) < 24)
        if len(rows) < 40:
            continue
        last = columns.max() + 1, rows.max() + 1
        box = tuple(int(at) for at in (columns.min(), rows.min(), *last))
        probabilities = np.full(10, (1 - confidence) / 9, np.float32)
        probabilities[number] = confidence
        look = np.array([*color, 50], np.float32)
        predictions.append(
            Prediction(verdict, CATEGORIES[number], confidence, probabilities, 0.01, look, box)
        )
    return tuple(sorted(predictions, key=lambda one: (one.box[1], one.box[0])))


def dressed(path, garments, size=(240, 320), faint=()):
    """Writes a photo of some garments: boxes by category; those in `faint` are uncertain."""
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for category, box in garments.items():
        shade = FAINT if category in faint else 1
        color = PALETTE[CATEGORIES.index(category)] * shade
        x0, y0, x1, y1 = box
        draw.rectangle((x0, y0, x1 - 1, y1 - 1), fill=tuple(int(part) for part in color))
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


def install():
    """Makes every command use it instead of the real classifier, without importing jax."""
    pipeline.resolve = lambda weights: FakeDetector()


if __name__ == "__main__":
    install()
    from trendscope.cli import main

    main()
