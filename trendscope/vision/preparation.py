"""How pictures are prepared for the networks of weights files, told without loading them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from trendscope.vision.images import DECODED_SIDE, means, one_opencv_thread
from trendscope.vision.predictions import Preparation
from trendscope.vision.weights import DetectorHeader, Header

PUBLISHED_SIDE = 32
"""Longest side in pixels of pictures that are as small as Fashion-MNIST's, which are 28."""


@dataclass(frozen=True)
class TwoSizes:
    """A picture as the network that finds every garment takes it in.

    Attributes:
        rgb: The picture.
        single: The picture stretched to a small square, in which one garment is named.
        rows_and_columns: Those of the larger size.
    """

    rgb: UInt8[np.ndarray, "h w 3"]
    single: UInt8[np.ndarray, "side side 3"]
    rows_and_columns: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture."""
        return self.rgb.shape[1], self.rgb.shape[0]

    @property
    def is_as_published(self) -> bool:
        """Whether it is as small as Fashion-MNIST's images, and grey as these."""
        small = max(self.size) <= PUBLISHED_SIDE
        return small and bool((self.rgb == self.rgb[..., :1]).all())

    @property
    def people(self) -> UInt8[np.ndarray, "rows columns 3"]:
        """The picture stretched to the larger size, in which the garments of people are found."""
        return stretched(self.rgb, self.rows_and_columns)


@dataclass(frozen=True)
class Stretching:
    """How pictures are prepared for the network that finds every garment.

    Attributes:
        side: Side of the small square in pixels.
        people: Rows and columns of the larger size.
    """

    side: int
    people: tuple[int, int]

    @property
    def decoded_side(self) -> int:
        """Longest side, in pixels, that pictures are decoded to."""
        return max(self.side, *self.people)

    def prepare(self, rgb: UInt8[np.ndarray, "h w 3"]) -> TwoSizes:
        """The picture in both sizes."""
        return TwoSizes(rgb, stretched(rgb, (self.side, self.side)), self.people)


@one_opencv_thread()
def stretched(
    rgb: UInt8[np.ndarray, "h w 3"], size: tuple[int, int]
) -> UInt8[np.ndarray, "rows columns 3"]:
    """A picture of `size` rows and columns, each pixel a mean where it gets smaller."""
    rows, columns = size
    smaller = rgb.shape[0] > rows or rgb.shape[1] > columns
    way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, (columns, rows), interpolation=way), np.uint8)


@dataclass(frozen=True)
class Squaring:
    """How pictures are prepared for a network of one small square input.

    Attributes:
        side: Side of the square in pixels.
    """

    side: int
    decoded_side: int = DECODED_SIDE

    def prepare(self, rgb: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "side side 3"]:
        """The whole picture, squared."""
        return squared(rgb, self.side)


@one_opencv_thread()
def squared(rgb: UInt8[np.ndarray, "h w 3"], side: int) -> UInt8[np.ndarray, "side side 3"]:
    """Scales a picture to fit side x side pixels; the rest repeats the border's median colour."""
    h, w = rgb.shape[:2]
    scale = side / max(h, w)
    height, width = max(1, round(h * scale)), max(1, round(w * scale))
    if scale < 1:
        fitted = means(rgb, height, width)
    else:
        # Pixels of images as small as Fashion-MNIST's are repeated: these are sharpened.
        way = cv2.INTER_NEAREST if max(h, w) <= PUBLISHED_SIDE else cv2.INTER_LINEAR
        fitted = cv2.resize(rgb, (width, height), interpolation=way)
    edges = np.concatenate([fitted[0], fitted[-1], fitted[:, 0], fitted[:, -1]])
    median = np.sort(edges, axis=0)[len(edges) // 2].tolist()
    top, left = (side - height) // 2, (side - width) // 2
    around = top, side - height - top, left, side - width - left
    return np.asarray(cv2.copyMakeBorder(fitted, *around, cv2.BORDER_CONSTANT, value=median))


def preparation_of(header: Header | DetectorHeader) -> Preparation:
    """The preparation for the network that a weights file holds."""
    if isinstance(header, DetectorHeader):
        return Stretching(header.side, header.people)
    return Squaring(header.architecture.size)
