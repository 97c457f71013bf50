"""Loads the network that finds every garment, and turns photos into calibrated predictions.

A first look at a small square tells a photo of one garment from one of people. One garment is named
by what the whole photo looks like; of people, a second look at a larger size finds each garment.
Of pictures as small and grey as Fashion-MNIST's, the network that learned from these has a say too.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import fields, replace
from functools import cached_property
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from trendscope.categories import CATEGORIES
from trendscope.vision.classifier import Classifier
from trendscope.vision.detections import Box as Part
from trendscope.vision.detections import Garment, Look, garments, look, surest, surest_garments
from trendscope.vision.detector_weights import read_detector
from trendscope.vision.outputs import ANOTHER_GARMENT, SEVERAL, Variables, softmax
from trendscope.vision.predictions import (
    LEAST_CANDIDATE,
    Box,
    PhotoPrediction,
    Prediction,
    Verdict,
)
from trendscope.vision.preparation import Stretching, TwoSizes
from trendscope.vision.weights import DEFAULT, DetectorGate, DetectorHeader, find_weights

TOGETHER = 60_000
"""Pixels of the photos that are looked at together: what the network makes of more leaves the
processor's cache. On one core a single garment takes 7 ms alone, 6 in pairs and 9 in eights."""

CERTAIN = 0.3
"""Least confidence of cells that have a say in the box of a garment that is named."""

LEAST_SEVERAL = 0.5
"""Least probability of several garments from which on a photo is one of people. Held-out pictures
of one garment or none had at most .11, street photos at least .7, drawn figures more than .9."""

SAY_OF_PUBLISHED = 2 / 3
"""Weight of the opinion of the network of Fashion-MNIST on pictures like its own."""

TEN = len(CATEGORIES)


