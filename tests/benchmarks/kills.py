"""Scans killed at random times (SIGKILL) and run again, against one that was left alone.

    python -m tests.benchmarks.kills --sqlite 50 --postgres 20

Every table must then hold the same rows; one line a kill tells how many photos had been kept.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.factories.classifier import FakeClassifier
from tests.factories.databases import content, new_database, server
from tests.factories.paintings import painted
from trendscope.categories import CATEGORIES

PHOTOS = 300
BATCH = 8
HOME = Path(__file__).parents[2]


@dataclass(frozen=True)
class Kill:
    """What one killed scan left.

    Attributes:
        kept: Photos that were in the database when it was killed.
        finished: It was done before it could be killed.
        same: After it was run again, every table is that of an undisturbed run.
    """

    kept: int
    finished: bool
    same: bool


def make_feed(root: Path, photos: int = PHOTOS) -> Path:
    """Photos of a few customers, every tenth one broken or a double."""
    for i in range(photos):
        path = root / "photos" / f"customer{i % 7}" / f"IMG_202603{1 + i % 28:02}_{i:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        data = painted([*CATEGORIES, "black", "white"][i % 12], (20 + i % 30, 20 + i % 10))
        path.write_bytes(data[:40] if i % 20 == 7 else data)
    return root / "photos"


def start(feed: Path, db: str) -> subprocess.Popen[str]:
    """A scan in a process of its own, which prints a line when it begins."""
    command = [sys.executable, "-m", "tests.benchmarks.kills", "--scan", str(feed), db]
    return subprocess.Popen(command, cwd=HOME, stdout=subprocess.PIPE, text=True)


def run(feed: Path, db: str) -> float:
    """An undisturbed scan; the seconds from its beginning to its end."""
    process = start(feed, db)
    assert process.stdout and process.stdout.readline() == "begins\n"
    began = time.perf_counter()
    assert process.wait() == 0
    return time.perf_counter() - began


def kills(feed: Path, new: Callable[[], str], count: int, seed: int = 0) -> Iterator[Kill]:
    """Kills `count` scans at random times, each into a new database, and lets each go on.

    Every second one is killed at some time after its first photos are kept.
    """
    times = random.Random(seed)
    undisturbed = new()
    seconds = run(feed, undisturbed)
    expected = content(undisturbed)
    photos = sum(1 for _ in feed.rglob("*.png"))
    assert len(expected["photos"]) + len(expected["skips"]) == photos
    for number in range(count):
        db = new()
        process = start(feed, db)
        assert process.stdout and process.stdout.readline() == "begins\n"
        if number % 2:
            while process.poll() is None and not content(db).get("photos"):
                time.sleep(0.05)
        time.sleep(times.uniform(0, seconds / (1 + number % 2)))
        finished = process.poll() is not None
        process.kill()
        process.wait()
        kept = len(content(db).get("photos", []))
        go_on(feed, db)
        yield Kill(kept, finished, content(db) == expected)


def go_on(feed: Path, db: str | Path) -> None:
    """A scan in this process, in many small batches."""
    from trendscope.ingest.photos import scan

    scan([feed], db, weights=FakeClassifier(), batch=BATCH)


def scan_slowly(feed: Path, db: str) -> None:
    """What is killed: a scan that says when it begins."""
    print("begins", flush=True)
    go_on(feed, db)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sqlite", type=int, default=50, metavar="N", help="kills on SQLite")
    parser.add_argument("--postgres", type=int, default=20, metavar="N", help="on PostgreSQL")
    parser.add_argument("--scan", nargs=2, metavar=("FEED", "DB"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.scan:
        scan_slowly(Path(arguments.scan[0]), arguments.scan[1])
        return
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        feed = make_feed(root)
        numbers = iter(range(10_000))
        plans = [("sqlite", arguments.sqlite, lambda: str(root / f"{next(numbers)}.db"))]
        if arguments.postgres:
            maintenance = stack.enter_context(server())
            plans.append(("postgresql", arguments.postgres, lambda: new_database(maintenance)))
        wrong = 0
        for kind, count, new in plans:
            for kill in kills(feed, new, count):
                print(kind, kill, flush=True)
                wrong += not kill.same
    sys.exit(f"{wrong} differ" if wrong else None)


if __name__ == "__main__":
    main()
