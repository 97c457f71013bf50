"""Augmentation: the same garments as they might have been photographed elsewhere.

Of Fashion-MNIST two views are made in JAX, one key and one batch in, one batch of network inputs
out. `plain` stays close to the published images. `scenes` turns each image into something like a
photo of the garment: coloured and patterned cloth, on a coloured and textured background, lit,
turned, scaled and shadowed.

Photos take two steps. `augment_photo` moves and blurs one photo and lays it onto another ground, or
its garment's folds onto other cloth, by OpenCV on the host, where it costs less than the
network does; `other_colours` follows in JAX.

Network inputs are floats in 0..255: RGB, and where the garment is.
"""

from __future__ import annotations

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jax import random
from jaxtyping import Array, Float, Float32, PRNGKeyArray, Real, UInt8

from trendscope.vision.images import one_opencv_thread
from trendscope.vision.network import AnyArray

Pixels = Float[Array, "n h w 3"]
Inputs = Float[AnyArray, "n h w 4"]
Layer = Float[Array, "n h w 1"]

Canvas = UInt8[np.ndarray, "canvas canvas 4"]
"""A cut-out with more room around it than the network's inputs have."""


def plain(
    key: PRNGKeyArray, grey: UInt8[AnyArray, "n 28 28"], mask: UInt8[AnyArray, "n 28 28"]
) -> Float[Array, "n 28 28 4"]:
    """Published images, mirrored, moved by up to one pixel, and erased in part.

    Moved by whole pixels only: the published images are sharpened, and interpolation would blur
    what tells a shirt from a coat.
    """
    keys = random.split(key, 3)
    n = len(grey)
    x = jnp.stack([grey, grey, grey, mask], -1).astype(jnp.float32)
    flipped = random.bernoulli(keys[0], 0.5, (n, 1, 1, 1))
    x = jnp.where(flipped, x[:, :, ::-1], x)
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    offsets = random.randint(keys[1], (n, 2), 0, 3)
    x = jax.vmap(lambda image, position: jax.lax.dynamic_slice(image, (*position, 0), (28, 28, 4)))(
        padded, offsets
    )
    return erase(keys[2], x, 0.25)


def scenes(
    key: PRNGKeyArray, grey: UInt8[AnyArray, "n 28 28"], mask: UInt8[AnyArray, "n 28 28"]
) -> Float[Array, "n 28 28 4"]:
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
    return erase(k[7], jnp.concatenate([x, 255 * mask], -1))


def no_garment(
    key: PRNGKeyArray, grey: UInt8[AnyArray, "n 28 28"], mask: UInt8[AnyArray, "n 28 28"]
) -> Float[Array, "n 28 28 4"]:
    """Scenes without a garment: bare backgrounds, blobs, and garments cut to shuffled pieces."""
    k = random.split(key, 6)
    n = len(grey)
    ground = background(k[0], n)
    blob = jax.nn.sigmoid(12 * (_noise(k[1], n, 4) - _uniform(k[2], n, 0.0, 1.5)))
    bare = photograph(k[5], blob * background(k[3], n) + (1 - blob) * ground)
    pieces = _shuffle(k[4], scenes(k[4], grey, mask))
    which = random.bernoulli(k[5], 0.5, (n, 1, 1, 1))
    return jnp.where(which, jnp.concatenate([bare, 255 * blob], -1), pieces)


