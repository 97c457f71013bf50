from __future__ import annotations

import math
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("optax")
pytest.importorskip("orbax.checkpoint")

import jax
import jax.numpy as jnp

from training import train
from training.data import fashion_mnist
from training.train import Batch, Settings
from trendscope.errors import WeightsError
from trendscope.vision.network import GarmentNet, initial_variables
from trendscope.vision.serialisation import read_weights
from trendscope.vision.weights import Architecture

SMALL = Architecture(filters=(4, 8), depth=(1, 1), dense=8, dropout=0.0)
PIXELS = np.random.default_rng(0).integers(0, 256, (8, 28, 28, 3)).astype(np.float32)
LABELS = np.arange(8, dtype=np.int32)


def test_loss_is_that_of_the_right_outputs_together():
    # Softmax of these logits is (1/2, 1/4, 1/4).
    logits = jnp.log(jnp.array([[0.5, 0.25, 0.25]] * 3))
    targets = jnp.array([[1.0, 0, 0], [0, 1.0, 0], [0, 1.0, 1.0]])
    loss, hit = train.loss_and_accuracy(logits, targets, 0.0)
    assert loss == pytest.approx([math.log(2), math.log(4), math.log(2)])
    assert hit.tolist() == [1, 0, 0]


def test_any_of_several_right_outputs_wins():
    logits = jnp.array([[0.0, 3.0, 1.0]])
    _, hit = train.loss_and_accuracy(logits, jnp.array([[1.0, 1.0, 0.0]]), 0.0)
    assert hit.tolist() == [1]


def test_smoothing_mixes_in_the_mean_over_all_outputs():
    # 0.7 ln 2 + 0.3 (ln 2 + ln 4 + ln 4) / 3 = 1.2 ln 2
    logits = jnp.log(jnp.array([[0.5, 0.25, 0.25]]))
    loss, _ = train.loss_and_accuracy(logits, jnp.array([[1.0, 0, 0]]), 0.3)
    assert loss == pytest.approx([1.2 * math.log(2)])


def test_targets_leave_room_for_outside():
    target = np.asarray(train.one_hot(jnp.array([0, 10])))
    assert target.tolist() == [[1.0] + [0.0] * 10, [0.0] * 10 + [1.0]]


def unchanged(_, raw) -> Batch:
    pixels, labels = raw
    return Batch(pixels, train.one_hot(labels))


def make_step(learning_rate: float = 0.02, steps: int = 40):
    settings = Settings(learning_rate=learning_rate, weight_decay=0.0)
    optimizer = train.adam(settings, steps)
    step = train.make_step(GarmentNet(SMALL), optimizer, unchanged, smoothing=0.0, average=0.9)
    return step, train.initial_state(initial_variables(SMALL), optimizer)


@pytest.fixture(scope="module")
def stepper():
    return make_step()


def test_training_on_eight_images_reaches_full_accuracy(stepper):
    step, state = stepper[0], make_step()[1]
    before = jax.tree.map(np.array, state.average)
    losses = []
    for _ in range(40):
        state, metrics = step(state, jax.random.key(0), (PIXELS, LABELS))
        losses.append(float(metrics.loss))
    assert losses[0] > 1.5 and losses[-1] < 0.5 * losses[0]
    assert float(metrics.accuracy) == 1.0
    assert int(state.step) == 40
    moved = jax.tree.map(lambda old, new: bool((old != new).any()), before, state.average)
    assert all(jax.tree.leaves(moved["params"]))


def test_every_image_counts_once_in_a_score_whatever_the_batch():
    score = train.evaluate(GarmentNet(SMALL))
    variables = initial_variables(SMALL)
    targets = np.asarray(train.one_hot(LABELS))
    whole = score(variables, PIXELS, targets, batch=8)
    assert score(variables, PIXELS, targets, batch=3) == pytest.approx(whole, rel=1e-4)
    assert whole.accuracy * 8 == pytest.approx(round(whole.accuracy * 8))


