from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.exports import export, zipped
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.post import Post
from trendscope.limits import Limits
from trendscope.skipped import Skipped

NOW = datetime(2026, 11, 21, tzinfo=UTC)
TABLE = b"""customer,taken_at,image
ann,2026-09-01T10:00:00Z,photos/a.jpg
Ben B.,2026-09-02,photos/b.jpg
ann,,photos/c.jpg
"""
PHOTOS = {f"photos/{name}.jpg": name.encode() for name in "abc"}


def read(*paths: Path, **options) -> list[tuple[object, ...]]:
    return [
        (item.customer, Path(item.source).name, item.posted_at and item.posted_at.isoformat()[:16])
        if isinstance(item, Post)
        else (item.reason, Path(item.source).name)
        for item in open_feed(paths, now=NOW, **options)
    ]


EXPECTED = [
    ("ann", "a.jpg", "2026-09-01T10:00"),
    ("Ben B.", "b.jpg", "2026-09-02T00:00"),
    ("ann", "c.jpg", None),
]


def test_folder_zip_and_the_table_itself(tmp_path):
    root = export(tmp_path / "given", PHOTOS | {"list.csv": TABLE})
    assert read(root) == read(root / "list.csv") == EXPECTED
    assert read(zipped(tmp_path / "z.zip", PHOTOS | {"list.csv": TABLE})) == EXPECTED


def test_a_table_that_a_spreadsheet_saved_as_text_is_one_and_captions_are_none(tmp_path):
    text = TABLE.decode().replace(",", "\t").encode("utf-16")
    root = export(tmp_path / "given", PHOTOS | {"list.TXT": text})
    assert read(root) == read(root / "list.TXT") == EXPECTED
    export(root, {f"{n}.txt": b"a caption" for n in range(3)})
    assert {customer for customer, *_ in read(root)} == {"given", "photos"}
    assert read(root / "list.TXT") == EXPECTED


def test_a_table_over_the_limit_is_not_read(tmp_path):
    root = export(tmp_path / "given", PHOTOS | {"list.csv": TABLE})
    assert read(root, limits=Limits(table_bytes=len(TABLE))) == EXPECTED
    rows = read(root, limits=Limits(table_bytes=len(TABLE) - 1))
    assert {customer for customer, *_ in rows} == {"given", "photos"}


@pytest.mark.parametrize(
    "header", ["Image;CUSTOMER; Taken_At ;note", "\ufeffimage\tcustomer\ttaken_at\tnote"]
)
def test_other_orders_cases_and_separators(tmp_path, header):
    separator = "\t" if "\t" in header else ";"
    row = separator.join(("photos/a.jpg", "ann", "1790000000", "secret"))
    root = export(tmp_path, PHOTOS | {"list.csv": f"{header}\r\n{row}\r\n".encode()})
    rows = read(root)
    assert rows[0] == ("ann", "a.jpg", "2026-09-21T14:13")
    assert rows[1:] == [("unlisted", "b.jpg"), ("unlisted", "c.jpg")]


@pytest.mark.parametrize("above", ["Customers of autumn\n\n", "Customers;;\n;;\n", "\n\n"])
def test_a_title_above_the_header_makes_nothing_else_of_a_manifest(tmp_path, above):
    data = f"{above}customer;taken_at;image\nann;2026-09-01 10:00;photos/a.jpg\nben;;lost.jpg\n"
    root = export(tmp_path, {"photos/a.jpg": b"a", "list.csv": data.encode()})
    assert (
        read(root)
        == read(root / "list.csv")
        == [
            ("ann", "a.jpg", "2026-09-01T10:00"),
            ("missing_media", "lost.jpg"),
        ]
    )


def test_times_without_offset_are_local(tmp_path):
    table = b"customer,taken_at,image\nann,2026-09-01 00:30,photos/a.jpg\n"
    root = export(tmp_path, PHOTOS | {"list.csv": table})
    assert read(root, zone=ZoneInfo("Europe/Berlin"))[0][2] == "2026-08-31T22:30"


