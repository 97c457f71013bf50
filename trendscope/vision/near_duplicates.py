"""Recognises copies of a photo whose bytes differ: scaled down, or compressed again.

A perceptual hash finds candidates and a tiny colour picture confirms them. The hash has
64 bits, one for each of the lowest frequencies of a cosine transform that is present (as in
phash.org). By the hash alone, different shirts on the same floor are confused; colours differ.

Photos in wide frames, and things on plain ground, look alike as a whole whatever they show. So of
those a finer picture is kept, and what differs from the ground is compared by itself, hash and
colours. Measured with ``python -m tests.benchmarks.reposts``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from trendscope.vision.images import Photo, means

HASH_BITS_APART = 8

COLOURS_APART = 4.0
"""Mean difference of the colour pictures, in levels of 0..255."""

ASPECT_APART = 0.02
"""Relative difference of width / height; small copies have theirs rounded."""

CONTENT_APART = 8.0
"""Mean difference of what is not ground, in levels of the finer picture."""

_SIDE = 32

_COARSE, _FINE = 16, 64

_MIN_AMPLITUDE = 0.5 * (_SIDE / 2) ** 2  # half a grey level; compression adds weaker waves

_GROUND_APART = 12
"""Largest difference of a field from the ground's colour, in levels."""

_PLAIN_EDGE = 0.5
"""Share of the fields along the edge that have one colour, from which that is a ground."""

_MOST_GROUND = 0.2
"""Share of ground up to which pictures are compared as they are."""

_SMALLEST = 4
"""Side of what differs from the ground, in fields of the finer picture, that can be compared."""


@dataclass(frozen=True)
class ImageFingerprint:
    """The look of a photo in a kilobyte, or in twelve if it has a plain ground.

    Attributes:
        hash: Perceptual hash of 64 bits.
        colours: A picture of 16 x 16 fields, or of 64 x 64 with a plain ground, 8-bit RGB.
        aspect: Width / height.
    """

    hash: int
    colours: bytes
    aspect: float


def fingerprint(photo: Photo) -> ImageFingerprint:
    """Fingerprint of a decoded photo."""
    colours = _smaller(photo.preview, _COARSE).round().astype(np.uint8)
    if _ground(colours.astype(int)).any():
        colours = means(photo.rgb, _FINE, _FINE)
    width, height = photo.size
    return ImageFingerprint(_hash(photo.preview), colours.tobytes(), width / height)


def is_near_duplicate(one: ImageFingerprint, other: ImageFingerprint) -> bool:
    """True for two copies of one photo, whatever their size and compression.

    False where that is not certain: a photo that counts twice does less harm than one that is lost.
    """
    if (one.hash ^ other.hash).bit_count() > HASH_BITS_APART:
        return False
    if abs(one.aspect / other.aspect - 1) > ASPECT_APART:
        return False
    pictures = _picture(one), _picture(other)
    ours, theirs = (_smaller(picture, _COARSE) for picture in pictures)
    if np.abs(ours - theirs).mean() > COLOURS_APART:
        return False
    ground = _ground(ours) & _ground(theirs)
    if ground.mean() <= _MOST_GROUND:
        return True
    return len(pictures[0]) == len(pictures[1]) == _FINE and _same_content(*pictures)


def _same_content(
    ours: Float64[np.ndarray, "64 64 3"], theirs: Float64[np.ndarray, "64 64 3"]
) -> bool:
    """Whether what differs from the ground, at the same place in both, is the same."""
    content = ~(_ground(ours) & _ground(theirs))
    rows, columns = (np.flatnonzero(content.any(axis)) for axis in (1, 0))
    if min(len(rows), len(columns)) == 0:
        return True
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    if min(edge.stop - edge.start for edge in box) < _SMALLEST:
        return False
    if np.abs(ours - theirs)[content].mean() > CONTENT_APART:
        return False
    hashes = [
        _hash(means(picture[box].astype(np.uint8), _SIDE, _SIDE)) for picture in (ours, theirs)
    ]
    return (hashes[0] ^ hashes[1]).bit_count() <= HASH_BITS_APART


def _picture(look: ImageFingerprint) -> Float64[np.ndarray, "side side 3"]:
    fields = np.frombuffer(look.colours, np.uint8).astype(float)
    side = round((len(fields) / 3) ** 0.5)
    return fields.reshape(side, side, 3)


def _smaller(
    picture: UInt8[np.ndarray, "s s 3"] | Float64[np.ndarray, "s s 3"], side: int
) -> Float64[np.ndarray, "side side 3"]:
    """Means over fields of a square picture whose side is a multiple of `side`."""
    step = len(picture) // side
    return np.asarray(picture.reshape(side, step, side, step, 3).mean((1, 3)))


def _ground(picture: np.ndarray) -> Bool[np.ndarray, "side side"]:
    """The fields of a square picture that have the colour of most of its edge; none without one."""
    edge = np.concatenate([picture[0], picture[-1], picture[1:-1, 0], picture[1:-1, -1]])
    colour = np.median(edge, axis=0)
    plain = (np.abs(edge - colour).max(1) <= _GROUND_APART).mean() >= _PLAIN_EDGE
    fields: np.ndarray = (np.abs(picture - colour).max(2) <= _GROUND_APART) & plain
    return fields


def _hash(preview: UInt8[np.ndarray, "32 32 3"]) -> int:
    low = _COSINES @ preview.mean(2) @ _COSINES.T
    return int.from_bytes(np.packbits(low.ravel() > _MIN_AMPLITUDE).tobytes())


_COSINES = np.cos(np.pi * np.arange(8)[:, None] * (2 * np.arange(_SIDE) + 1) / (2 * _SIDE))
"""The first eight rows of the cosine transform (DCT-II) of 32 values."""
