"""How often reposts are recognised, and different photos taken for reposts.

Run ``python -m tests.benchmarks.reposts FOLDER [--framed N] [--grounds FOLDER]``. FOLDER holds
``images/`` and a ``labels.csv`` with the columns file and customer. Copies are made of some photos,
and all pairs of different photos of one customer are compared; then the same with N photos in
frames, over captions and so on, and with a second folder's pictures on plain ground, all pairs.
ImageHash's hashes are measured beside ours, at the distance that is usual for each.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations, islice
from pathlib import Path

import imagehash
from PIL import Image, ImageDraw, ImageOps

from trendscope.vision.images import DECODED_SIDE, decode
from trendscope.vision.near_duplicates import ImageFingerprint, fingerprint, is_near_duplicate

COPIES = {
    "1080 px, JPEG 40": (1080, "JPEG", 40),
    "640 px, JPEG 75": (640, "JPEG", 75),
    "320 px, JPEG 50": (320, "JPEG", 50),
    "200 px, JPEG 70": (200, "JPEG", 70),
    "720 px, WebP 60": (720, "WEBP", 60),
}
"""Longest side, format and quality of copies."""


def cropped(picture: Image.Image, share: float) -> Image.Image:
    """The picture without a share of its width and height at every edge."""
    across, down = round(picture.width * share), round(picture.height * share)
    return picture.crop((across, down, picture.width - across, picture.height - down))


def screenshot(picture: Image.Image) -> Image.Image:
    """The picture as it fills a phone's screen, between black strips."""
    screen = Image.new("RGB", (1080, 2340), "black")
    screen.paste(ImageOps.contain(picture, (1080, 2000)), (0, 170))
    return screen


ALTERED: dict[str, Callable[[Image.Image], Image.Image]] = {
    **{f"cropped by {n} %": lambda p, n=n: cropped(p, n / 100) for n in (1, 2, 5)},
    "screenshot": screenshot,
}
"""Copies that show a part of the picture, or more than it."""

PEERS: dict[str, tuple[Callable[[Image.Image], imagehash.ImageHash], int]] = {
    "phash": (imagehash.phash, 8),
    "dhash": (imagehash.dhash, 8),
}
"""Hashes of ImageHash, and the most bits apart at which two pictures count as the same."""


def framed(picture: Image.Image, share: float, colour: str, side: int = 1080) -> Image.Image:
    """The picture in a square frame, its longer side `share` of the frame's."""
    picture = ImageOps.contain(picture, (round(side * share),) * 2)
    frame = Image.new("RGB", (side, side), colour)
    frame.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return frame


def captioned(picture: Image.Image, colour: str = "white") -> Image.Image:
    """The picture over a strip of a quarter of its height, with the same words for all."""
    strip = Image.new("RGB", (picture.width, picture.height * 5 // 4), colour)
    strip.paste(picture, (0, 0))
    place = picture.width // 10, picture.height * 13 // 12
    ImageDraw.Draw(strip).text(place, "OUTFIT #ootd", "black", font_size=picture.width // 12)
    return strip


WAYS: dict[str, Callable[[Image.Image], Image.Image]] = {
    **{f"white frame, {n} %": lambda p, n=n: framed(p, n / 100, "white") for n in (30, 40, 50, 60)},
    "black frame, 50 %": lambda picture: framed(picture, 0.5, "black"),
    "pink frame, 40 %": lambda picture: framed(picture, 0.4, "pink"),
    "border, 90 %": lambda picture: framed(picture, 0.9, "white"),
    "caption": captioned,
    "framed caption": lambda picture: framed(captioned(picture), 0.8, "white"),
}


class Look:
    """What is known of a picture: as the scan sees it, and by the peers' hashes."""

    def __init__(self, data: bytes, peers: bool):
        self.ours: ImageFingerprint = fingerprint(decode(data, max_side=DECODED_SIDE))
        opened = Image.open(io.BytesIO(data)) if peers else None
        self.peers = {name: how(opened) for name, (how, _) in PEERS.items() if opened}

    def same(self, other: Look) -> dict[str, bool]:
        """Whether two pictures are taken for one, by ours and by each peer."""
        theirs = {n: bool(h - other.peers[n] <= PEERS[n][1]) for n, h in self.peers.items()}
        return {"ours": is_near_duplicate(self.ours, other.ours), **theirs}


def encoded(picture: Image.Image, side: int = 1080, kind: str = "JPEG", quality: int = 90) -> bytes:
    """A picture of at most that size as a file."""
    picture = picture.copy()
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, kind, quality=quality)
    return out.getvalue()


def photos(folder: Path) -> Iterator[tuple[str, Path]]:
    """Customer and path of every photo."""
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield row["customer"], folder / "images" / row["file"]


def upright(path: Path) -> Image.Image:
    """A photo as it is shown."""
    return ImageOps.exif_transpose(Image.open(path)).convert("RGB")


def measure(
    name: str, pictures: Iterable[tuple[str, Image.Image]], peers: bool, copied: int
) -> None:
    """Prints how many copies are recognised, and how many pairs of different ones are taken.

    Copies are made of the first `copied` pictures.
    """
    copies: defaultdict[tuple[str, str], list[bool]] = defaultdict(list)
    wrong: defaultdict[str, int] = defaultdict(int)
    looks: defaultdict[str, list[Look]] = defaultdict(list)
    for number, (owner, picture) in enumerate(pictures):
        original = Look(encoded(picture), peers)
        looks[owner].append(original)
        kinds = [("in another size or format", encoded(picture, *how)) for how in COPIES.values()]
        kinds += ((way, encoded(alter(picture), quality=80)) for way, alter in ALTERED.items())
        for kind, data in kinds if number < copied else ():
            for rule, same in original.same(Look(data, peers)).items():
                copies[kind, rule].append(same)
    pairs = 0
    for own in looks.values():
        for one, other in combinations(own, 2):
            pairs += 1
            for rule, same in one.same(other).items():
                wrong[rule] += same
    for (kind, rule), hits in copies.items():
        print(f"{name}, {kind}, {rule}: {sum(hits) / len(hits):.4f} of {len(hits):,} copies")
    for rule, count in wrong.items():
        usual = wrong.get("phash", 0)
        share = count / usual if usual else float(count > 0)
        ratio = f", {share:.3f} times as many as phash" if peers else ""
        print(f"{name}, {rule}: {count:,} of {pairs:,} pairs taken for the same{ratio}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--framed", type=int, default=400, help="photos shown in other ways")
    parser.add_argument("--copied", type=int, default=400, help="photos of which copies are made")
    parser.add_argument("--grounds", type=Path, help="folder of pictures on plain ground")
    parser.add_argument(
        "--no-peers", action="store_true", help="ours alone, in a fifth of the time"
    )
    options = parser.parse_args()
    peers = not options.no_peers
    every = [*photos(options.folder)]
    pictures = ((owner, upright(path)) for owner, path in every)
    measure("as they are", pictures, peers, options.copied)
    some = sorted(every, key=lambda one: one[0])[: options.framed]
    for way, show in WAYS.items():
        measure(way, ((owner, show(upright(path))) for owner, path in some), peers, options.copied)
    if options.grounds:
        paths = islice(sorted(options.grounds.rglob("*.jpg")), options.framed)
        pictures = (("", upright(path)) for path in paths)
        measure("plain ground", pictures, peers, options.copied)


if __name__ == "__main__":
    main()
