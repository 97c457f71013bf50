"""Forgetting customers."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.factories.databases import content
from tests.factories.stored import found, write
from trendscope import store
from trendscope.errors import StoreError
from trendscope.store import removal, schema
from trendscope.store.database import open_store


def test_forget_removes_one_customer_and_nothing_of_the_others(filled, db):
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


def test_forgettable_changes_nothing(filled, db):
    before = content(db)
    planned = store.forgettable(filled, "anna")
    assert content(db) == before
    gone = store.forget(filled, "anna")
    assert (gone.photos, gone.skipped, gone.images, gone.rows) == (
        planned.photos,
        planned.skipped,
        planned.images,
        planned.rows,
    )


def test_forget_clears_every_table_with_a_customer_or_an_image():
    about = {"customer_id", "image_id"}
    named = {t.name for t in schema.metadata.tables.values() if about & {*t.c.keys()}}
    cleared = {t.name for column in about for t in removal._owned(column)}
    assert cleared == named >= {"photos", "skips", "accounts", "sightings", "thumbnails"}


def test_forget_refuses_an_unknown_customer(filled, db):
    before = content(db)
    with pytest.raises(StoreError, match="holds no customer 'eve'; check the spelling"):
        store.forget(filled, "eve")
    with pytest.raises(StoreError, match="holds no customer 'Anna'; is it anna"):
        store.forget(filled, "Anna")
    assert content(db) == before


@pytest.mark.parametrize("db", ["sqlite"], indirect=True)
def test_forgotten_names_are_no_longer_in_the_file(opened, db):
    secret = b"SECRET PICTURE " * 50
    write(opened, found(customer="anna-secret", thumbnail=secret), found(customer="ben"))
    store.forget(opened, "anna-secret")
    data = b"".join(path.read_bytes() for path in Path(db).parent.iterdir())
    assert b"SECRET" not in data and b"anna-secret" not in data and b"ben" in data


@pytest.mark.parametrize("db", ["sqlite"], indirect=True)
def test_forget_leaves_nothing_between_the_pages_of_the_file(opened, db):
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
def test_forget_reports_traces_while_another_program_reads(opened, db):
    write(opened, found(customer="anna-secret"), found(customer="ben"))
    reader = sqlite3.connect(db)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM photos").fetchone()
    with open_store(db, patience=0.2) as impatient:
        assert not store.forget(impatient, "anna-secret").wiped
        reader.close()
        assert impatient.wipe()