@pytest.mark.parametrize("taken_at", ["", "soon", "0", "2031-01-01", "0000:00:00 00:00:00"])
def test_a_text_that_is_no_date_leaves_the_photo_undated(tmp_path, taken_at):
    table = f"customer,taken_at,image\nann,{taken_at},photos/a.jpg\n".encode()
    assert read(export(tmp_path, PHOTOS | {"list.csv": table}))[0] == ("ann", "a.jpg", None)


def test_lines_that_cannot_be_used_are_named(tmp_path):
    table = b"customer,taken_at,image\nann,,lost.jpg\nann,,../a.jpg\nann,,/etc/passwd\n"
    table += b"ann,,http://x/a.jpg\nann\n,,photos/a.jpg\n\nann,,photos/b.jpg\n"
    assert read(export(tmp_path, PHOTOS | {"list.csv": table})) == [
        ("missing_media", "lost.jpg"),
        ("unsafe_path", "list.csv:3"),
        ("unsafe_path", "list.csv:4"),
        ("unsafe_path", "list.csv:5"),
        ("bad_table", "list.csv:6"),
        ("bad_table", "list.csv:7"),
        ("ann", "b.jpg", None),
        ("unlisted", "a.jpg"),
        ("unlisted", "c.jpg"),
    ]


def test_a_link_in_a_manifest_is_not_followed(tmp_path):
    root = export(tmp_path, {"list.csv": b"customer,taken_at,image\nann,,a.jpg\n"})
    (root / "a.jpg").symlink_to("/etc/passwd")
    assert read(root) == [("link", "a.jpg"), ("missing_media", "a.jpg")]


def test_other_tables_are_no_manifests(tmp_path):
    root = export(tmp_path / "ann", {"prices.csv": b"customer,price\nann,3\n", "a.jpg": b"a"})
    assert [customer for customer, *_ in read(root)] == ["ann", "ann"]


def test_two_manifests_may_each_have_an_ann(tmp_path):
    for place in "xy":
        export(tmp_path / place, PHOTOS | {"list.csv": TABLE})
    customers = {customer for customer, *_ in read(tmp_path)}
    assert customers == {"ann", "Ben B.", "ann (2)", "Ben B. (2)"}


def table(*rows: str, encoding: str = "utf-8") -> bytes:
    return "\r\n".join(["customer;taken_at;image", *rows]).encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16", "utf-8-sig"])
def test_names_are_those_of_the_table_in_every_encoding(tmp_path, encoding):
    rows = ["Anna Löhr;;1.jpg", "Anna Lähr;;größe.jpg"]
    files = {"1.jpg": b"1", "gro\u0308ße.jpg": b"2", "list.csv": table(*rows, encoding=encoding)}
    assert read(export(tmp_path, files)) == [
        ("Anna Löhr", "1.jpg", None),
        ("Anna Lähr", "größe.jpg", None),
    ]


def test_a_manifest_whose_encoding_cannot_be_told_says_so_and_its_photos_are_nobodys(tmp_path):
    files = {"1.jpg": b"1", "list.csv": table("Łukasz Żółć;;1.jpg", encoding="cp1250")}
    assert read(export(tmp_path, files)) == [("bad_table", "list.csv"), ("unlisted", "1.jpg")]


def test_a_customer_whose_name_has_a_broken_letter_is_told_and_not_guessed(tmp_path):
    data = table("Zoë Löhr;;1.jpg").replace("ë".encode(), b"\xc3") + b"\r\nB\xc3\xb6b;;1.jpg"
    files = {"1.jpg": b"1", "list.csv": data}
    assert read(export(tmp_path, files)) == [("bad_table", "list.csv:2"), ("Böb", "1.jpg", None)]


@pytest.mark.parametrize(
    "path", [r"photos\a.jpg", "./photos/a.jpg", r".\photos\a.jpg", "photos//a.jpg", "Photos/A.JPG"]
)
def test_paths_as_windows_and_shells_write_them(tmp_path, path):
    root = export(tmp_path, {"photos/a.jpg": b"a", "list.csv": table(f"ann;;{path}")})
    assert read(root) == [("ann", "a.jpg", None)]


