"""Figures that say how good a classifier is on labelled photos, from its predictions alone.

`PhotoEvaluation` is what one evaluation found; it is written as `photos.json` and read back by the
export. All shares, probabilities and scores are fractions 0..1; None where nothing was counted.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.evaluation import metrics
from training.evaluation.metrics import CalibrationBin, rounded
from trendscope.categories import CATEGORIES, GROUP
from trendscope.proportions import estimated_shares, sum_exactly, wilson
from trendscope.vision.predictions import Prediction

OTHER_THINGS = "other things"
"""The group of photos that show none of the ten."""

OUTSIDE = "outside"
ANSWERS = (*CATEGORIES, OUTSIDE)
"""Columns of the confusion matrix."""

LEAST_PHOTOS = 10
"""A customer's shares are judged from so many photos of the ten on; fewer say too little."""

THRESHOLDS = 100
"""Steps of confidence, from 0 to 1, of the curve of coverage and precision."""


@dataclass(frozen=True)
class Judged:
    """A labelled photo and what the product said of it.

    Attributes:
        file: Path.
        place: Name of the place it was read from.
        customer: Name of the customer who took it.
        label: Description by the person who labelled it; may be empty.
        allowed: The categories that count as right, in label order; none for other things.
        prediction: The product's.
    """

    file: str
    place: str
    customer: str
    label: str
    allowed: tuple[str, ...]
    prediction: Prediction

    @property
    def of_the_ten(self) -> bool:
        """Whether its label is one of the ten."""
        return bool(self.allowed)

    @property
    def group(self) -> str:
        """The groups that count as right, joined by " / "; `OTHER_THINGS` if none does."""
        return " / ".join(dict.fromkeys(GROUP[name] for name in self.allowed)) or OTHER_THINGS

    @property
    def guess(self) -> str:
        """The most likely of the ten, named or not."""
        return CATEGORIES[int(self.prediction.probabilities.argmax())]

    @property
    def guess_is_right(self) -> bool:
        """Whether the most likely of the ten is an allowed one."""
        return self.guess in self.allowed

    @property
    def named(self) -> bool:
        """Whether the product names a category."""
        return self.prediction.verdict == "classified"

    @property
    def named_rightly(self) -> bool:
        """Whether the product names an allowed category."""
        return self.prediction.category in self.allowed

    @property
    def answer(self) -> str:
        """One of `ANSWERS`: outside where that is the verdict, else the most likely of the ten."""
        return OUTSIDE if self.prediction.verdict == "outside" else self.guess


# --- what was found ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Share:
    """A share with its Wilson 95 % interval: `part` of `whole` photos.

    Photos of one customer resemble each other, so the truth lies outside more often than 1 in 20.
    """

    part: int
    whole: int
    share: float | None
    low: float
    high: float


@dataclass(frozen=True)
class NamedShare:
    """The share of one group, place or label."""

    name: str
    share: Share


@dataclass(frozen=True)
class CurvePoint:
    """What a gate at some confidence would give; photos judged outside are never named.

    Attributes:
        confidence: Predictions at least this sure are named.
        coverage: Share of the photos of the ten that are named.
        precision: Share of these that is named rightly; None where none is named.
        precision_of_all: Precision when other things that are named count as wrong too.
    """

    confidence: float
    coverage: float
    precision: float | None
    precision_of_all: float | None


@dataclass(frozen=True)
class CustomerShares:
    """What a customer wears, by the labels and by what the product names.

    Attributes:
        customer: The name.
        photos: Photos of the ten.
        named: Photos of any kind that the product names.
        labelled: Share of each group among the labels.
        said: Each group's share as profiles say it; 0 everywhere where none is named.
        error: Mean absolute difference of the two over the groups.
    """

    customer: str
    photos: int
    named: int
    labelled: Mapping[str, float]
    said: Mapping[str, float]
    error: float


