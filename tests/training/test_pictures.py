"""Augmented pictures, and what of their labels is left."""

from __future__ import annotations

import numpy as np
import pytest

from training.data.distortion import (
    UNKNOWN,
    erased,
    moved,
    moved_boxes,
    placement,
    recoloured,
)
from training.data.garments import PERSON, SINGLE, Outfits, Singles
from training.data.pictures import Sampler, Shares, ahead, mixed, person, shares_of_mixed
from trendscope.vision.outputs import CELL_OUTPUTS, NOTHING, SEVERAL

BACKGROUND, COAT, TROUSERS, SHOES, BOOTS = range(5)
SIZE = (96, 64)
STILL = np.array([[1, 0, 0], [0, 1, 0]], np.float32)


def labels():
    right = np.zeros((5, CELL_OUTPUTS), bool)
    right[BACKGROUND, NOTHING] = right[COAT, 4] = right[TROUSERS, 1] = right[BOOTS, 9] = True
    right[SHOES, [5, 7, 9]] = True
    return right


def outfits(renamed=None):
    """A photo with a coat above trousers, another with the tags coat and shoes."""
    masks = np.zeros((2, *PERSON), np.uint8)
    masks[0, 60:180, 40:220], masks[0, 180:360, 80:180] = COAT, TROUSERS
    boxes = np.array([[COAT, 40, 60, 220, 180], [TROUSERS, 80, 180, 180, 360]], np.float32)
    return Outfits(
        np.array(["a.jpg", "b.jpg"]),
        np.full((2, *PERSON, 3), 100, np.uint8),
        masks,
        renamed or {},
        np.array([True, False]),
        (boxes, boxes[:0]),
        (np.array([COAT, TROUSERS]), np.array([COAT, SHOES])),
        labels(),
        np.zeros(2, bool),
    )


