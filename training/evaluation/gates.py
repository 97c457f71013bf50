"""Fits, for each category, the confidence from which on garments are named.

How likely a guess is right is a logistic curve of its confidence, of one slope for all categories
and an offset for each; a rare category's offset is drawn towards that of all. One probability of
being right then gates all: the least at which enough of what is named is right. So no category is
silent for being rare. Of one that is hard to tell at least the surest guesses are named.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from trendscope.categories import CATEGORIES

DEVIATION = 0.5
"""Standard deviation, in logits, of the categories' offsets before any guess is seen: the smaller,
the more alike all categories are taken to be. Of .5, 1 and 2 it gave the most precise gates for
people."""

SLOPE_SCALE = 10.0
"""Logits are fitted times this, so that the slope is hardly drawn towards 0."""

LEAST, MOST = 0.3, 0.99
"""No gate is lower or higher: the curve says little where there are few guesses."""

ALWAYS = 0.05
"""Share of each category's guesses, the surest, that are named even if other categories' are as
likely right from a lower confidence on."""

LEAST_LIKELY = 0.7
"""How likely these must be right for it."""

FEW = 10
"""With fewer guesses a category is named as all are."""

MOST_WEIGHT = 4.0
"""A guess counts at most as so many, and at least as one part of so many."""


@dataclass(frozen=True)
class Guesses:
    """Garments that the network would name if their confidence sufficed.

    Attributes:
        confidence: Calibrated confidence of each, 0..1.
        category: Label index of each.
        right: Whether it is right.
        place: Number of the place whose pictures it is of, from 0.
        weight: How many guesses each stands for.
    """

    confidence: Float[np.ndarray, " n"]
    category: Int[np.ndarray, " n"]
    right: Bool[np.ndarray, " n"]
    place: Int[np.ndarray, " n"]
    weight: Float[np.ndarray, " n"]

    def take(self, rows: Bool[np.ndarray, " n"]) -> Guesses:
        """The guesses where `rows` is true."""
        return Guesses(*(getattr(self, each.name)[rows] for each in dataclasses.fields(Guesses)))


@dataclass(frozen=True)
class Rightness:
    """How likely guesses are right: a logistic curve over the logit of their confidence.

    Attributes:
        slope: Of the curve; positive where surer guesses are righter.
        of_category: Logit of the probability at even odds, by category, between the places.
        of_place: What each place adds to it.
    """

    slope: float
    of_category: Float[np.ndarray, " categories"]
    of_place: Float[np.ndarray, " places"]

    def probability(
        self, guesses: Guesses, of_place: Float[np.ndarray, " n"] | float
    ) -> Float[np.ndarray, " n"]:
        """The probability that each guess is right, by what its place adds."""
        offset = self.of_category[guesses.category] + of_place
        return np.asarray(1 / (1 + np.exp(-self.slope * logit(guesses.confidence) - offset)))

    def confidence_at(
        self, probability: Float[np.ndarray, " categories"]
    ) -> Float[np.ndarray, " categories"]:
        """The confidence at which guesses of each category are as likely right, in any place."""
        offset = self.of_category + self.of_place.min()
        at = (logit(probability) - offset) / max(self.slope, 1e-3)
        return np.asarray(1 / (1 + np.exp(-np.clip(at, -50, 50))))


def logit(probability: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Log of the odds, of probabilities from 1 to 9,999 in 10,000."""
    inside = np.clip(probability, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(inside / (1 - inside)))


