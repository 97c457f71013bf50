"""A large feed scanned, and scanned again unchanged: seconds and memory.

    python -m tests.benchmarks.rescan --photos 100000
    python -m tests.benchmarks.rescan --photos 100000 --db postgresql://...

The photos are tiny and the classifier is the tests' own, so that the store is what is measured.
Each run is a process of its own; MB are its most, in the first row those of the bare program.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.factories.classifier import FakeClassifier
from tests.factories.photos import painted
from trendscope.categories import CATEGORIES
from trendscope.ingest.photos import scan
from trendscope.store import customers, status

A_CUSTOMER = 100
"""Photos each customer has."""


def make_feed(root: Path, photos: int) -> Path:
    """Different photos, a folder a customer."""
    pictures = [painted(category, (24, 24)) for category in CATEGORIES]
    for i in range(photos):
        folder = root / "feed" / f"customer{i // A_CUSTOMER:06}"
        if i % A_CUSTOMER == 0:
            folder.mkdir(parents=True)
        # Bytes behind the end of a picture make it another image.
        (folder / f"IMG_2026{1 + i % 12:02}{1 + i % 28:02}_{i:07}.png").write_bytes(
            pictures[i % 10] + i.to_bytes(4, "big")
        )
    return root / "feed"


def step(name: str, feed: str, db: str) -> None:
    """Does one thing and prints seconds, MB and the outcome."""
    begun = time.perf_counter()
    outcome: object = ""
    if name == "scan":
        outcome = scan([Path(feed)], db, weights=FakeClassifier()).tally
    elif name == "status":
        outcome = status(db).photos
    elif name == "customers":
        outcome = len(customers(db))
    seconds = time.perf_counter() - begun
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {name} | {seconds:.1f} | {megabytes:.0f} | {outcome} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--db", help="an empty database; else a new file")
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        step(*arguments.step)
        return
    with tempfile.TemporaryDirectory() as folder:
        feed = make_feed(Path(folder), arguments.photos)
        db = arguments.db or f"{folder}/t.db"
        print("| | seconds | MB | |\n|---|---|---|---|", flush=True)
        for name in ("nothing", "scan", "scan", "scan", "status", "customers"):
            command = [
                sys.executable,
                "-m",
                "tests.benchmarks.rescan",
                "--step",
                name,
                str(feed),
                db,
            ]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
