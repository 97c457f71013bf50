"""Augmentation: the same garments as they might have been photographed elsewhere.

Of Fashion-MNIST two views are made in JAX, one key and one batch in, one batch of network inputs
out. `plain` stays close to the published images. `scenes` turns each image into something like a
photo of the garment: coloured and patterned cloth, on a coloured and textured background, lit,
turned, scaled and shadowed.

Network inputs are floats in 0..255, RGB.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import random
from jaxtyping import Array, Float, PRNGKeyArray, UInt8

from trendscope.vision.network import AnyArray

Pixels = Float[Array, "n h w 3"]
Layer = Float[Array, "n h w 1"]


def plain(key: PRNGKeyArray, grey: UInt8[AnyArray, "n 28 28"]) -> Float[Array, "n 28 28 3"]:
    """Published images, mirrored, moved by up to one pixel, and erased in part.

    Moved by whole pixels only: the published images are sharpened, and interpolation would blur
    what tells a shirt from a coat.
    """
    keys = random.split(key, 3)
    n = len(grey)
    x = jnp.stack([grey, grey, grey], -1).astype(jnp.float32)
    flipped = random.bernoulli(keys[0], 0.5, (n, 1, 1, 1))
    x = jnp.where(flipped, x[:, :, ::-1], x)
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    offsets = random.randint(keys[1], (n, 2), 0, 3)
    x = jax.vmap(lambda image, position: jax.lax.dynamic_slice(image, (*position, 0), (28, 28, 3)))(
        padded, offsets
    )
    return erase(keys[2], x, 0.25)


def scenes(
    key: PRNGKeyArray, grey: UInt8[AnyArray, "n 28 28"], mask: UInt8[AnyArray, "n 28 28"]
) -> Float[Array, "n 28 28 3"]:
    """Photo-like scenes: cloth of the garment's shape and shading on a background.

    Args:
        key: A random key.
        grey: Fashion-MNIST images as published: negated, background 0.
        mask: Masks without holes, 0 or 255 (`training.data.fashion_mnist.garment_masks`).
    """
    k = random.split(key, 8)
    n = len(grey)
    both = jnp.stack([grey, mask], -1).astype(jnp.float32) / 255
    both = warp(k[0], both, turn=0.25, zoom=0.3, stretch=0.15, shift=0.12)
    shade, mask = both[..., :1], both[..., 1:]
    mask = _ragged(k[1], mask)
    cloth = _cloth(k[2], shade, mask)
    ground = background(k[3], n)
    ground = ground * (1 - _uniform(k[4], n, 0, 0.5) * _shadow(k[5], mask))
    x = photograph(k[6], mask * cloth + (1 - mask) * ground)
    return erase(k[7], x)


def no_garment(
    key: PRNGKeyArray, grey: UInt8[AnyArray, "n 28 28"], mask: UInt8[AnyArray, "n 28 28"]
) -> Float[Array, "n 28 28 3"]:
    """Scenes without a garment: bare backgrounds, blobs, and garments cut to shuffled pieces."""
    k = random.split(key, 6)
    n = len(grey)
    ground = background(k[0], n)
    blob = jax.nn.sigmoid(12 * (_noise(k[1], n, 4) - _uniform(k[2], n, 0.0, 1.5)))
    bare = photograph(k[5], blob * background(k[3], n) + (1 - blob) * ground)
    pieces = _shuffle(k[4], scenes(k[4], grey, mask))
    which = random.bernoulli(k[5], 0.5, (n, 1, 1, 1))
    return jnp.where(which, bare, pieces)


def warp(
    key: PRNGKeyArray,
    x: Float[AnyArray, "n h w c"],
    *,
    turn: float,
    zoom: float,
    stretch: float,
    shift: float,
) -> Float[Array, "n h h c"]:
    """Mirrors half of the images and maps each by a random affine map, bilinearly, zero outside.

    Args:
        key: A random key.
        x: Images.
        turn: Standard deviation of the angle, in radians.
        zoom: Scale from 1 - zoom to 1 + zoom / 2.
        stretch: Standard deviation of the log aspect ratio and of the shear.
        shift: Largest shift, as a share of the side.
    """
    k = random.split(key, 6)
    n, side = len(x), x.shape[1]
    angle = turn * random.normal(k[0], (n,))
    size = random.uniform(k[1], (n,), minval=1 - zoom, maxval=1 + zoom / 2)
    aspect = jnp.exp(stretch * random.normal(k[2], (n,)))
    shear = stretch * random.normal(k[3], (n,))
    mirror = random.rademacher(k[4], (n,), jnp.float32)
    cos, sin = jnp.cos(angle) / size, jnp.sin(angle) / size
    matrix = jnp.stack(
        [
            jnp.stack([cos * aspect, -sin * mirror], -1),
            jnp.stack([sin * aspect + shear, cos * mirror], -1),
        ],
        -2,
    )
    offset = side * random.uniform(k[5], (n, 2), minval=-shift, maxval=shift)
    warped: Array = jax.vmap(_affine)(jnp.asarray(x), matrix, offset)
    return warped


def _affine(
    x: Float[Array, "side side c"], matrix: Float[Array, "2 2"], offset: Float[Array, 2]
) -> Float[Array, "side side c"]:
    side, _, c = x.shape
    steps = jnp.arange(side) - (side - 1) / 2
    grid = jnp.stack(jnp.meshgrid(steps, steps, indexing="ij"), -1)
    position = grid @ matrix.T + offset + (side - 1) / 2
    low = jnp.floor(position)
    part = position - low
    low = low.astype(jnp.int32) + 1
    flat = jnp.pad(x, ((1, 1), (1, 1), (0, 0))).reshape(-1, c)

    def corner(dy: int, dx: int) -> Float[Array, "side side c"]:
        row = jnp.clip(low[..., 0] + dy, 0, side + 1)
        column = jnp.clip(low[..., 1] + dx, 0, side + 1)
        return flat[row * (side + 2) + column]

    y, z = part[..., :1], part[..., 1:]
    top = corner(0, 0) * (1 - z) + corner(0, 1) * z
    bottom = corner(1, 0) * (1 - z) + corner(1, 1) * z
    return top * (1 - y) + bottom * y


def background(key: PRNGKeyArray, n: int) -> Float[Array, "n 28 28 3"]:
    """Floors, beds, walls and carpets: a colour, soft light, planks or tiles, and grain; 0..1."""
    k = random.split(key, 9)
    base = _colour(k[0], n)
    light = 0.12 * _noise(k[1], n, 3)
    other = jnp.clip(base + 0.25 * random.normal(k[2], (n, 1, 1, 3)), 0, 1)
    pattern = _stripes(k[3], n) * _uniform(k[4], n, 0, 1) ** 2
    blotches = jax.nn.sigmoid(4 * _noise(k[5], n, 7)) * _uniform(k[6], n, 0, 1) ** 3
    x = base + (other - base) * (pattern + blotches)
    grain = _uniform(k[7], n, 0, 0.12) ** 1.5 * 2 * random.normal(k[8], (n, 28, 28, 1))
    return jnp.clip(x + light + grain, 0, 1)


def photograph(key: PRNGKeyArray, x: Pixels) -> Pixels:
    """A camera's view of a scene in 0..1: exposure, contrast, white balance, blur and noise."""
    k = random.split(key, 6)
    n = len(x)
    x = x * _uniform(k[0], n, 0.7, 1.25) * (1 + 0.06 * random.normal(k[1], (n, 1, 1, 3)))
    x = 0.5 + (x - 0.5) * _uniform(k[2], n, 0.7, 1.3)
    x = jnp.where(random.bernoulli(k[3], 0.3, (n, 1, 1, 1)), _blur(x), x)
    x = x + _uniform(k[4], n, 0, 0.04) * random.normal(k[5], x.shape)
    return 255 * jnp.clip(x, 0, 1)


