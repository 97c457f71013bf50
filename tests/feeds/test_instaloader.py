from __future__ import annotations

import json
import lzma
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.exports import JSON, export
from trendscope.feeds import instaloader
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.post import Post
from trendscope.feeds.request import Request
from trendscope.files.trees import Part
from trendscope.limits import Limits
from trendscope.skipped import Skipped

NOW = datetime(2026, 11, 21, tzinfo=UTC)
STEM = "2026-09-15_10-30-45_UTC"
NAME_TIME = datetime(2026, 9, 15, 10, 30, 45, tzinfo=UTC)
SIDECAR_TIME = datetime(2026, 9, 15, 10, 30, 46, tzinfo=UTC)


def sidecar(kind: str = "Post", **node: object) -> bytes:
    facts = {
        "owner": {"username": "ann.b", "id": "1"},
        "date": int(SIDECAR_TIME.timestamp()),
    } | node
    content = {"node": facts, "instaloader": {"version": "4.15.1", "node_type": kind}}
    return lzma.compress(json.dumps(content).encode(), check=lzma.CHECK_NONE)


def read(root: Path, **options) -> list[tuple[Any, ...]]:
    """Customer, name and time of each photo; reason and name of what is skipped."""
    return [
        (item.customer, Path(item.source).name, item.posted_at)
        if isinstance(item, Post)
        else (item.reason, Path(item.source).name)
        for item in open_feed([root], now=NOW, **options)
    ]


def test_a_carousel_with_its_one_sidecar(tmp_path):
    files = {f"ann/{STEM}_{i}.jpg": b"%d" % i for i in (1, 2)}
    files |= {f"ann/{STEM}.json.xz": sidecar(), f"ann/{STEM}.txt": b"my caption"}
    assert read(export(tmp_path, files)) == [
        ("ann.b", f"{STEM}_1.jpg", SIDECAR_TIME),
        ("ann.b", f"{STEM}_2.jpg", SIDECAR_TIME),
    ]


@pytest.mark.parametrize(
    "node", [{"taken_at_timestamp": 1_790_000_000}, {"iphone_struct": {"taken_at": 1_790_000_000}}]
)
def test_times_of_other_versions(tmp_path, node):
    files = {f"{STEM}.webp": b"1", f"{STEM}.json.xz": sidecar(date=None, **node)}
    ((_, _, moment),) = read(export(tmp_path, files))
    assert moment.timestamp() == 1_790_000_000


@pytest.mark.parametrize(
    "limit", [{"sidecar_bytes": 100}, {"sidecar_bytes": 210}, {"sidecar_memory": 1000}]
)
def test_sidecars_are_unpacked_under_limits(tmp_path, limit):
    packed = sidecar(caption=200 * "x")
    assert 100 < len(packed) < 210 < len(lzma.decompress(packed))
    root = export(tmp_path, {f"ann/{STEM}.jpg": b"1", f"ann/{STEM}.json.xz": packed})
    assert read(root) == [("ann.b", f"{STEM}.jpg", SIDECAR_TIME)]
    assert read(root, limits=Limits(**limit)) == [("ann", f"{STEM}.jpg", NAME_TIME)]


def test_sidecars_of_before_version_4(tmp_path):
    old = json.dumps({"shortcode": "x", "date": int(SIDECAR_TIME.timestamp())}).encode()
    files = {f"ann/{STEM}.jpg": b"1", f"ann/{STEM}.json": old}
    assert read(export(tmp_path, files)) == [("ann", f"{STEM}.jpg", SIDECAR_TIME)]


def test_unpacked_and_missing_and_broken_sidecars(tmp_path):
    unpacked = lzma.decompress(sidecar())
    files = {f"ann/{STEM}.jpg": b"1", f"ann/{STEM}.json": unpacked}
    files |= {"ben/2026-09-15_10-30-45_UTC.jpg": b"2", "cleo/2026-09-15_10-30-45_UTC.jpg": b"3"}
    files |= {"cleo/2026-09-15_10-30-45_UTC.json.xz": sidecar()[:50]}
    assert read(export(tmp_path, files)) == [
        ("ann.b", f"{STEM}.jpg", SIDECAR_TIME),
        ("ben", f"{STEM}.jpg", NAME_TIME),
        ("cleo", f"{STEM}.jpg", NAME_TIME),
    ]


def test_videos_and_their_still_pictures(tmp_path):
    other = "2026-09-16_10-30-45_UTC"
    files = {f"{STEM}_1.mp4": b"", f"{STEM}_1.jpg": b"1", f"{STEM}_2.jpg": b"2"}
    files |= {f"{other}.jpg": b"3", f"{other}.json.xz": sidecar(__typename="GraphVideo")}
    assert [item for item in read(export(tmp_path, files)) if item[0] == "video"] == [
        ("video", f"{STEM}_1.jpg"),
        ("video", f"{STEM}_1.mp4"),
        ("video", f"{other}.jpg"),
    ]


