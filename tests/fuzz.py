"""Throws damaged pictures, archives, tables and sidecars at the readers.

``python -m tests.fuzz --tries 100000``

Seeds are drawn here, and taken from a folder of hostile files if one is given with ``--corpus``. A
try passes if it ends in a result or in a reason; whatever else is raised is printed with the number
that repeats it (``--first NUMBER --tries 1``). Ends with exit code 1 if there was any.

Pictures are decoded in this process, archives are opened as feeds and all their members are read.
Tables are read as manifests, catalogues and lists, sidecars and databases beside a photo.
With ``--workers`` pictures go through decoding processes instead, where a crash is a reason too.
"""

from __future__ import annotations

import argparse
import io
import random
import resource
import sqlite3
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from contextlib import closing
from pathlib import Path

from PIL import Image

from trendscope.catalog.parsing import read_catalog
from trendscope.errors import ImageError, TrendscopeError
from trendscope.feeds.dispatch import open_feed
from trendscope.files.tables import read_csv
from trendscope.limits import Limits
from trendscope.skipped import REASONS, Skipped
from trendscope.vision.images import decode
from trendscope.vision.sandbox import Decoder

KINDS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF")
NUMBERS = (b"\0", b"\xff", b"\x7f", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff")
LIMITS = Limits(pixels=4_000_000, file_bytes=5_000_000, archive_bytes=20_000_000, depth=1)
NAMES = (
    "a.jpg",
    "../a",
    "/a",
    "posts/b.jpg",
    "C:\\a",
    "\udcff.jpg",
    "ä.jpg",
    "a\nb",
    "x" * 300,
    "__MACOSX/._a",
    "content/posts_1.json",
    "media/posts/1.jpg",
    "in.zip",
    "",
    ".",
    "a/../b",
)
TABLES = (
    "customer;taken_at;image\r\nAnna Löhr;03.11.2026 10:00;1.jpg\r\nbea;11/3/2026;.\\\\1.jpg\r\n",
    "customer,taken_at,image\ncleo,46329.4167,1.jpg\nann,Nov 3, 2026,../1.jpg\n",
    'id\ttitle\tprice\tavailability\timage_link\n1\t"Anna" dress\t59.00 EUR\tin_stock\thttp://x/1.jpg\n',
    'sku,title,category,price,image\n1,"Kleid, ""lang""\nx","Dress","€ 59,00",1.jpg\n',
    'imgName,deleted,originalCreationDate\n1.jpg,no,"Tuesday November 3,2026 10:05 PM GMT"\n',
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "cp850", "mac_roman")
SIDECARS = (
    ("Takeout/Google Photos/2026", "1.jpg.supplemental-metadata.json"),
    ("gallery-dl/instagram/ann", "1.jpg.json"),
    ("ann", "2026-11-03_10-00-00_UTC.json"),
)
SIDECAR = (
    b'{"title": "1.jpg", "photoTakenTime": {"timestamp": "1793700000"}, "category": "instagram",'
    b' "username": "ann", "date": "2026-11-03 10:00:00", "node": {"owner": {"username": "ann"}}}'
)
INDEX = b'[{"media":[{"uri":"media/posts/1.jpg","creation_timestamp":1700000000}]}]'


def pictures() -> list[bytes]:
    """A small one of every format and mode, with EXIF."""
    decode(picture("AVIF"))  # makes Pillow know HEIF
    plain = [picture(kind) for kind in KINDS]
    modes = ("L", "LA", "P", "RGBA", "1", "I;16")
    return plain + [picture("PNG", mode) for mode in modes] + [picture("JPEG", progressive=True)]


def picture(kind: str, mode: str = "RGB", **options: object) -> bytes:
    noise = Image.frombytes("RGB", (40, 30), random.Random(0).randbytes(3600))
    image = Image.new(mode, (40, 30)) if mode == "I;16" else noise.convert(mode)
    exif = Image.Exif()
    exif[0x0132] = "2026:06:01 12:00:00"
    exif[0x0112] = 6
    out = io.BytesIO()
    image.save(out, kind, exif=exif, **options)
    return out.getvalue()


def archive(chance: random.Random) -> bytes:
    """A zip with odd names, methods and members."""
    out = io.BytesIO()
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    with zipfile.ZipFile(out, "w") as target:
        for name in chance.sample(NAMES, chance.randint(1, 5)):
            content = chance.choice((b"", INDEX, picture("JPEG"), bytes(50_000), SMALL_ZIP))
            try:
                info = zipfile.ZipInfo(name)
                target.writestr(info, content, chance.choice(methods))
            except (ValueError, UnicodeError):  # a name that cannot be written
                continue
    return out.getvalue()


def small_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        target.writestr("a.jpg", b"x")
    return out.getvalue()


SMALL_ZIP = small_zip()


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Bytes changed, cut out, doubled, replaced by extreme numbers, or cut off."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        if not changed:
            break
        at = chance.randrange(len(changed))
        how = chance.randrange(6)
        if how == 0:
            changed[at] ^= 1 << chance.randrange(8)
        elif how == 1:
            changed[at] = chance.randrange(256)
        elif how == 2:
            number = chance.choice(NUMBERS)
            changed[at : at + len(number)] = number
        elif how == 3:
            del changed[at : at + chance.randint(1, 64)]
        elif how == 4:
            changed[at:at] = changed[at : at + chance.randint(1, 64)]
        else:
            del changed[max(at, len(changed) // 2) :]
    return bytes(changed)


def table(chance: random.Random) -> bytes:
    """A table of a random encoding."""
    text = chance.choice(TABLES) * chance.choice((1, 1, 3))
    return text.encode(chance.choice(ENCODINGS), "replace")


def library() -> bytes:
    """The database of an Apple Photos library with a deleted and a hidden photo."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "Photos.sqlite"
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("CREATE TABLE ZASSET (ZFILENAME, ZTRASHEDSTATE, ZHIDDEN)")
            rows = [("1.jpg", 1, 0), ("2.jpg", 0, 1), *((f"{n}.jpg", 0, 0) for n in range(3, 300))]
            database.executemany("INSERT INTO ZASSET VALUES (?, ?, ?)", rows)
        return path.read_bytes()


def read_table(path: Path) -> str:
    """Reads a table as a feed, a catalogue and a list; gives the outcome of the last."""
    read_feed(path.parent)
    outcome = "read"
    for read in (read_catalog, lambda file: read_csv(file, "customer")):
        try:
            read(path)
        except TrendscopeError as error:
            assert str(error)
            outcome = "refused"
    return outcome


def read_feed(path: Path) -> str:
    """Opens a feed and reads everything in it; gives the outcome of the last member."""
    outcome = "nothing"
    for item in open_feed([path], limits=LIMITS):
        if isinstance(item, Skipped):
            assert item.reason in REASONS and item.detail
            outcome = item.reason
            continue
        try:
            item.read()
            outcome = "read"
        except ImageError as error:
            assert error.reason in REASONS and str(error)
            outcome = error.reason
    return outcome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="number of the first try")
    parser.add_argument("--corpus", type=Path, help="folder with more files to start from")
    parser.add_argument("--workers", action="store_true", help="decode in processes")
    options = parser.parse_args()
    failures = Fuzzer(options.corpus, options.workers).run(options.first, options.tries)
    sys.exit(1 if failures else 0)


class Fuzzer:
    """Tries that depend on nothing but their number and the corpus."""

    def __init__(self, corpus: Path | None, workers: bool):
        self.pictures, self.archives = pictures(), []
        for path in sorted(corpus.rglob("*")) if corpus else ():
            if path.is_file() and path.stat().st_size < 200_000:
                seeds = self.archives if path.suffix == ".zip" else self.pictures
                seeds.append(path.read_bytes())
        self.library = library()
        self.decoder = Decoder(LIMITS) if workers else None
        self.folder = tempfile.TemporaryDirectory()

    def run(self, first: int, tries: int) -> int:
        """The number of failures; prints them, and how all tries ended."""
        outcomes: Counter[str] = Counter()
        failures, start = 0, time.monotonic()
        for number in range(first, first + tries):
            try:
                outcomes[self.once(random.Random(number))] += 1
            except Exception:
                failures += 1
                print(f"try {number}:\n{traceback.format_exc(limit=-3)}")
        seconds = time.monotonic() - start
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{tries:,} tries in {seconds:.0f} s, {memory} MiB; uncaught exceptions: {failures}")
        print(", ".join(f"{count} {name}" for name, count in outcomes.most_common()))
        if self.decoder:
            self.decoder.close()
        return failures

    def once(self, chance: random.Random) -> str:
        kind = chance.random()
        if kind < 0.2:
            path = self._beside_a_photo("tables", "list.csv", damaged(table(chance), chance))
            return f"table: {read_table(path)}"
        if kind < 0.3:
            place, name = chance.choice(SIDECARS)
            path = self._beside_a_photo(f"sidecars/{place}", name, damaged(SIDECAR, chance))
            return f"sidecar: {read_feed(path.parent)}"
        if kind < 0.32:
            place = "library/P.photoslibrary"
            self._beside_a_photo(f"{place}/originals", "2.jpg", self.pictures[1])
            data = damaged(self.library, chance)
            path = self._beside_a_photo(f"{place}/database", "Photos.sqlite", data)
            return f"library: {read_feed(path.parents[1])}"
        if kind < 0.5:
            seed = chance.choice([*self.archives, None])
            path = Path(self.folder.name) / "export.zip"
            path.write_bytes(damaged(archive(chance) if seed is None else seed, chance))
            return f"archive: {read_feed(path)}"
        data = damaged(chance.choice(self.pictures), chance)
        try:
            if self.decoder:
                self.decoder.decode(data, max_side=64)
            else:
                decode(data, max_side=64, limits=LIMITS)
        except ImageError as error:
            assert error.reason in REASONS and str(error)
            return error.reason
        return "decoded"

    def _beside_a_photo(self, place: str, name: str, data: bytes) -> Path:
        folder = Path(self.folder.name) / place
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "1.jpg").write_bytes(self.pictures[0])
        (folder / name).write_bytes(data)
        return folder / name


if __name__ == "__main__":
    main()
