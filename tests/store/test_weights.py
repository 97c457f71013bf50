"""Stores judged by other weights."""

from __future__ import annotations

import pytest

from tests.factories.databases import content
from tests.factories.stored import NEW, OLD, found, write
from trendscope import store
from trendscope.errors import StoreError
from trendscope.store.weights import current_weights, finish_reclassifying
from trendscope.store.write_photos import write_results


def test_other_weights_are_refused_without_reclassify(opened, db):
    write(opened, found())
    before = content(db)
    with pytest.raises(StoreError, match=r"what old \(00000000\) saw; new \(11111111\) are other"):
        write(opened, found(name="2.jpg"), weights=NEW)
    assert content(db) == before


def test_old_results_count_until_reclassification_is_complete(opened):
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


def test_a_scan_by_former_weights_stops_after_reclassification(opened, db):
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


def test_photos_not_judged_by_the_current_weights_are_waiting(opened):
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
