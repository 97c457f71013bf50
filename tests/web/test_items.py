"""The pages on what a shop sells: searched, added, changed, removed, and every change undone."""

from __future__ import annotations

import os
import re
from dataclasses import replace

import pytest
from sqlalchemy import insert, select
from typer.testing import CliRunner

from tests.factories.desk import Visitor
from tests.factories.stored import NOW, found, write
from trendscope import store
from trendscope.cli import app
from trendscope.ingest.catalog import add
from trendscope.store import read_items, schema
from trendscope.store.write_items import write_items


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


def test_a_long_list_of_items_has_pages(client, opened):
    with opened.writing() as connection:
        (first,) = read_items.items(connection, ["A2"])
        coats = [replace(first, sku=f"L{number:03}") for number in range(30)]
        write_items(connection, coats, {}, {}, None, NOW)
    assert skus(client, "/catalogue?show=Coat") == ["A2", *(f"L{n:03}" for n in range(23))]
    assert 'href="/catalogue?show=Coat&amp;page=2"' in client.get("/catalogue?show=Coat").text
    rest = skus(client, "/catalogue?show=Coat&page=2")
    assert rest == [f"L{number:03}" for number in range(23, 30)]


def test_a_search_for_nothing_there_says_so(client):
    assert "No such item." in client.get("/catalogue?search=hat").text


# --- changes, each of which can be taken back ----------------------------------------------------


def facts(opened, sku="A1"):
    """What is stored of an item: title, price, currency, stock, page and category; or nothing."""
    return [
        (i.title, i.price and str(i.price), i.currency, i.in_stock, i.url, i.category)
        for i in store.items(opened, [sku])
    ]


BEFORE = [("Evening dress Emma", "59.9", "EUR", None, "", "Dress")]


@pytest.mark.parametrize(
    ("change", "after"),
    [
        ({"title": "Emma"}, ("Emma", "59.9", "EUR", None, "", "Dress")),
        ({"price": "49,50"}, ("Evening dress Emma", "49.5", "EUR", None, "", "Dress")),
        ({"price": ""}, ("Evening dress Emma", None, "EUR", None, "", "Dress")),
        ({"in_stock": False}, ("Evening dress Emma", "59.9", "EUR", False, "", "Dress")),
        ({"category": "Coat"}, ("Evening dress Emma", "59.9", "EUR", None, "", "Coat")),
        (
            {"url": "https://shop.example/emma", "price": "$ 5.00"},
            ("Evening dress Emma", "5", "$", None, "https://shop.example/emma", "Dress"),
        ),
    ],
)
def test_an_item_is_changed_and_the_change_undone(client, opened, change, after):
    answer = client.request("PUT", "/api/catalog", json={"sku": "A1", **change})
    assert answer.status_code == 200, answer.text
    assert facts(opened) == [after]
    undo = f"/api/undo/{answer.json()['undo']}"
    assert client.request("POST", undo).status_code == 200
    assert facts(opened) == BEFORE
    assert client.request("POST", undo).status_code == 404


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"title": " "}, "an item without a picture needs a title"),
        ({"price": "cheap"}, "price: "),
        ({"url": "javascript:alert(1)"}, "begins with https:// or http://"),
        ({"category": "Hat"}, "choose one of"),
    ],
)
def test_a_change_that_makes_no_sense_changes_nothing(client, opened, change, why):
    answer = client.request("PUT", "/api/catalog", json={"sku": "A1", **change})
    assert answer.status_code == 422 and why in answer.json()["error"]
    assert facts(opened) == BEFORE


