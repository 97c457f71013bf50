"""The one place where Pillow opens untrusted files; see `trendscope.vision.images`.

Plain bytes come out, no arrays: a decoding process starts twice as fast without numpy.
"""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from threading import Lock
from typing import Any, NamedTuple

from PIL import Image, ImageOps

from trendscope.errors import ImageError
from trendscope.files.formats import FORMATS, check, sniff
from trendscope.files.written_times import offset_of
from trendscope.limits import Limits

_OPENING = Lock()
"""Held while Pillow opens a picture under our limit, which is a setting of the whole process."""

PREVIEW_SIDE = 32


class Picture(NamedTuple):
    """`images.Photo` before its pixels, of height and width `shape`, are an array."""

    pixels: bytes
    shape: tuple[int, int]
    preview: bytes
    taken_at: datetime | None
    format: str
    size: tuple[int, int]


def read(data: bytes, max_side: int, limits: Limits, now: datetime | None = None) -> Picture:
    """Decodes, turns upright and scales down by a whole number, for `images.decode`.

    The longer side is then less than twice `max_side`. The rest of the way is left to OpenCV, which
    takes a seventh of Pillow's time for it, and is not loaded here.
    """
    check(data, limits)
    try:
        return _read(data, max_side, limits, now or datetime.now(UTC))
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_large("too many", limits) from error
    except MemoryError as error:
        raise ImageError(
            "too_large",
            "needs more memory than decoding may take; "
            "save it smaller, or raise it: --limit decoder_memory=...",
        ) from error
    except Exception as error:  # decoders raise nearly anything for broken files
        raise _explain(error, data) from error


