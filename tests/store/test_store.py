"""The store itself: opening and refusing, versions, what is written, what the tables say."""

from __future__ import annotations

import itertools
import os
import re
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, insert, inspect, select, text
from sqlalchemy.engine import Engine

from tests.factories.databases import content, engine
from tests.factories.pictures import let_everybody_in
from tests.factories.stored import EMBEDDING, NEW, NOW, OLD, found, skipped, write
from trendscope import store
from trendscope.categories import CATEGORIES
from trendscope.errors import StoreError, UsageError
from trendscope.feeds.post import Post
from trendscope.photos.results import Garment
from trendscope.skipped import Skipped
from trendscope.store import database, schema
from trendscope.store.database import Patience, open_store
from trendscope.store.memory import StoredPhotos, location_key, ranked, stamp
from trendscope.store.schema import from_moment, to_moment
from trendscope.store.weights import current_weights, finish_reclassifying
from trendscope.store.write_photos import begin_scan, write_results
from trendscope.vision.near_duplicates import ImageFingerprint

forgetting = sys.modules["trendscope.store.removal"]  # the function of this name hides it

# --- opening -------------------------------------------------------------------------------------


def test_a_new_store_has_its_tables_and_a_second_opening_changes_nothing(db):
    for _ in range(2):
        with open_store(db, create=True, now=NOW) as it, it.reading() as connection:
            assert set(inspect(connection).get_table_names()) == set(schema.metadata.tables)
            steps = connection.execute(select(schema.schema_steps)).all()
            assert steps == [(n, name, to_moment(NOW)) for n, name, _ in schema.STEPS]
            assert [n for n, _, _ in schema.STEPS] == [*range(1, schema.VERSION + 1)]


def test_every_table_and_every_column_of_doubtful_meaning_is_explained():
    for table in schema.metadata.tables.values():
        assert table.comment, table.name
    bare = {c.name for t in schema.metadata.tables.values() for c in t.c if not c.comment}
    assert bare == {
        *("id", "customer_id", "image_id", "item_id", "weights_id"),  # numbers of rows elsewhere
        *("applied_at", "started_at", "y0", "x1", "y1"),
    }


def test_what_is_only_read_is_not_made(db, tmp_path):
    with pytest.raises(StoreError, match=r"there is no trendscope database at .*scan PATH --db"):
        open_store(db)
    assert list((tmp_path / "store").iterdir() if (tmp_path / "store").exists() else []) == []


def test_where_it_lies_by_default(monkeypatch, tmp_path):
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
def test_other_kinds_of_database_are_wrong_usage(url):
    with pytest.raises(UsageError, match=r"give a file, such as trendscope\.db, or postgresql://"):
        open_store(url, create=True)


def test_a_server_that_is_not_there_and_its_password():
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match=r"cannot be reached; check address") as caught:
        open_store("postgresql://me:secret@127.0.0.1:1/x", create=True)
    assert "me:***@127.0.0.1" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_without_the_driver_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"pip install 'trendscope\[postgres\]'"):
        open_store("postgresql://h/x")


@pytest.mark.parametrize("data", [b"no database " * 200, b"SQLite format 3\0" + b"\xff" * 5000])
@pytest.mark.parametrize("create", [False, True])
def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path, data, create):
    path = tmp_path / "notes.db"
    path.write_bytes(data)
    with pytest.raises(StoreError, match="is no database, or is damaged; name another file"):
        open_store(path, create=create)
    assert path.read_bytes() == data


def test_a_photo_given_as_database_is_refused_and_kept(photos):
    path = photos / "anna" / "bag.png"
    data = path.read_bytes()
    with pytest.raises(StoreError, match="is no database"):
        open_store(path, create=True)
    assert path.read_bytes() == data
    assert not list(path.parent.glob("bag.png?*"))


