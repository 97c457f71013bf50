"""Exports in several parts: put together where they belong together, and never otherwise."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.exports import G3, PROFILE, export, single, uri, user, zipped
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.meta import Groups
from trendscope.feeds.post import Post
from trendscope.skipped import Skipped

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def facts(paths: list[Path]) -> list[tuple[str, str, str]]:
    """Customer, last digit of the id and date source of each photo, or reason and source."""
    return [
        (item.customer, item.post_id[-1], item.date_source)
        if isinstance(item, Post)
        else (str(item.customer), item.reason, Path(item.source).name)
        for item in open_feed(paths, now=NOW)
    ]


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_index_in_one_zip_and_photos_in_the_other(tmp_path, names):
    index, media = (tmp_path / f"{name}.zip" for name in names)
    zipped(index, {G3: [single(uri(1)), single(uri(2))], PROFILE: user("ben"), uri(1): b"1"})
    zipped(media, {uri(2): b"2"})
    expected = [("ben", "1", "feed"), ("ben", "2", "feed")]
    assert facts([tmp_path]) == facts([index, media]) == facts([media, index]) == expected


def test_profile_in_one_zip_and_all_else_in_another(tmp_path):
    zipped(tmp_path / "1.zip", {PROFILE: user("ben")})
    zipped(tmp_path / "2.zip", {G3: [single(uri(1))], uri(1): b"1"})
    assert facts([tmp_path]) == [("ben", "1", "feed")]


def test_parts_are_joined_by_the_user_in_their_names(tmp_path):
    zipped(tmp_path / "instagram-ben-2026-11-16-aaa.zip", {G3: [single(uri(1))]})
    zipped(tmp_path / "instagram-ben-2026-11-16-bbb.zip", {uri(1): b"1", uri(2): b"2"})
    assert facts([tmp_path]) == [("ben", "1", "feed"), ("ben", "2", "none")]


def test_overlapping_exports_count_each_photo_once(tmp_path):
    for part, numbers in (("2026-10-01", (1, 2)), ("2026-11-01", (2, 3))):
        files = {uri(n): b"%d" % n for n in numbers} | {G3: [single(uri(n)) for n in numbers]}
        zipped(tmp_path / f"instagram-ben-{part}-xyz.zip", files)
    assert facts([tmp_path]) == [("ben", "1", "feed"), ("ben", "2", "feed"), ("ben", "3", "feed")]


def test_photos_of_another_customer_are_never_joined(tmp_path):
    zipped(tmp_path / "instagram-ben-2026-11-16-aaa.zip", {G3: [single(uri(1))]})
    zipped(tmp_path / "instagram-cleo-2026-11-16-bbb.zip", {uri(1): b"1"})
    assert facts([tmp_path]) == [
        ("ben", "missing_media", Path(uri(1)).name),
        ("cleo", "1", "none"),
    ]


def test_an_unnamed_part_that_no_index_refers_to_is_not_joined(tmp_path):
    zipped(tmp_path / "instagram-ben-2026-11-16-aaa.zip", {G3: [single(uri(1))], uri(1): b"1"})
    zipped(tmp_path / "other.zip", {uri(2): b"2"})
    assert facts([tmp_path]) == [("ben", "1", "feed"), ("other", "2", "none")]


def test_unnamed_exports_with_equal_photo_names_are_not_joined(tmp_path):
    for name in ("1", "2"):
        files = {"media/posts/a.jpg": name.encode(), G3: [single("media/posts/a.jpg")]}
        zipped(tmp_path / f"{name}.zip", files)
    assert [customer for customer, *_ in facts([tmp_path])] == ["1", "2"]


def test_two_profiles_and_two_unnamed_exports_are_not_joined(tmp_path):
    for number, name in ((1, "ben"), (2, "cleo")):
        zipped(tmp_path / f"{name}-profile.zip", {PROFILE: user(name)})
        zipped(tmp_path / f"{number}.zip", {G3: [single(uri(number))], uri(number): b"1"})
    assert facts([tmp_path]) == [("1", "1", "feed"), ("2", "2", "feed")]


def test_an_unnamed_export_belongs_to_the_customer_of_its_folder(tmp_path):
    zipped(tmp_path / "cleo" / "data.zip", {G3: [single(uri(1))], uri(1): b"1"})
    assert facts([tmp_path]) == [("cleo", "1", "feed")]


def test_the_same_user_name_in_two_services_is_two_customers(tmp_path):
    post = {"timestamp": 1_790_000_000, "attachments": [{"data": [{"media": {"uri": uri(2)}}]}]}
    zipped(tmp_path / "instagram-ben-2026-11-16-a.zip", {G3: [single(uri(1))], uri(1): b"1"})
    zipped(
        tmp_path / "facebook-ben-2026-11-16-a.zip",
        {"your_facebook_activity/posts/your_posts_1.json": [post], uri(2): b"2"},
    )
    assert facts([tmp_path]) == [("ben", "2", "feed"), ("ben (2)", "1", "feed")]


USERS = st.sampled_from([None, "a", "b"])


@given(st.lists(USERS, min_size=1, max_size=8), st.lists(st.tuples(st.integers(), st.integers())))
def test_no_order_of_joining_puts_two_users_together(users, pairs):
    groups = Groups(list(users))
    for one, other in pairs:
        groups.join(one % len(users), other % len(users))
    members = groups.members()
    assert sorted(number for group in members for number in group) == list(range(len(users)))
    for group in members:
        assert len({users[number] for number in group} - {None}) <= 1


FOLDERS = st.sampled_from(
    (
        "",
        "media/",
        "media/posts/202609/",
        "media/stories/202609/",
        "connections/",
        "messages/inbox/a/",
        "your_instagram_activity/media/",
        "your_instagram_activity/saved/",
        "x/",
    )
)

LAST = st.from_regex(
    r"[a-zA-Z0-9 ._\-]{1,12}\.(jpg|json|txt|mp4|webp|html)|[a-z]{1,9}", fullmatch=True
)


@given(st.sets(st.tuples(FOLDERS, LAST), max_size=8), st.lists(st.integers(0, 9), max_size=6))
def test_every_member_is_a_post_or_skipped(members, posts):
    names = {folder + last for folder, last in members if not last.startswith(".")}
    index = [single(name) for name in sorted(names)[::2]] + [single(uri(n)) for n in posts]
    files = dict.fromkeys(names, b"{}") | {G3: index}
    with tempfile.TemporaryDirectory() as place:
        items = list(open_feed([zipped(Path(place) / "z.zip", files)], now=NOW))
    lines = [int(item.detail.split()[0].replace(",", "")) for item in items if is_line(item)]
    lost = [item for item in items if getattr(item, "reason", "") == "missing_media"]
    read = 1 if index else 0  # the index itself
    assert sum(lines) + len(items) - len(lines) - len(lost) + read == len(files)


def is_line(item: Post | Skipped) -> bool:
    """True for the line that stands for some files of a part."""
    return isinstance(item, Skipped) and item.detail[0].isdigit()


def test_parts_named_for_an_account_before_it_was_renamed_are_joined(tmp_path):
    old = "instagram-old.name-2026-11-16-"
    first = {G3: [single(uri(1)), single(uri(2))], PROFILE: user("new.name")}
    zipped(tmp_path / f"{old}AAAA.zip", first | {uri(1): b"1"})
    zipped(tmp_path / f"{old}BBBB.zip", {uri(2): b"2"})
    zipped(tmp_path / "instagram-other-2026-11-16-CCCC.zip", {uri(3): b"3"})
    posts = [item for item in open_feed([tmp_path]) if isinstance(item, Post)]
    assert sorted((post.read(), post.customer) for post in posts) == [
        (b"1", "new.name"),
        (b"2", "new.name"),
        (b"3", "other"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "your_instagram_activity/likes/liked_posts.json",
        "likes/liked_posts.json",
        "liked_posts.json",
        "seen_content.json",
        "ads_information/ads_and_topics/posts_viewed.json",
        "your_instagram_activity/messages/inbox/bea_1/photos/1.jpg",
    ],
)
def test_a_folder_of_likes_views_and_messages_only_is_private(tmp_path, name):
    files = {f"ann/{name}": {"likes_media_likes": []}, "bea/1.jpg": b"1", "bea/photos/2.jpg": b"2"}
    items = list(open_feed([export(tmp_path, files)]))
    photos = [item.customer for item in items if isinstance(item, Post)]
    (other,) = [item for item in items if not isinstance(item, Post)]
    assert photos == ["bea", "bea"] and (other.customer, other.reason) == ("ann", "private")


def test_a_zip_of_likes_only_makes_nobody_a_customer(tmp_path):
    files = {"your_instagram_activity/likes/liked_posts.json": {"likes_media_likes": []}}
    (item,) = open_feed([zipped(tmp_path / "instagram-ann-2026-11-16-x.zip", files)])
    assert (item.customer, item.reason) == (None, "private")
