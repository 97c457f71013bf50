"""The network of the shipped weights (Flax), and its forward pass compiled for prediction."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Int, Real

from trendscope.vision.compilation import compiler_options
from trendscope.vision.weights import Architecture

BATCH = 8
"""Crops per network call. Fewer are padded to it, so that the network is not compiled again."""

LARGE_BATCH = 32
"""Crops per network call where there are enough: saves a sixth of the time. A single photo would
wait for all the padding."""

SINGLE_VIEW_CONFIDENCE = 0.8
"""Probability, among all outputs, from which on one view of a photo is enough, as for about half of
them. Accuracy on held-out photos is that of two views of each (training/LOG.md)."""

VIEW_WEIGHT = 0.65
"""Weight of each view's logits. A half would be their mean, but two views that agree are worth more
than one: with this weight, confidence on held-out photos is calibrated best (training/LOG.md)."""


AnyArray = Array | np.ndarray

Variables = dict[str, Any]
"""Flax variables: ``params`` and ``batch_stats``, nested dicts of float32 arrays."""

Outputs = tuple[Float32[np.ndarray, "n outputs"], Float32[np.ndarray, "n dense"]]
"""Logits and embeddings."""


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
        self, pixels: Real[AnyArray, "n size size c"], train: bool = False
    ) -> tuple[Float[Array, "n outputs"], Float[Array, "n dense"]]:
        """Gives logits (the ten categories, then "outside") and the embedding below them.

        `pixels` are 0..255: RGB as photographed, and the garment's mask (which networks of three
        channels ignore). In training the call needs a ``dropout`` key.
        """
        a = self.architecture

        def unit(x: Array, layer: nn.Module) -> Array:
            return nn.relu(BatchNorm(name=f"{layer.name}_norm")(layer(x), train))

        def convolution(filters: int, name: str) -> nn.Module:
            return nn.Conv(filters, (a.kernel, a.kernel), use_bias=False, name=name)

        def dense(features: int, name: str) -> nn.Module:
            return nn.Dense(features, use_bias=False, name=name)

        x = (jnp.asarray(pixels[..., : a.channels], jnp.float32) - 127.5) / 64.0
        colours = x[..., :3] if a.channels == 3 else (as_fashion_mnist(pixels) - 127.5) / 64.0
        positions = nn.Dense(a.stem, name="patches")(blocks(colours, a.patch))
        if a.detail:
            fine = unit(blocks(x, a.patch), dense(a.detail, "detail"))
            fine = fine + unit(fine, convolution(a.detail, "detail_residual"))
            positions = jnp.concatenate([positions, fine], -1)
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


def as_fashion_mnist(pixels: Real[AnyArray, "n h w 4"]) -> Float[Array, "n h w 3"]:
    """The garment alone as Fashion-MNIST would show it: grey, negated, on a black ground; 0..255.

    Contrast is stretched to a deviation of 50 and half of the cloth's own lightness. Where the
    ground is black already, the picture is taken to be negated, and is left as it is. Where no
    garment is seen, all of the picture counts as garment.
    """
    grey = jnp.asarray(pixels[..., :3], jnp.float32).mean(-1, keepdims=True)
    mask = jnp.asarray(pixels[..., 3:], jnp.float32) / 255
    has_garment = mask.mean((1, 2, 3), keepdims=True) > 0.03
    mask = jnp.where(has_garment, mask, 1.0)
    black = has_garment & (_mean_where(1 - mask, grey) < 8)
    mean = _mean_where(mask, 255 - grey)
    difference = 255 - grey - mean
    spread = jnp.maximum(jnp.sqrt(_mean_where(mask, difference**2)), 15.0)
    stretched = jnp.clip(80 + mean / 2 + 50 * difference / spread, 0, 255)
    return jnp.repeat(mask * jnp.where(black, grey, stretched), 3, axis=-1)


def _mean_where(
    weight: Float[Array, "n h w 1"], x: Float[Array, "n h w 1"]
) -> Float[Array, "n 1 1 1"]:
    axes = (1, 2, 3)
    total = (weight * x).sum(axes, keepdims=True)
    return total / (weight.sum(axes, keepdims=True) + 1)


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


def make_predictor(architecture: Architecture) -> Callable[..., Outputs]:
    """A function from variables and crops (n 2 size size 4) to logits and embeddings.

    Networks of two views use the second one where the first is below `SINGLE_VIEW_CONFIDENCE`. The
    function's third argument replaces `LARGE_BATCH`. The result for one crop does not depend on the
    others.
    """
    apply = jax.jit(GarmentNet(architecture).apply, compiler_options=compiler_options())

    def predict_view(variables: Variables, pixels: np.ndarray, large: int) -> Outputs:
        logits = np.empty((len(pixels), architecture.outputs), np.float32)
        embeddings = np.empty((len(pixels), architecture.dense), np.float32)
        start = 0
        while start < len(pixels):
            batch = large if len(pixels) - start >= large else BATCH
            padded = np.zeros((batch, *pixels.shape[1:]), pixels.dtype)
            rows = slice(start, start + batch)
            n = len(pixels[rows])
            padded[:n] = pixels[rows]
            outputs, embedded = map(np.asarray, apply(variables, padded))
            logits[rows], embeddings[rows] = outputs[:n], embedded[:n]
            start += n
        return logits, embeddings

    def predict(variables: Variables, crops: np.ndarray, large: int = LARGE_BATCH) -> Outputs:
        first = predict_view(variables, crops[:, 0], large)
        if architecture.two_views:
            uncertain = ~(softmax(first[0]).max(-1) >= SINGLE_VIEW_CONFIDENCE)
            second = predict_view(variables, crops[uncertain, 1], large)
            for one, other, weight in zip(first, second, (VIEW_WEIGHT, 0.5), strict=True):
                one[uncertain] = weight * (one[uncertain] + other)
        return first

    return predict


def initial_variables(architecture: Architecture, seed: int = 0) -> Variables:
    """Fresh random weights for `architecture`."""
    return dict(_initialise(architecture, jnp.asarray(seed)))


# Compiled as a whole: to compile each of its operations by itself takes several times as long.
@partial(jax.jit, static_argnums=0)
def _initialise(architecture: Architecture, seed: Int[Array, ""]) -> Any:
    pixels = jnp.zeros((1, architecture.size, architecture.size, 4))
    return GarmentNet(architecture).init(jax.random.key(seed), pixels)


def softmax(logits: Float[np.ndarray, "*n k"]) -> Float32[np.ndarray, "*n k"]:
    """Probabilities along the last axis; zeros where a logit is not a number."""
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    probabilities = shifted / shifted.sum(-1, keepdims=True)
    return np.nan_to_num(np.asarray(probabilities, np.float32))
