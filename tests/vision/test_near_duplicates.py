"""Copies of a photo are told from other photos of the same customer."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from trendscope.photos.duplicates import DuplicateIndex
from trendscope.vision.images import DECODED_SIDE, decode
from trendscope.vision.near_duplicates import ImageFingerprint, fingerprint, is_near_duplicate

SAMPLES = sorted((Path(__file__).parents[2] / "sample_feeds" / "anna").glob("*.jpg"))


def looks(image: Image.Image, kind="JPEG", **options) -> ImageFingerprint:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return fingerprint(decode(out.getvalue(), max_side=DECODED_SIDE))


def scene(seed=0, size=(300, 400)) -> Image.Image:
    """Coloured rectangles at random places."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", size, tuple(random.integers(60, 200, 3)))
    for _ in range(8):
        x, y = random.integers(0, size[0]), random.integers(0, size[1])
        image.paste(tuple(random.integers(0, 255, 3)), (x, y, x + 90, y + 120))
    return image


def faint(seed) -> Image.Image:
    """A scene of little contrast, which differs from others by little."""
    return Image.blend(scene(seed), Image.new("RGB", (300, 400), (150, 130, 120)), 0.6)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("side", "kind", "quality"), [(300, "JPEG", 30), (150, "JPEG", 80), (1200, "WEBP", 50)]
)
def test_copies_are_near_duplicates(seed, side, kind, quality):
    original = scene(seed)
    copy = original.resize((side * 3 // 4, side), Image.Resampling.LANCZOS)
    assert is_near_duplicate(looks(original), looks(copy, kind, quality=quality))


def test_different_photos_are_not_near_duplicates():
    found = [looks(scene(seed)) for seed in range(20)]
    assert [[is_near_duplicate(a, b) for b in found].count(True) for a in found] == [1] * 20


def test_pictures_in_other_colours_are_not_near_duplicates():
    red = scene()
    other = Image.fromarray(np.asarray(red)[..., ::-1].copy())
    assert bin(looks(red).hash ^ looks(other).hash).count("1") <= 12
    assert not is_near_duplicate(looks(red), looks(other))


def framed(image: Image.Image, share=0.4, colour="white") -> Image.Image:
    """The picture in a square frame, its longer side `share` of the frame's."""
    side = round(max(image.size) / share)
    frame = Image.new("RGB", (side, side), colour)
    frame.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return frame


def captioned(image: Image.Image) -> Image.Image:
    """The picture over a white strip with a word."""
    strip = Image.new("RGB", (image.width, image.height * 4 // 3), "white")
    strip.paste(image, (0, 0))
    ImageDraw.Draw(strip).text((20, image.height + 20), "#ootd", fill="black", font_size=50)
    return strip


def on_ground(image: Image.Image) -> Image.Image:
    """One shape, cut out of the picture and laid on white, as shops show things."""
    shape = Image.new("L", image.size)
    ImageDraw.Draw(shape).polygon([(80, 60), (220, 60), (260, 340), (40, 340)], fill=255)
    return Image.composite(image, Image.new("RGB", image.size, "white"), shape)


SHOWN = {
    "frame of 30 %": lambda image: framed(image, 0.3),
    "frame of 40 %": framed,
    "frame of 60 %": lambda image: framed(image, 0.6),
    "black frame": lambda image: framed(image, 0.4, "black"),
    "coloured frame": lambda image: framed(image, 0.4, (240, 170, 190)),
    "caption": captioned,
    "framed caption": lambda image: framed(captioned(image), 0.7),
    "plain ground": on_ground,
    "framed, on plain ground": lambda image: framed(on_ground(image), 0.7),
}


@pytest.mark.parametrize("way", SHOWN)
def test_different_photos_shown_alike_are_not_near_duplicates(way):
    found = [looks(SHOWN[way](faint(seed))) for seed in range(12)]
    assert [[is_near_duplicate(a, b) for b in found].count(True) for a in found] == [1] * 12


@pytest.mark.parametrize("way", SHOWN)
@pytest.mark.parametrize(("side", "kind", "quality"), [(500, "JPEG", 40), (320, "WEBP", 50)])
def test_copies_of_photos_shown_alike_are_near_duplicates(way, side, kind, quality):
    for seed in range(4):
        original = SHOWN[way](scene(seed))
        copy = original.copy()
        copy.thumbnail((side, side), Image.Resampling.LANCZOS)
        assert is_near_duplicate(looks(original), looks(copy, kind, quality=quality)), seed


def test_a_framed_photo_is_no_copy_of_what_was_remembered_without_its_details():
    photo = looks(framed(scene()))
    colours = np.frombuffer(photo.colours, np.uint8).reshape(16, 4, 16, 4, 3).mean((1, 3))
    former = ImageFingerprint(photo.hash, colours.astype(np.uint8).tobytes(), photo.aspect)
    assert is_near_duplicate(photo, photo)
    assert not is_near_duplicate(photo, former)


def test_what_is_too_small_to_be_compared_is_no_copy():
    dots = [looks(framed(scene(seed, (12, 16)), 0.02), "PNG") for seed in range(2)]
    assert not is_near_duplicate(*dots)


def test_stretched_or_cropped_pictures_are_not_near_duplicates():
    original = scene()
    assert not is_near_duplicate(looks(original), looks(original.resize((330, 400))))
    assert not is_near_duplicate(looks(original), looks(original.crop((60, 80, 300, 400))))


def test_sample_photos_differ_from_each_other():
    found = [fingerprint(decode(path.read_bytes(), max_side=DECODED_SIDE)) for path in SAMPLES]
    assert len(found) > 3
    assert not any(is_near_duplicate(a, b) for i, a in enumerate(found) for b in found[:i])


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 255))
def test_pictures_of_any_size_have_a_fingerprint(width, height, value):
    found = looks(Image.new("RGB", (width, height), (value,) * 3), "PNG")
    assert {*found.colours} == {value} and 0 <= found.hash < 2**64
    assert is_near_duplicate(found, found)


def test_means_are_exact_on_a_grid():
    # 64 x 64 pixels in checks of 2 x 2 fields: each of the 16 x 16 colours is one check.
    checks = np.kron(np.random.default_rng(1).integers(0, 255, (16, 16, 3)), np.ones((4, 4, 1)))
    found = np.frombuffer(looks(Image.fromarray(checks.astype(np.uint8)), "PNG").colours, np.uint8)
    assert (found.reshape(16, 16, 3) == checks[::4, ::4]).all()


def test_duplicate_index_finds_the_first_photo_of_the_same_customer():
    album = DuplicateIndex[str]()
    photos = [looks(scene(seed)) for seed in range(100)]
    for number, photo in enumerate(photos):
        assert album.find("anna", photo) is None
        album.add("anna", photo, str(number))
    assert [album.find("anna", photo) for photo in photos] == [str(n) for n in range(100)]
    assert album.find("ben", photos[0]) is None
