from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.factories import areas
from trendscope.vision import segmentation
from trendscope.vision.images import shrink
from trendscope.vision.segmentation import (
    MIN_SEEDED_SHARE,
    border_distance,
    crop,
    find_box,
    find_garment,
    garment_mask,
    otsu_separability,
    scaled,
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


@pytest.mark.parametrize("side", [60, 112, 119])
def test_scaled_down_pixels_are_means(side):
    light = np.random.default_rng(0).normal(128, 40, (12, 9, 3)).clip(0, 255).astype(np.uint8)
    rgb = np.asarray(Image.fromarray(light).resize((180, 240), Image.Resampling.BICUBIC))
    width = round(side * 0.75)
    left = (side - width) // 2
    found = squared(rgb, side)[:, left : left + width]
    assert np.abs(found - areas.means(rgb, side, width)).mean() < 0.5


def test_fine_stripes_scaled_down_are_grey():
    # Of 240 columns black and white in turn, each of 100 covers 2.4: never less than 0.4 of either.
    rgb = np.zeros((240, 240, 3), np.uint8)
    rgb[:, ::2] = 255
    found = squared(rgb, 100)[:, 1:-1]
    assert found.min() > 60 and found.max() < 195


def test_ground_around_a_picture_is_its_borders_median():
    rgb = np.full((40, 20, 3), (10, 20, 30), np.uint8)
    rgb[0] = 250  # 20 of the 120 pixels along the border
    assert (squared(rgb, 40)[:, [0, 9, 30, 39]] == (10, 20, 30)).all()


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


def test_second_view_is_the_whole_picture_mirrored():
    """A garment at the left of 200 x 100 pixels, in a square with room above and below."""
    rgb = scene(100, 200, box=(20, 30, 60, 70))
    cut = crop(rgb, 112)
    first, second = (look[..., 3] > 127 for look in cut.pixels)
    assert first.mean() > 3 * second.mean()
    rows, columns = np.flatnonzero(second.any(1)), np.flatnonzero(second.any(0))
    # 112 / 200 = 0.56 a pixel; (112 - 56) / 2 = 28 rows above; mirrored about 56.
    expected = 28 + 0.56 * 30, 28 + 0.56 * 70, 112 - 0.56 * 60, 112 - 0.56 * 20
    found = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    assert np.abs(np.subtract(found, expected)).max() <= 4


def test_crop_of_a_published_image_is_unchanged():
    rgb = np.random.default_rng(0).integers(0, 256, (28, 28, 3), np.uint8)
    cut = crop(rgb, 28)
    assert (cut.pixels[0, ..., :3] == rgb).all() and cut.box == (0, 0, 28, 28)


def test_published_pixels_are_repeated():
    rgb = np.random.default_rng(0).integers(0, 256, (28, 28, 3), np.uint8)
    cut = crop(rgb, 112)
    assert (cut.pixels[0, ..., :3] == rgb.repeat(4, axis=0).repeat(4, axis=1)).all()
    outline = garment_mask(rgb.max(-1)).repeat(4, axis=0).repeat(4, axis=1)
    assert (cut.pixels[0, ..., 3] == outline).all()


def test_garment_mask_of_a_published_image_has_no_holes():
    image = np.zeros((28, 28), np.uint8)
    image[5:20, 8:18] = 90
    image[10:14, 11:15] = 0  # White cloth is 0, like the background.
    expected = np.zeros((28, 28), np.uint8)
    expected[5:20, 8:18] = 255
    assert (garment_mask(image) == expected).all()
    cut = crop(np.stack([image] * 3, -1), 28)
    assert (cut.pixels[0, ..., 3] == expected).all()


def test_mask_lies_on_the_garment_in_the_crop():
    cut = crop(scene(), 112)
    blue = cut.pixels[0, ..., 2].astype(int) - cut.pixels[0, ..., 0] > 50
    inside = cut.pixels[0, ..., 3] > 127
    assert (blue == inside).mean() > 0.96


def test_unseeded_grabcut_finds_a_garment_of_the_grounds_colours():
    """Cloth that differs by less than Otsu's threshold tells: found unseeded, or not at all."""
    inside = find_garment(shrink(scene(cloth=(188, 178, 158), ground=(200, 190, 170)), 64))
    share = inside.mean() / 255
    assert share == 0 or share > MIN_SEEDED_SHARE / 2


def test_otsu_separability_by_hand():
    # Of 0, 0, 10, 10 all; of 0, 2, 10, 12 (mean 6, variance 26) the means 1 and 11 explain 25.
    high = np.array([[0, 0, 1, 1]], np.uint8)
    assert otsu_separability(np.array([[0, 0, 10, 10]], np.uint8), high) == pytest.approx(1)
    assert otsu_separability(np.array([[0, 2, 10, 12]], np.uint8), high) == pytest.approx(25 / 26)
    assert otsu_separability(np.array([[0, 2, 10, 12]], np.uint8), 0 * high) == 0


def test_grabcut_runs_only_below_the_clear_separability(monkeypatch):
    asked = []
    grab_cut = segmentation.cv2.grabCut
    monkeypatch.setattr(segmentation.cv2, "grabCut", lambda *a: asked.append(1) or grab_cut(*a))
    clear = find_garment(shrink(scene(), 64))
    assert not asked
    # The scene is 180 x 240, so 48 x 64 here, and the garment 16 x 37.3.
    assert clear.mean() / 255 == pytest.approx(16 * 37.3 / (48 * 64), rel=0.1)
    find_garment(np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8))
    assert asked


def test_scaled_mask_lies_on_the_garment_at_any_scale():
    rgb = scene(240, 240, box=(60, 60, 180, 180))
    inside = np.zeros((48, 48), np.uint8)
    inside[12:36, 12:36] = 255
    # Of columns and rows 30 to 210, 180 of 240 pixels, the garment is the middle two thirds.
    outline = scaled(rgb, inside, (30, 30, 210, 210), 90)[..., 3] > 127
    for across in (outline.any(0), outline.any(1)):
        assert np.flatnonzero(across).tolist() == list(range(15, 75))
    assert outline.sum() == pytest.approx(60 * 60, rel=0.01)  # corners are rounded


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
def test_crop_takes_pictures_of_any_shape(h, w, seed):
    rgb = np.random.default_rng(seed).integers(0, 256, (h, w, 3), np.uint8)
    cut = crop(rgb, 28)
    x0, y0, x1, y1 = cut.box
    assert 0 <= x0 < x1 <= w and 0 <= y0 < y1 <= h
    assert cut.pixels.shape == (2, 28, 28, 4)


@pytest.mark.parametrize("shape", [(1, 5000), (5000, 1), (2, 300), (300, 7)])
def test_extreme_shapes(shape):
    assert crop(np.zeros((*shape, 3), np.uint8), 28).pixels.shape == (2, 28, 28, 4)


def test_the_same_picture_gives_the_same_crop():
    first, second = crop(scene(), 28), crop(scene(), 28)
    assert first.box == second.box and (first.pixels == second.pixels).all()
