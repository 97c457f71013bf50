from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.exports import export
from tests.factories.pictures import BLUE, GREEN, RED, let_everybody_in, picture
from trendscope.errors import FeedError, ImageError
from trendscope.feeds.dates import named_date
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.post import Post
from trendscope.feeds.request import Request
from trendscope.files.formats import check
from trendscope.files.trees import DiskFile
from trendscope.files.zips import is_zip
from trendscope.limits import Limits
from trendscope.skipped import REASONS, Skipped
from trendscope.text import displayed

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def names(items, kind=Post):
    return [Path(item.source).name for item in items if isinstance(item, kind)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "anna"
    root.mkdir()
    (root / "b.jpg").write_bytes(picture(RED))
    (root / "a.jpg").write_bytes(picture(GREEN))
    return root


def test_images_of_a_folder_belong_to_one_customer(folder):
    posts = list(open_feed([folder]))
    assert names(posts) == ["a.jpg", "b.jpg"]
    assert {post.customer for post in posts} == {"anna"}
    assert posts[0].read() == picture(GREEN)


def test_each_sub_folder_is_a_customer(tmp_path):
    for customer, colour in (("ben", RED), ("cleo", BLUE)):
        place = tmp_path / customer / "2026"
        place.mkdir(parents=True)
        (place / "x.jpg").write_bytes(picture(colour))
    assert [post.customer for post in open_feed([tmp_path])] == ["ben", "cleo"]


def test_the_option_customer_replaces_names_of_folders_and_zips(folder):
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        archive.writestr("sub/1.jpg", b"1")
    for path in (folder, folder / "a.jpg", folder / "more.zip"):
        assert {post.customer for post in open_feed([path], customer="Zoe")} == {"Zoe"}


def test_the_users_customer_is_not_merged_with_a_different_name_in_the_feed(tmp_path):
    files = {
        "table/list.csv": b"customer,taken_at,image\nann,,1.jpg\n",
        "table/1.jpg": b"1",
        "loader/2026-09-15_10-30-45_UTC.jpg": b"2",
        "loader/2026-09-15_10-30-45_UTC.json": {"node": {"owner": {"username": "ben"}}},
        "dl/1.jpg": b"3",
        "dl/1.jpg.json": {"category": "flickr", "username": "cleo", "date": "2026-01-01"},
        "plain/1.jpg": b"4",
    }
    items = open_feed([export(tmp_path, files)], customer="Zoe")
    customers = {post.read(): post.customer for post in items if isinstance(post, Post)}
    assert customers == {b"1": "ann", b"2": "ben", b"3": "cleo", b"4": "Zoe"}
    items = open_feed([tmp_path], customer="Ben")  # the same one, as the user says
    customers = {post.read(): post.customer for post in items if isinstance(post, Post)}
    assert customers == {b"1": "ann", b"2": "Ben", b"3": "cleo", b"4": "Ben"}


def test_single_image_belongs_to_its_folder(folder):
    (post,) = open_feed([folder / "a.jpg"])
    assert (post.customer, post.read()) == ("anna", picture(GREEN))


def test_missing_path_says_what_to_do(tmp_path):
    with pytest.raises(FeedError, match="does not exist; check the spelling"):
        open_feed([tmp_path / "nowhere"])


def test_data_files_of_programs_are_no_photos(folder):
    path = folder / "Thumbs.DATA"
    path.write_bytes(picture(RED))
    (skipped,) = (item for item in open_feed([folder]) if isinstance(item, Skipped))
    assert (skipped.customer, skipped.source, skipped.reason) == ("anna", str(path), "not_an_image")
    assert "(.data); rename it if it is a photo" in skipped.detail
    assert names(open_feed([path])) == ["Thumbs.DATA"]  # unless it is asked for


def test_documents_in_zip_format_are_not_opened(tmp_path):
    path = tmp_path / "prices.XLSX"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/media/1.jpg", picture(RED))
    assert names(open_feed([path])) == names(open_feed([tmp_path])) == ["prices.XLSX"]
    with pytest.raises(ImageError, match="content is ZIP"):
        check(next(iter(open_feed([path]))).read(), Limits())


def test_junk_files_are_skipped_silently(folder):
    for name in (".DS_Store", "Thumbs.db", "._a.jpg"):
        (folder / name).write_bytes(b"junk")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "a.jpg").write_bytes(b"junk")
    assert names(open_feed([folder])) == ["a.jpg", "b.jpg"]


