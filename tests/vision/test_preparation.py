"""Pictures are scaled to what networks take in."""

from __future__ import annotations

import numpy as np
import pytest

from trendscope.vision.preparation import Squaring, squared


def test_a_tall_picture_is_scaled_to_the_height_and_its_sides_filled():
    """Of 56 x 28 pixels, a white field in the middle of grey; halved, it is 28 x 14."""
    rgb = np.full((56, 28, 3), 90, np.uint8)
    rgb[20:36, 8:20] = 255
    seen = squared(rgb, 28)
    expected = np.full((28, 28, 3), 90, np.uint8)
    expected[10:18, 11:17] = 255
    assert (seen == expected).all()


def test_what_is_added_has_the_median_colour_of_the_border():
    rgb = np.full((20, 40, 3), (10, 20, 30), np.uint8)
    rgb[:, 30:] = 200  # a quarter of the upper and lower border, and all of the right one
    assert (squared(rgb, 28)[[0, -1]] == (10, 20, 30)).all()


def test_images_as_small_as_fashion_mnists_stay_as_they_are():
    rgb = np.random.default_rng(0).integers(0, 256, (28, 28, 3), np.uint8)
    assert (squared(rgb, 28) == rgb).all()
    assert (squared(rgb, 56) == rgb.repeat(2, 0).repeat(2, 1)).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (33, 33), (3, 29)])
def test_any_shape_fits(shape):
    view = Squaring(28).prepare(np.full((*shape, 3), 7, np.uint8))
    assert view.shape == (28, 28, 3) and view.dtype == np.uint8
    assert (view == 7).all()
