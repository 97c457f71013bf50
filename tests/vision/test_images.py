from __future__ import annotations

import base64
import io
import re
import struct
import subprocess
import sys
from datetime import UTC, datetime
from threading import Barrier, Thread

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from tests.factories import areas
from tests.factories.classifier import FakeClassifier
from tests.factories.pictures import RED, bomb, encode, picture
from trendscope.errors import ImageError
from trendscope.files.formats import sniff
from trendscope.limits import Limits
from trendscope.photos.run import classify, profile
from trendscope.reports.profile import profile_html, profile_json
from trendscope.vision.images import decode, one_opencv_thread, thumbnail
from trendscope.vision.pillow import parse_exif_date, read


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_formats_decode_to_their_colour(kind):
    photo = decode(picture(RED, kind=kind))
    assert photo.rgb.shape == (50, 40, 3) and photo.size == (40, 50) and photo.format == kind
    assert np.abs(photo.rgb.astype(int) - RED).max() <= 8


def test_heic_decodes():
    out = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), RED)).save(out)
    photo = decode(out.getvalue())
    assert photo.format == "HEIF" and photo.rgb.shape == (48, 64, 3)
    assert np.abs(photo.rgb.astype(int) - RED).max() <= 8


def test_small_png_comes_through_exactly():
    pixels = np.arange(28 * 28, dtype=np.uint8).reshape(28, 28)
    rgb = decode(encode(Image.fromarray(pixels), "PNG")).rgb
    assert (rgb == pixels[..., None]).all()


def test_large_jpeg_is_scaled_and_keeps_its_true_size():
    photo = decode(picture(RED, (2000, 1000)), max_side=256)
    assert photo.size == (2000, 1000)
    assert photo.rgb.shape == (128, 256, 3)


@pytest.mark.parametrize(
    ("size", "decoded"),
    [((1080, 1350), (270, 338)), ((1350, 1080), (338, 270)), ((3000, 10), (375, 2))],
)
def test_jpegs_are_decoded_at_the_part_of_their_size_that_the_longer_side_allows(size, decoded):
    # At a quarter, as 1350 // 288 is 4, and an eighth, the least there is; rounded up.
    width, height = decoded
    assert read(picture(RED, size), 288, Limits()).shape == (height, width)


@pytest.mark.parametrize("side", [300, 511, 512, 700, 1350])
def test_scaled_down_pixels_are_means(side):
    noise = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    large = Image.fromarray(noise).resize((side, side), Image.Resampling.BICUBIC)
    rgb = decode(encode(large, "PNG"), max_side=256).rgb
    wanted = areas.means(np.asarray(large), 256, 256)
    assert rgb.shape == wanted.shape
    assert np.abs(rgb - wanted).mean() < 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation):
    # The top left quarter of the upright picture is red, the rest white.
    upright = np.full((32, 48, 3), 255, np.uint8)
    upright[:16, :24] = RED
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a.swapaxes(0, 1), 2),
        8: lambda a: np.rot90(a, -1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(undo[orientation](upright)))
    photo = decode(encode(stored, "PNG", exif=exif))
    assert photo.size == (48, 32)
    assert (photo.rgb == upright).all()


def test_sixteen_bit_grey_is_scaled_not_clipped():
    grey = Image.fromarray(np.full((8, 8), 257 * 100, np.uint16))
    assert (decode(encode(grey, "PNG")).rgb == 100).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P"])
def test_transparent_is_white(mode):
    if mode == "P":
        image = Image.new("P", (8, 8), 0)
        image.putpalette([10, 20, 30] * 256)
        data = encode(image, "PNG", transparency=0)
    else:
        base = Image.new("RGBA", (8, 8), (10, 20, 30, 0))
        data = encode(base.convert("LA") if mode == "LA" else base, "PNG")
    assert (decode(data).rgb == 255).all()


def test_half_transparent_black_on_white_is_mid_grey():
    rgb = decode(encode(Image.new("RGBA", (4, 4), (0, 0, 0, 128)), "PNG")).rgb
    assert np.abs(rgb.astype(int) - 127).max() <= 1


