from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.exports import G3, G4, JSON, PROFILE, export, single
from trendscope.feeds import instagram
from trendscope.feeds.dates import moment
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.instagram import OPENED
from trendscope.feeds.meta import find, put_together
from trendscope.feeds.meta_json import load, repaired
from trendscope.feeds.post import Post
from trendscope.feeds.request import Request
from trendscope.files.trees import FolderTree
from trendscope.limits import Limits
from trendscope.skipped import PARTS, Skipped

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def read(root: Path, customer: str | None = None, **options):
    """All but the lines for whole parts that are left out."""
    items = open_feed([root], customer=customer, now=NOW, **options)
    return [item for item in items if getattr(item, "reason", "post") not in PARTS]


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


def test_label_values_are_read_whatever_their_labels(tmp_path):
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
    assert post.customer == "ann.b"
    (post,) = read(root.rename(tmp_path / "export"))
    assert post.customer == "export"
    (post,) = read(tmp_path / "export", "Given")
    assert post.customer == "Given"


def test_an_index_over_the_limit_is_refused_before_it_is_parsed(tmp_path):
    files = {"media/posts/a.jpg": b"1", G3: [single("media/posts/a.jpg")]}
    root = export(tmp_path / "ann", files)
    size = (root / G3).stat().st_size
    (post,) = read(root, limits=Limits(json_bytes=size))
    assert post.date_source == "feed"
    problem, post = read(root, limits=Limits(json_bytes=size - 1))
    assert problem.reason == "bad_json" and f"the limit is {size - 1:,}" in problem.detail
    assert (post.read(), post.date_source) == (b"1", "none")


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
    listed_post, orphan = read(export(tmp_path, files), "ann")
    assert listed_post.posted_at and (orphan.read(), orphan.posted_at, orphan.date_source) == (
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


@given(JSON)
def test_any_json_is_read_or_skipped(value):
    class OneFile:
        label = title = "x"
        names: ClassVar = [G3]

        def read(self, name, limit):
            return json.dumps(value).encode()

        def source(self, name):
            return name

        def place(self, name):
            return "ann", "/ann"

    request = Request(now=NOW)
    exports = put_together(find(OneFile(), request).pieces, request)
    for one in exports.values():
        assert all(isinstance(item, Skipped) for item in instagram.read(one, request))


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
@pytest.mark.parametrize("there", [True, False])
def test_roots_of_every_layout(index, root, there, tmp_path):
    uri = "media/posts/202609/1.jpg"
    files = {index: [single(uri)]} | ({f"{root}{uri}": b"1"} if there else {})
    contents = find(FolderTree(export(tmp_path, files)), Request(now=NOW))
    (piece,) = contents.pieces
    assert contents.claimed == set(files)
    assert sorted(piece.part.whole_names) == sorted(files)
    assert (uri in piece.part.names) == there


def test_layout_of_before_2021(tmp_path):
    photo = {"path": "photos/201805/a.jpg", "taken_at": "2018-05-01T12:00:00", "caption": "x"}
    index = {"stories": [{"path": "stories/s.jpg"}], "photos": [photo]}
    files = {"photos/201805/a.jpg": b"1", "media.json": index, "profile.json": {"username": "ann"}}
    (post,) = read(export(tmp_path, files))
    assert (post.customer, post.posted_at) == ("ann", datetime(2018, 5, 1, 12, tzinfo=UTC))


def test_an_export_in_an_outer_folder_is_recognised(tmp_path):
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
def test_times_of_exports_become_utc(stamp, expected):
    time = moment(stamp, Request(now=NOW).latest, earliest=OPENED["instagram"])
    assert (time.timestamp() if time else None) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("caf\u00c3\u00a9", "café"),
        ("\u00f0\u009f\u0091\u0097", "👗"),
        ("plain", "plain"),
        ("é", "é"),
        ("日本", "日本"),
    ],
)
def test_repaired_changes_mojibake_only(written, expected):
    assert repaired(written) == expected


@given(st.text())
def test_repairing_undoes_what_meta_does(text):
    assert repaired(text.encode("utf-8", "surrogatepass").decode("latin-1")) == text or any(
        "\ud800" <= letter <= "\udfff" for letter in text
    )


# --- what is read besides posts, and what never --------------------------------------------------

STORIES = "your_instagram_activity/media/stories.json"

ARCHIVED = "your_instagram_activity/media/archived_posts.json"

PORTRAITS = "your_instagram_activity/media/profile_photos.json"

DELETED = "your_instagram_activity/media/recently_deleted_content.json"


def medium(uri: str) -> dict[str, object]:
    return {"uri": uri, "creation_timestamp": 1_790_000_000}


