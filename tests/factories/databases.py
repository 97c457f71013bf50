"""Databases to test with: SQLite files, and a PostgreSQL server of our own where Debian's is there.

python -m tests.factories.databases            # starts a server, prints its URL, stops it on Enter
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import sqlalchemy
from sqlalchemy import inspect, make_url, select, text
from sqlalchemy.engine import Engine

from trendscope.store import schema

SERVERS = Path("/usr/lib/postgresql")


class Compiled(dict):
    """Statements that any engine of this process has compiled, by the kind of its database."""

    def get(self, key, default=None):
        dialect, *statement = key
        return super().get((dialect.name, *statement), default)

    def __setitem__(self, key, compiled):
        dialect, *statement = key
        super().__setitem__((dialect.name, *statement), compiled)


COMPILED = Compiled()


def create_engine(*arguments, **options) -> Engine:
    """SQLAlchemy's, but what another engine has compiled is not compiled again: that is slow."""
    engine = sqlalchemy.create_engine(*arguments, **options)
    engine.update_execution_options(compiled_cache=COMPILED)
    return engine


def binaries():
    """The folder with initdb and pg_ctl of the newest version; None if there is none."""
    programs = sorted(SERVERS.glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return programs[-1].parent if programs else None


@contextmanager
def server() -> Iterator[str]:
    """A PostgreSQL server on a socket in a folder of its own; gives its maintenance database.

    It refuses to run as root, so root runs it as the user ``postgres``.
    """
    # In memory, where that is possible: each database is hundreds of files to make and to remove.
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    folder = Path(tempfile.mkdtemp(prefix="trendscope-pg-", dir=memory))
    as_user = {}
    if os.getuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def call(program, *arguments):
        command = [str(binaries() / program), "-D", str(folder / "data"), *arguments]
        log = folder / "output"
        with open(log, "ab") as output:
            done = subprocess.run(command, cwd=folder, stdout=output, stderr=output, **as_user)
        assert done.returncode == 0, log.read_text()

    try:
        call("initdb", "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        # No crash of the machine is tested; without waiting for the disk it is quick.
        settings = f"-k {folder} -c listen_addresses='' -c max_connections=50"
        settings += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        call("pg_ctl", "start", "-w", "-o", settings, "-l", str(folder / "log"))
        try:
            yield f"postgresql://tester@/postgres?host={quote(str(folder))}"
        finally:
            call("pg_ctl", "stop", "-w", "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_NUMBERS = itertools.count()


def new_database(maintenance: str, like: str | None = None) -> str:
    """The URL of a database on the server: an empty one, or a copy of another one's URL."""
    template = make_url(like).database if like else "template1"
    name = f"test_{os.getpid()}_{next(_NUMBERS)}_{uuid.uuid4().hex[:6]}"
    with engine(maintenance).connect().execution_options(isolation_level="AUTOCOMMIT") as c:
        c.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    return maintenance.replace("/postgres?", f"/{name}?")


def engine(db: str | Path) -> Engine:
    """A bare connection to look into a database, beside the store."""
    if "://" not in str(db):
        return create_engine(f"sqlite:///{db}")
    return create_engine(str(db).replace("postgresql://", "postgresql+psycopg://", 1))


def content(db: str | Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table's rows, sorted, with what numbers stand for instead of the numbers.

    Numbers depend on which attempts failed before. Of scans only the weights are given: each run
    adds a row. Weights are known by digest, customers by name, images by sha256.
    """
    t = schema
    who, what, by = t.customers.c.name, t.images.c.sha256, t.weights.c.digest

    def columns(table, *names):
        dropped = {"id", "customer_id", "image_id", "weights_id", *names}
        return [column for column in table.c if column.name not in dropped]

    queries = {
        "customers": select(who),
        "accounts": select(who, t.accounts.c.account).join_from(t.accounts, t.customers),
        "weights": select(*columns(t.weights, "since")),
        "images": select(*columns(t.images)),
        "photos": select(who, what, *columns(t.photos))
        .join_from(t.photos, t.customers)
        .join(t.images),
        "sightings": select(what, by, *columns(t.sightings))
        .outerjoin_from(t.sightings, t.images)
        .outerjoin(t.weights),
        "corrections": select(what, *columns(t.corrections)).join_from(t.corrections, t.images),
        "embeddings": select(what, by, *columns(t.embeddings))
        .outerjoin_from(t.embeddings, t.images)
        .outerjoin(t.weights),
        "thumbnails": select(what, *columns(t.thumbnails)).outerjoin_from(t.thumbnails, t.images),
        "looks": select(what, *columns(t.looks)).outerjoin_from(t.looks, t.images),
        "skips": select(who, *columns(t.skips)).outerjoin_from(t.skips, t.customers),
    }
    bare = engine(db)
    try:
        with bare.connect() as connection:
            if not inspect(connection).has_table("photos"):
                return {}
            return {
                name: sorted((tuple(row) for row in connection.execute(query)), key=repr)
                for name, query in queries.items()
            }
    finally:
        bare.dispose()


if __name__ == "__main__":
    with server() as url:
        input(f"{url}\n")
