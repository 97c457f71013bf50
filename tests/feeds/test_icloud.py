"""Apple's copy of iCloud Photos: numbered parts, tables of details, deleted and hidden photos."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.factories.exports import export, zipped
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.post import Post

NOW = datetime(2026, 11, 21, tzinfo=UTC)
HEADER = "imgName,fileChecksum,favorite,hidden,deleted,originalCreationDate,viewCount,importDate"
DATE = "Tuesday November 3,2026 10:05 PM GMT"
TAKEN = "2026-11-03T22:05:00+00:00"
PART = "iCloud Photos Part {} of 2"


def details(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def row(name: str, date: str = DATE, hidden: str = "no", deleted: str = "no") -> str:
    return f'{name},x,no,{hidden},{deleted},"{date}",1,"{date}"'


def read(*paths: Path, **options) -> list[tuple[object, ...]]:
    return [
        (item.customer, Path(item.source).name, item.posted_at and item.posted_at.isoformat())
        if isinstance(item, Post)
        else (item.customer, item.reason, Path(item.source).name)
        for item in open_feed(paths, now=NOW, **options)
    ]


FIRST = {
    "Photos/Photo Details.csv": details(
        row("IMG_1.HEIC"), row("IMG_2.JPG", hidden="yes"), row("IMG_3.JPG", deleted="yes")
    ),
    "Photos/Photo Details-1.csv": details(
        row("IMG_0004.JPG", "Monday November 2,2026 14:00 PM GMT")
    ),
    **{f"Photos/IMG_{n}": n.encode() for n in ("1.HEIC", "2.JPG", "3.JPG", "1.MOV")},
    "Photos/IMG_0004.JPG": b"4",
    "Photos/IMG_E0004.JPG": b"edited",
    "Albums/Summer.csv": b"Images\nIMG_1.HEIC\n",
    "Memories/Day.csv": b"imageName\nIMG_1.HEIC\n",
    "Recently Deleted/IMG_9.JPG": b"9",
}
SECOND = {
    "Photos/Photo Details.csv": details(row("IMG_1.HEIC", "Sunday November 1,2026 9:00 AM GMT")),
    "Photos/IMG_1.HEIC": b"another",
}


def expected(who: str) -> set[tuple[object, ...]]:
    return {
        (who, "IMG_1.HEIC", TAKEN),
        (who, "IMG_1.HEIC", "2026-11-01T09:00:00+00:00"),
        (who, "IMG_0004.JPG", "2026-11-02T14:00:00+00:00"),
        (who, "private", "IMG_2.JPG"),
        (who, "private", "IMG_3.JPG"),
        (who, "duplicate", "IMG_E0004.JPG"),
        (who, "video", "IMG_1.MOV"),
        (who, "other_data", "Albums"),
        (who, "other_data", "Memories"),
        (None, "private", "Recently Deleted"),
    }


@pytest.mark.parametrize("inner", ["", "{}/"])
def test_numbered_zips_are_one_customers(tmp_path, inner):
    for number, files in enumerate((FIRST, SECOND), start=1):
        name = PART.format(number)
        files = {inner.format(name) + place: data for place, data in files.items()}
        zipped(tmp_path / "ann" / f"{name}.zip", files)
    assert {*read(tmp_path)} == expected("ann")
    zips = sorted((tmp_path / "ann").glob("*.zip"))
    assert {*read(*zips)} == expected("iCloud Photos")
    assert {*read(*zips, customer="Zoe")} == expected("Zoe")


def test_unpacked_parts_are_the_customers_in_whose_folder_they_lie(tmp_path):
    for number, files in enumerate((FIRST, SECOND), start=1):
        export(tmp_path / "ann" / PART.format(number), files)
    assert {*read(tmp_path)} == {*read(tmp_path / "ann")} == expected("ann")


def test_folders_beside_an_export_are_other_customers(tmp_path):
    export(tmp_path, SECOND | {"bea/1.jpg": b"1"})
    assert {customer for customer, *_ in read(tmp_path)} == {tmp_path.name, "bea"}


def test_a_name_that_stands_for_two_photos_has_no_date(tmp_path):
    table = details(row("IMG_1.JPG"), row("IMG_1.JPG", "Sunday November 1,2026 9:00 AM GMT"))
    files = {"Photos/Photo Details.csv": table, "Photos/IMG_1.JPG": b"1"}
    assert read(export(tmp_path / "ann", files)) == [("ann", "IMG_1.JPG", None)]


def test_a_date_that_cannot_be_read_is_told(tmp_path):
    files = {"Photos/Photo Details.csv": details(row("IMG_1.JPG", "11/3/2026"))}
    root = export(tmp_path / "ann", files | {"Photos/IMG_1.JPG": b"1"})
    assert read(root) == [
        ("ann", "IMG_1.JPG", None),
        ("ann", "bad_date", "Photo Details.csv:2"),
    ]


def test_photos_of_others_in_a_shared_library_are_left_out(tmp_path):
    header = "imgName,originalCreationDate,contributedByMe"
    table = details(f'a.jpg,"{DATE}",no', f'b.jpg,"{DATE}",yes', header=header)
    files = {"Photos/Shared Library Details.csv": table, "Photos/a.jpg": b"a", "Photos/b.jpg": b"b"}
    assert read(export(tmp_path / "ann", files)) == [
        ("ann", "private", "a.jpg"),
        ("ann", "b.jpg", TAKEN),
    ]
