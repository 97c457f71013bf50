"""What cells are taught, on masks drawn by hand."""

from __future__ import annotations

import numpy as np

from training.data.cells import EMPTY_WEIGHT, of_mask, of_single
from trendscope.vision.detector import STRIDE
from trendscope.vision.outputs import ANOTHER_GARMENT, CELL_OUTPUTS, NOTHING

BACKGROUND, COAT, BELT, BAG = range(4)
"""Labels of these tests; a belt teaches nothing."""


def labels():
    right = np.zeros((256, CELL_OUTPUTS), bool)
    right[BACKGROUND, NOTHING] = right[COAT, 4] = right[BAG, 8] = True
    return right


def drawn(*rectangles, rows=4, columns=4):
    """A mask of cells, with rectangles of label, x0, y0, x1, y1 in sixteenths of a cell."""
    mask = np.zeros((rows * STRIDE, columns * STRIDE), np.uint8)
    for label, x0, y0, x1, y1 in rectangles:
        mask[y0:y1, x0:x1] = label
    return mask, np.array(rectangles, np.float32)


def taught(*rectangles):
    mask, boxes = drawn(*rectangles)
    return of_mask(mask, boxes, labels())


def test_a_cell_mostly_covered_shows_the_garment_and_its_box():
    """A coat over the first cell and a quarter of the second."""
    cells = taught((COAT, 0, 0, 20, 16))
    assert np.argwhere(cells.boxed).tolist() == [[0, 0]]
    assert np.flatnonzero(cells.allowed[0, 0]).tolist() == [4]
    assert cells.boxes[0, 0].tolist() == [0, 0, 20, 16]
    assert cells.weight[0, 0] == 1
    assert cells.weight[0, 1] == 0, "an edge teaches nothing"
    assert cells.weight[1, 1] == np.float32(EMPTY_WEIGHT)
    assert np.flatnonzero(cells.allowed[1, 1]).tolist() == [NOTHING]


def test_many_cells_of_a_garment_count_less_each():
    cells = taught((COAT, 0, 0, 32, 32))
    assert cells.boxed.sum() == 4
    assert set(cells.weight[cells.boxed].tolist()) == {0.5}


def test_a_thin_garment_has_the_cell_that_it_covers_most():
    """A bag of 6 x 16 pixels covers three eighths of one cell."""
    cells = taught((BAG, 20, 16, 26, 32))
    assert np.argwhere(cells.boxed).tolist() == [[1, 1]]
    assert cells.boxes[1, 1].tolist() == [20, 16, 26, 32]


def test_what_is_too_small_or_teaches_nothing_is_not_taken_for_nothing():
    cells = taught((BAG, 0, 0, 4, 8), (BELT, 32, 32, 48, 48))
    assert not cells.boxed.any()
    assert cells.weight[0, 0] == cells.weight[2, 2] == 0


def test_a_box_counts_only_cells_inside_it():
    """Two coats of one label: each box has its own cells."""
    mask, boxes = drawn((COAT, 0, 0, 16, 64), (COAT, 48, 0, 64, 64))
    cells = of_mask(mask, boxes, labels())
    assert np.argwhere(cells.boxed[0]).ravel().tolist() == [0, 3]
    assert cells.boxes[0, 0].tolist() == [0, 0, 16, 64]
    assert cells.boxes[0, 3].tolist() == [48, 0, 64, 64]


def test_pixels_of_which_nothing_is_known_teach_nothing():
    mask, boxes = drawn()
    mask[:16, :16] = 255
    cells = of_mask(mask, boxes.reshape(0, 5), labels())
    assert cells.weight[0, 0] == 0
    assert cells.weight[0, 1] == np.float32(EMPTY_WEIGHT)


def test_a_single_garment_is_in_the_middle():
    dress = np.eye(CELL_OUTPUTS, dtype=bool)[3]
    cells = of_single(8, 10, dress)
    assert np.argwhere(cells.weight > 0).min(0).tolist() == [2, 2]
    assert np.argwhere(cells.weight > 0).max(0).tolist() == [5, 7]
    assert (cells.allowed[cells.weight > 0] == dress).all()
    assert not cells.boxed.any()


def test_nothing_is_everywhere():
    nothing = np.eye(CELL_OUTPUTS, dtype=bool)[NOTHING]
    assert (of_single(8, 8, nothing).weight == 1).all()
    either = nothing | np.eye(CELL_OUTPUTS, dtype=bool)[ANOTHER_GARMENT]
    assert of_single(8, 8, either).weight.sum() == 16
