"""Garments cut out of photos of people: their pixels, their labels, their ground."""

from __future__ import annotations

import dataclasses

import numpy as np

from tests.training.test_pictures import BOOTS, SHOES, TROUSERS, outfits
from training.data.cutouts import cut_out, cutouts, on_ground


def test_garments_that_are_too_small_or_teach_nothing_are_left_out():
    people = outfits()
    small = np.array([[TROUSERS, 10, 10, 49, 200], [0, 0, 0, 100, 100]], np.float32)
    people = dataclasses.replace(people, boxes=(people.boxes[0], small))
    # The label 0 shows nothing to wear; the trousers of the second photo are 39 pixels wide.
    assert cutouts(people, np.array([0, 1])).rows.tolist() == [0, 0]


def test_rare_labels_are_drawn_more_often():
    people = outfits()
    three = np.concatenate([people.boxes[0][:1]] * 4 + [people.boxes[0][1:]])
    places = cutouts(dataclasses.replace(people, boxes=(three, three[:0])), np.array([0]))
    # Four coats and a pair of trousers: 1 / 2 each for a coat, 1 for the trousers; the sum is 3.
    np.testing.assert_allclose(places.odds, [1 / 6] * 4 + [1 / 3])


def test_only_the_garments_own_pixels_are_cut_out():
    people = outfits()
    people.masks[0][60:120, 40:130] = TROUSERS  # a fourth of the coat's box is something else
    rgb, mask = cut_out(people, 0, people.boxes[0][0].astype(float))
    assert rgb.shape == (120, 180, 3)
    assert mask.mean() == 0.75 and not mask[:60, :90].any()
    people.masks[0][60:180, 40:170] = TROUSERS  # only 50 of 180 columns are left: .28
    assert cut_out(people, 0, people.boxes[0][0].astype(float)) is None


def test_a_better_label_is_cut_out_by_the_old_ones_pixels():
    people = outfits({0: {SHOES: BOOTS}})
    people.masks[0][300:360, 100:160] = SHOES
    _, mask = cut_out(people, 0, np.array([BOOTS, 100, 300, 160, 360.0]))
    assert mask.all()


def test_the_garment_lies_whole_on_the_ground():
    for seed in range(20):
        rgb, mask = np.full((60, 30, 3), 200, np.uint8), np.ones((60, 30), bool)
        ground = np.zeros((100, 100, 3), np.uint8)
        new = on_ground(np.random.default_rng(seed), rgb, mask, ground)
        high, wide = (np.flatnonzero((new > 100).any(axis)) for axis in ((1, 2), (0, 2)))
        # Half to all of the ground's side high, half as wide; an edge of one pixel is taken off.
        assert 0.5 * 58 / 60 * 100 - 2 <= len(high) <= 100 * 58 / 60 + 2
        assert abs(len(wide) - len(high) * 28 / 58) < 4
        assert not ground.any()
