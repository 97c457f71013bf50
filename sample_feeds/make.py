"""Makes the sample feeds: Fashion-MNIST test garments laid out in photo-like scenes.

Run with ``python -m sample_feeds.make``. Three customers over twelve weeks: anna's folder of
photos, the Instagram export of ben.w, and a folder of files that no program should trip over; lea's
folder of photos of herself, several garments in each (people.py); and a small feed for every other
reader (exports.py), and for what people's programs make of feeds (handed_over.py). A shop's
catalogue lies beside them (shop.py). The true category of every garment that a customer shows goes
to truth.csv.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import struct
import zipfile
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
from PIL import Image

from sample_feeds import exports, handed_over, people, shop
from training.data import fashion_mnist
from trendscope.categories import CATEGORIES

HERE = Path(__file__).parent
SIDE = (1350, 1080)
FIRST = datetime(2026, 8, 24, 9, 30, tzinfo=UTC)
EXPORT = "instagram-ben.w-2026-11-16-Ab3dEf9H.zip"

ANNA = ("T-shirt/top", "T-shirt/top", "Sandal", "Trouser", "Bag", "T-shirt/top", "Dress", "Trouser")
ANNA += ("T-shirt/top", "Pullover", "Trouser", "Ankle boot")
BEN = ("Sneaker", "T-shirt/top", "Trouser", "T-shirt/top", "Sneaker", "Trouser", "Shirt")
BEN += ("Pullover", "Coat", "Sneaker", "Coat", "Trouser")
HOSTILE = ("Coat", "Bag", "Trouser")
LEA = (
    ("Trouser", "T-shirt/top", "Sneaker", "Bag"),
    ("Dress", "Ankle boot"),
    ("Trouser", "Pullover", "Sneaker"),
    ("Dress", "Sandal", "Bag"),
    ("Trouser", "Coat", "Ankle boot", "Bag"),
    ("Trouser", "Shirt", "Sandal"),
)
"""What Lea wears in each of her photos, garments under others first."""

CLOTH = ((190, 60, 55), (40, 70, 130), (60, 110, 80), (225, 200, 150), (35, 35, 40), (150, 90, 130))
CLOTH += ((235, 235, 230), (90, 130, 170), (200, 140, 50))
GROUND = ((150, 105, 70), (215, 210, 200), (120, 125, 130), (185, 160, 130), (95, 75, 60))
GROUND += ((200, 205, 215),)


def noise(generator: np.random.Generator, cells: int) -> np.ndarray:
    """Smooth noise of `cells` bumps across, about -1..1."""
    rows = max(2, round(cells * SIDE[0] / SIDE[1]))
    coarse = generator.standard_normal((rows, cells)).astype(np.float32)
    return cv2.resize(coarse, SIDE[::-1], interpolation=cv2.INTER_CUBIC)


def ground(generator: np.random.Generator, number: int) -> np.ndarray:
    """A floor of planks, a carpet, tiles or a bed; float32[h, w, 3] in 0..255."""
    colour = np.array(GROUND[number % len(GROUND)], np.float32)
    rows, columns = np.mgrid[: SIDE[0], : SIDE[1]].astype(np.float32)
    kind = number % 4
    if kind == 0:
        plank = np.floor(columns / 180)
        grain = cv2.GaussianBlur(noise(generator, 60), (1, 41), 0)
        shade = 8 * np.sin(plank * 2.4) + 9 * grain - 45 * (columns % 180 < 4)
    elif kind == 1:
        shade = 9 * noise(generator, 200) + 5 * noise(generator, 12)
    elif kind == 2:
        joints = (columns % 360 < 8) | (rows % 360 < 8)
        shade = -28.0 * joints + 3 * noise(generator, 30)
    else:
        shade = 14 * noise(generator, 4) + 6 * noise(generator, 9)
    return np.clip(colour + shade[..., None], 0, 255)


def garment(grey: np.ndarray, mask: np.ndarray, turn: float, scale: float) -> np.ndarray:
    """Shading and coverage of a 28 px garment at photo size: float32[h, w, 2] in 0..1."""
    layers = np.dstack([grey, mask]).astype(np.float32) / 255
    side = round(scale * SIDE[1])
    large = cv2.resize(layers, (side, side), interpolation=cv2.INTER_CUBIC)
    large = cv2.GaussianBlur(large, (0, 0), side / 90)
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), turn, 1.0)
    matrix[:, 2] += np.array([SIDE[1] - side, SIDE[0] - side]) / 2
    return cv2.warpAffine(large, matrix, SIDE[::-1])


def scene(grey: np.ndarray, mask: np.ndarray, seed: int) -> np.ndarray:
    """A photo of one garment: UInt8[1350, 1080, 3]."""
    generator = np.random.default_rng(seed)
    floor = ground(generator, int(generator.integers(100)))
    turn, scale = float(generator.normal(0, 6)), float(generator.uniform(0.72, 0.9))
    shade, cover = np.moveaxis(garment(grey, mask, turn, scale), -1, 0)
    cover = np.clip((cover - 0.42) / 0.16, 0, 1)[..., None]
    far = np.array(CLOTH, np.float32)
    away = np.abs(far.mean(1) - floor.mean()) > 45
    colour = generator.choice(far[away])
    inside = shade[cover[..., 0] > 0.5].mean()
    weave = 2.5 * generator.standard_normal(SIDE).astype(np.float32) + noise(generator, 7)
    cloth = colour + (60 * (inside - shade) + weave)[..., None]
    shadow = cv2.GaussianBlur(np.roll(cover, (14, 12), (0, 1)), (0, 0), 16)[..., None]
    picture = cover * cloth + (1 - cover) * floor * (1 - 0.45 * shadow)
    rows, columns = np.mgrid[-1 : 1 : SIDE[0] * 1j, -1 : 1 : SIDE[1] * 1j]
    light = 1 + 0.1 * generator.normal() * rows + 0.1 * generator.normal() * columns
    light -= 0.1 * (rows**2 + columns**2)
    return np.clip(picture * light[..., None], 0, 255).astype(np.uint8)


class Wardrobe:
    """Hands out Fashion-MNIST test garments of a category, none of them twice."""

    def __init__(self) -> None:
        images = fashion_mnist.load("test")
        self._rows = {c: iter(np.flatnonzero(images.labels == i)) for i, c in enumerate(CATEGORIES)}
        self._images = images

    def photo(self, category: str) -> Image.Image:
        """A new scene with a garment of the category."""
        row, grey, mask = self._next(category)
        return Image.fromarray(scene(grey, mask, row))

    def garment(self, category: str) -> people.Garment:
        """A garment of the category, to be worn."""
        _, grey, mask = self._next(category)
        return people.Garment(category, grey, mask)

    def _next(self, category: str) -> tuple[int, np.ndarray, np.ndarray]:
        row = int(next(self._rows[category]))
        grey = self._images.pixels[row]
        return row, grey, fashion_mnist.garment_mask(grey)


def encoded(picture: Image.Image, kind: str = "JPEG", taken: datetime | None = None) -> bytes:
    """The picture as a file, with the time it was taken in its EXIF."""
    out = io.BytesIO()
    exif = Image.Exif()
    if taken:
        exif.get_ifd(0x8769)[0x9003] = taken.strftime("%Y:%m:%d %H:%M:%S")
        exif.get_ifd(0x8769)[0x9011] = "+00:00"
    if kind == "HEIF":
        pillow_heif.from_pillow(picture).save(out, quality=60)
    else:
        picture.save(out, kind, quality=72, exif=exif.tobytes() if taken else b"")
    return out.getvalue()


def weekly(count: int) -> list[datetime]:
    """One moment in each of `count` weeks."""
    return [FIRST + timedelta(days=7 * i + i % 5, hours=i) for i in range(count)]


def make_folder(wardrobe: Wardrobe) -> list[tuple[str, str, str]]:
    """Anna's folder of camera photos; returns rows of truth.csv."""
    folder = HERE / "anna"
    folder.mkdir()
    rows = []
    for category, taken in zip(ANNA, weekly(len(ANNA)), strict=True):
        name = f"IMG_{taken:%Y%m%d_%H%M%S}.jpg"
        (folder / name).write_bytes(encoded(wardrobe.photo(category), taken=taken))
        rows.append(("anna", f"anna/{name}", category))
    return rows