def test_another_programs_database_is_refused_and_kept(db):
    bare = engine(db)
    with bare.begin() as connection:
        connection.execute(text("CREATE TABLE invoices (n INTEGER)"))
    for create in (False, True):
        with pytest.raises(StoreError, match=r"another program's tables \(invoices\)"):
            open_store(db, create=create)
    assert inspect(bare).get_table_names() == ["invoices"]
    bare.dispose()


def test_a_newer_trendscopes_database_is_refused_and_kept(db):
    with open_store(db, create=True) as it, it.writing() as connection:
        step = {"version": 77, "name": "hats", "applied_at": 0}
        connection.execute(insert(schema.schema_steps).values(step))
    for create in (False, True):
        with pytest.raises(
            StoreError, match=r"tables of version 77; this one knows \d+\).*upgrade"
        ):
            open_store(db, create=create)


def test_an_empty_file_becomes_a_database_but_is_none_to_read(tmp_path):
    path = tmp_path / "empty.db"
    path.touch()
    with pytest.raises(StoreError, match="there is no trendscope database"):
        open_store(path)
    open_store(path, create=True).close()
    assert store.status(path).photos == 0


def test_folders(tmp_path):
    with pytest.raises(StoreError, match="is a folder; name a file in it"):
        open_store(tmp_path, create=True)
    with pytest.raises(StoreError, match=r"there is no folder .*nowhere; create it first"):
        open_store(tmp_path / "nowhere" / "x.db", create=True)


def test_names_that_are_urls_in_disguise(tmp_path):
    path = tmp_path / "100% #1?mode=ro.db"
    open_store(path, create=True).close()
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.skipif(os.getuid() != 0, reason="root alone can become somebody without rights")
def test_a_read_only_folder_can_be_read_and_says_so_when_written(tmp_path):
    path = tmp_path / "shared" / "t.db"
    path.parent.mkdir()
    with open_store(path, create=True) as it:
        write(it, found())
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


# --- versions ------------------------------------------------------------------------------------


def two_steps(monkeypatch, work):
    number = schema.VERSION + 1
    monkeypatch.setattr(schema, "VERSION", number)
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, (number, "colours", work)))


def add_colour(connection):
    connection.execute(text("ALTER TABLE photos ADD COLUMN colour TEXT"))


def test_an_older_database_is_brought_up_to_date_with_what_it_holds(db, monkeypatch):
    with open_store(db, create=True) as it:
        write(it, found(), skipped())
    before = content(db)
    two_steps(monkeypatch, add_colour)
    with open_store(db) as it, it.reading() as connection:
        assert "colour" in {c["name"] for c in inspect(connection).get_columns("photos")}
        assert [s.name for s in connection.execute(select(schema.schema_steps))][-1] == "colours"
    assert content(db) == before


def test_a_step_that_fails_half_way_leaves_the_old_database(db, monkeypatch):
    with open_store(db, create=True) as it:
        write(it, found())
    before = content(db)

    def half(connection):
        add_colour(connection)
        connection.execute(text("ALTER TABLE nothing ADD COLUMN colour TEXT"))

    two_steps(monkeypatch, half)
    with pytest.raises(StoreError, match="what it held before is unchanged"):
        open_store(db)
    monkeypatch.undo()
    with open_store(db) as it, it.reading() as connection:
        assert "colour" not in {c["name"] for c in inspect(connection).get_columns("photos")}
    assert content(db) == before


def test_the_steps_give_the_tables_that_the_schema_describes(opened):
    with opened.reading() as connection:
        inspector = inspect(connection)
        for table in schema.metadata.tables.values():
            columns = {c["name"] for c in inspector.get_columns(table.name)}
            assert columns == {column.name for column in table.c}, table.name
            indexes = {i["name"] for i in inspector.get_indexes(table.name)}
            assert {index.name for index in table.indexes} <= indexes, table.name


# --- busy ----------------------------------------------------------------------------------------


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


