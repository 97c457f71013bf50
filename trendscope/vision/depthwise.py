"""Depthwise convolution as shifted multiply-adds, with a gradient of the same kind.

XLA's own grouped convolution takes fourteen times as long on a CPU, and its gradient more
(training/LOG.md).
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def depthwise(
    x: Float[Array, "n h w c"], kernel: Float[Array | np.ndarray, "k k c"], stride: int = 1
) -> Float[Array, "n rows columns c"]:
    """Convolves each channel with its own kernel, padded as TensorFlow's SAME pads.

    Args:
        kernel: A square kernel of odd side for each channel.
        stride: 1 or 2.

    Returns:
        Maps of ceil(h / stride) rows and ceil(w / stride) columns.
    """
    places = jnp.unstack(kernel.reshape(-1, x.shape[-1]))
    parts = zip(_shifts(x, len(kernel), stride), places, strict=True)
    return sum((part * place for part, place in parts), start=jnp.zeros(()))


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after an axis; where their number is odd, one more after it."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _shifts(
    x: Float[Array, "n h w c"], kernel: int, stride: int
) -> list[Float[Array, "n rows columns c"]]:
    """A strided part of `x` for each place of the kernel, row by row: what it meets."""
    n, h, w, c = x.shape
    padding = (same_padding(h, kernel, stride), same_padding(w, kernel, stride))
    padded = jnp.pad(x, ((0, 0), *padding, (0, 0)))
    down, across = (-(-h // stride) - 1) * stride + 1, (-(-w // stride) - 1) * stride + 1
    # Brackets would take longer to trace, at every start.
    return [
        jax.lax.slice(padded, (0, i, j, 0), (n, i + down, j + across, c), (1, stride, stride, 1))
        for i in range(kernel)
        for j in range(kernel)
    ]


def _forward(x: Array, kernel: Array, stride: int) -> tuple[Array, tuple[Array, Array]]:
    return depthwise(x, kernel, stride), (x, kernel)


def _backward(stride: int, kept: tuple[Array, Array], gradient: Array) -> tuple[Array, Array]:
    x, kernel = kept
    if stride == 1:
        to_x = depthwise(gradient, kernel[::-1, ::-1], 1)
    else:
        to_x = _spread(gradient, kernel, x.shape[1], x.shape[2])
    # Sums as products with a row of ones: XLA's reductions leave most of a CPU idle.
    ones = jnp.ones((1, gradient.size // gradient.shape[-1]), gradient.dtype)
    to_kernel = [
        ones @ (part * gradient).reshape(-1, gradient.shape[-1])
        for part in _shifts(x, len(kernel), stride)
    ]
    return to_x, jnp.concatenate(to_kernel).reshape(kernel.shape)


def _spread(
    gradient: Float[Array, "n rows columns c"], kernel: Float[Array, "k k c"], h: int, w: int
) -> Float[Array, "n h w c"]:
    """The gradient to a map of h x w of a convolution of stride 2.

    Pixels of even and odd rows and columns are met by different places of the kernel, so each of
    the four kinds is a sum of its own.
    """
    k = len(kernel)
    top, left = same_padding(h, k, 2)[0], same_padding(w, k, 2)[0]
    rows, columns = -(-h // 2), -(-w // 2)
    padded = jnp.pad(gradient, ((0, 0), (k, k), (k, k), (0, 0)))

    def kind(row: int, column: int) -> Array:
        total = jnp.zeros(())
        for i in range((row + top) % 2, k, 2):
            for j in range((column + left) % 2, k, 2):
                y, x = k + (row + top - i) // 2, k + (column + left - j) // 2
                total = total + padded[:, y : y + rows, x : x + columns] * kernel[i, j]
        return total

    kinds = jnp.stack([jnp.stack([kind(i, 0), kind(i, 1)], 3) for i in range(2)], 2)
    n, channels = len(gradient), gradient.shape[-1]
    return kinds.reshape(n, 2 * rows, 2 * columns, channels)[:, :h, :w]


depthwise.defvjp(_forward, _backward)