def make_people(wardrobe: Wardrobe) -> list[tuple[str, str, str]]:
    """Lea's folder of photos of herself, several garments in each; returns rows of truth.csv."""
    folder = HERE / "lea"
    folder.mkdir()
    rows = []
    for number, (worn, taken) in enumerate(zip(LEA, weekly(len(LEA)), strict=True)):
        picture = people.person([wardrobe.garment(category) for category in worn], number)
        name = f"IMG_{taken:%Y%m%d_%H%M%S}.jpg"
        (folder / name).write_bytes(encoded(picture, taken=taken))
        rows.append(("lea", f"lea/{name}", "|".join(worn)))
    return rows


def make_export(wardrobe: Wardrobe) -> list[tuple[str, str, str]]:
    """Ben's Instagram export, with all that a real one brings along; returns rows of truth.csv."""
    members: dict[str, bytes] = {}
    posts = []
    for number, (category, posted) in enumerate(zip(BEN, weekly(len(BEN)), strict=True)):
        kind, suffix = {3: ("WEBP", ".webp"), 5: ("HEIF", ".heic"), 7: ("JPEG", "")}.get(
            number, ("JPEG", ".jpg")
        )
        uri = f"media/posts/{posted:%Y%m}/{17850000000000000 + 1013 * number}{suffix}"
        members[uri] = encoded(wardrobe.photo(category), kind)
        posts.append((uri, int(posted.timestamp()), category))
    lost = ("media/posts/202611/17859999999999999.jpg", int(weekly(12)[-1].timestamp()))
    activity = "your_instagram_activity"
    profile = "personal_information/personal_information/personal_information.json"
    members |= {
        f"{activity}/media/posts_1.json": _old_index([post[:2] for post in posts] + [lost]),
        f"{activity}/media/posts.json": _new_index([post[:2] for post in posts]),
        f"{activity}/media/stories.json": _json({"ig_stories": [{"uri": posts[0][0]}]}),
        f"{activity}/messages/inbox/friend_1/message_1.json": _json({"messages": []}),
        f"{activity}/messages/inbox/friend_1/photos/1.jpg": members[posts[0][0]],
        profile: _json({"profile_user": [{"string_map_data": {"Username": {"value": "ben.w"}}}]}),
    }
    with zipfile.ZipFile(HERE / EXPORT, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(members.items()):
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 16, 8, 0, 0)), content)
    return [("ben.w", f"{EXPORT}/{uri}", category) for uri, _, category in posts]


