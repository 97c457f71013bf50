"""Lists feeds of many photos: ``python -m tests.benchmarks.feeds``. Prints a Markdown table.

An Instagram export of 100,000 photos in 20 zips, whose two indexes are in one of them, and a folder
of 120,000 files. Each is listed in a process of its own; seconds are of its processor time, but for
the first: how long a person waits on a terminal until the command says that it finds photos.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.factories.exports import G3, G4, PROFILE, single, uri, user, zipped

PROGRAM = """
import gc, json, sys, time
gc.set_threshold(100_000, 50, 50)  # as the command line does
from pathlib import Path
from trendscope.feeds import dispatch, open_feed
def peak():  # not ru_maxrss, which a process takes over from the one that started it
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
before = peak()
start = time.process_time()
feed = open_feed([Path(sys.argv[1])])
posts = [next(iter(feed))]
first = time.process_time() - start
posts += feed
print(json.dumps([len(posts), first, time.process_time() - start, peak() - before]))
"""


def export(place: Path, photos: int = 100_000, zips: int = 20) -> None:
    """An export in several zips."""
    newer = [
        {"timestamp": 1_790_000_000, "label_values": [{"media": [{"uri": uri(n)}]}]}
        for n in range(photos)
    ]
    for part in range(zips):
        files: dict[str, object] = {uri(n): b"\xff\xd8\xff" for n in range(part, photos, zips)}
        if part == 0:
            files |= {G3: [single(uri(n)) for n in range(photos)], G4: newer, PROFILE: user("ann")}
        zipped(place / f"part{part:02}.zip", files)


def folder(place: Path, files: int = 120_000) -> None:
    """Hard links to five files in one folder."""
    for number in range(files):
        path = place / f"IMG_{number:06}.jpg"
        if number < 5:
            path.write_bytes(b"\xff\xd8\xff")
        else:
            path.hardlink_to(place / f"IMG_{number % 5:06}.jpg")


def progress(place: str) -> float:
    """Seconds from starting the command to its first word on a terminal, with a fake classifier."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tests.factories.classifier", "profile", place]
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=theirs, env={**os.environ, "TERM": "xterm"}
    )
    screen = b""
    while b"Finding photos" not in screen:
        screen += os.read(ours, 65536)
    waited = time.perf_counter() - start
    process.terminate()
    process.wait()
    os.close(ours)
    os.close(theirs)
    return waited


def main() -> None:
    """Makes, lists and prints."""
    print("| feed | items | progress, s | first after, s | all after, s | memory, MiB |")
    print("|---|---|---|---|---|---|")
    for make in (export, folder):
        with tempfile.TemporaryDirectory() as place:
            make(Path(place))
            waited = progress(place)
            command = [sys.executable, "-c", PROGRAM, place]
            items, first, total, memory = json.loads(subprocess.check_output(command, text=True))
        times = f"{waited:.1f} | {first:.1f} | {total:.1f}"
        print(f"| {make.__name__} | {items:,} | {times} | {memory:.0f} |")


if __name__ == "__main__":
    main()
