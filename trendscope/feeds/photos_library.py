"""Reads in the database of an Apple Photos library which originals were hidden or deleted.

What was deleted stays among the originals for a month, and only the database tells.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from trendscope.errors import ImageError
from trendscope.feeds.request import Request
from trendscope.files.trees import Tree
from trendscope.skipped import Skipped
from trendscope.text import displayed

_DATABASE = re.compile(r"(?P<root>(.*/)?)database/Photos\.sqlite")
_TABLES = ("ZASSET", "ZGENERICASSET")  # since 2020, and in 2019
_MOST_STEPS = 1000  # of a million instructions; a library of a million photos takes about 20


def find(tree: Tree, names: list[str], request: Request) -> dict[str, Skipped | None]:
    """The members of photo libraries that are no photos for us; None for the database's files."""
    members: dict[str, Skipped | None] = {}
    for name in names:
        if match := _DATABASE.fullmatch(name):
            folder = f"{match['root']}originals/"
            originals = [other for other in names if other.startswith(folder)]
            members |= _of_library(tree, name, originals, request)
            members.setdefault(name, None)
            members[f"{name}-wal"] = None
    return members


def _of_library(
    tree: Tree, database: str, originals: list[str], request: Request
) -> dict[str, Skipped]:
    owner = request.owner(tree, database)
    try:
        problems = _problems(tree, database, request.limits.json_bytes)
    except (sqlite3.Error, ImageError, OSError, ValueError) as error:  # of text that is no UTF-8
        detail = "hidden and deleted photos of the library cannot be told "
        detail += f"({displayed(str(error))[:80]})"
        return {database: Skipped(owner, tree.source(database), "unreadable", detail)}
    # The film of a live photo is called like the photo, with _3 at its end.
    numbers = {name: re.split(r"[._]", name.rpartition("/")[2])[0] for name in originals}
    return {
        name: Skipped(owner, tree.source(name), "private", problems[number])
        for name, number in numbers.items()
        if number in problems
    }


def _problems(tree: Tree, database: str, limit: int) -> dict[str, str]:
    """Why photos are not read, by their number, which is the first part of the original's name."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "copy.sqlite"
        path.write_bytes(tree.read(database, limit))
        if f"{database}-wal" in tree.names:  # the latest changes
            path.with_name("copy.sqlite-wal").write_bytes(tree.read(f"{database}-wal", limit))
        with closing(sqlite3.connect(path)) as connection:
            return _marked(connection)


def _marked(connection: sqlite3.Connection) -> dict[str, str]:
    steps = iter(range(_MOST_STEPS))
    connection.set_progress_handler(lambda: next(steps, None) is None, 1_000_000)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1_000_000)
    connection.execute("PRAGMA trusted_schema = OFF")
    known = "SELECT name FROM sqlite_master WHERE type = 'table'"
    tables = {name for (name,) in connection.execute(known)}
    table = next((name for name in _TABLES if name in tables), None)
    if table is None:
        raise sqlite3.DatabaseError("it has no table of photos")
    rows = connection.execute(
        f"SELECT ZFILENAME, ZTRASHEDSTATE FROM {table} WHERE ZTRASHEDSTATE > 0 OR ZHIDDEN > 0"
    )
    return {
        str(name).partition(".")[0]: "recently deleted" if trashed else "hidden by the customer"
        for name, trashed in rows
    }