def _old_index(posts: Sequence[tuple[str, int]]) -> bytes:
    """posts_1.json: single photos, and the last two photos of the list as one carousel."""
    media = [{"uri": uri, "creation_timestamp": stamp, "title": ""} for uri, stamp in posts]
    carousel = {"media": media[-3:-1], "title": "", "creation_timestamp": posts[-2][1]}
    return _json([*({"media": [item]} for item in media[:-3]), carousel, {"media": media[-1:]}])


def _new_index(posts: Sequence[tuple[str, int]]) -> bytes:
    """posts.json: the same posts again, in the form used since 2025."""
    return _json(
        [
            {
                "timestamp": stamp,
                "media": [],
                "label_values": [{"label": "Media", "media": [{"uri": uri}]}],
            }
            for uri, stamp in posts
        ]
    )


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1).encode()


def make_hostile(wardrobe: Wardrobe) -> list[tuple[str, str, str]]:
    """A customer's folder with three good photos among broken ones; returns rows of truth.csv."""
    folder = HERE / "hostile"
    folder.mkdir()
    names = ("schöner Mantel 🧥.jpg", "<b>bag &amp;.jpg", "=SUM(A1).jpg")
    good = [encoded(wardrobe.photo(category)) for category in HOSTILE]
    grey16 = Image.fromarray(np.full((64, 64), 30_000, np.uint16))
    files = dict(zip(names, good, strict=True)) | {
        "cut short.jpg": good[0][: len(good[0]) // 2],
        "empty.jpg": b"",
        "not a photo.jpg": b"Dear diary, this is not a picture.\n",
        "scan.jpg": encoded(Image.new("RGB", (32, 32)), "TIFF"),
        "clip.mp4": b"\x00\x00\x00\x18ftypmp42" + bytes(64),
        "bomb.png": bomb(),
        "depth16.png": encoded(grey16, "PNG"),
        "notes.txt": b"washed at 30 degrees\n",
        "wrong suffix.png": encoded(Image.new("RGB", (640, 480), (120, 130, 140))),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [
        ("hostile", f"hostile/{name}", category)
        for name, category in zip(names, HOSTILE, strict=True)
    ]


def bomb() -> bytes:
    """A PNG of few bytes that asks for 50,000 x 50,000 pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    size = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def main() -> None:
    """Makes everything anew."""
    for old in ("anna", "hostile", "lea", *exports.FOLDERS, *handed_over.FOLDERS):
        shutil.rmtree(HERE / old, ignore_errors=True)
    wardrobe = Wardrobe()
    rows = [*make_folder(wardrobe), *make_export(wardrobe), *make_hostile(wardrobe)]
    rows += exports.make(wardrobe.photo)
    shop.make(wardrobe.photo)
    rows += make_people(wardrobe)
    rows += handed_over.make(wardrobe.photo)
    with (HERE / "truth.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("customer", "source", "category"))
        writer.writerows(rows)


if __name__ == "__main__":
    main()