def everything() -> dict[str, object]:
    """An export with a photo of every kind."""
    where = {
        "p": "media/posts/202609/p.jpg",
        "s": "media/stories/202609/s.jpg",
        "a": "media/archived_posts/202609/a.jpg",
        "f": "media/profile/202609/f.jpg",
        "d": "media/posts/202609/d.jpg",
        "o": "media/other/o.jpg",
    }
    return {uri: name.encode() for name, uri in where.items()} | {
        G3: [single(where["p"])],
        G4: [{"label_values": [{"media": [medium(uri)]}]} for uri in where.values()],
        STORIES: {"ig_stories": [medium(where["s"])]},
        ARCHIVED: {"ig_archived_post_media": [{"media": [medium(where["a"])]}]},
        PORTRAITS: {"ig_profile_picture": [medium(where["f"])]},
        DELETED: [{"media": [medium(where["d"])]}],
        "your_instagram_activity/messages/inbox/x/photos/m.jpg": b"m",
    }


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        ((), "p"),
        (("stories",), "ps"),
        (("archived",), "pa"),
        (("profile",), "pf"),
        (("stories", "archived", "profile"), "psaf"),
    ],
)
@pytest.mark.parametrize("indexed", [True, False])
def test_posts_are_read_and_what_else_is_asked_for(tmp_path, include, expected, indexed):
    files = everything()
    if not indexed:
        expected += "d"  # that it was deleted, only the index says
        files = {name: part for name, part in files.items() if not name.endswith(".json")}
    posts = read(export(tmp_path, files), "ann", include=include)
    assert sorted(post.read().decode() for post in posts) == sorted(expected)


def test_parts_that_are_left_out_are_counted_by_folder(tmp_path):
    lines = [
        (item.source.removeprefix(f"{tmp_path}/"), item.reason, item.detail.split(":")[0])
        for item in open_feed([export(tmp_path, everything())], now=NOW)
        if isinstance(item, Skipped)
    ]
    assert lines == [
        ("media/archived_posts", "not_included", "1 file"),
        ("media/profile", "not_included", "1 file"),
        ("media/stories", "not_included", "1 file"),
        ("media/other", "not_included", "1 file"),
        ("media/posts", "private", "1 file"),
        ("your_instagram_activity/messages", "private", "1 file"),
    ]


def test_an_archived_post_that_is_also_in_the_list_of_posts_is_one(tmp_path):
    uri = "media/posts/202609/a.jpg"
    archived = {ARCHIVED: {"ig_archived_post_media": [{"media": [medium(uri)]}]}}
    mixed = {uri: b"a", G4: [{"label_values": [{"media": [medium(uri)]}]}]} | archived
    assert read(export(tmp_path / "1", mixed), "ann") == []
    assert len(read(export(tmp_path / "2", mixed | {G3: [single(uri)]}), "ann")) == 1


@pytest.mark.parametrize("name", ["reposts", "saved_posts", "liked_posts"])
@pytest.mark.parametrize("in_list", [True, False])
def test_other_peoples_posts_are_never_read(tmp_path, name, in_list):
    entry = {"media": [medium("media/other.jpg")]}
    files = {
        "media/posts/a.jpg": b"a",
        "media/other.jpg": b"o",
        G3: [single("media/posts/a.jpg")],
        f"your_instagram_activity/media/{name}.json": [entry] if in_list else entry,
    }
    assert [post.read() for post in read(export(tmp_path, files), "ann")] == [b"a"]


def test_a_folder_called_like_a_private_one_around_the_export_hides_nothing(tmp_path):
    files = {"media/posts/a.jpg": b"a", G3: [single("media/posts/a.jpg")]}
    export(tmp_path / "saved" / "instagram-ann-2026-11-16-x", files)
    (post,) = open_feed([tmp_path], now=NOW)
    assert (post.customer, post.date_source) == ("ann", "feed")


def test_pictures_outside_every_index_and_folder_of_posts_are_skipped(tmp_path):
    files = {
        "media/posts/a.jpg": b"1",
        G3: [single("media/posts/a.jpg")],
        "your_instagram_activity/odd/b.jpg": b"2",
    }
    _, odd = read(export(tmp_path, files), "ann")
    assert (odd.reason, odd.source.rsplit("/", 1)[-1]) == ("unknown_media", "b.jpg")


def test_photos_in_folders_beside_an_exports_own_are_their_customers(tmp_path):
    files = {
        "media/posts/a.jpg": b"1",
        G3: [single("media/posts/a.jpg")],
        PROFILE: profile_of("ann"),
    }
    posts = read(export(tmp_path, files | {"ben/b.jpg": b"2"}))
    assert [(post.customer, post.read()) for post in posts] == [("ann", b"1"), ("ben", b"2")]


def profile_of(user: str, key: str = "Username") -> dict[str, object]:
    return {"profile_user": [{"string_map_data": {key: {"value": user}}}]}


@pytest.mark.parametrize(
    "key",
    [
        "Username",
        "USERNAME",
        "Benutzername",
        "Nom d\u2019utilisateur",
        "Nome de usu\u00c3\u00a1rio",
    ],
)
@pytest.mark.parametrize(
    "place",
    [
        PROFILE,
        "personal_information/personal_information.json",
        "account_information/personal_information.json",
        "your_instagram_activity/personal_information/personal_information_1.json",
    ],
)
def test_user_names_in_profiles_of_all_layouts(tmp_path, key, place):
    files = {
        "media/posts/a.jpg": b"1",
        G3: [single("media/posts/a.jpg")],
        place: profile_of("ann", key),
    }
    (post,) = read(export(tmp_path, files))
    assert post.customer == "ann"