def _read(data: bytes, max_side: int, limits: Limits, now: datetime) -> Picture:
    kind = sniff(data)
    kinds: tuple[str, ...] = (kind,) if kind else FORMATS
    if kind in ("HEIF", "AVIF"):  # libheif reads some AVIF files that Pillow cannot
        _register_heif()
        kinds = ("AVIF", "HEIF")
    with _opened(data, kinds, limits) as picture:
        width, height = picture.size
        if width * height > limits.pixels:
            raise _too_large(f"{width} x {height}", limits)
        times = max(1, max(width, height) // max_side)
        # Decoded at an eighth, a quarter or half of its size, if the longer side allows it.
        picture.draft("RGB", (max(1, width // times), max(1, height // times)))
        picture.load()
        # Only now: for PNG, reading EXIF loads the pixels too and would hide that they are broken.
        taken_at = _taken_at(picture, now + timedelta(days=1))
        upright = ImageOps.exif_transpose(picture)
    if (upright.size[0] > upright.size[1]) != (picture.size[0] > picture.size[1]):
        width, height = height, width
    rgb = _to_rgb(upright)
    if (times := max(rgb.size) // max_side) > 1:
        rgb = rgb.reduce(times)
    return Picture(
        rgb.tobytes(),
        rgb.size[::-1],
        rgb.resize((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.BOX).tobytes(),
        taken_at,
        picture.format or kind or "unknown",
        (width, height),
    )


def _opened(data: bytes, kinds: tuple[str, ...], limits: Limits) -> Image.Image:
    """Opens a picture without loading it; Pillow's own limit is afterwards what it was."""
    with _OPENING:
        before = Image.MAX_IMAGE_PIXELS
        # A GIF's first frame may be larger than the GIF, and is laid out while it is opened: Pillow
        # refuses what is twice this. Other pictures are measured by us before they are loaded.
        Image.MAX_IMAGE_PIXELS = (limits.pixels + 1) // 2 if kinds == ("GIF",) else None
        try:
            return Image.open(io.BytesIO(data), formats=kinds)
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _too_large(size: str, limits: Limits) -> ImageError:
    detail = f"{size} pixels; the limit is {limits.pixels:,}; "
    return ImageError("too_large", f"{detail}save it smaller, or raise it: --limit pixels=...")


@cache
def _register_heif() -> None:
    """Loads the HEIC decoder when it is first needed: most runs never do, and it is slow."""
    import pillow_heif

    pillow_heif.register_heif_opener()


def _to_rgb(picture: Image.Image) -> Image.Image:
    """Any mode as 8-bit RGB: 16 bits scaled (Pillow alone would clip them), alpha on white."""
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _from_numbers(picture)
    if picture.has_transparency_data:
        with_alpha = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, with_alpha).convert("RGB")
    return picture.convert("RGB")


def _from_numbers(picture: Image.Image) -> Image.Image:
    import numpy as np  # imported here: rarely needed, and slow to load

    values = np.asarray(picture).astype(np.float64)
    if picture.mode.startswith("I;16") or values.max() > 255:
        values /= 257
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
_GPS_FOLDER = 0x8825
_DATES = ((0x9003, 0x9011), (0x9004, 0x9012), (0x0132, 0x9010))  # original, digitised, changed
_OFFSETS = (0x9011, 0x9010, 0x9012)
_HOURS_OFFSET = 0x882A  # TimeZoneOffset: whole hours, of older cameras
_GPS_TIME, _GPS_DATE = 7, 29  # by satellite, in UTC
_FIRST_CAMERA_YEAR = 1990
_NEVER_SET = datetime(2002, 12, 8, 12)  # of drivers of Qualcomm's, in many Android phones
_WRITTEN = re.compile(
    r"(\d{4})[:/.-] ?(\d\d?)[:/.-] ?(\d\d?)[ T]+(\d\d?):(\d\d?)(?::(\d\d?)(?:[.,]\d+)?)?"
    r"\s*(?P<half>[AP]M)?\s*(?P<zone>.*)",
    re.IGNORECASE,
)
_XMP_DATE = re.compile(
    r"(?:exif:DateTimeOriginal|photoshop:DateCreated|xmp:CreateDate)(?:=[\"']|>)([^<\"']{10,40})"
)
_GPS_STEP = 15 * 60  # seconds; all offsets are multiples of it
_GPS_DELAY = 120  # seconds that the satellites' time may lag behind the camera's


def _taken_at(picture: Image.Image, latest: datetime) -> datetime | None:
    try:
        exif = picture.getexif()
        values = {**dict(exif), **dict(exif.get_ifd(_EXIF_FOLDER))}
        satellites = dict(exif.get_ifd(_GPS_FOLDER))
    except Exception:  # a broken EXIF block must not cost the picture
        return None
    for date, own in _DATES:
        moment = parse_exif_date(values.get(date), *_offsets(values, own))
        if moment and moment.tzinfo is None:
            moment = _by_satellite(moment, satellites) or moment
        if moment and (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) <= latest:
            return moment
    return _from_xmp(picture.info, latest)


def _offsets(values: dict[int, Any], own: int) -> list[object]:
    """The offsets of a picture, that of one date first; cameras write some of them or one."""
    hours = values.get(_HOURS_OFFSET)
    hours = hours[0] if isinstance(hours, tuple) and hours else hours
    written = [values.get(tag) for tag in dict.fromkeys((own, *_OFFSETS))]
    return [*written, f"{hours:+d}" if isinstance(hours, int) else None]


def parse_exif_date(date: object, *offsets: object) -> datetime | None:
    """Reads a camera's time, such as EXIF's ``2026:11:16 08:30:00`` with ``+01:00``, as UTC.

    The offset stands in the date itself or is the first of `offsets` that is one. Without any, the
    time is given back without a zone. None for blanks, zeros, a camera that was never set (before
    1990), and other forms.
    """
    match = _WRITTEN.fullmatch(str(date or "").strip("\0 \n"))
    if not match:
        return None
    own = match["zone"].strip("\0 ")
    zones = (offset_of(str(offset)) for offset in offsets if offset)
    zone = offset_of(own) if own else next(filter(None, zones), None)
    if own and zone is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    if match["half"] and hour <= 12:
        hour = hour % 12 + (12 if match["half"].upper() == "PM" else 0)
    try:
        local = datetime(year, month, day, hour, minute, second)
        moment = local.replace(tzinfo=zone).astimezone(UTC) if zone else local
    except (ValueError, OverflowError):  # the 31st of February; the end of the year 9999
        return None
    return moment if local.year >= _FIRST_CAMERA_YEAR and local != _NEVER_SET else None


def _by_satellite(local: datetime, satellites: dict[int, Any]) -> datetime | None:
    """The camera's local time as UTC, if satellites gave the time of the shot in UTC."""
    try:
        hour, minute, second = (float(part) for part in satellites[_GPS_TIME])
        day = datetime.strptime(str(satellites[_GPS_DATE]).strip("\0 "), "%Y:%m:%d")
        utc = day + timedelta(hours=hour, minutes=minute, seconds=second)
    except (KeyError, TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None
    ahead = (local - utc).total_seconds()
    offset = round(ahead / _GPS_STEP) * _GPS_STEP
    if abs(ahead - offset) > _GPS_DELAY or abs(offset) > 14 * 3600:
        return None
    return (local - timedelta(seconds=offset)).replace(tzinfo=UTC)


def _from_xmp(info: dict[str | tuple[int, int], Any], latest: datetime) -> datetime | None:
    """The time that programs note in XMP where they leave the camera's out."""
    packet = info.get("xmp") or info.get("XML:com.adobe.xmp") or b""
    text = packet.decode("utf-8", "replace") if isinstance(packet, bytes) else str(packet)
    for match in _XMP_DATE.finditer(text):
        moment = parse_exif_date(match[1])
        if moment and (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) <= latest:
            return moment
    return None
