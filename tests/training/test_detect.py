"""The detector's training step by step; its shapes without compiling the network."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from training.data.cells import Cells
from training.data.pictures import Batch, People
from training.detect import (
    Losses,
    Settings,
    State,
    adam,
    channel_size,
    is_trunk,
    losses,
    make_step,
    rate_at,
    read_params,
    relative_steps,
    starting_params,
    write_params,
)
from trendscope.errors import WeightsError
from trendscope.vision.detector import WIDTH, Answer, initial_variables
from trendscope.vision.outputs import CELL_OUTPUTS, PHOTO_OUTPUTS, SEVERAL

COAT, NOTHING = 4, 11


def cells(n, rows, columns):
    """Cells of which the first shows a coat that fills the picture; nothing is known of others."""
    taught = Cells(
        np.zeros((n, rows, columns, CELL_OUTPUTS), bool),
        np.zeros((n, rows, columns), np.float32),
        np.zeros((n, rows, columns), bool),
        np.zeros((n, rows, columns, 4), np.float32),
    )
    taught.allowed[:, 0, 0, COAT] = True
    taught.weight[:, 0, 0] = 1
    taught.boxed[:, 0, 0] = True
    taught.boxes[:, 0, 0] = 0, 0, 16 * columns, 16 * rows
    return taught


def batch():
    photo = np.zeros((2, PHOTO_OUTPUTS), bool)
    photo[:, COAT] = True
    several = np.zeros((1, PHOTO_OUTPUTS), bool)
    several[:, SEVERAL] = True
    tags, absent = np.zeros((1, 12, CELL_OUTPUTS), bool), np.zeros((1, CELL_OUTPUTS), bool)
    people = People(np.zeros((1, 64, 32, 3), np.uint8), several, cells(1, 4, 2), tags, absent)
    pixels, own = np.zeros((2, 32, 32, 3), np.uint8), np.ones(2, np.float32)
    whole = Batch(pixels, photo, cells(2, 2, 2), own, people)
    return jax.tree.map(jnp.asarray, whole)


def answer(n, rows, columns, photo=0, cell=0, distance=16.0):
    """The same answer everywhere: one output surer than the others by 20."""
    return Answer(
        jnp.zeros((n, PHOTO_OUTPUTS)).at[:, photo].set(20.0),
        jnp.zeros((n, rows, columns, CELL_OUTPUTS)).at[..., cell].set(20.0),
        jnp.full((n, rows, columns, 4), distance),
        jnp.zeros((n, rows, columns, WIDTH)),
    )


def test_a_right_answer_costs_nothing_but_its_box():
    """From the middle of the first cell, 8, 8, the coat's box of 32 x 64 is 8, 8, 24, 56 away."""
    people = answer(1, 4, 2, SEVERAL, COAT)
    reach = people.distances.at[0, 0, 0].set(jnp.array([8.0, 8, 24, 56]))
    singles, people = answer(2, 2, 2, COAT, COAT), people._replace(distances=reach)
    values = jax.jit(losses)(singles, people, batch())
    np.testing.assert_allclose(values.total, 0, atol=1e-4)
    assert values.right == 1


def test_a_wrong_answer_costs_twenty_per_head():
    answers = answer(2, 2, 2, 0, NOTHING), answer(1, 4, 2, COAT, NOTHING)
    values = jax.jit(losses)(*answers, batch())
    for name in ("photo", "single_cells", "people_cells", "several"):
        np.testing.assert_allclose(getattr(values, name), 20, atol=1e-3)
    assert values.right == 0
    # The box from -8, -8 to 24, 24 meets the coat's in 24 x 24; hull 40 x 72.
    union = 32 * 32 + 32 * 64 - 24 * 24
    expected = 1 - (24 * 24 / union - (40 * 72 - union) / (40 * 72))
    np.testing.assert_allclose(values.box, expected, rtol=1e-5)


def test_a_mixed_picture_is_to_name_both_by_their_shares():
    """The first of two pictures shows a coat by .7 and a dress by .3; the second a dress alone."""
    dress = 3
    photo = np.zeros((2, PHOTO_OUTPUTS), bool)
    photo[0, COAT] = photo[1, dress] = True
    taught = cells(2, 2, 2)
    taught.allowed[1] = False
    taught.allowed[1, 0, 0, dress] = True
    share = jnp.array([0.7, 1.0])
    mixed = batch()._replace(photo=photo, cells=taught, share=share)
    mixed = jax.tree.map(jnp.asarray, mixed)
    people = answer(1, 4, 2, SEVERAL, COAT)
    both = answer(2, 2, 2, COAT, COAT)
    values = jax.jit(losses)(both, people, mixed)
    # Everything is called a coat: 20 for .3 of the first picture and for the whole second.
    np.testing.assert_allclose(values.photo, (0.3 * 20 + 20) / 2, atol=1e-3)
    np.testing.assert_allclose(values.single_cells, (0.3 * 20 + 20) / 2, atol=1e-3)


