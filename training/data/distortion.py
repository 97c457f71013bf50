"""Chance changes of pictures for the detector, their masks and boxes: place, light and patches."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

UNKNOWN = 255
"""Index in an augmented mask of pixels of which nothing is known."""


def placement(
    generator: np.random.Generator, source: tuple[int, int], size: tuple[int, int]
) -> Float32[np.ndarray, "2 3"]:
    """A random affine map from pixels of a picture to those of the augmented one.

    A window of .6 to 1.15 of the picture's sides, turned by up to 12 degrees, stretched by a tenth
    at most, every other time mirrored.

    Args:
        generator: Source of chance.
        source: Rows and columns of the picture.
        size: Rows and columns of the augmented one.
    """
    window = generator.uniform(0.6, 1.15)
    stretch = np.exp(generator.uniform(-0.1, 0.1))
    wide, high = source[1] * window * stretch, source[0] * window / stretch
    room = np.array([source[1] - wide, source[0] - high])
    middle = np.array([source[1], source[0]]) / 2 + room * generator.uniform(-0.5, 0.5, 2)
    turn = np.deg2rad(generator.uniform(-12, 12))
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    mirror = -1.0 if generator.random() < 0.5 else 1.0
    scale = np.diag([mirror * size[1] / wide, size[0] / high])
    linear = scale @ turned
    shift = np.array([size[1], size[0]]) / 2 - linear @ middle
    return np.column_stack([linear, shift]).astype(np.float32)


def recoloured(
    generator: np.random.Generator, rgb: UInt8[np.ndarray, "h w 3"]
) -> UInt8[np.ndarray, "h w 3"]:
    """Another light, contrast and tint; now and then grey, or with channels exchanged."""
    if generator.random() < 0.1:
        rgb = rgb[..., generator.permutation(3)]
    tint = np.exp(generator.normal(0, 0.08, 3) + generator.normal(0, 0.15))
    level = 128 + generator.normal(0, 12)
    contrast = np.exp(generator.normal(0, 0.2))
    values = np.arange(256)[:, None]
    table = np.clip(level + (values * tint - 128) * contrast, 0, 255).astype(np.uint8)
    rgb = np.stack([cv2.LUT(np.ascontiguousarray(rgb[..., c]), table[:, c]) for c in range(3)], -1)
    if generator.random() < 0.1:
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        rgb = np.repeat(grey[..., None], 3, -1)
    return np.ascontiguousarray(rgb)


def erased(
    generator: np.random.Generator, rgb: UInt8[np.ndarray, "h w 3"], most: float
) -> tuple[slice, slice] | None:
    """Paints a patch in one colour, every fourth time; returns its rows and columns.

    Args:
        generator: Source of chance.
        rgb: The picture, which is changed.
        most: Largest share of the sides.
    """
    if generator.random() >= 0.25:
        return None
    h, w = rgb.shape[:2]
    high, wide = (np.array([h, w]) * generator.uniform(0.1, most, 2)).astype(int)
    top, left = generator.integers(0, h - high), generator.integers(0, w - wide)
    patch = slice(top, top + high), slice(left, left + wide)
    rgb[patch] = generator.integers(0, 256, 3)
    return patch


def moved(
    picture: np.ndarray, place: np.ndarray, size: tuple[int, int], border: int | None = None
) -> np.ndarray:
    """A picture at its placement; a mask (with `border` for what lies beyond) by nearest pixels."""
    rows, columns = size
    if border is not None:
        return np.asarray(
            cv2.warpAffine(
                picture, place, (columns, rows), flags=cv2.INTER_NEAREST,
                borderMode=cv2.BORDER_CONSTANT, borderValue=border,
            )
        )  # fmt: skip
    # Averaged first where it gets much smaller, as a bilinear look alone would skip pixels.
    shrinking = 1 / float(np.sqrt(abs(np.linalg.det(place[:, :2]))))
    if shrinking > 1.6:
        h, w = picture.shape[:2]
        picture = cv2.resize(picture, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
        place = place @ np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]], np.float32)
    return np.asarray(
        cv2.warpAffine(picture, place, (columns, rows), borderMode=cv2.BORDER_REFLECT_101)
    )


def moved_boxes(
    boxes: Float32[np.ndarray, "n 5"], place: np.ndarray, mask: UInt8[np.ndarray, "h w"]
) -> Float32[np.ndarray, "m 5"]:
    """Labelled boxes around what an augmented mask shows of each label inside the moved boxes.

    Boxes of which nothing is left are left out.
    """
    h, w = mask.shape
    boxes_of_view = []
    for label, x0, y0, x1, y1 in boxes.tolist():
        corners = place @ np.array([[x0, x1, x1, x0], [y0, y0, y1, y1], [1, 1, 1, 1]])
        left, top = np.clip(np.floor(corners.min(1)), 0, [w, h]).astype(int)
        right, bottom = np.clip(np.ceil(corners.max(1)), 0, [w, h]).astype(int)
        inside = mask[top:bottom, left:right] == int(label)
        rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        if len(rows):
            boxes_of_view.append(
                [
                    label,
                    left + columns[0],
                    top + rows[0],
                    left + columns[-1] + 1,
                    top + rows[-1] + 1,
                ]
            )
    return np.array(boxes_of_view, np.float32).reshape(-1, 5)
