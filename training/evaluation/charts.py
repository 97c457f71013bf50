"""Charts of an evaluation as SVG data URIs: how it learned, what it confuses, how sure it is."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int, UInt8

from training.evaluation.metrics import CalibrationBin
from training.evaluation.photo_metrics import CurvePoint
from trendscope.categories import CATEGORIES

LABELLED_BARS = 40
"""Bars up to which each has its name below it."""

# Blue and orange differ in lightness too, so the pair is told apart without colour.
FIRST, SECOND, THIRD, FAINT = "#2F5F8F", "#F28E2B", "#9C9C9C", "#D5D5D5"
STYLE: Any = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": THIRD,
    "svg.hashsalt": "trendscope",
}


@contextmanager
def canvas(width: float, height: float, style: Mapping[str, Any] | None = None) -> Iterator[Any]:
    """An empty figure of Matplotlib's, in inches, which is loaded for it: few commands draw."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.use("Agg")
    own: Any = {**STYLE, **(style or {})}
    with matplotlib.rc_context(own):
        yield Figure(figsize=(width, height), layout="constrained")


def curves(history: pd.DataFrame) -> str:
    """Loss and accuracy by epoch, in training (augmented images) and on the validation images.

    Args:
        history: Columns epoch, train_loss, train_accuracy, and, where something was held out,
            validation_loss, validation_accuracy.
    """
    with canvas(10, 3.4) as figure:
        for axes, quantity in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
            epochs = history["epoch"]
            trained = history[f"train_{quantity}"]
            axes.plot(epochs, trained, "s--", ms=3, c=SECOND, label="training (augmented)")
            if f"validation_{quantity}" in history:
                unseen = history[f"validation_{quantity}"]
                axes.plot(epochs, unseen, "o-", ms=3, c=FIRST, label="validation")
            axes.set(xlabel="epoch", title=quantity)
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.grid(color=FAINT, linewidth=0.5)
        axes.legend(frameon=False, loc="lower right")
        return svg(figure)


def confusion_matrix(
    counts: Sequence[Sequence[int]],
    rows: Sequence[str] = CATEGORIES,
    columns: Sequence[str] = CATEGORIES,
) -> str:
    """Counts by what is true (row) and what is most likely (column); zeros are left blank."""
    from matplotlib.colors import PowerNorm

    table = np.array(counts)
    bare = {"axes.spines.left": False, "axes.spines.bottom": False}
    with canvas(7.4, 1.4 + len(rows) / 2, bare) as figure:
        axes = figure.subplots()
        # Linear shades would show the diagonal alone; the mistakes are what one looks for.
        axes.imshow(table, cmap="Blues", norm=PowerNorm(0.4, 0, max(1, table.max())))
        for (row, column), count in np.ndenumerate(table):
            color = "white" if count > 0.18 * table.max() else "black"
            axes.text(column, row, f"{count or ''}", ha="center", va="center", color=color)
        axes.set_xticks(range(len(columns)), columns, rotation=40, ha="right")
        axes.set_yticks(range(len(rows)), rows)
        axes.tick_params(length=0)
        axes.set(xlabel="most likely category", ylabel="true category")
        return svg(figure)


def reliability(bins: Sequence[CalibrationBin]) -> str:
    """Share right against confidence, and below it how many predictions each bin holds."""
    filled = [row for row in bins if row.count]
    width = 1 / len(bins)
    with canvas(5.2, 5.2) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.plot([0, 1], [0, 1], "--", c=THIRD, lw=1)
        upper.plot([b.confidence for b in filled], [b.accuracy for b in filled], "o-", c=FIRST)
        upper.set(ylabel="share right", xlim=(0, 1), ylim=(0, 1))
        lower.bar([b.low for b in bins], [b.count for b in bins], width, align="edge", color=FIRST)
        lower.set(xlabel="confidence", ylabel="images", yscale="symlog", ylim=(0, None))
        return svg(figure)


def coverage(points: Sequence[CurvePoint], gate: tuple[float | None, ...]) -> str:
    """Share right against share named, for gates at any confidence, with the weights' own marked.

    Args:
        points: The curve.
        gate: The gate's coverage, precision, and precision with other things; None if unknown.
    """
    covered = [point.coverage for point in points]
    lines = {
        "photos of the ten": ([point.precision for point in points], FIRST, "o"),
        "other things count too": ([point.precision_of_all for point in points], SECOND, "s"),
    }
    with canvas(5.2, 5.2) as figure:
        axes = figure.subplots()
        for (name, (right, color, marker)), at_gate in zip(lines.items(), gate[1:], strict=True):
            drawn = [(x, y) for x, y in zip(covered, right, strict=True) if y is not None]
            axes.plot(*zip(*drawn, strict=True), c=color, label=name)
            if gate[0] is not None and at_gate is not None:
                axes.plot([gate[0]], [at_gate], marker, c=color, ms=9, label=f"{name}: the gate")
        axes.set(xlabel="share of the photos of the ten that is named", ylabel="share right")
        axes.set(xlim=(0, 1), ylim=(0, 1.02))
        axes.grid(color=FAINT, linewidth=0.5)
        axes.legend(frameon=False, loc="lower left")
        return svg(figure)


def customer_errors(errors: Mapping[str, float], mean: float) -> str:
    """A bar for each customer's mean absolute error of the shares, and the mean as a line."""
    with canvas(10, 2.8) as figure:
        axes = figure.subplots()
        axes.bar(range(len(errors)), list(errors.values()), color=FIRST)
        axes.axhline(mean, ls="--", c=SECOND, lw=1.2)
        axes.text(len(errors) - 0.5, mean, f"mean {mean:.3f}", ha="right", va="bottom", c=SECOND)
        if len(errors) <= LABELLED_BARS:
            axes.set_xticks(range(len(errors)), list(errors), rotation=40, ha="right")
        else:
            axes.set_xticks([])
        axes.set(xlabel="customers", ylabel="error of the shares", xlim=(-0.6, len(errors) - 0.4))
        return svg(figure)


def distribution(counts: Mapping[str, Int[np.ndarray, " 10"]]) -> str:
    """Images per category, a group of bars for each part of the data set."""
    width = 0.8 / len(counts)
    with canvas(10, 3) as figure:
        axes = figure.subplots()
        for i, (part, color) in enumerate(zip(counts, (FIRST, SECOND, THIRD), strict=False)):
            places = np.arange(len(CATEGORIES)) + (i - (len(counts) - 1) / 2) * width
            axes.bar(places, counts[part], width, color=color, label=part)
        axes.set_xticks(range(len(CATEGORIES)), CATEGORIES, rotation=20, ha="right")
        axes.set(ylabel="images")
        figure.legend(frameon=False, ncols=len(counts), loc="outside upper right")
        return svg(figure)


def svg(figure: Any) -> str:
    """A figure of Matplotlib's as a data URI; the same figure gives the same bytes."""
    out = io.BytesIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    return data_uri("image/svg+xml", out.getvalue())


def picture(grey: UInt8[np.ndarray, "h w"]) -> str:
    """Grey pixels, 0 (black) to 255, as a PNG data URI."""
    import matplotlib.image

    out = io.BytesIO()
    options: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 255, "format": "png"}
    matplotlib.image.imsave(out, grey, **options)
    return data_uri("image/png", out.getvalue())


def data_uri(kind: str, content: bytes) -> str:
    """Bytes of the given media type as a URI that a page can hold."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
