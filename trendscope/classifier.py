"""Cut-outs in, calibrated predictions out: the network, its weights file, and the gate.

The network is a small residual CNN in Flax. Its weights live in one safetensors file (a JSON header
and plain arrays, no pickle) that also says how inputs were prepared, what the network was trained
on, what it scored, and from which confidence on its word is to be taken.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, UInt8
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from trendscope.categories import CATEGORIES
from trendscope.compiling import compiler_options, keep_compiled
from trendscope.errors import WeightsError
from trendscope.weights_file import DEFAULT
from trendscope.weights_file import SHIPPED as SHIPPED
from trendscope.weights_file import find_weights as find_weights

BATCH = 8
"""Cut-outs per network call. Fewer are padded to it, so that the network is not compiled anew."""

LARGE_BATCH = 32
"""As many at once where there are as many: a sixth less work for each, but a single photo would
wait for all the padding."""

SURE = 0.8
"""Probability, among all outputs, from which on one look at a photo is enough: at about half of
them. Held-out photos are judged as rightly as with two looks at each (training/LOG.md)."""

TOGETHER = 0.65
"""Weight of each of two looks' logits. A half would be their mean, but two looks that agree tell
more than one: so the confidence of held-out photos is calibrated best (training/LOG.md)."""

Verdict = Literal["classified", "uncertain", "outside"]


# --- the network ---------------------------------------------------------------------------------


def blocks(x: Float[Array, "n h w c"], size: int) -> Float[Array, "n h/size w/size size*size*c"]:
    """Gathers every size x size block of pixels into one position (space to depth)."""
    n, h, w, c = x.shape
    x = x.reshape(n, h // size, size, w // size, size, c).transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(n, h // size, w // size, size * size * c)


def published(pixels: Float[Array, "n h w 4"]) -> Float[Array, "n h w 3"]:
    """The garment alone as Fashion-MNIST would show it: grey, negated, on a black ground; 0..255.

    Contrast is stretched to a deviation of 50 and half of the cloth's own lightness. Where the
    ground is black already, the picture is taken to be negated, and is left as it is. Where no
    garment was found, all of the picture counts as garment.
    """
    grey = pixels[..., :3].astype(jnp.float32).mean(-1, keepdims=True)
    inside = pixels[..., 3:].astype(jnp.float32) / 255
    found = inside.mean((1, 2, 3), keepdims=True) > 0.03
    inside = jnp.where(found, inside, 1.0)
    black = found & (_mean_where(1 - inside, grey) < 8)
    mean = _mean_where(inside, 255 - grey)
    off = 255 - grey - mean
    spread = jnp.maximum(jnp.sqrt(_mean_where(inside, off**2)), 15.0)
    stretched = jnp.clip(80 + mean / 2 + 50 * off / spread, 0, 255)
    return jnp.repeat(inside * jnp.where(black, grey, stretched), 3, axis=-1)


def _mean_where(
    weight: Float[Array, "n h w 1"], x: Float[Array, "n h w 1"]
) -> Float[Array, "n 1 1 1"]:
    axes = (1, 2, 3)
    total = (weight * x).sum(axes, keepdims=True)
    return total / (weight.sum(axes, keepdims=True) + 1)


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


def _scale_and_shift_backward(kept: Any, gradient: Array) -> tuple[Array, Array, Array]:
    x, factor = kept
    return gradient * factor, _channel_sum(gradient * x), _channel_sum(gradient)


_scale_and_shift.defvjp(_scale_and_shift_forward, _scale_and_shift_backward)


@dataclass(frozen=True)
class Architecture:
    """The shape of a `GarmentNet`; part of every weights header.

    Attributes:
        size: Side of the square input in pixels.
        patch: Side of the block of pixels that becomes one position; size / patch is always 28, so
            that a position is one pixel of Fashion-MNIST, and on photos a patch with its detail.
        stem: Features of a position, linear in its colours, or in the garment's own lightness
            where there are four channels.
        detail: Further features of a position, by two small layers of its pixels in all channels.
        channels: 3 for colour alone, 4 for colour and where the garment is.
        kernel: Side of the convolutions.
        filters: Of each stage; the first works on 14 x 14 positions, the second on 7 x 7.
        depth: Residual convolutions of each stage, after the one that enters it.
        dense: Units of the embedding.
        dropout: Share of units dropped in training, before and after the embedding.
        outputs: The ten categories and "outside".
        mirrored: Whether an answer to the garment that is not `SURE` is taken `TOGETHER` with
            that to the mirror image of the whole picture.
    """

    size: int = 28
    patch: int = 1
    stem: int = 4
    detail: int = 0
    channels: int = 3
    kernel: int = 3
    filters: tuple[int, ...] = (48, 96)
    depth: tuple[int, ...] = (1, 2)
    dense: int = 128
    dropout: float = 0.3
    outputs: int = len(CATEGORIES) + 1
    mirrored: bool = False


class GarmentNet(nn.Module):
    """Convolutions with batch normalisation and ReLU, pooling, dropout, a dense layer, logits."""

    architecture: Architecture

    @nn.compact
    def __call__(
        self, pixels: Float[Array, "n size size 4"], train: bool = False
    ) -> tuple[Float[Array, "n outputs"], Float[Array, "n dense"]]:
        """Gives logits (the ten categories, then "outside") and the embedding below them.

        `pixels` are 0..255: RGB as photographed, and where the garment is (networks of three
        channels do not look at it). In training the call needs a ``dropout`` key.
        """
        a = self.architecture

        def unit(x: Array, layer: nn.Module) -> Array:
            return nn.relu(BatchNorm(name=f"{layer.name}_norm")(layer(x), train))

        def convolution(filters: int, name: str) -> nn.Module:
            return nn.Conv(filters, (a.kernel, a.kernel), use_bias=False, name=name)

        def dense(features: int, name: str) -> nn.Module:
            return nn.Dense(features, use_bias=False, name=name)

        x = (pixels[..., : a.channels].astype(jnp.float32) - 127.5) / 64.0
        colours = x[..., :3] if a.channels == 3 else (published(pixels) - 127.5) / 64.0
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


Answer = tuple[Float32[np.ndarray, "n outputs"], Float32[np.ndarray, "n dense"]]
"""Logits and embeddings."""


def answering(architecture: Architecture) -> Callable[..., Answer]:
    """A function from variables and cut-outs (n 2 size size 4) to logits and embeddings.

    Mirrored networks look again where they are not `SURE`. The function's third argument takes the
    place of `LARGE_BATCH`. What it says of one cut-out does not depend on the others.
    """
    look = jax.jit(GarmentNet(architecture).apply, compiler_options=compiler_options())

    def look_at(variables: Variables, pixels: np.ndarray, large: int) -> Answer:
        logits = np.empty((len(pixels), architecture.outputs), np.float32)
        embeddings = np.empty((len(pixels), architecture.dense), np.float32)
        done = 0
        while done < len(pixels):
            batch = large if len(pixels) - done >= large else BATCH
            padded = np.zeros((batch, *pixels.shape[1:]), pixels.dtype)
            rows = slice(done, done + batch)
            n = len(pixels[rows])
            padded[:n] = pixels[rows]
            said, embedded = map(np.asarray, look(variables, padded))
            logits[rows], embeddings[rows] = said[:n], embedded[:n]
            done += n
        return logits, embeddings

    def answer(variables: Variables, cut_outs: np.ndarray, large: int = LARGE_BATCH) -> Answer:
        first = look_at(variables, cut_outs[:, 0], large)
        if architecture.mirrored:
            unsure = ~(softmax(first[0]).max(-1) >= SURE)
            second = look_at(variables, cut_outs[unsure, 1], large)
            for one, other, weight in zip(first, second, (TOGETHER, 0.5), strict=True):
                one[unsure] = weight * (one[unsure] + other)
        return first

    return answer


# --- the weights file ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Gate:
    """From which confidence on a prediction is given.

    Attributes:
        temperature: Logits are divided by it before the softmax (Guo et al. 2017), over the ten
            for the categories, and over all for "outside".
        outside: Smallest probability of "outside" that makes the verdict ``outside``.
        certain: Smallest confidence in the best category that makes it ``classified``.
    """

    temperature: float = 1.0
    outside: float = 0.5
    certain: float = 0.5


@dataclass(frozen=True)
class Header:
    """What a weights file says about itself.

    Attributes:
        name: For people and tables; predictions of different weights are never mixed.
        architecture: The network's shape; `size` is the side of the input in pixels, 0..255: RGB,
            dark cloth dark (Fashion-MNIST is published as a negative and is read as it is), and
            where the garment is.
        gate: Calibration and thresholds.
        trained_on: Digest (sha256) by name of each data set.
        settings: All settings of the training run.
        scores: Measured figures by data set; empty until evaluated.
    """

    name: str
    architecture: Architecture = field(default_factory=Architecture)
    gate: Gate = field(default_factory=Gate)
    categories: tuple[str, ...] = CATEGORIES
    trained_on: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    format: int = 1

    def to_json(self) -> str:
        """The header as one JSON object."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Header:
        """Reads `to_json`'s form; raises ValueError, TypeError or KeyError on any other."""
        values = json.loads(text)
        shape = values["architecture"]
        shape = {k: tuple(v) if isinstance(v, list) else v for k, v in shape.items()}
        values["architecture"] = Architecture(**shape)
        values["gate"] = Gate(**values["gate"])
        values["categories"] = tuple(values["categories"])
        return cls(**values)