@pytest.mark.parametrize("profile", [None, [], {}, {"profile_user": [None]}, profile_of("")])
def test_a_profile_without_user_name_is_ignored(tmp_path, profile):
    root = tmp_path / "instagram-ann.b_c-2026-11-16-Ab3dEf9H"
    files = {"media/posts/a.jpg": b"1", G3: [single("media/posts/a.jpg")], PROFILE: profile}
    (post,) = read(export(root, files))
    assert post.customer == "ann.b_c"


def test_copies_in_public_media_count_once(tmp_path):
    name = "posts/202609/17850000000000001.jpg"
    files = {f"media/{name}": b"1", f"public-media/{name}": b"1", G3: [single(f"media/{name}")]}
    assert [post.read() for post in read(export(tmp_path, files), "ann")] == [b"1"]
    del files[G3]
    first, second = read(export(tmp_path / "no index", files), "ann")
    assert (first.read(), second.reason) == (b"1", "duplicate")


def test_the_posts_own_time_counts_before_its_photos(tmp_path):
    uri = "media/posts/a.jpg"
    post = {"creation_timestamp": 1_790_086_400, "media": [medium(uri)]}
    broken = {"creation_timestamp": 0, "media": [medium("media/posts/b.jpg")]}
    files = {uri: b"1", "media/posts/b.jpg": b"2", G3: [post, broken]}
    stamps = [post.posted_at.timestamp() for post in read(export(tmp_path, files), "ann")]
    assert stamps == [1_790_086_400, 1_790_000_000]


def test_numbers_in_media_names_are_no_dates(tmp_path):
    uri = "media/posts/202609/20260901_717815925220920_17842207189193574.jpg"
    (post,) = read(export(tmp_path, {uri: b"1", G3: [single(uri, None)]}), "ann")
    assert (post.posted_at, post.date_source) == (None, "none")


def test_an_index_may_name_a_photo_in_any_folder(tmp_path):
    (post,) = read(export(tmp_path, {"odd/a.jpg": b"1", G3: [single("odd/a.jpg")]}), "ann")
    assert (post.date_source, post.post_id) == ("feed", "odd/a.jpg")


def test_photos_of_one_name_in_two_folders_are_two(tmp_path):
    files = {"a.jpg": b"1", "media/a.jpg": b"2", G3: [single("a.jpg")]}
    posts = read(export(tmp_path, files), "ann")
    assert [(post.read(), post.date_source) for post in posts] == [(b"1", "feed"), (b"2", "none")]


def test_media_not_requested_hide_no_photo_of_the_same_name(tmp_path):
    index = [single("connections/a.jpg"), single("media/posts/a.jpg"), single("lost/a.jpg")]
    post, lost = read(export(tmp_path, {"media/posts/a.jpg": b"1", G3: index}), "ann")
    assert (post.read(), lost.reason) == (b"1", "missing_media")


def test_an_index_in_a_private_folder_is_ignored(tmp_path):
    saved = "your_instagram_activity/saved/posts_1.json"
    files = {"media/posts/a.jpg": b"1", G3: [single("media/posts/a.jpg")]}
    files |= {"odd/b.jpg": b"2", saved: [single("odd/b.jpg")]}
    _, other = read(export(tmp_path, files), "ann")
    assert (other.reason, other.source) == ("unknown_media", f"{tmp_path}/odd/b.jpg")


def test_captions_and_places_are_dropped_by_the_parser(tmp_path):
    post = medium("a.jpg") | {"title": "my caption", "location": {"latitude": 52.5}}
    export(tmp_path, {"posts_1.json": [{"media": [post], "title": "my caption"}]})
    loaded = load(FolderTree(tmp_path), "posts_1.json", Limits())
    assert loaded == [{"media": [medium("a.jpg")]}]


def test_private_data_are_dropped_after_reading(tmp_path):
    secrets = ("ann@example.org", "+49 30 1234", "my caption", "52.5", "1990-01-01")
    profile = profile_of("ann")
    fields = profile["profile_user"][0]["string_map_data"]
    fields |= {"Email": {"value": secrets[0]}, "Phone": {"value": secrets[1]}}
    fields |= {"Date of birth": {"value": secrets[4]}}
    exif = {"photo_metadata": {"exif_data": [{"latitude": 52.5}]}}
    post = {"media": [medium("media/posts/a.jpg") | {"title": secrets[2], "media_metadata": exif}]}
    files = {"media/posts/a.jpg": b"1", G3: [post], PROFILE: profile}
    files |= {"personal_information/broken.json": b'{"Email": "ann@example.org"'}
    output = repr(list(open_feed([export(tmp_path, files)], now=NOW)))
    assert "'ann'" in output and not [secret for secret in secrets if secret in output]
