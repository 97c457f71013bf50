"""Tables for analysts: worked out by hand, adding up, whole or not at all, harmless, documented."""

from __future__ import annotations

import csv
import errno
import io
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from tests.factories.pages import HOSTILE
from tests.factories.stored import (
    NEW,
    NOW,
    closet,  # noqa: F401
    found,
    skipped,
    write,
)
from trendscope import store
from trendscope.cli import app
from trendscope.errors import NothingUsable, TrendscopeError, UsageError
from trendscope.files.tables import read_csv
from trendscope.photos.pseudonyms import Pseudonyms
from trendscope.reports import table_export
from trendscope.reports.table_export import TABLES, export
from trendscope.store import frames
from trendscope.store.profile import stored_profile
from trendscope.text import composed
from trendscope.trends import summary, verdicts
from trendscope.trends.from_store import trends_of_store

DICTIONARY = Path(__file__).parents[2] / "docs" / "data-dictionary.md"


def read(path):
    """The header and the rows, as another program's CSV reader sees them."""
    header, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
    return header, [dict(zip(header, row, strict=True)) for row in rows]


def test_tables_by_hand(closet, tmp_path):  # noqa: F811
    done = export(closet, tmp_path / "t", now=NOW)
    assert {path.name: rows for path, rows in done.rows.items()} == {
        "customers.csv": 3,
        "weekly.csv": 40,  # weeks 44 to 47
        "sightings.csv": 8,
        "skipped.csv": 4,
        "corrections.csv": 0,
    }
    for name, columns in TABLES.items():
        assert read(tmp_path / "t" / f"{name}.csv")[0] == list(columns)
    rows = {row["customer"]: row for row in read(tmp_path / "t" / "customers.csv")[1]}
    counts = "photos classified uncertain outside undated skipped doubles waiting".split()
    assert {name: [int(row[c]) for c in counts] for name, row in rows.items()} == {
        "anna": [5, 3, 0, 0, 0, 1, 1, 0],
        "ben": [2, 1, 1, 0, 0, 0, 0, 0],
        "cem": [3, 0, 0, 1, 2, 0, 0, 0],
    }
    anna, cem = rows["anna"], rows["cem"]
    assert (anna["photos_dress"], anna["photos_bag"], anna["share_dress"]) == ("2", "1", "0.666667")
    assert (anna["first_seen"], anna["last_seen"]) == (
        "2026-11-09T09:00:00Z",
        "2026-11-11T09:00:00Z",  # of the bag's two dates the earlier one counts
    )
    assert cem["last_seen"] == "2026-11-14T09:00:00Z"
    assert (cem["photos_coat"], cem["share_coat"]) == ("2", "1.0")
    (dress,) = (
        row
        for row in read(tmp_path / "t" / "weekly.csv")[1]
        if (row["week"], row["category"]) == ("2026-W46", "Dress")
    )
    assert [dress[c] for c in ("count", "total", "photos", "all_photos")] == ["1", "3", "2", "3"]
    assert [dress[c] for c in ("uncertain", "outside", "partial")] == ["1", "1", "False"]
    sightings = read(tmp_path / "t" / "sightings.csv")[1]
    assert [
        (row["customer"], row["week"], row["category"] or row["reason"]) for row in sightings
    ] == [
        ("anna", "2026-W46", "Dress"),
        ("anna", "2026-W46", "Dress"),
        ("anna", "2026-W46", "Bag"),
        ("ben", "2026-W44", "Dress"),
        ("ben", "2026-W46", "uncertain"),
        ("cem", "2026-W46", "outside"),
        ("cem", "", "Coat"),  # after the running week
        ("cem", "", "Coat"),
    ]
    assert [sightings[0][c] for c in ("posted_at", "x0", "y1", "confidence")] == [
        *("2026-11-09T09:00:00Z", "10", "220", "0.8")
    ]
    refused = read(tmp_path / "t" / "skipped.csv")[1]
    assert [(row["customer"], row["reason"]) for row in refused] == [
        ("anna", "duplicate"),
        ("anna", "video"),
        ("ben", "private"),
        ("", "not_an_image"),
    ]


def test_shares_are_those_of_profiles(closet, tmp_path):  # noqa: F811
    """Uncertain photos are in both; Ben has one beside his dress, likely a shirt."""
    export(closet, tmp_path / "t", now=NOW)
    table = read(tmp_path / "t" / "customers.csv")[1]
    assert [row["customer"] for row in table] == ["anna", "ben", "cem"]
    for row in table:
        (person,) = stored_profile(closet, row["customer"]).customers
        shares = [float(row[column]) for column in table_export.SHARE_OF]
        assert shares == pytest.approx([c.share for c in person.categories], abs=1e-5)
    assert 0.5 < float(table[1]["share_dress"]) < 0.6


