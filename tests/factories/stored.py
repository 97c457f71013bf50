"""Photos in a database, as a scan writes them."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from tests.factories.photos import reading
from trendscope.skipped import Skipped
from trendscope.store.database import open_store
from trendscope.store.memory import Stamp, location_key, stamp
from trendscope.store.weights import register_weights
from trendscope.store.write_photos import write_results
from trendscope.vision.weights import WeightsIdentity

NOW = datetime(2026, 11, 21, 8, 30, 0, 250_000, tzinfo=UTC)

OLD, NEW = WeightsIdentity("old", "0" * 64), WeightsIdentity("new", "1" * 64)

EMBEDDING = np.arange(4, dtype="<f4").tobytes()

WEEK_46 = [(2026, 11, day, 9) for day in range(9, 15)]


def found(category="Dress", customer="anna", name="1.jpg", day=None, **more):
    """A stamp and a reading, as a scan would give them."""
    result = reading(category, customer, day, name, **{"embedding": EMBEDDING, **more})
    return Stamp(location_key(customer, name), 100, 5), result


def skipped(source="x.mp4", customer="anna", reason="video"):
    item = Skipped(customer, source, reason, "a video; only photos are looked at")
    return stamp(item), item


def write(opened, *items, weights=OLD, reclassify=False):
    with opened.writing() as connection:
        weights_id = register_weights(connection, weights, reclassify, NOW, "db")
        write_results(connection, weights_id, items, reclassify=reclassify)
    return weights_id


@pytest.fixture
def opened(db):
    with open_store(db, create=True, now=NOW) as store:
        yield store


@pytest.fixture
def closet(opened):
    """Week 46 of three customers, one photo in week 44, and one of every way not to count.

    Anna: two dresses and a bag in week 46, the bag in two places. Ben: a dress in week 44 and an
    uncertain photo in week 46. Cem: what is none of the ten in week 46, and an undated coat.
    """
    write(
        opened,
        found("Dress", "anna", "1.jpg", WEEK_46[0]),
        found("Dress", "anna", "2.jpg", WEEK_46[1]),
        found("Bag", "anna", "3.jpg", WEEK_46[2], sha256="bag"),
        found("Bag", "anna", "4.jpg", WEEK_46[3], sha256="bag"),
        found("Dress", "ben", "5.jpg", (2026, 10, 26)),
        found(None, "ben", "6.jpg", WEEK_46[4], verdict="uncertain"),
        found(None, "cem", "7.jpg", WEEK_46[5], verdict="outside"),
        found("Coat", "cem", "8.jpg"),
        found("Coat", "cem", "9.jpg", (2027, 1, 1)),  # by a clock that is wrong
        skipped(),
        skipped("notes.txt", None, "not_an_image"),
        skipped("messages/", "ben", "private"),
    )
    return opened
