"""Zips of every program: names, offsets, the folder that was packed, numbered archives."""

from __future__ import annotations

import struct
import unicodedata
import zipfile
import zlib
from pathlib import Path

import pytest

from tests.factories.exports import export
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.post import Post
from trendscope.files.trees import FolderTree
from trendscope.files.zips import ZipTree, series_name
from trendscope.limits import Limits

NFD = unicodedata.normalize("NFD", "Größe é.jpg")


class Unmarked(zipfile.ZipInfo):
    """A member whose name is in bytes of no declared encoding."""

    stored = b""

    def _encodeFilenameFlags(self):
        return self.stored, 0


def packed(path: Path, *names: bytes, system: int = 3, extra: bytes = b"", table: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as target:
        if table:
            target.writestr("list.csv", table)
        for name in names:
            info = Unmarked("x")
            info.stored, info.create_system, info.extra = name, system, extra
            target.writestr(info, name)
    return path


@pytest.mark.parametrize(
    ("stored", "name"),
    [
        (NFD.encode(), "Größe é.jpg"),  # macOS: UTF-8 without the flag for it, decomposed
        ("Größe é.jpg".encode(), "Größe é.jpg"),
        ("Größe é.jpg".encode("cp437"), "Größe é.jpg"),
        ("Ángel Núñez Øre.jpg".encode("cp850"), "Ángel Núñez Øre.jpg"),
        ("Фото Аня.jpg".encode("cp866"), "Фото Аня.jpg"),
        ("Größe é.jpg".encode("cp1252"), "Größe é.jpg"),
        ("写真.jpg".encode(), "写真.jpg"),
    ],
)
def test_names_are_read_in_the_encoding_of_the_program_that_packed_them(tmp_path, stored, name):
    tree = ZipTree(packed(tmp_path / "a.zip", stored), Limits())
    assert tree.names == [name]
    assert tree.read(name, 100) == tree.apart(name, 100)() == stored


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp866", "Платье.jpg"),
        ("cp866", "Ира/пальто №5.jpg"),
        ("cp1251", "Анна Иванова/1.jpg"),
        ("cp1251", "мила.jpg"),  # ьшыр in cp866
        ("cp932", "花子/ワンピース 写真.jpg"),
        ("gbk", "王芳/照片1.jpg"),
        ("gbk", "裙子.jpg|红色外套.jpg"),  # parted in other ways by other code pages
        ("big5", "王芳/洋裝.jpg"),
        ("cp949", "지수/원피스.jpg|민수/겨울 코트 사진.jpg"),
        ("cp852", "Łódź.jpg"),
        ("cp1250", "Łódź.jpg"),
        ("cp437", "fête à la mer.jpg"),
        ("cp437", "Mädchen.jpg|é.jpg"),
        ("cp1252", "Zoë/Größe.jpg"),
    ],
)
def test_names_of_windows_in_every_script_are_read_and_join_their_manifest(
    tmp_path, encoding, names
):
    table = "customer,taken_at,image\n" + "".join(f"Zoë,,{name}\n" for name in names.split("|"))
    stored = [name.encode(encoding) for name in names.split("|")]
    path = packed(tmp_path / "a.zip", *stored, table=table)
    items = [*open_feed([path])]
    assert [(item.customer, item.source) for item in items] == [
        ("Zoë", f"{path}/{name}") for name in names.split("|")
    ]


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp949", "원피스.jpg"),  # 盔乔胶 in GBK
        ("cp932", "ハナ.jpg"),  # ânâi in code page 437
        ("cp1252", "Škoda.jpg|ækoda.jpg"),
        ("koi8-r", "Платье.jpg"),
        ("cp1253", "Φόρεμα.jpg"),
        ("latin-1", "a\xb0\xfe.jpg"),
    ],
)
def test_that_names_are_in_no_certain_encoding_is_told_once(tmp_path, encoding, names):
    stored = [name.encode(encoding) for name in names.split("|")]
    path = packed(tmp_path / "a.zip", *stored, b"b.jpg")
    note, *posts = open_feed([path])
    assert (note.reason, note.source) == ("unclear_names", str(path))
    assert {post.read() for post in posts} == {*stored, b"b.jpg"}


def test_the_extra_field_for_unicode_names_counts_while_it_is_of_this_name(tmp_path):
    for checksum, name in ((zlib.crc32(b"?.jpg"), "ä.jpg"), (1, "?.jpg")):
        field = b"\1" + struct.pack("<I", checksum) + "ä.jpg".encode()
        extra = struct.pack("<HH", 0x7075, len(field)) + field
        path = packed(tmp_path / f"{checksum}.zip", b"?.jpg", extra=extra)
        assert ZipTree(path, Limits()).names == ["?.jpg" if name == "?.jpg" else "ä.jpg"]


def test_backslashes_of_windows_part_folders_and_lead_nowhere_else(tmp_path):
    names = [rb"ann\2026\1.jpg", rb"..\..\secret.jpg", rb"C:\secret.jpg", b"ann\\"]
    tree = ZipTree(packed(tmp_path / "a.zip", *names, system=0), Limits())
    assert tree.names == ["ann/2026/1.jpg"]
    assert [item.reason for item in tree.skipped] == ["unsafe_path", "unsafe_path"]
    unix = ZipTree(packed(tmp_path / "b.zip", rb"ann\1.jpg", system=3), Limits())
    assert [item.reason for item in unix.skipped] == ["unsafe_path"]


