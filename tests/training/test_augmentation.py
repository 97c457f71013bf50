from __future__ import annotations

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from training.data import augmentation  # noqa: E402

KEY = jax.random.key(7)
N = 6
GREY = np.random.default_rng(0).integers(0, 256, (N, 28, 28), dtype=np.uint8)
MASK = np.zeros((N, 28, 28), np.uint8)
MASK[:, 6:22, 8:20] = 255

# Not compiled as a whole: the makers share most operations, and each is compiled once.
MAKERS = {
    "plain": lambda key: augmentation.plain(key, GREY),
    "scenes": lambda key: augmentation.scenes(key, GREY, MASK),
    "no_garment": lambda key: augmentation.no_garment(key, GREY, MASK),
}


@pytest.mark.parametrize("name", MAKERS)
def test_batches_have_the_networks_shape_and_range(name):
    x = np.asarray(MAKERS[name](KEY))
    assert x.shape == (N, 28, 28, 3)
    assert np.isfinite(x).all()
    assert x.min() >= 0 and x.max() <= 255 + 1e-3


@pytest.mark.parametrize("name", MAKERS)
def test_the_same_key_gives_the_same_batch_and_another_key_another(name):
    make = MAKERS[name]
    assert (make(KEY) == make(KEY)).all()
    assert (make(KEY) != make(jax.random.key(8))).any()


def test_plain_images_stay_grey():
    x = np.asarray(augmentation.plain(KEY, np.full_like(GREY, 200)))
    kept = x[..., 0] == 200
    assert kept.any() and (x[kept] == 200).all()


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
    x = np.asarray(augmentation.erase(KEY, MANY, 1.0))[..., 0]
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
