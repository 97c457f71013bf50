from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("optax")

from training import negatives
from training.data.photos import read_table
from trendscope.errors import TrendscopeError


def stamp(path, size=(200, 120)):
    """A red disc on a transparent ground."""
    rgba = np.zeros((size[1], size[0], 4), np.uint8)
    y, x = np.mgrid[: size[1], : size[0]]
    rgba[(x - 100) ** 2 + (y - 60) ** 2 < 40**2] = (220, 30, 30, 255)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgba).save(path)


def view(path, size=(640, 480)):
    """A picture without transparency."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((size[1], size[0], 3), (30, 90, 200), np.uint8)).save(path)


@pytest.fixture
def folder(tmp_path):
    stamp(tmp_path / "stamps" / "animals" / "crab.png")
    stamp(tmp_path / "stamps" / "clothes" / "hat.png")
    view(tmp_path / "walls" / "lake.jpg")
    (tmp_path / "walls" / "notes.txt").write_text("no picture")
    (tmp_path / "walls" / "broken.jpg").write_bytes(b"no picture either")
    return tmp_path


def test_pictures_and_a_table_that_adapt_reads(folder, capsys):
    out = folder / "negatives"
    count = negatives.make(out, [folder / "stamps", folder / "walls"])
    assert count == negatives.GROUNDS + negatives.CROPS
    assert "broken.jpg" in capsys.readouterr().out
    table = read_table(out)
    assert table["category"].tolist() == [""] * count
    rows = list(csv.DictReader((out / "labels.csv").open()))
    customers = [row["customer"] for row in rows]
    assert customers.count("crab") == negatives.GROUNDS
    assert customers.count("lake") == negatives.CROPS
    for file in table["file"]:
        with Image.open(file) as picture:
            assert picture.format == "JPEG" and max(picture.size) == negatives.SIDE


def test_pictures_of_clothes_are_left_out(folder):
    files = negatives.originals([folder / "stamps"])
    assert [file.name for file in files] == ["crab.png"]


def test_cut_out_pictures_keep_their_colour_on_a_new_ground(folder):
    crab = negatives.open_picture(folder / "stamps" / "animals" / "crab.png")
    assert negatives.is_cut_out(crab)
    for seed in range(5):
        laid = np.asarray(negatives.laid_down(crab, [], np.random.default_rng(seed)))
        red = (np.abs(laid.astype(int) - (220, 30, 30)) < 12).all(-1)
        assert 0.02 < red.mean() < 0.9


def test_the_same_seed_draws_the_same(folder):
    for name in ("a", "b"):
        negatives.make(folder / name, [folder / "stamps"], seed=4)
    first, second = (sorted((folder / n / "images").iterdir()) for n in ("a", "b"))
    assert [f.read_bytes() for f in first] == [f.read_bytes() for f in second]


def test_no_pictures_is_an_error(tmp_path):
    with pytest.raises(TrendscopeError, match="no pictures in"):
        negatives.make(tmp_path / "out", [tmp_path])