def test_two_members_that_differ_in_their_unicode_form_are_both_read(tmp_path):
    both = [unicodedata.normalize(form, "é.jpg").encode() for form in ("NFC", "NFD")]
    tree = ZipTree(packed(tmp_path / "a.zip", *both), Limits())
    assert {tree.read(name, 9) for name in tree.names} == {*both}


def beyond_4_gib(path: Path, photo: bytes) -> Path:
    """A zip as macOS writes it: places and sizes are counted up to 4 GiB, and then from 0 again."""
    hole = (1 << 32) + 1000
    facts_of_photo = len(photo), zlib.crc32(photo)
    members = [(b"a.jpg", *facts_of_photo), (b"film.mov", hole, 0), (b"b.jpg", *facts_of_photo)]
    central, offset = b"", 0
    with path.open("wb") as file:
        for name, size, checksum in members:
            low = size % (1 << 32)
            facts = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0x21, checksum, low, low, len(name), 0)
            file.seek(offset)
            file.write(b"PK\3\4" + facts + name + (photo if size == len(photo) else b""))
            place = struct.pack("<HHHII", 0, 0, 0, 0, offset % (1 << 32))
            central += b"PK\1\2\x14\3" + facts + place + name
            offset += 30 + len(name) + size
        file.seek(offset)
        end = struct.pack("<HHHHIIH", 0, 0, 3, 3, len(central), offset % (1 << 32), 0)
        file.write(central + b"PK\5\6" + end)
    return path


def test_members_beyond_4_gib_are_found_in_zips_of_macos(tmp_path):
    path = beyond_4_gib(tmp_path / "a.zip", b"a photo")
    assert path.stat().st_size > 1 << 32
    for name in ("a.jpg", "b.jpg", "a.jpg"):  # before and beyond, and corrected once only
        assert ZipTree(path, Limits()).read(name, 100) == b"a photo"


def customers(*paths: Path) -> dict[bytes, str]:
    return {post.read(): post.customer for post in open_feed(paths) if isinstance(post, Post)}


FILES = {f"all/{place}.jpg": place.encode() for place in ("ann/1", "ann/2", "bea/1", "0")}


def test_a_zip_of_a_folder_holds_the_customers_of_the_folder(tmp_path):
    export(tmp_path, FILES)
    with zipfile.ZipFile(tmp_path / "Archive.zip", "w") as target:
        for name, data in FILES.items():
            target.writestr(name, data)
    expected = {b"ann/1": "ann", b"ann/2": "ann", b"bea/1": "bea", b"0": "all"}
    assert customers(tmp_path / "all") == customers(tmp_path / "Archive.zip") == expected


def test_years_are_no_customers(tmp_path):
    root = export(
        tmp_path / "ann", {f"{year}/1.jpg": year.encode() for year in ("2025", "2026-11")}
    )
    path = tmp_path / "given.zip"
    with zipfile.ZipFile(path, "w") as target:
        for year in ("2025", "2026-11"):
            target.writestr(f"ann/{year}/1.jpg", year)
    assert customers(root) == customers(path) == {b"2025": "ann", b"2026-11": "ann"}


def test_a_zip_among_the_zips_of_customers_is_one_customers(tmp_path):
    for who in ("ann", "bea"):
        with zipfile.ZipFile(tmp_path / f"{who}.zip", "w") as target:
            for year in ("2025", "2026"):
                target.writestr(f"{who}/{year}/1.jpg", f"{who} {year}")
    assert {*customers(tmp_path).values()} == {"ann", "bea"}


@pytest.mark.parametrize(
    ("names", "series"),
    [
        (
            ("takeout-20261116T080000Z-001", "takeout-20261116T080000Z-1-002"),
            "takeout-20261116T080000Z",
        ),
        (("kim-20261116T080000Z-001", "kim-20261116T080000Z-3-001 (1)"), "kim-20261116T080000Z"),
        (("iCloud Photos Part 1 of 6", "iCloud Photos Part 2 of 6"), "iCloud Photos"),
        (("iCloud-bilder Del 1 av 6", "iCloud-bilder Del 6 av 6"), "iCloud-bilder"),
    ],
)
def test_several_archives_of_one_library_are_one_customers(tmp_path, names, series):
    for number, name in enumerate(names):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as target:
            target.writestr(f"{number}.jpg", f"{number}")
    assert customers(tmp_path) == {b"0": series, b"1": series}


def test_zips_whose_names_only_look_alike_are_apart():
    assert series_name("Photos 1 of 2") == "Photos 1 of 2"
    assert series_name("ann-2026-001") == "ann-2026-001"


def test_names_on_disk_are_composed_and_their_files_are_read(tmp_path):
    export(tmp_path, {f"Zoe\u0308/{NFD}": b"1", "Zoe\u0308/a.jpg": b"2"})
    tree = FolderTree(tmp_path)
    assert tree.names == ["Zoë/Größe é.jpg", "Zoë/a.jpg"]
    for name, data in zip(tree.names, (b"1", b"2"), strict=True):
        assert tree.read(name, 9) == tree.at(name).start(9) == data
        assert Path(tree.file(name).path).read_bytes() == data
