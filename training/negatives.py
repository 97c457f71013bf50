"""Pictures without a garment, as feeds are full of them: made from freely licensed ones.

Examples:
  apt-get install tuxpaint-stamps-default mate-backgrounds gnome-backgrounds
  python -m training.negatives negatives/ /usr/share/tuxpaint/stamps /usr/share/backgrounds

Pictures with a transparent ground (animals, food, tools, toys) are laid onto walls, floors and
crops of the others; of the others (landscapes, flowers, patterns) several crops are taken. What
shows clothes, people, letters or numbers is left out by its folder's name. The result is a folder
of JPEGs with a labels.csv that `training.detect` reads: every category is empty, and all pictures
made from one original share a `customer`, so that none is trained on while its sibling is held out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps
from rich.progress import track

from training.command import errors_in_one_line, new_parser
from trendscope.errors import TrendscopeError

LEFT_OUT = {"clothes", "people", "symbols", "flags", "faces"}
"""Names of folders that are left out: garments, wearers, and signs that have no photo's looks."""

KINDS = {".jpg", ".jpeg", ".png", ".webp"}
SIDE = 400
"""Longest side of the pictures made, in pixels."""

CROPS = 8
"""Pictures made from each original without transparency."""

GROUNDS = 2
"""Pictures made from each original with transparency, each on another ground."""


def originals(folders: Sequence[Path]) -> list[Path]:
    """The picture files below `folders`, sorted, without those in a folder of `LEFT_OUT`."""
    files = (file for folder in folders for file in sorted(folder.rglob("*")))
    return [
        file
        for file in files
        if file.suffix.lower() in KINDS and file.is_file() and not LEFT_OUT & set(file.parts)
    ]


def open_picture(file: Path) -> Image.Image:
    """A picture as RGBA, its longest side at most four times `SIDE`."""
    with Image.open(file) as picture:
        picture.draft("RGB", (4 * SIDE, 4 * SIDE))
        whole = ImageOps.exif_transpose(picture).convert("RGBA")
    whole.thumbnail((4 * SIDE, 4 * SIDE))
    return whole


def is_cut_out(picture: Image.Image) -> bool:
    """Whether more than a tenth of the picture is transparent."""
    return float((np.asarray(picture)[..., 3] < 128).mean()) > 0.1


def crop(picture: Image.Image, generator: np.random.Generator) -> Image.Image:
    """A random part with sides of 30 to 100 % of the picture's, scaled to `SIDE`."""
    share = generator.uniform(0.3, 1.0, 2)
    width, height = (max(8, round(side * s)) for side, s in zip(picture.size, share, strict=True))
    left = int(generator.integers(0, picture.width - width + 1))
    top = int(generator.integers(0, picture.height - height + 1))
    part = picture.crop((left, top, left + width, top + height)).convert("RGB")
    return ImageOps.contain(part, (SIDE, SIDE))


def plain_ground(
    generator: np.random.Generator, width: int, height: int
) -> UInt8[np.ndarray, "height width 3"]:
    """A wall or sheet of one colour, lit from one side, with a camera's noise."""
    colour = generator.choice([255.0, *generator.uniform(20, 255, 2)])
    tint = colour + generator.normal(0, 12, 3)
    light = np.linspace(0, generator.uniform(-50, 50), width)[None, :, None]
    noise = generator.normal(0, generator.uniform(0, 6), (height, width, 1))
    return np.asarray(np.clip(tint + light + noise, 0, 255), np.uint8)


def laid_down(
    picture: Image.Image, grounds: Sequence[Image.Image], generator: np.random.Generator
) -> Image.Image:
    """A cut-out picture, turned and scaled at random, on a plain ground or a crop of another."""
    height = int(generator.integers(240, SIDE + 1))
    if grounds and generator.random() < 0.5:
        other = grounds[int(generator.integers(len(grounds)))]
        ground = crop(other, generator).resize((SIDE, height))
    else:
        ground = Image.fromarray(plain_ground(generator, SIDE, height))
    thing = picture.rotate(generator.normal(0, 15), expand=True, resample=Image.Resampling.BICUBIC)
    thing = thing.crop(thing.getchannel("A").getbbox())
    fill = generator.uniform(0.5, 0.95)
    thing = ImageOps.contain(thing, (round(fill * SIDE), round(fill * height)))
    room = np.array([SIDE - thing.width, height - thing.height])
    left, top = (room * generator.uniform(0.2, 0.8, 2)).astype(int).tolist()
    ground.paste(thing, (left, top), thing)
    return ground


def pictures(
    files: Sequence[Path], generator: np.random.Generator
) -> Iterator[tuple[Path, Image.Image]]:
    """Each original with the pictures made from it, one at a time."""
    things: dict[Path, Image.Image] = {}
    grounds: dict[Path, Image.Image] = {}
    for file in track(files, "looking"):
        try:
            picture = open_picture(file)
        except (OSError, Image.DecompressionBombError) as error:
            print(f"left out {file}: {error}")
        else:
            (things if is_cut_out(picture) else grounds)[file] = picture
    for file, thing in track(things.items(), "drawing"):
        for _ in range(GROUNDS):
            yield file, laid_down(thing, list(grounds.values()), generator)
    for file, ground in grounds.items():
        for _ in range(CROPS):
            yield file, crop(ground, generator)


def make(out: Path, folders: Sequence[Path], seed: int = 0) -> int:
    """Writes the JPEGs and labels.csv to `out`; returns how many pictures there are.

    Raises:
        TrendscopeError: There is no picture in `folders`.
    """
    files = originals(folders)
    if not files:
        raise TrendscopeError(f"no pictures in {', '.join(map(str, folders))}")
    generator = np.random.default_rng(seed)
    (out / "images").mkdir(parents=True, exist_ok=True)
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(["file", "customer", "category"])
    count = 0
    for original, picture in pictures(files, generator):
        name = f"{count:05d}.jpg"
        picture.save(out / "images" / name, quality=int(generator.integers(60, 96)))
        rows.writerow([name, original.stem, ""])
        count += 1
    (out / "labels.csv").write_text(table.getvalue(), encoding="utf-8")
    return count


def main() -> None:
    """Runs the command line."""
    parser = new_parser(__doc__)
    parser.add_argument("out", type=Path, help="folder to write")
    parser.add_argument("folders", type=Path, nargs="+", help="folders of pictures")
    options = parser.parse_args()
    with errors_in_one_line("training.negatives"):
        print(f"{make(options.out, options.folders)} pictures in {options.out}")


if __name__ == "__main__":
    main()
