"""Originals of an Apple Photos library that its database calls hidden or deleted are private."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.factories.exports import export, zipped
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.post import Post

LIBRARY = "Photos Library.photoslibrary"
ORIGINALS = (
    "originals/A/A1.heic",
    "originals/B/B2.heic",
    "originals/B/B2_3.mov",
    "originals/C/C3.jpeg",
)
MARKED = {("A1.heic", 0, 0), ("B2.heic", 1, 0), ("C3.jpeg", 0, 1)}
EXPECTED = {
    ("anna", "A1.heic"),
    ("anna", "B2.heic", "private", "recently deleted"),
    ("anna", "B2_3.mov", "private", "recently deleted"),
    ("anna", "C3.jpeg", "private", "hidden by the customer"),
}


def database(folder: Path, table: str = "ZASSET", journal: str = "delete") -> dict[str, bytes]:
    """The files of a database while it is open, as they are copied from a running Mac."""
    connection = sqlite3.connect(folder / "Photos.sqlite")
    connection.execute(f"PRAGMA journal_mode = {journal}")
    connection.execute(f"CREATE TABLE {table} (ZFILENAME, ZTRASHEDSTATE, ZHIDDEN)")
    connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?)", MARKED)
    connection.commit()
    files = {f"database/{path.name}": path.read_bytes() for path in folder.glob("Photos.sqlite*")}
    connection.close()
    return files


def read(path: Path) -> set[tuple[str | None, ...]]:
    """Customer and name of photos, and of what is left out of the originals with the reason."""
    return {
        (item.customer, Path(item.source).name)
        if isinstance(item, Post)
        else (item.customer, Path(item.source).name, item.reason, item.detail)
        for item in open_feed([path])
        if isinstance(item, Post) or item.reason != "other_data"
    }


@pytest.mark.parametrize(
    ("table", "journal"), [("ZASSET", "delete"), ("ZGENERICASSET", "delete"), ("ZASSET", "wal")]
)
def test_hidden_and_deleted_photos_are_private(tmp_path, table, journal):
    (tmp_path / "db").mkdir()
    files = dict.fromkeys(ORIGINALS, b"1") | database(tmp_path / "db", table, journal)
    files |= {"database/search/x.sqlite": b"1", "resources/derivatives/A1.jpeg": b"1"}
    inside = {f"{LIBRARY}/{name}": data for name, data in files.items()}
    root = export(tmp_path / "anna", inside)
    assert read(root) == read(root / LIBRARY) == EXPECTED
    assert read(zipped(tmp_path / "anna.ZIP", inside)) == EXPECTED
    packed = {f"anna/{name}": data for name, data in inside.items()}
    assert read(zipped(tmp_path / "packed.zip", packed)) == EXPECTED


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"no database" * 99, "file is not a database"), (b"", "it has no table of photos")],
)
def test_a_database_that_cannot_be_read_is_told(tmp_path, content, problem):
    files = {f"{LIBRARY}/{name}": b"1" for name in ORIGINALS[:2]}
    files[f"{LIBRARY}/database/Photos.sqlite"] = content
    detail = f"hidden and deleted photos of the library cannot be told ({problem})"
    assert read(export(tmp_path / "anna", files)) == {
        ("anna", "A1.heic"),
        ("anna", "B2.heic"),
        ("anna", "Photos.sqlite", "unreadable", detail),
    }


def test_a_database_with_a_damaged_letter_in_its_tables_is_told(tmp_path):
    (tmp_path / "db").mkdir()
    (name, content), *_ = database(tmp_path / "db").items()
    damaged = content.replace(b"CREATE TABLE", b"CREATE \xb5ABLE")
    files = {f"{LIBRARY}/originals/A/A1.heic": b"1", f"{LIBRARY}/{name}": damaged}
    outcome = {item[:3] for item in read(export(tmp_path / "anna", files))}
    assert outcome == {("anna", "A1.heic"), ("anna", "Photos.sqlite", "unreadable")}
