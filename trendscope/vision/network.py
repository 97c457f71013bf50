"""The network that names one garment (Flax)."""

from __future__ import annotations

from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Real

from trendscope.vision.outputs import Variables
from trendscope.vision.weights import Architecture

AnyArray = Array | np.ndarray


class BatchNorm(nn.Module):
    """Batch normalisation (Ioffe and Szegedy 2015) whose sums are matrix products.

    Same formula as `flax.linen.BatchNorm(momentum=0.9)`. XLA's reductions over the leading
    axes leave most of a CPU idle; as products with a row of ones they do not, and a gradient takes
    a quarter of the time (tests/benchmarks).
    """

    @nn.compact
    def __call__(self, x: Float[Array, "n h w c"], train: bool) -> Float[Array, "n h w c"]:
        """Normalises each channel; in training by the batch, else by the running averages."""
        channels = x.shape[-1]
        scale = self.param("scale", nn.initializers.ones, (channels,))
        bias = self.param("bias", nn.initializers.zeros, (channels,))
        mean = self.variable("batch_stats", "mean", jnp.zeros, (channels,))
        var = self.variable("batch_stats", "var", jnp.ones, (channels,))
        if not train:
            factor = scale * jax.lax.rsqrt(var.value + 1e-5)
            return x * factor + (bias - mean.value * factor)
        now_mean = _channel_mean(x)
        now_var = jnp.maximum(_channel_mean(x * x) - now_mean**2, 0.0)
        if not self.is_initializing():
            mean.value = 0.9 * mean.value + 0.1 * now_mean
            var.value = 0.9 * var.value + 0.1 * now_var
        factor = scale * jax.lax.rsqrt(now_var + 1e-5)
        return _scale_and_shift(x, factor, bias - now_mean * factor)


class GarmentNet(nn.Module):
    """Convolutions with batch normalisation and ReLU, pooling, dropout, a dense layer, logits."""

    architecture: Architecture

    @nn.compact
    def __call__(
        self, pixels: Real[AnyArray, "n size size 3"], train: bool = False
    ) -> tuple[Float[Array, "n outputs"], Float[Array, "n dense"]]:
        """Gives logits (the ten categories, then "outside") and the embedding below them.

        `pixels` are 0..255, RGB. In training the call needs a ``dropout`` key.
        """
        a = self.architecture

        def unit(x: Array, layer: nn.Module) -> Array:
            return nn.relu(BatchNorm(name=f"{layer.name}_norm")(layer(x), train))

        def convolution(filters: int, name: str) -> nn.Module:
            return nn.Conv(filters, (a.kernel, a.kernel), use_bias=False, name=name)

        def dense(features: int, name: str) -> nn.Module:
            return nn.Dense(features, use_bias=False, name=name)

        x = (jnp.asarray(pixels, jnp.float32) - 127.5) / 64.0
        positions = nn.Dense(a.stem, name="patches")(x)
        x = unit(blocks(positions, 2), convolution(a.filters[0], "enter0"))
        for stage, (filters, depth) in enumerate(zip(a.filters, a.depth, strict=True)):
            if stage:
                x = unit(blocks(x, 2), dense(filters, f"enter{stage}"))
            for i in range(depth):
                x = x + unit(x, convolution(filters, f"residual{stage}_{i}"))
        x = nn.avg_pool(x, (2, 2), (2, 2), "SAME")
        x = nn.Dropout(a.dropout, deterministic=not train)(x.reshape(len(x), -1))
        embedding = nn.relu(nn.Dense(a.dense, name="embedding")(x))
        x = nn.Dropout(a.dropout, deterministic=not train)(embedding)
        return nn.Dense(a.outputs, name="logits")(x), embedding


def blocks(
    x: Float[Array, "n h w c"], size: int
) -> Float[Array, "n h//{size} w//{size} {size}*{size}*c"]:
    """Gathers every size x size block of pixels into one position (space to depth)."""
    n, h, w, c = x.shape
    x = x.reshape(n, h // size, size, w // size, size, c).transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(n, h // size, w // size, size * size * c)


def _channel_sum(x: Float[Array, "... c"]) -> Float[Array, " c"]:
    rows = x.reshape(-1, x.shape[-1])
    return (jnp.ones((1, rows.shape[0]), x.dtype) @ rows)[0]


def _channel_mean(x: Float[Array, "... c"]) -> Float[Array, " c"]:
    return _channel_sum(x) / (x.size // x.shape[-1])


@jax.custom_vjp
def _scale_and_shift(
    x: Float[Array, "... c"], factor: Float[Array, " c"], shift: Float[Array, " c"]
) -> Float[Array, "... c"]:
    return x * factor + shift


def _scale_and_shift_forward(x: Array, factor: Array, shift: Array) -> tuple[Array, Any]:
    return x * factor + shift, (x, factor)


def _scale_and_shift_backward(residuals: Any, gradient: Array) -> tuple[Array, Array, Array]:
    x, factor = residuals
    return gradient * factor, _channel_sum(gradient * x), _channel_sum(gradient)


_scale_and_shift.defvjp(_scale_and_shift_forward, _scale_and_shift_backward)


def initial_variables(architecture: Architecture, seed: int = 0) -> Variables:
    """Fresh random weights for `architecture`."""
    return dict(_initialise(architecture, jnp.asarray(seed)))


# Compiled as a whole: to compile each of its operations by itself takes several times as long.
@partial(jax.jit, static_argnums=0)
def _initialise(architecture: Architecture, seed: Int[Array, ""]) -> Any:
    pixels = jnp.zeros((1, architecture.size, architecture.size, 3))
    return GarmentNet(architecture).init(jax.random.key(seed), pixels)