@one_opencv_thread()
def augment_photo(
    generator: np.random.Generator, canvas: Canvas, other: Canvas, side: int, cloth: float = 0.0
) -> UInt8[np.ndarray, "side side 4"]:
    """One photo from another angle, by another camera, in 3 of 20 cases on another ground.

    Args:
        generator: Draws what happens.
        canvas: The photo.
        other: Another photo, whose corners are taken for its ground and whose garment for cloth.
        side: Side of the result in pixels; the middle of `canvas` fills it.
        cloth: Probability that the garment is made of another cloth.
    """
    matrix = _moved(generator, len(canvas), side)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REFLECT_101
    x = cv2.warpAffine(canvas, matrix, (side, side), flags=flags, borderMode=border)
    mask = x[..., 3:].astype(np.float32) / 255
    if mask.mean() > 0.04:  # Where no garment was found, all of the photo is kept.
        if cloth and generator.random() < cloth:
            x[..., :3] = mask * _other_cloth(generator, x, other) + (1 - mask) * x[..., :3]
        if generator.random() < 0.15:
            x[..., :3] = mask * x[..., :3] + (1 - mask) * _ground(generator, other, side)
    chance = generator.random()
    if chance < 0.08:
        x = cv2.GaussianBlur(x, (0, 0), generator.uniform(0.5, 1.5))
    elif chance < 0.13:
        fewer = (int(generator.integers(side // 3, 4 * side // 5)),) * 2
        reduced = cv2.resize(x, fewer, interpolation=cv2.INTER_AREA)
        x = cv2.resize(reduced, (side, side), interpolation=cv2.INTER_LINEAR)
    if generator.random() < 0.05:
        x[..., 3] = 0  # As where the garment could not be found.
    return np.asarray(x)


def _moved(generator: np.random.Generator, source: int, side: int) -> Float[np.ndarray, "2 3"]:
    """A random affine map from the result's pixels to the canvas', centre to centre."""
    angle = 0.12 * generator.standard_normal()
    if generator.random() < 0.05:  # A garment that lies across the photo.
        angle += np.pi / 2 * generator.choice([-1, 1])
    scale = np.exp(generator.uniform(-0.17, 0.16))
    aspect = np.exp(0.08 * generator.standard_normal())
    shear = 0.06 * generator.standard_normal()
    mirror = generator.choice([-1, 1])
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    matrix = np.array([[cos * mirror * aspect, -sin], [sin * mirror + shear, cos]])
    centre = (source - 1) / 2 + side * generator.uniform(-0.06, 0.06, 2)
    offset = centre - matrix @ np.full(2, (side - 1) / 2)
    return np.column_stack([matrix, offset])


def _other_cloth(
    generator: np.random.Generator, x: UInt8[np.ndarray, "side side 4"], other: Canvas
) -> Float32[np.ndarray, "side side 3"]:
    """A garment's folds, seams and print on other cloth: plain, or cut from another garment.

    So that its cut is learned, not that trousers are of denim and shirts checked (Geirhos et al.,
    "ImageNet-trained CNNs are biased towards texture", 2019).
    """
    side = len(x)
    cloth = generator.uniform(20, 235) + 25 * generator.standard_normal((1, 1, 3))
    if generator.random() < 0.6:
        wide = int(generator.integers(len(other) // 8, len(other) // 3))
        y, z = (len(other) - wide) // 2 + generator.integers(-wide // 2, wide // 2 + 1, 2)
        piece = cv2.resize(other[y : y + wide, z : z + wide, :3], (side, side))
        cloth = cloth + generator.uniform(0.5, 1.2) * (piece - piece.mean((0, 1)))
    grey = x[..., :3].astype(np.float32).mean(-1)
    relief = grey - cv2.blur(grey, (side // 4, side // 4))
    relief *= generator.uniform(0.5, 1.5) * 18 / max(18.0, float(relief.std()))
    return np.asarray(np.clip(cloth + relief[..., None], 0, 255), np.float32)


def _ground(
    generator: np.random.Generator, other: Canvas, side: int
) -> UInt8[np.ndarray, "side side 3"]:
    """A corner of another photo, which seldom shows its garment, or one plain colour."""
    if generator.random() < 0.25:
        return np.full((side, side, 3), generator.integers(0, 256, 3), np.uint8)
    wide = int(generator.integers(len(other) // 6, len(other) // 3))
    y, x = generator.choice([0, len(other) - wide], 2)
    corner = other[y : y + wide, x : x + wide, :3]
    return np.asarray(cv2.resize(corner, (side, side), interpolation=cv2.INTER_LINEAR))


def other_colours(key: PRNGKeyArray, x: Inputs) -> Inputs:
    """Photos in other light and cloth of other colours: hue, saturation, exposure, contrast."""
    k = random.split(key, 6)
    n = len(x)
    rgb = jnp.einsum("nijc,ncd->nijd", x[..., :3] / 255, _colour_shift(k[0], n))
    rgb = rgb * _uniform(k[1], n, 0.8, 1.2) * (1 + 0.05 * random.normal(k[2], (n, 1, 1, 3)))
    mean = rgb.mean((1, 2, 3), keepdims=True)
    rgb = mean + (rgb - mean) * _uniform(k[3], n, 0.8, 1.2)
    return erase(k[4], jnp.concatenate([255 * jnp.clip(rgb, 0, 1), x[..., 3:]], -1), 0.1)


def enlarged(x: Inputs, side: int) -> Float[Array, "n side side 4"]:
    """Published images as the network's larger input; see `trendscope.vision.segmentation`."""
    times = side // x.shape[1]
    return jnp.repeat(jnp.repeat(x, times, axis=1), times, axis=2)


def both_ways(pixels: Real[AnyArray, "n h w c"]) -> Real[np.ndarray, "n 2 h w c"]:
    """Cut-outs of pictures that show the garment and nothing else: each, and its mirror image."""
    both = np.asarray(pixels)
    return np.stack([both, both[:, :, ::-1]], axis=1)


def _colour_shift(key: PRNGKeyArray, n: int) -> Float[Array, "n 3 3"]:
    """Matrices that change the saturation and, a little, the hue."""
    k = random.split(key, 2)
    grey = jnp.full((3, 3), 1 / 3)
    saturation = random.uniform(k[0], (n, 1, 1), minval=0.45, maxval=1.25)
    shift: Array = grey + saturation * (jnp.eye(3) - grey) + 0.025 * random.normal(k[1], (n, 3, 3))
    return shift


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
