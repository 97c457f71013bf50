from __future__ import annotations

import io
import stat
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import pytest

from tests.factories.exports import make
from tests.factories.pictures import RED, picture
from trendscope.errors import FeedError, ImageError
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.post import Post
from trendscope.files.trees import DiskFile, unsafe
from trendscope.files.zips import ZipTree, is_zip
from trendscope.limits import Limits
from trendscope.skipped import Skipped


@pytest.mark.parametrize(
    "name",
    ["../x.jpg", "a/../../x.jpg", "/etc/x.jpg", "C:/x.jpg", "C:\\x.jpg", "a\\x.jpg", "~/x.jpg", ""],
)
def test_unsafe_names(name):
    assert unsafe(name)


@pytest.mark.parametrize("name", ["x.jpg", "a/b/x.jpg", "a..b/x.jpg", "Zoë/12:30.jpg"])
def test_safe_names(name):
    assert not unsafe(name)


def test_plain_zip_of_photos(tmp_path):
    path = make(tmp_path / "anna.zip", {"b.jpg": b"2", "a.jpg": b"1", "__MACOSX/._a.jpg": b"junk"})
    posts = list(open_feed([path]))
    assert [(post.customer, post.read()) for post in posts] == [("anna", b"1"), ("anna", b"2")]


def test_unsafe_members_are_refused_and_nothing_is_written(tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    make(place / "evil.zip", {"../out.jpg": b"x", "/abs.jpg": b"x", "good.jpg": picture(RED)})
    items = list(open_feed([place / "evil.zip"]))
    assert [i.reason for i in items if isinstance(i, Skipped)] == ["unsafe_path", "unsafe_path"]
    assert [i.read() for i in items if isinstance(i, Post)] == [picture(RED)]
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["evil.zip", "place"]


def test_links_in_a_zip_are_refused(tmp_path):
    info = zipfile.ZipInfo("link.jpg")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    (item,) = open_feed([tmp_path / "z.zip"])
    assert item.reason == "link"


def test_second_member_of_a_name_is_refused(tmp_path):
    path = tmp_path / "twice.zip"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("a.jpg", b"first")
        archive.writestr("a.jpg", b"second")
    tree = ZipTree(path, Limits())
    assert tree.names == ["a.jpg"]
    assert [s.reason for s in tree.skipped] == ["duplicate"]


def test_encrypted_member_is_refused_by_name(tmp_path):
    path = make(tmp_path / "z.zip", {"a.jpg": b"x", "b.jpg": b"y"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flag in the first central directory entry
    path.write_bytes(data)
    items = list(open_feed([path]))
    assert [type(i).__name__ for i in items] == ["Skipped", "Post"]
    assert items[0].reason == "encrypted"


def test_zip_in_zip_is_not_opened(tmp_path):
    inner = make(tmp_path / "inner.zip", {"a.jpg": b"x"}).read_bytes()
    outer = make(tmp_path / "outer.zip", {"inner.zip": inner})
    (item,) = open_feed([outer])
    assert item.reason == "nested_archive"


def test_zips_inside_a_zip_are_opened_as_deep_as_allowed(tmp_path):
    innermost = make(tmp_path / "0.zip", {"a.jpg": b"deep"}).read_bytes()
    middle = make(tmp_path / "1.zip", {"0.ZIP": innermost, "b.jpg": b"middle"}).read_bytes()
    outer = make(tmp_path / "2.zip", {"1.zip": middle, "c.jpg": b"top"})
    contents = {}
    for depth in range(3):
        items = list(open_feed([outer], limits=Limits(depth=depth)))
        contents[depth] = [i.read() if isinstance(i, Post) else i.reason for i in items]
    assert contents == {
        0: ["nested_archive", b"top"],
        1: ["nested_archive", b"middle", b"top"],
        2: [b"deep", b"middle", b"top"],
    }


def test_zips_inside_share_the_budgets_of_the_outer_one(tmp_path):
    inner = make(tmp_path / "0.zip", {f"{i}.jpg": bytes(50) for i in range(5)}).read_bytes()
    outer = make(tmp_path / "1.zip", {"a.zip": inner, "b.zip": inner})
    tree = ZipTree(outer, Limits(depth=1, members=8))
    assert len(tree.names) == 6
    assert [s.reason for s in tree.skipped] == ["archive_limit"]
    posts = list(open_feed([outer], limits=Limits(depth=1, archive_bytes=2 * len(inner) + 120)))
    with pytest.raises(ImageError, match="unpacks to more than 20 bytes"):
        [post.read() for post in posts]
    closed = ZipTree(outer, Limits(depth=1, file_bytes=len(inner) + 1))  # memory for one of them
    assert [s.reason for s in closed.skipped] == ["nested_archive"]


def test_a_damaged_zip_inside_costs_itself(tmp_path):
    outer = make(tmp_path / "1.zip", {"a.zip": b"PK no", "b.jpg": b"x"})
    skipped, post = open_feed([outer], limits=Limits(depth=1))
    assert (skipped.reason, post.read()) == ("damaged_archive", b"x")
    assert skipped.detail == "cannot be opened as a zip (File is not a zip file)"


@pytest.mark.parametrize("method", [1, 6, 9, 93, 95, 98, 77])
def test_methods_that_are_not_supported_are_named(tmp_path, method):
    path = make(tmp_path / "z.zip", {"a.jpg": b"x", "b.jpg": b"y"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 10] = method
    path.write_bytes(data)
    skipped, post = open_feed([path])
    assert (skipped.reason, post.read()) == ("unsupported_compression", b"y")
    assert f"(method {method}); pack it as an ordinary zip" in skipped.detail
    assert ("unknown" in skipped.detail) == (method == 77)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_lzma_with_a_huge_dictionary_gets_little_memory(tmp_path):
    members = {"a.jpg": bytes(500_000)}
    path = make(tmp_path / "z.zip", members, compression=zipfile.ZIP_LZMA)
    data = bytearray(path.read_bytes())
    properties = 30 + len("a.jpg") + 4  # after the local header, the name, version and size
    data[properties + 1 : properties + 5] = b"\xff\xff\xff\xff"  # 4 GiB
    path.write_bytes(data)
    code = (
        "import sys; from pathlib import Path; from trendscope.feeds import open_feed\n"
        "from trendscope.errors import ImageError\n"
        "(post,) = open_feed([Path(sys.argv[1])])\n"
        "try: print(len(post.read()))\n"
        "except ImageError as error: print(error.reason)\n"
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert output[0] in ("500000", "damaged_archive") and int(output[1]) < 100_000


def test_a_part_of_a_split_zip_is_refused_whole(tmp_path):
    path = make(tmp_path / "z.zip", {"a.jpg": b"x", "b.jpg": b"y"})
    data = bytearray(path.read_bytes())
    data[data.rindex(b"PK\x01\x02") + 34] = 1  # the disk on which b.jpg begins
    path.write_bytes(data)
    (item,) = open_feed([path])
    assert item.reason == "damaged_archive"
    assert item.detail.endswith("z.zip is one part of a split zip; join the parts first")


def test_junk_before_a_zip_does_not_hide_that_it_is_one(tmp_path):
    path = make(tmp_path / "z.zip", {"a.jpg": b"x"})
    path.write_bytes(b"junk" + path.read_bytes())
    assert [post.read() for post in open_feed([path])] == [b"x"]
    (tmp_path / "picture.zip").write_bytes(picture(RED))
    (post,) = open_feed([tmp_path / "picture.zip"])
    assert post.read() == picture(RED)


def test_unpacking_stops_at_the_ratio(tmp_path):
    path = make(tmp_path / "z.zip", {"a.jpg": bytes(3_000_000)}, compression=zipfile.ZIP_DEFLATED)
    (post,) = open_feed([path])
    with pytest.raises(ImageError, match="unpacks to more than 1,000,000 bytes") as caught:
        post.read()
    assert caught.value.reason == "archive_limit"


def test_all_members_share_one_budget(tmp_path):
    path = make(tmp_path / "z.zip", {"a.jpg": bytes(600), "b.jpg": bytes(600)})
    first, second = open_feed([path], limits=Limits(archive_bytes=1000))
    assert len(first.read()) == 600
    with pytest.raises(ImageError, match="more than 400 bytes"):
        second.read()


def test_members_refused_half_way_use_the_budget_up_too(tmp_path):
    path = make(tmp_path / "z.zip", {"a.jpg": bytes(900), "b.jpg": bytes(900)})
    first, second = open_feed([path], limits=Limits(file_bytes=500, archive_bytes=1000))
    with pytest.raises(ImageError, match="more than 500 bytes"):
        first.read()
    with pytest.raises(ImageError, match="more than 100 bytes"):
        second.read()


def test_the_budget_follows_the_size_of_the_archive(tmp_path):
    zeros = {f"{i:03}.jpg": bytes(990_000) for i in range(110)}
    path = make(tmp_path / "z.zip", zeros, compression=zipfile.ZIP_DEFLATED)
    read = 0
    with pytest.raises(ImageError, match="unpacks to more than"):
        for post in open_feed([path]):
            read += len(post.read())
    assert read == 101 * 990_000  # the next would pass 100 MB


def test_members_that_share_bytes_are_refused(tmp_path):
    path = make(tmp_path / "z.zip", {"a.jpg": b"A" * 100, "b.jpg": b"B" * 100})
    data = bytearray(path.read_bytes())
    first = data.index(b"PK\x01\x02")
    for field in (20, 24):  # packed and unpacked size: now the first holds the second too
        data[first + field : first + field + 4] = (150).to_bytes(4, "little")
    path.write_bytes(data)
    skipped, post = open_feed([path])
    assert (skipped.reason, skipped.detail) == (
        "damaged_archive",
        "its data overlap another member's",
    )
    assert post.read() == b"B" * 100


def test_members_beyond_the_limit_are_skipped_in_one_line(tmp_path):
    path = make(tmp_path / "z.zip", {f"{i}.jpg": b"" for i in range(5)})
    tree = ZipTree(path, Limits(members=3))
    assert tree.names == ["0.jpg", "1.jpg", "2.jpg"]
    assert [s.reason for s in tree.skipped] == ["archive_limit"]


def test_wrong_checksum_costs_one_member(tmp_path):
    path = make(tmp_path / "z.zip", {"a.jpg": b"AAAA", "b.jpg": b"BBBB"})
    path.write_bytes(path.read_bytes().replace(b"AAAA", b"AXAA"))
    first, second = open_feed([path])
    with pytest.raises(ImageError, match="damaged inside the archive"):
        first.read()
    assert second.read() == b"BBBB"


def test_lying_size_is_refused(tmp_path):
    path = make(tmp_path / "z.zip", {"a.jpg": b"A" * 100}, compression=zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02") + 24  # uncompressed size in the central directory
    data[at : at + 4] = (200).to_bytes(4, "little")
    path.write_bytes(data)
    (post,) = open_feed([path])
    with pytest.raises(ImageError):
        post.read()


def test_damaged_zip_is_named(tmp_path):
    (tmp_path / "z.zip").write_bytes(b"PK\x03\x04 and then nothing")
    (item,) = open_feed([tmp_path / "z.zip"])
    assert item.reason == "damaged_archive" and "download the export again" in item.detail
    with pytest.raises(FeedError):
        ZipTree(tmp_path / "z.zip", Limits())


def test_zip_bytes_are_never_extracted(tmp_path, monkeypatch):
    def forbidden(*_args, **_options):
        raise AssertionError("extracted")

    monkeypatch.setattr(zipfile.ZipFile, "extract", forbidden)
    monkeypatch.setattr(zipfile.ZipFile, "extractall", forbidden)
    path = make(tmp_path / "z.zip", {"a.jpg": b"x"})
    assert [post.read() for post in open_feed([path])] == [b"x"]


def test_zips_inside_zips_are_read_when_the_outer_one_was_closed_since(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("ann/a.jpg", b"inner")
    for number in range(20):
        with zipfile.ZipFile(tmp_path / f"{number}.zip", "w") as archive:
            archive.writestr("inside.zip", inner.getvalue())
            archive.writestr("b.jpg", b"outer")
    trees = [ZipTree(tmp_path / f"{number}.zip", Limits(depth=1)) for number in range(20)]
    for tree in trees:
        assert tree.names == ["b.jpg", "inside.zip/ann/a.jpg"]
        assert [tree.read(name, 100) for name in tree.names] == [b"outer", b"inner"]


def test_a_file_named_zip_is_a_zip_unless_it_is_a_picture(tmp_path):
    for name, data, expected in (
        ("a.zip", b"glued on" * 8, True),
        ("b.zip", b"\xff\xd8\xff\xe0" + bytes(28), False),
        ("c.zip", b"", False),
        ("d.jpg", b"glued on" * 8, False),
    ):
        (tmp_path / name).write_bytes(data)
        assert is_zip(DiskFile(tmp_path / name)) is expected
