"""One database behind a path or URL: opening, transactions, and errors that say what to do."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, Self, TypeVar
from urllib.parse import quote

from sqlalchemy import (
    Connection,
    Engine,
    PoolProxiedConnection,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from trendscope.errors import StoreError, UsageError
from trendscope.store import schema

T = TypeVar("T")

Clock = Callable[[], datetime]
"""Source of the present, aware."""

VARIABLE = "TRENDSCOPE_DB"

DEFAULT = "trendscope.db"

PATIENCE = 60.0
"""Seconds to wait for another program's writing before the database counts as in use."""

WRITERS = 7_265_318_004
"""Number of the advisory lock that lets one writer at a time into a PostgreSQL database."""


class Store:
    """A database of photos and sightings; close it, or use it in a ``with`` statement.

    Readers see one state of it, however long they read. Writers wait for each other, and a
    transaction is written as a whole or not at all. Threads may share a store.

    Attributes:
        shown: The database's name for people, without any password.
    """

    def __init__(self, engine: Engine, shown: str, patience: float):
        self.shown = shown
        self._engine = engine
        self._patience = patience
        self._watch: PoolProxiedConnection | None = None
        self._watching = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes all connections."""
        with self._watching:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        self._engine.dispose()

    def version(self) -> str:
        """A text that is another one once anybody has changed the database."""
        if not self.is_sqlite:
            with self.reading() as connection:
                return str(connection.scalar(text("SELECT pg_current_snapshot()")))
        with _explained(self.shown), self._watching:
            # SQLite counts the changes that are not the asking connection's own, so it is kept.
            self._watch = self._watch or self._engine.raw_connection()
            driver: Any = self._watch.driver_connection
            return str(driver.execute("PRAGMA data_version").fetchone()[0])

    @property
    def is_sqlite(self) -> bool:
        """True for a file, False for a server."""
        return self._engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the database until it is closed."""
        with _explained(self.shown), self._engine.connect() as connection:
            if not self.is_sqlite:
                connection.execute(
                    text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                )
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection that writes alone, and commits at the end unless there was an error."""
        with _explained(self.shown), self._engine.connect() as connection:
            connection = connection.execution_options(trendscope_writes=True)
            with connection.begin():
                if not self.is_sqlite:
                    wait = f"{round(self._patience)}s"
                    connection.execute(text(f"SET LOCAL lock_timeout = '{wait}'"))
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({WRITERS})"))
                yield connection

    def wipe(self) -> bool:
        """Makes a SQLite file forget deleted content that its pages or its log still hold.

        Deleted rows are overwritten at once (``secure_delete``), but what SQLite had copied from
        page to page is not, so the file is written anew. On a server only its owner can do so.

        Returns:
            True if nothing is left; False on a server, and while another program reads.
        """
        if not self.is_sqlite:
            return False
        with _explained(self.shown), self._engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            try:
                driver.execute("VACUUM")
                rewritten = True
            except sqlite3.OperationalError:  # no room for a second file, or another one writes
                rewritten = False
            busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return rewritten and not busy


def open_store(
    db: str | Path | None = None,
    *,
    create: bool = False,
    now: datetime | None = None,
    patience: float = PATIENCE,
) -> Store:
    """Opens a database, and brings its tables up to date where they are older.

    Args:
        db: A file, or a URL such as ``postgresql://user@host/name``; if None, the value of the
            environment variable `VARIABLE`, else the file `DEFAULT`.
        create: Whether it is made if it is missing.
        now: The present, aware; noted with the tables.
        patience: Seconds to wait for another program's writing.

    Raises:
        UsageError: The URL is of no known kind.
        StoreError: It is missing, cannot be reached, or is not one of trendscope's.
    """
    url = _url(db or os.environ.get(VARIABLE) or DEFAULT)
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        shown = str(path)
        _check_file(path, create)
        _check_owner(path, patience)
        engine = _sqlite(path, create, patience)
    else:
        shown = url.render_as_string(hide_password=True)
        engine = _postgres(url)
    store = Store(engine, shown, patience)
    try:
        _prepare(store, create, now or datetime.now(UTC))
        _check_pages(store)
    except BaseException:
        store.close()
        raise
    return store


Database = Store | str | Path | None
"""An open store; a file or URL; None for the usual one (see `open_store`)."""


@contextmanager
def opened(db: Database, *, create: bool = False, now: datetime | None = None) -> Iterator[Store]:
    """The open store itself, or the database opened for as long as the block runs."""
    if isinstance(db, Store):
        yield db
    else:
        with open_store(db, create=create, now=now) as store:
            yield store


@contextmanager
def reading(db: Database | Connection) -> Iterator[Connection]:
    """A connection that sees one state of a database; an open one of `Store.reading` as it is."""
    if isinstance(db, Connection):
        yield db
    else:
        with opened(db) as store, store.reading() as connection:
            yield connection


def parts(values: Iterable[T], size: int = 500) -> Iterator[list[T]]:
    """The values in lists that a single statement can name."""
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part


def _url(db: str | Path) -> URL:
    text = str(db)
    if "://" not in text:
        return URL.create("sqlite", database=os.path.abspath(text))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise UsageError(f"the database's URL cannot be read; {_KINDS}") from error
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite" and url.database and url.database != ":memory:":
        return url.set(database=os.path.abspath(url.database))
    if url.drivername != "postgresql+psycopg":
        raise UsageError(f"a database of kind {url.drivername} is not known; {_KINDS}")
    return url


_KINDS = "give a file, such as trendscope.db, or postgresql://user@host/name"


def _check_file(path: Path, create: bool) -> None:
    try:
        if path.is_dir():
            raise StoreError(f"{path} is a folder; name a file in it")
        if not path.parent.is_dir():
            raise StoreError(f"{path}: there is no folder {path.parent}; create it first")
        if not path.exists() and not create:
            raise _missing(str(path))
    except OSError as error:
        raise StoreError(f"{path} cannot be reached ({error.strerror})") from error


def _check_owner(path: Path, patience: float) -> None:
    """Refuses another program's database before anything about it is changed, even how it is kept.

    Files that SQLite cannot read are left to the first real connection, which explains why.
    """
    with suppress(sqlite3.Error):
        address = f"file:{quote(str(path))}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=patience)) as connection:
            tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
            names = [name for (name,) in connection.execute(tables)]
        schema.refuse_foreign(names, str(path))


_LARGE = ("thumbnails", "previews", "item_thumbnails", "looks", "embeddings", "item_sights")


def _check_pages(store: Store) -> None:
    """Raises StoreError if pages of a SQLite file are damaged, also where they can still be read.

    Pictures and embeddings are left out: they are most of a file, and no figure comes from them.
    """
    if not store.is_sqlite:
        return
    names = [name for name in schema.metadata.tables if name not in _LARGE]
    with store.reading() as connection:
        for name in names:
            problem = connection.exec_driver_sql(f"PRAGMA quick_check({name})").scalar()
            if problem != "ok":
                cause = " ".join(str(problem).split())[:200]
                raise StoreError(
                    f"{store.shown} is damaged, and its figures would be wrong ({cause}); restore "
                    "a copy, or make it anew with trendscope scan PATH --db DATABASE"
                )


def _missing(shown: str) -> StoreError:
    return StoreError(
        f"there is no trendscope database at {shown}; make one with trendscope scan PATH --db "
        "DATABASE or with trendscope serve --create, or check the spelling"
    )


def _prepare(store: Store, create: bool, now: datetime) -> None:
    with store.reading() as connection:
        version = schema.version_of(connection, store.shown)
    if version == 0 and not create:
        raise _missing(store.shown)
    if version < schema.VERSION:
        with store.writing() as connection:
            # Asked again, as another scan may have been first.
            schema.migrate(connection, schema.version_of(connection, store.shown), now)


# --- the two kinds -------------------------------------------------------------------------------


def _sqlite(path: Path, create: bool, patience: float) -> Engine:
    mode = "rwc" if create else "rw"
    writable = os.access(path if path.exists() else path.parent, os.W_OK)
    if not create and not (writable and os.access(path.parent, os.W_OK)):
        # Without a log, nobody is writing: the file can be read where no log may be laid beside it.
        mode = "ro" if path.with_name(path.name + "-wal").exists() else "ro&immutable=1"
    address = f"file:{quote(str(path))}?mode={mode}"
    connect = partial(_connect, address, patience, log="mode=ro" not in address)
    engine = create_engine("sqlite:///file", creator=connect)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("trendscope_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _connect(address: str, patience: float, log: bool) -> sqlite3.Connection:
    """A connection without implicit transactions, which waits while others write."""
    connection = sqlite3.connect(
        address, uri=True, timeout=patience, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")
        if log:
            _log_ahead(connection, patience)
    except BaseException:
        connection.close()
        raise
    return connection


def _log_ahead(connection: sqlite3.Connection, patience: float) -> None:
    """Turns on write-ahead logging, so that readers and a writer do not wait for each other.

    Of two programs that turn it on at the same time, SQLite refuses the second without waiting.
    """
    until = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)


def _postgres(url: URL) -> Engine:
    try:
        return create_engine(url, pool_pre_ping=True, connect_args={"prepare_threshold": None})
    except ModuleNotFoundError as error:
        raise StoreError(
            "PostgreSQL needs the extra postgres: pip install 'trendscope[postgres]'"
        ) from error


# --- errors --------------------------------------------------------------------------------------

_ADVICE = (
    (
        ("not a database", "malformed"),
        "is no database, or is damaged; name another file, or restore",
    ),
    (("locked", "lock timeout"), "is in use by another program; wait until it is done"),
    (("readonly", "read-only", "unable to open"), "cannot be written; choose another place"),
    (("full", "disk i/o", "no space"), "has no room left; free some space and run again"),
    (("connection", "connect", "server", "role"), "cannot be reached; check address and password"),
)
"""Words of the libraries' messages, and what they mean for the database's owner."""


@contextmanager
def _explained(shown: str) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        original = error.orig if isinstance(error, DBAPIError) and error.orig else error
        cause = " ".join(str(original).split())[:200]
        known = (advice for words, advice in _ADVICE if any(w in cause.lower() for w in words))
        advice = next(known, "could not be used")
        raise StoreError(f"{shown} {advice} ({cause}); what it held before is unchanged") from error


def present() -> datetime:
    """The computer's time, in UTC."""
    return datetime.now(UTC)
