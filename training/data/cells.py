"""What each cell of a picture is to say, from where its labels lie."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from trendscope.vision.detector import STRIDE
from trendscope.vision.outputs import CELL_OUTPUTS, NOTHING

MOSTLY = 0.5
"""A cell shows a label that covers this share of it."""

AT_LEAST = 0.15
"""Where no cell shows a label, the cell that it covers most does, from this share on."""

EMPTY = 0.9
"""A cell shows nothing where this share of it shows none of the labels."""

EMPTY_WEIGHT = 0.15
"""Of a cell that shows nothing; most do."""

MIDDLE = 0.25
"""Share of a picture's rows and columns, on each side, that is left out of its middle."""


class Cells(NamedTuple):
    """What the cells of one picture teach.

    Attributes:
        allowed: Outputs that count as right.
        weight: How much the cell counts; 0 where nothing is known.
        boxed: Whether it teaches its box as well.
        boxes: x0, y0, x1, y1 of the garment's box in pixels of the input; 0 where none is taught.
    """

    allowed: Bool[np.ndarray, "rows columns cell_outputs"]
    weight: Float32[np.ndarray, "rows columns"]
    boxed: Bool[np.ndarray, "rows columns"]
    boxes: Float32[np.ndarray, "rows columns 4"]


def of_mask(
    mask: UInt8[np.ndarray, "h w"],
    boxes: Float32[np.ndarray, "n 5"],
    labels: Bool[np.ndarray, "labels cell_outputs"],
) -> Cells:
    """Cells of a picture whose every pixel has a label.

    A garment's cells are those that it mostly covers; cells at an edge between two things teach
    nothing. A garment too thin to cover any has the one that it covers most.

    Args:
        mask: Index of each pixel's label.
        boxes: Rows of label index, x0, y0, x1, y1 in pixels.
        labels: Outputs that count as right for each label index; none for labels that teach
            nothing.
    """
    rows, columns = (side // STRIDE for side in mask.shape)
    tiles = mask[: rows * STRIDE, : columns * STRIDE].reshape(rows, STRIDE, columns, STRIDE)
    present = np.unique(mask)
    share = {int(label): np.asarray((tiles == label).mean((1, 3)), np.float32) for label in present}
    cells = _nothing_known(rows, columns)
    empty = sum(
        (share[i] for i in share if labels[i, NOTHING]), start=np.zeros((rows, columns), np.float32)
    )
    cells.allowed[empty >= EMPTY, NOTHING] = True
    cells.weight[empty >= EMPTY] = EMPTY_WEIGHT
    for label, *box in boxes.tolist():
        covered = share.get(int(label))
        if covered is None or not labels[int(label)].any():
            continue
        shown = covered >= MOSTLY
        if not shown.any() and covered.max() >= AT_LEAST:
            shown = covered == covered.max()
        shown &= _inside(rows, columns, box)
        cells.allowed[shown] = labels[int(label)]
        cells.boxed[shown] = True
        # So that a bag of one cell is not lost beside a coat of thirty.
        cells.weight[shown] = 1 / np.sqrt(max(1, shown.sum()))
        cells.boxes[shown] = box
    return cells


def of_single(rows: int, columns: int, allowed: Bool[np.ndarray, " cell_outputs"]) -> Cells:
    """Cells of a picture of one garment: its middle shows it, of the rest nothing is known.

    Where there is nothing to see, all cells show that.
    """
    cells = _nothing_known(rows, columns)
    if allowed[NOTHING] and allowed.sum() == 1:
        area = (slice(None), slice(None))
    else:
        area = (_middle(rows), _middle(columns))
    cells.allowed[area] = allowed
    cells.weight[area] = 1
    return cells


def _middle(count: int) -> slice:
    left = int(count * MIDDLE)
    return slice(left, count - left)


def _nothing_known(rows: int, columns: int) -> Cells:
    shape = (rows, columns)
    return Cells(
        np.zeros((*shape, CELL_OUTPUTS), bool),
        np.zeros(shape, np.float32),
        np.zeros(shape, bool),
        np.zeros((*shape, 4), np.float32),
    )


def _inside(rows: int, columns: int, box: list[float]) -> Bool[np.ndarray, "rows columns"]:
    x0, y0, x1, y1 = box
    x, y = ((np.arange(n) + 0.5) * STRIDE for n in (columns, rows))
    # Half a cell more: a thin garment's cell may have its middle beside the box.
    half = STRIDE / 2
    across = (x >= x0 - half) & (x <= x1 + half)
    down = (y >= y0 - half) & (y <= y1 + half)
    return np.asarray(down[:, None] & across)
