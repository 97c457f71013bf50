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


@given(st.binary(max_size=80) | st.text(',"\n\0ab', max_size=60).map(str.encode))
def test_any_table_is_read_or_skipped(rest):
    with tempfile.TemporaryDirectory() as place:
        root = export(Path(place), {"l.csv": b"customer,taken_at,image\n" + rest})
        for item in open_feed([root], now=NOW):
            assert isinstance(item, Skipped)
