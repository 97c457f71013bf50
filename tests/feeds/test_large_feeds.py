"""Feeds of many files: memory and open files stay bounded. Scaled down; see tests/benchmarks."""

from __future__ import annotations

import subprocess
import sys

from tests.factories.exports import G3, PROFILE, single, uri, user, zipped

PEAK_BYTES_PER_PHOTO = 2_000
PROGRAM = """
import resource, sys
from pathlib import Path
from trendscope.feeds import Post, open_feed
import trendscope.feeds.dispatch
soft = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, soft))
def peak():  # not ru_maxrss, which a process takes over from the one that started it
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
before = peak()
feed = list(open_feed([Path(sys.argv[2])]))
posts = [item for item in feed if isinstance(item, Post)]
for post in posts[:: max(1, len(posts) // 500)]:
    assert post.read()
print(len(feed), len(posts), len({post.customer for post in posts}), peak() - before)
"""


def count_items(place, files=64) -> list[int]:
    """Items, posts, customers, and the bytes that the process has grown by, with few open files."""
    command = [sys.executable, "-c", PROGRAM, str(files), str(place)]
    return [int(n) for n in subprocess.check_output(command, text=True).split()]


def test_ten_thousand_photos_in_twenty_zips(tmp_path):
    count = 10_000
    for part in range(20):
        files = {uri(n): b"\xff\xd8\xff" + bytes(5000) for n in range(part, count, 20)}
        if part == 7:
            files |= {G3: [single(uri(n)) for n in range(count)], PROFILE: user("ann")}
        zipped(tmp_path / f"part{part}.zip", files)
    items, posts, customers, grown = count_items(tmp_path)
    assert (items, posts, customers) == (count, count, 1)
    assert grown < 10_000_000 + PEAK_BYTES_PER_PHOTO * count


def test_a_flat_folder_of_many_files(tmp_path):
    count = 12_000
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "0.jpg").write_bytes(b"1")
    for number in range(1, count):
        (tmp_path / "ann" / f"{number}.jpg").hardlink_to(tmp_path / "ann" / "0.jpg")
    items, posts, customers, grown = count_items(tmp_path)
    assert (items, posts, customers) == (count, count, 1)
    assert grown < 10_000_000 + PEAK_BYTES_PER_PHOTO * count


def test_more_zips_than_files_may_be_open(tmp_path):
    for number in range(200):
        zipped(tmp_path / f"{number:03}.zip", {"in/a.jpg": b"1", f"{number}.jpg": b"2"})
    assert count_items(tmp_path)[:3] == [400, 400, 400]
