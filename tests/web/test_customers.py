"""The pages on customers: the same figures wherever they stand, sorted and filtered by a link."""

from __future__ import annotations

import csv
import html
import io
import re

import pytest
from PIL import Image, ImageColor
from typer.testing import CliRunner

from tests.factories.desk import Visitor
from tests.factories.stored import NOW, WEEK_46, found, skipped, write
from trendscope import store
from trendscope.categories import color
from trendscope.cli import app
from trendscope.photos.results import Label
from trendscope.reports.table_export import export
from trendscope.store.labels import labels_of


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


@pytest.fixture
def several(client, opened):
    """Five customers of whom names, numbers of photos and latest photos are in different orders."""
    write(
        opened,
        found("Dress", "anna10", "1.jpg", WEEK_46[0]),
        found("Dress", "Ünal", "2.jpg", (2026, 10, 26)),
        found("Coat", "Ünal", "3.jpg", WEEK_46[6 - 1]),
        found("Coat", "anna9", "4.jpg"),
        *(found("Bag", "Zoe", f"{name}.jpg", (2026, 10, 27)) for name in range(5, 8)),
        found("Bag", "bea", "8.jpg", (2026, 11, 15, 23, 30)),  # Sunday; in Berlin it is Monday
    )
    return client


def names(client, address):
    """The customers on a page, in its order."""
    page = client.get(address)
    assert page.status_code == 200
    return re.findall(r"<strong><bdi>(.*?)</bdi>", page.text)


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ("", ["anna9", "anna10", "bea", "Zoe", "Ünal"]),
        ("sort=photos", ["Zoe", "Ünal", "anna9", "anna10", "bea"]),
        ("sort=latest", ["bea", "Ünal", "anna10", "Zoe", "anna9"]),
        ("category=Coat", ["anna9", "Ünal"]),
        ("category=Dress&week=2026-W46", ["anna10"]),
        ("week=2026-W44", ["Zoe", "Ünal"]),
        ("week=2026-W44&sort=latest", ["Ünal", "Zoe"]),
        ("search=ünal", ["Ünal"]),
        ("search=NN&category=Dress", ["anna10"]),
        ("segment=Oslo", ["Zoe", "Ünal"]),
        ("segment=Oslo&category=Coat", ["Ünal"]),
    ],
)
def test_the_list_is_sorted_and_filtered_by_its_address(several, asked, listed):
    several.desk.settings.segments.update({"Zoe": "Oslo", "Ünal": "Oslo", "bea": "Bergen"})
    assert names(several, f"/customers?{asked}") == listed
    by_program = several.get(f"/api/customers?{asked}").json()["customers"]
    assert [customer["customer"] for customer in by_program] == listed
    page = several.get(f"/customers?{asked}").text
    assert all(f"<option selected>{word}" in page for word in re.findall("category=(\\w+)", asked))


@pytest.mark.parametrize(
    "asked", ["category=Hat", "week=2026-W60", "week=soon", "week=9999-W52", "sort=shoe", "page=0"]
)
def test_what_is_no_choice_is_refused(several, asked):
    assert several.get(f"/customers?{asked}").status_code == 422


def test_weeks_begin_where_the_desk_is(opened, several):
    from zoneinfo import ZoneInfo

    assert "bea" in names(several, "/customers?week=2026-W46")
    berlin = Visitor(opened, zone=ZoneInfo("Europe/Berlin"))
    assert "bea" not in names(berlin, "/customers?week=2026-W46")
    assert names(berlin, "/customers?week=2026-W47") == ["bea"]
    newest = re.search(r"in the week of [^<]*", berlin.get("/customers").text)[0]
    assert newest == "in the week of 16 Nov 2026"


def test_links_keep_what_was_asked(several, opened):
    write(opened, *(found("Bag", f"b{n}", "b.jpg", (2026, 10, 27)) for n in range(30)))
    page = several.get("/customers?search=b&category=Bag&sort=latest").text
    assert "31 customers with photos" in page
    assert 'href="/customers?search=b&amp;category=Bag&amp;sort=photos"' in page
    assert 'href="/customers?search=b&amp;category=Bag&amp;sort=latest&amp;page=2"' in page
    rest = names(several, "/customers?search=b&category=Bag&sort=latest&page=2")
    assert rest == [f"b{n}" for n in range(23, 30)]


def test_photos_that_wait_are_searched_by_their_customers_name(client, opened):
    waiting = [("Ünal", "1.jpg"), ("anna", "2.jpg"), ("anna", "3.jpg")]
    write(opened, *(found(None, who, name, verdict="uncertain") for who, name in waiting))
    photos = client.get("/api/review?search=ÜN&limit=1").json()
    assert (photos["total"], photos["photos"][0]["customer"]) == (1, "Ünal")
    assert client.get("/api/review?search=zoe").json() == {
        "schema_version": 1,
        "total": 0,
        "photos": [],
    }
    page = client.get("/review?search=ann").text
    assert '<strong id="left">2</strong>' in page and 'data-search="ann"' in page
    assert "No photo of such a customer waits" in client.get("/review?search=zoe").text


