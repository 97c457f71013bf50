"""Statements that several modules of the store make, of any number of rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Select, Table, bindparam, insert, select, update

from trendscope.store.database import parts


def rows_with(
    connection: Connection, query: Select[Any], column: Column[Any], values: Iterable[Any]
) -> Iterator[Any]:
    """The query's rows whose column has one of some values, some hundred values a statement."""
    for part in parts(values):
        yield from connection.execute(query.where(column.in_(part)))


def ids_of(connection: Connection, column: Column[str], values: Iterable[str]) -> dict[str, int]:
    """Numbers of rows whose column has one of some values, by value; those unknown are missing."""
    query = select(column, column.table.c.id)
    return {str(row[0]): int(row[1]) for row in rows_with(connection, query, column, values)}


def grouped(rows: Iterable[Any], name: str) -> defaultdict[Any, list[Any]]:
    """Rows by the value of one of their fields, in their order."""
    groups: defaultdict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, name)].append(row)
    return groups


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds rows of the same columns; none without any."""
    if rows:
        connection.execute(insert(table), list(rows))


def update_rows(
    connection: Connection, table: Table, key: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Gives the rows of a table that have the same `key` the other values of `rows`."""
    if rows:
        names = [name for name in rows[0] if name != key]
        renew = update(table).where(table.c[key] == bindparam("at"))
        renew = renew.values({name: bindparam(f"new_{name}") for name in names})
        values = [{"at": row[key], **{f"new_{n}": row[n] for n in names}} for row in rows]
        connection.execute(renew, values)


def text_of(text: str) -> str:
    """Text that every database accepts: without lone surrogates and NUL."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
