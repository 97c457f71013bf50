from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.exports import JSON, export, zipped
from trendscope.feeds import takeout
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.post import Post
from trendscope.feeds.request import Request
from trendscope.files.trees import Joined, Part
from trendscope.skipped import Skipped

NOW = datetime(2026, 11, 21, tzinfo=UTC)
YEAR = "Takeout/Google Photos/Photos from 2026"


def facts(stamp: object = "1790000000", **more: object) -> dict[str, object]:
    return {"title": "x.jpg", "photoTakenTime": {"timestamp": stamp, "formatted": "x"}} | more


def read(*paths: Path, **options) -> list[tuple[object, ...]]:
    return [
        (item.customer, Path(item.source).name, item.posted_at and item.posted_at.timestamp())
        if isinstance(item, Post)
        else (item.reason, Path(item.source).name)
        for item in open_feed(paths, now=NOW, **options)
    ]


@pytest.mark.parametrize(
    ("photo", "sidecar"),
    [
        ("IMG_1.jpg", "IMG_1.jpg.json"),
        ("IMG_1.jpg", "IMG_1.jpg.supplemental-metadata.json"),
        ("IMG_1.jpg", "IMG_1.jpg.suppl.json"),
        ("Scan35(1).jpg", "Scan35.jpg.supplemental-metadata(1).json"),
        ("Scan35(1).jpg", "Scan35.jpg(1).json"),
        ("Scan35(1).jpg", "Scan35(1).jpg.json"),
        (
            "Screenshot_20231027_123303_Facebook(1).jpg",
            "Screenshot_20231027_123303_Facebook.jpg.supple(1).json",
        ),
        ("MVIMG_20191230_232926.jpg", "MVIMG_20191230_232926.jpg.supplemental-metadat.json"),
        (f"{'x' * 60}.jpg", f"{'x' * 46}.json"),
        (f"{'x' * 44}.jpg", f"{'x' * 44}.j.json"),
        ("IMG-edited.jpg", "IMG.jpg.supplemental-metadata.json"),
        ("IMG-bearbeitet(1).jpg", "IMG.jpg.supplemental-metadata(1).json"),
    ],
)
def test_sidecars_of_every_spelling(tmp_path, photo, sidecar):
    files = {f"{YEAR}/{photo}": b"1", f"{YEAR}/{sidecar}": facts()}
    assert read(export(tmp_path / "ann", files)) == [("ann", photo, 1_790_000_000)]


def test_large_indexes_of_other_exports_are_not_taken_for_sidecars(tmp_path):
    files = {"photos/a.jpg": b"1", "photos/a.jpg.json": facts(note="x" * 1_000_000)}
    root = export(tmp_path / "ann", files)
    assert ("photos", "a.jpg", None) in read(root)
    (root / "photos" / "b.json").write_text(json.dumps(facts()))
    assert ("photos", "a.jpg", 1_790_000_000) in read(root)


def test_numbered_photos_get_their_own_sidecars(tmp_path):
    files = {f"{YEAR}/a{number}.jpg": b"1" for number in ("", "(1)", "(2)")}
    for number, stamp in (("", "1790000000"), ("(1)", "1790000001"), ("(2)", "0")):
        files[f"{YEAR}/a.jpg.supplemental-metadata{number}.json"] = facts(stamp)
    assert [item[1:] for item in read(export(tmp_path, files))] == [
        ("a(1).jpg", 1_790_000_001),
        ("a(2).jpg", None),
        ("a.jpg", 1_790_000_000),
    ]


def test_photos_and_sidecars_in_different_zips(tmp_path):
    zips = [tmp_path / f"takeout-20261116T080000Z-00{i}.zip" for i in (1, 2)]
    zipped(zips[0], {f"{YEAR}/a.jpg.json": facts(), f"{YEAR}/b.jpg": b"b"})
    zipped(zips[1], {f"{YEAR}/a.jpg": b"a", f"{YEAR}/b.jpg.json": facts("1790000001")})
    expected = {
        ("takeout-20261116T080000Z", "b.jpg", 1_790_000_001),
        ("takeout-20261116T080000Z", "a.jpg", 1_790_000_000),
    }
    assert set(read(tmp_path)) == set(read(*reversed(zips))) == expected
    assert {customer for customer, *_ in read(*zips, customer="ann")} == {"ann"}


