"""Lists of customers and of photos that wait, from both kinds of database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.factories.stored import closet, found, skipped, write  # noqa: F401
from trendscope import store
from trendscope.store.listing import find_customers, posted_between, unlabelled, without_photos

MONDAY_46, MONDAY_47 = datetime(2026, 11, 9, tzinfo=UTC), datetime(2026, 11, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, ["anna", "ben", "cem"]),
        ({"order": "photos"}, ["anna", "cem", "ben"]),  # 3 of 4, one being a double; 3; 2
        ({"order": "latest"}, ["cem", "ben", "anna"]),
        ({"category": "Dress"}, ["anna", "ben"]),
        ({"category": "Dress", "since": MONDAY_46, "until": MONDAY_47}, ["anna"]),
        ({"until": MONDAY_46}, ["ben"]),
        ({"members": ["cem", "zoe"]}, ["cem"]),
        ({"search": "E", "limit": 1, "offset": 1}, ["cem"]),
    ],
)
def test_lists_by_hand(closet, asked, names):  # noqa: F811
    assert [entry.customer for entry in find_customers(closet, **asked)[0]] == names


def test_the_length_is_that_of_the_whole_list(closet):  # noqa: F811
    assert find_customers(closet, "E", limit=1)[1] == 2
    assert posted_between(closet)[1] == datetime(2027, 1, 1, tzinfo=UTC)
    assert [photo.customer for photo in unlabelled(closet, "BEN")[0]] == ["ben"]
    assert unlabelled(closet, "anna") == ([], 0)


@pytest.mark.parametrize("order", ["name", "photos", "latest"])
def test_a_customer_is_who_has_a_photo_that_counts_in_lists_and_figures(closet, order):  # noqa: F811
    write(closet, skipped("a.mp4", "zoe10"), skipped("b.mp4", "zoe9"), skipped("c.mp4", "Yan"))
    write(closet, found("Dress", "dora", "d.jpg"), skipped("d.mp4", "dora"))
    entries, total = find_customers(closet, order=order)
    assert {entry.customer for entry in entries} == {"anna", "ben", "cem", "dora"}
    assert total == store.status(closet).customers == 4
    assert without_photos(closet) == ["Yan", "zoe9", "zoe10"]
    assert without_photos(closet, "ZOE1") == ["zoe10"]
