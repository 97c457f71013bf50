"""Shifted sums are depthwise convolution, and so is their gradient."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from trendscope.vision.depthwise import depthwise, same_padding

pytestmark = pytest.mark.usefixtures("quickly_compiled")


def oracle(x, kernel, stride):
    return jax.lax.conv_general_dilated(
        x,
        kernel[:, :, None, :],
        (stride, stride),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=x.shape[-1],
    )


def random(*shape):
    return jnp.asarray(np.random.default_rng(len(shape)).normal(size=shape), jnp.float32)


CASES = [(size, side, stride) for size in ((6, 8), (5, 7)) for side in (3, 5) for stride in (1, 2)]


@pytest.mark.parametrize(("size", "side", "stride"), CASES)
def test_it_is_xlas_grouped_convolution(size, side, stride):
    x, kernel = random(2, *size, 3), random(side, side, 3)
    ours, theirs = (jax.jit(f, static_argnums=2)(x, kernel, stride) for f in (depthwise, oracle))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("size", "side", "stride"), CASES)
def test_its_gradient_is_that_of_xlas(size, side, stride):
    x, kernel = random(2, *size, 3), random(side, side, 3)
    weights = random(2, -(-size[0] // stride), -(-size[1] // stride), 3)
    ours, theirs = (
        jax.jit(jax.grad(lambda x, k, f=f: (f(x, k, stride) * weights).sum(), (0, 1)))(x, kernel)
        for f in (depthwise, oracle)
    )
    for found, wanted in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_padding_is_tensorflows():
    assert same_padding(224, 3, 2) == (0, 1)
    assert same_padding(7, 3, 2) == (1, 1)
    assert same_padding(80, 5, 2) == (1, 2)
    assert same_padding(10, 5, 1) == (2, 2)
    assert same_padding(1, 1, 2) == (0, 0)


def test_a_kernel_of_ones_sums_neighbours():
    x = jnp.arange(9, dtype=jnp.float32).reshape(1, 3, 3, 1)
    found = depthwise(x, jnp.ones((3, 3, 1)))[0, ..., 0]
    assert found.tolist() == [[8, 15, 12], [21, 36, 27], [20, 33, 24]]