def test_hidden_and_deleted_photos_are_named_and_not_read(folder):
    (folder / ".trashed-1790000000-IMG_20260901.jpg").write_bytes(picture(RED))
    (folder / ".thumbnails").mkdir()
    (folder / ".thumbnails" / "1.jpg").write_bytes(picture(RED))
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        archive.writestr("in/.trashed-1-x.jpg", picture(RED))
    items = list(open_feed([folder]))
    assert [(Path(s.source).name, s.reason) for s in items if isinstance(s, Skipped)] == [
        (".thumbnails", "hidden"),
        (".trashed-1790000000-IMG_20260901.jpg", "hidden"),
        (".trashed-1-x.jpg", "hidden"),
    ]
    assert names(items) == ["a.jpg", "b.jpg"]


def test_two_customers_of_one_name_get_different_names(tmp_path):
    for place in ("x/anna", "y/anna", "x/Anna"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "1.jpg").write_bytes(place.encode())
    both = [tmp_path / "x", tmp_path / "y"]
    customers = {post.read().decode(): post.customer for post in open_feed(both)}
    assert customers == {"x/Anna": "Anna", "x/anna": "anna", "y/anna": "anna (2)"}
    assert {post.customer for post in open_feed(both, customer="Zoe")} == {"Zoe"}


def test_names_of_equal_appearance_get_different_names(tmp_path):
    for place in ("Zo\u00eb", "Zoe\u0308"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "1.jpg").write_bytes(b"1")
    assert {post.customer for post in open_feed([tmp_path])} == {"Zo\u00eb", "Zo\u00eb (2)"}


def test_one_customers_folder_given_in_several_ways_is_one_customer(folder, monkeypatch):
    monkeypatch.chdir(folder)
    ways = [Path("."), folder, folder.parent, folder / "a.jpg"]
    assert {post.customer for post in open_feed(ways)} == {"anna"}


def test_a_folder_called_like_a_second_customer_keeps_its_photos_to_itself(tmp_path):
    for place in ("x/anna", "y/anna", "z/anna (2)"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "1.jpg").write_bytes(b"1")
    customers = [post.customer for post in open_feed([tmp_path / name for name in "xyz"])]
    assert customers == ["anna", "anna (2)", "anna (2) (2)"]


def test_dates_in_names_are_the_cameras_local_time(folder):
    (folder / "IMG_20260901_003000.jpg").write_bytes(picture(RED))
    (folder / "2026-09-01_00-30-00_UTC.jpg").write_bytes(picture(RED))
    posts = list(open_feed([folder], zone=ZoneInfo("Europe/Berlin"), now=NOW))
    dates = {Path(post.source).name: post.posted_at for post in posts if post.posted_at}
    assert dates == {
        "IMG_20260901_003000.jpg": datetime(2026, 8, 31, 22, 30, tzinfo=UTC),
        "2026-09-01_00-30-00_UTC.jpg": datetime(2026, 9, 1, 0, 30, tzinfo=UTC),
    }


def test_links_and_pipes_are_reported_and_not_opened(folder):
    (folder / "outside.jpg").symlink_to("/etc/passwd")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.jpg")
    items = list(open_feed([folder]))
    skipped = {Path(s.source).name: s.reason for s in items if isinstance(s, Skipped)}
    assert skipped == {"outside.jpg": "link", "loop": "link", "pipe.jpg": "special_file"}
    assert names(items) == ["a.jpg", "b.jpg"]


def test_a_file_that_becomes_a_pipe_does_not_block(folder):
    (post, _) = open_feed([folder])
    (folder / "a.jpg").unlink()
    os.mkfifo(folder / "a.jpg")
    with pytest.raises(ImageError) as caught:
        post.read()
    assert caught.value.reason == "special_file"


def test_a_file_deleted_during_the_run_is_skipped(folder):
    first, second = open_feed([folder])
    (folder / "a.jpg").unlink()
    with pytest.raises(ImageError, match="cannot be read"):
        first.read()
    assert second.read() == picture(RED)


