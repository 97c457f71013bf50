"""Formats of files by their first bytes, and files that are refused before decoding."""

from __future__ import annotations

from trendscope.errors import ImageError
from trendscope.limits import Limits

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "HEIF", "AVIF")
"""Formats that are opened, by Pillow's names."""

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
    (8, b"WEBP", "WEBP"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftypavis", "AVIF"),
    (4, b"ftyphei", "HEIF"),
    (4, b"ftyphev", "HEIF"),
    (4, b"ftypmif1", "HEIF"),
    (4, b"ftypmsf1", "HEIF"),
    (4, b"ftypmiaf", "HEIF"),
    (4, b"ftypavc", "HEIF with AVC"),
    (4, b"ftypcrx ", "camera raw"),
    (4, b"ftyp", "video"),
    (4, b"moov", "video"),
    (4, b"mdat", "video"),
    (4, b"wide", "video"),
    (0, b"\x1aE\xdf\xa3", "video"),
    (8, b"AVI ", "video"),
    (0, b"II*\x00", "TIFF"),
    (0, b"MM\x00*", "TIFF"),
    (0, b"BM", "BMP"),
    (0, b"%PDF", "PDF"),
    (0, b"PK\x03\x04", "ZIP"),
    (0, b"8BPS", "Photoshop"),
    (0, b"\x00\x00\x01\x00", "icon"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (0, b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (0, b"<svg", "SVG"),
)


def sniff(data: bytes) -> str | None:
    """The format that the first bytes announce: one of Pillow's names, ``video``, or another."""
    for offset, magic, name in _SIGNATURES:
        if data[offset : offset + len(magic)] == magic:
            return name
    return None


def check(data: bytes, limits: Limits) -> None:
    """Refuses files that cannot be photos, before anything is decoded.

    Raises:
        ImageError: ``empty``, ``too_large``, ``video``, ``unsupported_format`` or ``not_an_image``.
    """
    if not data:
        raise ImageError("empty", "the file is empty")
    if len(data) > limits.file_bytes:
        size = f"{len(data):,} bytes; the limit is {limits.file_bytes:,}"
        raise ImageError("too_large", f"{size}; raise it with --limit file_bytes=...")
    kind = sniff(data)
    if kind == "video":
        raise ImageError("video", "a video; only photos are looked at")
    if kind is not None and kind not in FORMATS:
        raise ImageError(
            "unsupported_format",
            f"content is {kind}; save it as JPEG, PNG, WebP, GIF, HEIC or AVIF",
        )
    if kind is None:
        raise ImageError("not_an_image", "content is no picture of a known format")
