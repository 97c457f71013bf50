"""Versions of the tables."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect, select, text

from tests.factories.databases import content
from tests.factories.stored import found, skipped, write
from trendscope.errors import StoreError
from trendscope.store import schema
from trendscope.store.database import open_store


def two_steps(monkeypatch, work):
    number = schema.VERSION + 1
    monkeypatch.setattr(schema, "VERSION", number)
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, (number, "colours", work)))


def add_colour(connection):
    connection.execute(text("ALTER TABLE photos ADD COLUMN colour TEXT"))


def test_migration_keeps_the_rows_of_an_older_database(db, monkeypatch):
    with open_store(db, create=True) as opened_store:
        write(opened_store, found(), skipped())
    before = content(db)
    two_steps(monkeypatch, add_colour)
    with open_store(db) as opened_store, opened_store.reading() as connection:
        assert "colour" in {c["name"] for c in inspect(connection).get_columns("photos")}
        assert [s.name for s in connection.execute(select(schema.schema_steps))][-1] == "colours"
    assert content(db) == before


def test_a_failed_migration_leaves_the_old_database(db, monkeypatch):
    with open_store(db, create=True) as new:
        write(new, found())
    before = content(db)

    def half(connection):
        add_colour(connection)
        connection.execute(text("ALTER TABLE nothing ADD COLUMN colour TEXT"))

    two_steps(monkeypatch, half)
    with pytest.raises(StoreError, match="what it held before is unchanged"):
        open_store(db)
    monkeypatch.undo()
    with open_store(db) as opened_store, opened_store.reading() as connection:
        assert "colour" not in {c["name"] for c in inspect(connection).get_columns("photos")}
    assert content(db) == before


def test_migration_steps_give_the_described_tables(opened):
    with opened.reading() as connection:
        inspector = inspect(connection)
        for table in schema.metadata.tables.values():
            columns = {c["name"] for c in inspector.get_columns(table.name)}
            assert columns == {column.name for column in table.c}, table.name
            indexes = {i["name"] for i in inspector.get_indexes(table.name)}
            assert {index.name for index in table.indexes} <= indexes, table.name