def fitted_rightness(guesses: Guesses, deviation: float = DEVIATION) -> Rightness:
    """The likeliest curve, the offsets drawn towards their mean as by a normal prior.

    Half a guess that is right and half a wrong one, at even odds, are added, so that the curve is
    finite where all are right.
    """
    from sklearn.linear_model import LogisticRegression  # takes seconds, which few commands need

    categories, places = len(CATEGORIES), int(guesses.place.max()) + 1
    inputs = np.column_stack(
        [
            SLOPE_SCALE * logit(guesses.confidence),
            np.eye(categories)[guesses.category],
            np.eye(places)[guesses.place],
        ]
    )
    model = LogisticRegression(C=deviation**2, max_iter=1000)
    model.fit(
        np.vstack([inputs, np.zeros((2, inputs.shape[1]))]),
        np.append(guesses.right, [True, False]),
        np.append(guesses.weight, [0.5, 0.5]),
    )
    slope, of_category, of_place = np.split(model.coef_[0], [1, 1 + categories])
    return Rightness(
        SLOPE_SCALE * float(slope[0]), float(model.intercept_[0]) + of_category, of_place
    )


def fitted_gates(
    guesses: Guesses, precision: float, always: float = ALWAYS, deviation: float = DEVIATION
) -> dict[str, float]:
    """For each category the confidence from which on it is named.

    Args:
        guesses: Guesses of all categories.
        precision: Share of all that is named in each place that shall be right, by the curve.
        always: Share of each category's guesses that are named whatever others need.
        deviation: Of the categories' offsets, as `DEVIATION`.
    """
    if not len(guesses.confidence):
        return dict.fromkeys(CATEGORIES, MOST)
    rightness = fitted_rightness(guesses, deviation)
    # Nobody knows where a picture comes from, so each is named as if from the hardest place.
    hardest = rightness.probability(guesses, float(rightness.of_place.min()))
    likely = rightness.probability(guesses, rightness.of_place[guesses.place])
    # The surest of each category first; fewer of them where they are wrong too often for all.
    for part in (always, always / 2, always / 4, always / 8, 0.0):
        named = surest_of_each(hardest, guesses.category, part)
        first = np.where(hardest >= named[guesses.category], 1.0, hardest)
        order = np.argsort(-first, kind="stable")
        enough = np.arange(len(order)) >= (first == 1).sum() - 1
        for place in np.unique(guesses.place):
            weight = (guesses.weight * (guesses.place == place))[order]
            enough &= np.cumsum(weight * likely[order]) >= precision * np.cumsum(weight)
        if enough.any():
            break
    least = float(hardest[order][np.flatnonzero(enough)[-1]]) if enough.any() else MOST
    gates = np.clip(rightness.confidence_at(np.minimum(least, named)), LEAST, MOST)
    return dict(zip(CATEGORIES, gates.round(4).tolist(), strict=True))


def surest_of_each(
    likely: Float[np.ndarray, " n"], category: Int[np.ndarray, " n"], always: float
) -> Float[np.ndarray, " categories"]:
    """The probability from which on guesses of each category are named whatever others need.

    That of the surest part, `always`, of its guesses, unless these are less likely right than
    `LEAST_LIKELY`; 1 where there are fewer than `FEW`, or none is to be named.
    """
    least = np.ones(len(CATEGORIES))
    for number in np.unique(category).tolist():
        of_it = np.sort(likely[category == number])[::-1]
        if always and len(of_it) >= FEW:
            least[number] = max(float(of_it[math.ceil(always * len(of_it)) - 1]), LEAST_LIKELY)
    return least


def as_everywhere(kinds: Sequence[str], everywhere: Sequence[str]) -> Float[np.ndarray, " n"]:
    """Weights by which some pictures' kinds are as frequent as those of all pictures.

    Held-out customers may show fewer hats than all do. No weight is above `MOST_WEIGHT` or below
    its inverse.

    Args:
        kinds: Kind of each of some pictures.
        everywhere: Kind of each of all pictures, the same ones among them.
    """
    here = pd.Series(list(kinds)).value_counts(normalize=True)
    there = pd.Series(list(everywhere)).value_counts(normalize=True)
    ratio = (there / here).clip(1 / MOST_WEIGHT, MOST_WEIGHT)
    return pd.Series(list(kinds)).map(ratio).to_numpy(float)
