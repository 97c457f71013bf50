"""An adaptation from start to end, on a small network and a handful of pictures."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import jax
import numpy as np
import pytest

pytest.importorskip("optax")
pytest.importorskip("orbax.checkpoint")

import orbax.checkpoint as ocp

from tests.factories.pictures import BLUE, GREEN, RED, picture
from training import adapt
from training.data import fashion_mnist, photos
from training.train import Batch
from trendscope.errors import TrendscopeError
from trendscope.vision.network import initial_variables, make_predictor
from trendscope.vision.serialisation import read_weights, write_weights
from trendscope.vision.weights import Architecture, Gate, Header

SMALL = Architecture(stem=2, filters=(4, 8), depth=(1, 1), dense=8)
LARGER = dataclasses.replace(SMALL, size=112, patch=4, detail=2, channels=4, two_views=True)
WORN = np.eye(photos.OUTPUTS, dtype=np.float32)[[1, 4]].sum(0)
ROWS = np.arange(12)
GREY = np.random.default_rng(0).integers(0, 256, (60, 28, 28), dtype=np.uint8)
FASHION = fashion_mnist.Images(GREY, np.arange(60, dtype=np.int32) % 10)


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Twelve pictures of six customers, four of them small enough to be held out."""
    monkeypatch.setattr(adapt, "WIDER", LARGER)
    monkeypatch.setattr(fashion_mnist, "load", lambda part, source=None: FASHION)
    monkeypatch.setattr(fashion_mnist, "train_and_validation", lambda images: (images, images))
    start = tmp_path / "start.safetensors"
    write_weights(start, Header("start", SMALL), initial_variables(SMALL, 3))
    folder = tmp_path / "photos"
    folder.mkdir()
    rows = ["file,customer,category"]
    for number in range(12):
        colour, category = [(RED, "Dress"), (GREEN, "Coat"), (BLUE, "")][number % 3]
        (folder / f"{number}.jpg").write_bytes(picture(colour, (64, 64)))
        rows.append(f"{number}.jpg,c{number // 2},{category}")
    (folder / "labels.csv").write_text("\n".join(rows))
    return adapt.Settings(
        photos=str(folder), weights=str(start), run=str(tmp_path / "run"), epochs=1, batch=8,
        share=0.5, scenes=0.0, average=0.5, learning_rate=0.01, fold=0, folds=2,
    )  # fmt: skip


def test_the_weights_written_are_those_that_were_trained_and_validated(settings, tmp_path):
    header, written = read_weights(adapt.adapt(settings))
    with ocp.CheckpointManager((tmp_path / "run" / "checkpoints").resolve()) as checkpoints:
        kept = checkpoints.restore(1, args=ocp.args.StandardRestore())
    jax.tree.map(np.testing.assert_array_equal, written, kept["average"])
    _, before = adapt.enlarge(*read_weights(tmp_path / "start.safetensors"), LARGER)
    assert not np.array_equal(
        written["params"]["logits"]["kernel"], before["params"]["logits"]["kernel"]
    )

    pixels = adapt.augmentation.enlarged(adapt.as_input(GREY).astype(np.float32), 112)
    logits, _ = make_predictor(header.architecture)(written, adapt.augmentation.both_ways(pixels))
    targets = (np.asarray(logits).argmax(-1) == FASHION.labels).mean()
    (row,) = csv.DictReader((tmp_path / "run" / "history.csv").open())
    assert float(row["fashion_accuracy"]) == pytest.approx(targets, abs=1e-4)
    assert header.gate != read_weights(tmp_path / "start.safetensors")[0].gate


