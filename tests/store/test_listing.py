"""Lists of customers and of photos that wait, from both kinds of database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.factories.stored import closet  # noqa: F401
from trendscope.store.listing import find_customers, posted_between, unlabelled

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
