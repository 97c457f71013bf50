from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendscope.garments import (
    SEEDED,
    border_distance,
    cut_out,
    find_box,
    find_garment,
    shrink,
    silhouette,
    squared,
)


def scene(h=240, w=180, box=(60, 50, 120, 190), ground=(200, 190, 170), cloth=(40, 60, 140)):
    """A garment of one colour on a floor of another, both a little noisy."""
    generator = np.random.default_rng(0)
    rgb = np.empty((h, w, 3), float)
    rgb[:] = ground
    x0, y0, x1, y1 = box
    rgb[y0:y1, x0:x1] = cloth
    return np.clip(rgb + generator.normal(0, 4, rgb.shape), 0, 255).astype(np.uint8)


def box_of(rgb, margin=0.0):
    return find_box(find_garment(shrink(rgb, 64)), rgb.shape[:2], margin)


def test_box_of_a_garment_with_its_margin():
    # The garment is 60 x 140 pixels; 0.1 of 140 is 14 pixels of room. The search runs at 64 pixels
    # of 240, so an edge may be off by one working pixel, 3.75 of the picture's.
    box = box_of(scene(), margin=0.1)
    assert np.abs(np.subtract(box, (46, 36, 134, 204))).max() <= 4


@pytest.mark.parametrize("cloth", [(250, 250, 250), (5, 5, 5), (200, 60, 60)])
def test_light_and_dark_garments_are_found(cloth):
    inside = find_garment(shrink(scene(cloth=cloth, ground=(120, 110, 100)), 64))
    assert inside.dtype == np.uint8 and set(np.unique(inside)) == {0, 255}
    assert inside[30, 24] == 255 and inside[3, 3] == 0
    assert abs(inside.mean() / 255 - 60 * 140 / (240 * 180)) < 0.06


def test_striped_floor_is_not_garment():
    rgb = scene()
    floor = np.abs(rgb.astype(int) - (200, 190, 170)).max(-1) < 40
    stripes = (np.arange(180) // 30 % 2 == 0)[None, :] & floor
    rgb[stripes] = (140, 90, 50)
    x0, y0, x1, y1 = box_of(rgb)
    assert np.abs(np.subtract((x0, y0, x1, y1), (60, 50, 120, 190))).max() <= 8


def test_bare_floor_gives_the_whole_picture():
    flat = np.full((100, 80, 3), 128, np.uint8)
    assert box_of(flat) == (0, 0, 80, 100)


def test_two_shoes_are_both_inside():
    rgb = scene(box=(20, 100, 70, 150))
    rgb[100:150, 110:160] = (40, 60, 140)
    x0, _, x1, _ = box_of(rgb)
    assert x0 <= 24 and x1 >= 156


def test_distance_is_small_on_the_border_and_large_on_the_garment():
    distance = border_distance(shrink(scene(), 64))
    assert distance.dtype == np.float32
    assert np.median(distance[:3]) < 25 and distance[30, 24] > 100


def test_published_images_pass_unchanged():
    rgb = np.random.default_rng(0).integers(0, 256, (28, 28, 3), np.uint8)
    cut = cut_out(rgb, 28)
    assert (cut.pixels[..., :3] == rgb).all() and cut.box == (0, 0, 28, 28)


def test_a_published_garment_has_its_holes_inside():
    image = np.zeros((28, 28), np.uint8)
    image[5:20, 8:18] = 90
    image[10:14, 11:15] = 0  # White cloth is 0, like the background.
    expected = np.zeros((28, 28), np.uint8)
    expected[5:20, 8:18] = 255
    assert (silhouette(image) == expected).all()
    cut = cut_out(np.stack([image] * 3, -1), 28)
    assert (cut.pixels[..., 3] == expected).all()


def test_the_outline_lies_on_the_garment_in_the_cut_out():
    cut = cut_out(scene(), 112)
    blue = cut.pixels[..., 2].astype(int) - cut.pixels[..., 0] > 50
    inside = cut.pixels[..., 3] > 127
    assert (blue == inside).mean() > 0.96


def test_a_garment_of_the_grounds_colours_is_still_looked_for():
    """Cloth that differs by less than Otsu's threshold tells: found unseeded, or not at all."""
    inside = find_garment(shrink(scene(cloth=(188, 178, 158), ground=(200, 190, 170)), 64))
    share = inside.mean() / 255
    assert share == 0 or share > SEEDED / 2


def test_squaring_keeps_the_shape_and_repeats_the_border():
    rgb = np.full((40, 20, 3), (10, 20, 30), np.uint8)
    rgb[10:30, 5:15] = 255
    square = squared(rgb, 28)
    assert square.shape == (28, 28, 3)
    assert (square[:, 0] == (10, 20, 30)).all() and (square[14, 14] == 255).all()
    # At 0.7 of its size the white patch spans rows 7 to 21 and columns 3.5 to 10.5 of the garment:
    # 14 whole rows, 6 whole columns.
    white = square[..., 0] > 200
    assert white.sum(0).max() == 14 and white.sum(1).max() == 6


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32 - 1))
def test_odd_shapes_never_crash(h, w, seed):
    rgb = np.random.default_rng(seed).integers(0, 256, (h, w, 3), np.uint8)
    cut = cut_out(rgb, 28)
    x0, y0, x1, y1 = cut.box
    assert 0 <= x0 < x1 <= w and 0 <= y0 < y1 <= h
    assert cut.pixels.shape == (28, 28, 4)


@pytest.mark.parametrize("shape", [(1, 5000), (5000, 1), (2, 300), (300, 7)])
def test_extreme_shapes(shape):
    assert cut_out(np.zeros((*shape, 3), np.uint8), 28).pixels.shape == (28, 28, 4)


def test_same_picture_same_cut_out():
    first, second = cut_out(scene(), 28), cut_out(scene(), 28)
    assert first.box == second.box and (first.pixels == second.pixels).all()