def test_tables_add_up_to_the_counts_of_trends(closet, tmp_path):  # noqa: F811
    export(closet, tmp_path, now=NOW)
    trends = trends_of_store(closet, now=NOW)
    customers = pd.read_csv(tmp_path / "customers.csv")
    for column in ("classified", "uncertain", "outside", "undated", "doubles", "waiting"):
        assert customers[column].sum() == getattr(trends.tally, column)
    assert customers["skipped"].sum() == trends.tally.skipped - 1  # one is nobody's
    assert customers["photos"].sum() == trends.tally.photos - 1
    weekly = pd.read_csv(tmp_path / "weekly.csv")
    assert weekly["photos"].sum() == trends.tally.classified
    by_week = weekly.groupby("week")[["uncertain", "outside"]].first().sum()
    assert by_week.tolist() == [trends.tally.uncertain, trends.tally.outside]
    sightings = pd.read_csv(tmp_path / "sightings.csv")
    assert sightings["week"].isna().sum() == trends.tally.undated


def test_customers_are_those_of_every_list_and_figure(closet, tmp_path):  # noqa: F811
    """Zoe, of whom nothing could be used, is none; dora, whose photo waits to be judged, is one."""
    write(closet, skipped("zoe.mp4", "zoe"))
    write(closet, found("Dress", "dora", "10.jpg"), weights=NEW, reclassify=True)
    export(closet, tmp_path, now=NOW)
    customers = read(tmp_path / "customers.csv")[1]
    waiting = {row["customer"]: row["waiting"] for row in customers}
    assert waiting == {"anna": "0", "ben": "0", "cem": "0", "dora": "1"}
    assert len(customers) == store.status(closet).customers
    refused = read(tmp_path / "skipped.csv")[1]
    assert ("zoe", "zoe.mp4") in [(row["customer"], row["path"]) for row in refused]


def test_an_exported_weekly_table_gives_the_same_movement(closet, tmp_path):  # noqa: F811
    export(closet, tmp_path, now=NOW)
    again = read_csv(tmp_path / "weekly.csv", "week", "category", "count", "total")
    trends = trends_of_store(closet, now=NOW)
    pd.testing.assert_frame_equal(verdicts.movement(again), trends.movement)
    assert summary.outlook(again).running == trends.running


@pytest.mark.parametrize("excel", [False, True])
def test_trends_of_an_exported_weekly_table_are_those_of_the_database(closet, db, tmp_path, excel):  # noqa: F811
    export(closet, tmp_path, now=NOW, excel=excel)
    common = ["trends", "--as-of", f"{NOW:%Y-%m-%d}"]
    sources = {"stored": ["--db", db], "exported": ["--from-csv", str(tmp_path / "weekly.csv")]}
    call = CliRunner().invoke
    documents, tables = {}, {}
    for name, source in sources.items():
        done = call(app, [*common, *source, "--json"])
        assert (done.exit_code, done.stderr) == (0, "")
        documents[name] = json.loads(done.stdout)
        tables[name] = call(app, [*common, *source, "--csv"]).stdout
        assert call(app, [*common, *source]).exit_code == 0
    for key in ("rows", "running_week", "forecast_errors"):
        assert documents["exported"][key] == documents["stored"][key]
    # Photos in no week are in no weekly table.
    (undated,) = documents["stored"]["headline"][len(documents["exported"]["headline"]) :]
    assert undated.startswith("2 photos without a usable date")
    assert [*documents["exported"]["headline"], undated] == documents["stored"]["headline"]
    assert tables["exported"] == tables["stored"]
    dress = [row for row in documents["exported"]["rows"] if row["category"] == "Dress"]
    photos = [(row["week"], row["photos"], row["all_photos"], row["photo_share"]) for row in dress]
    assert photos[:4] == [
        ("2026-W44", 1, 1, 1.0),
        ("2026-W45", 0, 0, None),  # a blank cell of the table
        ("2026-W46", 2, 3, 0.666667),
        ("2026-W47", 0, 0, None),
    ]


def test_large_tables_are_written_in_parts(closet, tmp_path, monkeypatch):  # noqa: F811
    export(closet, tmp_path / "whole", now=NOW)
    monkeypatch.setattr(frames, "FETCHED", 2)
    progress = []
    export(closet, tmp_path / "parts", now=NOW, progress=lambda *done: progress.append(done))
    for name in TABLES:
        whole, parts = (tmp_path / folder / f"{name}.csv" for folder in ("whole", "parts"))
        assert whole.read_bytes() == parts.read_bytes()
    assert progress == [(2, 8), (4, 8), (6, 8), (8, 8)]


@pytest.mark.parametrize("db", ["sqlite"], indirect=True)
def test_text_is_never_a_formula_and_is_read_back(opened, tmp_path):
    names = [n for n in HOSTILE if n and "\udc80" not in n and "\0" not in n] + ["'=1", 'a,b\n"c']
    write(
        opened,
        *(found(customer=name, name=f"{i}", sha256=f"{i}") for i, name in enumerate(names)),
        skipped("=cmd|' /C calc'!A0", names[0]),
    )
    export(opened, tmp_path)
    for table, columns in TABLES.items():
        texts = [column for column, kind in columns.items() if kind == "text"]
        for row in read(tmp_path / f"{table}.csv")[1]:
            assert not [row[c] for c in texts if re.match(r"\s*[=+\-@\t\r]", row[c])]
    back = [row["customer"] for row in read(tmp_path / "customers.csv")[1]]
    with opened.reading() as connection:
        kept = set(connection.scalars(select(store.schema.customers.c.name)))
    assert {name.removeprefix("'") if name not in kept else name for name in back} == kept
    # So that customers.csv names the same customers to trends --customers and recommend --only.
    assert {*read_csv(tmp_path / "customers.csv", "customer")["customer"]} == set(
        map(composed, kept)
    )