@dataclass(frozen=True)
class PhotoEvaluation:
    """What some weights scored on labelled photos, each counted once.

    Attributes:
        weights: Name of the weights.
        digest: Digest of everything that determines a prediction
            (`training.evaluate.weights_digest`).
        scored_on: Whose photos they are, such as ``customers of fold 0 of 3, never trained on``.
        photos: Number of photos that could be read and were judged.
        customers: Number of customers who took them.
        of_the_ten: Photos that show one of the ten.
        accuracy: Share of these whose most likely category is an allowed one.
        group_accuracy: Mean over groups of that share.
        groups: That share of each group of allowed categories.
        coverage: Share of the photos of the ten that the product names.
        coverage_by_group: That share of each group. Where it differs, shares of what is named are
            not the shares of what was worn.
        precision: Share of these that is named rightly.
        precision_of_all: Precision when other things that are named count as wrong too.
        others_named: Share of the photos of other things that the product names as one of the ten.
        others_by_place: That share of each place.
        others_by_label: That share of each label, the commonest first; empty without labels.
        calibration_error: Expected, of the confidence on photos of the ten.
        calibration: The bins behind it.
        confusion: Photos by group; a count for each of `ANSWERS`.
        curve: Coverage and precision at other gates.
        share_error: Mean over the customers of `customer_shares` of their errors.
        customer_shares: Customers with at least `LEAST_PHOTOS` of the ten, largest error first.
        refused: A line for each photo that could not be read, with the reason.
    """

    weights: str
    digest: str
    scored_on: str
    photos: int
    customers: int
    of_the_ten: int
    accuracy: Share
    group_accuracy: float | None
    groups: tuple[NamedShare, ...]
    coverage: Share
    coverage_by_group: tuple[NamedShare, ...]
    precision: Share
    precision_of_all: Share
    others_named: Share
    others_by_place: tuple[NamedShare, ...]
    others_by_label: tuple[NamedShare, ...]
    calibration_error: float | None
    calibration: tuple[CalibrationBin, ...]
    confusion: Mapping[str, tuple[int, ...]]
    curve: tuple[CurvePoint, ...]
    share_error: float | None
    customer_shares: tuple[CustomerShares, ...]
    refused: tuple[str, ...]
    schema_version: int = 1

    def to_json(self) -> str:
        """The evaluation as one JSON document."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> PhotoEvaluation:
        """Reads `to_json`'s form; raises ValueError, TypeError or KeyError on any other."""
        values = json.loads(text)
        for name in _SHARES:
            values[name] = Share(**values[name])
        for name in _NAMED_SHARES:
            rows = values[name]
            values[name] = tuple(NamedShare(row["name"], Share(**row["share"])) for row in rows)
        values["calibration"] = tuple(CalibrationBin(**row) for row in values["calibration"])
        values["confusion"] = {name: tuple(row) for name, row in values["confusion"].items()}
        values["curve"] = tuple(CurvePoint(**row) for row in values["curve"])
        rows = values["customer_shares"]
        values["customer_shares"] = tuple(CustomerShares(**row) for row in rows)
        values["refused"] = tuple(values["refused"])
        return cls(**values)


_SHARES = ("accuracy", "coverage", "precision", "precision_of_all", "others_named")
_NAMED_SHARES = ("groups", "coverage_by_group", "others_by_place", "others_by_label")


# --- how it is worked out ------------------------------------------------------------------------