def erase(
    key: PRNGKeyArray, x: Float[AnyArray, "n h w c"], probability: float = 0.4
) -> Float[Array, "n h w c"]:
    """Random erasing (Zhong et al. 2020): a rectangle of one tone, with the given probability."""
    k = random.split(key, 4)
    n, side = len(x), x.shape[1]
    low = side * random.uniform(k[0], (n, 2), minval=-0.1, maxval=0.9)
    high = low + side * random.uniform(k[1], (n, 2), minval=0.1, maxval=0.45)
    position = jnp.arange(side)
    row = (position >= low[:, :1]) & (position < high[:, :1])
    column = (position >= low[:, 1:]) & (position < high[:, 1:])
    hole = row[:, :, None, None] & column[:, None, :, None]
    hole &= random.bernoulli(k[2], probability, (n, 1, 1, 1))
    return jnp.where(hole, 255 * random.uniform(k[3], (n, 1, 1, x.shape[-1])), x)


def _cloth(key: PRNGKeyArray, shade: Layer, mask: Layer) -> Pixels:
    k = random.split(key, 8)
    n = len(shade)
    colour = _colour(k[0], n)
    # The garment's own shading, freed of its mean: what is left is folds, seams, collars, prints.
    mean = (shade * mask).sum((1, 2), keepdims=True) / (mask.sum((1, 2), keepdims=True) + 1e-3)
    relief = (shade - mean) * random.rademacher(k[1], (n, 1, 1, 1), jnp.float32)
    x = colour + relief * _uniform(k[2], n, 0.15, 1.2) * (
        1 + 0.3 * random.normal(k[3], (n, 1, 1, 3))
    )
    second = _colour(k[4], n)
    amount = _stripes(k[5], n) * random.bernoulli(k[6], 0.3, (n, 1, 1, 1)).astype(x.dtype)
    print_ = jax.nn.sigmoid(10 * (_noise(k[7], n, 7) - 0.8))
    amount = jnp.maximum(amount, print_ * random.bernoulli(k[3], 0.35, (n, 1, 1, 1)))
    folds = 0.08 * _noise(k[6], n, 7)
    return jnp.clip(x + (second - x) * 0.7 * amount + folds, 0, 1)


