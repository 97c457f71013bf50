"""The weekly page of many customers: ``python -m tests.benchmarks.page [--customers 5000]``.

A database of 30 weeks with a photo or two of every second customer a week, and a small picture of
each: those of `--photos`, a folder of real ones, else of the sample feeds. Prints seconds and
megabytes of the command, beside the import of pandas and the same page of 50 customers, so that
what is paid once can be told from what grows.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.factories.populations import fill, pictures

MOST_SECONDS, MOST_BYTES = 30, 5_000_000
"""What the page may take."""


def measured(*words: str) -> tuple[float, float]:
    """Seconds and seconds of processor of a Python command in a process of its own."""
    used, start = _processor(), time.perf_counter()
    subprocess.run([sys.executable, *words], check=True)
    return time.perf_counter() - start, _processor() - used


def _processor() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=5000)
    parser.add_argument("--photos", type=Path, help="a folder of JPEG photos")
    arguments = parser.parse_args()
    small = pictures(arguments.photos, most=400)
    print("| | seconds | of processor | MB |\n|---|---:|---:|---:|")
    taken, used = measured("-c", "import pandas")
    print(f"| import of pandas | {taken:.1f} | {used:.1f} | |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for customers in (50, arguments.customers):
            db, page = f"{folder}/{customers}.db", Path(folder) / f"{customers}.html"
            fill(db, customers, thumbnails=small)
            command = ("-m", "trendscope", "report", "--db", db, "-o", str(page))
            taken, used = measured(*command, "--as-of", "2026-11-21")
            size = page.stat().st_size
            row = f"| {customers:,} customers | {taken:.1f} | {used:.1f} | {size / 1e6:.2f} |"
            print(row, flush=True)
    assert size < MOST_BYTES, "the page is too large"
    if taken > MOST_SECONDS:
        print(f"slower than {MOST_SECONDS} s; on a machine that is busy with other work, repeat")


if __name__ == "__main__":
    main()