class Stop(Exception):
    pass


def run(folder, step, epochs: int = 2, stop_in: int | None = None):
    """Trains on four images a step; raises Stop at the start of epoch number `stop_in`."""
    saved = []

    def batches(epoch):
        if epoch == stop_in:
            raise Stop
        order = np.random.default_rng(epoch).permutation(8)
        yield from ((PIXELS[rows], LABELS[rows]) for rows in (order[:4], order[4:]))

    settings = SimpleNamespace(run=str(folder), epochs=epochs, seed=3)
    state = make_step()[1]
    validate = lambda _: {"validation_loss": 1.0, "validation_accuracy": 0.5}  # noqa: E731
    return train.fit(settings, state, step, batches, 2, validate, saved.append), saved


def test_resumed_run_equals_an_uninterrupted_one(stepper, tmp_path):
    step = stepper[0]
    whole, _ = run(tmp_path / "whole", step)
    with pytest.raises(Stop):
        run(tmp_path / "stopped", step, stop_in=1)
    resumed, saved = run(tmp_path / "stopped", step)
    assert len(saved) == 1
    same = jax.tree.map(lambda a, b: bool(jnp.array_equal(a, b)), whole, resumed)
    assert all(jax.tree.leaves(same))
    for name in ("whole", "stopped"):
        history = pd.read_csv(tmp_path / name / "history.csv")
        assert history["epoch"].tolist() == [1, 2]
        assert {"train_loss", "train_accuracy", "validation_loss", "seconds"} <= set(history)


def test_a_finished_run_is_not_trained_further(stepper, tmp_path):
    run(tmp_path, stepper[0], epochs=1)
    _, saved = run(tmp_path, stepper[0], epochs=1)
    assert saved == []
    assert len(pd.read_csv(tmp_path / "history.csv")) == 1


def test_batches_are_shuffled_anew_each_epoch_and_again_the_same():
    pixels = np.zeros((10, 28, 28), np.uint8)
    images = fashion_mnist.Images(pixels, np.arange(10, dtype=np.int32))
    batches = train.shuffled(images, pixels, batch=4, seed=0)

    def order(epoch: int) -> list[int]:
        return np.concatenate([labels for _, _, labels in batches(epoch)]).tolist()

    assert len(order(0)) == len(set(order(0))) == 8
    assert order(0) == order(0) != order(1)


def test_a_mixed_batch_is_outside_then_scenes_then_plain(monkeypatch):
    def flat(value: float):
        return lambda key, grey, mask=None: jnp.full((len(grey), 28, 28, 3), value)

    for name, value in (("no_garment", 1.0), ("scenes", 2.0), ("plain", 3.0)):
        monkeypatch.setattr(train.augmentation, name, flat(value))
    grey = np.zeros((6, 28, 28), np.uint8)
    make = train.mixed_batch(scenes=2, outside=1)
    batch = make(jax.random.key(0), (grey, grey, jnp.arange(6)))
    assert batch.pixels[:, 0, 0, 0].tolist() == [1, 2, 2, 3, 3, 3]
    assert batch.targets.argmax(-1).tolist() == [10, 1, 2, 3, 4, 5]


def test_images_are_mixed_with_others_of_their_batch_and_so_are_their_labels():
    """Each image is its number all over, and its number is what is right for it."""

    def numbered(key, raw):
        pixels = jnp.broadcast_to(raw[:, None, None, None], (len(raw), 28, 28, 4))
        return train.Batch(pixels.astype(jnp.float32), jax.nn.one_hot(raw, 11))

    raw = jnp.arange(11)
    assert train.mixing(numbered, 0.0) is numbered
    batch = train.mixing(numbered, 1.0)(jax.random.key(1), raw)
    partner, share = np.asarray(batch.other.argmax(-1)), np.asarray(batch.share)
    assert sorted(partner) == list(range(11)) and (partner != np.arange(11)).any()
    assert ((share >= 0.5) & (share <= 1)).all() and share.min() < 0.9
    expected = share * np.arange(11) + (1 - share) * partner
    np.testing.assert_allclose(batch.pixels[:, 3, 4, 2], expected, rtol=1e-5)
    assert batch.targets.argmax(-1).tolist() == list(range(11))


