"""The pages on customers: the same figures wherever they stand, sorted and filtered by a link."""

from __future__ import annotations

import csv
import io
import re

import pytest

from tests.factories.desk import Visitor
from tests.factories.stored import NOW, WEEK_46, found, write
from trendscope import store
from trendscope.photos.results import Label
from trendscope.reports.table_export import export


@pytest.fixture
def opened(tmp_path):
    with store.open_store(tmp_path / "t.db", create=True, now=NOW) as database:
        yield database


@pytest.fixture
def client(opened):
    return Visitor(opened)


def text_of(page):
    """The words of a page, one blank apart."""
    assert page.status_code == 200, page.text
    return " ".join(re.sub(r"<[^>]*>", " ", page.text).split())


def test_a_customers_share_is_the_same_on_every_page_and_in_every_table(client, opened, tmp_path):
    """Of 2.98 garments 1.02 are dresses: one named, and 0.02 of the photo of which it is not sure.

    Of cem's three garments, which a person named in one photo, two are dresses.
    """
    write(
        opened,
        found("Dress", "anna", "1.jpg", WEEK_46[0]),
        found("Bag", "anna", "2.jpg", WEEK_46[1]),
        found("Shirt", "anna", "3.jpg", WEEK_46[2], verdict="uncertain"),
        found("Shirt", "cem", "4.jpg", WEEK_46[3], sha256="c" * 64),
    )
    boxes = ((0, 0, 9, 9), (9, 0, 19, 9), (0, 9, 9, 19))
    label = Label(("Dress", "Dress", "Bag"), boxes=boxes)
    store.correct(opened, {"c" * 64: label}, NOW)

    cards = text_of(client.get("/customers"))
    assert re.search(r"anna Dress 34 % Bag 34 % 3 photos, 1 not sure", cards)
    assert re.search(r"cem Dress 67 % Bag 33 % 1 photo", cards)
    assert "Dress 34 % 1 Bag 34 % 1 others 32 %" in text_of(client.get("/customer?name=anna"))
    assert "Dress 67 % 2 Bag 33 % 1" in text_of(client.get("/customer?name=cem"))

    listed = {c["customer"]: c for c in client.get("/api/customers").json()["customers"]}
    (anna,) = client.get("/api/profile?customer=anna").json()["customers"]
    assert listed["anna"]["shares"] == {"Dress": 0.342282, "Bag": 0.342282}
    assert anna["shares"]["Dress"] == 0.342282 and anna["shares"]["Shirt"] == 0.268456
    assert listed["cem"]["shares"] == {"Dress": 0.666667, "Bag": 0.333333}

    export(opened, tmp_path / "tables", now=NOW)
    rows = csv.DictReader(io.StringIO((tmp_path / "tables" / "customers.csv").read_text()))
    table = {row["customer"]: row for row in rows}
    assert (table["anna"]["share_dress"], table["cem"]["share_dress"]) == ("0.342282", "0.666667")
    assert table["cem"]["photos_dress"] == "1"
