"""Scans that are killed, whose writes fail, whose disk is full: old state or new, then on."""

from __future__ import annotations

import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, inspect
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from tests.benchmarks import kills
from tests.factories.classifier import FakeClassifier, Other
from tests.factories.databases import content, engine, new_database
from tests.factories.paintings import painted
from trendscope import store
from trendscope.errors import StoreError
from trendscope.ingest.photos import scan
from trendscope.store.database import Store

HOME = Path(__file__).parents[2]


# --- SIGKILL -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def feed(tmp_path_factory):
    """Photos for some twenty batches, which a killed scan may lie between."""
    return kills.make_feed(tmp_path_factory.mktemp("feed"), 150)


def check(results):
    assert all(kill.same for kill in results), results
    assert any(0 < kill.kept for kill in results), results


def test_a_killed_scan_can_be_resumed_in_sqlite(feed, tmp_path):
    numbers = iter(range(100))
    check(list(kills.kills(feed, lambda: str(tmp_path / f"{next(numbers)}.db"), 2, seed=1)))


def test_a_killed_scan_can_be_resumed_in_postgresql(feed, postgres):
    check(list(kills.kills(feed, lambda: new_database(postgres), 2, seed=6)))


# --- every write that can fail, once -------------------------------------------------------------


WRITES = ("INSERT", "UPDATE", "DELETE", "CREATE", "COMMIT")


@contextmanager
def failing(nth):
    """Makes the n-th write of any database fail, commits among them; counts the writes."""
    counts = {"writes": 0}

    def count():
        counts["writes"] += 1
        if counts["writes"] == nth:
            raise OperationalError("", None, sqlite3.OperationalError("database or disk is full"))

    def execute(connection, cursor, statement, *_):
        if statement.lstrip().upper().startswith(WRITES):
            count()

    def commit(connection):
        count()

    event.listen(Engine, "before_cursor_execute", execute)
    event.listen(Engine, "commit", commit)
    try:
        yield counts
    finally:
        event.remove(Engine, "before_cursor_execute", execute)
        event.remove(Engine, "commit", commit)


@contextmanager
def every_state(db):
    """Lists what the database holds before and after each transaction."""
    states = [content(db)]
    real = Store.writing

    @contextmanager
    def writing(self):
        with real(self) as connection:
            yield connection
        states.append(content(db))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "writing", writing)
        yield states


def first_scan(db, photos):
    scan([photos], db, weights=FakeClassifier(), batch=2)


def change_of_weights(db, photos):
    scan([photos], db, weights=Other(), batch=2, reclassify=True)


def forgetting(db, photos):
    if "anna" in store.customers(db)["customer"].tolist():
        store.forget(db, "anna")


def nothing(db, photos):
    pass


def tables_and_rows(db):
    bare = engine(db)
    try:
        return inspect(bare).get_table_names(), content(db)
    finally:
        bare.dispose()


@pytest.mark.parametrize(
    ("before", "action"),
    [(nothing, first_scan), (first_scan, change_of_weights), (first_scan, forgetting)],
    ids=lambda function: function.__name__,
)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_failed_write_leaves_the_old_or_the_new_state(
    kind, before, action, photos, tmp_path, request
):
    numbers = iter(range(1000))

    def new(like=None):
        if kind == "postgresql":
            return new_database(request.getfixturevalue("postgres"), like)
        path = tmp_path / f"{next(numbers)}.db"
        if like and Path(like).exists():
            shutil.copyfile(like, path)
        return str(path)

    prepared = new()
    before(prepared, photos)
    undisturbed = new(prepared)
    with failing(None) as counts, every_state(undisturbed) as states:
        action(undisturbed, photos)
    assert counts["writes"] >= 5
    # On a server one database for each takes its time; a share of them will do there.
    step = 1 if kind == "sqlite" else 5
    gone_on = []
    for nth in range(1, counts["writes"] + 1, step):
        db = new(prepared)
        with failing(nth), pytest.raises(StoreError, match="no room left"):
            action(db, photos)
        left = tables_and_rows(db)
        assert left[1] in states, nth
        if left not in gone_on:  # else it would go on as before
            gone_on.append(left)
            action(db, photos)
            assert content(db) == states[-1], nth


# --- full disks ----------------------------------------------------------------------------------


def scan_process(feed, db, **options):
    command = [sys.executable, "-m", kills.__name__, "--scan", str(feed), str(db)]
    return subprocess.run(command, cwd=HOME, capture_output=True, text=True, **options)


@pytest.fixture(scope="module")
def undisturbed(feed, tmp_path_factory):
    """What an undisturbed scan of the feed stores."""
    path = tmp_path_factory.mktemp("undisturbed") / "t.db"
    scan([feed], path, weights=FakeClassifier())
    return content(path)


@pytest.mark.parametrize("kilobytes", [1, 40, 150, 300])
def test_a_file_size_limit_loses_no_stored_photos(feed, undisturbed, tmp_path, kilobytes):
    limit = kilobytes * 1024
    path = tmp_path / "t.db"
    done = scan_process(
        feed,
        path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert "StoreError" in done.stderr and "has no room left; free some space" in done.stderr
    if content(path):
        assert store.status(path).photos >= 0
    kept = len(content(path).get("photos", []))
    kills.go_on(feed, path)
    assert content(path) == undisturbed
    assert kept < len(content(path)["photos"])


@pytest.fixture
def small_disk(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_loses_no_stored_photos(feed, undisturbed, small_disk):
    path = small_disk / "t.db"
    done = scan_process(feed, path)
    assert "has no room left; free some space" in done.stderr
    assert 0 < store.status(path).photos < 140
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    kills.go_on(feed, path)
    assert content(path) == undisturbed


# --- Ctrl-C --------------------------------------------------------------------------------------


def test_ctrl_c_keeps_the_photos_judged_so_far(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    picture = painted("Bag", (1500, 1500))
    for i in range(400):
        (folder / f"{i}.png").write_bytes(picture + i.to_bytes(2, "big"))
    path = tmp_path / "t.db"
    command = [
        sys.executable,
        "-m",
        "tests.factories.classifier",
        "scan",
        str(folder),
        "--db",
        str(path),
    ]
    process = subprocess.Popen(
        command, cwd=HOME, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not content(path).get("photos"):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, "")
    assert error == "trendscope: stopped; what was looked at is kept; run it again to go on\n"
    result = store.status(path)
    assert 0 < result.photos < 400
    assert (result.last_scan.judged, result.last_scan.finished_at) == (result.photos, None)
