from __future__ import annotations

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from training.data import augmentation  # noqa: E402
from trendscope.vision.segmentation import crop, garment_mask  # noqa: E402

KEY = jax.random.key(7)
N = 6
GREY = np.random.default_rng(0).integers(0, 256, (N, 28, 28), dtype=np.uint8)
MASK = np.zeros((N, 28, 28), np.uint8)
MASK[:, 6:22, 8:20] = 255

# Not compiled as a whole: the makers share most operations, and each is compiled once.
MAKERS = {
    "plain": lambda key: augmentation.plain(key, GREY, MASK),
    "scenes": lambda key: augmentation.scenes(key, GREY, MASK),
    "no_garment": lambda key: augmentation.no_garment(key, GREY, MASK),
}


@pytest.mark.parametrize("name", MAKERS)
def test_batches_have_the_networks_shape_and_range(name):
    x = np.asarray(MAKERS[name](KEY))
    assert x.shape == (N, 28, 28, 4)
    assert np.isfinite(x).all()
    assert x.min() >= 0 and x.max() <= 255 + 1e-3


@pytest.mark.parametrize("name", MAKERS)
def test_the_same_key_gives_the_same_batch_and_another_key_another(name):
    make = MAKERS[name]
    assert (make(KEY) == make(KEY)).all()
    assert (make(KEY) != make(jax.random.key(8))).any()


def test_plain_images_stay_grey_and_keep_their_outline():
    x = np.asarray(augmentation.plain(KEY, np.full_like(GREY, 200), np.full_like(MASK, 255)))
    kept = x[..., 0] == 200
    assert kept.any() and (x[kept] == (200, 200, 200, 255)).all()


def test_warp_by_zero_only_mirrors():
    x = GREY[..., None].astype(np.float32)
    y = np.asarray(augmentation.warp(KEY, x, turn=0.0, zoom=0.0, stretch=0.0, shift=0.0))
    kept = [np.allclose(after, before, atol=1e-3) for after, before in zip(y, x, strict=True)]
    mirrored = [
        np.allclose(after, before[:, ::-1], atol=1e-3) for after, before in zip(y, x, strict=True)
    ]
    assert all(np.logical_xor(kept, mirrored))
    assert any(kept) and any(mirrored)


MANY = np.full((4000, 28, 28, 1), 128.0, np.float32)


def erased(probability: float) -> np.ndarray:
    return np.asarray(augmentation.erase(KEY, MANY, probability))[..., 0] != 128.0


def test_erasing_with_probability_zero_changes_nothing():
    assert not erased(0.0).any()


def test_the_share_of_erased_images_is_the_probability():
    # Some rectangles lie beside the image; those that lie in it are the measure.
    possible = erased(1.0).any((1, 2)).mean()
    assert possible > 0.9
    # 4,000 draws at 0.25 have a standard deviation of 0.007.
    assert erased(0.25).any((1, 2)).mean() == pytest.approx(0.25 * possible, abs=0.03)


def test_a_hole_is_one_rectangle_of_one_tone():
    x = np.asarray(augmentation.erase(KEY, MANY[:200], 1.0))[..., 0]
    for image, hole in zip(x, x != 128.0, strict=True):
        rows, columns = hole.any(1), hole.any(0)
        assert (hole == np.outer(rows, columns)).all()
        assert len(np.unique(image[hole])) <= 1


def pieces(x: np.ndarray) -> list[bytes]:
    """The 4 x 4 pieces of 7 x 7 pixels of every image, as a sorted multiset."""
    return sorted(
        np.ascontiguousarray(image[row : row + 7, column : column + 7]).tobytes()
        for image in x
        for row in range(0, 28, 7)
        for column in range(0, 28, 7)
    )


def test_shuffling_moves_pieces_and_loses_none():
    x = np.random.default_rng(1).random((3, 28, 28, 3), np.float32)
    y = np.asarray(augmentation._shuffle(KEY, x))
    assert (x != y).any()
    assert pieces(x) == pieces(y)


def test_enlarged_equals_the_products_crop():
    grey = np.random.default_rng(2).integers(0, 256, (28, 28), np.uint8)
    cut = crop(np.stack([grey] * 3, -1), 112).pixels[0]
    x = np.dstack([grey, grey, grey, garment_mask(grey)])[None].astype(np.float32)
    assert (np.asarray(augmentation.enlarged(x, 112))[0] == cut).all()


