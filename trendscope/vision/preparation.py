"""How pictures are prepared for the networks of weights files, told without loading them."""

from __future__ import annotations

from trendscope.vision.predictions import Preparation
from trendscope.vision.segmentation import Cropping
from trendscope.vision.weights import Header


def preparation_of(header: Header) -> Preparation:
    """The preparation for the network that a weights file holds."""
    return Cropping(header.architecture.size)
