"""An image file's bytes in, upright RGB pixels out, or one clear reason why not.

Only six formats are opened, recognised by content. Pixel and byte limits hold before anything is
allocated; a picture that is cut short is refused whole, never shown in part.
"""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cache

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from trendscope.errors import ImageError
from trendscope.limits import Limits

Image.MAX_IMAGE_PIXELS = None  # our own limit, checked before loading, names itself in its message

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "HEIF", "AVIF")

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


@dataclass(frozen=True)
class Photo:
    """A decoded picture.

    Attributes:
        rgb: Upright pixels, scaled down to the wanted size; 8 bits, alpha laid on white.
        sha256: Digest of the file's bytes, in hex.
        taken_at: When the camera says it was taken, aware UTC (as UTC where it names no offset).
        format: Pillow's name of the format, such as ``JPEG``.
        size: Width and height of the upright original in pixels.
    """

    rgb: UInt8[np.ndarray, "h w 3"]
    sha256: str
    taken_at: datetime | None
    format: str
    size: tuple[int, int]


def sniff(data: bytes) -> str | None:
    """The format that the first bytes announce: one of Pillow's names, ``video``, or another."""
    for offset, magic, name in _SIGNATURES:
        if data[offset : offset + len(magic)] == magic:
            return name
    return None


def check(data: bytes, limits: Limits) -> None:
    """Refuses what can be refused before anything is decoded.

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
    if kind is not None and kind not in _FORMATS:
        raise ImageError(
            "unsupported_format",
            f"content is {kind}; save it as JPEG, PNG, WebP, GIF, HEIC or AVIF",
        )
    if kind is None:
        raise ImageError("not_an_image", "content is no picture of a known format")


def decode(
    data: bytes, *, edge: int = 1024, limits: Limits | None = None, now: datetime | None = None
) -> Photo:
    """Decodes a picture and scales it down so that its longer side is at most `edge` pixels.

    Args:
        data: The file's bytes.
        edge: Longest side of the result in pixels; smaller pictures keep their size.
        limits: What the picture may ask for.
        now: The present, aware; a camera's date more than a day later is not believed.

    Raises:
        ImageError: It is refused; `reason` is ``empty``, ``too_large``, ``video``,
            ``unsupported_format``, ``not_an_image``, ``truncated`` or ``decoder_error``.
    """
    limits = limits or Limits()
    check(data, limits)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decode(data, edge, limits, now or datetime.now(UTC))
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError("too_large", "needs more memory than decoding may take; "
            "save it smaller, or raise it: --limit decoder_memory=...") from error
    except Exception as error:  # decoders raise nearly anything for broken files
        raise _explain(error, data) from error


def thumbnail(rgb: UInt8[np.ndarray, "h w 3"], edge: int, quality: int = 80) -> bytes:
    """A JPEG of at most `edge` pixels a side, without metadata."""
    picture = Image.fromarray(rgb)
    picture.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _decode(data: bytes, edge: int, limits: Limits, now: datetime) -> Photo:
    if sniff(data) in ("HEIF", "AVIF"):  # libheif reads some AVIF files that Pillow cannot
        _know_heif()
    with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
        width, height = picture.size
        if width * height > limits.pixels:
            raise ImageError(
                "too_large",
                f"{width} x {height} pixels; the limit is {limits.pixels:,}; "
                "save it smaller, or raise it: --limit pixels=...",
            )
        kind = picture.format or "unknown"
        picture.draft("RGB", (edge, edge))
        picture.load()
        # Only now: for PNG, reading EXIF loads the pixels too and would hide that they are broken.
        taken_at = _taken_at(picture, now + timedelta(days=1))
        upright = ImageOps.exif_transpose(picture)
    if (upright.size[0] > upright.size[1]) != (picture.size[0] > picture.size[1]):
        width, height = height, width
    rgb = _to_rgb(upright)
    rgb.thumbnail((edge, edge), Image.Resampling.BOX, reducing_gap=None)
    digest = hashlib.sha256(data).hexdigest()
    return Photo(np.asarray(rgb), digest, taken_at, kind, (width, height))


@cache
def _know_heif() -> None:
    """Here and not above: most runs meet no HEIC, and loading its decoder takes a while."""
    import pillow_heif

    pillow_heif.register_heif_opener()


def _to_rgb(picture: Image.Image) -> Image.Image:
    """Any mode as 8-bit RGB: 16 bits scaled (Pillow alone would clip them), alpha on white."""
    if picture.mode.startswith("I;16"):
        return _from_numbers(np.asarray(picture).astype(np.float64) / 257)
    if picture.mode in ("I", "F"):
        values = np.asarray(picture).astype(np.float64)
        return _from_numbers(values / 257 if values.max() > 255 else values)
    if picture.has_transparency_data:
        with_alpha = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, with_alpha).convert("RGB")
    return picture.convert("RGB")


def _from_numbers(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(values.round(), 0, 255).astype(np.uint8)).convert("RGB")


def _explain(error: Exception, data: bytes) -> ImageError:
    text = " ".join(str(error).split())[:200] or type(error).__name__
    kind = sniff(data)
    if re.search(r"truncat|unexpected end|not enough|premature|broken data|incomplete", text, re.I):
        return ImageError("truncated", f"the {kind} file is cut short or damaged ({text})")
    if "cannot identify" in text:
        return ImageError("decoder_error", f"damaged, or a kind of {kind} that is not supported")
    return ImageError("decoder_error", f"the {kind} file is damaged ({text})")


# --- the camera's clock --------------------------------------------------------------------------

_EXIF_FOLDER = 0x8769
_DATES = ((0x9003, 0x9011), (0x9004, 0x9012), (0x0132, 0x9010))  # original, digitised, changed
_FIRST_CAMERA_YEAR = 1990


def _taken_at(picture: Image.Image, latest: datetime) -> datetime | None:
    try:
        exif = picture.getexif()
        values = {**dict(exif), **dict(exif.get_ifd(_EXIF_FOLDER))}
    except Exception:  # a broken EXIF block must not cost the picture
        return None
    for date, offset in _DATES:
        moment = parse_exif_date(values.get(date), values.get(offset))
        if moment and moment <= latest:
            return moment
    return None


def parse_exif_date(date: object, offset: object = None) -> datetime | None:
    """Reads EXIF's ``2026:11:16 08:30:00`` with its offset ``+01:00``; UTC where there is none.

    None for blanks, zeros, a camera that was never set (before 1990), and other forms.
    """
    match = re.match(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)", str(date or ""))
    if not match:
        return None
    try:
        local = datetime(*(int(part) for part in match.groups()))  # type: ignore[arg-type]
    except ValueError:
        return None
    if local.year < _FIRST_CAMERA_YEAR:
        return None
    return local.replace(tzinfo=_zone(offset)).astimezone(UTC)


def _zone(offset: object) -> timezone:
    match = re.match(r"([+-])(\d\d):(\d\d)", str(offset or ""))
    if not match:
        return UTC
    sign = -1 if match[1] == "-" else 1
    minutes = sign * (60 * int(match[2]) + int(match[3]))
    return timezone(timedelta(minutes=minutes)) if abs(minutes) < 24 * 60 else UTC