def test_stills_of_videos_that_were_not_saved(tmp_path):
    pictures = [{"node": {"is_video": film}} for film in (False, True)]
    other = STEM.replace("15", "16", 1)
    files = {f"ann/{STEM}_{i}.jpg": b"%d" % i for i in (1, 2, 3)}
    files[f"ann/{STEM}.json.xz"] = sidecar(edge_sidecar_to_children={"edges": pictures})
    files |= {f"ann/{other}.jpg": b"4", f"ann/{other}.json.xz": sidecar(is_video=True)}
    assert read(export(tmp_path, files)) == [
        ("ann.b", f"{STEM}_1.jpg", SIDECAR_TIME),
        ("video", f"{STEM}_2.jpg"),
        ("ann.b", f"{STEM}_3.jpg", SIDECAR_TIME),  # the sidecar tells nothing of it
        ("video", f"{other}.jpg"),
    ]


def test_stories_portraits_and_saved_posts(tmp_path):
    files = {
        f"ann/{STEM}.jpg": b"1",
        f"ann/{STEM}.json.xz": sidecar("StoryItem"),
        "ann/2026-09-14_10-30-45_UTC_profile_pic.jpg": b"2",
        "ann/2026-09-14_10-30-45_UTC.json": lzma.decompress(sidecar()),
        f":saved/{STEM}.jpg": b"3",
    }
    root = export(tmp_path, files)
    assert [first for first, *_ in read(root)] == ["private", "not_included", "not_included"]
    both = read(root, include=["stories", "profile"])
    portrait = datetime(2026, 9, 14, 10, 30, 45, tzinfo=UTC)
    assert [item[-1] for item in both[1:]] == [portrait, SIDECAR_TIME]


def test_posts_of_many_people_in_one_folder(tmp_path):
    files = {}
    for day, user in ((15, "ann"), (16, "ben")):
        stem = f"#dress/2026-09-{day}_10-30-45_UTC"
        files |= {f"{stem}.jpg": b"1", f"{stem}.json.xz": sidecar(owner={"username": user})}
    assert [customer for customer, *_ in read(export(tmp_path, files))] == ["ann", "ben"]


def test_its_own_files_are_no_photos(tmp_path):
    names = ("id", "iterator_Ab3.json.xz", "ann_123.json.xz", f"{STEM}_comments.json")
    files = {f"ann/{name}": b"{}" for name in (*names, f"{STEM}_location.txt")}
    assert read(export(tmp_path, files | {f"ann/{STEM}.jpg": b"1"})) == [
        ("ann", f"{STEM}.jpg", NAME_TIME)
    ]


def test_an_xz_bomb_costs_its_sidecar_only(tmp_path):
    bomb = lzma.compress(b" " * 300_000_000, preset=0)
    assert len(bomb) < 100_000
    files = {f"ann/{STEM}.jpg": b"1", f"ann/{STEM}.json.xz": bomb}
    root = export(tmp_path, files)
    tracemalloc.start()
    assert read(root) == [("ann", f"{STEM}.jpg", NAME_TIME)]
    assert tracemalloc.get_traced_memory()[1] < 100_000_000
    tracemalloc.stop()


class Fake:
    """A post whose sidecar holds anything."""

    label = title = "x"

    def __init__(self, value):
        self.names = [f"{STEM}.jpg", f"{STEM}.json"]
        self._value = value

    def read(self, name, limit):
        return json.dumps(self._value).encode()

    def source(self, name):
        return name

    def place(self, name):
        return "ann", "/ann"

    def file(self, name):
        return f"/ann/{name}", ""


@given(
    st.fixed_dictionaries(
        {
            "node": JSON
            | st.dictionaries(
                st.sampled_from(["owner", "date", "iphone_struct", "__typename"]), JSON
            ),
            "instaloader": JSON,
        }
    )
    | JSON
)
def test_any_sidecar_is_read_or_ignored(value):
    (item,) = instaloader.read(Part(Fake(value), Fake(value).names), Request(now=NOW))
    assert isinstance(item, Post | Skipped)


@pytest.mark.parametrize(
    "folder", [":saved", "ann/:tagged", "ann\uff1atagged", ":feed", ":stories"]
)
def test_those_who_posted_what_is_saved_or_tagged_are_no_customers(tmp_path, folder):
    files = {f"{folder}/{STEM}.jpg": b"1", f"{folder}/{STEM}.json.xz": sidecar()}
    (item,) = open_feed([export(tmp_path, files)], now=NOW)
    assert isinstance(item, Skipped) and (item.customer, item.reason) == (None, "private")
