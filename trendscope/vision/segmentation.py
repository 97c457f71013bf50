"""Finds the garment in a picture and crops it to the network's input.

The garment is the part that does not look like the picture's border. The colours along the border
are modelled by a few clusters, each with its own spread. Pixels far from them by Otsu's threshold
are the garment where near and far are well separated; elsewhere they seed GrabCut (Rother,
Kolmogorov and Blake 2004), which finds the outline at 56 pixels.
The bounding box of the outline is cropped, squared and scaled, and goes to the network together
with the mask; in doubt the network gets a second view, of the whole picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from trendscope.vision.images import DECODED_SIDE, means, one_opencv_thread, shrink
from trendscope.vision.predictions import Box

WORKING_SIDE = 56
"""Longest side, in pixels, at which the garment is looked for."""

PUBLISHED_SIDE = 32
"""Pictures with no side longer than this are taken as cut out already: Fashion-MNIST's are 28."""

MARGIN = 0.2
"""Room left around the garment, as a share of its longer side."""

PLAUSIBLE_SHARES = 0.03, 0.97
"""Share of the picture that a garment can cover; for other masks the whole picture is used."""

MIN_SEEDED_SHARE = 0.08
"""Share of the picture below which GrabCut is run again without the seeds."""

CLEAR_SEPARABILITY = 0.86
"""Share of the distances' variance that the threshold explains (Otsu's eta), from which on GrabCut
would change next to nothing."""

MIN_PART_SHARE = 0.2
"""Share of the largest part's area that other parts of a mask must have to be kept: both of two
shoes, but no specks of carpet."""

_ITERATIONS = 1
_MIN_SIDE = 8
_BORDER_CLUSTERS = 3
_MIN_BORDER_SHARE = 0.12
_MIN_SPREAD = 4.0  # CIE Lab units as OpenCV scales them for 8-bit pictures, 0..255


@dataclass(frozen=True)
class Crop:
    """One garment as the network sees it.

    Attributes:
        pixels: Two views, the garment and the whole picture mirrored: RGB, squared by repeating the
            border's colour, and the garment's mask; 0..255.
        box: Part of the picture that the first view shows, in pixels.
    """

    pixels: UInt8[np.ndarray, "2 size size 4"]
    box: Box

    @property
    def shown(self) -> UInt8[np.ndarray, "size size 3"]:
        """The first view's colours."""
        return self.pixels[0, ..., :3]


@dataclass(frozen=True)
class Cropping:
    """How pictures are prepared for a network that names one garment.

    Attributes:
        size: Side of the network's input in pixels.
    """

    size: int
    decoded_side: int = DECODED_SIDE

    def prepare(self, rgb: UInt8[np.ndarray, "h w 3"]) -> Crop:
        """Finds the garment and crops it."""
        return crop(rgb, self.size)


@one_opencv_thread()
def crop(rgb: UInt8[np.ndarray, "h w 3"], size: int, margin: float = MARGIN) -> Crop:
    """Finds the garment in a picture of any shape and scales it to size x size pixels."""
    h, w = rgb.shape[:2]
    whole = 0, 0, w, h
    if max(h, w) <= PUBLISHED_SIDE:
        mask, box = garment_mask(rgb.max(-1)), whole
    else:
        mask = find_garment(shrink(rgb, WORKING_SIDE))
        box = find_box(mask, (h, w), margin)
    second_view = cv2.flip(scaled(rgb, mask, whole, size), 1)
    return Crop(np.stack([scaled(rgb, mask, box, size), second_view]), box)


cut_out = crop
"""The name of earlier versions."""


