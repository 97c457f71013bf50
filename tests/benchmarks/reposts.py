"""How often reposts are recognised, and different photos taken for reposts.

Run ``python -m tests.benchmarks.reposts FOLDER``; the folder holds ``images/`` and a ``labels.csv``
with the columns file and customer. Copies are made of every photo, and all pairs of different
photos of one customer are compared.
"""

from __future__ import annotations

import csv
import io
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from PIL import Image, ImageOps

from trendscope.vision.images import DECODED_SIDE, decode
from trendscope.vision.near_duplicates import (
    HASH_BITS_APART,
    ImageFingerprint,
    fingerprint,
    is_near_duplicate,
)

COPIES = {
    "1080 px, JPEG 40": (1080, "JPEG", 40),
    "640 px, JPEG 75": (640, "JPEG", 75),
    "320 px, JPEG 50": (320, "JPEG", 50),
    "200 px, JPEG 70": (200, "JPEG", 70),
    "720 px, WebP 60": (720, "WEBP", 60),
}


def looks(data: bytes) -> ImageFingerprint:
    """As the scan sees it."""
    return fingerprint(decode(data, max_side=DECODED_SIDE))


def copy(data: bytes, side: int, kind: str, quality: int) -> bytes:
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, kind, quality=quality)
    return out.getvalue()


def photos(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Customer and bytes of every photo."""
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield row["customer"], (folder / "images" / row["file"]).read_bytes()


def main() -> None:
    customers = defaultdict(list)
    recognised = dict.fromkeys(COPIES, 0)
    for customer, data in photos(Path(sys.argv[1])):
        original = looks(data)
        customers[customer].append(original)
        for name, how in COPIES.items():
            recognised[name] += is_near_duplicate(original, looks(copy(data, *how)))
    total = sum(map(len, customers.values()))
    for name, count in recognised.items():
        print(f"copies recognised, {name}: {count} of {total}")
    pairs = [pair for own in customers.values() for pair in combinations(own, 2)]
    near = sum((one.hash ^ other.hash).bit_count() <= HASH_BITS_APART for one, other in pairs)
    wrong = sum(is_near_duplicate(*pair) for pair in pairs)
    print(f"different photos of one customer taken for one: {wrong} of {len(pairs):,} pairs")
    print(f"by the hash alone it would be {near}")


if __name__ == "__main__":
    main()
