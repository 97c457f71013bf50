"""Opening a store, and readers and writers of it at the same time."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import insert, inspect, select, text

from tests.factories.databases import content, engine
from tests.factories.pictures import let_everybody_in
from tests.factories.stored import NOW, found, write
from trendscope import store
from trendscope.errors import StoreError, UsageError
from trendscope.store import database, schema
from trendscope.store.database import open_store
from trendscope.store.schema import to_moment
from trendscope.store.write_photos import write_results


@pytest.fixture
def prepared():
    """Nothing: here the tables are made by what is tested."""


def test_open_store_creates_the_tables_once(db):
    for _ in range(2):
        with (
            open_store(db, create=True, now=NOW) as opened_store,
            opened_store.reading() as connection,
        ):
            assert set(inspect(connection).get_table_names()) == set(schema.metadata.tables)
            steps = connection.execute(select(schema.schema_steps)).all()
            assert steps == [(n, name, to_moment(NOW)) for n, name, _ in schema.STEPS]
            assert [n for n, _, _ in schema.STEPS] == [*range(1, schema.VERSION + 1)]


def test_tables_and_ambiguous_columns_have_comments():
    for table in schema.metadata.tables.values():
        assert table.comment, table.name
    bare = {c.name for t in schema.metadata.tables.values() for c in t.c if not c.comment}
    assert bare == {
        *("id", "customer_id", "image_id", "item_id", "weights_id"),  # numbers of rows elsewhere
        *("applied_at", "started_at", "y0", "x1", "y1"),
    }


def test_open_store_does_not_create_a_missing_file(db, tmp_path):
    with pytest.raises(StoreError, match=r"there is no trendscope database at .*scan PATH --db"):
        open_store(db)
    assert list((tmp_path / "store").iterdir() if (tmp_path / "store").exists() else []) == []


def test_the_default_database_comes_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(database.VARIABLE, raising=False)
    open_store(create=True).close()
    monkeypatch.setenv(database.VARIABLE, "sqlite:///other.db")
    open_store(create=True).close()
    open_store("third.db", create=True).close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other.db", "third.db", "trendscope.db"]


@pytest.mark.parametrize(
    "url", ["mysql://host/x", "sqlite://", "sqlite:///:memory:", "://", "postgresql://h:x/db"]
)
def test_other_kinds_of_database_are_refused(url):
    with pytest.raises(UsageError, match=r"give a file, such as trendscope\.db, or postgresql://"):
        open_store(url, create=True)


def test_an_unreachable_server_is_reported_without_its_password():
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match=r"cannot be reached; check address") as caught:
        open_store("postgresql://me:secret@127.0.0.1:1/x", create=True)
    assert "me:***@127.0.0.1" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_missing_driver_is_reported_with_the_extra_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"pip install 'trendscope\[postgres\]'"):
        open_store("postgresql://h/x")


@pytest.mark.parametrize("data", [b"no database " * 200, b"SQLite format 3\0" + b"\xff" * 5000])
@pytest.mark.parametrize("create", [False, True])
def test_open_store_refuses_and_keeps_a_file_that_is_no_database(tmp_path, data, create):
    path = tmp_path / "notes.db"
    path.write_bytes(data)
    with pytest.raises(StoreError, match="is no database, or is damaged; name another file"):
        open_store(path, create=create)
    assert path.read_bytes() == data


def test_open_store_refuses_and_keeps_a_photo(photos):
    path = photos / "anna" / "bag.png"
    data = path.read_bytes()
    with pytest.raises(StoreError, match="is no database"):
        open_store(path, create=True)
    assert path.read_bytes() == data
    assert not list(path.parent.glob("bag.png?*"))


def test_open_store_refuses_and_keeps_another_programs_database(db):
    bare = engine(db)
    with bare.begin() as connection:
        connection.execute(text("CREATE TABLE invoices (n INTEGER)"))
    for create in (False, True):
        with pytest.raises(StoreError, match=r"another program's tables \(invoices\)"):
            open_store(db, create=create)
    assert inspect(bare).get_table_names() == ["invoices"]
    bare.dispose()


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_another_programs_file_is_kept_as_it_is_byte_by_byte(journal, create, tmp_path):
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute(f"PRAGMA journal_mode = {journal}")
    other.execute("CREATE TABLE invoices (n INTEGER)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"another program's tables \(invoices\)"):
        open_store(path, create=create)
    assert path.read_bytes() == before
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == (journal,)


def rows_lost(path, table):
    """Damages a page of a table so that it reads without an error, but has fewer rows."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        root = connection.execute(query, (table,)).fetchone()[0]
    data = bytearray(path.read_bytes())
    header = (root - 1) * size
    assert data[header] in (10, 13)  # a leaf, of an index (also a table without rowid) or a table
    cells = int.from_bytes(data[header + 3 : header + 5])
    data[header + 3 : header + 5] = (cells - 1).to_bytes(2)
    path.write_bytes(data)
    with sqlite3.connect(path) as connection:
        return connection.execute(f"SELECT count(*) FROM {table} NOT INDEXED").fetchone()[0], cells


