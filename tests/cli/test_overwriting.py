"""Nothing is overwritten by mistake, what was written is named, and a closed output is no error."""

from __future__ import annotations

import io
import re
import subprocess
import sys

import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.factories.photos import painted
from tests.factories.stored import found, write
from trendscope.cli import app
from trendscope.errors import UsageError
from trendscope.files.replacing import check_replaceable, is_report
from trendscope.reports import catalog, profile, targets, trends
from trendscope.reports.charts import _signed
from trendscope.reports.documents import document
from trendscope.reports.spreadsheets import csv_text
from trendscope.reports.table_export import TABLES
from trendscope.store.database import open_store

GOLD = [
    *("classification.json", "classification.txt", "profile.csv", "profile.html", "profile.json"),
    *("profile.txt", "trends.csv", "trends.html", "trends.json", "trends.md", "trends.txt"),
]


@pytest.fixture
def db(tmp_path):
    path = tmp_path / "fashion.db"
    with open_store(path, create=True) as new:
        write(new, found(customer="ben.w"))
    return path


def run(*words):
    return CliRunner().invoke(app, [*map(str, words)])


@pytest.mark.parametrize("name", GOLD)
def test_reports_are_known_as_such(name, request):
    path = request.config.rootpath / "tests" / "gold" / name
    assert is_report(path.read_bytes()[:4096])


def test_tables_are_known_by_their_headers():
    headers = [
        *(profile.CSV_COLUMNS, profile.SKIPPED_COLUMNS, targets.CSV_COLUMNS, catalog.ITEM_COLUMNS),
        *(trends.CSV_COLUMNS, [c for c in trends.CSV_COLUMNS if c != "segment"]),
        *TABLES.values(),
    ]
    for header in headers:
        assert is_report(csv_text([*header], []).encode())
        assert is_report(("\ufeff" + ",".join(header)).encode())


def test_charts_carry_their_makers_name():
    png = painted("Dress")
    assert is_report(_signed(png)) and not is_report(png)
    assert Image.open(io.BytesIO(_signed(png))).info["Software"] == "trendscope"


@pytest.mark.parametrize(
    "data",
    [
        b"sku,title\n1,Coat\n",
        b"customer\nanna\n",
        b"customer,segment\n",
        b'{"name": 1}',
        b"<!doctype html><title>Ours</title>",
        b"To do: call Anna\n",
        b"\xff\xd8\xff\xe0 a photo",
        b"%PDF-1.7",
        b"\0\0\0",
    ],
)
def test_other_files_are_replaced_only_by_force(data, tmp_path, db):
    path = tmp_path / "mine"
    path.write_bytes(data)
    refused = run("status", "--db", db, "-o", path)
    assert (refused.exit_code, path.read_bytes()) == (2, data)
    assert "no report of trendscope" in refused.stderr and "--force" in refused.stderr
    assert run("status", "--db", db, "-o", path, "--force").exit_code == 0
    assert "1 photo of 1 customer" in path.read_text()


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_database_is_never_replaced(force, tmp_path, db):
    data = db.read_bytes()
    (tmp_path / "copy").write_bytes(data)
    for target in (db, tmp_path / "copy"):
        result = run("status", "--db", db, "-o", target, *force)
        assert result.exit_code == 2 and target.read_bytes()[:16] == b"SQLite format 3\0"
    (tmp_path / "link").symlink_to(db)
    assert run("report", "--db", db, "-o", tmp_path / "link", *force).exit_code == 2
    new = tmp_path / "new.db"
    assert run("scan", tmp_path, "--db", new, "-o", new, *force).exit_code == 2
    assert not new.exists()


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_what_is_read_is_never_replaced(force, tmp_path):
    photo = tmp_path / "anna" / "1.png"
    photo.parent.mkdir()
    photo.write_bytes(painted("Dress"))
    table = tmp_path / "weekly.csv"
    table.write_text("week,category,count,total\n")
    for words in (
        ("profile", photo.parent, "-o", photo),
        ("profile", photo, "--html", photo),
        ("profile", photo.parent, "--skipped", photo),
        ("classify", photo.parent, "--json", "-o", photo),
        ("trends", "--from-csv", table, "--csv", "-o", table),
        ("catalog", "import", table, "-o", table),
    ):
        result = run(*words, *force)
        assert result.exit_code == 2 and re.search("(is|are) read", result.stderr), words
    assert photo.read_bytes() == painted("Dress")


def test_an_export_keeps_other_tables(tmp_path, db):
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "customers.csv").write_text("name,address\nAnna,Oslo\n")
    result = run("export", "--db", db, folder)
    assert result.exit_code == 2 and "customers.csv" in result.stderr
    assert [path.name for path in folder.iterdir()] == ["customers.csv"]
    for force in ("--force",), ():
        assert run("export", "--db", db, folder, *force).exit_code == 0
    assert (folder / "customers.csv").read_text().startswith("customer,photos,")


def test_what_was_written_is_named_unless_it_is_to_be_quiet(tmp_path, db):
    path = tmp_path / "status.json"
    result = run("status", "--db", db, "--json", "-o", path)
    assert (result.stdout, result.stderr) == ("", f"Wrote {path}\n")
    assert run("status", "--db", db, "--json").stderr == ""
    items = tmp_path / "page.html"
    weekly = tmp_path / "weekly.csv"
    weekly.write_text("week,category,count,total\n2026-W01,Dress,1,2\n")
    told = run("trends", "--from-csv", weekly, "--html", items, "--json")
    assert f"Wrote {items}\n" in told.stderr
    assert run("trends", "--from-csv", weekly, "--html", items, "--json", "-q").stderr == ""


def test_an_empty_file_and_a_new_one_may_be_written(tmp_path):
    (tmp_path / "empty").touch()
    check_replaceable(tmp_path / "empty")
    check_replaceable(tmp_path / "new", [tmp_path])
    (tmp_path / "ours.json").write_text(document({}))
    check_replaceable(tmp_path / "ours.json", [tmp_path])
    with pytest.raises(UsageError, match="is read by this command"):
        check_replaceable(tmp_path / "ours.json", [tmp_path / "ours.json"], force=True)


def test_forget_asks_whom_is_meant(db):
    result = run("forget", "--db", db, "--customer", "Ben.V", "--yes")
    assert result.exit_code == 2 and "is it ben.w?" in result.stderr


@pytest.mark.parametrize(
    ("words", "closed"),
    [
        *(("status --db {db}", end) for end in (">&-", "2>&-", ">&- 2>&-", ">&- 2>&- <&-")),
        ("status --db {db} --json", ">&-"),
        ("--version", ">&- 2>&-"),
    ],
)
def test_a_closed_output_is_no_traceback(closed, words, db):
    data = db.read_bytes()
    command = f"{sys.executable} -m trendscope {words.format(db=db)} {closed}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert db.read_bytes()[100:] == data[100:]
