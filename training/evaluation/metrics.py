"""Figures that say how good a classifier is, from labels and probabilities alone.

`Evaluation` is what one evaluation found; it is written as `evaluation.json` and read back by the
export. All shares, probabilities and scores are fractions 0..1.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from trendscope.categories import CATEGORIES

CALIBRATION_BINS = 15
"""As in Guo et al. 2017, so that figures compare with published ones."""

DECIMALS = 4
"""Of every figure that is printed or stored; on 10,000 images the accuracy is exact with them."""


@dataclass(frozen=True)
class ClassScore:
    """One category's row: `support` images show it, and `f1` is the harmonic mean of the others."""

    category: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class CalibrationBin:
    """Predictions of like confidence: how sure they were on average, and how often right.

    Attributes:
        low: Confidences in the bin are above it.
        high: And at most this.
        count: Predictions in the bin; where it is 0, so are the means.
        confidence: Mean confidence of the predictions.
        accuracy: The share that was right.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class GateScore:
    """How many images got each verdict, and the share of the classified ones that was right."""

    classified: int
    uncertain: int
    outside: int
    precision: float


@dataclass(frozen=True)
class Evaluation:
    """What some weights scored on some labelled images, each counted once.

    Attributes:
        weights: Name of the weights.
        digest: Digest of everything that determines a prediction
            (`training.evaluate.weights_digest`).
        data: Name of the images' data set and split.
        data_digest: sha256 over its pixels and labels.
        images: Number of images.
        accuracy: Share whose most likely category of the ten is the right one, gate or no gate.
        loss: Mean cross-entropy in nats over all outputs, at temperature 1.
        calibration_error: Expected calibration error of the confidence that predictions carry.
        raw_calibration_error: Calibration error at temperature 1.
        gate: Counts of the gate's verdicts.
        classes: A row per category, in label order.
        confusion: Images by true category (row) and most likely category (column).
        calibration: The bins behind `calibration_error`.
        parameters: Trained numbers in the network.
        file_bytes: Size of the weights file.
        images_per_second: Through the network in batches, cut-outs ready in memory.
    """

    weights: str
    digest: str
    data: str
    data_digest: str
    images: int
    accuracy: float
    loss: float
    calibration_error: float
    raw_calibration_error: float
    gate: GateScore
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    calibration: tuple[CalibrationBin, ...]
    parameters: int
    file_bytes: int
    images_per_second: int
    schema_version: int = 1

    def to_json(self) -> str:
        """The evaluation as one JSON document."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Evaluation:
        """Reads `to_json`'s form; raises ValueError, TypeError or KeyError on any other."""
        values = json.loads(text)
        values["gate"] = GateScore(**values["gate"])
        values["classes"] = tuple(ClassScore(**row) for row in values["classes"])
        values["confusion"] = tuple(tuple(row) for row in values["confusion"])
        values["calibration"] = tuple(CalibrationBin(**row) for row in values["calibration"])
        return cls(**values)


def rounded(value: float) -> float:
    """A figure with as many decimals as are printed."""
    return round(float(value), DECIMALS)


def share(part: float | int, whole: float | int) -> float:
    """`part / whole`, and 0 where there is nothing to share."""
    return part / whole if whole else 0.0


def cross_entropy(logits: Float[np.ndarray, "n k"], labels: Int[np.ndarray, " n"]) -> float:
    """Mean over images of minus the log (natural) of the right output's probability."""
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return float(-np.take_along_axis(log_p, labels[:, None], -1).mean())


def confusion(
    labels: Int[np.ndarray, " n"], predicted: Int[np.ndarray, " n"], classes: int = len(CATEGORIES)
) -> Int[np.ndarray, "classes classes"]:
    """Counts images by label (row) and prediction (column)."""
    counts = np.bincount(labels * classes + predicted, minlength=classes**2)
    return counts.reshape(classes, classes)


def per_class(
    counts: Int[np.ndarray, "k k"], names: Sequence[str] = CATEGORIES
) -> tuple[ClassScore, ...]:
    """Precision, recall, F1 and support of each class from a confusion matrix.

    A class that is never predicted has precision 0, one without images recall 0.
    """
    rows = []
    for i, name in enumerate(names):
        hits, predicted, support = int(counts[i, i]), int(counts[:, i].sum()), int(counts[i].sum())
        precision, recall, f1 = (
            rounded(share(part, whole))
            for part, whole in ((hits, predicted), (hits, support), (2 * hits, predicted + support))
        )
        rows.append(ClassScore(name, precision, recall, f1, support))
    return tuple(rows)


def calibration(
    confidence: Float[np.ndarray, " n"],
    correct: Bool[np.ndarray, " n"],
    bins: int = CALIBRATION_BINS,
) -> tuple[CalibrationBin, ...]:
    """Predictions in bins of equal width, each open below and closed above."""
    edges = np.linspace(0, 1, bins + 1)
    at = np.digitize(confidence, edges[1:-1], right=True)
    table = []
    for i in range(bins):
        in_bin = at == i
        count = int(in_bin.sum())
        sure = share(float(confidence[in_bin].sum(dtype=np.float64)), count)
        right = share(int(correct[in_bin].sum()), count)
        table.append(CalibrationBin(float(edges[i]), float(edges[i + 1]), count, sure, right))
    return tuple(table)


def calibration_error(table: Sequence[CalibrationBin]) -> float:
    """Expected calibration error: the mean gap of confidence and accuracy over all predictions.

    Formula 3 of Guo et al. 2017, "On Calibration of Modern Neural Networks".
    """
    gaps = sum(row.count * abs(row.confidence - row.accuracy) for row in table)
    return share(gaps, sum(row.count for row in table))


def gate_score(verdicts: Sequence[str], correct: Bool[np.ndarray, " n"]) -> GateScore:
    """Counts the verdicts; `correct` says whether the most likely category was the right one."""
    verdict = np.array(verdicts)
    named = verdict == "classified"
    return GateScore(
        classified=int(named.sum()),
        uncertain=int((verdict == "uncertain").sum()),
        outside=int((verdict == "outside").sum()),
        precision=rounded(share(int((named & correct).sum()), int(named.sum()))),
    )