def test_a_writer_who_has_waited_long_enough_says_who_is_to_blame(db):
    open_store(db, create=True).close()
    hasty = Patience(seconds=1)
    with (
        open_store(db) as one,
        open_store(db, patience=hasty) as other,
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


def test_an_error_while_writing_undoes_the_whole_transaction(opened, db):
    write(opened, found())
    before = content(db)
    with pytest.raises(RuntimeError), opened.writing() as connection:
        write_results(connection, 1, [found(name="2.jpg")])
        raise RuntimeError
    assert content(db) == before


@pytest.mark.parametrize("db", ["sqlite"], indirect=True)
def test_a_log_that_was_left_behind_or_lost_does_no_harm(db):
    with open_store(db, create=True) as it:
        write(it, found())
        copies = {s: Path(db + s).read_bytes() for s in ("", "-wal", "-shm")}
    for kept in (("", "-wal", "-shm"), ("", "-wal")):
        for suffix, data in copies.items():
            Path(db + suffix).unlink(missing_ok=True)
            if suffix in kept:
                Path(db + suffix).write_bytes(data)
        assert store.status(db).photos == 1
        assert sqlite3.connect(db).execute("PRAGMA integrity_check").fetchall() == [("ok",)]


# --- moments, places -----------------------------------------------------------------------------


@given(st.datetimes(timezones=st.just(UTC)))
def test_moments_come_back_exactly(time):
    assert from_moment(to_moment(time)) == time


def test_moments_are_microseconds_since_1970_in_utc():
    assert to_moment(datetime(1970, 1, 2, tzinfo=UTC)) == 86_400_000_000
    assert to_moment(datetime(2026, 11, 21, 8, 30, 0, 250_000, tzinfo=UTC)) == 1795249800250000
    assert (to_moment(None), from_moment(None)) == (None, None)


def test_places_differ_where_names_do():
    names = ["".join(p) for n in range(3) for p in itertools.product("a\0?1:\udcff", repeat=n)]
    places = {location_key(*pair) for pair in itertools.product(names, repeat=2)}
    assert len(places) == len(names) ** 2
    assert location_key("a", "b") == location_key("a", "b")


def test_a_stamp_is_of_the_file_and_not_of_how_its_path_is_written(tmp_path, monkeypatch):
    from trendscope.feeds.dispatch import open_feed

    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / "a.jpg").write_bytes(b"12345")
    os.utime(tmp_path / "anna" / "a.jpg", ns=(7, 123_456_789))
    monkeypatch.chdir(tmp_path)
    (relative,) = open_feed([Path("anna")])
    (absolute,) = open_feed([tmp_path / "anna"])
    assert stamp(relative) == stamp(absolute)
    assert (stamp(relative).size, stamp(relative).modified) == (5, 123_456_789)
    (other,) = open_feed([tmp_path / "anna"], customer="ben")
    assert stamp(other).place != stamp(absolute).place
    (tmp_path / "anna" / "a.jpg").unlink()
    assert stamp(relative).size is None


# --- what is written and read back ---------------------------------------------------------------


def test_a_reading_comes_back_as_it_was(opened):
    looks = ImageFingerprint(2**63 + 5, bytes(range(256)) * 3, 0.75)
    whole = found(
        day=(2026, 3, 2, 9),
        taken_at=datetime(2026, 3, 1, tzinfo=UTC),
        thumbnail=b"JPEG",
        fingerprint=looks,
    )[1]
    open_questions = [
        found(None, name=f"{verdict}.jpg", verdict=verdict, outside=0.3)[1]
        for verdict in ("uncertain", "outside")
    ]
    for original in (whole, *open_questions):
        post = Post(
            "anna",
            original.post_id,
            original.posted_at,
            original.date_source,
            original.source,
            bytes,
        )
        weights_id = write(opened, (stamp(post), original))
        for pictures in (False, True):
            memory = StoredPhotos(opened, weights_id, pictures=pictures)
            again = memory.by_bytes(post, original.sha256)
            wanted = dict(original.probabilities)
            assert dict(again.probabilities) == {
                name: pytest.approx(value, abs=1e-7) for name, value in wanted.items()
            }
            assert again.probabilities[0][0] == original.probabilities[0][0]
            assert again.thumbnail == (original.thumbnail if pictures else None)
            for name in (
                "customer",
                "posted_at",
                "date_source",
                "verdict",
                "garments",
                "outside",
                "fingerprint",
            ):
                assert getattr(again, name) == getattr(original, name), name
        assert memory.by_bytes(post, "unheard of") is None
        assert memory.recall == memory.by_bytes
    assert StoredPhotos(opened, None, name="others").recall is None, (
        "other weights have judged nothing"
    )


