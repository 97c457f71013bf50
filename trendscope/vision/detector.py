"""The network that finds every garment in a photo (Flax).

Its trunk is EfficientNet-Lite0 (Tan and Le 2019) without the layer that names ImageNet's classes.
On it sit two heads: one names what each cell of 16 x 16 pixels shows and where the garment's box
ends (FCOS, Tian et al. 2019), one names what the whole photo shows.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num, UInt8

from trendscope.vision.depthwise import depthwise
from trendscope.vision.outputs import CELL_OUTPUTS, PHOTO_OUTPUTS, Variables

STRIDE = 16
"""Side of a cell in pixels of the input."""

WIDTH = 128
"""Features of a cell."""

STAGES = (  # expansion, channels, kernel, stride of the first block, blocks
    (1, 16, 3, 1, 1),
    (6, 24, 3, 2, 2),
    (6, 40, 5, 2, 2),
    (6, 80, 3, 2, 3),
    (6, 112, 5, 1, 3),
    (6, 192, 5, 2, 4),
    (6, 320, 3, 1, 1),
)
"""EfficientNet-Lite0 after its first convolution of 32 channels and stride 2."""

FINE_STAGE = 4
"""The last stage of stride 16; the stages after it have stride 32."""

FEATURES = 1280
"""Features of a whole photo, as EfficientNet's last convolution gives them."""


class Answer(NamedTuple):
    """What the network says of photos.

    Attributes:
        photo: Logits of the whole photo.
        cells: Logits of each cell.
        distances: Distances from the middle of each cell to the left, top, right and bottom of its
            garment's box, in pixels of the input; positive.
        features: Features of each cell; near for garments that look alike.
    """

    photo: Float[Array, "n photo_outputs"]
    cells: Float[Array, "n rows columns cell_outputs"]
    distances: Float[Array, "n rows columns 4"]
    features: Float[Array, "n rows columns width"]


class Convolution(nn.Module):
    """A convolution of side 1 with bias: one product of matrices."""

    channels: int

    @nn.compact
    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n h w channels"]:
        """Convolves."""
        shape = (1, 1, x.shape[-1], self.channels)
        kernel = self.param("kernel", nn.initializers.lecun_normal(), shape)
        bias = self.param("bias", nn.initializers.zeros, (self.channels,))
        return x @ kernel[0, 0] + bias