def test_both_ways_gives_each_image_and_its_mirror_image():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 4), np.uint8)
    looks = augmentation.both_ways(pixels)
    assert looks.shape == (3, 2, 28, 28, 4)
    assert (looks[1, 0, :, 5] == pixels[1, :, 5]).all()
    assert (looks[1, 1, :, 5] == pixels[1, :, 22]).all()


def canvas(cloth: int, ground: int) -> np.ndarray:
    """A garment of one tone on a ground of another, with its outline in the fourth channel."""
    x = np.full((128, 128, 4), ground, np.uint8)
    x[..., 3] = 0
    x[40:88, 40:88] = (cloth, cloth, cloth, 255)
    return x


def test_augmented_photo_on_another_ground_keeps_its_garment():
    mine, other = canvas(200, 100), canvas(50, 0)
    kept, tried = 0, 0
    for seed in range(400):
        x = augmentation.augment_photo(np.random.default_rng(seed), mine, other, 112)
        assert x.shape == (112, 112, 4) and x.dtype == np.uint8
        inside, outside = x[..., 3] == 255, x[..., 3] == 0
        if not inside.any():  # One in twenty forgets the outline.
            continue
        assert np.abs(np.median(x[inside][:, :3]) - 200) <= 1
        kept += bool(np.abs(np.median(x[outside][:, :3]) - 100.0) <= 1)
        tried += 1
    # 400 draws at 0.95 and 0.85 have standard deviations of 0.011 and 0.018.
    assert tried / 400 == pytest.approx(0.95, abs=0.04)
    assert kept / tried == pytest.approx(0.85, abs=0.06)


def test_other_cloth_keeps_the_seams():
    mine, other = canvas(120, 100), canvas(50, 0)
    inside, seam = mine[..., 3] == 255, np.zeros((128, 128), bool)
    seam[60:67, 40:88] = True
    mine[seam, :3] = 60
    recoloured, sewn = 0, 0
    for seed in range(200):
        x = augmentation._other_cloth(np.random.default_rng(seed), mine, other)
        cloth, darker = x[inside & ~seam].mean(0), x[seam].mean(0)
        recoloured += bool(np.abs(cloth - 120).max() > 15)
        sewn += bool((darker <= cloth).all() and (darker < cloth).any())
    assert recoloured > 180 and sewn > 190


def test_augmented_photo_in_other_cloth_keeps_its_ground():
    recoloured, kept = 0, 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        x = augmentation.augment_photo(random, canvas(120, 100), canvas(50, 0), 112, cloth=0.5)
        inside, outside = x[..., 3] == 255, x[..., 3] == 0
        if inside.any():  # One in twenty forgets the outline.
            recoloured += bool(np.abs(np.median(x[inside][:, :3], axis=0) - 120).max() > 2)
            kept += bool(np.abs(np.median(x[outside][:, :3]) - 100.0) <= 1)
    # 190 draws at 0.5 have a standard deviation of 0.036, at 0.85 of 0.026.
    assert recoloured / 190 == pytest.approx(0.5, abs=0.11)
    assert kept / 190 == pytest.approx(0.85, abs=0.08)


def test_a_photo_without_an_outline_keeps_its_ground():
    mine = canvas(200, 100)
    mine[..., 3] = 0
    for seed in range(40):
        x = augmentation.augment_photo(np.random.default_rng(seed), mine, canvas(50, 0), 112)
        assert abs(float(np.median(x[..., :3])) - 100) <= 1


def test_augmented_photos_stay_near_the_middle():
    for seed in range(200):
        matrix = augmentation._moved(np.random.default_rng(seed), 128, 112)
        middle = matrix @ (55.5, 55.5, 1)
        assert np.abs(middle - 63.5).max() <= 0.06 * 112


def test_other_colours_leave_the_outline():
    x = np.stack([canvas(200, 100).astype(np.float32)] * 40)
    y = np.asarray(augmentation.other_colours(KEY, x))
    assert y.min() >= 0 and y.max() <= 255
    same = (y[..., 3] == x[..., 3]).all((1, 2))
    # Erasing, one in ten, may hide a part of the outline.
    assert same.mean() > 0.75
    assert (y[..., :3] != x[..., :3]).any((1, 2, 3)).all()
