"""Versions of the tables."""

from __future__ import annotations

import pandas as pd
import pytest
from sqlalchemy import inspect, select, text

from tests.factories.databases import content, engine
from tests.factories.stored import NOW, found, skipped, write
from trendscope import store
from trendscope.errors import StoreError
from trendscope.photos.results import Garment, Label
from trendscope.store import schema
from trendscope.store.database import open_store
from trendscope.store.labels import correct


@pytest.fixture
def prepared():
    """Nothing: here the tables are made by what is tested."""


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
        assert [step.name for step in connection.execute(select(schema.schema_steps))][
            -1
        ] == "colours"
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


OLDER = (
    "DROP TABLE previews",
    "ALTER TABLE sightings DROP COLUMN needed",
    "DROP TABLE item_keys",
    "DROP TABLE candidates",
    "ALTER TABLE images DROP COLUMN width",
    "ALTER TABLE images DROP COLUMN height",
    *(f"ALTER TABLE corrections DROP COLUMN {name}" for name in ("x0", "y0", "x1", "y1")),
    "ALTER TABLE item_sights DROP COLUMN alone",
    "ALTER TABLE embeddings RENAME TO newer",
    "DROP INDEX embeddings_by_weights",
    "CREATE TABLE embeddings (image_id BIGINT NOT NULL REFERENCES images (id) ON DELETE CASCADE, "
    "weights_id BIGINT NOT NULL REFERENCES weights (id) ON DELETE CASCADE, "
    "vector {bytes} NOT NULL, PRIMARY KEY (image_id, weights_id))",
    "CREATE INDEX embeddings_by_weights ON embeddings (weights_id)",
    "INSERT INTO embeddings SELECT image_id, weights_id, vector FROM newer",
    "DROP TABLE newer",
)
"""Statements that give the tables of version 3 back."""
BEFORE_CORRECTIONS = ("DROP TABLE corrections",)
BEFORE_ITEMS = ("DROP TABLE item_sights", "DROP TABLE item_thumbnails", "DROP TABLE items")


def as_of_version(db, version):
    """Turns a database's tables into those of an older version."""
    statements = [*OLDER, f"DELETE FROM schema_steps WHERE version > {version}"]
    statements += BEFORE_CORRECTIONS if version < 3 else ()
    statements += BEFORE_ITEMS if version < 2 else ()
    bare = engine(db)
    kind = "BLOB" if bare.dialect.name == "sqlite" else "BYTEA"
    with bare.begin() as connection:
        for statement in statements:
            connection.execute(text(statement.format(bytes=kind)))
    bare.dispose()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_older_databases_get_embeddings_for_each_garment(db, version):
    with open_store(db, create=True) as new:
        write(new, found(), found(None, name="2.jpg", verdict="uncertain"), skipped())
        if version == 3:
            correct(new, {"anna-1.jpg": Label(("Bag", "Coat"))}, NOW)
        frame = store.sightings(new, vectors=True)
    before = content(db)
    assert len(before["embeddings"]) == 2 and len(before["corrections"]) == (version == 3) * 2
    as_of_version(db, version)
    with open_store(db) as migrated:
        described(migrated)
        pd.testing.assert_frame_equal(store.sightings(migrated, vectors=True), frame)
        two = (Garment("Dress", 0.8, (0, 0, 9, 9)), Garment("Bag", 0.7, (1, 1, 5, 5)))
        write(migrated, found(name="3.jpg", garments=two))
        assert store.status(migrated).version == schema.VERSION
    after = content(db)
    assert all({*before[name]} <= {*after[name]} for name in before)


def described(opened):
    """Checks that the tables are those described in the schema."""
    with opened.reading() as connection:
        inspector = inspect(connection)
        for table in schema.metadata.tables.values():
            columns = {c["name"] for c in inspector.get_columns(table.name)}
            assert columns == {column.name for column in table.c}, table.name
            keys = inspector.get_pk_constraint(table.name)["constrained_columns"]
            assert {*keys} == {column.name for column in table.primary_key}, table.name
            indexes = {i["name"] for i in inspector.get_indexes(table.name)}
            assert {index.name for index in table.indexes} <= indexes, table.name


def test_migration_steps_give_the_described_tables(opened):
    described(opened)
