"""Decodes an image file into upright RGB pixels, or gives one clear reason why it cannot.

Only six formats are opened, recognised by content. Pixel and byte limits hold before anything is
allocated; a picture that is cut short is refused whole, never shown in part.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

import numpy as np
from jaxtyping import UInt8

from trendscope.limits import Limits

DECODED_SIDE = 256
"""Longest side in pixels of photos as they are analysed; larger ones are decoded to it at once."""


@dataclass(frozen=True)
class Photo:
    """A decoded picture.

    Attributes:
        rgb: Upright pixels, scaled down to the wanted size; 8 bits, alpha laid on white.
        preview: Means over 32 x 32 fields of the same pixels, whatever the picture's shape.
        taken_at: The camera's time of the shot: aware UTC, or without a zone where the camera
            records no offset.
        format: Pillow's name of the format, such as ``JPEG``.
        size: Width and height of the upright original in pixels.
    """

    rgb: UInt8[np.ndarray, "h w 3"]
    preview: UInt8[np.ndarray, "32 32 3"]
    taken_at: datetime | None
    format: str
    size: tuple[int, int]


def decode(
    data: bytes, *, max_side: int = 1024, limits: Limits | None = None, now: datetime | None = None
) -> Photo:
    """Decodes a picture and scales it down so that its longer side is at most `max_side` pixels.

    Decoding runs in this process; `trendscope.vision.sandbox` does the same where a decoder may
    crash, hang or use up memory.

    Args:
        max_side: Longest side of the result in pixels; smaller pictures keep their size.
        now: The present, aware; a camera's date more than a day later is ignored.

    Raises:
        ImageError: It is refused; `reason` is ``empty``, ``too_large``, ``video``,
            ``unsupported_format``, ``not_an_image``, ``truncated`` or ``decoder_error``.
    """
    # Imported here, because callers that decode in the sandbox do not need Pillow.
    from trendscope.vision.pillow import read

    picture = read(data, max_side, limits or Limits(), now)
    pixels = np.frombuffer(picture.pixels, np.uint8).reshape(*picture.shape, 3)
    preview = np.frombuffer(picture.preview, np.uint8).reshape(32, 32, 3)
    return Photo(shrink(pixels, max_side), preview, picture.taken_at, picture.format, picture.size)


_THREADS = Lock()
_users = 0
_threads_before = 0


@contextmanager
def one_opencv_thread() -> Iterator[None]:
    """Has OpenCV work on one thread, until the last of those inside has left; also a decorator.

    Photos are worked on side by side: within one, more threads cost half as much again as they
    save. The number is OpenCV's setting for the whole process, and so is put back.
    """
    global _users, _threads_before
    import cv2

    with _THREADS:
        if _users == 0:
            _threads_before = cv2.getNumThreads()
            cv2.setNumThreads(1)
        _users += 1
    try:
        yield
    finally:
        with _THREADS:
            _users -= 1
            if _users == 0:
                cv2.setNumThreads(_threads_before)


def shrink(rgb: UInt8[np.ndarray, "h w 3"], side: int) -> UInt8[np.ndarray, "rows columns 3"]:
    """Scales a picture down so that its longer side is at most `side`, shape kept."""
    h, w = rgb.shape[:2]
    if max(h, w) <= side:
        return rgb
    scale = side / max(h, w)
    return means(rgb, max(1, round(h * scale)), max(1, round(w * scale)))


@one_opencv_thread()
def means(x: UInt8[np.ndarray, "h w 3"], height: int, width: int) -> UInt8[np.ndarray, ...]:
    """Scales a picture down to height x width pixels, each about the mean of what it covers.

    OpenCV averages over fractions of pixels slowly and halves quickly. So a picture is first scaled
    bilinearly to the nearest of 1, 2, 4, ... times the result's size, and then halved. That takes
    half the time and differs by a quarter of a grey level on photos.
    """
    # Imported here, because loading OpenCV is slow and not every command needs it.
    import cv2

    halvings = max(0, round(math.log2(max(x.shape[:2]) / max(height, width))))
    x = cv2.resize(x, (width << halvings, height << halvings), interpolation=cv2.INTER_LINEAR)
    for left in reversed(range(halvings)):
        x = cv2.resize(x, (width << left, height << left), interpolation=cv2.INTER_AREA)
    return np.asarray(x)


@one_opencv_thread()
def thumbnail(rgb: UInt8[np.ndarray, "h w 3"], max_side: int, quality: int = 80) -> bytes:
    """A JPEG of at most `max_side` pixels a side, without metadata."""
    import cv2

    as_written = cv2.cvtColor(shrink(rgb, max_side), cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", as_written, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return encoded.tobytes()
