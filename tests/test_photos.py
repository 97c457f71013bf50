from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("optax")
pytest.importorskip("orbax.checkpoint")

from tests.conftest import BLUE, RED, picture
from training import adapt, photos
from training.photos import held_out_customers, read_table, target
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


def test_what_is_neither_says_what_is_expected(tmp_path):
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


def test_targets():
    assert target("Coat").nonzero()[0].tolist() == [CATEGORIES.index("Coat")]
    assert target("Sandal|Ankle boot").nonzero()[0].tolist() == [5, 9]
    assert target("").nonzero()[0].tolist() == [10]


def test_folds_split_by_customer_and_cover_all():
    customers = np.repeat([f"c{i}" for i in range(12)], [40, 20, 20, 10, 10, 9, 5, 4, 3, 2, 1, 1])
    folds = [held_out_customers(customers, fold, 3) for fold in range(3)]
    assert (np.sum(folds, axis=0) == 1).all()
    assert [int(fold.sum()) for fold in folds] == [42, 42, 41]
    for fold in folds:
        assert not set(customers[fold]) & set(customers[~fold])


def test_loading_keeps_what_can_be_read(tmp_path):
    for name, content in (("a.jpg", picture(RED)), ("b.jpg", b"broken"), ("c.jpg", picture(BLUE))):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "labels.csv").write_text("file,category\na.jpg,Coat\nb.jpg,Bag\nc.jpg,\n")
    found, refused = photos.load(tmp_path, 112)
    assert len(found) == 2 and [line.split("/")[-1][:6] for line in refused] == ["b.jpg:"]
    assert found.views.shape == (2, 112, 112, 3)
    assert found.canvases.shape == (2, photos.CANVAS, photos.CANVAS, 3)
    assert found.masks.shape == (2, photos.CANVAS, photos.CANVAS)
    assert found.right.argmax(-1).tolist() == [4, 10]
    assert len(found.take(np.array([False, True]))) == 1


def test_rare_categories_come_up_more_often():
    # 90 of one category and 10 of another: weights 1/sqrt(90) and 1/sqrt(10) give the rare one
    # sqrt(10) / (sqrt(90) + sqrt(10)) = 1/4 of the draws.
    right = np.zeros((100, 11), np.float32)
    right[:90, 0] = 1
    right[90:, 1] = 1
    generator = np.random.default_rng(0)
    drawn = np.concatenate([adapt.balanced_order(right, generator) for _ in range(200)])
    assert (drawn >= 90).mean() == pytest.approx(0.25, abs=0.01)