def test_probabilities_are_ranked_as_the_classifier_ranks_them():
    values = np.array([0.1, 0.3, 0.1, 0.3, 0, 0, 0, 0, 0, 0.2], "<f4")
    assert [name for name, _ in ranked(values.tobytes())[:5]] == [
        "Trouser",
        "Dress",
        "Ankle boot",
        "T-shirt/top",
        "Pullover",
    ]


def test_several_garments_in_one_photo(opened):
    two = (Garment("Dress", 0.8, (1, 2, 3, 4)), Garment("Bag", 0.6, (5, 6, 7, 8)))
    write(opened, found(garments=two))
    frame = store.sightings(opened)
    assert frame["category"].tolist() == ["Dress", "Bag"]
    assert frame[["x0", "y1"]].to_numpy().tolist() == [[1, 4], [5, 8]]
    assert store.customers(opened).loc[0, ["photos", "classified"]].tolist() == [1, 1]


def test_writing_twice_is_writing_once(opened, db):
    items = [found(), found(name="2.jpg", customer="ben"), skipped(), skipped(customer=None)]
    write(opened, *items)
    before = content(db)
    assert [len(before[t]) for t in ("customers", "images", "photos", "skips")] == [2, 2, 2, 2]
    write(opened, *items, *items)
    assert content(db) == before


def test_the_same_image_of_two_customers_is_kept_once_and_counts_for_both(opened, db):
    write(opened, found(sha256="s"), found(customer="ben", sha256="s"))
    assert [len(content(db)[t]) for t in ("images", "sightings", "photos")] == [1, 1, 2]
    assert store.customers(opened)["photos"].tolist() == [1, 1]


def test_a_photo_that_was_replaced_takes_the_old_image_with_it(opened, db):
    write(opened, found(sha256="old", thumbnail=b"T"), found(name="2.jpg", sha256="other"))
    write(opened, found("Bag", sha256="new"))
    assert [row[0] for row in content(db)["images"]] == ["new", "other"]
    assert content(db)["thumbnails"] == []
    assert sorted(store.sightings(opened)["category"]) == ["Bag", "Dress"]


def test_a_file_that_could_not_be_read_and_now_can_is_no_longer_skipped(opened):
    at, result = found()
    write(opened, (at, Skipped("anna", "1.jpg", "truncated", "cut short")))
    assert store.skips(opened)["reason"].tolist() == ["truncated"]
    write(opened, (at, result))
    assert store.skips(opened).empty
    assert len(store.sightings(opened)) == 1


def test_a_photo_whose_file_broke_keeps_what_was_seen(opened):
    at, result = found()
    write(opened, (at, result))
    write(opened, (at, Skipped("anna", "1.jpg", "truncated", "cut short")))
    assert (len(store.skips(opened)), len(store.sightings(opened))) == (1, 1)


def test_names_that_are_no_text_are_kept_apart_and_readable(opened):
    names = ["a\udcff", "a\0b", "a\nb", "ünï", "‮x", "'; DROP TABLE photos; --"]
    items = (
        found(customer=name, name=f"{i}.jpg", sha256=str(i), source=name, post_id=name)
        for i, name in enumerate(names)
    )
    write(opened, *items)
    assert sorted(store.customers(opened)["customer"]) == sorted(
        ["a\\udcff", "a\\x00b", "a\nb", "ünï", "‮x", "'; DROP TABLE photos; --"]
    )


