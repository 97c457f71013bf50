"""Recognises copies of a photo whose bytes differ: scaled down, or compressed again.

A perceptual hash finds candidates and a tiny colour picture confirms them. The hash has
64 bits, one for each of the lowest frequencies of a cosine transform that is present (as in
phash.org). By the hash alone, different shirts on the same floor are confused; colours differ.
Measured with ``python -m tests.benchmarks.reposts``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from trendscope.vision.images import Photo

HASH_BITS_APART = 8

COLOURS_APART = 4.0
"""Mean difference of the colour pictures, in levels of 0..255."""

ASPECT_APART = 0.02
"""Relative difference of width / height; small copies have theirs rounded."""

_SIDE = 32

_MIN_AMPLITUDE = 0.5 * (_SIDE / 2) ** 2  # half a grey level; compression adds weaker waves


@dataclass(frozen=True)
class ImageFingerprint:
    """The look of a photo in under a kilobyte.

    Attributes:
        hash: Perceptual hash of 64 bits.
        colours: A picture of 16 x 16 pixels, 8-bit RGB.
        aspect: Width / height.
    """

    hash: int
    colours: bytes
    aspect: float


def fingerprint(photo: Photo) -> ImageFingerprint:
    """Fingerprint of a decoded photo."""
    low = _COSINES @ photo.preview.mean(2) @ _COSINES.T
    bits = np.packbits(low.ravel() > _MIN_AMPLITUDE)
    colours = photo.preview.reshape(16, 2, 16, 2, 3).mean((1, 3)).round().astype(np.uint8)
    width, height = photo.size
    return ImageFingerprint(int.from_bytes(bits.tobytes()), colours.tobytes(), width / height)


def is_near_duplicate(one: ImageFingerprint, other: ImageFingerprint) -> bool:
    """True for two copies of one photo, whatever their size and compression."""
    if (one.hash ^ other.hash).bit_count() > HASH_BITS_APART:
        return False
    if abs(one.aspect / other.aspect - 1) > ASPECT_APART:
        return False
    ours, theirs = (np.frombuffer(each.colours, np.uint8).astype(int) for each in (one, other))
    return bool(np.abs(ours - theirs).mean() <= COLOURS_APART)


def _cosines() -> Float64[np.ndarray, "8 32"]:
    """The first eight rows of the cosine transform (DCT-II) of 32 values."""
    frequency, position = np.arange(8)[:, None], np.arange(_SIDE)
    cosines: np.ndarray = np.cos(np.pi * frequency * (2 * position + 1) / (2 * _SIDE))
    return cosines


_COSINES = _cosines()
