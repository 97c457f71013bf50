"""Many who look at the desk at once: ``python -m tests.benchmarks.load [--customers 5000]``.

A desk in a process of its own over a database of 30 weeks. Of each page: seconds until it is there
the first time after a change, the desk's own seconds of processor for one that is kept, these as a
multiple of what a style sheet takes, which the server hands out as it is, and the bytes. Then 48
ask for a different customer each at the same moment.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlsplit

from tests.benchmarks import seconds
from tests.factories.populations import fill

PAGES = ("/customers", "/customers?page=3", "/customer?name=customer%200007", "/trends?weeks=12")
PAGES += ("/trends?weeks=26", "/catalogue", "/review")
PLAIN = "/static/desk.css"
AT_ONCE = 48


def fetch(line: http.client.HTTPConnection, path: str) -> tuple[int, int]:
    """Status and size of a page."""
    line.request("GET", path)
    answer = line.getresponse()
    return answer.status, len(answer.read())


def processor(process: int) -> float:
    """Seconds of processor that a process has used."""
    with open(f"/proc/{process}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def kept(line: http.client.HTTPConnection, path: str, process: int, times: int) -> float:
    """Seconds of the desk's processor for a page that it has made already."""
    before = processor(process)
    for _ in range(times):
        fetch(line, path)
    return (processor(process) - before) / times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=5000)
    parser.add_argument("--times", type=int, default=300)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fill(f"{folder}/t.db", arguments.customers)
        words = ["serve", "--db", f"{folder}/t.db", "--port", "0", "--no-browser"]
        desk = subprocess.Popen(
            [sys.executable, "-m", "trendscope", *words], stderr=subprocess.PIPE, text=True
        )
        try:
            where = urlsplit(re.search(r"http://\S+/", desk.stderr.readline())[0]).netloc
            measure(where, desk.pid, arguments.times, arguments.customers)
        finally:
            desk.terminate()
            desk.wait()


def measure(where: str, process: int, times: int, customers: int) -> None:
    """Prints the tables."""
    line = http.client.HTTPConnection(where, timeout=300)
    fetch(line, "/try")
    while kept(line, PLAIN, process, 100) > 2 * kept(line, PLAIN, process, 100):
        time.sleep(1)  # The network is still being made ready.
    first = {path: seconds(lambda path=path: fetch(line, path)) for path in PAGES}
    plain = kept(line, PLAIN, process, times)
    print("| | first, s | kept, ms of processor | times a file | kB |\n|---|---:|---:|---:|---:|")
    print(f"| {PLAIN} | | {1000 * plain:.2f} | 1.0 | |")
    for path in PAGES:
        each = kept(line, path, process, times)
        size = fetch(line, path)[1] / 1000
        row = f"| {first[path]:.2f} | {1000 * each:.2f} | {each / plain:.1f} | {size:.0f} |"
        print(f"| {path} {row}", flush=True)

    def ask(number: int) -> tuple[int, float]:
        own, begun = http.client.HTTPConnection(where, timeout=300), time.perf_counter()
        path = f"/customer?name={quote(f'customer {number:04}')}"
        return fetch(own, path)[0], time.perf_counter() - begun

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [*pool.map(ask, range(100, 100 + AT_ONCE))]
    for status, count in sorted(Counter(status for status, _ in answers).items()):
        slowest = max(taken for each, taken in answers if each == status)
        print(f"{count} of {AT_ONCE} at once: {status}, the last after {slowest:.2f} s")


if __name__ == "__main__":
    main()