def test_cmyk_jpeg_is_rgb():
    photo = decode(encode(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG"))
    red, green, blue = photo.rgb.reshape(-1, 3).mean(0)
    assert red > 180 and green < 90 and blue < 90


def test_gif_shows_its_first_frame():
    frames = [Image.new("RGB", (8, 8), RED), Image.new("RGB", (8, 8), "blue")]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert np.abs(decode(data).rgb.astype(int) - RED).max() <= 8


def gif_with_a_large_first_frame(side: int) -> bytes:
    """A GIF of 8 x 8 pixels, by its header, whose first frame is larger."""
    header = b"GIF89a" + struct.pack("<HH", 8, 8) + b"\x80\0\0" + bytes(6)
    frame = b"," + struct.pack("<HHHH", 0, 0, side, side) + b"\0"
    return header + frame + b"\x02\x02\x4c\x01\0;"


def test_another_thread_does_not_lift_the_limit_while_a_gif_is_opened(monkeypatch):
    real = Image.open
    other = Thread(target=decode, args=(picture(RED),))

    def opening(file, formats):
        if formats == ("GIF",):
            other.start()
            other.join(timeout=0.5)  # it ends before, unless it has to wait for us
        return real(file, formats=formats)

    monkeypatch.setattr(Image, "open", opening)
    with pytest.raises(ImageError, match="too many pixels"):
        decode(gif_with_a_large_first_frame(16_000))
    other.join()


def test_the_host_programs_own_limit_stays_as_it_is():
    before = Image.MAX_IMAGE_PIXELS
    decode(picture(RED))
    with pytest.raises(ImageError):
        decode(gif_with_a_large_first_frame(16_000))
    assert Image.MAX_IMAGE_PIXELS == before == 89_478_485  # Pillow's default


REFUSED = {
    "empty": (b"", "empty", "the file is empty"),
    "text": (b"hello, world", "not_an_image", "no picture of a known format"),
    "tiff": (encode(Image.new("RGB", (4, 4)), "TIFF"), "unsupported_format", "content is TIFF"),
    "tgz": (b"\x1f\x8b\x08" + bytes(99), "unsupported_format", "packed archive; unpack it"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(99), "unsupported_format", "or pack it as a zip"),
    "bmp": (encode(Image.new("RGB", (4, 4)), "BMP"), "unsupported_format", "content is BMP"),
    "video": (b"\0\0\0\x18ftypmp42" + bytes(40), "video", "only photos"),
    "cut": (picture(RED, (400, 400))[:900], "truncated", "cut short"),
    "bomb": (bomb(50_000), "too_large", "50000 x 50000 pixels; the limit is 120,000,000"),
    "header only": (b"\x89PNG\r\n\x1a\n", "decoder_error", "PNG"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_reason(name):
    data, reason, text = REFUSED[name]
    with pytest.raises(ImageError, match=text) as caught:
        decode(data)
    assert caught.value.reason == reason


def test_damaged_pixels_of_png_are_refused():
    data = bytearray(encode(Image.effect_noise((64, 64), 80), "PNG"))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(ImageError):
        decode(bytes(data))


def test_limits_are_adjustable():
    data = picture(RED, (100, 100), "PNG")
    assert decode(data, limits=Limits(pixels=10_000)).size == (100, 100)
    with pytest.raises(ImageError, match="100 x 100 pixels; the limit is 9,999; save"):
        decode(data, limits=Limits(pixels=9_999))
    with pytest.raises(ImageError, match="bytes; the limit is 5"):
        decode(data, limits=Limits(file_bytes=5))


def test_sniff_goes_by_content():
    assert sniff(picture(RED, kind="WEBP")) == "WEBP"
    assert sniff(b"RIFF\0\0\0\0AVI LIST") == "video"
    assert sniff(b"\0\0\0\x08wide\0\0\0\0mdat") == "video"
    assert sniff(b"\0\0\0\x18ftypcrx \0\0") == "camera raw"
    assert sniff(b"") is None


@pytest.mark.parametrize(
    ("date", "offset", "expected"),
    [
        ("2026:11:16 08:30:00", None, datetime(2026, 11, 16, 8, 30)),
        ("2026:11:16 08:30:00", "+02:00", datetime(2026, 11, 16, 6, 30, tzinfo=UTC)),
        ("2026:01:01 00:30:00\0", "-01:30", datetime(2026, 1, 1, 2, 0, tzinfo=UTC)),
        ("2024-09-03 14:23:18", "nonsense", datetime(2024, 9, 3, 14, 23, 18)),
        ("2024:09:03 14:23:18", "+99:00", datetime(2024, 9, 3, 14, 23, 18)),
        ("9999:12:31 23:59:59", "-10:00", None),
        ("0000:00:00 00:00:00", None, None),
        ("1980:01:01 00:00:00", None, None),
        ("2002:12:08 12:00:00", None, None),
        ("2002:12:08 12:00:01", None, datetime(2002, 12, 8, 12, 0, 1)),
        ("2026:02:30 00:00:00", None, None),
        ("    :  :     :  :  ", None, None),
        (None, None, None),
        ("2026:11:15 23:30:00-05:00", None, datetime(2026, 11, 16, 4, 30, tzinfo=UTC)),
        ("2026:11:15 23:30:00-05:00", "+01:00", datetime(2026, 11, 16, 4, 30, tzinfo=UTC)),
        ("2026-11-15T23:30:00.25-0500", None, datetime(2026, 11, 16, 4, 30, tzinfo=UTC)),
        ("2026:11:16 04:30:00Z", "+01:00", datetime(2026, 11, 16, 4, 30, tzinfo=UTC)),
        ("2026:11:16 04:30:00 UTC", None, datetime(2026, 11, 16, 4, 30, tzinfo=UTC)),
        ("2026:11:15 23:30:00", "-0500", datetime(2026, 11, 16, 4, 30, tzinfo=UTC)),
        ("2026:11:15 23:30:00", "-5", datetime(2026, 11, 16, 4, 30, tzinfo=UTC)),
        ("2026:11:15 23:30:00", "UTC-05:00\0", datetime(2026, 11, 16, 4, 30, tzinfo=UTC)),
        ("2026:11:15 23:30:00", "\u221205:00", datetime(2026, 11, 16, 4, 30, tzinfo=UTC)),
        ("2026:11:16 04:30:00", "Z", datetime(2026, 11, 16, 4, 30, tzinfo=UTC)),
        ("2026:11:15 11:30:00 PM", "-05:00", datetime(2026, 11, 16, 4, 30, tzinfo=UTC)),
        ("2026:11:15  3:05", None, datetime(2026, 11, 15, 3, 5)),
        ("2026: 1: 5  9:03:07", None, datetime(2026, 1, 5, 9, 3, 7)),
        ("2026:11:15 03:05:00 \u4e0b\u5348", None, None),  # in the afternoon, which it does not say
    ],
)
def test_exif_dates(date, offset, expected):
    assert parse_exif_date(date, offset) == expected


def test_reports_do_not_hold_where_a_photo_was_taken(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x010E] = "at home in Secret Street"
    (tmp_path / "a.jpg").write_bytes(encode(Image.new("RGB", (500, 400), RED), "JPEG", exif=exif))
    assert b"Exif" in (tmp_path / "a.jpg").read_bytes()
    found = profile([tmp_path], weights=FakeClassifier(), pictures=True)
    page, document = profile_html(found), profile_json(found)
    assert "Secret" not in page + document
    pictures = re.findall(r"data:image/jpeg;base64,([^\"]+)", page)
    assert len(pictures) == 1
    for data in map(base64.b64decode, pictures):
        assert b"Exif" not in data and not Image.open(io.BytesIO(data)).getexif()


def test_taken_at_comes_from_exif():
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:11:16 08:30:00"
    exif.get_ifd(0x8769)[0x9011] = "+01:00"
    taken = decode(picture(RED, exif=exif.tobytes())).taken_at
    assert taken == datetime(2026, 11, 16, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "tags",
    [
        {0x9011: "-05:00"},
        {0x9010: "-05:00"},
        {0x9012: "-05:00", 0x9010: "nonsense"},
        {0x882A: -5},
        {"gps": ("2026:11:16", (4.0, 29.0, 30.0))},
    ],
)
def test_the_offset_may_stand_in_every_place_that_cameras_use(tags):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:11:15 23:30:00"
    for tag, value in tags.items():
        if tag == "gps":
            exif.get_ifd(0x8825)[29], exif.get_ifd(0x8825)[7] = value
        else:
            exif.get_ifd(0x8769)[tag] = value
    taken = decode(picture(RED, exif=exif.tobytes())).taken_at
    assert taken == datetime(2026, 11, 16, 4, 30, tzinfo=UTC)


def test_a_time_by_satellite_that_is_of_another_moment_is_no_offset():
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:11:15 23:30:00"
    exif.get_ifd(0x8825)[29], exif.get_ifd(0x8825)[7] = "2026:11:16", (4.0, 22.0, 0.0)
    assert decode(picture(RED, exif=exif.tobytes())).taken_at == datetime(2026, 11, 15, 23, 30)


def test_without_exif_the_time_in_xmp_counts():
    out = io.BytesIO()
    packet = b'<rdf photoshop:DateCreated="2026-11-15T23:30:00-05:00"/>'
    Image.new("RGB", (64, 48), RED).save(out, "JPEG", xmp=packet)
    assert decode(out.getvalue()).taken_at == datetime(2026, 11, 16, 4, 30, tzinfo=UTC)


def test_camera_dates_in_the_future_are_ignored():
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:11:16 08:30:00"
    exif[0x0132] = "2026:11:14 08:30:00"
    data = picture(RED, exif=exif.tobytes())
    for now, expected in ((16, 16), (15, 14), (12, None)):  # the later tag is believed instead
        taken = decode(data, now=datetime(2026, 11, now, 8, tzinfo=UTC)).taken_at
        assert (taken.day if taken else None) == expected


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_turned_heif_and_avif_come_upright(kind):
    # Stored lying, its left half red; turned right by orientation 6, red is the upper half.
    lying = np.full((64, 96, 3), 255, np.uint8)
    lying[:, :48] = RED
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = decode(encode(Image.fromarray(lying), kind, quality=95, exif=exif.tobytes()))
    assert (photo.format, photo.size, photo.rgb.shape) == (kind, (64, 96), (96, 64, 3))
    assert np.abs(photo.rgb[:40].astype(int) - RED).mean() < 8
    assert photo.rgb[56:].mean() > 247


def test_thumbnail_is_small_and_carries_no_metadata():
    small = Image.open(io.BytesIO(thumbnail(np.zeros((300, 600, 3), np.uint8), 100)))
    assert small.size == (100, 50) and small.format == "JPEG"
    assert not small.getexif() and "exif" not in small.info


def test_importing_images_needs_no_jax():
    code = "import sys, trendscope.vision.images; assert 'jax' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture
def three_opencv_threads():
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    yield
    cv2.setNumThreads(before)


def test_opencv_has_one_thread_until_the_last_user_leaves(three_opencv_threads):
    inside, first_has_left = Barrier(2), Barrier(2)
    numbers = []

    def leave_last():
        with one_opencv_thread():
            inside.wait()
            first_has_left.wait()
            numbers.append(cv2.getNumThreads())

    last = Thread(target=leave_last)
    last.start()
    with one_opencv_thread():
        inside.wait()
        numbers.append(cv2.getNumThreads())
    first_has_left.wait()
    last.join()
    assert numbers == [1, 1] and cv2.getNumThreads() == 3


def test_opencv_threads_are_put_back_after_an_error(three_opencv_threads):
    with pytest.raises(ImageError), one_opencv_thread():
        decode(b"")
    assert cv2.getNumThreads() == 3


def test_classifying_leaves_the_opencv_threads_of_the_host_program(three_opencv_threads, tmp_path):
    (tmp_path / "red.jpg").write_bytes(picture(RED, size=(600, 400)))
    [result] = classify([tmp_path], weights=FakeClassifier()).photos
    assert result.source and cv2.getNumThreads() == 3


def test_importing_trendscope_leaves_the_opencv_threads_of_the_host_program():
    code = (
        "import cv2; cv2.setNumThreads(3);"
        "import trendscope.vision.preparation, trendscope.photos.pipeline;"
        "print(cv2.getNumThreads())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "3\n"