def generator(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("seed", range(20))
def test_a_placement_keeps_at_least_half_of_the_sides(seed):
    place = placement(generator(seed), (384, 256), (288, 192))
    scale = np.sqrt(abs(np.linalg.det(place[:, :2])))
    # 288 / 384 is .75; a window of 1.15 makes the picture smaller, one of .6 larger.
    assert 0.75 / 1.15 - 1e-3 <= scale <= 0.75 / 0.6 + 1e-3


def test_half_of_the_placements_are_mirrored():
    turned = [
        np.linalg.det(placement(generator(i), (96, 96), (96, 96))[:, :2]) < 0 for i in range(200)
    ]
    assert 70 < sum(turned) < 130


def test_boxes_follow_their_pixels():
    mask = np.zeros((40, 40), np.uint8)
    mask[10:20, 5:15] = COAT
    double = np.array([[2, 0, 0], [0, 2, 0]], np.float32)
    # cv2 puts pixel (x, y) at 2x: so columns 5..14 of the source lie at 10..28.
    new = moved(mask, double, (80, 80), UNKNOWN)
    ((label, *box),) = moved_boxes(np.array([[COAT, 5, 10, 15, 20]], np.float32), double, new)
    assert label == COAT
    rows, columns = np.flatnonzero((new == COAT).any(1)), np.flatnonzero((new == COAT).any(0))
    assert box == pytest.approx([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], abs=1)
    assert box == pytest.approx([10, 20, 30, 40], abs=1)


def test_what_leaves_the_picture_has_no_box_and_beyond_it_nothing_is_known():
    mask = np.full((20, 20), COAT, np.uint8)
    away = np.array([[1, 0, 30], [0, 1, 0]], np.float32)
    new = moved(mask, away, (20, 20), UNKNOWN)
    assert (new == UNKNOWN).all()
    assert moved_boxes(np.array([[COAT, 0, 0, 20, 20]], np.float32), away, new).shape == (0, 5)


def test_colours_change_and_shapes_stay():
    rgb = np.zeros((20, 20, 3), np.uint8)
    rgb[5:15, 5:15] = 200
    new = recoloured(generator(), rgb)
    assert new.dtype == np.uint8 and new.shape == rgb.shape
    assert (new[5:15, 5:15] == new[5, 5]).all() and (new[5, 5] != new[0, 0]).any()


def test_a_patch_is_erased_every_fourth_time():
    patches = 0
    for seed in range(200):
        rgb = np.zeros((50, 50, 3), np.uint8)
        patch = erased(generator(seed), rgb, 0.4)
        if patch is None:
            assert not rgb.any()
        else:
            patches += 1
            rows, columns = patch
            assert 0.1 * 50 - 1 <= rows.stop - rows.start <= 0.4 * 50
            rgb[rows, columns] = 0
            assert not rgb.any()
    assert 30 < patches < 70


def test_a_person_teaches_garments_where_they_are():
    shown = person(generator(3), outfits(), 0, SIZE)
    assert shown.pixels.shape == (*SIZE, 3)
    assert shown.cells.allowed.shape == (6, 4, CELL_OUTPUTS)
    taught = shown.cells.allowed[shown.cells.boxed]
    assert set(np.flatnonzero(taught.any(0)).tolist()) <= {1, 4} and len(taught)
    assert shown.photo[SEVERAL] and not shown.tags.any() and not shown.absent.any()


def test_tags_teach_what_is_somewhere_and_what_is_nowhere():
    shown = person(generator(), outfits(), 1, SIZE)
    assert not shown.cells.weight.any()
    worn = {tuple(np.flatnonzero(tag).tolist()) for tag in shown.tags if tag.any()}
    assert worn == {(4,), (5, 7, 9)}
    assert np.flatnonzero(shown.absent).tolist() == [0, 1, 2, 3, 6, 8]


def test_known_kinds_of_shoes_rename_the_mask():
    people = outfits({0: {COAT: BOOTS}})
    people.boxes[0][0, 0] = BOOTS
    taught = person(generator(3), people, 0, SIZE).cells
    assert set(np.flatnonzero(taught.allowed[taught.boxed].any(0)).tolist()) == {1, 9}


def sampler(figures=0.0, seed=0):
    singles = Singles(
        np.full((6, *SINGLE, 3), 50, np.uint8),
        np.eye(CELL_OUTPUTS, dtype=bool)[[0, 0, 0, 0, 3, 5]],
        np.array(["phone"] * 5 + ["shop"]),
        np.array([""] * 6),
        np.array([False] * 3 + [True] + [False] * 2),
    )
    published = np.full((10, 28, 28), 90, np.uint8), np.arange(10)
    odds = {"phone": 0.0, "shop": 0.0} if figures else {"phone": 0.5, "shop": 0.2}
    shares = Shares(12, 3, 1, 1, odds, 0.0 if figures else 0.2, figures=figures)
    return Sampler(singles, outfits(), published, shares, seed)


def test_a_batch_is_the_same_whenever_it_is_asked_for():
    one, again = (sampler().batch(7, 32, SIZE) for _ in range(2))
    assert one.pixels.tolist() == again.pixels.tolist()
    assert one.people.pixels.tolist() == again.people.pixels.tolist()
    assert one.pixels.shape == (12, 32, 32, 3)
    assert one.cells.allowed.shape == (12, 2, 2, CELL_OUTPUTS)
    # A photo with a mask, one with tags only, a composed picture.
    assert one.people.tags.any((1, 2)).tolist() == [False, True, False]
    assert (one.people.cells.weight.sum((1, 2)) > 0).tolist() == [True, False, True]
    other = sampler().batch(8, 32, SIZE)
    assert one.pixels.tolist() != other.pixels.tolist()


def test_figures_among_the_singles_are_several_garments():
    shown = sampler(figures=1.0).batch(0, 64, SIZE)
    several = shown.photo[:, SEVERAL]
    # Strewn garments may be one alone: then the picture as a whole teaches nothing.
    assert several.sum() >= 6 and not shown.photo[:, :SEVERAL].any()
    kinds = shown.cells.allowed[several][:, ..., :10].any((1, 2)).sum(1)
    assert (kinds >= 1).all() and kinds.max() > 1


def test_mixed_pictures_keep_at_least_half_of_their_own():
    share = shares_of_mixed(generator(), 0.5, 1000)
    assert share.min() >= 0.5 and share.max() == 1
    assert 400 < (share < 0.999).sum() < 550  # half are mixed, some of them hardly
    pixels = np.zeros((3, 2, 2, 3), np.uint8)
    pixels[:] = np.array([0, 100, 200])[:, None, None, None]
    # The first is mixed with the last: .75 of 0 and .25 of 200.
    new = mixed(pixels, np.array([0.75, 1.0, 0.5], np.float32))
    assert new[:, 0, 0, 0].tolist() == [50, 100, 150]


def test_batches_made_ahead_come_in_order():
    made = [sampler().batch(step, 32, SIZE) for step in (3, 4, 5, 6, 7)]
    assert [id(batch) for batch in ahead(lambda step: made[step - 3], range(3, 8))] == [
        id(batch) for batch in made
    ]