def test_huge_file_is_refused_before_reading(folder):
    os.truncate(folder / "a.jpg", 5_000_000_000)
    (post, _) = open_feed([folder])
    with pytest.raises(ImageError, match="5,000,000,000 bytes; the limit is 100,000,000"):
        post.read()


def test_limits_can_be_set(folder):
    (post, _) = open_feed([folder], limits=Limits(file_bytes=10))
    with pytest.raises(ImageError, match="the limit is 10"):
        post.read()


def test_unreadable_folder_and_file_are_reported(folder):
    closed = folder / "closed"
    closed.mkdir()
    (closed / "c.jpg").write_bytes(picture(RED))
    os.chmod(closed, 0)
    os.chmod(folder / "a.jpg", 0)
    code = (
        "import os, sys; from pathlib import Path\n"
        "from trendscope.feeds import dispatch, open_feed, Post\n"
        "from trendscope.errors import ImageError\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "for item in open_feed([Path(sys.argv[1])]):\n"
        "    try: print(Path(item.source).name, len(item.read()) if isinstance(item, Post)\n"
        "               else item.reason)\n"
        "    except ImageError as error: print(Path(item.source).name, error.reason)\n"
    )
    let_everybody_in(folder)
    out = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True
    )
    assert sorted(out.stdout.split("\n")) == sorted(
        ["closed unreadable", "a.jpg unreadable", f"b.jpg {len(picture(RED))}", ""]
    )


def test_file_names_that_are_not_utf8_are_read(folder):
    raw = os.fsencode(str(folder)) + b"/\xff\x1b[2J.jpg"
    with open(raw, "wb") as file:
        file.write(picture(BLUE))
    odd = [post for post in open_feed([folder]) if "\\x1b" in post.source]
    assert len(odd) == 1 and odd[0].read() == picture(BLUE)
    odd[0].source.encode("utf-8")
    assert "\x1b" not in odd[0].source