def test_a_path_that_is_two_files_but_for_the_case_is_missing(tmp_path):
    files = {"a.jpg": b"a", "A.jpg": b"A", "list.csv": table("ann;;A.JPG", "ann;;a.jpg")}
    rows = read(export(tmp_path, files))
    assert rows == [("bad_table", "list.csv:2"), ("ann", "a.jpg", None), ("unlisted", "A.jpg")]


@pytest.mark.parametrize(
    "path",
    [
        r"C:\Users\anna\photos\1.jpg",
        "c:/Users/anna/Photos/1.JPG",
        r"\\server\share\photos\1.jpg",
        "/home/anna/photos/1.jpg",
        "~/photos/1.jpg",
        "file:///C:/My%20pictures/photos/1.jpg",
        "file:///home/anna/photos/1.jpg",
        "anna/photos/1.jpg",
    ],
)
@pytest.mark.parametrize("place", ["1.jpg", "photos/1.jpg", "all/photos/1.jpg"])
def test_paths_of_another_computer_stand_for_the_file_that_ends_alike(tmp_path, path, place):
    root = export(tmp_path, {place: b"1", "2.jpg": b"2", "list.csv": table(f"ann;;{path}")})
    assert read(root) == [("ann", "1.jpg", None), ("unlisted", "2.jpg")]


@pytest.mark.parametrize(
    ("path", "files", "expected"),
    [
        ("my%20photo.jpg", ["my photo.jpg"], ("ann", "my photo.jpg", None)),
        ("photos%5Cgro%CC%88%C3%9Fe.jpg", ["photos/größe.jpg"], ("ann", "größe.jpg", None)),
        ("C:/of%20ann/1%231.jpg", ["of ann/1#1.jpg"], ("ann", "1#1.jpg", None)),
        ("50%25.jpg", ["50%.jpg", "50%25.jpg"], ("ann", "50%25.jpg", None)),
        ("x%20y.jpg", ["z.jpg"], ("missing_media", "x%20y.jpg")),
        ("%2e%2e%2f1.jpg", ["1.jpg"], ("unsafe_path", "list.csv:2")),
        ("%2Fetc%2Fpasswd", ["1.jpg"], ("missing_media", "%2Fetc%2Fpasswd")),
        ("%ff%00.jpg", ["1.jpg"], ("missing_media", "%ff%00.jpg")),
    ],
)
def test_percent_encoded_paths_are_read_where_no_file_is_called_so(tmp_path, path, files, expected):
    rows = dict.fromkeys(files, b"1") | {"list.csv": table(f"ann;;{path}")}
    assert read(export(tmp_path, rows))[0] == expected


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("customer,date,image", "ann,2026-09-01,photos/a.jpg"),
        ("user;datum;bild", "ann;11/3/2026;photos\\a.jpg"),
        ("customer,image", "ann,photos/a.jpg"),
        ("Kunden\nuser,datum,bild", "ann,03.11.26,C:\\photos\\a.jpg"),
    ],
)
def test_a_table_that_names_photos_under_other_headings_is_told_what_is_expected(
    tmp_path, header, row
):
    root = export(tmp_path, {"photos/a.jpg": b"a", "list.csv": f"{header}\n{row}\n".encode()})
    for path, photos in ((root, ["a.jpg"]), (root / "list.csv", [])):
        (notice, *posts) = open_feed([path], now=NOW)
        assert (notice.reason, Path(notice.source).name) == ("bad_table", "list.csv")
        columns = ", ".join(header.rpartition("\n")[2].replace(";", ",").split(","))
        assert f"called {columns};" in notice.detail
        assert notice.detail.endswith("call the columns customer, taken_at and image")
        assert [Path(post.source).name for post in posts] == photos