def _colour(key: PRNGKeyArray, n: int) -> Float[Array, "n 1 1 3"]:
    """Colours as in wardrobes and rooms: any lightness, mostly weak saturation; 0..1."""
    k = random.split(key, 3)
    grey = random.uniform(k[0], (n, 1, 1, 1), minval=0.03, maxval=1.0)
    hue = random.normal(k[1], (n, 1, 1, 3))
    return jnp.clip(grey + hue * 0.28 * random.uniform(k[2], (n, 1, 1, 1)) ** 1.5, 0, 1)


def _stripes(key: PRNGKeyArray, n: int) -> Float[Array, "n 28 28 1"]:
    """Soft or hard stripes or checks of random direction, width and contrast; 0..1."""
    k = random.split(key, 5)
    ramp = jnp.arange(28) / 28 - 0.5
    angle = random.choice(k[0], jnp.array([0.0, 0.5, 0.5, 0.25]), (n,)) * jnp.pi
    angle = angle + 0.15 * random.normal(k[1], (n,))
    waves = 2 * jnp.pi * random.uniform(k[2], (n, 1, 1, 1), minval=2.0, maxval=11.0)
    along = ramp[:, None] * jnp.cos(angle)[:, None, None] + ramp * jnp.sin(angle)[:, None, None]
    across = ramp * jnp.cos(angle)[:, None, None] - ramp[:, None] * jnp.sin(angle)[:, None, None]
    phase = 6.3 * random.uniform(k[3], (n, 1, 1, 1))
    checks = random.bernoulli(k[4], 0.35, (n, 1, 1, 1))
    wave = jnp.sin(waves * along[..., None] + phase)
    wave = jnp.where(checks, jnp.maximum(wave, jnp.sin(waves * across[..., None])), wave)
    return jax.nn.sigmoid(4 * wave)


def _noise(key: PRNGKeyArray, n: int, cells: int) -> Float[Array, "n 28 28 1"]:
    """Smooth noise with about `cells` bumps a side, mean 0."""
    coarse = random.normal(key, (n, cells, cells, 1))
    smooth: Array = jax.image.resize(coarse, (n, 28, 28, 1), "linear")
    return smooth


def _ragged(key: PRNGKeyArray, mask: Layer) -> Layer:
    """Silhouettes with soft, slightly moved borders, as cloth has them."""
    k = random.split(key, 2)
    n = len(mask)
    moved = _blur(mask) + 0.15 * _noise(k[0], n, 9)
    return jax.nn.sigmoid(_uniform(k[1], n, 6, 16) * (moved - 0.45))


def _shadow(key: PRNGKeyArray, mask: Layer) -> Layer:
    soft = _blur(_blur(mask))
    dy, dx = random.randint(key, (2,), -2, 3)
    return jnp.roll(soft, (dy, dx), (1, 2))


def _shuffle(
    key: PRNGKeyArray, x: Float[AnyArray, "n side side c"]
) -> Float[Array, "n side side c"]:
    """Cuts images into 4 x 4 pieces and deals these among the whole batch."""
    n, side, _, c = x.shape
    cut = x.reshape(n, 4, side // 4, 4, side // 4, c).swapaxes(2, 3).reshape(n * 16, -1)
    dealt = random.permutation(key, cut).reshape(n, 4, 4, side // 4, side // 4, c)
    return dealt.swapaxes(2, 3).reshape(n, side, side, c)


def _blur(x: Float[Array, "n h w c"]) -> Float[Array, "n h w c"]:
    """A binomial 1-2-1 filter in both directions, borders repeated.

    Written as products with a band matrix: as sums of shifted images XLA would fuse it with what
    made `x` and compute that nine times.
    """
    side = x.shape[1]
    band = (2 * jnp.eye(side) + jnp.eye(side, k=1) + jnp.eye(side, k=-1)) / 4
    band = band.at[0, 0].add(0.25).at[-1, -1].add(0.25)
    return jnp.einsum("ab,cd,nbdk->nack", band, band, x)


def _uniform(key: PRNGKeyArray, n: int, low: float, high: float) -> Float[Array, "n 1 1 1"]:
    return random.uniform(key, (n, 1, 1, 1), minval=low, maxval=high)
