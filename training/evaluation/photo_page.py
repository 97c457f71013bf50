"""What people are shown of an evaluation on photos: figures in words, charts, the mistakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.data.photos import pixels_of
from training.evaluation import charts
from training.evaluation.photo_metrics import ANSWERS, Judged, PhotoEvaluation, Share
from trendscope.vision.images import thumbnail

SHOWN = 40
"""Photos shown of each kind of mistake, the surest."""

THUMBNAIL_SIDE = 160  # pixels


@dataclass(frozen=True)
class Line:
    """A figure in words: what it is, the figure, its 95 % interval, and how much was counted."""

    words: str
    figure: str
    interval: str
    counted: str


@dataclass(frozen=True)
class Mistake:
    """A photo about which the product is wrong; its picture is a data URI.

    Attributes:
        name: The file's name.
        customer: Name of the customer who took it.
        label: True label.
        predicted: Category that the product predicts.
        confidence: Confidence of that prediction.
        verdict: ``classified``, ``uncertain`` or ``outside``.
        photo: The whole photo.
    """

    name: str
    customer: str
    label: str
    predicted: str
    confidence: float
    verdict: str
    photo: str


@dataclass(frozen=True)
class Page:
    """All that the template shows; charts are data URIs.

    Attributes:
        evaluation: The figures.
        headline: The main figures.
        breakdowns: Shares by what they are shares by.
        confusion: Chart of the confusion matrix.
        reliability: Chart of confidence against the share right.
        coverage: Chart of the share right against the share named.
        customers: Chart of the customers' errors, None without such customers.
        groups: Columns of the customers' table.
        mistakes: By what kind of mistake it is, the surest first.
    """

    evaluation: PhotoEvaluation
    headline: Sequence[Line]
    breakdowns: Mapping[str, Sequence[Line]]
    confusion: str
    reliability: str
    coverage: str
    customers: str | None
    groups: Sequence[str]
    mistakes: Mapping[str, Sequence[Mistake]]


def headline(evaluation: PhotoEvaluation) -> list[Line]:
    """The main figures."""
    groups, customers = len(evaluation.groups), len(evaluation.customer_shares)
    return [
        line("right, best guess", evaluation.accuracy),
        Line("mean over groups", _decimals(evaluation.group_accuracy), "", f"{groups} groups"),
        line("named", evaluation.coverage),
        line("of the named, rightly", evaluation.precision),
        line("the same, other things wrong too", evaluation.precision_of_all),
        line("other things named", evaluation.others_named),
        Line(
            "calibration error",
            _decimals(evaluation.calibration_error),
            "",
            f"{evaluation.of_the_ten:,}",
        ),
        Line("error of shares", _decimals(evaluation.share_error), "", f"{customers} customers"),
    ]


def breakdowns(evaluation: PhotoEvaluation) -> dict[str, list[Line]]:
    """The shares by group, place and label, each under its heading; empty ones left out."""
    tables = {
        "right, by group": evaluation.groups,
        "named, by group": evaluation.coverage_by_group,
        "other things named, by place": evaluation.others_by_place,
        "other things named, by label": evaluation.others_by_label,
    }
    return {
        head: [line(row.name, row.share) for row in rows] for head, rows in tables.items() if rows
    }


def line(words: str, share: Share) -> Line:
    """A share in words."""
    interval = f"{share.low:.4f} to {share.high:.4f}" if share.whole else ""
    return Line(words, _decimals(share.share), interval, f"{share.part:,} of {share.whole:,}")


def _decimals(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.4f}"


def page(evaluation: PhotoEvaluation, judged: Sequence[Judged]) -> Page:
    """Puts the page together.

    Args:
        evaluation: The figures.
        judged: The photos that they are of; those shown are read again.
    """
    errors = {row.customer: row.error for row in evaluation.customer_shares}
    gate = (
        evaluation.coverage.share,
        evaluation.precision.share,
        evaluation.precision_of_all.share,
    )
    return Page(
        evaluation=evaluation,
        headline=headline(evaluation),
        breakdowns=breakdowns(evaluation),
        confusion=charts.confusion_matrix(
            list(evaluation.confusion.values()), list(evaluation.confusion), ANSWERS
        ),
        reliability=charts.reliability(evaluation.calibration),
        coverage=charts.coverage(evaluation.curve, gate),
        customers=charts.customer_errors(errors, evaluation.share_error or 0.0) if errors else None,
        groups=list(evaluation.customer_shares[0].labelled) if errors else [],
        mistakes={
            kind: [mistake(photo) for photo in photos]
            for kind, photos in surest_mistakes(judged).items()
        },
    )


def surest_mistakes(judged: Sequence[Judged], count: int = SHOWN) -> dict[str, list[Judged]]:
    """The photos about which the product is wrong, by kind of mistake, the surest first."""
    kinds = {
        "A wrong category": [
            photo for photo in judged
            if photo.of_the_ten and photo.answer in ANSWERS[:-1] and not photo.guess_is_right
        ],
        "Other things that were named": [
            photo for photo in judged if photo.named and not photo.of_the_ten
        ],
        "Taken for none of the ten": [
            photo for photo in judged if photo.of_the_ten and photo.answer == ANSWERS[-1]
        ],
    }  # fmt: skip
    return {kind: sorted(photos, key=_doubt)[:count] for kind, photos in kinds.items()}


def _doubt(photo: Judged) -> float:
    return -sureness(photo)


def sureness(photo: Judged) -> float:
    """Probability of what the product takes a photo for, 0..1."""
    outside = photo.answer == ANSWERS[-1]
    return photo.prediction.outside if outside else photo.prediction.confidence


def mistake(photo: Judged) -> Mistake:
    """A photo with its picture; the file is read again."""
    return Mistake(
        name=photo.file.rsplit("/", 1)[-1],
        customer=photo.customer,
        label=in_words(photo),
        predicted="none of the ten" if photo.answer == ANSWERS[-1] else photo.answer,
        confidence=sureness(photo),
        verdict=photo.prediction.verdict,
        photo=charts.data_uri("image/jpeg", thumbnail(pixels_of(photo.file), THUMBNAIL_SIDE)),
    )


def in_words(photo: Judged) -> str:
    """What a photo shows: its own label, then the group where that says something else."""
    if not photo.label or photo.label == photo.group:
        return photo.group
    return f"{photo.label} ({photo.group})"