def evaluation(
    weights: str, digest: str, scored_on: str, judged: Sequence[Judged], refused: Sequence[str]
) -> PhotoEvaluation:
    """Works out every figure; see `PhotoEvaluation` for what the arguments are."""
    ten = [photo for photo in judged if photo.of_the_ten]
    others = [photo for photo in judged if not photo.of_the_ten]
    groups = shares_by(ten, lambda photo: photo.group, lambda photo: photo.guess_is_right)
    labelled = [photo for photo in others if photo.label]
    bins = calibration(ten)
    customers = customer_shares(judged)
    return PhotoEvaluation(
        weights=weights,
        digest=digest,
        scored_on=scored_on,
        photos=len(judged),
        customers=len({photo.customer for photo in judged}),
        of_the_ten=len(ten),
        accuracy=share_of(photo.guess_is_right for photo in ten),
        group_accuracy=mean([row.share.part / row.share.whole for row in groups]),
        groups=groups,
        coverage_by_group=shares_by(ten, lambda photo: photo.group, lambda photo: photo.named),
        coverage=share_of(photo.named for photo in ten),
        precision=share_of(photo.named_rightly for photo in ten if photo.named),
        precision_of_all=share_of(photo.named_rightly for photo in judged if photo.named),
        others_named=share_of(photo.named for photo in others),
        others_by_place=shares_by(others, lambda photo: photo.place, lambda photo: photo.named),
        others_by_label=shares_by(labelled, lambda photo: photo.label, lambda photo: photo.named),
        calibration_error=rounded(metrics.calibration_error(bins)) if ten else None,
        calibration=bins,
        confusion=confusion(judged),
        curve=curve(judged),
        share_error=mean([row.error for row in customers]),
        customer_shares=customers,
        refused=tuple(refused),
    )


def share(part: int, whole: int) -> Share:
    """A share with its interval (`trendscope.proportions.wilson`), rounded as it is printed."""
    low, high = (float(bound) for bound in wilson(np.array(float(part)), np.array(float(whole))))
    result = rounded(part / whole) if whole else None
    return Share(part, whole, result, rounded(low), rounded(high))


def share_of(outcomes: Iterable[bool]) -> Share:
    """The share of outcomes that are true."""
    values = list(outcomes)
    return share(sum(values), len(values))


def shares_by(
    photos: Sequence[Judged], key: Callable[[Judged], str], outcome: Callable[[Judged], bool]
) -> tuple[NamedShare, ...]:
    """The share of photos for which `outcome` holds, by `key`; the commonest first."""
    whole = Counter(key(photo) for photo in photos)
    part = Counter(key(photo) for photo in photos if outcome(photo))
    return tuple(NamedShare(name, share(part[name], n)) for name, n in whole.most_common())


def mean(values: Sequence[float]) -> float | None:
    """The rounded mean; None of nothing."""
    return rounded(sum(values) / len(values)) if values else None


def calibration(ten: Sequence[Judged]) -> tuple[CalibrationBin, ...]:
    """Bins of the confidence in the most likely category, on photos of the ten."""
    confidence = np.array([photo.prediction.confidence for photo in ten], np.float64)
    return metrics.calibration(confidence, np.array([photo.guess_is_right for photo in ten], bool))


def confusion(judged: Sequence[Judged]) -> dict[str, tuple[int, ...]]:
    """Photos of each group by answer, in the order of `ANSWERS`; other things last."""
    order = {name: i for i, name in enumerate(dict.fromkeys(GROUP.values()))}
    counts = Counter((photo.group, photo.answer) for photo in judged)
    groups = {photo.group for photo in judged}
    rows = sorted(groups, key=lambda g: (g == OTHER_THINGS, order.get(g, len(order)), g))
    return {row: tuple(counts[row, answer] for answer in ANSWERS) for row in rows}


def curve(judged: Sequence[Judged], steps: int = THRESHOLDS) -> tuple[CurvePoint, ...]:
    """What gates from confidence 0 to 1 would give; `steps` + 1 points."""
    not_outside = [photo for photo in judged if photo.prediction.verdict != "outside"]
    confidence = np.array([photo.prediction.confidence for photo in not_outside], np.float64)
    correct = np.array([photo.guess_is_right for photo in not_outside], bool)
    ten = np.array([photo.of_the_ten for photo in not_outside], bool)
    total = sum(photo.of_the_ten for photo in judged)

    def point(threshold: float) -> CurvePoint:
        named = confidence >= threshold
        hits, of_ten, of_all = (int(x.sum()) for x in (named & correct, named & ten, named))
        return CurvePoint(
            threshold,
            rounded(metrics.share(of_ten, total)),
            rounded(hits / of_ten) if of_ten else None,
            rounded(hits / of_all) if of_all else None,
        )

    return tuple(point(i / steps) for i in range(steps + 1))


