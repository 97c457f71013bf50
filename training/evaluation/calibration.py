"""Fits the confidence scale and the gate on examples that the network was not trained on."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from trendscope.vision.outputs import softmax
from trendscope.vision.weights import Gate

PRECISION = 0.96
"""Share of the named garments that must be right. A gate fitted on half of the held-out customers
keeps .01 less than this on the others."""

MAX_OTHERS_NAMED = 0.05
"""Share of other things that may be named as garments."""

OUTSIDE = 0.5


def fit_temperature(logits: Float[np.ndarray, "n k"], targets: Float[np.ndarray, "n k"]) -> float:
    """The temperature in 0.3..5 at which the right outputs are likeliest (Guo et al. 2017).

    Args:
        logits: Raw scores.
        targets: 1 for each output that counts as right, several where a label leaves it open.
    """

    def loss(temperature: float) -> float:
        likelihood = (softmax(logits / temperature) * targets).sum(-1)
        return -float(np.log(np.maximum(likelihood, 1e-9)).mean())

    return round(float(min(np.geomspace(0.3, 5.0, 141), key=loss)), 3)


def fit_gate(
    logits: Float[np.ndarray, "n outputs"],
    targets: Float[np.ndarray, "n outputs"],
    precision: float = PRECISION,
    max_others: float = MAX_OTHERS_NAMED,
) -> Gate:
    """The lowest confidence at which garments are named rightly and other things seldom.

    From it on at least `precision` of the named garments are right, and at most `max_others` of the
    other things are named: apart from each other, since how many other things there are depends on
    the feed. The temperature is that of the ten categories, on examples that show one of them: with
    "outside" among them, easy examples of that would make all look surer. Where no confidence will
    do, nothing is ever named (the threshold is above 1).
    """
    of_ten = targets[:, -1] == 0
    temperature = (
        fit_temperature(logits[of_ten, :-1], targets[of_ten, :-1]) if of_ten.any() else 1.0
    )
    probabilities = softmax(logits[:, :-1] / temperature)
    confidence = probabilities.max(-1)
    correct = np.take_along_axis(targets, probabilities.argmax(-1)[:, None], -1)[:, 0] > 0
    not_outside = softmax(logits / temperature)[:, -1] < OUTSIDE
    threshold = max(
        lowest_confidence(
            confidence[of_ten & not_outside], correct[of_ten & not_outside], precision
        ),
        # Of other things, none of those judged outside is named.
        least_above(np.where(not_outside, confidence, 0.0)[~of_ten], max_others),
    )
    return Gate(temperature=temperature, min_outside=OUTSIDE, min_confidence=threshold)


def least_above(confidence: Float[np.ndarray, " n"], share: float) -> float:
    """The lowest threshold, in steps of 1/10,000, that at most `share` of the examples reach."""
    allowed = int(share * len(confidence))
    if allowed >= len(confidence):
        return 0.0
    return round(float(np.floor(np.sort(confidence)[::-1][allowed] * 1e4) + 1) / 1e4, 4)


def lowest_confidence(
    confidence: Float[np.ndarray, " n"], correct: Bool[np.ndarray, " n"], precision: float
) -> float:
    """The lowest threshold whose accepted examples, all together, reach `precision`; else 1.01."""
    order = np.argsort(-confidence, kind="stable")
    reached = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)
    # Equal confidences are accepted together or not at all.
    last_of_equals = np.append(np.diff(confidence[order]) != 0, True)
    enough = np.flatnonzero((reached >= precision) & last_of_equals)
    # Rounded up, so that nothing below the threshold slips in.
    if not len(enough):
        return 1.01
    return round(float(np.ceil(confidence[order][enough[-1]] * 1e4) / 1e4), 4)