@pytest.mark.parametrize(
    ("customer", "first", "second"),
    [
        ("fay", "fay/Takeout", "fay/Takeout 2"),  # macOS
        (
            "fay",
            "fay/takeout-20261116T080000Z-001/Takeout",
            "fay/takeout-20261116T080000Z-002/Takeout",
        ),
        (
            "takeout-20261116T080000Z",
            "takeout-20261116T080000Z-1-001/Takeout",
            "takeout-20261116T080000Z-1-002/Takeout",
        ),
    ],
)
def test_parts_unpacked_side_by_side_are_one_export(tmp_path, customer, first, second):
    album = "Google Photos/Photos from 2026"
    files = {f"{first}/{album}/a.jpg": b"1", f"{second}/{album}/b.jpg": b"2"}
    files |= {f"{second}/{album}/a.jpg.json": facts("1790000001")}
    files |= {f"{first}/{album}/b.jpg.json": facts("1790000002")}
    items = list(open_feed([export(tmp_path, files)], now=NOW))
    assert {(i.customer, Path(i.source).name, i.posted_at.timestamp()) for i in items} == {
        (customer, "a.jpg", 1_790_000_001),
        (customer, "b.jpg", 1_790_000_002),
    }


def test_two_exports_unpacked_side_by_side_keep_their_photos_of_one_name(tmp_path):
    album = "Google Photos/Photos from 2026"
    files: dict[str, object] = {}
    for number, place in enumerate(("Takeout", "Takeout 2")):
        files[f"fay/{place}/{album}/a.jpg"] = place.encode()
        files[f"fay/{place}/{album}/a.jpg.json"] = facts(f"179000000{number}")
    dates = [date for _, _, date in read(export(tmp_path, files))]
    assert sorted(dates) == [1_790_000_000, 1_790_000_001]


def test_exports_packed_at_two_times_are_two(tmp_path):
    for time in ("080000", "090000"):
        path = tmp_path / f"takeout-20261116T{time}Z-001.zip"
        zipped(path, {f"{YEAR}/a.jpg": time.encode(), f"{YEAR}/a.jpg.json": facts()})
    assert [c for c, *_ in read(tmp_path)] == [f"takeout-20261116T0{n}0000Z" for n in (8, 9)]


def test_a_zip_belongs_to_the_customer_of_its_folder(tmp_path):
    zipped(tmp_path / "ann" / "takeout-20261116T080000Z-001.zip", {f"{YEAR}/a.jpg": b"1"})
    zipped(tmp_path / "ann" / "takeout-20261116T080000Z-002.zip", {f"{YEAR}/a.jpg.json": facts()})
    assert read(tmp_path) == [("ann", "a.jpg", 1_790_000_000)]


@pytest.mark.parametrize(
    ("folder", "customer"),
    [
        ("Takeout/Google Fotos/Fotos von 2026", "given"),
        ("ann/Takeout/Google Photos/Holidays", "ann"),
        ("Photos from 2026", "given"),
        ("ann/Photos from 2026", "ann"),
        ("ann", "ann"),
    ],
)
def test_customers_by_place(tmp_path, folder, customer):
    files = {f"{folder}/a.jpg": b"1", f"{folder}/a.jpg.json": facts()}
    assert read(export(tmp_path / "given", files)) == [(customer, "a.jpg", 1_790_000_000)]


@pytest.mark.parametrize("words", ["{} 年の写真", "Zdjęcia z {} r.", "{}년의 사진"])
def test_years_are_no_customers_in_any_language(tmp_path, words):
    folders = [words.format(year) for year in (2025, 2026)]
    files = {f"{folder}/a.jpg": folder.encode() for folder in folders}
    files |= {f"{folder}/a.jpg.json": facts() for folder in folders}
    root = export(tmp_path / "given", files)
    assert read(root) == 2 * [("given", "a.jpg", 1_790_000_000)]
    albums = {f"ann/Holidays {n}/a.jpg": b"1" for n in (1, 2)}
    albums |= {f"{name}.json": facts() for name in albums}
    assert {customer for customer, *_ in read(export(tmp_path / "given", albums))} == {
        "given",
        "ann",
    }


def test_bin_partner_archive_and_edited_copies(tmp_path):
    fields_of = {
        "a": {"trashed": True},
        "b": {"googlePhotosOrigin": {"fromPartnerSharing": {}}},
        "c": {"archived": True},
        "d": {"googlePhotosOrigin": {"mobileUpload": {}}},
    }
    files = {f"{YEAR}/{name}.jpg": name.encode() for name in fields_of} | {
        f"{YEAR}/d-edited.jpg": b"e"
    }
    files |= {f"{YEAR}/{name}.jpg.json": facts(**more) for name, more in fields_of.items()}
    root = export(tmp_path, files)
    assert [item[0] for item in read(root, customer="ann")] == [
        "private",
        "private",
        "not_included",
        "duplicate",
        "ann",
    ]
    assert ("ann", "c.jpg", 1_790_000_000) in read(root, customer="ann", include=["archived"])


