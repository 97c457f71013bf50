"""Which of several photos of one image or post counts."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from tests.factories.stored import found, write
from trendscope import store
from trendscope.store import schema
from trendscope.store.database import open_store
from trendscope.store.schema import to_moment

DATES = st.sampled_from([("feed", 1), ("feed", 2), ("exif", 1), ("file name", 3), ("none", None)])

POSTS = st.lists(
    st.tuples(st.sampled_from("pqr"), st.sampled_from("xyz"), DATES), min_size=1, max_size=6
)


def dated(customer, number, post_id, sha256, date):
    source, day = date
    posted_at = day and datetime(2026, 1, day, tzinfo=UTC)
    more = {"post_id": post_id, "sha256": sha256, "posted_at": posted_at, "date_source": source}
    return found(customer=customer, name=f"{number}.jpg", **more)


def expected_count(items):
    """By the rule's own words, over all pairs."""
    trust = ["feed", "exif", "file name", "none"]

    def rank(item):
        at, r = item
        return trust.index(r.date_source), to_moment(r.posted_at) or 0, at.location

    def counts(item):
        return not any(
            rank(other) < rank(item)
            and (other[1].sha256 == item[1].sha256 or other[1].post_id == item[1].post_id)
            for other in items
        )

    return sorted(at.location for at, r in items if counts((at, r)))


CUSTOMERS = itertools.count()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with open_store(tmp_path_factory.mktemp("law") / "t.db", create=True) as opened_store:
        yield opened_store


@given(posts=POSTS, data=st.data())
def test_order_and_batches_do_not_decide_which_photo_counts(shared, posts, data):
    for size in (1, len(posts)):
        customer = f"customer {next(CUSTOMERS)}"
        items = [dated(customer, i, *post) for i, post in enumerate(posts)]
        shuffled = data.draw(st.permutations(items))
        for start in range(0, len(items), size):
            write(shared, *shuffled[start : start + size])
        with shared.reading() as connection:
            counted = select(schema.photos.c.place).join(schema.customers)
            counted = counted.where(schema.customers.c.name == customer, schema.photos.c.counted)
            assert sorted(connection.scalars(counted)) == expected_count(items)


def test_the_photo_with_the_better_date_counts(opened):
    name, feed = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
    write(opened, found(sha256="s", posted_at=name, date_source="file name"))
    write(opened, found(name="2.jpg", sha256="s", posted_at=feed, date_source="feed"))
    write(opened, found(name="3.jpg", sha256="s"))
    assert store.sightings(opened)["posted_at"].tolist() == [feed]
    assert store.customers(opened)["doubles"].tolist() == [2]


def test_a_duplicate_counts_again_when_the_better_photo_changes(opened):
    write(opened, found(sha256="s", day=(2026, 1, 1)), found(name="2.jpg", sha256="s"))
    assert store.customers(opened)["photos"].tolist() == [1]
    write(opened, found(sha256="t", day=(2026, 1, 1)))
    assert store.customers(opened)["photos"].tolist() == [2]
