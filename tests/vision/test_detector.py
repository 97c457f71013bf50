"""The detector's shapes, and which of its stages learn."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from trendscope.vision.detector import WIDTH, Detector, Stem, doubled, initial_variables
from trendscope.vision.outputs import CELL_OUTPUTS, PHOTO_OUTPUTS

pytestmark = pytest.mark.usefixtures("quickly_compiled")


@pytest.fixture(scope="module")
def variables():
    return initial_variables()


def test_there_is_a_cell_for_every_16_pixels(variables):
    found = jax.eval_shape(Detector().apply, variables, jnp.zeros((1, 64, 96, 3), jnp.uint8))
    assert found.photo.shape == (1, PHOTO_OUTPUTS) == (1, 13)
    assert found.cells.shape == (1, 4, 6, CELL_OUTPUTS) == (1, 4, 6, 12)
    assert found.features.shape == (1, 4, 6, WIDTH)
    assert found.distances.shape == (1, 4, 6, 4)


def test_it_has_3_4_million_parameters(variables):
    assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == 3_444_109


def test_frozen_stages_get_no_gradient_and_others_do(variables):
    x = jax.random.randint(jax.random.key(0), (1, 32, 32, 3), 0, 256)

    def answer(params):
        found = Detector(6).apply({"params": params}, x)
        return found.cells.sum(), found.distances

    gradients, distances = jax.jit(jax.grad(answer, has_aux=True))(variables["params"])
    moved = {
        name
        for name, tree in gradients["trunk"].items()
        if any((np.asarray(leaf) != 0).any() for leaf in jax.tree.leaves(tree))
    }
    # The seventh stage is one block.
    assert moved == {"block15"}
    assert (distances > 0).all()


def test_the_stem_is_a_convolution_of_scaled_pixels():
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (2, 6, 8, 3), np.uint8)
    kernel, bias = (generator.normal(size=s).astype(np.float32) for s in ((3, 3, 3, 5), 5))
    found = Stem(5).apply({"params": {"kernel": kernel, "bias": bias}}, jnp.asarray(pixels))
    # TensorFlow's SAME: of an even side and stride 2, zeros after the last pixel alone.
    padded = np.pad((pixels - 127.0) / 128, ((0, 0), (0, 1), (0, 1), (0, 0)))
    for row, column in np.ndindex(3, 4):
        window = padded[:, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
        expected = np.einsum("nijc,ijco->no", window, kernel) + bias
        np.testing.assert_allclose(found[:, row, column], expected, atol=1e-4)


def test_positions_are_doubled():
    x = jnp.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
    assert doubled(x)[0, ..., 0].tolist() == [
        [1, 1, 2, 2],
        [1, 1, 2, 2],
        [3, 3, 4, 4],
        [3, 3, 4, 4],
    ]
