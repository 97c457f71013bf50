"""What a scan writes, and reads back."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.factories.databases import content
from tests.factories.stored import found, skipped, write
from trendscope import store
from trendscope.feeds.post import Post
from trendscope.photos.results import Garment, ranked
from trendscope.skipped import Skipped
from trendscope.store.memory import StoredPhotos, stamp
from trendscope.vision.near_duplicates import ImageFingerprint


def test_a_result_is_read_back_as_it_was_written(opened):
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
            probabilities = dict(original.probabilities)
            assert dict(again.probabilities) == {
                name: pytest.approx(value, abs=1e-7) for name, value in probabilities.items()
            }
            assert again.probabilities[0][0] == original.probabilities[0][0]
            garments = [(g.category, g.confidence, g.box) for g in again.garments]
            assert garments == [(g.category, g.confidence, g.box) for g in original.garments]
            assert again.thumbnail == (original.thumbnail if pictures else None)
            for name in (
                "customer",
                "posted_at",
                "date_source",
                "verdict",
                "outside",
                "fingerprint",
            ):
                assert getattr(again, name) == getattr(original, name), name
        assert memory.by_bytes(post, "unheard of") is None
        assert memory.recall == memory.by_bytes
    assert StoredPhotos(opened, None, name="others").recall is None, (
        "other weights have judged nothing"
    )


def test_ranked_orders_like_the_classifier():
    values = np.array([0.1, 0.3, 0.1, 0.3, 0, 0, 0, 0, 0, 0.2], "<f4")
    assert [name for name, _ in ranked(values.tobytes())[:5]] == [
        "Trouser",
        "Dress",
        "Ankle boot",
        "T-shirt/top",
        "Pullover",
    ]


def test_several_garments_in_one_photo_are_stored(opened):
    two = (Garment("Dress", 0.8, (1, 2, 3, 4)), Garment("Bag", 0.6, (5, 6, 7, 8)))
    write(opened, found(garments=two))
    frame = store.sightings(opened)
    assert frame["category"].tolist() == ["Dress", "Bag"]
    assert frame[["x0", "y1"]].to_numpy().tolist() == [[1, 4], [5, 8]]
    assert store.customers(opened).loc[0, ["photos", "classified"]].tolist() == [1, 1]


def test_writing_results_twice_changes_nothing(opened, db):
    items = [found(), found(name="2.jpg", customer="ben"), skipped(), skipped(customer=None)]
    write(opened, *items)
    before = content(db)
    assert [len(before[t]) for t in ("customers", "images", "photos", "skips")] == [2, 2, 2, 2]
    write(opened, *items, *items)
    assert content(db) == before


def test_an_image_of_two_customers_is_stored_once_and_counts_for_both(opened, db):
    write(opened, found(sha256="s"), found(customer="ben", sha256="s"))
    assert [len(content(db)[t]) for t in ("images", "sightings", "photos")] == [1, 1, 2]
    assert store.customers(opened)["photos"].tolist() == [1, 1]


def test_replacing_a_photo_removes_its_old_image(opened, db):
    write(opened, found(sha256="old", thumbnail=b"T"), found(name="2.jpg", sha256="other"))
    write(opened, found("Bag", sha256="new"))
    assert [row[0] for row in content(db)["images"]] == ["new", "other"]
    assert content(db)["thumbnails"] == []
    assert sorted(store.sightings(opened)["category"]) == ["Bag", "Dress"]


def test_a_file_that_has_become_readable_is_no_longer_skipped(opened):
    at, result = found()
    write(opened, (at, Skipped("anna", "1.jpg", "truncated", "cut short")))
    assert store.skips(opened)["reason"].tolist() == ["truncated"]
    write(opened, (at, result))
    assert store.skips(opened).empty
    assert len(store.sightings(opened)) == 1


def test_a_photo_keeps_its_sightings_when_its_file_breaks(opened):
    at, result = found()
    write(opened, (at, result))
    write(opened, (at, Skipped("anna", "1.jpg", "truncated", "cut short")))
    assert (len(store.skips(opened)), len(store.sightings(opened))) == (1, 1)


def test_names_that_are_no_valid_text_stay_apart_and_readable(opened):
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
def test_scan_statements_use_indexes(opened, db):
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
