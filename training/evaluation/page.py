"""One self-contained HTML page about an evaluation: figures, charts, mistakes, layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from jinja2 import Environment, PackageLoader, StrictUndefined

from training.data import fashion_mnist
from training.evaluation import charts
from training.evaluation.layers import Layer, layers
from training.evaluation.metrics import Evaluation
from trendscope.categories import CATEGORIES
from trendscope.vision.predictions import Prediction
from trendscope.vision.weights import Header

MISTAKES = 24
SAMPLES = 20
"""Images shown of each category."""


@dataclass(frozen=True)
class Mistake:
    """An image whose most likely category is a wrong one.

    Attributes:
        number: Row of the image in the test set, from 0.
        picture: The image as a data URI.
        truth: The true category.
        predicted: The most likely one.
        bars: Every category with its probability, in label order.
    """

    number: int
    picture: str
    truth: str
    predicted: str
    bars: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Page:
    """All that the template shows; pictures and charts are data URIs.

    Attributes:
        evaluation: The figures.
        header: Header of the weights.
        curves: Chart of the training, None without a history.
        confusion: Chart of the confusion matrix.
        reliability: Chart of confidence against the share right.
        distribution: Chart of the images per category.
        samples: A strip of images by category.
        mistakes: The most confident ones, worst first.
        layers: Layers in the order of their calls.
    """

    evaluation: Evaluation
    header: Header
    curves: str | None
    confusion: str
    reliability: str
    distribution: str
    samples: Mapping[str, str]
    mistakes: Sequence[Mistake]
    layers: Sequence[Layer]


def page(
    evaluation: Evaluation,
    header: Header,
    parts: Mapping[str, fashion_mnist.Images],
    predictions: Sequence[Prediction],
    history: pd.DataFrame | None,
) -> Page:
    """Puts the page together.

    Args:
        evaluation: The figures.
        header: Header of the weights evaluated.
        parts: The parts of the data set by name; `predictions` are those of the one named ``test``.
        predictions: One per test image, in order.
        history: Epochs of the training as `training.train` logs them, if known.
    """
    counts = {
        name: np.bincount(images.labels, minlength=len(CATEGORIES))
        for name, images in parts.items()
    }
    return Page(
        evaluation=evaluation,
        header=header,
        curves=None if history is None else charts.curves(history),
        confusion=charts.confusion_matrix(evaluation.confusion),
        reliability=charts.reliability(evaluation.calibration),
        distribution=charts.distribution(counts),
        samples=samples(parts["test"]),
        mistakes=mistakes(parts["test"], predictions),
        layers=layers(header.architecture),
    )


def as_photographed(pixels: UInt8[np.ndarray, "*n 28 28"]) -> UInt8[np.ndarray, "*n 28 28"]:
    """Fashion-MNIST is published as a negative; this undoes it, for people's eyes only."""
    return np.uint8(255) - pixels


def samples(images: fashion_mnist.Images, count: int = SAMPLES) -> dict[str, str]:
    """The first `count` images of each category, side by side."""
    strips = {}
    for label, category in enumerate(CATEGORIES):
        pixels = images.pixels[images.labels == label][:count]
        if len(pixels):
            strips[category] = charts.picture(np.concatenate(as_photographed(pixels), axis=1))
    return strips


def mistakes(
    images: fashion_mnist.Images, predictions: Sequence[Prediction], count: int = MISTAKES
) -> list[Mistake]:
    """The wrong predictions with the highest confidence, highest first, gate or no gate."""
    predicted = np.array([prediction.probabilities.argmax() for prediction in predictions])
    wrong = np.flatnonzero(predicted != images.labels)
    confidence = np.array([prediction.confidence for prediction in predictions])[wrong]
    worst = wrong[np.argsort(-confidence, kind="stable")][:count].tolist()
    return [
        Mistake(
            number=i,
            picture=charts.picture(as_photographed(images.pixels[i])),
            truth=CATEGORIES[images.labels[i]],
            predicted=CATEGORIES[predicted[i]],
            bars=tuple(zip(CATEGORIES, map(float, predictions[i].probabilities), strict=True)),
        )
        for i in worst
    ]


def render(template: str, page: object) -> str:
    """The page as HTML that loads nothing from elsewhere; every text is escaped."""
    environment = Environment(
        loader=PackageLoader("training.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(page=page)
