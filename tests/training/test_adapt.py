"""A detector adapted to a shop's own photos, and what that is worth on customers held out."""

from __future__ import annotations

import dataclasses
import io

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from PIL import Image
from rich.console import Console

from training import adapt
from training.adapt import Labelled, Settings, fitted_head, views, whole_step
from trendscope.errors import TrendscopeError
from trendscope.vision.detector import Detector, initial_variables
from trendscope.vision.detector_weights import read_detector, write_detector
from trendscope.vision.outputs import PHOTO_OUTPUTS
from trendscope.vision.scores import read_scores
from trendscope.vision.weights import DetectorHeader

COAT, BAG = 4, 8
HEADER = DetectorHeader("photos", 64, (64, 32))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Twenty customers' photos: red coats and blue bags, each of another shade."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "images").mkdir()
    rows = ["file,customer,category"]
    for i in range(20):
        shade = 150 + 5 * i
        colour = (shade, 0, 0) if i % 2 else (0, 0, shade)
        Image.new("RGB", (60, 80), colour).save(folder / "images" / f"{i}.png")
        rows.append(f"{i}.png,customer {i},{'Coat' if i % 2 else 'Bag'}")
    (folder / "images" / "20.png").write_bytes(b"no picture")
    rows.append("20.png,customer 20,Bag")
    (folder / "labels.csv").write_text("\n".join(rows))
    write_detector(folder / "old.safetensors", HEADER, initial_variables())
    return folder


def settings(shop, run, **others):
    return Settings(
        photos=str(shop), weights=str(shop / "old.safetensors"), run=str(run), views=2, **others
    )


def test_the_head_learns_the_shops_photos_and_nothing_else_changes(shop, tmp_path, capsys):
    out = io.StringIO()
    path = adapt.adapt(settings(shop, tmp_path, folds=3), Console(file=out, width=100))
    header, variables = read_detector(path)
    _, old = read_detector(shop / "old.safetensors")
    for name, part in variables["params"].items():
        same = jax.tree.all(jax.tree.map(np.array_equal, part, old["params"][name]))
        assert same == (name != "photo")
    assert header.name == "adapted" and header.gate == HEADER.gate
    assert header.settings["adapt"]["folds"] == 3
    table = out.getvalue()
    assert "before" in table and "after" in table and "customers held out" in table
    assert header.scores["photos"]["accuracy"] == 1, "red and blue are easily told"
    scores = read_scores(path)
    assert scores.unseen and 0 < scores.photos < 20
    if scores.photos == header.scores["photos"]["photos"]:  # the damaged photo was trained on
        assert "20.png" in capsys.readouterr().out


def test_features_are_taken_once(shop, tmp_path, monkeypatch):
    adapt.adapt(settings(shop, tmp_path, fold=-1))
    assert len(list(tmp_path.glob("features-*.npy"))) == 1
    monkeypatch.setattr(adapt, "features_of", None)
    path = adapt.adapt(settings(shop, tmp_path, fold=-1, pull=0.1))
    assert read_detector(path)[0].scores == {}, "nobody was held out"


def test_folds_that_hold_nobody_out_are_refused(shop, tmp_path):
    one = tmp_path / "Coat"
    one.mkdir()
    Image.new("RGB", (40, 40)).save(one / "a.png")
    wanted = dataclasses.replace(settings(shop, tmp_path / "run"), photos=str(tmp_path), folds=1)
    with pytest.raises(TrendscopeError, match=r"holds out 1 of 1 photos"):
        adapt.adapt(wanted)


def test_a_strong_pull_leaves_the_head_where_it_was():
    generator = np.random.default_rng(0)
    head = {
        "kernel": generator.normal(size=(8, PHOTO_OUTPUTS)).astype(np.float32),
        "bias": np.zeros(PHOTO_OUTPUTS, np.float32),
    }
    features = generator.normal(size=(40, 8)).astype(np.float32)
    allowed = np.zeros((40, PHOTO_OUTPUTS), bool)
    allowed[np.arange(40), np.where(features[:, 0] > 0, COAT, BAG)] = True

    def rightly(new):
        best = (features @ new["kernel"] + new["bias"]).argmax(-1)
        return allowed[np.arange(40), best].mean()

    assert rightly(fitted_head(head, features, allowed, 0.001)) > 0.9 > rightly(head)
    held = fitted_head(head, features, allowed, 1e4)
    np.testing.assert_allclose(held["kernel"], head["kernel"], atol=0.02)


def test_the_first_view_is_the_photo_itself():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3)).astype(np.uint8)
    known = Labelled(["a", "b", "c"], pixels, np.zeros((3, PHOTO_OUTPUTS), bool))
    first, second = views(known, 2, 112, seed=0)
    assert first.shape == second.shape == (3, 112, 112, 3)
    assert abs(first[0].astype(float) - pixels[0].reshape(112, 2, 112, 2, 3).mean((1, 3))).max() < 1
    again = list(views(known, 2, 112, seed=0))[1]
    assert np.array_equal(second, again) and not np.array_equal(first, second)


def test_a_step_of_the_whole_network_keeps_its_shapes():
    params = initial_variables()["params"]
    optimizer = optax.sgd(0.1)
    step = whole_step(Settings(), Detector(3), optimizer)
    pixels, allowed = jnp.zeros((2, 32, 32, 3), jnp.uint8), jnp.zeros((2, PHOTO_OUTPUTS), bool)
    arguments = (params, optimizer.init(params), {"params": params}, pixels, allowed)
    after, _ = jax.eval_shape(step, *arguments)
    assert jax.tree.map(jnp.shape, after) == jax.tree.map(jnp.shape, params)