def test_displayed_keeps_letters_and_escapes_controls():
    assert displayed("Zoë 🧥") == "Zoë 🧥"
    assert displayed("a\nb\x1b") == "a\\nb\\x1b"
    assert displayed("\u202egpj") == "\\u202egpj"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("IMG_20240131_123456.jpg", datetime(2024, 1, 31, 12, 34, 56, tzinfo=UTC)),
        ("PXL_20240131_123456789.jpg", datetime(2024, 1, 31, 12, 34, 56, tzinfo=UTC)),
        ("20161105_170829.jpg", datetime(2016, 11, 5, 17, 8, 29, tzinfo=UTC)),
        ("2023-01-15_10-30-45_UTC_2.jpg", datetime(2023, 1, 15, 10, 30, 45, tzinfo=UTC)),
        ("Screenshot_20200301-161151.png", datetime(2020, 3, 1, 16, 11, 51, tzinfo=UTC)),
        ("IMG-20230325-WA0122.jpg", datetime(2023, 3, 25, tzinfo=UTC)),
        ("20230231_101010.jpg", None),
        ("17852238405523714.jpg", None),
        ("dress.jpg", None),
        ("IMG_20261122_000000.jpg", datetime(2026, 11, 22, tzinfo=UTC)),  # east of Greenwich
        ("IMG_20261123_000000.jpg", None),
        ("IMG20261103123456.jpg", datetime(2026, 11, 3, 12, 34, 56, tzinfo=UTC)),
        ("20261103123456789.jpg", datetime(2026, 11, 3, 12, 34, 56, tzinfo=UTC)),
        ("photo_2026-11-03_10-00-00.jpg", datetime(2026, 11, 3, 10, tzinfo=UTC)),
        ("signal-2026-11-03-100000.jpg", datetime(2026, 11, 3, 10, tzinfo=UTC)),
        ("WhatsApp Image 2026-11-03 at 10.00.00.jpeg", datetime(2026, 11, 3, 10, tzinfo=UTC)),
        (
            "WhatsApp Image 2026-11-03 at 1.05.09 PM.jpeg",
            datetime(2026, 11, 3, 13, 5, 9, tzinfo=UTC),
        ),
        ("Screenshot 2026-11-03 at 12.00.00\u202fAM.png", datetime(2026, 11, 3, tzinfo=UTC)),
        ("Bildschirmfoto 2026-11-03 um 13.05.09.png", datetime(2026, 11, 3, 13, 5, 9, tzinfo=UTC)),
        ("Capture d'écran 2026-11-03 à 13.05.09.png", datetime(2026, 11, 3, 13, 5, 9, tzinfo=UTC)),
        (
            "Captura de pantalla 2026-11-03 a las 9.05.09.png",
            datetime(2026, 11, 3, 9, 5, 9, tzinfo=UTC),
        ),
        ("Screenshot_2020-03-01-16-11-51-123_x.png", datetime(2020, 3, 1, 16, 11, 51, tzinfo=UTC)),
        ("2026-11-03.jpg", datetime(2026, 11, 3, tzinfo=UTC)),
        ("IMG_20261103.jpg", datetime(2026, 11, 3, tzinfo=UTC)),
        ("20231205.jpg", None),  # an article's number
        ("order-20231205-dress.jpg", None),
        ("P20231205_12.jpg", None),
        ("20231205-1.jpg", None),
        ("4020231205101010.jpg", None),
        ("2023120510101099.jpg", None),
        ("2023-12-051.jpg", None),
        (
            "Screenshot 2026-11-03 at 1.05.09 p.m..png",
            datetime(2026, 11, 3, 13, 5, 9, tzinfo=UTC),
        ),
    ],
)
def test_dates_in_file_names(name, expected):
    assert named_date(name, Request(now=NOW).latest) == expected


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("2024-05-01T22-20-30+0200.jpg", 2),
        ("2024-05-01T22:20:30+02:00.jpg", 2),
        ("2024-05-01T22-20-30+02-00.jpg", 2),
        ("2024-05-01T22_20_30-05_00.jpg", -5),
        ("2024-05-01 22.20.30 -0500.jpg", 9),  # no offset: a number after a blank
        ("20240501T222030-0530.jpg", -5.5),
        ("20240501T222030\u22120530.jpg", -5.5),
        ("20240501_222030123+0545 dress.jpg", 5.75),
        ("2024-05-01T22-20-30.123%2B0200.jpg", 2),
        ("2024-05-01 22.20.30 GMT+2.jpg", 2),
        ("2024-05-01 10.20.30 PM UTC-05.jpg", -5),
        ("2024-05-01T22-20-30Z.jpg", 0),
        ("2024-05-01 22.20.30 (UTC).jpg", 0),
        ("IMG_20240501_222030-0001.jpg", 9),  # numbers and names that are no offsets
        ("IMG_20240501_222030-1.jpg", 9),
        ("IMG_20240501_222030+9999.jpg", 9),
        ("IMG_20240501_222030Zoe.jpg", 9),
        ("IMG_20240501_222030_UTCdress.jpg", 9),
    ],
)
def test_an_offset_in_a_file_name_counts_before_the_zone_that_is_asked_for(name, hours):
    moment = datetime(2024, 5, 1, 22, 20, 30, tzinfo=timezone(timedelta(hours=hours)))
    there = timezone(timedelta(hours=9))
    assert named_date(name, NOW, there).replace(microsecond=0) == moment


@pytest.mark.parametrize(
    "name",
    [
        "2024-05-01T22-20+0200.jpg",
        "2024-05-01T22:20+02:00.jpg",
        "20240501T1520-0500.jpg",
        "2024-05-01 20.20Z.jpg",
        "2024-05-01 10.20 PM GMT+2.jpg",
    ],
)
def test_a_time_without_seconds_in_a_file_name_counts_with_its_offset(name):
    expected = datetime(2024, 5, 1, 20, 20, tzinfo=UTC)
    assert named_date(name, NOW, timezone(timedelta(hours=9))) == expected


def test_a_photo_with_an_appended_zip_is_read_as_a_photo(tmp_path):
    path = tmp_path / "both.jpg"
    path.write_bytes(picture(RED))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x.txt", "x")
    assert zipfile.is_zipfile(path) and not is_zip(DiskFile(path))


def test_zips_are_opened_at_any_depth_with_and_without_their_suffix(tmp_path):
    for customer, name in (("ben", "photos.zip"), ("cleo", "download")):
        place = tmp_path / customer / "2026"
        place.mkdir(parents=True)
        with zipfile.ZipFile(place / name, "w") as archive:
            archive.writestr("in/x.jpg", picture(RED))
    posts = list(open_feed([tmp_path]))
    assert [(post.customer, post.read()) for post in posts] == [
        ("ben", picture(RED)),
        ("cleo", picture(RED)),
    ]