def test_teacher_predicts_for_the_images_of_the_batch(tmp_path):
    write_weights(tmp_path / "t.safetensors", Header("t", SMALL), initial_variables(SMALL, 3))
    teach = adapt.teacher(str(tmp_path / "t.safetensors"))
    fashion = adapt.as_input(GREY[:3]).astype(np.float32)

    def mixed(key, raw):
        return Batch(raw, np.eye(11, dtype=np.float32)[:3])

    make = adapt.photo_batch(mixed, 112, 1.0, teach)
    shots = np.zeros((2, 112, 112, 4), np.uint8), np.eye(11, dtype=np.float32)[:2]
    batch = make(jax.random.key(0), (shots, fashion))
    assert not np.asarray(batch.taught[:2]).any()
    seen = np.asarray(batch.pixels[2:, ::4, ::4])
    assert not np.array_equal(seen, fashion)  # they are mixed
    crops = adapt.augmentation.both_ways(seen)
    logits, _ = make_predictor(SMALL)(initial_variables(SMALL, 3), crops)
    np.testing.assert_allclose(batch.taught[2:], jax.nn.softmax(logits), atol=1e-5)


def test_a_teacher_must_be_of_fashion_mnist_alone(tmp_path):
    write_weights(tmp_path / "t.safetensors", Header("t", LARGER), initial_variables(LARGER))
    with pytest.raises(TrendscopeError, match="learned from Fashion-MNIST alone"):
        adapt.teacher(str(tmp_path / "t.safetensors"))
    assert adapt.teacher("") is None


def test_a_run_on_all_customers_takes_over_a_gate(settings, tmp_path):
    fitted = tmp_path / "fold.safetensors"
    write_weights(fitted, Header("fold", SMALL, Gate(0.7, 0.4, 0.93)), initial_variables(SMALL))
    everyone, _ = photos.load([tmp_path / "photos"], 112)
    nobody = everyone.take(np.zeros(len(everyone), bool))
    whole = dataclasses.replace(settings, fold=-1, gate=str(fitted))
    assert adapt.choose_gate(whole, SMALL, initial_variables(SMALL), nobody) == Gate(0.7, 0.4, 0.93)


def test_without_epochs_only_the_gate_is_set(settings, tmp_path):
    fitted = tmp_path / "fold.safetensors"
    write_weights(fitted, Header("fold", SMALL, Gate(0.7, 0.4, 0.93)), initial_variables(SMALL))
    first, learned = read_weights(adapt.adapt(settings))
    again = dataclasses.replace(
        settings, epochs=0, fold=-1, name="x", run=str(tmp_path / "again"), gate=str(fitted),
        weights=str(tmp_path / "run" / "weights.safetensors"),
    )  # fmt: skip
    second, kept = read_weights(adapt.adapt(again))
    jax.tree.map(np.testing.assert_array_equal, kept, learned)
    assert second.gate == Gate(0.7, 0.4, 0.93)
    told = (first.name, first.settings, first.trained_on)
    assert (second.name, second.settings, second.trained_on) == told


def test_composed_people_replace_the_requested_share_of_photos(settings, monkeypatch):
    """Of plain pictures, where nobody is dressed, none is black and called a dress."""
    person = np.zeros((photos.CANVAS, photos.CANVAS, 4), np.uint8)
    monkeypatch.setattr(adapt.outfits, "dressed", lambda generator, clothes: (person, WORN))
    everyone, _ = photos.load([Path(settings.photos)], 112)
    clothes = dataclasses.replace(
        adapt.outfits.wardrobe(everyone), tops=ROWS, trousers=ROWS, dresses=ROWS
    )
    rows = np.tile(ROWS, 50)

    def share(wanted):
        some = dataclasses.replace(settings, outfits=wanted)
        pixels, targets = adapt.augmented_batch(
            np.random.default_rng(0), clothes, rows, rows, some, 112
        )
        worn = (targets == WORN).all(1)
        assert (pixels[worn][..., 3] == 0).all() and pixels.shape == (600, 112, 112, 4)
        return worn.mean()

    assert share(0.0) == 0
    assert share(1.0) == 1
    assert 0.2 < share(0.3) < 0.4


def test_composed_people_without_a_wardrobe_are_refused(settings):
    with pytest.raises(TrendscopeError, match="need upright photos of tops"):
        adapt.adapt(dataclasses.replace(settings, outfits=0.1))