def scaled(
    rgb: UInt8[np.ndarray, "h w 3"], mask: UInt8[np.ndarray, "rows columns"], box: Box, size: int
) -> UInt8[np.ndarray, "size size 4"]:
    """The part of a picture in `box` and of its mask, squared and scaled.

    Args:
        rgb: The picture.
        mask: Mask of its garment, 0 or 255, at any scale.
        box: Part to show.
        size: Side of the result.
    """
    x0, y0, x1, y1 = box
    rows, columns = _centred(y1 - y0, x1 - x0, size)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    # Centres of pixels are mapped to each other, not their corners.
    down, across = mask.shape[0] / rgb.shape[0], mask.shape[1] / rgb.shape[1]
    step_y, step_x = down * (y1 - y0) / height, across * (x1 - x0) / width
    where = np.array(
        [
            [step_x, 0, across * x0 + step_x / 2 - 0.5],
            [0, step_y, down * y0 + step_y / 2 - 0.5],
        ]
    )
    square_mask = np.zeros((size, size), np.uint8)
    square_mask[rows, columns] = cv2.warpAffine(
        mask,
        where,
        (width, height),
        flags=_enlarging_filter(mask) | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    square = squared(rgb[y0:y1, x0:x1], size)
    return np.asarray(cv2.insertChannel(square_mask, cv2.cvtColor(square, cv2.COLOR_RGB2RGBA), 3))


def find_box(
    mask: UInt8[np.ndarray, "rows columns"], shape: tuple[int, int], margin: float = MARGIN
) -> Box:
    """The bounding box of the garment with its margin; the whole picture where none stands out.

    Args:
        mask: Mask of the garment, 0 or 255, at any scale.
        shape: Height and width of the picture, the unit of the result.
        margin: Room to leave around the garment, as a share of its longer side.
    """
    h, w = shape
    least, most = PLAUSIBLE_SHARES
    if not least <= (mask > 0).mean() <= most:
        return 0, 0, w, h
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    scale_y, scale_x = h / mask.shape[0], w / mask.shape[1]
    top, bottom = rows[0] * scale_y, (rows[-1] + 1) * scale_y
    left, right = columns[0] * scale_x, (columns[-1] + 1) * scale_x
    room = margin * max(bottom - top, right - left)
    return (
        max(0, round(left - room)),
        max(0, round(top - room)),
        min(w, round(right + room)),
        min(h, round(bottom + room)),
    )


def find_garment(rgb: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w"]:
    """255 where a pixel of a small picture belongs to what stands out from its border, else 0."""
    if min(rgb.shape[:2]) < _MIN_SIDE:
        return np.full(rgb.shape[:2], 255, np.uint8)
    smooth = cv2.GaussianBlur(border_distance(rgb), (0, 0), 1.2).astype(np.uint8)
    _, far = cv2.threshold(smooth, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    if otsu_separability(smooth, far) >= CLEAR_SEPARABILITY:
        return _large_parts(far)
    border_width = max(1, round(0.04 * max(rgb.shape[:2])))
    ring = np.ones(rgb.shape[:2], bool)
    ring[border_width:-border_width, border_width:-border_width] = False
    seeds = np.where(far, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    seeds[ring & (far == 0)] = cv2.GC_BGD
    seeds[ring & (far > 0)] = cv2.GC_PR_BGD
    mask = _grab_cut(rgb, seeds)
    if mask.mean() < MIN_SEEDED_SHARE:
        # Cloth and ground of like colours: anything but the edge may be the garment.
        mask = _grab_cut(rgb, np.where(ring, cv2.GC_BGD, cv2.GC_PR_FGD).astype(np.uint8))
    return _large_parts(mask)


def otsu_separability(values: UInt8[np.ndarray, "h w"], high: UInt8[np.ndarray, "h w"]) -> float:
    """Otsu's eta: the share, 0..1, of the values' variance that lies between high and low ones."""
    part = cv2.countNonZero(high) / high.size
    if part in (0.0, 1.0):
        return 0.0
    mean, deviation = (float(statistic[0, 0]) for statistic in cv2.meanStdDev(values))
    above = cv2.mean(values, high)[0] - mean
    return part / (1 - part) * (above / deviation) ** 2


def _grab_cut(
    rgb: UInt8[np.ndarray, "h w 3"], seeds: UInt8[np.ndarray, "h w"]
) -> UInt8[np.ndarray, "h w"]:
    """1 where GrabCut, started from `seeds`, sees foreground; 0 everywhere if it cannot start."""
    if not (seeds == cv2.GC_PR_FGD).any() or rgb.min() == rgb.max():
        return np.zeros(seeds.shape, np.uint8)
    ground, cloth = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # Its k-means draws at random; the same picture must give the same outline.
    try:
        cv2.grabCut(rgb, seeds, (0, 0, 1, 1), ground, cloth, _ITERATIONS, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # A colour model of too few pixels.
        return np.zeros(seeds.shape, np.uint8)
    return seeds & 1  # GC_FGD is 1, GC_PR_FGD is 3, the grounds are 0 and 2.


def _large_parts(mask: UInt8[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask)
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0  # The ground.
    large = (areas > 0) & (areas >= MIN_PART_SHARE * areas.max())
    return np.asarray(np.where(large, 255, 0).astype(np.uint8)[parts])


def garment_mask(image: UInt8[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    """Mask of the garment in a published image, holes filled: 255 inside, 0 outside.

    White cloth is 0 in Fashion-MNIST, like the background; pixels that cannot be reached from the
    border are garment.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    filled = np.pad((image > 6).astype(np.uint8), 2)
    reached = cv2.morphologyEx(filled, cv2.MORPH_CLOSE, kernel)
    cv2.floodFill(reached, None, (0, 0), 2)
    return np.where(reached != 2, 255, 0).astype(np.uint8)[2:-2, 2:-2]


def border_distance(rgb: UInt8[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "h w"]:
    """Distance of each pixel from the border's colours: 0 (equal) to 255.

    The distance is Mahalanobis' with a diagonal covariance in CIE Lab, from the nearest of the
    clusters that k-means finds among the pixels along the border, in tenths of a deviation.
    """
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.float32)
    border_width = max(1, round(0.05 * max(rgb.shape[:2])))
    ring = np.ones(rgb.shape[:2], bool)
    ring[border_width:-border_width, border_width:-border_width] = False
    border = lab[ring]
    # Starting from ranks of lightness keeps k-means deterministic.
    labels = np.empty((len(border), 1), np.int32)
    by_lightness = border[:, 0].argsort(kind="stable")
    labels[by_lightness, 0] = np.arange(len(border)) * _BORDER_CLUSTERS // len(border)
    criteria = (cv2.TERM_CRITERIA_MAX_ITER, 8, 0.0)
    cv2.kmeans(border, _BORDER_CLUSTERS, labels, criteria, 1, cv2.KMEANS_USE_INITIAL_LABELS)
    planes = np.ascontiguousarray(lab.reshape(-1, 3).T)
    nearest = np.full(planes.shape[1], np.inf, np.float32)
    for cluster in range(_BORDER_CLUSTERS):
        members = border[labels[:, 0] == cluster]
        if len(members) >= _MIN_BORDER_SHARE * len(border):
            mean, spread = cv2.meanStdDev(members.reshape(-1, 1, 3))
            spread = np.maximum(spread, _MIN_SPREAD)
            off = planes * (1 / spread).astype(np.float32)
            off -= (mean / spread).astype(np.float32)
            off *= off
            np.minimum(nearest, off.sum(0), out=nearest)
    return np.asarray(np.minimum(10 * np.sqrt(nearest), 255.0).reshape(rgb.shape[:2]))


def squared(rgb: UInt8[np.ndarray, "h w 3"], size: int) -> UInt8[np.ndarray, "size size 3"]:
    """Scales a picture to fit size x size pixels; the rest repeats the border's median colour."""
    rows, columns = _centred(rgb.shape[0], rgb.shape[1], size)
    fitted = _resized(rgb, rows.stop - rows.start, columns.stop - columns.start)
    edges = np.concatenate([fitted[0], fitted[-1], fitted[:, 0], fitted[:, -1]])
    median = np.sort(edges, axis=0)[len(edges) // 2].tolist()
    around = rows.start, size - rows.stop, columns.start, size - columns.stop
    return np.asarray(cv2.copyMakeBorder(fitted, *around, cv2.BORDER_CONSTANT, value=median))


def _centred(h: int, w: int, size: int) -> tuple[slice, slice]:
    """Rows and columns that a picture of h x w takes up, centred, in a square of side `size`."""
    scale = size / max(h, w)
    height, width = max(1, round(h * scale)), max(1, round(w * scale))
    y, x = (size - height) // 2, (size - width) // 2
    return slice(y, y + height), slice(x, x + width)


def _resized(x: UInt8[np.ndarray, "h w *c"], height: int, width: int) -> UInt8[np.ndarray, ...]:
    if max(height, width) < max(x.shape[:2]):
        return means(x, height, width)
    return np.asarray(cv2.resize(x, (width, height), interpolation=_enlarging_filter(x)))


def _enlarging_filter(x: UInt8[np.ndarray, "h w *c"]) -> int:
    """Repeats the pixels of published images: they are sharpened, and would blur."""
    return cv2.INTER_NEAREST if max(x.shape[:2]) <= PUBLISHED_SIDE else cv2.INTER_LINEAR