@pytest.mark.parametrize("db", ["sqlite"], indirect=True)
def test_excel_files_begin_with_a_byte_order_mark(closet, tmp_path):  # noqa: F811
    export(closet, tmp_path, excel=True)
    for name in TABLES:
        assert (
            (tmp_path / f"{name}.csv").read_bytes().startswith(b"\xef\xbb\xbf" + name[:0].encode())
        )


def test_parquet_holds_the_same(closet, tmp_path):  # noqa: F811
    pytest.importorskip("pyarrow")
    export(closet, tmp_path, now=NOW)
    export(closet, tmp_path, now=NOW, format="parquet")
    for name, columns in TABLES.items():
        typed = pd.read_parquet(tmp_path / f"{name}.parquet")
        assert list(typed) == list(columns)
        times = [column for column, kind in columns.items() if kind == "time"]
        assert all(str(typed.dtypes[column]) == "datetime64[us, UTC]" for column in times)
        plain = pd.read_csv(tmp_path / f"{name}.csv", parse_dates=times)
        for column, kind in columns.items():
            one, other = typed[column], plain[column]
            assert (one.isna() == other.isna()).all(), (name, column)
            has_value = one.notna()
            if kind in ("whole", "number"):
                assert (
                    one[has_value] - other[has_value]
                ).abs().max() <= 1e-6 or not has_value.any()
            else:
                assert one[has_value].tolist() == other[has_value].tolist(), (name, column)


def test_without_its_library_parquet_names_the_extra(closet, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"pip install 'trendscope\[parquet\]'"):
        export(closet, tmp_path, format="parquet")
    assert list(tmp_path.glob("*.p*")) == []


@pytest.mark.parametrize("db", ["sqlite"], indirect=True)
def test_pseudonyms_are_one_in_all_files(closet, tmp_path):  # noqa: F811
    names = Pseudonyms(b"k" * 16)
    export(closet, tmp_path, pseudonyms=names)
    rows = [row for name in TABLES for row in read(tmp_path / f"{name}.csv")[1]]
    text = " ".join(str({**row, "sha256": ""}) for row in rows)  # made of names in these tests
    assert not [name for name in ("anna", "ben", "cem", "notes.txt", "x.mp4") if name in text]
    for table in ("customers", "sightings", "skipped"):
        assert names.name("anna") in {row["customer"] for row in read(tmp_path / f"{table}.csv")[1]}


@pytest.mark.parametrize("db", ["sqlite"], indirect=True)
def test_a_full_disk_leaves_the_former_files(closet, tmp_path, monkeypatch):  # noqa: F811
    export(closet, tmp_path / "t")
    before = {path: path.read_bytes() for path in (tmp_path / "t").iterdir()}
    write(closet, found("Coat", "dana", "99.jpg"))

    def full(connection):
        raise OSError(errno.ENOSPC, "No space left on device")
        yield

    monkeypatch.setattr(table_export.store, "unused_in_parts", full)
    with pytest.raises(TrendscopeError, match=r"could not write into .*t: No space left"):
        export(closet, tmp_path / "t")
    assert {path: path.read_bytes() for path in (tmp_path / "t").iterdir()} == before


@pytest.mark.parametrize("db", ["sqlite"], indirect=True)
def test_folders_that_cannot_be_written_are_refused(opened, tmp_path):
    with pytest.raises(NothingUsable, match=r"holds nothing yet; fill it with trendscope scan"):
        export(opened, tmp_path)
    with pytest.raises(UsageError, match=r"there is no folder .*no; create it first"):
        export(opened, tmp_path / "no" / "t")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"file cannot be made a folder: File exists"):
        export(opened, tmp_path / "file")


@pytest.mark.parametrize("db", ["sqlite"], indirect=True)
def test_the_command_export_says_how_many_rows_it_wrote(closet, db, tmp_path):  # noqa: F811
    call = CliRunner().invoke
    done = call(app, ["export", "--db", db, str(tmp_path / "t"), "--as-of", "2026-11-21"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert f"{tmp_path}/t/sightings.csv: 8 rows\n" in done.stdout
    done = call(app, ["export", "--db", db, str(tmp_path), "--excel", "--format", "parquet"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--excel goes with CSV" in done.stderr


def test_the_data_dictionary_explains_every_column():
    explained, text = {}, DICTIONARY.read_text(encoding="utf-8")
    for name, body in re.findall(
        r"^\| `(\w+)`, a row [^\n]*\n\|---\|---\|\n((?:\|.*\n)+)", text, re.M
    ):
        explained[name] = [
            c for row in body.splitlines() for c in re.findall("`(\\w+)`", row.split("|")[1])
        ]
    assert explained == {name: list(columns) for name, columns in TABLES.items()}
