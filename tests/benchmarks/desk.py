"""How long people wait at the desk: ``python -m tests.benchmarks.desk [--times 20]``.

A desk with the shipped weights over a database of the sample feeds, on loopback. Seconds are from
the request until the last byte of the answer; a verdict's from the upload of one photo of 1080 x
1350 pixels until an answer holds it, asked for as often as the page asks. Medians, beside the same
photo decoded and judged in a process that does nothing else.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import httpx

from tests.benchmarks import seconds
from tests.benchmarks.end_to_end import picture_file
from trendscope.vision.images import decode
from trendscope.vision.loading import load_predictor

PAGES = ("/try", "/customers", "/customer?name=anna", "/trends", "/catalogue", "/review")
FIRST_WAIT, MOST_WAIT, LONGER = 0.06, 0.6, 1.3
"""Seconds between the page's questions, as trendscope/web/static/desk.js has them."""


def verdict(client: httpx.Client, data: bytes) -> None:
    """Uploads a photo, and asks until it was looked at."""
    answer = client.post("/api/try", files={"files": ("photo.jpg", data)})
    trial, wait = answer.raise_for_status().json()["id"], FIRST_WAIT
    while (job := client.get(f"/api/try/{trial}").json())["state"] != "done":
        time.sleep(wait)
        wait = min(MOST_WAIT, LONGER * wait)
    assert job["photos"][0]["verdict"] != "unreadable"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=20)
    times = parser.parse_args().times
    photos = [picture_file("1080x1350", seed) for seed in range(times + 1)]
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "t.db"
        program = [sys.executable, "-m", "trendscope"]
        subprocess.run([*program, "scan", "sample_feeds", "--db", str(db), "-q"], check=False)
        options = ["--db", str(db), "--port", "0", "--no-browser"]
        desk = subprocess.Popen([*program, "serve", *options], stderr=subprocess.PIPE, text=True)
        try:
            address = re.search(r"http://\S+/", desk.stderr.readline())[0]
            with httpx.Client(base_url=address, timeout=120) as client:
                rows = [("first page after the start", seconds(lambda: client.get("/try")))]
                rows.append(("first verdict", seconds(lambda: verdict(client, photos[0]))))
                durations = [
                    seconds(lambda data=data: verdict(client, data)) for data in photos[1:]
                ]
                rows.append(("verdict, warm", median(durations)))
                for page in PAGES:
                    client.get(page).raise_for_status()
                    taken = [seconds(lambda page=page: client.get(page)) for _ in range(times)]
                    rows.append((f"{page}, warm", median(taken)))
        finally:
            desk.terminate()
            desk.wait()
    predictor = load_predictor()

    def bare(data: bytes) -> None:
        predictor.predict([predictor.prepare(decode(data, max_side=predictor.decoded_side).rgb)])

    bare(photos[0])
    alone = median(seconds(lambda data=data: bare(data)) for data in photos[1:])
    rows.append(("the same photo without the desk", alone))
    print("| | seconds | times the photo without the desk |\n|---|---:|---:|")
    for name, taken in rows:
        print(f"| {name} | {taken:.3f} | {taken / alone:.1f} |")


if __name__ == "__main__":
    main()
