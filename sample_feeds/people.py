"""People in Fashion-MNIST garments: drawn figures in front of a wall, as `make.py` needs them.

Places on a figure are fractions of its height: across from its middle, down from the top of its
head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

SIZE = (960, 640)
"""Rows and columns of a photo in pixels."""

SHOES = ("Sandal", "Sneaker", "Ankle boot")

PLACES = {
    "T-shirt/top": (0.155, 0.5, 0.36),
    "Shirt": (0.15, 0.53, 0.37),
    "Pullover": (0.15, 0.53, 0.38),
    "Coat": (0.15, 0.64, 0.39),
    "Dress": (0.155, 0.72, 0.27),
    "Trouser": (0.46, 0.96, 0.22),
}
"""Top, bottom and width of each kind of garment on a figure."""

SKIN = ((241, 204, 177), (198, 134, 94), (141, 85, 54), (224, 172, 138))
HAIR = ((40, 28, 22), (96, 62, 36), (22, 20, 24), (150, 110, 62))
WALLS = ((206, 198, 186), (176, 186, 192), (190, 170, 150), (160, 166, 158))
CLOTH = ((52, 78, 128), (205, 196, 180), (150, 44, 48), (44, 44, 50), (74, 110, 86), (196, 158, 70))
CLOTH += ((120, 90, 70), (230, 228, 222))

Box = tuple[float, float, float, float]
"""Left, top, right and bottom as places."""


@dataclass(frozen=True)
class Garment:
    """A garment to be worn.

    Attributes:
        category: One of the ten.
        grey: Its image as published: UInt8[28, 28], negated.
        mask: Where it is: UInt8[28, 28].
    """

    category: str
    grey: np.ndarray
    mask: np.ndarray


class Figure:
    """A standing person, drawn from the ground up onto a wall and a pavement."""

    def __init__(self, seed: int):
        self.generator = np.random.default_rng(seed)
        self.rows, self.columns = SIZE
        self.tall = 0.9 * self.rows
        self.top = 0.05 * self.rows
        self.middle = self.columns * float(self.generator.uniform(0.46, 0.54))
        self.skin = np.array(SKIN[seed % len(SKIN)], np.float32)
        self.hair = np.array(HAIR[seed % len(HAIR)], np.float32)
        self.picture = self._street(np.array(WALLS[seed % len(WALLS)], np.float32))

    def _noise(self, cells: int) -> np.ndarray:
        coarse = self.generator.standard_normal((cells, cells)).astype(np.float32)
        return cv2.resize(coarse, (self.columns, self.rows), interpolation=cv2.INTER_CUBIC)

    def _street(self, wall: np.ndarray) -> np.ndarray:
        """A plastered wall over a pavement, lit from the left."""
        down = np.linspace(0, 1, self.rows, dtype=np.float32)[:, None, None]
        across = np.linspace(0, 1, self.columns, dtype=np.float32)[None, :, None]
        pavement = np.array((128, 124, 120), np.float32) + 70 * (down - 0.85)
        street = np.where(down > 0.83, pavement, wall)
        joint = np.abs(down - 0.83) < 0.004
        grain = 3 * self._noise(12) + 2 * self._noise(160)
        return np.asarray((street - 45 * joint + grain[..., None]) * (1.06 - 0.16 * across))

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a place on the figure."""
        return self.middle + x * self.tall, self.top + y * self.tall

    def paint(self, cover: np.ndarray, colour: np.ndarray) -> None:
        """Lays a colour, or colours of each pixel, over the picture where `cover` is 1."""
        soft = cv2.GaussianBlur(cover, (0, 0), 0.8)[..., None]
        self.picture += soft * (colour - self.picture)

    def shape(self, *points: tuple[float, float], wide: float = 0) -> np.ndarray:
        """Coverage of a line of some width through places, or of the area within them."""
        area = np.zeros((self.rows, self.columns), np.float32)
        line = np.array([self.at(*point) for point in points]).round().astype(np.int32)
        if wide:
            cv2.polylines(area, [line], False, 1.0, round(wide * self.tall), cv2.LINE_AA)
        else:
            cv2.fillPoly(area, [line], 1.0, cv2.LINE_AA)
        return area

    def oval(self, x: float, y: float, wide: float, high: float) -> np.ndarray:
        """Coverage of an ellipse around a place."""
        area = np.zeros((self.rows, self.columns), np.float32)
        middle = tuple(round(value) for value in self.at(x, y))
        axes = round(wide * self.tall), round(high * self.tall)
        cv2.ellipse(area, middle, axes, 0, 0, 360, 1.0, -1, cv2.LINE_AA)
        return area

    def shaded(self, cover: np.ndarray) -> np.ndarray:
        """Skin under `cover`, darker towards its edges as on a round limb."""
        depth = cv2.GaussianBlur(cover, (0, 0), 0.012 * self.tall)[..., None]
        return np.asarray(self.skin * (0.72 + 0.3 * depth))

    def body(self, trousers: bool) -> None:
        """Shadow, legs, arms and neck; only the feet of legs that trousers hide."""
        shadow = cv2.GaussianBlur(self.oval(0.06, 0.985, 0.2, 0.018), (0, 0), 0.012 * self.tall)
        self.picture *= 1 - 0.45 * shadow[..., None]
        for side in (-1, 1):
            knee = (0.05 * side, 0.72)
            leg = self.shape((0.045 * side, 0.48), knee, (0.052 * side, 0.95), wide=0.062)
            foot = self.oval(0.065 * side, 0.965, 0.04, 0.018)
            elbow = (0.135 * side, 0.35)
            arm = self.shape((0.1 * side, 0.2), elbow, (0.15 * side, 0.47), wide=0.04)
            hand = self.oval(0.153 * side, 0.49, 0.02, 0.028)
            for part in (foot, arm, hand) if trousers else (leg, foot, arm, hand):
                self.paint(part, self.shaded(part))
        right = (0.1, 0.18), (0.075, 0.34), (0.085, 0.5)
        torso = self.shape(*right, *((-x, y) for x, y in reversed(right)))
        neck = self.shape((0, 0.11), (0, 0.19), wide=0.05)
        for part in (torso, neck):
            self.paint(part, self.shaded(part))

    def head(self) -> None:
        """Hair and face."""
        self.paint(self.oval(0, 0.068, 0.058, 0.072), self.hair)
        if self.generator.random() < 0.5:
            self.paint(self.shape((-0.045, 0.07), (-0.055, 0.17), wide=0.035), self.hair)
            self.paint(self.shape((0.045, 0.07), (0.055, 0.17), wide=0.035), self.hair)
        face = self.oval(0, 0.08, 0.043, 0.056)
        self.paint(face, self.shaded(face))
        self.paint(self.shape((-0.035, 0.04), (0, 0.032), (0.035, 0.04), wide=0.02), self.hair)
        for side in (-1, 1):
            self.paint(self.oval(0.018 * side, 0.077, 0.006, 0.0035), np.array((40, 30, 28)))
            brow = self.shape((0.01 * side, 0.066), (0.026 * side, 0.066), wide=0.004)
            self.paint(brow, self.hair)
        self.paint(self.shape((0, 0.08), (0.004, 0.094), wide=0.004), self.skin * 0.8)
        self.paint(self.oval(0, 0.107, 0.014, 0.005), self.skin * (0.85, 0.55, 0.55))

    def wear(self, garment: Garment, boxes: Sequence[Box]) -> None:
        """Puts a garment on: its outline fills the box, or both boxes of a pair."""
        colour = np.array(CLOTH[int(self.generator.integers(len(CLOTH)))], np.float32)
        for number, box in enumerate(boxes):
            self._lay(garment, box, colour, mirrored=number == 1)

    def _lay(self, garment: Garment, box: Box, colour: np.ndarray, mirrored: bool) -> None:
        rows, columns = np.flatnonzero(garment.mask.any(1)), np.flatnonzero(garment.mask.any(0))
        area = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        layers = np.dstack([garment.grey[area], garment.mask[area]]).astype(np.float32) / 255
        if mirrored:
            layers = layers[:, ::-1]
        (left, top), (right, bottom) = self.at(*box[:2]), self.at(*box[2:])
        size = round(right - left), round(bottom - top)
        border = cv2.copyMakeBorder(np.ascontiguousarray(layers), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
        large = cv2.resize(border, size, interpolation=cv2.INTER_CUBIC)
        large = cv2.GaussianBlur(large, (0, 0), max(size) / 70)
        shade, cover = np.zeros((2, self.rows, self.columns), np.float32)
        y, x = round(top), round(left)
        place = slice(y, y + size[1]), slice(x, x + size[0])
        inside = shade[place].shape
        shade[place] = large[: inside[0], : inside[1], 0]
        cover[place] = np.clip((large[: inside[0], : inside[1], 1] - 0.45) / 0.1, 0, 1)
        mean = shade[cover > 0.5].mean()
        weave = 1.5 * self.generator.standard_normal(shade.shape).astype(np.float32)
        cloth = colour + (110 * (shade - mean) + weave)[..., None]
        under = cv2.GaussianBlur(np.roll(cover, (6, 4), (0, 1)), (0, 0), 5)
        self.picture *= 1 - 0.25 * (under * (1 - cover))[..., None]
        self.paint(cover, cloth)

    def photo(self) -> Image.Image:
        """The picture as a photo."""
        grain = 1.5 * self.generator.standard_normal((*SIZE, 1))
        return Image.fromarray(np.clip(self.picture + grain, 0, 255).astype(np.uint8))


def person(garments: Sequence[Garment], seed: int) -> Image.Image:
    """A photo of someone who wears some garments, those under others first."""
    figure = Figure(seed)
    figure.body(any(garment.category == "Trouser" for garment in garments))
    for garment in garments:
        figure.wear(garment, boxes_of(garment.category))
    figure.head()
    return figure.photo()


def boxes_of(category: str) -> tuple[Box, ...]:
    """Where a figure wears a kind of garment; shoes on both feet."""
    if category == "Bag":
        return ((0.09, 0.47, 0.29, 0.64),)
    if category in SHOES:
        top = 0.985 - (0.12 if category == "Ankle boot" else 0.065)
        return ((-0.145, top, -0.01, 0.985), (0.01, top, 0.145, 0.985))
    top, bottom, width = PLACES[category]
    return ((-width / 2, top, width / 2, bottom),)