def test_office_documents_are_not_opened_as_zips(tmp_path):
    with zipfile.ZipFile(tmp_path / "clients.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "x")
    assert names(open_feed([tmp_path])) == ["clients.xlsx"]


def test_folders_deeper_than_pythons_stack_are_walked(folder):
    home = os.getcwd()
    try:
        os.chdir(folder)
        for _ in range(1200):
            os.mkdir("d")
            os.chdir("d")
        Path("deep.jpg").write_bytes(picture(BLUE))
        assert names(open_feed([folder])) == ["a.jpg", "b.jpg", "deep.jpg"]
    finally:
        os.chdir(home)
        subprocess.run(["rm", "-r", str(folder / "d")], check=True)  # too deep for shutil.rmtree


def test_pipes_devices_and_dangling_links_as_paths_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "lost.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to("loop")
    given = [tmp_path / "pipe.jpg", Path("/dev/zero"), tmp_path / "lost.jpg", tmp_path / "loop"]
    assert [item.reason for item in open_feed(given)] == [
        "special_file",
        "special_file",
        "link",
        "link",
    ]


@pytest.mark.parametrize("name", ["x" * 5000, "nul\0.jpg", "a/" * 3000])
def test_invalid_paths_are_reported_as_missing(tmp_path, name):
    with pytest.raises(FeedError, match="does not exist"):
        open_feed([tmp_path / name])


def test_the_current_folder_has_its_own_name(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert {post.customer for post in open_feed([Path(".")])} == {"anna"}


@given(st.permutations(["a.jpg", "b.jpg", "c/d.jpg"]), st.integers(1, 2))
def test_order_and_repetition_of_paths_change_nothing(order, times):
    with tempfile.TemporaryDirectory() as place:
        for name in order:
            path = Path(place) / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"x")
        rows = [
            {(post.customer, post.post_id) for post in open_feed([Path(place)] * times)},
            [Path(post.source).name for post in open_feed([Path(place)])],
        ]
        title = Path(place).name
        assert rows == [
            {
                (title, f"{place}/a.jpg"),
                (title, f"{place}/b.jpg"),
                ("c", f"{place}/c/d.jpg"),
            },
            ["a.jpg", "b.jpg", "d.jpg"],
        ]


def test_every_reason_has_a_sentence():
    assert all(words and words[0].islower() for words in REASONS.values())


def test_the_order_of_photos_does_not_depend_on_the_file_system(tmp_path):
    for order in (("1", "2", "3"), ("3", "1", "2")):
        root = tmp_path / "".join(order)
        root.mkdir()
        for name in order:
            (root / f"{name}.jpg").write_bytes(picture(RED))
        assert names(open_feed([root])) == ["1.jpg", "2.jpg", "3.jpg"]


def test_posts_say_which_file_on_disk_holds_them(folder, monkeypatch):
    export = {
        "media/posts/202609/17850000000000001.jpg": picture(RED),
        "media/posts/202609/17850000000000002.jpg": picture(RED),
        "your_instagram_activity/media/posts_1.json": b"""[{"media": [
            {"uri": "media/posts/202609/17850000000000001.jpg", "creation_timestamp": 1790000000}
        ]}]""",
    }
    with zipfile.ZipFile(folder / "c.zip", "w") as archive:
        archive.writestr("x/photo.jpg", picture(BLUE))
    for name, data in export.items():
        path = folder.parent / "instagram-ben-2026-11-16" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    monkeypatch.chdir(folder.parent)
    posts = [
        *open_feed([Path("anna"), Path("instagram-ben-2026-11-16")]),
        *open_feed([Path("anna/a.jpg")]),
    ]
    for post in posts:
        file, member, _ = post.file
        assert os.path.isabs(file)
        if member:
            data = zipfile.ZipFile(file).read(member)
        else:
            data = Path(file).read_bytes()
        assert post.read() == data
    assert [post.file[1] for post in posts] == ["x/photo.jpg", "", "", "", "", ""]