@pytest.mark.parametrize("db", ["sqlite"], indirect=True)
def test_no_statement_of_a_scan_walks_through_a_whole_table(opened, db):
    """A batch must cost the same whether a customer, or a database, is large or small."""
    asked = []

    def note(connection, cursor, statement, parameters, context, many):
        asked.append((statement, parameters[0] if many else parameters))

    items = [found(), found(name="2.jpg", customer="ben"), skipped()]
    event.listen(Engine, "before_cursor_execute", note)
    try:
        weights_id = write(opened, *items)
        write(opened, *items)
        memory = StoredPhotos(opened, weights_id, pictures=True)
        post = Post("anna", "1.jpg", None, "none", "1.jpg", bytes)
        memory.by_bytes(post, items[0][1].sha256)
        list(memory.look_up([post, items[2][1]], full=True))
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    bare = sqlite3.connect(db)
    plans = [
        (statement, row[3])
        for statement, parameters in asked
        if statement.split()[0] in ("SELECT", "UPDATE", "DELETE")
        for row in bare.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
    ]
    walks = re.compile(r"SCAN (?!weights\b|schema_steps\b|CONSTANT|\d)")
    assert len(plans) > 20
    assert [plan for plan in plans if walks.match(plan[1])] == []


# --- counting once -------------------------------------------------------------------------------

DATES = st.sampled_from([("feed", 1), ("feed", 2), ("exif", 1), ("file name", 3), ("none", None)])

POSTS = st.lists(
    st.tuples(st.sampled_from("pqr"), st.sampled_from("xyz"), DATES), min_size=1, max_size=6
)


def dated(customer, number, post_id, sha256, date):
    source, day = date
    posted_at = day and datetime(2026, 1, day, tzinfo=UTC)
    more = {"post_id": post_id, "sha256": sha256, "posted_at": posted_at, "date_source": source}
    return found(customer=customer, name=f"{number}.jpg", **more)


def expected_count(items):
    """By the rule's own words, over all pairs."""
    trust = ["feed", "exif", "file name", "none"]

    def rank(item):
        at, r = item
        return trust.index(r.date_source), to_moment(r.posted_at) or 0, at.place

    def counts(item):
        return not any(
            rank(other) < rank(item)
            and (other[1].sha256 == item[1].sha256 or other[1].post_id == item[1].post_id)
            for other in items
        )

    return sorted(at.place for at, r in items if counts((at, r)))


CUSTOMERS = itertools.count()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with open_store(tmp_path_factory.mktemp("law") / "t.db", create=True) as it:
        yield it


@given(posts=POSTS, data=st.data())
def test_neither_order_nor_batches_decide_what_counts(shared, posts, data):
    for size in (1, len(posts)):
        customer = f"customer {next(CUSTOMERS)}"
        items = [dated(customer, i, *post) for i, post in enumerate(posts)]
        shuffled = data.draw(st.permutations(items))
        for start in range(0, len(items), size):
            write(shared, *shuffled[start : start + size])
        with shared.reading() as connection:
            counted = select(schema.photos.c.place).join(schema.customers)
            counted = counted.where(schema.customers.c.name == customer, schema.photos.c.counted)
            assert sorted(connection.scalars(counted)) == expected_count(items)


def test_the_better_date_counts(opened):
    name, feed = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
    write(opened, found(sha256="s", posted_at=name, date_source="file name"))
    write(opened, found(name="2.jpg", sha256="s", posted_at=feed, date_source="feed"))
    write(opened, found(name="3.jpg", sha256="s"))
    assert store.sightings(opened)["posted_at"].tolist() == [feed]
    assert store.customers(opened)["doubles"].tolist() == [2]


def test_a_double_counts_again_when_the_better_one_becomes_another_photo(opened):
    write(opened, found(sha256="s", day=(2026, 1, 1)), found(name="2.jpg", sha256="s"))
    assert store.customers(opened)["photos"].tolist() == [1]
    write(opened, found(sha256="t", day=(2026, 1, 1)))
    assert store.customers(opened)["photos"].tolist() == [2]