Variables = dict[str, Any]
"""Flax variables: ``params`` and ``batch_stats``, nested dicts of float32 arrays."""


def initial_variables(architecture: Architecture, seed: int = 0) -> Variables:
    """Fresh random weights for `architecture`."""
    key = jax.random.key(seed)
    pixels = jnp.zeros((1, architecture.size, architecture.size, 4))
    return dict(GarmentNet(architecture).init(key, pixels))


def write_weights(path: Path, header: Header, variables: Variables) -> None:
    """Writes a weights file beside `path` and renames it into place."""
    arrays = {name: np.asarray(leaf, np.float32) for name, leaf in _leaves(variables)}
    part = path.with_name(path.name + ".part")
    part.write_bytes(save(arrays, {"trendscope": header.to_json()}))
    os.replace(part, path)


def read_weights(path: Path) -> tuple[Header, Variables]:
    """Reads a weights file and checks every array against the architecture in its header.

    Raises:
        WeightsError: The file is damaged, of another format, or holds other arrays; the message
            names the first one that differs, with what was expected and what was found.
    """
    header, arrays = _read_file(path)
    shapes = jax.eval_shape(lambda: initial_variables(header.architecture))
    expected = {name: leaf.shape for name, leaf in _leaves(shapes)}
    for name in sorted(expected | arrays):
        found = arrays[name].shape if name in arrays else "nothing"
        if found != expected.get(name, "nothing"):
            wanted = expected.get(name, "nothing")
            raise WeightsError(f"{path}: array {name}: expected {wanted}, found {found}")
        if not np.isfinite(arrays[name]).all():
            raise WeightsError(f"{path}: array {name} holds values that are not finite numbers")
    return header, _nested(arrays)


