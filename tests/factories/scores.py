"""Labelled photos and what the network says of them."""

from __future__ import annotations

import numpy as np

from training.evaluation import photo_metrics
from training.evaluation.photo_metrics import Judged
from trendscope.categories import CATEGORIES
from trendscope.vision.predictions import Prediction

SHOES = "Sandal|Sneaker|Ankle boot"


def judged(
    allowed, guess, confidence=0.9, verdict="classified", customer="ann", place="home", label=""
):
    """A photo: its label as in the CSV, and what the product says of it."""
    rest = (1 - confidence) / 10
    p = np.full(10, rest if verdict != "outside" else 0.005, np.float32)
    p[CATEGORIES.index(guess)] = confidence
    category = guess if verdict == "classified" else None
    result = Prediction(
        verdict, category, confidence, p, 1 - float(p.sum()), np.zeros(1, np.float32)
    )
    names = tuple(name for name in CATEGORIES if name in allowed.split("|"))
    return Judged(f"{place}/{customer}.jpg", place, customer, label, names, result)


PHOTOS = [
    judged("Dress", "Dress", 0.9),
    judged("Dress", "Coat", 0.8),
    judged(SHOES, "Sneaker", 0.6, "uncertain", customer="ben"),
    judged("Bag", "Bag", 0.3, "outside"),
    judged("", "Bag", 0.7, label="Hat"),
    judged("", "Bag", 0.2, "outside", label="Hat"),
    judged("", "Shirt", 0.55, place="shop"),
]

FOUND = photo_metrics.evaluation("small", "abc", "all customers", PHOTOS, ["x.jpg: empty"])