def test_albums_videos_missing_photos_and_other_products(tmp_path):
    files = {
        f"{YEAR}/metadata.json": {"title": "Photos from 2026", "description": ""},
        f"{YEAR}/a.mp4": b"1",
        f"{YEAR}/a.mp4.json": facts(),
        f"{YEAR}/b.jpg.json": facts(title="b.jpg"),
        f"{YEAR}/c.jpg": b"1",
        "Takeout/Mail/all.mbox": b"x",
        "Takeout/Drive/passport.jpg": b"x",
    }
    assert read(export(tmp_path, files), customer="ann") == [
        ("other_data", "Drive"),
        ("video", "a.mp4"),
        ("ann", "c.jpg", None),
        ("missing_media", "b.jpg"),
        ("other_data", "Mail"),
    ]


def test_places_and_people_are_not_kept(tmp_path):
    secret = facts(geoData={"latitude": 52.5}, people=[{"name": "Otto"}], description="my words")
    files = {f"{YEAR}/a.jpg": b"1", f"{YEAR}/a.jpg.json": secret}
    output = repr(list(open_feed([export(tmp_path, files)], now=NOW)))
    assert not [word for word in ("52.5", "Otto", "my words") if word in output]


class Fake:
    label = title = "x"
    names = (f"{YEAR}/1.jpg", f"{YEAR}/1.jpg.json", f"{YEAR}/2.jpg.json")

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


KEYS = ["photoTakenTime", "title", "trashed", "archived", "googlePhotosOrigin"]


@given(JSON | st.dictionaries(st.sampled_from(KEYS), JSON))
def test_any_sidecar_is_read_or_ignored(value):
    fake = Fake(value)
    tree = Joined([Part(fake, [*fake.names])])
    items = list(takeout.read(tree, "ann", Request(now=NOW)))
    assert items and all(isinstance(item, Post | Skipped) for item in items)


LONG = "日本語のとても長い写真の名前です" * 2
EMOJIS = "😀" * 23


@pytest.mark.parametrize(
    ("photo", "sidecar"),
    [
        (f"{'x' * 47}.jpg", f"{'x' * 46}.json"),
        (f"{EMOJIS}a.jpg", f"{EMOJIS}.json"),  # 46 halves of letters
        (f"{LONG}.jpg", f"{LONG[:15]}.json"),  # 45 bytes, the next letter does not fit
        (f"{LONG}.jpg", f"{LONG[:15]}\ufffd.json"),
        ("Peanut Butter.jpg", "Peanut Butter.supplemental-metadata.json"),
        ("a_b.jpg", "other.json"),  # its title is a?b.jpg
    ],
)
def test_sidecars_cut_by_any_unit(tmp_path, photo, sidecar):
    files = {f"{YEAR}/{photo}": b"1", f"{YEAR}/{sidecar}": facts(title="a?b.jpg")}
    assert read(export(tmp_path / "ann", files)) == [("ann", photo, 1_790_000_000)]


def test_a_longer_name_does_not_take_the_sidecar_of_a_shorter_one(tmp_path):
    files = {f"{YEAR}/a.jpg": b"1", f"{YEAR}/a.jpg.json": facts(), f"{YEAR}/a.jpg.x.png": b"2"}
    assert read(export(tmp_path / "ann", files)) == [
        ("ann", "a.jpg", 1_790_000_000),
        ("ann", "a.jpg.x.png", None),
    ]


def test_names_on_disk_and_in_sidecars_may_have_different_forms_of_unicode(tmp_path):
    photo, sidecar = "Ku\u0308ste.jpg", "K\u00fcste.jpg.supplemental-metadata.json"
    files = {f"{YEAR}/{photo}": b"1", f"{YEAR}/{sidecar}": facts()}
    assert read(export(tmp_path / "ann", files)) == [("ann", "K\u00fcste.jpg", 1_790_000_000)]


def test_a_photo_with_a_sidecar_of_its_own_is_a_photo_whatever_its_name(tmp_path):
    files: dict[str, object] = {}
    for name in ("dress", "dress-back", "dress-edited"):
        files |= {f"{YEAR}/{name}.jpg": name.encode(), f"{YEAR}/{name}.jpg.json": facts()}
    assert len([item for item in read(export(tmp_path / "ann", files)) if item[0] == "ann"]) == 3


@pytest.mark.parametrize("original", ["IMG_1.HEIC", "IMG_1.jpg"])
def test_an_edited_copy_of_another_format_is_one(tmp_path, original):
    files = {f"{YEAR}/{original}": b"1", f"{YEAR}/{original}.json": facts()}
    files |= {f"{YEAR}/IMG_1-bearbeitet.jpg": b"2"}
    assert sorted(item[0] for item in read(export(tmp_path / "ann", files))) == ["ann", "duplicate"]


def test_what_lies_in_the_locked_folder_is_private(tmp_path):
    files = {f"{YEAR}/a.jpg": b"1", f"{YEAR}/a.jpg.json": facts(inLockedFolder=True)}
    assert read(export(tmp_path / "ann", files)) == [("private", "a.jpg")]