@pytest.mark.parametrize("table", ["customers", "photos", "images", "sightings"])
def test_a_damaged_page_that_still_reads_is_noticed_by_whoever_opens(table, tmp_path):
    path = tmp_path / "t.db"
    with open_store(path, create=True) as new:
        write(new, *(found(name=f"{n}.jpg", customer="ab"[n % 2]) for n in range(4)))
    left, before = rows_lost(path, table)
    assert left == before - 1
    damaged = path.read_bytes()
    for create in (False, True):
        with pytest.raises(StoreError, match=r"is damaged, and its figures would be wrong"):
            open_store(path, create=create)
    assert path.read_bytes()[4096:] == damaged[4096:]  # the first page says how it is kept


def test_open_store_refuses_and_keeps_a_newer_database(db):
    with open_store(db, create=True) as opened_store, opened_store.writing() as connection:
        step = {"version": 77, "name": "hats", "applied_at": 0}
        connection.execute(insert(schema.schema_steps).values(step))
    for create in (False, True):
        with pytest.raises(
            StoreError, match=r"tables of version 77; this one knows \d+\).*upgrade"
        ):
            open_store(db, create=create)


def test_an_empty_file_becomes_a_database_only_with_create(tmp_path):
    path = tmp_path / "empty.db"
    path.touch()
    with pytest.raises(StoreError, match="there is no trendscope database"):
        open_store(path)
    open_store(path, create=True).close()
    assert store.status(path).photos == 0


def test_open_store_refuses_folders(tmp_path):
    with pytest.raises(StoreError, match="is a folder; name a file in it"):
        open_store(tmp_path, create=True)
    with pytest.raises(StoreError, match=r"there is no folder .*nowhere; create it first"):
        open_store(tmp_path / "nowhere" / "x.db", create=True)


def test_file_names_with_signs_of_urls_are_opened(tmp_path):
    path = tmp_path / "100% #1?mode=ro.db"
    open_store(path, create=True).close()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.skipif(os.getuid() != 0, reason="root alone can become somebody without rights")
def test_a_read_only_folder_can_be_read_and_writing_is_refused(tmp_path):
    path = tmp_path / "shared" / "t.db"
    path.parent.mkdir()
    with open_store(path, create=True) as new:
        write(new, found())
    let_everybody_in(path.parent)
    program = """if True:
        import os, sys
        from trendscope import store
        from trendscope.errors import StoreError
        store.status(sys.argv[1])  # loads what a user without rights may not read
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        print(store.status(sys.argv[1]).photos)
        for path in sys.argv[1:]:
            try:
                store.open_store(path, create=True)
            except StoreError as error:
                print(error)
    """
    places = [str(path), str(path.with_name("new.db")), str(tmp_path / "closed" / "t.db")]
    (tmp_path / "closed").mkdir(mode=0)
    done = subprocess.run(
        [sys.executable, "-c", program, *places],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    photos, *refused = done.stdout.splitlines()
    assert photos == "1"
    for place_, line in zip(places[:2], refused[:2], strict=True):
        assert line.startswith(f"{place_} cannot be written; choose another place")
    assert refused[2:] == [f"{places[2]} cannot be reached (Permission denied)"]
    assert [p.name for p in path.parent.iterdir()] == ["t.db"]


def test_a_writer_waits_for_another(opened):
    order = []
    began = threading.Event()

    def first():
        with opened.writing():
            began.set()
            order.append("first began")
            threading.Event().wait(0.3)
            order.append("first done")

    thread = threading.Thread(target=first)
    thread.start()
    began.wait()
    with opened.writing():
        order.append("second began")
    thread.join()
    assert order == ["first began", "first done", "second began"]


def test_a_writer_gives_up_when_its_patience_ends(db):
    open_store(db, create=True).close()
    with (
        open_store(db) as one,
        open_store(db, patience=1) as other,
        one.writing(),
        pytest.raises(StoreError, match="is in use by another program; wait until it is done"),
        other.writing(),
    ):
        pass


def test_a_reader_sees_one_state_while_others_write(opened):
    write(opened, found())
    count = select(schema.photos.c.id)
    with opened.reading() as connection:
        assert len(connection.execute(count).all()) == 1
        write(opened, found(name="2.jpg"))
        assert len(connection.execute(count).all()) == 1
    with opened.reading() as connection:
        assert len(connection.execute(count).all()) == 2


def test_an_error_rolls_the_transaction_back(opened, db):
    write(opened, found())
    before = content(db)
    with pytest.raises(RuntimeError), opened.writing() as connection:
        write_results(connection, 1, [found(name="2.jpg")])
        raise RuntimeError
    assert content(db) == before


@pytest.mark.parametrize("db", ["sqlite"], indirect=True)
def test_a_stale_or_lost_write_ahead_log_does_no_harm(db):
    with open_store(db, create=True) as new:
        write(new, found())
        copies = {suffix: Path(db + suffix).read_bytes() for suffix in ("", "-wal", "-shm")}
    for kept in (("", "-wal", "-shm"), ("", "-wal")):
        for suffix, data in copies.items():
            Path(db + suffix).unlink(missing_ok=True)
            if suffix in kept:
                Path(db + suffix).write_bytes(data)
        assert store.status(db).photos == 1
        assert sqlite3.connect(db).execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_version_is_another_one_after_any_change_and_only_then(db):
    with open_store(db, create=True) as reader, open_store(db) as another:
        versions = [reader.version()]
        write(another, found("Dress"))
        versions.append(reader.version())
        write(reader, found("Coat", name="b"))
        versions.append(reader.version())
        assert len({*versions}) == 3
        if reader.is_sqlite:  # A server counts what it does for itself too.
            store.customer_names(reader)
            assert reader.version() == versions[-1]
