from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.factories.exports import export
from trendscope.feeds.dispatch import open_feed
from trendscope.skipped import PARTS

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ACTIVITY = "your_facebook_activity/posts"


def read(root: Path, **options):
    items = open_feed([root], now=NOW, **options)
    return [item for item in items if getattr(item, "reason", "post") not in PARTS]


def photo(uri: str, stamp: int = 1_790_000_000, taken: int | None = None) -> dict[str, object]:
    exif = [{"upload_ip": "192.0.2.1"} | ({} if taken is None else {"taken_timestamp": taken})]
    metadata = {"photo_metadata": {"exif_data": exif}}
    return {"uri": uri, "creation_timestamp": stamp, "media_metadata": metadata}


def post(*photos: dict[str, object], stamp: int = 1_790_000_000) -> dict[str, object]:
    attachments = [{"data": [{"media": one} for one in photos]}]
    return {"timestamp": stamp, "data": [{"post": "my words"}], "attachments": attachments}


@pytest.mark.parametrize(
    ("index", "folder"),
    [
        ("posts/your_posts_1.json", "photos_and_videos/album_1"),
        (
            f"{ACTIVITY}/your_posts__check_ins__photos_and_videos_1.json",
            f"{ACTIVITY}/media/Mobile_1",
        ),
        (
            "this_profile's_activity_across_facebook/posts/profile_posts_1.json",
            "this_profile's_activity_across_facebook/posts/media/a_1",
        ),
    ],
)
def test_posts_of_every_layout(tmp_path, index, folder):
    first, second = f"{folder}/1.jpg", f"{folder}/2.jpg"
    files = {index: [post(photo(first), photo(second))], first: b"1", second: b"2"}
    posts = read(export(tmp_path / "facebook-ann.b-2026-11-16-Ab3dEf9H", files))
    assert [(p.customer, p.read(), p.posted_at.timestamp()) for p in posts] == [
        ("ann.b", b"1", 1_790_000_000),
        ("ann.b", b"2", 1_790_000_000),
    ]


def test_a_photo_in_a_post_and_in_an_album_counts_once(tmp_path):
    uris = [f"{ACTIVITY}/media/Holidays_1/{i}.jpg" for i in range(3)]
    files = {uri: uri.encode() for uri in uris} | {
        f"{ACTIVITY}/your_posts_1.json": [post(photo(uris[0]))],
        f"{ACTIVITY}/album/0.json": {"name": "x", "photos": [photo(uris[0]), photo(uris[1])]},
        f"{ACTIVITY}/your_uncategorized_photos.json": {"other_photos_v2": [photo(uris[2])]},
    }
    posts = read(export(tmp_path, files), customer="ann")
    assert sorted(item.read().decode() for item in posts) == uris
    assert {item.date_source for item in posts} == {"feed"}


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        (1_200_000_000, 1_200_000_000),
        (0, 1_790_000_000),
        (-1, 1_790_000_000),
        (None, 1_790_000_000),
    ],
)
def test_when_a_photo_was_taken_counts_before_when_it_was_uploaded(tmp_path, taken, expected):
    uri = f"{ACTIVITY}/media/a_1/1.jpg"
    files = {uri: b"1", f"{ACTIVITY}/your_posts_1.json": [post(photo(uri, taken=taken))]}
    (only_post,) = read(export(tmp_path, files), customer="ann")
    assert only_post.posted_at.timestamp() == expected


def test_the_user_name_is_read_and_nothing_else_of_the_profile(tmp_path):
    uri = f"{ACTIVITY}/media/a_1/1.jpg"
    profile = {"profile_v2": {"username": "ann.b", "emails": {"emails": ["ann@example.org"]}}}
    files = {uri: b"1", f"{ACTIVITY}/your_posts_1.json": [post(photo(uri))]}
    files["personal_information/profile_information/profile_information.json"] = profile
    (only_post,) = read(export(tmp_path, files))
    assert only_post.customer == "ann.b"
    assert not any(secret in repr(only_post) for secret in ("example.org", "192.0.2.1", "my words"))


def test_messages_groups_comments_and_the_bin_are_never_read(tmp_path):
    mine, other = f"{ACTIVITY}/media/a_1/1.jpg", "your_facebook_activity/messages/photos/2.jpg"
    files = {mine: b"1", other: b"2", f"{ACTIVITY}/your_posts_1.json": [post(photo(mine))]}
    for place in ("messages", "groups", "comments_and_reactions", "saved_items"):
        files[f"your_facebook_activity/{place}/posts_1.json"] = [post(photo(other))]
    files[f"{ACTIVITY}/posts_in_trash.json"] = [post(photo(other))]
    items = list(open_feed([export(tmp_path, files)], customer="ann", now=NOW, include=["stories"]))
    assert [item.read() for item in items if not hasattr(item, "reason")] == [b"1"]
    assert {item.reason for item in items[1:]} == {"private"}


def test_portraits_are_read_if_asked_for(tmp_path):
    uri = f"{ACTIVITY}/media/ProfilePictures_1/1.jpg"
    files = {uri: b"1", f"{ACTIVITY}/album/0.json": {"photos": [photo(uri)]}}
    root = export(tmp_path, files)
    assert read(root, customer="ann") == []
    assert len(read(root, customer="ann", include=["profile"])) == 1