def _read_file(path: Path) -> tuple[Header, dict[str, np.ndarray]]:
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}
        header = Header.from_json(metadata["trendscope"])
    except (SafetensorError, ValueError, TypeError, KeyError, OSError) as error:
        raise WeightsError(
            f"{path} is not a trendscope weights file, or is damaged ({error}); "
            "fetch it again or train one with python -m training.train"
        ) from error
    if header.format != 1 or header.categories != CATEGORIES:
        raise WeightsError(
            f"{path}: expected format 1 with the ten Fashion-MNIST categories, found format "
            f"{header.format} with {len(header.categories)}; use a newer trendscope"
        )
    return header, arrays


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}/")
        else:
            yield prefix + name, value


def _nested(arrays: Mapping[str, np.ndarray]) -> Variables:
    tree: Variables = {}
    for name, array in arrays.items():
        *path, leaf = name.split("/")
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node[leaf] = array
    return tree


# --- predicting ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Prediction:
    """What the network says of one cut-out.

    Attributes:
        verdict: ``classified``, ``uncertain`` (a garment, but which?) or ``outside`` (none of the
            ten).
        category: One of the ten; None unless ``classified``.
        confidence: Calibrated probability of the most likely of the ten categories, 0..1, if it is
            one of them.
        probabilities: Float32[10] in label order, if it is one of them; they sum to 1.
        outside: Calibrated probability that it is none of the ten, 0..1.
        embedding: Float32[d], the layer below the logits; near for garments that look alike.
    """

    verdict: Verdict
    category: str | None
    confidence: float
    probabilities: Float32[np.ndarray, 10]
    outside: float
    embedding: Float32[np.ndarray, " d"]

    def top(self, count: int = 3) -> list[tuple[str, float]]:
        """The most likely categories with their probabilities, best first."""
        order = np.argsort(-self.probabilities, kind="stable")[:count]
        return [(CATEGORIES[i], float(self.probabilities[i])) for i in order]


