"""Loads the network of a weights file, whichever kind it is."""

from __future__ import annotations

from pathlib import Path

from trendscope.vision.classifier import Classifier
from trendscope.vision.photo_detector import PhotoDetector
from trendscope.vision.predictions import Predictor
from trendscope.vision.weights import DEFAULT, DetectorHeader, find_weights, read_header


def load_predictor(weights: str | Path = DEFAULT) -> Predictor:
    """Loads shipped weights by name, or a weights file.

    Raises:
        WeightsError: There are none there, or they cannot be used.
    """
    path = find_weights(weights)
    if isinstance(read_header(path), DetectorHeader):
        return PhotoDetector.load(path)
    return Classifier.load(path)