class PhotoDetector:
    """A network that finds every garment in a photo, with its weights, ready to predict."""

    def __init__(self, header: DetectorHeader, variables: Variables):
        self.header = header
        self._variables = jax.device_put(variables)
        self._preparation = Stretching(header.side, header.people)

    @classmethod
    def load(cls, weights: str | Path = DEFAULT) -> PhotoDetector:
        """Loads shipped weights by name, or a weights file.

        Raises:
            WeightsError: There are none there, or they cannot be used.
        """
        return cls(*read_detector(find_weights(weights)))

    @property
    def name(self) -> str:
        """The weights' name."""
        return self.header.name

    @property
    def decoded_side(self) -> int:
        """Longest side, in pixels, that pictures are decoded to."""
        return self._preparation.decoded_side

    def prepare(self, rgb: UInt8[np.ndarray, "h w 3"]) -> TwoSizes:
        """The picture in both sizes."""
        return self._preparation.prepare(rgb)

    def predict(self, views: Sequence[TwoSizes]) -> list[PhotoPrediction]:
        """One prediction per photo."""
        if not views:
            return []
        first = self.first_looks(views)
        people = [row for row, seen in enumerate(first) if shows_several(seen, self.header.gate)[0]]
        larger = self._looks([views[row].people for row in people])
        second = dict(zip(people, larger, strict=True))
        return [
            decided(first[row], second.get(row), self.header.gate, view.size)
            for row, view in enumerate(views)
        ]

    def first_looks(self, views: Sequence[TwoSizes]) -> list[Look]:
        """What is said of the small squares, each as a batch of one."""
        looks = self._looks([view.single for view in views])
        alike = [row for row, view in enumerate(views) if view.is_as_published]
        if alike:
            network = self._of_published
            pixels = np.stack([network.prepare(views[row].rgb) for row in alike])
            logits, _ = network.forward(pixels)
            of_ten = softmax(logits[:, :TEN] / network.header.gate.temperature)
            for row, probabilities in zip(alike, of_ten, strict=True):
                photo = agreed(looks[row].photo, probabilities)
                looks[row] = replace(looks[row], photo=photo)
        return looks

    @cached_property
    def _of_published(self) -> Classifier:
        """The network that learned from Fashion-MNIST alone."""
        return Classifier.load()

    def _looks(self, pixels: Sequence[UInt8[np.ndarray, "h w 3"]]) -> list[Look]:
        """What the network says of photos of one size, each as a batch of one."""
        if not pixels:
            return []
        seen = self.look(pixels)
        return [at(seen, row) for row in range(len(pixels))]

    def look(self, pixels: Sequence[UInt8[np.ndarray, "h w 3"]]) -> Look:
        """What the network says of photos, all of one size; at least one."""
        height, width = pixels[0].shape[:2]
        size = max(1, TOGETHER // (height * width)) if len(pixels) > 1 else 1
        parts = []
        for start in range(0, len(pixels), size):
            batch = list(pixels[start : start + size])
            # Filled up, so that the network is not compiled for every number of photos.
            seen = look(self._variables, np.stack(batch + batch[-1:] * (size - len(batch))))
            parts.append([getattr(seen, field.name)[: len(batch)] for field in fields(Look)])
        return Look(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def at(seen: Look, row: int) -> Look:
    """What the network says of one of some photos."""
    return Look(*(getattr(seen, field.name)[row : row + 1] for field in fields(Look)))


def agreed(
    photo: Float32[np.ndarray, "n outputs"], of_ten: Float32[np.ndarray, "*n 10"]
) -> Float32[np.ndarray, "n outputs"]:
    """Probabilities of photos, where another network has a say in which of the ten it is.

    The ten share what the photo's probabilities give them by a logarithmic opinion pool (Genest and
    Zidek, "Combining probability distributions", 1986).
    """
    pooled = photo[:, :TEN] ** (1 - SAY_OF_PUBLISHED) * of_ten**SAY_OF_PUBLISHED
    share = photo[:, :TEN].sum(-1, keepdims=True) / np.maximum(pooled.sum(-1, keepdims=True), 1e-30)
    return np.concatenate([share * pooled, photo[:, TEN:]], axis=-1)


def calibrated(
    probabilities: Float32[np.ndarray, "n outputs"], temperature: float
) -> Float32[np.ndarray, "n outputs"]:
    """Probabilities as a softmax of their logits divided by a temperature (Guo et al. 2017)."""
    return softmax(np.log(np.maximum(probabilities, 1e-9)).astype(np.float32) / temperature)


def shows_several(first: Look, gate: DetectorGate) -> Bool[np.ndarray, " n"]:
    """Whether the first look at photos tells several garments in each, as on people."""
    return np.asarray(calibrated(first.photo, gate.temperature)[:, SEVERAL] >= LEAST_SEVERAL)


def decided(
    first: Look, second: Look | None, gate: DetectorGate, size: tuple[int, int]
) -> PhotoPrediction:
    """The prediction for one photo.

    Args:
        first: The network's answer for the small square, as a batch of one.
        second: Its answer for the larger size; None unless the first shows several garments.
        size: Width and height of the picture in pixels, the unit of boxes.
    """
    if second is not None:
        return predict_people(second, gate, size)
    return predict_single(first, calibrated(first.photo, gate.temperature)[0], gate, size)


def predict_single(
    seen: Look,
    photo: Float32[np.ndarray, " outputs"],
    gate: DetectorGate,
    size: tuple[int, int],
) -> PhotoPrediction:
    """The prediction for a photo of one garment, or none.

    Args:
        seen: The network's answer for the photo, as a batch of one.
        photo: The same of the photo as a whole, calibrated.
        size: Width and height of the picture in pixels, the unit of boxes.
    """
    best = int(photo[:TEN].argmax())
    outside = float(photo[ANOTHER_GARMENT:SEVERAL].sum())
    verdict: Verdict = "uncertain"
    if photo[best] >= gate.single[CATEGORIES[best]]:
        verdict = "classified"
    elif outside >= 0.5:
        verdict = "outside"
    likely: list[int] = []
    if verdict == "uncertain":
        order = np.argsort(-photo[:TEN], kind="stable").tolist()
        likely = [i for i in order if photo[i] >= LEAST_CANDIDATE]
    places = _places(seen, {CATEGORIES[i] for i in (best, *likely)})
    somewhere = next(iter(places.values()), None)

    def prediction(category: int) -> Prediction:
        name = CATEGORIES[category]
        place = places.get(name, somewhere)
        return Prediction(
            verdict,
            name,
            float(photo[category]),
            _of_ten(photo[:TEN]),
            outside,
            place.embedding if place else seen.features[0].mean((0, 1)),
            pixels_of(place.box, size) if place else (0, 0, *size),
        )

    candidates = tuple(map(prediction, likely))
    whole = prediction(best)
    if verdict == "classified":
        return PhotoPrediction((whole,), (), whole)
    needed = gate.single[CATEGORIES[best]]
    return PhotoPrediction((), candidates, replace(whole, category=None, needed=needed))


def predict_people(seen: Look, gate: DetectorGate, size: tuple[int, int]) -> PhotoPrediction:
    """The prediction for a photo of people; arguments as for `predict_single`."""
    sure = garments(seen, min(CERTAIN, *gate.worn.values()))
    named = [each for each in sure if each.confidence >= gate.worn[each.category]]
    candidates_ = _candidates(seen, gate, {each.category for each in named})
    garments_ = tuple(_prediction(each, "classified", size) for each in named)
    candidates = tuple(
        replace(_prediction(each, "uncertain", size), needed=gate.worn[each.category])
        for each in candidates_
    )
    if garments_:
        whole = max(garments_, key=lambda each: each.confidence)
    else:
        whole = _unnamed(candidates, seen, size)
    return PhotoPrediction(garments_, candidates, whole)


def _candidates(seen: Look, gate: DetectorGate, named: Set[str]) -> list[Garment]:
    """Below its gate the surest garment of each category, the surest first.

    Of a category that no garment is of, nor named, it is that of the cell that shows it most
    likely, though something else is likelier there.
    """
    best: dict[str, Garment] = {}
    for each in surest_garments(seen, LEAST_CANDIDATE):
        if each.confidence < gate.worn[each.category]:
            best.setdefault(each.category, each)
    for category in CATEGORIES:
        if category not in named and category not in best:
            best[category] = surest(seen, category)
    return surest_first([each for each in best.values() if each.confidence >= LEAST_CANDIDATE])


def _unnamed(candidates: Sequence[Prediction], seen: Look, size: tuple[int, int]) -> Prediction:
    """The whole photo where no garment is named: it counts by the confidences of candidates."""
    if not candidates:
        photo = seen.photo[0]
        features, box = seen.features[0].mean((0, 1)), (0, 0, *size)
        of_ten = _of_ten(photo[:TEN])
        return Prediction("outside", None, float(of_ten.max()), of_ten, 1.0, features, box)
    worn = np.zeros(TEN, np.float32)
    for each in candidates:
        worn[CATEGORIES.index(each.category or "")] = each.confidence
    first = candidates[0]
    return replace(first, category=None, probabilities=_of_ten(worn))


def _places(seen: Look, wanted: Set[str]) -> dict[str, Garment]:
    """The surest garment of each wanted category that cells show, and of any surer ones."""
    places: dict[str, Garment] = {}
    for each in surest_garments(seen, LEAST_CANDIDATE):
        places.setdefault(each.category, each)
        if wanted <= places.keys():
            break
    return places


def surest_first(garments: Sequence[Garment]) -> list[Garment]:
    """Garments by confidence, falling."""
    return sorted(garments, key=lambda each: -each.confidence)


def _prediction(garment: Garment, verdict: Verdict, size: tuple[int, int]) -> Prediction:
    return Prediction(
        verdict,
        garment.category,
        garment.confidence,
        _of_ten(garment.probabilities[:TEN]),
        float(garment.probabilities[TEN:].sum()),
        garment.embedding,
        pixels_of(garment.box, size),
    )


def _of_ten(weights: Float32[np.ndarray, 10]) -> Float32[np.ndarray, 10]:
    return np.asarray(weights / weights.sum(), np.float32)


def pixels_of(box: Part, size: tuple[int, int]) -> Box:
    """A box of fractions in pixels of a picture of some width and height; at least one pixel."""
    width, height = size
    left, top, right, bottom = box
    x0, y0 = min(round(left * width), width - 1), min(round(top * height), height - 1)
    return x0, y0, max(x0 + 1, round(right * width)), max(y0 + 1, round(bottom * height))
