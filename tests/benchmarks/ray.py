"""Photos a second by Ray's workers and without Ray: ``python -m tests.benchmarks.ray``.

One worker with one core, two with two, and the local engine with two; each run is a process of its
own that is kept to its cores, and into a new database. Start-up (Ray, workers, weights) is given by
itself: photos a second are counted from the first `WARM` photos on. Ratios are of those, medians
over the rounds, in which the engines take turns. Prints a Markdown table, or JSON with ``--json``.
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
ENGINES = {
    "local, 2 cores": (0, 2),
    "Ray, 1 worker, 1 core": (1, 1),
    "Ray, 2 workers, 2 cores": (2, 2),
}
"""Workers of Ray's, 0 for none, and cores."""


def measure(engine: str, feed: str) -> None:
    """Scans, and prints seconds until `WARM` photos are done, and photos a second after them."""
    workers, cores = ENGINES[engine]
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    from trendscope.ingest.photos import scan
    from trendscope.photos.cluster import Cluster

    reports: list[tuple[float, int]] = []
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        result = scan(
            [feed],
            Path(folder) / "t.db",
            cluster=Cluster("local", workers) if workers else None,
            progress=lambda done, total: reports.append((time.perf_counter(), done)),
        )
    start, first = next((moment, done) for moment, done in reports if done >= WARM)
    end, last = reports[-1]
    assert result.tally.judged == last
    print(json.dumps({"start": start - begun, "speed": (last - first) / (end - start)}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=5000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(*arguments.measure)
        return
    results: dict[str, list[dict[str, float]]] = {engine: [] for engine in ENGINES}
    with tempfile.TemporaryDirectory() as folder:
        feed = make_feed(Path(folder), "1080x1350", arguments.photos)
        for _ in range(arguments.times):
            for engine in ENGINES:
                command = [
                    sys.executable,
                    "-m",
                    "tests.benchmarks.ray",
                    "--measure",
                    engine,
                    str(feed),
                ]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                results[engine].append(json.loads(done.stdout.splitlines()[-1]))
    rows = [row(engine, results) for engine in ENGINES]
    print(json.dumps(rows) if arguments.json else table(rows, arguments.photos))


def row(engine: str, results: dict[str, list[dict[str, float]]]) -> dict:
    """Medians, with the ratios to the others within each round."""
    speeds = {name: [run["speed"] for run in runs] for name, runs in results.items()}
    ratios = {
        name: median(a / b for a, b in zip(speeds[engine], theirs, strict=True))
        for name, theirs in speeds.items()
    }
    start = median(run["start"] for run in results[engine])
    return {
        "way": engine,
        "start": start,
        "speed": median(speeds[engine]),
        "times_the_speed_of": ratios,
    }


def table(rows: list[dict], photos: int) -> str:
    heads = [f"{photos:,} photos", f"s until the first {WARM}", "photos/s after"]
    lines = [
        [*heads, *(f"x {engine}" for engine in ENGINES)],
        ["---", *["---:"] * (2 + len(ENGINES))],
    ]
    for r in rows:
        figures = (r["start"], r["speed"], *r["times_the_speed_of"].values())
        lines.append([r["way"], *(f"{x:.2f}" for x in figures)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