# --- other weights -------------------------------------------------------------------------------


def test_other_weights_are_refused_unless_asked_for(opened, db):
    write(opened, found())
    before = content(db)
    with pytest.raises(StoreError, match=r"what old \(00000000\) saw; new \(11111111\) are other"):
        write(opened, found(name="2.jpg"), weights=NEW)
    assert content(db) == before


def test_old_results_count_until_the_new_are_whole(opened):
    write(opened, found("Dress"), found("Dress", name="2.jpg"))
    new = write(opened, found("Bag"), weights=NEW, reclassify=True)
    with opened.writing() as connection:
        assert finish_reclassifying(connection, new) == 1
    assert store.sightings(opened)["category"].tolist() == ["Dress", "Dress"]
    assert [w.images for w in store.status(opened).weights] == [2, 1]

    write(opened, found("Bag", name="2.jpg"), weights=NEW, reclassify=True)
    assert store.sightings(opened)["category"].tolist() == ["Dress", "Dress"]
    with opened.writing() as connection:
        assert finish_reclassifying(connection, new) == 0
    assert store.sightings(opened)["category"].tolist() == ["Bag", "Bag"]
    (used,) = store.status(opened).weights
    assert (used.name, used.current, used.images) == ("new", True, 2)


def test_a_scan_by_the_former_weights_stops_when_the_new_take_over(opened, db):
    old = write(opened, found("Dress"))
    new = write(opened, found("Bag"), weights=NEW, reclassify=True)
    with opened.writing() as connection:
        finish_reclassifying(connection, new)
    before = content(db)
    for reclassify in (False, True):
        with (
            pytest.raises(StoreError, match="run it again with the new weights"),
            opened.writing() as connection,
        ):
            write_results(connection, old, [found(name="2.jpg")], reclassify=reclassify)
    assert content(db) == before


def test_photos_not_yet_judged_by_the_current_weights_wait(opened):
    write(opened, found())
    write(opened, found(name="2.jpg"), weights=NEW, reclassify=True)
    assert store.customers(opened).loc[0, ["photos", "classified", "waiting"]].tolist() == [2, 1, 1]
    assert (store.status(opened).classified, store.status(opened).waiting) == (1, 1)


def test_current_weights(opened):
    with opened.reading() as connection:
        assert current_weights(connection) is None
    weights_id = write(opened, found())
    with opened.reading() as connection:
        assert current_weights(connection) == (weights_id, OLD)


# --- tables --------------------------------------------------------------------------------------


@pytest.fixture
def filled(opened):
    """Anna: two dresses, a bag (twice), two open ones, a video; Ben: a coat; a file of nobody's."""
    write(
        opened,
        found("Dress", day=(2026, 3, 2, 9)),
        found("Dress", name="2.jpg", day=(2026, 3, 30, 9), thumbnail=b"T2"),
        found("Bag", name="3.jpg", sha256="bag"),
        found("Bag", name="4.jpg", sha256="bag", day=(2026, 4, 1)),
        found(None, name="5.jpg", verdict="uncertain"),
        found(None, name="6.jpg", verdict="outside", day=(2025, 12, 31)),
        skipped(),
        found("Coat", customer="ben", name="7.jpg"),
        skipped("notes.txt", None, "not_an_image"),
    )
    return opened


def test_customers_add_up(filled):
    frame = store.customers(filled)
    columns = "customer photos classified uncertain outside waiting undated doubles skipped"
    assert list(frame.columns) == [*columns.split(), "first_posted", "last_posted"]
    assert frame.iloc[:, :9].to_numpy().tolist() == [
        ["anna", 5, 3, 1, 1, 0, 1, 1, 1],
        ["ben", 1, 1, 0, 0, 0, 1, 0, 0],
    ]
    anna = frame.loc[0]
    assert anna.first_posted == datetime(2025, 12, 31, tzinfo=UTC)
    assert anna.last_posted == datetime(2026, 4, 1, tzinfo=UTC)
    assert str(frame.dtypes["first_posted"]) == "datetime64[us, UTC]"
    assert frame["last_posted"].isna().tolist() == [False, True]