class Stem(nn.Module):
    """A 3 x 3 convolution of stride 2 with bias, of pixels scaled to -1..1; padded with zeros.

    Gathered by hand and multiplied as one product of matrices, it takes half of XLA's time.
    """

    channels: int

    @nn.compact
    def __call__(self, pixels: Num[Array, "n h w 3"]) -> Float[Array, "n rows columns channels"]:
        """Convolves pixels 0..255 of even height and width."""
        kernel = self.param("kernel", nn.initializers.lecun_normal(), (3, 3, 3, self.channels))
        bias = self.param("bias", nn.initializers.zeros, (self.channels,))
        n, h, w, _ = pixels.shape
        # 127 becomes the zero of the padding: (127 - 127) / 128.
        x = jnp.pad(pixels, ((0, 0), (0, 2), (0, 2), (0, 0)), constant_values=127)
        pairs = x.reshape(n, h // 2 + 1, 2, w // 2 + 1, 6)
        rows = (pairs[:, :-1, 0], pairs[:, :-1, 1], pairs[:, 1:, 0])
        around = [part for row in rows for part in (row[:, :, :-1], row[:, :, 1:, :3])]
        scaled = kernel.reshape(27, -1) / 128
        return jnp.concatenate(around, -1).astype(jnp.float32) @ scaled + (
            bias - 127 * scaled.sum(0)
        )


class Depthwise(nn.Module):
    """A depthwise convolution with bias."""

    side: int
    stride: int = 1

    @nn.compact
    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n rows columns c"]:
        """Convolves each channel for itself."""
        initial = nn.initializers.normal(1 / self.side)
        kernel = self.param("kernel", initial, (self.side, self.side, x.shape[-1]))
        bias = self.param("bias", nn.initializers.zeros, (x.shape[-1],))
        return depthwise(x, kernel, self.stride) + bias


class Block(nn.Module):
    """An inverted bottleneck: wider, depthwise, narrow again, added where the shapes agree."""

    expansion: int
    channels: int
    side: int
    stride: int

    @nn.compact
    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n rows columns channels"]:
        """One block; batch normalisation is part of its kernels and biases."""
        wide = x
        if self.expansion > 1:
            wide = nn.relu6(Convolution(self.expansion * x.shape[-1], name="expand")(x))
        wide = nn.relu6(Depthwise(self.side, self.stride, name="depthwise")(wide))
        narrow = Convolution(self.channels, name="project")(wide)
        return x + narrow if narrow.shape == x.shape else narrow


class Trunk(nn.Module):
    """EfficientNet-Lite0 without its last convolution, pooling and layer for ImageNet.

    Attributes:
        frozen: Stages, from the first, that no gradient reaches; 0 for none.
    """

    frozen: int = 0

    @nn.compact
    def __call__(
        self, pixels: Num[Array, "n h w 3"]
    ) -> tuple[Float[Array, "n h16 w16 112"], Float[Array, "n h32 w32 320"]]:
        """Maps of stride 16 and 32 of pixels 0..255, RGB."""
        x = nn.relu6(Stem(32, name="stem")(pixels))
        number = 0
        for stage, (expansion, channels, side, stride, blocks) in enumerate(STAGES):
            for i in range(blocks):
                x = Block(expansion, channels, side, 1 if i else stride, name=f"block{number}")(x)
                number += 1
            if stage < self.frozen:
                x = jax.lax.stop_gradient(x)
            if stage == FINE_STAGE:
                fine = x
        return fine, x


class Detector(nn.Module):
    """The trunk and its two heads.

    Attributes:
        frozen: Stages of the trunk, from the first, that no gradient reaches.
    """

    frozen: int = 0

    @nn.compact
    def __call__(self, pixels: Num[Array, "n h w 3"]) -> Answer:
        """Looks at photos whose sides are multiples of 32 pixels; pixels 0..255, RGB."""
        fine, coarse = Trunk(self.frozen, name="trunk")(pixels)
        whole = nn.relu6(Convolution(FEATURES, name="features")(coarse)).mean((1, 2))
        photo = nn.Dense(PHOTO_OUTPUTS, name="photo")(whole)
        x = Convolution(WIDTH, name="fine")(fine) + doubled(
            Convolution(WIDTH, name="coarse")(coarse)
        )
        x = nn.relu6(Depthwise(5, name="around")(nn.relu(x)))
        x = nn.relu(Convolution(WIDTH, name="cell")(x))
        cells = nn.Dense(CELL_OUTPUTS, name="cells")(x)
        reach = nn.Dense(4, name="distances")(x)
        # Half a photo away at first; the exponential keeps distances positive.
        distances = STRIDE * jnp.exp(jnp.clip(reach + 1, -4, 4))
        return Answer(photo, cells, distances, x)


def doubled(x: Float[Array, "n h w c"]) -> Float[Array, "n 2*h 2*w c"]:
    """Each position twice as high and wide."""
    n, h, w, c = x.shape
    return jnp.broadcast_to(x[:, :, None, :, None], (n, h, 2, w, 2, c)).reshape(n, 2 * h, 2 * w, c)


def looked_at(variables: Variables, pixels: UInt8[Array, "n h w 3"]) -> list[Array]:
    """Probabilities of photos and cells, boxes as fractions of the photo, and features.

    Zeros stand for probabilities whose logits are not numbers.
    """
    answer = Answer(*Detector().apply(variables, pixels))
    height, width = pixels.shape[1:3]
    boxes = cell_boxes(answer.distances) / jnp.array([width, height, width, height])
    photo, cells = (jnp.nan_to_num(jax.nn.softmax(part)) for part in (answer.photo, answer.cells))
    return [photo, cells, jnp.clip(boxes, 0, 1), answer.features]


def cell_boxes(distances: Float[Array, "*n rows columns 4"]) -> Float[Array, "*n rows columns 4"]:
    """Boxes x0, y0, x1, y1 in pixels of cells' distances to the left, top, right and bottom."""
    rows, columns = distances.shape[-3:-1]
    x = (jnp.arange(columns) + 0.5) * STRIDE
    y = ((jnp.arange(rows) + 0.5) * STRIDE)[:, None]
    left, top, right, bottom = jnp.moveaxis(distances, -1, 0)
    return jnp.stack([x - left, y - top, x + right, y + bottom], -1)


def initial_variables(seed: int = 0) -> Variables:
    """Fresh random weights: kernels of variance 1 / inputs, biases of 0."""
    generator = np.random.default_rng(seed)

    def drawn(leaf: jax.ShapeDtypeStruct) -> np.ndarray:
        inputs = math.prod(leaf.shape[:-1])
        deviation = 1 / math.sqrt(inputs) if len(leaf.shape) > 1 else 0.0
        return np.asarray(generator.normal(0, deviation, leaf.shape), np.float32)

    return dict(jax.tree.map(drawn, _shapes()))


@functools.cache
def _shapes() -> Any:
    return jax.eval_shape(Detector().init, jax.random.key(0), jnp.zeros((1, 32, 32, 3)))
