"""Composed pictures: what is pasted where, and what of it is taught."""

from __future__ import annotations

import numpy as np
import pytest

from training.data.composites import (
    ALONE,
    Piece,
    composed,
    of_fashion_mnist,
    of_retailer,
    outfit,
    strewn,
    worn,
)
from trendscope.categories import CATEGORIES
from trendscope.vision.outputs import NOTHING

BAG, COAT, SNEAKER = (CATEGORIES.index(name) for name in ("Bag", "Coat", "Sneaker"))


def generator(seed=0):
    return np.random.default_rng(seed)


def piece(category, value=200):
    return Piece(np.full((32, 32, 3), value, np.uint8), np.ones((32, 32), bool), category)


def canvas():
    return np.zeros((64, 64, 3), np.uint8)


def test_cells_under_a_garment_show_it_and_the_others_nothing():
    picture = canvas()
    taught, visible = composed(picture, [(piece(BAG), ((0, 0, 32, 32),))])
    assert visible == 1
    # 32 pixels are two cells of 16.
    assert taught.allowed[:2, :2, BAG].all()
    assert taught.allowed[..., BAG].sum() == 4
    assert taught.allowed[2:, :, NOTHING].all() and taught.allowed[:2, 2:, NOTHING].all()
    assert (taught.boxes[:2, :2] == [0, 0, 32, 32]).all()
    assert (picture[:32, :32] == 200).all() and not picture[32:].any()


def test_a_hidden_garment_teaches_nothing():
    whole, upper = (0, 0, 32, 32), (0, 0, 32, 28)
    taught, visible = composed(canvas(), [(piece(COAT), (whole,)), (piece(BAG), (upper,))])
    assert visible == 1
    assert not taught.allowed[..., COAT].any()
    assert taught.allowed[0, :2, BAG].all()


def test_a_garment_that_is_half_hidden_has_the_box_of_what_shows():
    right = (16, 0, 48, 32)
    taught, visible = composed(canvas(), [(piece(COAT), ((0, 0, 32, 32),)), (piece(BAG), (right,))])
    assert visible == 2
    assert (taught.boxes[:2, 0] == [0, 0, 16, 32]).all()
    assert taught.allowed[:2, 0, COAT].all() and taught.allowed[:2, 1:3, BAG].all()


def test_a_pair_of_shoes_is_one_garment_and_its_second_shoe_mirrored():
    left = np.zeros((32, 32, 3), np.uint8)
    left[:, :16] = 250
    shoe = Piece(left, np.ones((32, 32), bool), SNEAKER)
    picture = canvas()
    boxes = ((0, 32, 16, 64), (48, 32, 64, 64))
    taught, visible = composed(picture, [(shoe, boxes)])
    assert visible == 1
    assert (taught.boxes[2:, 0] == [0, 32, 64, 64]).all()
    assert (picture[40, [2, 12, 50, 62]] == [[250] * 3, [0] * 3, [0] * 3, [250] * 3]).all()


def test_a_garment_beyond_the_edge_ends_there():
    taught, _ = composed(canvas(), [(piece(BAG), ((-16, 48, 16, 80),))])
    assert (taught.boxes[3, 0] == [0, 48, 16, 64]).all()
    assert taught.allowed[..., BAG].sum() == 1


def test_a_retailers_white_ground_is_cut_away():
    picture = np.full((100, 100, 3), 250, np.uint8)
    picture[20:60, 30:70] = 90
    # White that the ground does not reach belongs to the garment.
    picture[30:40, 40:50] = 250
    found = of_retailer(picture, BAG)
    assert found is not None
    assert found.mask.shape == (40, 40) and found.mask.all()


@pytest.mark.parametrize("value", [250, 90])
def test_what_has_no_ground_or_nothing_else_is_no_garment(value):
    assert of_retailer(np.full((100, 100, 3), value, np.uint8), BAG) is None


def test_a_published_garment_keeps_its_outline():
    grey = np.zeros((28, 28), np.uint8)
    grey[7:21, 7:21] = 180
    found = of_fashion_mnist(generator(), grey, COAT, 112)
    # 14 of 28 pixels are 56 of 112; the enlargement's edge may stray by 3.
    rows = np.flatnonzero(found.mask.any(1))
    assert abs(rows[0] - 28) <= 3 and abs(rows[-1] - 83) <= 3
    assert found.mask[56, 56] and found.category == COAT


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_laid_out_can_be_composed(seed):
    draw = generator(seed)
    picture = np.zeros((96, 64, 3), np.uint8)
    names = outfit(draw)
    assert len(set(names)) == len(names)
    pieces = [piece(CATEGORIES.index(name)) for name in names]
    figure, visible = composed(picture, worn(draw, picture, pieces))
    assert 0 <= visible <= len(names)
    assert picture.any()
    scene, visible = composed(picture, strewn(draw, pieces, (96, 64)))
    assert figure.allowed.shape == scene.allowed.shape == (6, 4, 12)
    assert 0 <= visible <= len(names)


def test_shoes_and_bags_are_shown_alone():
    assert {CATEGORIES[i] for i in ALONE} == {"Bag", "Sandal", "Sneaker", "Ankle boot"}
