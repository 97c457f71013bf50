"""Losses against values worked out by hand."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from training.detector_loss import allowed_loss, generalised_iou, tag_loss, weighted_mean

QUARTERS = jnp.log(jnp.array([0.5, 0.25, 0.25]))


def test_allowed_outputs_count_together():
    allowed = jnp.array([[True, False, False], [False, True, True], [False, False, False]])
    loss = allowed_loss(jnp.stack([QUARTERS] * 3), allowed)
    np.testing.assert_allclose(loss, [np.log(2), np.log(2), 0], atol=1e-6)


def test_a_cell_without_labels_has_no_gradient_rather_than_infinity():
    gradient = jax.grad(lambda x: allowed_loss(x, jnp.zeros((1, 3), bool)).sum())(QUARTERS[None])
    assert gradient.tolist() == [[0, 0, 0]]


def test_a_mean_by_weights():
    assert weighted_mean(jnp.array([1.0, 5.0]), jnp.array([3.0, 1.0])) == 2
    assert weighted_mean(jnp.array([1.0, 5.0]), jnp.zeros(2)) == 0


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([0, 0, 2, 2], [0, 0, 2, 2], 1),
        # Intersection 1, union 7, hull 9: 1/7 - 2/9.
        ([0, 0, 2, 2], [1, 1, 3, 3], 1 / 7 - 2 / 9),
        # Apart: intersection 0, union 2, hull 4.
        ([0, 0, 1, 1], [3, 0, 4, 1], -2 / 4),
        # One within the other: intersection 4, union 16, hull 16.
        ([0, 0, 4, 4], [1, 1, 3, 3], 1 / 4),
    ],
)
def test_generalised_intersection_over_union(a, b, expected):
    overlap = generalised_iou(jnp.array(a, float), jnp.array(b, float))
    np.testing.assert_allclose(overlap, expected, atol=1e-6)


def test_boxes_apart_still_have_a_gradient():
    far = jnp.array([3.0, 0, 4, 1])
    gradient = jax.grad(lambda b: generalised_iou(jnp.array([0.0, 0, 1, 1]), b))(far)
    assert gradient[0] < 0


def test_a_tag_is_looked_for_in_the_best_cells():
    """One row of four cells and two outputs; output 0 has probabilities .9, .8, .7 and .1."""
    p = jnp.array([0.9, 0.8, 0.7, 0.1])
    logits = jnp.log(jnp.stack([p, 1 - p], -1))[None, None]
    tags = jnp.array([[[True, False], [False, False]]])
    loss = tag_loss(logits, tags, jnp.array([[False, False]]))
    np.testing.assert_allclose(loss, [-np.log(0.8 + 1e-4)], rtol=1e-5)


def test_what_is_absent_is_judged_by_its_likeliest_cell():
    p = jnp.array([0.9, 0.1])
    logits = jnp.log(jnp.stack([p, 1 - p], -1))[None, None]
    nothing = jnp.zeros((1, 2, 2), bool)
    loss = tag_loss(logits, nothing, jnp.array([[True, False]]))
    np.testing.assert_allclose(loss, [-np.log(0.1 + 1e-4)], rtol=1e-4)