def test_settings_describe_the_network():
    architecture = Settings(filters="4,8", depth="1,1", dense=8, dropout=0.0).architecture
    assert architecture == SMALL


def test_start_weights_of_another_architecture_are_refused(tmp_path):
    from trendscope.vision.serialisation import write_weights
    from trendscope.vision.weights import Header

    path = tmp_path / "weights.safetensors"
    write_weights(path, Header("other", SMALL), initial_variables(SMALL))
    with pytest.raises(WeightsError, match=r"expected .*filters=\(48, 96\).* found .*\(4, 8\)"):
        train.starting_variables(Settings(start=str(path)))


@pytest.mark.training
def test_a_short_real_training(tmp_path, monkeypatch):
    tfds = pytest.importorskip("tensorflow_datasets")
    # Only so many are read: all 60,000 take longer than all the rest.
    read = tfds.data_source
    some = lambda name, split, **more: read(name, split=f"{split}[:124]", **more)  # noqa: E731
    monkeypatch.setattr(tfds, "data_source", some)
    few = partial(fashion_mnist.train_and_validation, held_out=60)
    monkeypatch.setattr(fashion_mnist, "train_and_validation", few)
    # Without scenes, which have tests of their own: compiling them takes longer than all the rest.
    small = {"filters": "4,8", "depth": "1,1", "dense": 8, "scenes": 0.0, "outside": 0.0}
    settings = Settings(run=str(tmp_path), epochs=1, batch=32, limit=64, **small)
    path = train.train(settings)
    header, _ = read_weights(path)
    assert header.architecture == settings.architecture
    assert header.settings["limit"] == 64
    assert list(header.trained_on) == ["fashion-mnist train"]
    (row,) = pd.read_csv(tmp_path / "history.csv").to_dict("records")
    assert row["epoch"] == 1
    assert np.isfinite([row["train_loss"], row["validation_loss"]]).all()
    assert 0 <= row["validation_accuracy"] <= 1


def test_run_with_a_given_gate_holds_out_no_images(tmp_path, monkeypatch):
    from trendscope.vision.serialisation import write_weights
    from trendscope.vision.weights import Gate, Header

    start = tmp_path / "start.safetensors"
    gate = Gate(temperature=0.8, min_confidence=0.77)
    write_weights(start, Header("before", SMALL, gate), initial_variables(SMALL))
    pixels = np.random.default_rng(0).integers(0, 255, (64, 28, 28), np.uint8)
    every = fashion_mnist.Images(pixels, np.arange(64, dtype=np.int32) % 10)
    monkeypatch.setattr(fashion_mnist, "load", lambda part, source=None: every)
    small = {"filters": "4,8", "depth": "1,1", "dense": 8, "dropout": 0.0}
    few = {"epochs": 1, "batch": 32, "scenes": 0.0, "outside": 0.0}
    run = tmp_path / "run"
    settings = Settings(run=str(run), start=str(start), gate=str(start), **small, **few)
    header, _ = read_weights(train.train(settings))
    assert header.gate == gate
    assert header.trained_on == {"fashion-mnist train": every.digest}
    assert list(pd.read_csv(run / "history.csv")) == [
        "epoch", "train_loss", "train_accuracy", "seconds",
    ]  # fmt: skip


def test_history_has_one_row_per_epoch_even_after_a_kill(tmp_path):
    """An epoch that was logged but not saved is trained, and logged, again."""
    path = tmp_path / "history.csv"
    for epoch, loss in ((1, 0.5), (2, 0.4), (3, 0.3), (2, 0.35)):
        train._log(path, {"epoch": epoch, "train_loss": loss})
    assert path.read_text().split() == ["epoch,train_loss", "1,0.5", "2,0.35"]