def test_steps_are_relative_to_a_channels_size():
    kernel = jnp.array([[3.0, 0.0], [4.0, 0.0]])
    # The root of (9 + 16) / 2, and the least of all sizes.
    np.testing.assert_allclose(channel_size(kernel), [[12.5**0.5, 0.01]], rtol=1e-6)
    assert channel_size(jnp.array([5.0])).tolist() == [1]
    updates, _ = relative_steps().update(
        {"k": jnp.ones((2, 2)), "b": jnp.ones(2)}, optax.EmptyState(), {"k": kernel, "b": kernel[0]}
    )
    assert updates["b"].tolist() == [1, 1]
    assert updates["k"][:, 1] == pytest.approx([0.01, 0.01])


def moved(settings, steps, gradient=1.0):
    """How far Adam has moved the weights of a trunk and a head after some steps."""
    params = {"trunk": {"kernel": jnp.ones((2, 2))}, "cells": {"kernel": jnp.ones((2, 2))}}
    first = params
    optimizer = adam(settings)
    state = optimizer.init(params)
    for number in range(steps):
        gradients = jax.tree.map(lambda leaf: gradient * jnp.ones_like(leaf), params)
        updates, state = optimizer.update(gradients, state, params)
        params = optax.tree.add_scale(params, -rate_at(settings, number), updates)
    return {name: float((first[name]["kernel"] - params[name]["kernel"])[0, 0]) for name in params}


def test_the_rate_rises_stays_and_falls_to_nothing():
    settings = Settings(steps=10, warm_up=2, cool_down=0.4, learning_rate=8.0)
    rates = [rate_at(settings, number) for number in range(12)]
    assert rates == [0, 4, 8, 8, 8, 8, 8, 6, 4, 2, 0, 0]


def test_heads_learn_faster_and_the_rate_rises_from_nothing():
    settings = Settings(steps=100, warm_up=2, heads=3.0, weight_decay=0.0, learning_rate=0.01)
    assert moved(settings, 1) == {"trunk": 0, "cells": 0}
    after = moved(settings, 2)
    assert after["trunk"] == pytest.approx(0.005, rel=1e-3)
    assert after["cells"] == pytest.approx(0.015, rel=1e-3)


def test_only_heads_decay():
    settings = Settings(steps=100, warm_up=1, weight_decay=0.1, learning_rate=0.01)
    still = moved(settings, 2, gradient=0.0)
    assert still["trunk"] == 0 and still["cells"] == pytest.approx(0.001, rel=1e-3)


def test_weights_start_from_a_file_where_it_has_some(tmp_path):
    params = initial_variables(1)["params"]
    write_params(tmp_path / "trunk.safetensors", {"trunk": params["trunk"]})
    started = starting_params(tmp_path / "trunk.safetensors", 0)
    other = initial_variables(0)["params"]
    stem = started["trunk"]["stem"]["kernel"]
    assert stem.tolist() == params["trunk"]["stem"]["kernel"].tolist()
    assert started["cells"]["kernel"].tolist() == other["cells"]["kernel"].tolist()


def test_weights_of_another_shape_are_refused(tmp_path):
    write_params(tmp_path / "a.safetensors", {"cells": {"kernel": np.zeros((2, 2), np.float32)}})
    with pytest.raises(WeightsError, match=r"expected \(128, 12\), found \(2, 2\)"):
        starting_params(tmp_path / "a.safetensors", 0)


def test_written_weights_are_read_again(tmp_path):
    params = {"trunk": {"stem": {"kernel": np.arange(4, dtype=np.float32)}}}
    write_params(tmp_path / "a.safetensors", params)
    parameters = read_params(tmp_path / "a.safetensors")
    assert parameters["params"]["trunk"]["stem"]["kernel"].tolist() == [0, 1, 2, 3]


def test_a_step_keeps_all_shapes():
    settings = Settings(steps=4)
    optimizer = adam(settings)
    params = jax.tree.map(jnp.asarray, initial_variables()["params"])
    state = jax.eval_shape(
        lambda: State(params, params, optimizer.init(params), jnp.zeros((), jnp.int32))
    )
    after, step_losses = jax.eval_shape(make_step(settings, optimizer), state, batch(), 0.1)
    assert jax.tree.map(jnp.shape, after) == jax.tree.map(jnp.shape, state)
    assert isinstance(step_losses, Losses) and step_losses.total.shape == ()


def test_the_trunk_is_what_imagenet_taught():
    names = {
        path[0].key
        for path, _ in jax.tree_util.tree_leaves_with_path(initial_variables()["params"])
        if is_trunk(path)
    }
    assert names == {"trunk", "features"}
    assert dataclasses.asdict(Settings())["fold"] == -1