def customer_shares(
    judged: Sequence[Judged], least: int = LEAST_PHOTOS
) -> tuple[CustomerShares, ...]:
    """Each customer's shares, labelled and said, largest error first.

    The groups are those that the labels of `judged` show. What the product says is estimated as in
    its profiles (`trendscope.proportions.estimated_shares`), from photos of other things as well.
    Photos whose label leaves it open between groups are left out of both.

    Args:
        judged: Photos of all customers.
        least: Customers with fewer photos of the ten are left out.
    """
    clear = [photo for photo in judged if not photo.of_the_ten or photo.group in GROUP.values()]
    shown = {photo.group for photo in clear if photo.of_the_ten}
    groups = [group for group in dict.fromkeys(GROUP.values()) if group in shown]
    photos: dict[str, list[Judged]] = {}
    for photo in clear:
        photos.setdefault(photo.customer, []).append(photo)
    rows = [
        _customer_shares(customer, taken, groups)
        for customer, taken in photos.items()
        if sum(photo.of_the_ten for photo in taken) >= least
    ]
    return tuple(sorted(rows, key=lambda row: (-row.error, row.customer)))


def _customer_shares(
    customer: str, photos: Sequence[Judged], groups: Sequence[str]
) -> CustomerShares:
    labels = Counter(photo.group for photo in photos if photo.of_the_ten)
    answers = [photo.prediction for photo in photos]
    named = [answer.category for answer in answers if answer.category]
    uncertain = [answer.probabilities for answer in answers if answer.verdict == "uncertain"]
    shares = estimated_shares(
        np.array([named.count(category) for category in CATEGORIES], float),
        sum_exactly(np.array(uncertain, float).reshape(-1, len(CATEGORIES)).T),
    )
    estimated = dict.fromkeys(groups, 0.0)
    for category, share in zip(CATEGORIES, shares.tolist(), strict=True):
        if GROUP[category] in estimated:
            estimated[GROUP[category]] += share
    labelled = {group: metrics.share(labels[group], labels.total()) for group in groups}
    error = sum(abs(labelled[group] - estimated[group]) for group in groups) / len(groups)
    return CustomerShares(
        customer,
        labels.total(),
        len(named),
        {group: rounded(value) for group, value in labelled.items()},
        {group: rounded(value) for group, value in estimated.items()},
        rounded(error),
    )


# --- what travels --------------------------------------------------------------------------------


def scores(result: PhotoEvaluation) -> dict[str, Any]:
    """The figures that travel in the weights' header, rounded as they were printed.

    Those of which nothing was counted are left out.
    """
    named = {"all": result.others_named.share}
    if len(result.others_by_place) > 1:
        named |= {row.name: row.share.share for row in result.others_by_place}
    figures: dict[str, Any] = {
        "scored_on": result.scored_on,
        "photos": result.photos,
        "customers": result.customers,
        "photos_of_the_ten": result.of_the_ten,
        "accuracy": result.accuracy.share,
        "mean_over_groups": result.group_accuracy,
        "coverage": result.coverage.share,
        "coverage_of": {row.name: row.share.share for row in result.coverage_by_group},
        "precision": result.precision.share,
        "precision_with_other_things": result.precision_of_all.share,
        "other_things_named": named if result.others_named.whole else None,
        "calibration_error": result.calibration_error,
        "customers_with_shares": len(result.customer_shares),
        "share_error": result.share_error,
        "digest": result.digest,
    }
    return {name: value for name, value in figures.items() if value is not None}
