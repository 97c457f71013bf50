"""Garments that people wear, cut out of their photos: more pictures of one garment.

They lie on another ground, so that of the whole photo only the garment is learned.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Int, UInt8

from training.data.composites import Piece, pasted
from training.data.garments import Outfits
from trendscope.vision.outputs import NOTHING

LEAST_SIDE = 40
"""Pixels of the shorter side of a box from which on a garment is cut out."""

LEAST_COVER = 0.35
"""Share of its box that a garment must fill: less is hidden behind others."""


class Cutouts(NamedTuple):
    """Where the garments are that can be cut out.

    Attributes:
        rows: Row of each one's photo.
        boxes: Its box in that photo: label index, x0, y0, x1, y1 in pixels.
        odds: How often each is drawn; rare labels more often.
    """

    rows: Int[np.ndarray, " n"]
    boxes: Float64[np.ndarray, "n 5"]
    odds: Float64[np.ndarray, " n"]


def cutouts(outfits: Outfits, rows: Int[np.ndarray, " photos"]) -> Cutouts:
    """The garments of some photos that are large enough and whose label teaches something."""
    pairs = [
        (int(row), box)
        for row in rows.tolist()
        for box in outfits.boxes[row].tolist()
        if outfits.labels[int(box[0]), :NOTHING].any()
        and min(box[3] - box[1], box[4] - box[2]) >= LEAST_SIDE
    ]
    boxes = np.array([box for _, box in pairs], np.float64).reshape(-1, 5)
    _, label, count = np.unique(
        outfits.labels[boxes[:, 0].astype(int)], axis=0, return_inverse=True, return_counts=True
    )
    odds = 1 / np.sqrt(count)[label.reshape(-1)]
    return Cutouts(np.array([row for row, _ in pairs], np.int64), boxes, odds / odds.sum())


def cut_out(
    outfits: Outfits, row: int, box: Float64[np.ndarray, 5]
) -> tuple[UInt8[np.ndarray, "h w 3"], Bool[np.ndarray, "h w"]] | None:
    """A garment's pixels and where it is in them; None where others hide too much of it."""
    label = int(box[0])
    left, top, right, bottom = (int(value) for value in np.round(box[1:]))
    area = slice(max(0, top), bottom), slice(max(0, left), right)
    labels = outfits.masks[row][area]
    mask = labels == label
    for old, better in outfits.renamed.get(row, {}).items():
        if better == label:
            mask |= labels == old
    return (outfits.pixels[row][area], mask) if mask.mean() >= LEAST_COVER else None


def on_ground(
    generator: np.random.Generator,
    rgb: UInt8[np.ndarray, "h w 3"],
    mask: Bool[np.ndarray, "h w"],
    ground: UInt8[np.ndarray, "side side 3"],
) -> UInt8[np.ndarray, "side side 3"]:
    """The garment on a ground, as large as it goes or down to half of that."""
    side = len(ground)
    scale = side * generator.uniform(0.5, 1.0) / max(mask.shape)
    high, wide = (length * scale for length in mask.shape)
    x, y = (generator.uniform(0, side - length) for length in (wide, high))
    canvas = ground.copy()
    edge = cv2.erode(np.pad(mask, 1).astype(np.uint8), np.ones((3, 3), np.uint8))[1:-1, 1:-1]
    piece = Piece(rgb, edge.astype(bool), 0)
    pasted(canvas, np.zeros(canvas.shape[:2], np.uint8), piece, (x, y, x + wide, y + high), 1)
    return canvas
