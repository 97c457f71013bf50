"""How pictures are prepared for the networks of weights files, told without loading them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8

from trendscope.vision.images import one_opencv_thread
from trendscope.vision.predictions import Preparation
from trendscope.vision.segmentation import Cropping
from trendscope.vision.weights import DetectorHeader, Header


@dataclass(frozen=True)
class TwoSizes:
    """A picture as the network that finds every garment takes it in.

    Attributes:
        size: Width and height of the picture.
        single: The picture stretched to a small square, in which one garment is named.
        people: The picture stretched to a larger size, in which the garments of people are found.
    """

    size: tuple[int, int]
    single: UInt8[np.ndarray, "side side 3"]
    people: UInt8[np.ndarray, "rows columns 3"]

    @property
    def shown(self) -> None:
        """Nothing: the network sees the whole picture."""


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

    @one_opencv_thread()
    def prepare(self, rgb: UInt8[np.ndarray, "h w 3"]) -> TwoSizes:
        """The picture in both sizes."""
        square = (self.side, self.side)
        return TwoSizes(
            (rgb.shape[1], rgb.shape[0]), _stretched(rgb, square), _stretched(rgb, self.people)
        )


def _stretched(
    rgb: UInt8[np.ndarray, "h w 3"], size: tuple[int, int]
) -> UInt8[np.ndarray, "rows columns 3"]:
    """A picture of `size` rows and columns, each pixel a mean where it gets smaller."""
    rows, columns = size
    smaller = rgb.shape[0] > rows or rgb.shape[1] > columns
    way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, (columns, rows), interpolation=way), np.uint8)


def preparation_of(header: Header | DetectorHeader) -> Preparation:
    """The preparation for the network that a weights file holds."""
    if isinstance(header, DetectorHeader):
        return Stretching(header.side, header.people)
    return Cropping(header.architecture.size)
