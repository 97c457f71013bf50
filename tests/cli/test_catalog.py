"""The commands catalog and forget as a person runs them, from the sample files to the last word."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sample_feeds import shop
from tests.factories.catalogues import KINDS, truth
from tests.factories.photos import painted
from trendscope.cli import app
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.post import Post
from trendscope.skipped import Skipped

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "sample_feeds" / "shop"


@pytest.fixture
def run(fake_command):
    def call(*words):
        return CliRunner().invoke(app, [str(word) for word in words], prog_name="trendscope")

    return call


@pytest.fixture
def db(tmp_path):
    return tmp_path / "shop.db"


@pytest.fixture
def filled(run, db, tmp_path):
    (tmp_path / "dress.png").write_bytes(painted("Dress"))
    (tmp_path / "p.csv").write_text(
        "sku,title,price,image\nA1,Wrap dress,59.90 EUR,dress.png\nA2,Emma,,\n,lost,,\n"
    )
    done = run("catalog", "import", tmp_path / "p.csv", "--db", db)
    assert done.exit_code == 0, done.output
    return done


def test_an_item_that_is_there_is_changed_only_by_force_or_as_a_persons_decision(
    run, filled, db, tmp_path
):
    def title_and_category():
        item = json.loads(run("catalog", "show", "A1", "--json", "--db", db).stdout)["items"][0]
        return item["title"], item["category"]

    assert title_and_category() == ("Wrap dress", "Dress")
    for facts in (["--title", "Coat"], [tmp_path / "dress.png"], ["--out-of-stock"]):
        done = run("catalog", "add", *facts, "--sku", "A1", "--db", db)
        assert done.exit_code == 2 and title_and_category() == ("Wrap dress", "Dress")
        assert "A1 is there already: Wrap dress; give --force to change it" in done.stderr
    assert run("catalog", "add", "--sku", "A1", "--category", "Coat", "--db", db).exit_code == 0
    assert title_and_category() == ("Wrap dress", "Coat")
    done = run("catalog", "add", "--title", "Gown", "--sku", "A1", "--db", db, "--force")
    assert done.exit_code == 0 and title_and_category() == ("Gown", "Coat")


@pytest.mark.parametrize(("answer", "title"), [("y", "Coat"), ("n", "Wrap dress")])
def test_whoever_is_there_is_asked_before_an_item_is_changed(
    run, filled, db, monkeypatch, answer, title
):
    words = ["catalog", "add", "--title", "Coat", "--sku", "A1", "--db", str(db)]
    asked = []
    confirm = lambda text, **more: asked.append(text) or answer == "y"  # noqa: E731
    monkeypatch.setattr("trendscope.cli.outcome.typer.confirm", confirm)
    monkeypatch.setattr("trendscope.cli.outcome._nobody_is_there", lambda: False)
    assert run(*words).exit_code == (0 if answer == "y" else 130)
    assert asked == ["A1 is there already: Wrap dress. Change it?"]
    item = json.loads(run("catalog", "show", "A1", "--json", "--db", db).stdout)["items"][0]
    assert item["title"] == title


def test_import_prints_a_summary(filled, db):
    lines = filled.stdout.splitlines()
    assert lines[0] == "2 items of a file by a table of its own: 2 new."
    assert "1 row without a number (SKU), not used: row 4" in filled.stdout
    assert "on the web" not in filled.stdout
    assert lines[-2:] == [
        "1 item should be looked at by a person: trendscope catalog list --review",
        f"Kept in {db}",
    ]


def test_list_and_show_print_items_and_write_a_page(run, filled, db, tmp_path):
    page = tmp_path / "page.html"
    listed = run("catalog", "list", "--db", db, "--html", page)
    assert listed.stdout.splitlines() == [
        "  sku  title       category  picture  from   price      stock",
        "  A1   Wrap dress  Dress     90 %     title  59.90 EUR",
        "  A2   Emma        not sure",
    ]
    assert "data:image/jpeg" in page.read_text()
    waiting = run("catalog", "list", "--review", "--db", db).stdout
    assert "A2" in waiting and "no word tells what it is" in waiting and "A1" not in waiting
    assert run("catalog", "list", "--category", "bag", "--db", db).stdout == (
        "There are no such items.\n"
    )
    rows = list(csv.DictReader(io.StringIO(run("catalog", "list", "--csv", "--db", db).stdout)))
    assert [row["category"] for row in rows] == ["Dress", ""]
    shown = run("catalog", "show", "A1", "--db", db).stdout
    assert "category  Dress, 90 % by the picture, the title: wrap dress" in shown
    document = json.loads(run("catalog", "show", "A1", "--db", db, "--json").stdout)
    assert document["items"][0]["top"][0] == ["Dress", 0.9]


def test_add_finds_the_category_and_shows_three_best(run, db, tmp_path):
    photo = tmp_path / "x.png"
    photo.write_bytes(painted("Bag"))
    done = run("catalog", "add", photo, "--sku", "A17", "--title", "Emma", "--db", db)
    assert done.exit_code == 0 and "Bag, 90 % by the picture" in done.stdout
    assert "picture   Bag 90 %, " in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["import", "no.csv"], 1, "no.csv does not exist"),
        (["add", "no.jpg", "--sku", "1"], 2, "no.jpg is no file"),
        (["add", "--sku", "1"], 2, "nothing is known of 1; give a photo or --title"),
        (["list", "--json", "--csv"], 2, "exclude each other"),
        (["list", "--category", "Hat"], 2, "choose one of T-shirt/top"),
        (["show", "A11"], 1, "holds no item 'A11'; is it A1"),
    ],
)
def test_errors_are_a_line_with_a_next_step(words, code, message, run, filled, db):
    done = run("catalog", *words, "--db", db)
    assert (done.exit_code, done.stderr.count("\n")) == (code, 1)
    assert message in done.stderr


def test_exit_codes_for_scripts(run, filled, db, tmp_path):
    file = tmp_path / "p.csv"
    assert run("catalog", "import", file, "--db", db, "--strict").exit_code == 4
    file.write_text("sku,title\n,x\n")
    done = run("catalog", "import", file, "--db", db, "--json")
    assert done.exit_code == 3 and json.loads(done.stdout)["items"] == 0
    empty = tmp_path / "other.db"
    run("scan", tmp_path / "dress.png", "--db", empty)
    assert run("catalog", "list", "--db", empty).exit_code == 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_thousand_products_of_every_kind_end_in_their_categories(kind, run, db, tmp_path):
    path = tmp_path / "big.csv"
    path.write_bytes(KINDS[kind](truth(1000)))
    report = json.loads(run("catalog", "import", path, "--db", db, "--json").stdout)
    assert (report["new"], report["uncertain"], report["remarks"]) == (1000, 0, [])
    assert set(report["categories"].values()) == {100}
    assert report["on_the_web"] == (1000 if kind == "shopify_old" else 0)


# --- the sample shop -----------------------------------------------------------------------------


def test_every_item_of_the_sample_shop_is_imported(run, db):
    done = run("catalog", "import", SHOP / "products.csv", "--images", SHOP, "--db", db, "--json")
    document = json.loads(done.stdout)
    assert (document["new"], document["pictures"]) == (16, 15)
    assert [r["reason"] for r in document["remarks"]] == ["not_for_sale"]


def test_pictures_of_a_catalogue_among_feeds_are_not_photos():
    items = list(open_feed([ROOT / "sample_feeds"]))
    below = [item for item in items if "/shop/" in item.source]
    expected = [(Skipped, "other_data", None, f"products{end}.csv") for end in ("-sorted", "")]
    assert [(type(i), i.reason, i.customer, Path(i.source).name) for i in below] == expected
    assert all("15 pictures; trendscope catalog import reads it" in item.detail for item in below)


def test_the_sample_shop_sorted_in_a_spreadsheet_has_the_same_items(run, db):
    for file, change in (("products", Decimal(0)), ("products-sorted", Decimal(1))):
        imported = run("catalog", "import", SHOP / f"{file}.csv", "--currency", "EUR", "--db", db)
        assert imported.exit_code == 0
        items = json.loads(run("catalog", "list", "--json", "--db", db).stdout)["items"]
        expected = {
            (title, str(Decimal(price) - change), quantity > 0)
            for title, _, _, status, price, quantity, _ in shop.ITEMS
            if status == "Active"
        }
        assert {(item["title"], item["price"], item["in_stock"]) for item in items} == expected
        assert len(items) == 16


def test_other_tables_and_pictures_beside_a_catalogue_are_read(tmp_path):
    for name in ("a/mine.jpg", "a/sold.jpg", "a/red bag.jpg", "a/red%20hat.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(painted("Bag"))
    pictures = ("sold.jpg", "https://x.example/red%20bag.jpg?v=1", "red%20hat.jpg")
    rows = "".join(f"{n},Bag,5,{picture}\n" for n, picture in enumerate(pictures))
    (tmp_path / "a" / "p.csv").write_text(f"sku,title,price,image\n{rows}")
    (tmp_path / "a" / "notes.csv").write_text("id,name,image\n1,me,mine.jpg\n")
    items = list(open_feed([tmp_path]))
    assert [Path(i.source).name for i in items if isinstance(i, Post)] == ["mine.jpg", "notes.csv"]


# --- forget --------------------------------------------------------------------------------------


@pytest.fixture
def scanned(run, db, photos):
    assert run("scan", photos, "--db", db, "-q").exit_code == 0
    return db


def test_forget_refuses_without_yes_or_a_terminal(run, scanned):
    done = run("forget", "--customer", "anna", "--db", scanned)
    assert (done.exit_code, done.stderr) == (
        2,
        "trendscope: there is nobody to ask; give --yes to remove the customer\n",
    )
    assert "3 photos of 1 customer" not in run("status", "--db", scanned).stdout


def test_forget_with_yes_removes_a_customer_and_prints_a_summary(run, scanned):
    told = run("forget", "--customer", "anna", "--db", scanned, "--yes", "--json")
    document = json.loads(told.stdout)
    assert (document["customer"], document["photos"], document["skipped"]) == ("anna", 3, 1)
    assert document["wiped"] is True
    assert b"anna" not in scanned.read_bytes()
    told = run("forget", "--customer", "anna", "--db", scanned, "--yes")
    assert told.exit_code == 2 and "holds no customer 'anna'" in told.stderr


@pytest.mark.parametrize(("answer", "code", "left"), [(b"n\n", 130, True), (b"y\n", 0, False)])
def test_forget_asks_on_a_terminal(answer, code, left, scanned):
    keyboard, terminal = pty.openpty()
    os.write(keyboard, answer)
    words = ["-m", "trendscope", "forget", "--customer", "anna", "--db", str(scanned)]
    done = subprocess.run(
        [sys.executable, *words], stdin=terminal, capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == code, done.stderr
    assert "anna in" in done.stderr and "3 photos, 1 skipped file" in done.stderr
    assert (b"anna" in scanned.read_bytes()) == left