class Classifier:
    """A network with its weights, ready to predict."""

    def __init__(self, header: Header, variables: Variables):
        self.header = header
        self._variables = jax.device_put(variables)
        self._answer = answering(header.architecture)

    @classmethod
    def load(cls, weights: str | Path = DEFAULT) -> Classifier:
        """Loads shipped weights by name, or a weights file.

        Raises:
            WeightsError: There are none there, or they cannot be used.
        """
        keep_compiled()
        path = find_weights(weights)
        if path.parent == SHIPPED:
            # Their arrays are checked by the tests: to do it here takes a tenth of a second.
            header, arrays = _read_file(path)
            return cls(header, _nested(arrays))
        return cls(*read_weights(path))

    @property
    def name(self) -> str:
        """The weights' name."""
        return self.header.name

    @property
    def input_size(self) -> int:
        """Side of the cut-outs it takes, in pixels."""
        return self.header.architecture.size

    def predict(self, cut_outs: Sequence[UInt8[np.ndarray, "2 size size 4"]]) -> list[Prediction]:
        """Predicts for each cut-out; the result does not depend on what else is in the list."""
        if not cut_outs:
            return []
        return judge(*self.forward(np.stack(cut_outs)), self.header.gate)

    def forward(
        self, cut_outs: UInt8[np.ndarray, "n 2 size size 4"], large: int = LARGE_BATCH
    ) -> Answer:
        """Raw logits and embeddings of cut-outs, `large` at a time where there are as many."""
        return self._answer(self._variables, cut_outs, large)


def judge(
    logits: Float32[np.ndarray, "n outputs"], embeddings: Float32[np.ndarray, "n d"], gate: Gate
) -> list[Prediction]:
    """Turns logits into verdicts by the gate. Logits that are not numbers are ``uncertain``."""
    scaled = logits / gate.temperature
    ten = softmax(scaled[:, : len(CATEGORIES)])
    outside = softmax(scaled)[:, len(CATEGORIES)].tolist()
    predictions = []
    for likely, none, embedding in zip(ten, outside, embeddings, strict=True):
        best = int(likely.argmax())
        confidence = float(likely[best])
        verdict: Verdict = "classified" if confidence >= gate.certain else "uncertain"
        if none >= gate.outside:
            verdict = "outside"
        named = CATEGORIES[best] if verdict == "classified" else None
        predictions.append(Prediction(verdict, named, confidence, likely, none, embedding))
    return predictions


def softmax(logits: Float32[np.ndarray, "*n k"]) -> Float32[np.ndarray, "*n k"]:
    """Probabilities along the last axis; zeros where a logit is not a number."""
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    probabilities = shifted / shifted.sum(-1, keepdims=True)
    return np.nan_to_num(np.asarray(probabilities, np.float32))
