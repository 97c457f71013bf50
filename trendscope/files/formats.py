"""Formats of files by their first bytes, and files that are refused before decoding."""

from __future__ import annotations

import re

from trendscope.errors import ImageError
from trendscope.limits import Limits

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "HEIF", "AVIF")
"""Formats that are opened, by Pillow's names."""

PHOTO_SUFFIXES = tuple(".jpg .jpeg .jpe .jfif .png .webp .gif .heic .heif .hif .avif".split())
"""Ends of the names of photos in these formats, in small letters."""

_PACKED = "a packed archive"

_SIGNATURES = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "WEBP": rb".{8}WEBP",
    "GIF": rb"GIF8[79]a",
    "AVIF": rb".{4}ftypavi[fs]",
    "HEIF": rb".{4}ftyp(he[iv]|mif1|msf1|miaf)",
    "HEIF with AVC": rb".{4}ftypavc",
    "camera raw": rb".{4}ftypcrx ",
    "video": rb".{4}(ftyp|moov|mdat|wide)|\x1aE\xdf\xa3|.{8}AVI ",
    "TIFF": rb"II\*\x00|MM\x00\*",
    "BMP": rb"BM",
    "PDF": rb"%PDF",
    "ZIP": rb"PK\x03\x04",
    _PACKED: rb"\x1f\x8b|7z\xbc\xaf|Rar!\x1a|BZh\d|\xfd7zXZ",
    "Photoshop": rb"8BPS",
    "icon": rb"\x00\x00\x01\x00",
    "JPEG XL": rb"\xff\x0a|\x00\x00\x00\x0cJXL ",
    "JPEG 2000": rb"\x00\x00\x00\x0cjP  ",
    "SVG": rb"<svg",
}
"""The beginnings of files by format, as regular expressions; the first that matches counts."""


def sniff(data: bytes) -> str | None:
    """The format that the first bytes announce: one of Pillow's names, ``video``, or another."""
    matches = (name for name, start in _SIGNATURES.items() if re.match(start, data, re.DOTALL))
    return next(matches, None)


def check(data: bytes, limits: Limits) -> None:
    """Refuses files that cannot be photos, before anything is decoded.

    Raises:
        ImageError: ``empty``, ``placeholder``, ``too_large``, ``video``, ``unsupported_format`` or
            ``not_an_image``.
    """
    if not data:
        raise ImageError("empty", "the file is empty")
    if len(data) > limits.file_bytes:
        size = f"{len(data):,} bytes; the limit is {limits.file_bytes:,}"
        raise ImageError("too_large", f"{size}; raise it with --limit file_bytes=...")
    if not data[:64].strip(b"\0") and not data.strip(b"\0"):
        raise ImageError(
            "placeholder", "nothing but zeros: it was never copied from its cloud drive"
        )
    kind = sniff(data)
    if kind == "video":
        raise ImageError("video", "a video; only photos are looked at")
    if kind is not None and kind not in FORMATS:
        advice = "save it as JPEG, PNG, WebP, GIF, HEIC or AVIF"
        if kind == _PACKED:
            advice = "unpack it, or pack it as a zip"
        raise ImageError("unsupported_format", f"content is {kind}; {advice}")
    if kind is None:
        raise ImageError("not_an_image", "content is no picture of a known format")
