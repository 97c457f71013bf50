from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("optax")
pytest.importorskip("orbax.checkpoint")

import jax

from tests.factories.pictures import BLUE, RED, picture
from training import train
from training.data import photos
from training.data.photos import (
    held_out_customers,
    read_table,
    read_tables,
    relabelled,
    target,
)
from trendscope.categories import CATEGORIES
from trendscope.errors import TrendscopeError


def rows(table):
    return [(row.file.rsplit("/", 1)[-1], row.customer, row.category) for row in table.itertuples()]


def test_a_csv_beside_an_images_folder(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "labels.csv").write_text(
        "file,customer,label,category\na.jpg,7,Shoes,Sandal|Sneaker\nb.jpg,8,Hat,\n"
    )
    table = read_table(tmp_path)
    assert rows(table) == [("a.jpg", "7", "Sandal|Sneaker"), ("b.jpg", "8", "")]
    assert table["file"][0] == str(tmp_path / "images" / "a.jpg")
    assert rows(read_table(tmp_path / "labels.csv")) == rows(table)


def test_a_folder_per_category(tmp_path):
    for folder in ("T-shirt_top", "ankle boot", "outside", "holiday"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.jpg").write_bytes(b"")
    found = sorted(category for _, _, category in rows(read_table(tmp_path)))
    assert found == ["", "Ankle boot", "T-shirt/top"]


def test_folder_of_another_form_is_an_error_with_what_is_expected(tmp_path):
    with pytest.raises(
        TrendscopeError, match=r"expected labels\.csv, or folders named T-shirt/top"
    ):
        read_table(tmp_path)
    (tmp_path / "labels.csv").write_text("name,category\n")
    with pytest.raises(TrendscopeError, match="column file is missing"):
        read_table(tmp_path)
    (tmp_path / "labels.csv").write_text("file,category\na.jpg,Jeans\n")
    with pytest.raises(TrendscopeError, match="unknown category 'Jeans': use T-shirt/top"):
        read_table(tmp_path)


def test_better_labels_take_the_place_of_those_given(tmp_path):
    (tmp_path / "labels.csv").write_text(
        "file,category\na.jpg,Sandal|Sneaker|Ankle boot\nb.jpg,Coat\nc.jpg,\n"
    )
    mended = tmp_path / "shoes.csv"
    mended.write_text("file,category\na.jpg,Sneaker\nb.jpg,\n")
    found = rows(relabelled(read_table(tmp_path), mended))
    assert [(name, category) for name, _, category in found] == [
        ("a.jpg", "Sneaker"),
        ("b.jpg", ""),
        ("c.jpg", ""),
    ]
    looked_at = tmp_path / "photo_labels.csv"
    looked_at.write_text("file,category\na.jpg,Sandal\nc.jpg,uncertain\n")
    table = read_tables([tmp_path], [mended, looked_at])
    assert [(name, category) for name, _, category in rows(table)] == [
        ("a.jpg", "Sandal"),
        ("b.jpg", ""),
    ]
    assert table["given"].tolist() == ["Sandal|Sneaker|Ankle boot", "Coat"]
    mended.write_text("file,category\nz.jpg,Sneaker\n")
    with pytest.raises(TrendscopeError, match=r"there is no photo z\.jpg among those given"):
        relabelled(read_table(tmp_path), mended)
    mended.write_text("file,category\na.jpg,Clog\n")
    with pytest.raises(TrendscopeError, match="unknown category 'Clog'"):
        relabelled(read_table(tmp_path), mended)


def test_target_of_labels():
    assert target("Coat").nonzero()[0].tolist() == [CATEGORIES.index("Coat")]
    assert target("Sandal|Ankle boot").nonzero()[0].tolist() == [5, 9]
    assert target("").nonzero()[0].tolist() == [10]


def test_folds_split_by_customer_and_leave_out_the_largest():
    sizes = [photos.LARGEST + 1, *[3] * 300]
    customers = np.repeat([f"c{i}" for i in range(301)], sizes)
    folds = [held_out_customers(customers, fold, 3) for fold in range(3)]
    assert (np.sum(folds, axis=0) == (customers != "c0")).all()
    # 300 customers dealt to three: 100 each, with a standard deviation of 8.
    assert all(240 < fold.sum() < 360 for fold in folds)
    for fold in folds:
        assert not set(customers[fold]) & set(customers[~fold])


def test_a_customers_fold_does_not_depend_on_the_others():
    customers = np.array([f"c{i}" for i in range(50)])
    fold = held_out_customers(customers, 1, 3)
    assert (held_out_customers(customers[::2], 1, 3) == fold[::2]).all()


def test_mixing_with_a_partner():
    pixels = np.arange(4, dtype=np.float32)[:, None, None, None] * np.ones((4, 2, 2, 3), np.float32)
    targets = np.eye(11, dtype=np.float32)[:4]
    partner = np.array([1, 0, 3, 2])
    never = train.mixed_up(jax.random.key(0), pixels, targets, partner, 0.0)
    assert (never.pixels == pixels).all() and (never.share == 1).all()
    always = train.mixed_up(jax.random.key(0), pixels, targets, partner, 1.0)
    share = np.asarray(always.share)
    assert (share >= 0.5).all() and (share < 1).any()
    assert always.other.argmax(-1).tolist() == [1, 0, 3, 2]
    expected = share * np.arange(4) + (1 - share) * partner
    np.testing.assert_allclose(np.asarray(always.pixels)[:, 0, 0, 0], expected, rtol=1e-5)


def test_several_places_are_read_together(tmp_path):
    for place, colour in (("ours", RED), ("others", BLUE)):
        (tmp_path / place).mkdir()
        (tmp_path / place / "a.jpg").write_bytes(picture(colour))
        (tmp_path / place / "labels.csv").write_text("file,category\na.jpg,Coat\n")
    found = photos.read_tables([tmp_path / "ours", tmp_path / "others"])
    assert list(found["place"]) == ["ours", "others"]
    colours = [photos.pixels_of(file)[5, 5] for file in found["file"]]
    for colour, expected in zip(colours, (RED, BLUE), strict=True):
        np.testing.assert_allclose(colour, expected, atol=6)
