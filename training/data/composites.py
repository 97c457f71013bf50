"""Composed pictures: garments of known outline, strewn over a ground or worn by a drawn figure.

The garments are those of Fashion-MNIST, coloured, and retailers' bags and shoes without their white
ground. Their boxes are exact, and kinds that are rare on photos of people are as frequent as any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from training.data import cells
from trendscope.categories import CATEGORIES
from trendscope.vision.outputs import CELL_OUTPUTS, NOTHING

UPPER = ("T-shirt/top", "Pullover", "Coat", "Shirt")
SHOES = ("Sandal", "Sneaker", "Ankle boot")

ALONE = frozenset(CATEGORIES.index(name) for name in ("Bag", *SHOES))
"""Categories that retailers show without a person."""

WHITE = 232
"""Least value of each channel of a retailer's ground."""

VISIBLE = 0.4
"""Share of a garment that must not be hidden by others, for it to be taught."""

UNKNOWN = len(CATEGORIES) + 1
"""Index, in a composed mask, of what is hidden too much to be taught."""

LABELS = np.zeros((UNKNOWN + 1, CELL_OUTPUTS), bool)
"""Outputs that count as right for each index of a composed mask: 0 for the ground, then the ten."""
LABELS[0, NOTHING] = True
LABELS[np.arange(1, UNKNOWN), np.arange(len(CATEGORIES))] = True

SKIN = ((241, 204, 177), (224, 172, 138), (198, 134, 94), (141, 85, 54), (92, 58, 41))


@dataclass(frozen=True)
class Piece:
    """A garment cut out.

    Attributes:
        rgb: Pixels 0..255.
        mask: Where the garment is.
        category: Label index.
    """

    rgb: UInt8[np.ndarray, "h w 3"]
    mask: Bool[np.ndarray, "h w"]
    category: int


Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""


# --- cutting out ---------------------------------------------------------------------------------


def of_fashion_mnist(
    generator: np.random.Generator, grey: UInt8[np.ndarray, "28 28"], label: int, side: int = 112
) -> Piece:
    """A garment of Fashion-MNIST in a colour of chance, enlarged to `side` pixels."""
    large = cv2.resize(grey, (side, side), interpolation=cv2.INTER_CUBIC)
    inside = cv2.morphologyEx(
        (large > 24).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)
    )
    dark, bright = generator.uniform(0, 120), generator.uniform(0.5, 1)
    colour = bright * generator.uniform(20, 255, 3)
    if generator.random() < 0.35:
        colour[:] = colour.mean()
    shade = large.astype(np.float32)[..., None] / 255
    rgb = np.clip(dark * (1 - shade) * colour / 255 + colour * shade, 0, 255)
    return Piece(rgb.astype(np.uint8), inside.astype(bool), label)


def of_retailer(rgb: UInt8[np.ndarray, "h w 3"], label: int) -> Piece | None:
    """What a picture shows on its white ground; None where that cannot be told."""
    ground = np.pad((rgb.min(-1) >= WHITE).astype(np.uint8), 1, constant_values=1)
    _, parts = cv2.connectedComponents(ground)
    mask = (parts != parts[0, 0])[1:-1, 1:-1]
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not 0.05 < mask.mean() < 0.8 or mask[0].all() or len(rows) > 0.98 * len(rgb):
        return None
    area = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return Piece(rgb[area], mask[area], label)


# --- laying out ----------------------------------------------------------------------------------