def test_sightings(filled):
    frame = store.sightings(filled, vectors=True)
    assert frame["customer"].tolist() == ["anna"] * 5 + ["ben"]
    assert frame["category"].fillna("-").tolist() == ["-", "Dress", "Dress", "Bag", "-", "Coat"]
    assert frame["reason"].fillna("-").tolist() == ["outside", "-", "-", "-", "uncertain", "-"]
    assert frame["confidence"].tolist() == [0.8] * 6
    assert frame["x1"].isna().tolist() == [True, False, False, False, True, False]
    assert frame["y1"].tolist()[1] == 220
    assert str(frame.dtypes["posted_at"]) == "datetime64[us, UTC]"
    assert {bytes(value) for value in frame["embedding"]} == {EMBEDDING}
    chances = np.frombuffer(frame["probabilities"][3], "<f4")
    assert chances[CATEGORIES.index("Bag")] == np.float32(0.8)
    assert list(store.sightings(filled).columns) == list(frame.columns)[:-2]
    assert len(store.sightings(filled, "ben")) == 1


def test_weekly_rows(filled):
    frame = store.weekly_rows(filled).sort_values(["customer", "posted_at"])
    columns = ["customer", "posted_at", "category", "reason", "confidence", "sha256", "source"]
    assert list(frame.columns) == columns
    assert len(frame) == len(store.sightings(filled))
    counts = frame.groupby(["customer", "category"], observed=True).size().to_dict()
    assert counts == {("anna", "Dress"): 2, ("anna", "Bag"): 1, ("ben", "Coat"): 1}
    assert frame["reason"].value_counts().to_dict() == {"outside": 1, "uncertain": 1}
    assert frame["posted_at"].isna().sum() == 2
    some = store.weekly_rows(filled, ["posted_at", "category"])
    assert list(some.columns) == ["posted_at", "category"]


def test_skips(filled):
    frame = store.skips(filled)
    assert frame.fillna("-").to_numpy().tolist() == [
        ["anna", "x.mp4", "video", "a video; only photos are looked at"],
        ["-", "notes.txt", "not_an_image", "a video; only photos are looked at"],
    ]


def test_tables_of_an_empty_store_have_their_columns(opened):
    for table in (store.sightings, store.weekly_rows, store.customers, store.skips):
        frame = table(opened)
        assert (len(frame), frame.columns[0]) == (0, "customer")
        write(opened, found(name=table.__name__), skipped())
        types = table(opened).dtypes.astype(str).to_dict()
        store.forget(opened, "anna")
        assert frame.dtypes.astype(str).to_dict() == types
    assert str(store.weekly_rows(opened).dtypes["posted_at"]) == "datetime64[us, UTC]"


def test_large_tables_are_fetched_in_parts(filled, monkeypatch):
    from trendscope.store import frames

    whole = store.sightings(filled)
    monkeypatch.setattr(frames, "FETCHED", 2)
    assert store.sightings(filled).equals(whole)


def test_thumbnails(filled):
    digest = "anna-2.jpg"
    assert store.thumbnails(filled, [digest, "anna-1.jpg", "none"]) == {digest: b"T2"}


def test_status(filled):
    with filled.writing() as connection:
        begin_scan(connection, 1, NOW)
        begin_scan(connection, 1, NOW + timedelta(hours=1))
    found_ = store.status(filled)
    assert (found_.customers, found_.photos, found_.doubles, found_.undated) == (2, 6, 1, 2)
    assert (found_.classified, found_.uncertain, found_.outside, found_.waiting) == (4, 1, 1, 0)
    assert found_.skipped == {"not_an_image": 1, "video": 1}
    assert [(w.name, w.since, w.current, w.images) for w in found_.weights] == [
        ("old", NOW, True, 6)
    ]
    assert (found_.scans, found_.first_scan.started_at) == (2, NOW)
    assert found_.last_scan.started_at == NOW + timedelta(hours=1)
    assert found_.last_scan.finished_at is None


