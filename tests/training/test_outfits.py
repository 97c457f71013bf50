"""People dressed in cut-out garments, of plain colours here: what is called worn is to be seen."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from training import outfits
from training.data import photos as labelled
from training.data.augmentation import both_ways
from trendscope.categories import CATEGORIES
from trendscope.errors import TrendscopeError

TOP, TROUSER, DRESS = (CATEGORIES.index(name) for name in ("Coat", "Trouser", "Dress"))
COLOURS = {TOP: (255, 0, 0), TROUSER: (0, 0, 255), DRESS: (0, 255, 0)}
GREY = (128, 128, 128)


def canvas(colour, height, width):
    """A garment of one colour in the middle of a grey picture."""
    x = np.zeros((labelled.CANVAS, labelled.CANVAS, 4), np.uint8)
    x[..., :3] = GREY
    top, left = (labelled.CANVAS - height) // 2, (labelled.CANVAS - width) // 2
    x[top : top + height, left : left + width] = (*colour, 255)
    return x


def photos(*garments):
    """Photos of (category, height, width); category None for something else."""
    targets = np.zeros((len(garments), labelled.OUTPUTS), np.float32)
    canvases = []
    for row, (category, height, width) in enumerate(garments):
        targets[row, -1 if category is None else category] = 1
        canvases.append(canvas(COLOURS.get(category, GREY), height, width))
    pixels = np.stack(canvases)
    names = np.array([f"{row}.jpg" for row in range(len(garments))])
    return labelled.Photos(names, names, targets, both_ways(pixels), pixels, pixels)


SOME = photos((TOP, 70, 60), (TROUSER, 80, 40), (DRESS, 80, 40), (None, 40, 40))


def seen(pixels, category):
    """Rows of a picture that show a category's colour."""
    return np.flatnonzero(
        (np.abs(pixels[..., :3] - np.array(COLOURS[category])) < 40).all(-1).any(1)
    )


def test_what_counts_as_right_is_what_the_figure_visibly_wears():
    clothes = outfits.wardrobe(SOME)
    generator = np.random.default_rng(0)
    both = 0
    for _ in range(200):
        pixels, targets = outfits.dressed(generator, clothes)
        pixels = pixels.astype(int)
        assert targets[-1] == 0 and set(targets) <= {0.0, 1.0} and targets.any()
        for category in COLOURS:
            if targets[category]:
                assert len(seen(pixels, category)) >= 5, CATEGORIES[category]  # LEAST_SEEN is 6.4.
        assert not (targets[DRESS] and (targets[TOP] or targets[TROUSER]))
        assert bool(len(seen(pixels, DRESS)) > 9) <= bool(targets[DRESS] or not targets[TROUSER])
        if targets[TOP] and targets[TROUSER]:
            both += 1
            assert seen(pixels, TOP).mean() < seen(pixels, TROUSER).mean()
        assert pixels[..., 3].max() == 255, "the figure is marked"
    assert 60 < both < 140, "about six in ten wear trousers, a few of them out of sight"


def test_trousers_below_the_picture_are_not_called_worn():
    clothes = outfits.wardrobe(SOME)
    figure = outfits._Figure(np.random.default_rng(0), clothes)
    figure._tall = labelled.CANVAS * 2.0  # From a crown at 24 on, the first 0.41 is to be seen.
    figure.wear(clothes.trousers, 0.4, 0.9, (0.2, 0.3))
    assert not figure.targets().any()
    figure.wear(clothes.tops, 0.14, 0.5, (0.3, 0.4))
    assert np.flatnonzero(figure.targets()).tolist() == [TOP]


def test_trousers_behind_a_long_coat_are_not_called_worn():
    clothes = outfits.wardrobe(SOME)
    figure = outfits._Figure(np.random.default_rng(0), clothes)
    figure.wear(clothes.trousers, 0.4, 0.7, (0.2, 0.3))
    assert np.flatnonzero(figure.targets()).tolist() == [TROUSER]
    figure.wear(clothes.tops, 0.14, 0.72, (0.4, 0.45))
    assert np.flatnonzero(figure.targets()).tolist() == [TOP]


def test_only_upright_garments_of_one_kind_that_were_found_are_worn():
    some = photos(
        (TOP, 70, 60),
        (TOP, 20, 90),  # Lies across.
        (TOP, 20, 20),  # Hardly found.
        (TROUSER, 40, 80),  # Lies across.
        (TROUSER, 80, 40),
        (DRESS, 80, 40),
        (None, 50, 50),
    )
    open_label = some.targets.copy()
    open_label[0, CATEGORIES.index("Shirt")] = 1
    clothes = outfits.wardrobe(some)
    assert clothes.tops.tolist() == [0]
    assert clothes.trousers.tolist() == [4]
    assert clothes.dresses.tolist() == [5]
    assert clothes.grounds.tolist() == [6]
    assert clothes.enough
    assert not outfits.wardrobe(dataclasses.replace(some, targets=open_label)).enough


def test_rare_kinds_of_tops_are_worn_as_often_as_common_ones():
    some = photos(*[(TOP, 70, 60)] * 9, (CATEGORIES.index("Shirt"), 70, 60))
    clothes = outfits.wardrobe(some)
    generator = np.random.default_rng(0)
    shirts = sum(clothes.a_top(generator) == 9 for _ in range(400))
    assert 140 < shirts < 260  # A half, and six standard deviations of it.


@pytest.mark.parametrize("count", [1, 3])
def test_figures_are_the_same_for_the_same_seed_and_as_large_as_the_network_sees_them(count):
    clothes = outfits.wardrobe(SOME)
    pixels, targets = outfits.figures(clothes, count, 112, seed=5)
    again, _ = outfits.figures(clothes, count, 112, seed=5)
    other, _ = outfits.figures(clothes, count, 112, seed=6)
    assert pixels.shape == (count, 112, 112, 4) and pixels.dtype == np.uint8
    assert targets.shape == (count, labelled.OUTPUTS)
    assert (pixels == again).all() and (pixels != other).any()


def test_figures_are_written_as_evaluate_reads_them(tmp_path):
    outfits.make(tmp_path / "out", SOME, 5)
    table = labelled.read_table(tmp_path / "out")
    assert len(table) == 5
    assert set("|".join(table["category"]).split("|")) <= {"Coat", "Trouser", "Dress"}
    read, refused = labelled.load([tmp_path / "out"], 112)
    assert not refused
    for category, targets in zip(table["category"], read.targets, strict=True):
        assert {CATEGORIES[i] for i in np.flatnonzero(targets)} == set(category.split("|"))


def test_missing_kinds_of_clothes_are_an_error(tmp_path):
    with pytest.raises(TrendscopeError, match="trousers"):
        outfits.make(tmp_path / "out", photos((TOP, 70, 60)), 5)
    assert not (tmp_path / "out").exists()


def test_wardrobe_without_photos_is_not_enough():
    assert not outfits.wardrobe(SOME.take(np.zeros(len(SOME), bool))).enough