def test_a_removed_item_comes_back_with_its_picture_and_numbers(client, opened):
    with opened.writing() as connection:
        item_id = connection.scalar(select(schema.items.c.id).where(schema.items.c.sku == "A1"))
        picture = {"item_id": item_id, "jpeg": b"\xff\xd8small"}
        connection.execute(insert(schema.item_thumbnails), picture)
        connection.execute(insert(schema.item_keys), {"item_id": item_id, "key": "sku:A1-L"})
    answer = client.request("DELETE", "/api/catalog?sku=A1-L")  # known by one of its sizes
    assert answer.json()["sku"] == "A1" and facts(opened) == []
    assert client.get("/api/catalog/picture?sku=A1").status_code == 404
    assert client.request("DELETE", "/api/catalog?sku=A1").status_code == 404
    add(None, opened, sku="C4", title="A coat that takes the number of the row")
    assert client.request("POST", f"/api/undo/{answer.json()['undo']}").status_code == 200
    assert facts(opened) == BEFORE
    assert client.get("/api/catalog/picture?sku=A1").content == b"\xff\xd8small"
    assert client.get("/item?sku=A1-L").status_code == 200


def test_nothing_is_undone_where_something_else_came_after_it(client, opened):
    first = client.request("PUT", "/api/catalog", json={"sku": "A1", "title": "Emma"}).json()
    add(None, opened, sku="A1", price="9.99")
    answer = client.request("POST", f"/api/undo/{first['undo']}")
    assert answer.status_code == 409 and "changed again since" in answer.json()["error"]
    assert facts(opened)[0][:2] == ("Emma", "9.99")


def test_an_item_that_is_there_is_changed_only_if_that_is_asked_for(client, opened):
    new = {"sku": (None, "A1"), "title": (None, "Another")}
    answer = client.request("POST", "/api/catalog", files=new)
    assert answer.status_code == 409
    assert answer.json()["error"] == "A1 is there already: Evening dress Emma."
    assert facts(opened) == BEFORE
    answer = client.request("POST", "/api/catalog", files={**new, "replace": (None, "yes")})
    assert facts(opened)[0][0] == "Another"
    client.request("POST", f"/api/undo/{answer.json()['undo']}")
    assert facts(opened) == BEFORE
    answer = client.request("POST", "/api/catalog", files={**new, "sku": (None, "D5")})
    assert [row[0] for row in facts(opened, "D5")] == ["Another"]
    client.request("POST", f"/api/undo/{answer.json()['undo']}")
    assert facts(opened, "D5") == []


def test_a_page_that_is_no_web_address_is_no_link(client, opened):
    add(None, opened, sku="A1", url="javascript:alert(1)")
    page = client.get("/item?sku=A1").text
    assert 'href="javascript' not in page and "Its page in the shop" not in page
    assert client.get("/item?sku=nothing").status_code == 404


# --- whom to offer what --------------------------------------------------------------------------


@pytest.fixture
def worn(opened):
    """Anna and ben in four dresses each, ben's later ones; cem in a coat."""
    write(
        opened,
        *(found("Dress", "anna & co", f"{n}.jpg", (2026, 10, 1 + n)) for n in range(4)),
        *(found("Dress", "ben", f"b{n}.jpg", (2026, 11, 1 + n)) for n in range(4)),
        *(found("Coat", "cem", f"c{n}.jpg", (2026, 11, 1 + n)) for n in range(4)),
    )


def people(page):
    return re.findall(r'href="/customer\?name=([^"]*)"', page.text)


def test_whom_to_offer_an_item_and_a_category_to(client, worn):
    assert people(client.get("/item?sku=A1")) == ["ben", "anna%20%26%20co"]
    assert people(client.get("/targets?category=Dress")) == ["ben", "anna%20%26%20co"]
    assert people(client.get("/targets?category=coat")) == ["cem"]
    several, one = (client.get(f"/targets?category={kind}").text for kind in ("dress", "coat"))
    assert "2 customers, those first who wear it most and latest." in several
    assert '<p class="lead">1 customer.</p>' in one
    assert client.get("/targets?category=Hat").status_code == 404
    by_sku = client.get("/api/targets?sku=A1").json()
    assert [row["customer"] for row in by_sku["targets"]] == ["ben", "anna & co"]
    assert by_sku["targets"][0]["sku"] == "A1"
    assert client.get("/api/targets?sku=nothing").status_code == 404
    assert client.get("/api/targets?sku=A1&customer=ben").status_code == 400