# --- forgetting ----------------------------------------------------------------------------------


def test_forgetting_takes_everything_of_one_customer_and_nothing_of_others(filled, db):
    write(
        filled, found("Coat", name="8.jpg", sha256="ben-7.jpg")
    )  # Ben's image, posted by Anna too
    gone = store.forget(filled, "anna")
    assert (gone.photos, gone.skipped, gone.images) == (7, 1, 5)
    assert store.customers(filled)["customer"].tolist() == ["ben"]
    assert store.sightings(filled)["category"].tolist() == ["Coat"]
    left = content(db)
    assert {name: len(rows) for name, rows in left.items()} == {
        **dict.fromkeys(("customers", "weights", "images", "photos", "sightings"), 1),
        **{"embeddings": 1, "thumbnails": 0, "skips": 1, "accounts": 0, "looks": 0},
        "corrections": 0,
    }
    assert "anna" not in repr(left)
    assert gone.rows["photos"] == 7 and gone.rows["sightings"] == gone.rows["embeddings"] == 5


def test_what_would_be_forgotten_is_told_and_nothing_is_changed(filled, db):
    before = content(db)
    told = store.forgettable(filled, "anna")
    assert content(db) == before
    gone = store.forget(filled, "anna")
    assert (gone.photos, gone.skipped, gone.images, gone.rows) == (
        told.photos,
        told.skipped,
        told.images,
        told.rows,
    )


def test_every_table_with_a_customer_or_an_image_is_cleared():
    about = {"customer_id", "image_id"}
    named = {t.name for t in schema.metadata.tables.values() if about & {*t.c.keys()}}
    cleared = {t.name for column in about for t in forgetting._owned(column)}
    assert cleared == named >= {"photos", "skips", "accounts", "sightings", "thumbnails"}


def test_an_unknown_customer_is_said_and_costs_nobody(filled, db):
    before = content(db)
    with pytest.raises(StoreError, match="holds no customer 'eve'; check the spelling"):
        store.forget(filled, "eve")
    with pytest.raises(StoreError, match="holds no customer 'Anna'; is it anna"):
        store.forget(filled, "Anna")
    assert content(db) == before


@pytest.mark.parametrize("db", ["sqlite"], indirect=True)
def test_what_was_forgotten_is_no_longer_in_the_file(opened, db):
    secret = b"SECRET PICTURE " * 50
    write(opened, found(customer="anna-secret", thumbnail=secret), found(customer="ben"))
    store.forget(opened, "anna-secret")
    data = b"".join(path.read_bytes() for path in Path(db).parent.iterdir())
    assert b"SECRET" not in data and b"anna-secret" not in data and b"ben" in data


@pytest.mark.parametrize("db", ["sqlite"], indirect=True)
def test_nothing_is_left_between_pages_after_many_rows(opened, db):
    for start in range(0, 600, 100):
        batch = [
            found(customer=who, name=f"{who}-{i}.jpg", thumbnail=who.encode() * 90)
            for i in range(start, start + 100)
            for who in ("anna-secret", "ben")
        ]
        write(opened, *batch)
    assert store.forget(opened, "anna-secret").wiped
    assert b"anna-secret" not in b"".join(p.read_bytes() for p in Path(db).parent.iterdir())
    assert store.customers(opened)["photos"].tolist() == [600]


@pytest.mark.parametrize("db", ["sqlite"], indirect=True)
def test_while_somebody_reads_traces_may_stay_and_that_is_said(opened, db):
    write(opened, found(customer="anna-secret"), found(customer="ben"))
    reader = sqlite3.connect(db)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM photos").fetchone()
    with open_store(db, patience=Patience(0.2)) as impatient:
        assert not store.forget(impatient, "anna-secret").wiped
        reader.close()
        assert impatient.wipe()
