"""Exports that hold links and no photos."""

from __future__ import annotations

import json

import pytest

from tests.factories.exports import export
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.post import Post

VIDEO = {"Date": "2026-09-01 10:00:00", "Link": "https://x.test/1", "Likes": "3"}


@pytest.mark.parametrize("path", [("Post", "Posts"), ("Video", "Videos"), ("Activity",)])
@pytest.mark.parametrize("alone", [True, False])
def test_tiktok(tmp_path, path, alone):
    content: object = {"VideoList": [VIDEO, VIDEO]}
    for key in reversed(path):
        content = {key: content}
    root = export(tmp_path / "ann", {"user_data_tiktok.json": content, "photo.jpg": b"1"})
    items = list(open_feed([root / "user_data_tiktok.json" if alone else root]))
    assert items[0].reason == "links_only"
    assert "links to 2 videos and no photos" in items[0].detail
    assert "Instagram export instead" in items[0].detail
    assert [item.customer for item in items] == ["ann"] if alone else ["ann", "ann"]


def test_pinterest(tmp_path):
    page = "<p>Title: coat</p><p>Image: https://i.pinimg.com/1.jpg</p><p>Board Name: autumn</p>"
    root = export(tmp_path, {"export.html": page.encode(), "shop.html": b"<p>Board Name</p>"})
    notice, other = open_feed([root])
    assert (notice.reason, "gallery-dl" in notice.detail) == ("links_only", True)
    assert isinstance(other, Post) and other.source.endswith("shop.html")


def test_a_table_of_many_other_things_is_no_export(tmp_path):
    deep = json.loads("[" * 500 + "]" * 500)
    (post,) = open_feed([export(tmp_path, {"a.json": {"x": deep, "VideoList": 3}})])
    assert post.source.endswith("a.json")