def test_each_offer_leads_to_its_item_and_each_item_to_its_customers(client, worn):
    page = client.get("/customer?name=ben").text
    assert 'href="/item?sku=A1"><strong>Evening dress Emma</strong>' in page
    assert 'href="/targets?category=Dress"' in client.get("/catalogue?show=Dress").text


def test_who_may_not_be_written_to_is_nowhere_among_the_targets(opened, worn, tmp_path):
    (tmp_path / "never.csv").write_text("customer\nben\nnobody we know\n")
    desk = Visitor(opened, never=tmp_path / "never.csv")
    for address in ("/item?sku=A1", "/targets?category=Dress"):
        page = desk.get(address)
        assert people(page) == ["anna%20%26%20co"]
        assert "1 customer not to be written to." in page.text
        assert "trendscope serve --never" not in page.text
    assert "Emma" not in desk.get("/customer?name=ben").text
    assert desk.get("/api/targets?customer=ben").json()["withheld"] == 1


def test_a_list_that_grows_counts_at_once(opened, worn, tmp_path):
    never = tmp_path / "never.csv"
    never.write_text("customer\nanna & co\n")
    desk = Visitor(opened, never=never)
    assert "Emma" in desk.get("/customer?name=ben").text
    never.write_text("customer\nanna & co\nben\n")
    os.utime(never, (1, 1))  # however coarse the clock of the file system
    assert "Emma" not in desk.get("/customer?name=ben").text


def test_why_nobody_is_offered_an_item_is_told(client, worn):
    client.request("PUT", "/api/catalog", json={"sku": "A1", "in_stock": False})
    page = client.get("/item?sku=A1")
    assert people(page) == []
    assert "Nobody is written to about item A1: out of stock." in page.text


def test_the_mailing_list_is_downloaded_without_those_not_to_be_written_to(opened, worn, tmp_path):
    (tmp_path / "never.csv").write_text("customer\nben\n")
    desk = Visitor(opened, never=tmp_path / "never.csv")
    for asked in ("sku=A1", "category=Dress"):
        page = desk.get(f"/{'item' if asked[0] == 's' else 'targets'}?{asked}").text
        assert f'href="/download/targets.csv?{asked}" download' in page
        lines = desk.get(f"/download/targets.csv?{asked}").text.splitlines()
        assert len(lines) == 2 and lines[1].startswith('"anna & co",')


def test_the_items_of_the_page_are_downloaded(client):
    page = client.get("/catalogue?search=a&show=Coat").text
    assert 'href="/download/catalogue.csv?search=a&amp;show=Coat" download' in page
    lines = client.get("/download/catalogue.csv?search=a&show=Coat").text.splitlines()
    assert [line.split(",")[0] for line in lines] == ['"sku"', '"A2"']
    assert client.get("/download/catalogue.csv?show=Hat").status_code == 422


def test_a_list_that_cannot_be_read_is_told_at_the_start(opened, tmp_path):
    words = ["serve", "--db", opened.shown, "--no-browser", "--never", str(tmp_path / "no.csv")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1 and "give a CSV with the header customer" in done.stderr


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/item?sku=", 422),
        ("/item?sku=%00", 404),
        ("/item?sku=%ED%A0%80", 404),
        ("/catalogue?show=Hat", 422),
        ("/catalogue?page=99", 200),
        ("/download/targets.csv", 400),
        ("/download/targets.csv?sku=A1&category=Dress", 400),
        ("/download/targets.csv?category=Hat", 400),
        ("/download/trends/..%2F..%2Fdesk.py", 404),
        ("/api/catalog/picture?sku=%00", 404),
    ],
)
def test_odd_addresses_are_answered_as_such(client, worn, address, status):
    assert client.get(address).status_code == status
