"""Pixels in, garment cut-outs out: where the garment is, and how the network gets to see it.

The garment is what does not look like the picture's border. The colours along the border are
modelled by a few clusters, each with its own spread; the distance of every pixel from the nearest
cluster, made smooth and cut at Otsu's threshold, gives the area whose bounding box is cut out,
squared and scaled.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels; x1 and y1 lie just outside."""

WORKING_SIDE = 64
"""Longest side, in pixels, at which the garment is looked for."""

CUT_OUT_SIDE = 32
"""Pictures with no side longer than this are taken as cut out already: Fashion-MNIST's are 28."""

MARGIN = 0.12
"""Room left around the garment, as a share of its longer side."""

SMALLEST_AREA = 0.03
"""Share of the picture below which a find is not believed; the whole picture is used instead."""

_BORDER_CLUSTERS = 3
_LEAST_BORDER_SHARE = 0.12
_LEAST_SPREAD = 4.0  # CIE Lab units as OpenCV scales them for 8-bit pictures, 0..255


@dataclass(frozen=True)
class CutOut:
    """One garment as the network sees it.

    Attributes:
        pixels: RGB, 0..255, squared by repeating the border's colour.
        box: Where it was cut from, in pixels of the picture.
    """

    pixels: UInt8[np.ndarray, "size size 3"]
    box: Box


def cut_out(rgb: UInt8[np.ndarray, "h w 3"], size: int, margin: float = MARGIN) -> CutOut:
    """Finds the garment in a picture of any shape and scales it to size x size pixels."""
    h, w = rgb.shape[:2]
    if max(h, w) <= CUT_OUT_SIDE:
        return CutOut(squared(rgb, size), (0, 0, w, h))
    x0, y0, x1, y1 = box = find_box(rgb, margin)
    return CutOut(squared(rgb[y0:y1, x0:x1], size), box)


def find_box(rgb: UInt8[np.ndarray, "h w 3"], margin: float = MARGIN) -> Box:
    """The bounding box of the garment with its margin; the whole picture where none stands out."""
    h, w = rgb.shape[:2]
    small = shrink(rgb, WORKING_SIDE)
    inside = find_garment(small)
    if inside.mean() < SMALLEST_AREA:
        return 0, 0, w, h
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    scale_y, scale_x = h / small.shape[0], w / small.shape[1]
    top, bottom = rows[0] * scale_y, (rows[-1] + 1) * scale_y
    left, right = columns[0] * scale_x, (columns[-1] + 1) * scale_x
    room = margin * max(bottom - top, right - left)
    return (
        max(0, round(left - room)),
        max(0, round(top - room)),
        min(w, round(right + room)),
        min(h, round(bottom + room)),
    )


def find_garment(rgb: UInt8[np.ndarray, "h w 3"]) -> Bool[np.ndarray, "h w"]:
    """True where a pixel of a small picture belongs to the garment (or what stands out as one)."""
    if min(rgb.shape[:2]) < 8:
        return np.ones(rgb.shape[:2], bool)
    distance = border_distance(rgb)
    smooth = cv2.GaussianBlur(distance, (0, 0), 1.2)
    _, inside = cv2.threshold(smooth.astype(np.uint8), 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    inside = cv2.morphologyEx(inside, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, parts, stats, _ = cv2.connectedComponentsWithStats(inside)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if count == 1:
        return np.zeros(inside.shape, bool)
    # A pair of shoes is two parts of like size; crumbs of carpet are not worth a tenth of one.
    large = 1 + np.flatnonzero(areas >= 0.2 * areas.max())
    return np.isin(parts, large)


def border_distance(rgb: UInt8[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w"]:
    """How unlike the border's colours each pixel is: 0 (as the border) to 255.

    The distance is Mahalanobis' with a diagonal covariance in CIE Lab, from the nearest of the
    clusters that k-means finds among the pixels along the border, in tenths of a deviation.
    """
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.float32)
    wide = max(1, round(0.05 * max(rgb.shape[:2])))
    ring = np.ones(rgb.shape[:2], bool)
    ring[wide:-wide, wide:-wide] = False
    border = lab[ring]
    # Starting from ranks of lightness keeps k-means deterministic.
    ranks = border[:, 0].argsort(kind="stable").argsort(kind="stable")
    labels = (ranks * _BORDER_CLUSTERS // len(border)).astype(np.int32)[:, None]
    criteria = (cv2.TERM_CRITERIA_MAX_ITER, 8, 0.0)
    cv2.kmeans(border, _BORDER_CLUSTERS, labels, criteria, 1, cv2.KMEANS_USE_INITIAL_LABELS)
    nearest = np.full(rgb.shape[:2], np.inf, np.float32)
    for cluster in range(_BORDER_CLUSTERS):
        members = border[labels[:, 0] == cluster]
        if len(members) >= _LEAST_BORDER_SHARE * len(border):
            spread = np.maximum(members.std(0), _LEAST_SPREAD)
            off = (lab - members.mean(0)) / spread
            nearest = np.minimum(nearest, np.sqrt((off * off).sum(-1)))
    return np.minimum(10 * nearest, 255.0)


def squared(rgb: UInt8[np.ndarray, "h w 3"], size: int) -> UInt8[np.ndarray, "size size 3"]:
    """Scales a picture to fit size x size pixels; the rest repeats the border's median colour."""
    h, w = rgb.shape[:2]
    scale = size / max(h, w)
    height, width = max(1, round(h * scale)), max(1, round(w * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(rgb, (width, height), interpolation=method)
    edges = [scaled[0], scaled[-1], scaled[:, 0], scaled[:, -1]]
    square = np.empty((size, size, 3), np.uint8)
    square[:] = np.median(np.concatenate(edges), axis=0)
    y, x = (size - height) // 2, (size - width) // 2
    square[y : y + height, x : x + width] = scaled
    return square


def shrink(rgb: UInt8[np.ndarray, "h w 3"], side: int) -> UInt8[np.ndarray, "rows columns 3"]:
    """Scales a picture down so that its longer side is at most `side`, shape kept."""
    h, w = rgb.shape[:2]
    scale = min(1.0, side / max(h, w))
    size = max(1, round(w * scale)), max(1, round(h * scale))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