@pytest.mark.parametrize(
    "data",
    [
        b"customer,date,image\nann,2026-09-01,lost.jpg\n",
        b"file,label\nphotos/a.jpg,Coat\n",
        b"customer,source,category\nann,photos/a.jpg,Coat\n",
        b"id,bild,size\n20260901,photos/a.jpg,5\n",
        b"date,image,note\n,photos/a.jpg,x\n",
        b"customer,date,image\nann,2026-09-01,list.csv\n",
        b"photos/a.jpg\n",
        b"",
    ],
)
def test_tables_that_may_be_of_another_kind_have_no_notice(tmp_path, data):
    root = export(tmp_path, {"photos/a.jpg": b"a", "list.csv": data})
    assert all(isinstance(item, Post) for item in open_feed([root], now=NOW))


def test_the_longest_end_counts(tmp_path):
    files = {"1.jpg": b"1", "photos/1.jpg": b"2", "other/1.jpg": b"3"}
    root = export(tmp_path, files | {"list.csv": table(r"ann;;C:\photos\1.jpg")})
    (post,) = [item for item in open_feed([root], now=NOW) if isinstance(item, Post)]
    assert post.read() == b"2"


@pytest.mark.parametrize(
    ("paths", "files", "reason"),
    [
        ([r"C:\2025\1.jpg"], ["2026/1.jpg"], "unsafe_path"),  # another photo of that name
        (["/home/anna/1.jpg"], ["x/1.jpg", "y/1.jpg"], "unsafe_path"),
        (["2025/1.jpg"], ["2026/1.jpg"], "missing_media"),
        ([r"C:\p\1.jpg"], ["x/p/1.jpg", "y/p/1.jpg"], "bad_table"),
        ([r"C:\2025\1.jpg", r"C:\2026\1.jpg"], ["1.jpg"], "bad_table"),
        (["../photos/1.jpg"], ["1.jpg"], "unsafe_path"),
        (["https://x.example/1.jpg"], ["1.jpg"], "unsafe_path"),
    ],
)
def test_a_path_that_may_be_another_files_is_told(tmp_path, paths, files, reason):
    rows = table(*(f"ann;;{path}" for path in paths))
    root = export(tmp_path, dict.fromkeys(files, b"1") | {"list.csv": rows})
    expected = [reason] * len(paths) + ["unlisted"] * len(files)
    assert [item.reason for item in open_feed([root], now=NOW)] == expected


def test_a_path_from_the_tables_folder_comes_before_one_of_another_computer(tmp_path):
    rows = table("ann;;1.jpg", r"ben;;C:\photos\1.jpg", "ann;;1.JPG")
    assert read(export(tmp_path, {"1.jpg": b"1", "list.csv": rows})) == [
        ("ann", "1.jpg", None),
        ("bad_table", "list.csv:3"),
        ("bad_table", "list.csv:4"),
    ]


DATES = [
    "03.11.2026 10:00",
    "2026/11/03 10:00",
    "20261103 10:00",
    "20261103100000",
    "46329.416666667",
    "46329,416666667",
    "3 Nov 2026 10:00",
    "Nov 3, 2026 10:00 AM",
    "3. November 2026 um 10:00 Uhr",
    "03-Nov-26 10:00",
    "3.11.26 10:00",
    "3.11.'26, 10:00 Uhr",
    "Tue, 3 Nov 2026 11:00:00 +0100",
    "2026-11-03T10:00:00Z",
    "1793700000",
    "1793700000000",
]


@pytest.mark.parametrize("text", DATES)
def test_dates_of_spreadsheets_are_read_where_they_are_certain(tmp_path, text):
    root = export(tmp_path, {"1.jpg": b"1", "list.csv": table(f"ann;{text};1.jpg")})
    assert read(root) == [("ann", "1.jpg", "2026-11-03T10:00")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("11/3/2026", "two readings"),
        ("03-11-2026", "two readings"),
        ("03.11.26", "two readings"),
        ("11/3/26", "two readings"),
        ("26-11-03", "two readings"),
        ("31.11.26", "no date"),
        ("3.11.126", "no date"),
        ("31.11.2026", "no date"),
        ("2026-11", "no date"),
        ("next week", "no date"),
        ("0", "no date"),
        ("2031-01-01", "cannot be true"),
        ("2026-11-03 25:00", "no date"),
    ],
)
def test_a_date_that_is_not_certain_is_told_and_no_other_stands_for_it(tmp_path, text, problem):
    name = "IMG_20250601_120000.jpg"
    root = export(tmp_path, {name: b"1", "list.csv": table(f"ann;{text};{name}")})
    post, note = open_feed([root], now=NOW)
    assert post.dated(datetime(2025, 6, 1, 12, tzinfo=UTC), UTC) == (None, "none")
    assert note.reason == "bad_date" and problem in note.detail and text in note.detail


