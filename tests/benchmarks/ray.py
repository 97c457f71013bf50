"""Photos a second by Ray's workers and without Ray: ``python -m tests.benchmarks.ray``.

One worker with one core, two with two, and the local engine with two; each run is a process of its
own that is kept to its cores, and into a new database. Start-up (Ray, workers, weights) is given by
itself: photos a second are counted from the first `WARM` photos on. Ratios are of those, medians
over the rounds, in which the ways take turns. Prints a Markdown table, or JSON with ``--json``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from tests.benchmarks.end_to_end import make_feed

WARM = 256
"""Photos after which all workers are at work."""
WAYS = {
    "local, 2 cores": (0, 2),
    "Ray, 1 worker, 1 core": (1, 1),
    "Ray, 2 workers, 2 cores": (2, 2),
}
"""Workers of Ray's, 0 for none, and cores."""


def measure(way: str, feed: str) -> None:
    """Scans, and prints seconds until `WARM` photos are done, and photos a second after them."""
    workers, cores = WAYS[way]
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    from trendscope.ingest.photos import scan
    from trendscope.photos.cluster import Cluster

    told: list[tuple[float, int]] = []
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        result = scan(
            [feed],
            Path(folder) / "t.db",
            cluster=Cluster("local", workers) if workers else None,
            progress=lambda done, total: told.append((time.perf_counter(), done)),
        )
    start, first = next((moment, done) for moment, done in told if done >= WARM)
    end, last = told[-1]
    assert result.tally.judged == last
    print(json.dumps({"start": start - begun, "speed": (last - first) / (end - start)}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=5000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.measure:
        measure(*wanted.measure)
        return
    results: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        feed = make_feed(Path(folder), "1080x1350", wanted.photos)
        for _ in range(wanted.times):
            for way in WAYS:
                command = [
                    sys.executable,
                    "-m",
                    "tests.benchmarks.ray",
                    "--measure",
                    way,
                    str(feed),
                ]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                results[way].append(json.loads(done.stdout.splitlines()[-1]))
    rows = [row(way, results) for way in WAYS]
    print(json.dumps(rows) if wanted.json else table(rows, wanted.photos))


def row(way: str, results: dict[str, list[dict[str, float]]]) -> dict:
    """Medians, with the ratios to the others within each round."""
    speeds = {name: [run["speed"] for run in runs] for name, runs in results.items()}
    ratios = {
        name: median(a / b for a, b in zip(speeds[way], theirs, strict=True))
        for name, theirs in speeds.items()
    }
    start = median(run["start"] for run in results[way])
    return {"way": way, "start": start, "speed": median(speeds[way]), "times_the_speed_of": ratios}


def table(rows: list[dict], photos: int) -> str:
    heads = [f"{photos:,} photos", f"s until the first {WARM}", "photos/s after"]
    lines = [[*heads, *(f"x {way}" for way in WAYS)], ["---", *["---:"] * (2 + len(WAYS))]]
    for r in rows:
        figures = (r["start"], r["speed"], *r["times_the_speed_of"].values())
        lines.append([r["way"], *(f"{x:.2f}" for x in figures)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