def pasted(
    canvas: UInt8[np.ndarray, "h w 3"],
    owners: UInt8[np.ndarray, "h w"],
    piece: Piece,
    box: Box,
    owner: int,
) -> int:
    """Lays a garment into a box of the canvas; returns how many pixels it has there, hidden or not.

    Args:
        canvas: The picture, which is changed.
        owners: Number of the garment that each pixel shows; changed.
        piece: The garment.
        box: Where it goes; it may stick out.
        owner: Its number.
    """
    h, w = owners.shape
    left, top, right, bottom = (round(value) for value in box)
    size = max(2, right - left), max(2, bottom - top)
    rgb = cv2.resize(piece.rgb, size, interpolation=cv2.INTER_AREA)
    cover = cv2.resize(piece.mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    inner = slice(max(0, -top), h - top), slice(max(0, -left), w - left)
    rgb, cover = rgb[inner], cover[inner]
    outer = (
        slice(max(0, top), max(0, top) + len(rgb)),
        slice(max(0, left), max(0, left) + rgb.shape[1]),
    )
    part = canvas[outer]
    mixed = cover[..., None] * rgb + (1 - cover[..., None]) * part
    canvas[outer] = mixed.astype(np.uint8)
    owners[outer][cover > 0.5] = owner
    return int((cover > 0.5).sum())


Placed = tuple[Piece, tuple[Box, ...]]
"""A garment and the boxes it fills: two for a pair of shoes."""


def strewn(
    generator: np.random.Generator, pieces: Sequence[Piece], size: tuple[int, int]
) -> list[Placed]:
    """Garments at random places and sizes, little of each beyond the picture's edge."""
    rows, columns = size
    placed: list[Placed] = []
    for piece in pieces:
        high = rows * generator.uniform(0.15, 0.5)
        wide = min(high * piece.mask.shape[1] / piece.mask.shape[0], 0.8 * columns)
        x = generator.uniform(-0.1 * wide, columns - 0.9 * wide)
        y = generator.uniform(-0.1 * high, rows - 0.9 * high)
        placed.append((piece, ((x, y, x + wide, y + high),)))
    return placed


def _limb(
    canvas: UInt8[np.ndarray, "h w 3"],
    points: Sequence[tuple[float, float]],
    wide: float,
    skin: tuple[int, int, int],
) -> None:
    line = np.array(points).round().astype(np.int32)
    cv2.polylines(canvas, [line], False, skin, max(1, round(wide)), cv2.LINE_AA)


def worn(
    generator: np.random.Generator, canvas: UInt8[np.ndarray, "h w 3"], pieces: Sequence[Piece]
) -> list[Placed]:
    """Draws a standing figure onto the canvas; returns where it wears the garments.

    The figure is 1 high from the top of its head to its soles; garments of one layer follow those
    that lie under them.
    """
    rows, columns = canvas.shape[:2]
    tall = min(rows * generator.uniform(0.7, 1.05), 2.2 * columns)
    middle = columns * generator.uniform(0.4, 0.6)
    top = generator.uniform(-0.05, 1.0) * max(0.0, rows - tall)
    skin = SKIN[int(generator.integers(len(SKIN)))]

    def at(x: float, y: float) -> tuple[float, float]:
        return middle + x * tall, top + y * tall

    for side in (-1, 1):
        _limb(canvas, [at(0.05 * side, 0.5), at(0.07 * side, 0.96)], 0.06 * tall, skin)
        elbow = at(generator.uniform(0.13, 0.2) * side, 0.34)
        _limb(canvas, [at(0.09 * side, 0.2), elbow, at(0.16 * side, 0.48)], 0.04 * tall, skin)
    _limb(canvas, [at(0, 0.1), at(0, 0.5)], 0.12 * tall, skin)
    head = tuple(round(value) for value in at(0, 0.07))
    cv2.ellipse(canvas, head, (round(0.05 * tall), round(0.065 * tall)), 0, 0, 360, skin, -1)
    hair = generator.integers(0, 110, 3).tolist()
    cv2.ellipse(canvas, head, (round(0.055 * tall), round(0.07 * tall)), 0, 170, 370, hair, -1)

    def box(x: float, y: float, wide: float, high: float) -> Box:
        wide, high = (float(v * np.exp(generator.uniform(-0.1, 0.1))) for v in (wide, high))
        return (*at(x - wide / 2, y - high / 2), *at(x + wide / 2, y + high / 2))

    side = -1 if generator.random() < 0.5 else 1
    places = {"Trouser": [box(0, 0.7, 0.25, 0.52)], "Dress": [box(0, 0.42, 0.3, 0.56)]}
    places["Bag"] = [box(0.19 * side, generator.uniform(0.42, 0.56), 0.2, 0.2)]
    placed: list[Placed] = []
    for piece in pieces:
        name = CATEGORIES[piece.category]
        if name in SHOES:
            high = 0.13 if name == "Ankle boot" else 0.07
            pair = tuple(box(0.085 * s, 0.99 - high / 2, 0.14, high) for s in (-1, 1))
            placed.append((piece, pair))
        else:
            placed.append((piece, tuple(places.get(name, [box(0, 0.33, 0.38, 0.4)]))))
    return placed


def outfit(generator: np.random.Generator) -> list[str]:
    """Categories that a figure wears, those under others first."""
    chosen = []
    if generator.random() < 0.3:
        chosen.append("Dress")
    elif generator.random() < 0.85:
        chosen.append("Trouser")
    if generator.random() < 0.85:
        chosen.append(str(generator.choice(SHOES)))
    if "Dress" not in chosen or generator.random() < 0.2:
        chosen.append(str(generator.choice(UPPER)))
    if generator.random() < 0.5:
        chosen.append("Bag")
    return chosen


# --- a composed picture --------------------------------------------------------------------------


def composed(
    canvas: UInt8[np.ndarray, "h w 3"], placed: Sequence[Placed]
) -> tuple[cells.Cells, int]:
    """Lays garments onto the canvas, which is changed.

    Returns:
        What the cells teach, and how many garments can be seen.
    """
    owners = np.zeros(canvas.shape[:2], np.uint8)
    whole = []
    for number, (piece, boxes) in enumerate(placed, 1):
        mirrored = Piece(piece.rgb[:, ::-1], piece.mask[:, ::-1], piece.category)
        whole.append(
            sum(
                pasted(canvas, owners, (piece, mirrored)[i % 2], box, number)
                for i, box in enumerate(boxes)
            )
        )
    mask = np.zeros_like(owners)
    boxes_of: list[list[float]] = []
    for number, (piece, _) in enumerate(placed, 1):
        shown = owners == number
        label = piece.category + 1
        if shown.sum() < max(20.0, VISIBLE * whole[number - 1]):
            mask[shown] = UNKNOWN
            continue
        mask[shown] = label
        rows, columns = np.flatnonzero(shown.any(1)), np.flatnonzero(shown.any(0))
        boxes_of.append([label, columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
    visible: Float32[np.ndarray, "n 5"] = np.array(boxes_of, np.float32).reshape(-1, 5)
    return cells.of_mask(mask, visible, LABELS), len(visible)