def test_the_other_rows_may_tell_whether_the_day_comes_first(tmp_path):
    photos = {f"{n}.jpg": b"%d" % n for n in range(2)}
    for other, expected in (("13/11/2026", "2026-11-03"), ("11/13/2026", "2026-03-11")):
        rows = ["ann;03/11/2026;0.jpg", f"ann;{other};1.jpg"]
        root = export(tmp_path / other[:2], photos | {"list.csv": table(*rows)})
        assert [row[2][:10] for row in read(root)] == [expected, "2026-11-13"]
    rows = ["ann;03/11/2026;0.jpg", "ann;13/11/2026;1.jpg", "ann;11/13/2026;1.jpg"]
    root = export(tmp_path / "both", photos | {"list.csv": table(*rows)})
    assert ("bad_date", "list.csv:2") in read(root)


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        ("03.11.26 17.11.26 28.10.26", "2026-11-03 2026-11-17 2026-10-28"),  # 2028 is to come
        ("03.11.26 30.10.95", "2026-11-03 1995-10-30"),
        ("30/10/25 03/11/26", "2025-10-30 2026-11-03"),
        ("13/11/26 03/11/26", "bad_date bad_date"),  # 2013 and 2003, if the year is first
        ("11/13/26 11/03/26", "2026-11-13 2026-11-03"),
        ("26-11-03 26-10-31 25-12-24", "2026-11-03 2026-10-31 2025-12-24"),
        ("24/12/2025 03/11/26", "2025-12-24 2026-11-03"),
        ("03.11.26 05.11.26", "bad_date bad_date"),
        ("31.10.26 03-11-26", "2026-10-31 bad_date"),  # other signs, perhaps of another program
        ("13.11.2026 03/11/2026", "2026-11-13 bad_date"),
        ("13/11/2026 31/13/2026 03/11/2026", "2026-11-13 bad_date 2026-11-03"),
    ],
)
def test_years_of_two_digits_are_read_where_the_column_leaves_one_order(tmp_path, cells, days):
    names = [f"{n}.jpg" for n, _ in enumerate(cells.split())]
    rows = (f"ann;{cell};{name}" for cell, name in zip(cells.split(), names, strict=True))
    root = export(tmp_path, {name: b"%r" % name for name in names} | {"list.csv": table(*rows)})
    dates = {Path(row[1]).name: row[2] for row in read(root) if row[0] == "ann"}
    assert [(dates[name] or "bad_date")[:10] for name in names] == days.split()
    told = [row for row in read(root) if row[0] == "bad_date"]
    assert len(told) == days.count("bad_date")


def test_an_empty_date_leaves_the_cameras(tmp_path):
    root = export(tmp_path, {"1.jpg": b"1", "list.csv": table("ann;;1.jpg")})
    (post,) = open_feed([root], now=NOW)
    taken = datetime(2025, 6, 1, 12, tzinfo=UTC)
    assert post.dated(taken, UTC) == (taken, "exif")


@given(st.binary(max_size=80) | st.text(',"\n\0ab', max_size=60).map(str.encode))
def test_any_table_is_read_or_skipped(rest):
    with tempfile.TemporaryDirectory() as place:
        root = export(Path(place), {"l.csv": b"customer,taken_at,image\n" + rest})
        for item in open_feed([root], now=NOW):
            assert isinstance(item, Skipped)