def test_a_label_is_undone_with_its_boxes_and_only_while_it_is_the_last(client, opened):
    write(opened, found("Shirt", "anna", "1.jpg", sha256="c" * 64))
    path = f"/api/photos/{'c' * 64}/label"
    boxed = {"garments": [{"category": "Dress", "box": [1, 2, 3, 4]}, {"category": "Bag"}]}
    first = client.request("PUT", path, json=boxed).json()
    second = client.request("PUT", path, json={"category": "Coat"}).json()
    assert client.request("POST", f"/api/undo/{first['undo']}").status_code == 409
    assert client.request("POST", f"/api/undo/{second['undo']}").status_code == 200
    with opened.reading() as connection:
        label = labels_of(connection)["c" * 64]
    assert label == Label(("Dress", "Bag"), boxes=((1, 2, 3, 4), None))
    third = client.request("DELETE", path).json()
    client.request("POST", f"/api/undo/{third['undo']}")
    with opened.reading() as connection:
        assert labels_of(connection)["c" * 64] == label


def test_customers_without_a_photo_that_could_be_used_are_counted_apart(client, opened):
    """As `trendscope status` counts them, with a way to each of the others, and to new photos."""
    write(opened, found("Dress", "anna", "1.jpg"), skipped("a.mp4", "zoe"), skipped("b", "zoe"))
    page = client.get("/customers")
    assert names(client, "/customers") == ["anna"]
    words = text_of(page)
    assert "1 customer with photos." in words and store.status(opened).customers == 1
    assert "Of 1 more no photo could be used" in words
    assert '<a href="/customer?name=zoe"><bdi>zoe</bdi></a>' in page.text
    assert "no photo could be used" not in client.get("/customers?category=Dress").text
    assert client.get("/api/customers").json()["total"] == 1
    of_zoe = client.get("/customer?name=zoe")
    assert "2 files not used: video." in text_of(of_zoe) and 'href="/scan"' in of_zoe.text


# --- downloads -----------------------------------------------------------------------------------


def table(answer):
    """A downloaded file's name, and its rows by header."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    name = re.fullmatch('attachment; filename="(.*)"', answer.headers["content-disposition"])[1]
    return name, [*csv.DictReader(io.StringIO(answer.text))]


def test_the_whole_filtered_list_is_downloaded_as_the_command_writes_it(several, opened):
    write(opened, *(found("Bag", f"=b{n}", "b.jpg", (2026, 10, 27)) for n in range(30)))
    page = several.get("/customers?search=b&sort=latest").text
    link = html.unescape(re.search(r'href="(/download/[^"]*)" download', page)[1])
    name, rows = table(several.get(link))
    assert name == "customers.csv" and len(rows) == 31
    assert [row["customer"] for row in rows[:2]] == ["bea", "'=b0"]  # no formula
    words = ["customers", "--db", opened.shown, "--search", "b", "--csv"]
    by_command = CliRunner().invoke(app, words).stdout
    assert several.get("/download/customers.csv?search=b").text == by_command


def test_a_customers_page_is_downloaded_as_the_command_writes_it(several, opened):
    name, rows = table(several.get("/download/profile.csv?name=Ünal"))
    assert name == "profile.csv" and len(rows) == 10
    assert {row["category"]: row["photos"] for row in rows if row["photos"] != "0"} == {
        "Dress": "1",
        "Coat": "1",
    }
    assert 'href="/download/profile.csv?name=%C3%9Cnal"' in several.get("/customer?name=Ünal").text
    assert several.get("/download/profile.csv?name=nobody").status_code == 404


def test_the_weekly_table_is_downloaded_with_the_weeks_of_the_page(several):
    page = several.get("/trends?weeks=8").text
    assert 'href="/download/trends.csv?weeks=8"' in page
    name, rows = table(several.get("/download/trends.csv?weeks=2"))
    assert name == "trends.csv"
    assert len({row["week"] for row in rows}) == 2 + 4  # four weeks are expected
    assert several.get("/download/trends.csv?segment=nowhere").status_code == 404


def test_charts_are_downloaded_for_slides(several):
    links = re.findall(r'href="(/download/trends/[^"]*)"', several.get("/trends?weeks=8").text)
    names = [re.sub(r".*/|\?.*", "", link) for link in links]
    assert {"t-shirt-top.png", "dress.png", "ankle-boot.png"} <= {*names}
    answer = several.get("/download/trends/dress.png?weeks=8")
    assert answer.headers["content-disposition"] == 'attachment; filename="dress.png"'
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.format == "PNG" and picture.width > 1500
    assert several.get("/download/trends/hat.png").status_code == 404


def test_the_bars_of_a_customer_are_downloaded_as_long_as_their_shares(several):
    address = "/download/profile.png?name=%C3%9Cnal"
    assert f'href="{address}"' in several.get("/customer?name=Ünal").text
    with Image.open(io.BytesIO(several.get(address).content)) as picture:
        colors = {hue: count for count, hue in picture.convert("RGB").getcolors(1 << 20)}
    dress, coat = (colors[ImageColor.getrgb(color(name))] for name in ("Dress", "Coat"))
    assert coat == pytest.approx(dress, rel=0.05)  # a half each, but for the edges
    assert several.get("/download/profile.png?name=nobody").status_code == 404
