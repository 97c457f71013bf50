from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.exports import JSON, export
from trendscope.feeds import gallery_dl
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.post import Post
from trendscope.feeds.request import Request
from trendscope.files.trees import Part
from trendscope.skipped import Skipped

NOW = datetime(2026, 11, 21, tzinfo=UTC)
HOME = "gallery-dl/instagram/ann"
FACTS = {
    "category": "instagram",
    "username": "ann.b",
    "date": "2026-09-15 01:04:04",
    "type": "post",
}
MOMENT = datetime(2026, 9, 15, 1, 4, 4, tzinfo=UTC)


def photo(name: str, **facts: object) -> dict[str, object]:
    return {f"{HOME}/{name}": name.encode(), f"{HOME}/{name}.json": FACTS | facts}


def read(root: Path, **options) -> list[tuple[object, ...]]:
    return [
        (item.customer, item.post_id, item.posted_at)
        if isinstance(item, Post)
        else (item.reason, Path(item.source).name)
        for item in open_feed([root], now=NOW, **options)
    ]


def test_posts_and_carousels(tmp_path):
    files = photo("1875629777499953996_1875628837415294032.jpg", media_id="1875628837415294032")
    files |= photo("1922949326347663701.jpg")
    expected = [
        ("ann.b", "1875628837415294032", MOMENT),
        ("ann.b", "1922949326347663701", MOMENT),
    ]
    root = export(tmp_path, files)
    assert read(root) == read(root, zone=ZoneInfo("Asia/Tokyo")) == expected


def test_old_carousels_have_the_date_of_their_post(tmp_path):
    files = photo("1.jpg", date=None, post_date="2026-09-15 01:04:04")
    assert read(export(tmp_path, files)) == [("ann.b", "1", MOMENT)]


@pytest.mark.parametrize(
    "user",
    [
        {"username": "zoe"},
        {"author": {"name": "zoe"}},
        {"user": "zoe"},
        {"user": {"name": "zoe"}},
        {"uploader": "zoe"},
    ],
)
def test_user_names_of_other_services(tmp_path, user):
    files = {"pinterest_1.jpg": b"1"}
    files["pinterest_1.jpg.json"] = {"category": "pinterest", "date": "2026-09-15 01:04:04"} | user
    assert read(export(tmp_path, files)) == [("zoe", "pinterest_1", MOMENT)]


def test_a_photo_without_sidecar_belongs_to_the_owner_of_its_folder(tmp_path):
    files = photo("1.jpg") | {f"{HOME}/2.jpg": b"2"}
    assert read(export(tmp_path, files)) == [("ann.b", "1", MOMENT), ("ann.b", "2", None)]


def test_videos_missing_photos_and_companions(tmp_path):
    files = photo("1.mp4") | {f"{HOME}/2.jpg.json": FACTS, f"{HOME}/info.json": FACTS}
    files |= {f"{HOME}/1.mp4.txt": b"#dress", f"{HOME}/data.jsonl": b"{}"}
    assert read(export(tmp_path, files)) == [("video", "1.mp4"), ("missing_media", "2.jpg")]


def test_the_cover_of_a_reel_that_was_not_saved_is_no_photo(tmp_path):
    files = photo("1.jpg", type="reel", video_url="https://x.example/v.mp4")
    files |= photo("2.jpg", video_url=None)
    assert read(export(tmp_path, files)) == [("video", "1.jpg"), ("ann.b", "2", MOMENT)]


@pytest.mark.parametrize("subcategory", ["saved", "liked", "bookmark", "favorite"])
def test_other_peoples_posts_are_never_read(tmp_path, subcategory):
    assert read(export(tmp_path, photo("1.jpg", subcategory=subcategory))) == [("private", "1.jpg")]


def test_stories_are_read_if_asked_for(tmp_path):
    root = export(tmp_path, photo("1.jpg", type="story") | photo("2.jpg", subcategory="avatar"))
    assert [first for first, *_ in read(root)] == ["not_included", "not_included"]
    assert len([item for item in read(root, include=["stories"]) if len(item) == 3]) == 1
    assert len([item for item in read(root, include=["stories", "profile"]) if len(item) == 3]) == 2


def test_sidecars_of_other_programs_are_left_alone(tmp_path):
    files = {"ann/1.jpg": b"1", "ann/1.jpg.json": {"date": "2026-09-15 01:04:04"}}
    assert [customer for customer, *_ in read(export(tmp_path, files))] == ["ann", "ann"]


class Fake:
    label = title = "x"
    names = ("1.jpg", "1.jpg.json", "2.jpg.json")

    def __init__(self, value):
        self._value = value

    def read(self, name, limit):
        return json.dumps(self._value).encode()

    def source(self, name):
        return name

    def place(self, name):
        return "ann", "/ann"

    def file(self, name):
        return f"/ann/{name}", ""


KEYS = st.sampled_from([*FACTS, "user", "author", "media_id", "subcategory", "post_date"])


@given(JSON | st.dictionaries(KEYS, JSON))
def test_any_sidecar_is_read_or_ignored(value):
    fake = Fake(value)
    items = list(gallery_dl.read(Part(fake, [*fake.names]), Request(now=NOW)))
    assert len(items) == 2 and all(isinstance(item, Post | Skipped) for item in items)


def test_the_still_of_a_reel_is_no_photo(tmp_path):
    files = photo("1.mp4", type="reel") | photo("1.jpg", type="reel") | photo("2.jpg")
    assert read(export(tmp_path, files)) == [
        ("video", "1.jpg"),
        ("video", "1.mp4"),
        ("ann.b", "2", MOMENT),
    ]


@pytest.mark.parametrize(
    "facts", [{"subcategory": "tagged"}, {"retweet_id": 1}, {"reblog": {"id": 1}}]
)
def test_those_who_posted_what_others_shared_are_no_customers(tmp_path, facts):
    files = photo("1.jpg", username="someone.else", **facts)
    (item,) = open_feed([export(tmp_path, files)], now=NOW)
    assert isinstance(item, Skipped) and (item.customer, item.reason) == (None, "private")
