"""Photos that show the same although their bytes differ: posted again, smaller or compressed anew.

A perceptual hash finds candidates and a tiny colour picture confirms them. The hash has
64 bits: which of the lowest frequencies of a cosine transform are there (as in phash.org). It alone
takes shirts on the same floor for one another; the colours do not.
Measured with ``python -m tests.benchmarks.reposts``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from jaxtyping import Float64

from trendscope.vision.images import Photo

T = TypeVar("T")

HASH_BITS_APART = 8

COLOURS_APART = 4.0
"""Mean difference of the colour pictures, in levels of 0..255."""

ASPECT_APART = 0.02
"""Relative difference of width / height; small copies have theirs rounded."""

_SIDE = 32

_WEAKEST = 0.5 * (_SIDE / 2) ** 2  # a wave of half a grey level; below lies what compression adds


@dataclass(frozen=True)
class ImageFingerprint:
    """What a photo looks like, in under a kilobyte.

    Attributes:
        hash: 64 bits.
        colours: A picture of 16 x 16 pixels, 8-bit RGB.
        aspect: Width / height.
    """

    hash: int
    colours: bytes
    aspect: float


def fingerprint(photo: Photo) -> ImageFingerprint:
    """Describes a decoded photo."""
    low = _COSINES @ photo.small.mean(2) @ _COSINES.T
    bits = np.packbits(low.ravel() > _WEAKEST)
    colours = photo.small.reshape(16, 2, 16, 2, 3).mean((1, 3)).round().astype(np.uint8)
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
    frequency, place = np.arange(8)[:, None], np.arange(_SIDE)
    cosines: np.ndarray = np.cos(np.pi * frequency * (2 * place + 1) / (2 * _SIDE))
    return cosines


_COSINES = _cosines()
