from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendscope.feeds import Limits, Post, Skipped, instagram, open_feed
from trendscope.feeds.archive import FolderTree
from trendscope.feeds.instagram import moment, repaired

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PROFILE = "personal_information/personal_information/personal_information.json"
G3 = "your_instagram_activity/media/posts_1.json"
G4 = "your_instagram_activity/media/posts.json"


def export(root: Path, files: dict[str, object]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return root


def single(uri: str, stamp: object = 1_790_000_000) -> dict[str, object]:
    return {"media": [{"uri": uri, "creation_timestamp": stamp, "title": "x"}]}


def read(root: Path, customer: str | None = None):
    return list(instagram.read(FolderTree(root), customer, Limits(), NOW))


def test_single_posts_and_carousels(tmp_path):
    first, second, third = (f"media/posts/202609/1785000000000000{i}.jpg" for i in range(3))
    carousel = {
        "title": "two",
        "creation_timestamp": 1_790_086_400,
        "media": [{"uri": second, "creation_timestamp": 5}, {"uri": third}],
    }
    files = {first: b"1", second: b"2", third: b"3", G3: [single(first), carousel]}
    posts = read(export(tmp_path, files), "ann")
    assert [(p.post_id[-1], p.read(), p.posted_at.timestamp()) for p in posts] == [
        ("0", b"1", 1_790_000_000),
        ("1", b"2", 1_790_086_400),
        ("2", b"3", 1_790_086_400),
    ]
    assert {p.date_source for p in posts} == {"feed"}


def test_the_same_post_in_two_files_counts_once(tmp_path):
    uri = "media/posts/202609/17850000000000001.jpg"
    newer = {"timestamp": 1_790_000_000, "media": [], "label_values": [{"media": [{"uri": uri}]}]}
    posts = read(export(tmp_path, {uri: b"1", G3: [single(uri)], G4: [newer]}), "ann")
    assert len(posts) == 1 and posts[0].posted_at is not None


def test_label_values_are_found_without_their_labels(tmp_path):
    uri = "media/posts/202609/17850000000000001.webp"
    entry = {"label_values": [{"label": "Medien", "media": [{"uri": uri}]}], "timestamp": 1.79e9}
    (post,) = read(export(tmp_path, {uri: b"1", G4: [entry]}), "ann")
    assert post.posted_at == datetime.fromtimestamp(1.79e9, UTC)


def test_user_name_is_the_only_thing_taken_from_the_profile(tmp_path):
    profile = {
        "profile_user": [
            {
                "string_map_data": {
                    "Email address": {"value": "secret@example.org"},
                    "USERNAME": {"value": "ann.b"},
                }
            }
        ]
    }
    files = {"media/posts/a.jpg": b"1", G3: [single("media/posts/a.jpg")], PROFILE: profile}
    (post,) = read(export(tmp_path, files))
    assert post.customer == "ann.b"
    assert "secret" not in repr(post)


def test_user_name_else_comes_from_the_exports_name(tmp_path):
    root = tmp_path / "instagram-ann.b-2026-11-16-Ab3dEf9H"
    files = {"media/posts/a.jpg": b"1", G3: [single("media/posts/a.jpg")]}
    (post,) = read(export(root, files))
    assert post.customer == "ann.b"
    (post,) = read(root, "Given")
    assert post.customer == "Given"


def test_private_and_other_peoples_things_are_never_read(tmp_path):
    uri = "media/posts/a.jpg"
    files = {
        uri: b"1",
        G3: [single(uri)],
        "media/other.jpg": b"2",
        "your_instagram_activity/messages/inbox/x/posts_1.json": [single("media/other.jpg")],
        "your_instagram_activity/saved/posts.json": [single("media/other.jpg")],
        "logged_information/past_instagram_insights/posts.json": [single("media/other.jpg")],
        "your_instagram_activity/media/stories.json": {"ig_stories": [{"uri": "media/other.jpg"}]},
    }
    assert [post.read() for post in read(export(tmp_path, files), "ann")] == [b"1"]


def test_missing_media_is_named(tmp_path):
    files = {
        "media/posts/a.jpg": b"1",
        G3: [single("media/posts/a.jpg"), single("media/posts/b.jpg")],
    }
    _, lost = read(export(tmp_path, files), "ann")
    assert isinstance(lost, Skipped)
    assert (lost.reason, lost.source[-17:]) == ("missing_media", "media/posts/b.jpg")


@pytest.mark.parametrize(
    "uri", ["../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "http://x/a.jpg"]
)
def test_media_outside_the_export_is_refused(tmp_path, uri):
    files = {"media/posts/a.jpg": b"1", G3: [single("media/posts/a.jpg"), single(uri)]}
    assert [i.reason for i in read(export(tmp_path, files), "a") if isinstance(i, Skipped)] == [
        "unsafe_path"
    ]


def test_photo_that_no_index_names_is_read_undated(tmp_path):
    files = {
        "media/posts/202609/a.jpg": b"1",
        "media/posts/202609/b.jpg": b"2",
        G3: [single("media/posts/202609/a.jpg")],
    }
    named, orphan = read(export(tmp_path, files), "ann")
    assert named.posted_at and (orphan.read(), orphan.posted_at, orphan.date_source) == (
        b"2",
        None,
        "none",
    )


def test_videos_are_named_as_such(tmp_path):
    files = {
        "media/posts/a.mp4": b"1",
        "media/posts/a.jpg": b"2",
        G3: [single("media/posts/a.mp4")],
    }
    assert [getattr(item, "reason", "post") for item in read(export(tmp_path, files), "a")] == [
        "video",
        "post",
    ]


BROKEN = {
    "cut": b'[{"media": [',
    "empty": b"",
    "deep": b"[" * 100_000,
    "utf16": "[]".encode("utf-16"),
    "digits": b"[" + b"9" * 5000 + b"]",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_index_is_named_and_the_rest_goes_on(tmp_path, name):
    other = "your_instagram_activity/media/posts_2.json"
    files = {"media/posts/a.jpg": b"1", G3: BROKEN[name], other: [single("media/posts/a.jpg")]}
    broken, post = read(export(tmp_path, files), "ann")
    assert (broken.reason, post.read()) == ("bad_json", b"1")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["media", "uri", "label_values", "creation_timestamp", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_survived(value):
    class OneFile:
        label = title = "x"
        names = (G3,)
        skipped = ()

        def read(self, name, limit):
            return json.dumps(value).encode()

    for item in instagram.read(OneFile(), "ann", Limits(), NOW):
        assert isinstance(item, Skipped)


def test_zip_and_folder_give_the_same(tmp_path):
    files = {
        "media/posts/202609/17850000000000001.jpg": b"1",
        "media/posts/202609/17850000000000002": b"2",
        G3: [single("media/posts/202609/17850000000000001.jpg")],
    }
    root = export(tmp_path / "instagram-ann-2026-11-16-Ab3dEf9H", files)
    packed = tmp_path / "instagram-ann-2026-11-16-Zz3dEf9H.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(root.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(root))
    facts = [
        [(p.customer, p.post_id, p.posted_at, p.read()) for p in open_feed([path])]
        for path in (root, packed)
    ]
    assert facts[0] == facts[1] and len(facts[0]) == 2


def person(root: Path, user: str, number: int) -> dict[str, object]:
    uri = f"media/posts/202609/1785000000000000{number}.jpg"
    profile = {"profile_user": [{"string_map_data": {"Username": {"value": user}}}]}
    return {
        f"{root}/{uri}": user.encode(),
        f"{root}/{G3}": [single(uri)],
        f"{root}/{PROFILE}": profile,
    }


def test_exports_side_by_side_stay_apart(tmp_path):
    root = export(tmp_path, person("x1", "ben", 1) | person("x2", "cleo", 1))
    posts = list(open_feed([root], now=NOW))
    assert [(post.customer, post.read()) for post in posts] == [("ben", b"ben"), ("cleo", b"cleo")]


def test_exports_side_by_side_in_one_zip_stay_apart(tmp_path):
    root = export(tmp_path / "all", person("x1", "ben", 1) | person("x2", "cleo", 2))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in sorted(root.rglob("*.j*")):
            archive.write(path, path.relative_to(root))
    posts = list(open_feed([tmp_path / "all.zip"], now=NOW))
    assert [post.customer for post in posts] == ["ben", "cleo"]


def test_photos_beside_an_export_belong_to_their_own_folder(tmp_path):
    root = export(tmp_path, person("x1", "ben", 1) | {"anna/a.jpg": b"a"})
    posts = list(open_feed([root], now=NOW))
    assert [(post.customer, post.read()) for post in posts] == [("ben", b"ben"), ("anna", b"a")]


def test_parts_unpacked_side_by_side_are_one_export(tmp_path):
    near, far = (f"media/posts/202609/1785000000000000{i}.jpg" for i in (1, 2))
    files = person("part1", "ben", 1) | {f"part1/{G3}": [single(near), single(far)]}
    posts = list(open_feed([export(tmp_path, files | {f"part2/{far}": b"far"})], now=NOW))
    assert [(p.customer, p.read(), p.date_source) for p in posts] == [
        ("ben", b"ben", "feed"),
        ("ben", b"far", "feed"),
    ]


@pytest.mark.parametrize(
    ("index", "root"),
    [
        ("media.json", ""),
        ("content/posts_1.json", ""),
        ("your_instagram_activity/content/posts_1.json", ""),
        ("your_instagram_activity/posts/posts_2.json", ""),
        ("your_instagram_activity/media/posts.json", ""),
        (
            "meta/instagram-a-2026-01-09-x/your_instagram_activity/media/posts_1.json",
            "meta/instagram-a-2026-01-09-x/",
        ),
        ("content/content/posts_1.json", "content/"),
    ],
)
def test_roots_of_every_layout(index, root):
    names = [index, f"{root}media/posts/1.jpg"]
    assert instagram.exports(names) == {root: names}


def test_layout_of_before_2021(tmp_path):
    photo = {"path": "photos/201805/a.jpg", "taken_at": "2018-05-01T12:00:00", "caption": "x"}
    index = {"stories": [{"path": "stories/s.jpg"}], "photos": [photo]}
    files = {"photos/201805/a.jpg": b"1", "media.json": index, "profile.json": {"username": "ann"}}
    (post,) = read(export(tmp_path, files))
    assert (post.customer, post.posted_at) == ("ann", datetime(2018, 5, 1, 12, tzinfo=UTC))


def test_wrapping_folder_is_no_obstacle(tmp_path):
    files = {
        f"meta/{name}": content
        for name, content in {"media/posts/a.jpg": b"1", G3: [single("media/posts/a.jpg")]}.items()
    }
    (post,) = read(export(tmp_path, files), "ann")
    assert isinstance(post, Post) and post.read() == b"1"


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        (1_790_000_000, 1_790_000_000),
        (1_790_000_000_000, 1_790_000_000),
        (1_790_000_000_000_000, 1_790_000_000),
        (1_790_000_000_000_000_000, 1_790_000_000),
        ("1790000000", 1_790_000_000),
        (0, None),
        (-5, None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        (4_000_000_000, None),
        ("yesterday", None),
        ("Tuesday", None),
        ("2018-05-01T12:00:00", 1_525_176_000),
        ("2018-05-01T14:00:00+02:00", 1_525_176_000),
        (None, None),
        ([], None),
    ],
)
def test_moments(stamp, expected):
    found = moment(stamp, NOW)
    assert (found.timestamp() if found else None) == expected


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("caf\u00c3\u00a9", "café"),
        ("\u00f0\u009f\u0091\u0097", "👗"),
        ("plain", "plain"),
        ("é", "é"),
        ("日本", "日本"),
    ],
)
def test_mojibake_is_repaired_only_where_it_is_some(written, meant):
    assert repaired(written) == meant


@given(st.text())
def test_repairing_undoes_what_meta_does(text):
    assert repaired(text.encode("utf-8", "surrogatepass").decode("latin-1")) == text or any(
        "\ud800" <= letter <= "\udfff" for letter in text
    )
