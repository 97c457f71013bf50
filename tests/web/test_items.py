"""The pages on what a shop sells: searched, added, changed, taken back."""

from __future__ import annotations

import re

import pytest

from tests.factories.desk import Visitor
from tests.factories.stored import NOW
from trendscope import store
from trendscope.ingest.catalog import add


@pytest.fixture
def opened(tmp_path):
    with store.open_store(tmp_path / "t.db", create=True, now=NOW) as database:
        add(None, database, sku="A1", title="Evening dress Emma", price="59.90 EUR", brand="Ödön")
        add(None, database, sku="A2", title="Winter coat")
        add(None, database, sku="B3", title="A thing")
        yield database


@pytest.fixture
def client(opened):
    return Visitor(opened)


def skus(client, address):
    page = client.get(address)
    assert page.status_code == 200, page.text
    return re.findall(r'data-sku="(.*?)"', page.text)


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ("search=emma", ["A1"]),
        ("search=ödÖN", ["A1"]),
        ("search=a", ["B3", "A1", "A2"]),  # what waits for a person comes first
        ("search=a&show=Coat", ["A2"]),
        ("search=a&show=review", ["B3"]),
        ("search=hat", []),
    ],
)
def test_items_are_searched_among_all_or_those_of_a_category(client, asked, listed):
    assert skus(client, f"/catalogue?{asked}") == listed


def test_a_search_for_nothing_there_says_so(client):
    assert "No such item." in client.get("/catalogue?search=hat").text
