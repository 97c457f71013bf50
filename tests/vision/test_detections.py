"""Cells become garments, each with its box."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendscope.vision.detections import Garment, Look, garments, look, reading_order
from trendscope.vision.detector import WIDTH, Detector, cell_boxes, initial_variables
from trendscope.vision.outputs import CELL_OUTPUTS, PHOTO_OUTPUTS

pytestmark = pytest.mark.usefixtures("quickly_compiled")

TROUSER, COAT, SHIRT, BAG = 1, 4, 6, 8


def photo(*cells, rows=4, columns=4):
    """Maps of a photo whose cells show nothing, but for (row, column, category, p, box)."""
    p = np.zeros((rows, columns, CELL_OUTPUTS), np.float32)
    p[..., -1] = 1
    boxes = np.zeros((rows, columns, 4), np.float32)
    features = np.zeros((rows, columns, WIDTH), np.float32)
    for row, column, category, confidence, box in cells:
        p[row, column] = 0
        p[row, column, category], p[row, column, -1] = confidence, 1 - confidence
        boxes[row, column] = box
        features[row, column, 0] = confidence
    return p, boxes, features


def found(*cells, least=0.5):
    return garments(one(*photo(*cells)), least)


def one(*maps):
    """A look at one photo, of which the cells alone matter."""
    return Look(np.zeros((1, PHOTO_OUTPUTS), np.float32), *(each[None] for each in maps))


def test_cells_of_one_garment_share_its_box():
    (coat,) = found(
        (0, 0, COAT, 0.75, (0, 0, 0.5, 0.5)),
        (0, 1, COAT, 0.5, (0.1, 0, 0.5, 0.5)),
    )
    assert (coat.category, coat.confidence) == ("Coat", 0.75)
    # By confidence the left side is (.75 * 0 + .5 * .1) / 1.25 = .04; the two cells' is 0, and
    # their lower one .25: half of the first and half of the second.
    assert coat.box == pytest.approx((0.02, 0, 0.5, 0.375))
    assert coat.embedding[0] == np.float32(0.75)


def test_a_bag_is_where_its_cells_are_that_lie_together():
    said = (0, 0, 1, 1)
    (bag,) = found(
        (0, 0, BAG, 0.9, said),
        (1, 0, BAG, 0.5, said),
        (1, 1, BAG, 0.44, said),  # less than half as sure as the surest
        (3, 3, BAG, 0.9, said),  # apart
    )
    assert bag.box == pytest.approx((0, 0, 0.25, 0.5))


def test_less_sure_cells_have_a_say_in_the_box_alone():
    box, wider = (0, 0, 0.25, 0.25), (0, 0, 0.35, 0.25)
    one = found((0, 0, COAT, 0.9, box), (0, 1, COAT, 0.6, wider), least=0.8)
    assert [garment.confidence for garment in one] == pytest.approx([0.9])
    assert one[0].box[2] > found((0, 0, COAT, 0.9, box), least=0.8)[0].box[2]


def test_cells_below_the_gate_say_nothing():
    assert found((0, 0, COAT, 0.4, (0, 0, 0.5, 0.5))) == []
    assert len(found((0, 0, COAT, 0.4, (0, 0, 0.5, 0.5)), least=0.4)) == 1


def test_two_coats_apart_are_two():
    two = found((0, 0, COAT, 0.9, (0, 0, 0.4, 1)), (0, 3, COAT, 0.8, (0.6, 0, 1, 1)))
    assert [garment.confidence for garment in two] == pytest.approx([0.9, 0.8])


def test_a_part_of_a_garment_is_no_second_one():
    """The lower fifth: an intersection over union below that of one garment, but inside."""
    assert len(found((0, 0, COAT, 0.9, (0, 0, 0.5, 1)), (3, 0, COAT, 0.8, (0, 0.85, 0.5, 1)))) == 1


def test_one_place_is_not_two_categories_but_a_shirt_may_be_under_a_coat():
    same, inside = (0, 0, 0.5, 0.5), (0.1, 0, 0.4, 0.5)
    assert [g.category for g in found((0, 0, COAT, 0.9, same), (1, 0, SHIRT, 0.8, same))] == [
        "Coat"
    ]
    both = found((0, 0, COAT, 0.9, same), (1, 0, SHIRT, 0.8, inside))
    assert {garment.category for garment in both} == {"Coat", "Shirt"}


def test_reading_order_is_line_by_line():
    def at(name, x, y):
        box = (x - 0.1, y - 0.1, x + 0.1, y + 0.1)
        return Garment(name, 1.0, box, np.zeros(1, np.float32), np.zeros(12, np.float32))

    given_ = [at("Trouser", 0.5, 0.6), at("Bag", 0.8, 0.3), at("Coat", 0.5, 0.27)]
    assert [garment.category for garment in reading_order(given_)] == ["Coat", "Bag", "Trouser"]


@given(st.integers(0, 2**32 - 1))
def test_a_garment_is_named_once_at_most_per_cell_and_above_the_gate(seed):
    generator = np.random.default_rng(seed)
    p = generator.dirichlet(np.full(CELL_OUTPUTS, 0.1), (3, 3)).astype(np.float32)
    corners = np.sort(generator.random((3, 3, 2, 2)), -2).reshape(3, 3, 4).astype(np.float32)
    found_ = garments(one(p, corners, np.zeros((3, 3, WIDTH), np.float32)), 0.6)
    assert len(found_) <= (p[..., :10].max(-1) >= 0.6).sum()
    assert all(garment.confidence >= 0.6 for garment in found_)
    assert all(0 <= x <= 1 for garment in found_ for x in garment.box)


def test_boxes_are_reached_from_the_middles_of_cells():
    distances = np.full((1, 2, 3, 4), 8, np.float32)
    distances[0, 1, 2] = 1, 2, 3, 4
    found_ = np.asarray(cell_boxes(jnp.asarray(distances)))
    assert found_[0, 0, 0].tolist() == [0, 0, 16, 16]
    # The middle of the cell in row 1 and column 2 is at x 40, y 24.
    assert found_[0, 1, 2].tolist() == [39, 22, 43, 28]


def test_probabilities_and_boxes_of_whatever_a_photo_shows():
    variables = initial_variables()
    pixels = np.random.default_rng(0).integers(0, 256, (1, 32, 64, 3)).astype(np.uint8)
    seen = look(variables, pixels)
    assert (seen.cells.shape, seen.boxes.shape) == ((1, 2, 4, CELL_OUTPUTS), (1, 2, 4, 4))
    np.testing.assert_allclose(seen.photo.sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(seen.cells.sum(-1), 1, rtol=1e-5)
    answer = jax.jit(Detector().apply)(variables, jnp.asarray(pixels))
    expected = np.asarray(cell_boxes(answer.distances)) / [64, 32, 64, 32]
    np.testing.assert_allclose(seen.boxes, expected.clip(0, 1), atol=1e-4)


def test_logits_that_are_no_numbers_have_no_probability():
    variables = initial_variables()
    variables["params"]["cells"]["bias"][3] = np.nan
    seen = look(variables, np.zeros((1, 32, 64, 3), np.uint8))
    assert not seen.cells.any() and seen.photo.sum() > 0.99
