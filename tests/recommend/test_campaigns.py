"""From photos and a catalogue file to targets: real files, real databases, the whole command."""

from __future__ import annotations

import csv
import hmac
import io
import json
import re
import sqlite3
import tempfile

import pytest
from typer.testing import CliRunner

from tests.factories.classifier import FakeClassifier
from tests.factories.photos import painted
from trendscope import store
from trendscope.categories import CATEGORIES, parse_category
from trendscope.cli import app
from trendscope.cli.recommend import _band
from trendscope.errors import NothingUsable, StoreError, UsageError
from trendscope.ingest.catalog import import_catalog
from trendscope.ingest.catalog_file import items_of_file
from trendscope.ingest.photos import scan
from trendscope.photos.run import profile
from trendscope.recommend.campaigns import campaign, for_profile
from trendscope.store import forget, open_store

# Shades that the fake classifier takes for a dress (#E15759), a bag (#FF9DA7) and a coat.
RED, PALE, DARK = "#E15759", "#F06A6C", "#C84044"
PINK, COAT = "#FF9DA7", "#B07AA1"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """anna wears dresses and bags, ben coats, cleo is seen once; a shop with pictures."""
    folder = tmp_path_factory.mktemp("files")
    photos = {
        "anna/IMG_20260301_090000.png": painted(RED),
        "anna/IMG_20260401_090000.png": painted(DARK),
        "anna/IMG_20260501_090000.png": painted(PINK),
        "anna/IMG_20260502_090000.png": painted(PINK, (130, 160)),
        "anna/dark.png": painted("black"),
        **{f"ben/IMG_2026060{n}_090000.png": painted(COAT, (120 + n, 160)) for n in (1, 2, 3)},
        "cleo/IMG_20260601_090000.png": painted(RED, (125, 160)),
    }
    shop = {"red.png": painted(PALE), "dark.png": painted(DARK), "bag.png": painted(PINK)}
    for kind, content in (("photos", photos), ("shop", shop)):
        for name, data in content.items():
            path = folder / kind / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    (folder / "shop" / "products.csv").write_text(
        "sku,title,category,price,availability,image\n"
        "D1,Red dress,Dress,59.90 EUR,in stock,red.png\n"
        "D2,Dark dress,Dress,120 EUR,in stock,dark.png\n"
        "D3,Gone dress,Dress,10 EUR,out of stock,red.png\n"
        "B1,<b>Bag</b> & more,Bag,20 EUR,in stock,bag.png\n"
        "C1,Wool coat,Coat,200 EUR,in stock,\n"
        "=1+1,Emma,,,in stock,\n",
        encoding="utf-8",
    )
    return folder


def fill(db, files):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trendscope.photos.pipeline.resolve", lambda weights: FakeClassifier())
        with open_store(db, create=True) as opened:
            scan([files / "photos"], opened)
            import_catalog(files / "shop" / "products.csv", opened)
    return str(db)


@pytest.fixture(scope="module")
def filled(files):
    """A database with those photos and items, to be read only."""
    return fill(files / "filled.db", files)


@pytest.fixture
def run(filled):
    def call(*words):
        outcome = CliRunner().invoke(
            app, ["recommend", "--db", filled, *map(str, words)], prog_name="trendscope"
        )
        assert "Traceback" not in outcome.output
        return outcome

    return call


def pairs(outcome):
    return list(outcome.targets.rows[["customer", "sku"]].itertuples(index=False, name=None))


def test_targets_of_all_customers_in_sqlite_and_postgresql(files, db):
    outcome = campaign(fill(db, files))
    assert outcome.targets.rows["customer"].tolist() == ["anna"] * 3 + ["ben"]
    assert set(pairs(outcome)) == {("anna", "D1"), ("anna", "D2"), ("anna", "B1"), ("ben", "C1")}
    by = outcome.targets.rows.set_index("sku")
    # The very picture of the first of April, and of a bag.
    assert by["likeness"][["D2", "B1"]].tolist() == pytest.approx([1, 1], abs=0.02)
    assert by["reason"]["D2"] == (
        "wears dresses in 2 of 4 photos (1 more not recognised); closest to the photo of 1 Apr 2026"
    )
    assert by["reason"]["C1"].endswith(
        "chosen by category alone, as there is no picture to compare"
    )
    assert outcome.targets.without_targets["customer"].tolist() == ["cleo"]
    assert outcome.targets.left_out == {
        "waiting for a person's word on the category": 1,
        "out of stock": 1,
    }
    assert (outcome.customers, outcome.without_picture, f"{outcome.as_of:%F}") == (
        3,
        1,
        "2026-06-03",
    )


def test_one_customer_gets_the_same_targets_as_among_all(filled):
    every, one = campaign(filled).targets.rows, campaign(filled, customer="anna").targets.rows
    assert one.to_dict("records") == every[every["customer"] == "anna"].to_dict("records")


def test_campaign_finds_customers_for_an_item_and_for_a_category(filled):
    assert pairs(campaign(filled, sku="D2")) == [("anna", "D2")]
    assert pairs(campaign(filled, category="coats")) == [("ben", "")]
    with pytest.raises(StoreError, match=r"holds no item 'D'; is it D"):
        campaign(filled, sku="D")
    with pytest.raises(Exception, match="about item D3: out of stock"):
        campaign(filled, sku="D3")


def test_forgotten_customers_get_no_targets(files, tmp_path):
    db = fill(tmp_path / "other.db", files)
    forget(db, "anna")
    assert pairs(campaign(db)) == [("ben", "C1")]
    assert campaign(db, category="Dress").targets.rows.empty


def test_of_whom_no_photo_could_be_used_is_no_customer(files, tmp_path, fake_command):
    """Zoe is in no number and no note, unless she is asked for; a list may name her."""
    db = fill(tmp_path / "other.db", files)
    (tmp_path / "zoe").mkdir()
    (tmp_path / "zoe" / "clip.mp4").write_bytes(b"no picture")
    scan([tmp_path / "zoe"], db)
    (tmp_path / "never.csv").write_text("customer\nzoe\nben\n")
    every = campaign(db, never=tmp_path / "never.csv")
    assert every.customers == store.status(db).customers == 3
    assert every.targets.without_targets["customer"].tolist() == ["cleo"]
    assert every.consent.suppressed == ("ben",)
    assert campaign(db, customer="zoe").targets.without_targets["reason"].tolist() == [
        "no photo has been judged"
    ]
    for name in ("anna", "ben", "cleo"):
        forget(db, name)
    with pytest.raises(NothingUsable, match="holds no customers"):
        campaign(db)


def test_unknown_names_and_contradicting_options_are_refused(filled):
    with pytest.raises(StoreError, match="holds no customer 'ana'; is it anna"):
        campaign(filled, customer="ana")
    with pytest.raises(UsageError, match="exclude each other"):
        campaign(filled, customer="anna", sku="D1")
    with pytest.raises(UsageError, match="--category Hat: choose one of T-shirt/top"):
        campaign(filled, category="Hat")


def test_campaign_refuses_a_database_without_items_or_customers(files, tmp_path, fake_command):
    db = tmp_path / "new.db"
    with open_store(db, create=True):
        pass
    with pytest.raises(NothingUsable, match=r"holds no customers; see trendscope scan"):
        campaign(db)
    scan([files / "photos"], db)
    with pytest.raises(NothingUsable, match=r"holds no items; .* trendscope catalog import FILE"):
        campaign(db)
    assert pairs(campaign(db, category="dress")) == [("anna", "")]


def test_parse_category_accepts_plurals():
    for name in CATEGORIES:
        assert parse_category(f" {name.upper()} ") == name
    assert parse_category("dresses") == "Dress"
    assert parse_category("t-shirts") == "T-shirt/top"
    assert parse_category("trousers") == "Trouser"


def plain(prediction):
    """The fields of a prediction, with arrays as bytes."""
    arrays = prediction.probabilities.tobytes(), prediction.embedding.tobytes()
    return (
        prediction.verdict,
        prediction.category,
        prediction.confidence,
        prediction.outside,
        arrays,
    )


def test_items_of_file_gives_what_import_catalog_stores(files, filled, fake_command):
    catalogue = files / "shop" / "products.csv"
    assert items_of_file(catalogue) == store.items(filled)
    predictions = [
        [item.prediction and plain(item.prediction) for item in every]
        for every in (items_of_file(catalogue), store.items(filled))
    ]
    assert predictions[0] == predictions[1] and any(predictions[0])


def test_for_profile_opens_no_database(files, tmp_path, monkeypatch, fake_command):
    monkeypatch.chdir(tmp_path)
    result = profile([files / "photos"], keep_reposts=True)
    items = items_of_file(files / "shop" / "products.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", None)
        patch.setattr(tempfile, "mkdtemp", None)
        outcome = for_profile(result, items)
    assert set(pairs(outcome)) == {("anna", "D1"), ("anna", "D2"), ("anna", "B1"), ("ben", "C1")}
    assert not list(tmp_path.iterdir())
    (tmp_path / "none.csv").write_text("sku,title\n")
    with pytest.raises(NothingUsable, match="holds no item that could be used"):
        for_profile(result, items_of_file(tmp_path / "none.csv"))


# --- the command ---------------------------------------------------------------------------------


def test_the_csv_for_mail_tools(run):
    result = run("--csv")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == ('"customer","sku","category","rank","score","reason"')
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["rank"] for row in rows] == ["1", "2", "3", "1"]
    assert all(0 < float(row["score"]) <= 1 for row in rows)
    assert "trendscope: Nothing for cleo: a garment was recognised in 1 of 1 photo" in result.stderr
    assert run("--csv", "-q").stderr == ""


def test_the_same_input_gives_the_same_bytes(run, tmp_path):
    for flag in ("--csv", "--json"):
        assert run(flag).stdout_bytes == run(flag).stdout_bytes
    pages = [tmp_path / "a.html", tmp_path / "b.html"]
    for page in pages:
        run("--html", page)
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_json_is_one_document(run):
    outcome = json.loads(run("--json", "--sku", "C1").stdout)
    assert (outcome["schema_version"], outcome["about"], outcome["asked"]) == (1, "sku", "C1")
    (target,) = outcome["targets"]
    assert target["customer"] == "ben" and target["posted_at"] is None
    assert target["title"] == "Wool coat" and target["price"] == 200
    whole = json.loads(run("--json").stdout)
    assert whole["left_out"]["out of stock"] == 1 and whole["silent"][0]["customer"] == "cleo"
    category = json.loads(run("--json", "--category", "Dress").stdout)
    assert category["targets"][0]["sku"] is None


def test_pseudonyms_replace_all_names(run, tmp_path, monkeypatch):
    key = "a key that is long enough"
    monkeypatch.setenv("TRENDSCOPE_KEY", key)

    def digest(kind, text):
        return hmac.new(key.encode(), f"{kind}:{text}".encode(), "sha256").hexdigest()[:16]

    named = {n: f"customer-{digest('name', n)}" for n in ("anna", "ben", "cleo", "dora")}
    (tmp_path / "never.csv").write_text("customer\nben\ndora\n")
    plain, hidden = (
        run("--json", "--never", tmp_path / "never.csv", "--force", *more).stdout
        for more in ((), ("--pseudonymise",))
    )
    for name in named:
        assert name not in hidden
    expected = json.loads(plain)["targets"]
    for row in expected:
        row["source"] = f"{named[row['customer']]}/{digest('path', row['source'])}.png"
        row["customer"] = named[row["customer"]]
    # The order is that of the pseudonyms.
    assert sorted(json.loads(hidden)["targets"], key=str) == sorted(expected, key=str)
    assert json.loads(hidden)["strangers"] == {"never.csv": [named["dora"]]}
    customers = [row["customer"] for row in json.loads(hidden)["targets"]]
    assert customers == sorted(customers)
    page = tmp_path / "page.html"
    run("--customer", "anna", "--html", page, "--pseudonymise")
    assert "anna" not in page.read_text() and named["anna"] in page.read_text()


def test_the_page_shows_item_and_photo_side_by_side(run, tmp_path):
    page = tmp_path / "anna.html"
    assert run("--customer", "anna", "--html", page).exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/jpeg;base64,") == 6  # three photos, three items
    assert "What suits anna" in text and "&lt;b&gt;" not in text and "Bag &amp; more" in text
    assert "<script" not in text and not re.search(r'(src|href)="(?!data:)', text)
    run("--sku", "C1", "--html", page)
    assert "Whom to write to about C1, Wool coat" in page.read_text(encoding="utf-8")
    assert page.read_text(encoding="utf-8").count(">no picture</div>") == 2


def test_printed_targets(run):
    lines = run().stdout.splitlines()
    assert lines[:3] == ["What suits whom", "", "anna"]
    assert "  1  " in lines[4] and "wears " in lines[4]
    assert "    Nothing for cleo: a garment was recognised in 1 of 1 photo; 3 are needed" in (
        "\n".join(lines)
    )
    assert run("--category", "Dress").stdout.startswith("Whom to write to about Dress\n")


def test_price_stock_and_number_options(run):
    def skus(*words):
        return {row["sku"] for row in csv.DictReader(io.StringIO(run("--csv", *words).stdout))}

    assert skus("--price", "20-60") == {"D1", "B1"}
    assert skus("--price", "-20") == {"B1"}
    assert skus("--price", "100-", "--currency", "eur") == {"D2", "C1"}
    assert skus("--any-stock") == {"D1", "D2", "D3", "B1", "C1"}
    assert skus("--per-category", "1") == {"D2", "B1", "C1"}
    assert skus("--exclude-owned") == {"C1"}  # the shades are that near


@pytest.mark.parametrize("price", ["20", "80-20", "x-y", "-", "1,5-2", "-5-20"])
def test_invalid_price_bands_are_refused(price):
    with pytest.raises(UsageError, match="--price"):
        _band(price)


def test_only_and_never_restrict_the_campaign(run, tmp_path):
    (tmp_path / "list.csv").write_text("customer\nANNA\nnobody\n")
    result = run("--csv", "--never", tmp_path / "list.csv", "--force")
    assert {row["customer"] for row in csv.DictReader(io.StringIO(result.stdout))} == {"ben"}
    assert "1 customer not to be written to." in result.stderr
    assert "that no customer has: nobody." in result.stderr
    (tmp_path / "list.csv").write_text("customer\nanna\n")
    for words in (("--category", "Coat"), ("--sku", "C1"), ("--customer", "ben"), ()):
        result = run("--csv", "--only", tmp_path / "list.csv", *words)
        assert "ben" not in result.stdout
        assert (result.exit_code == 3) == bool(words)
    assert (
        "there is nobody and nothing to recommend; the notes say why"
        in run("--customer", "cleo").stderr
    )


def test_a_name_on_never_that_nobody_has_stops_before_anybody_is_written_to(
    run, tmp_path, monkeypatch
):
    path = tmp_path / "never.csv"
    path.write_text("customer\nbem\nANNA\nx1\nx2\nx3\n")
    result = run("--csv", "--never", path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'bem' (is it ben?), 'x1', 'x2' and 1 more" in result.stderr
    monkeypatch.setenv("TRENDSCOPE_KEY", "a key that is long enough")
    hidden = run("--csv", "--never", path, "--pseudonymise")
    assert hidden.exit_code == 2 and "no customer has 4 of its names" in hidden.stderr
    assert not {"bem", "ben"} & {*hidden.stderr.replace(",", " ").split()}


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--csv", "--json"], 2, "exclude each other"),
        (["--currency", "EUR"], 2, "--currency goes with --price"),
        (["--sku", "D1", "--category", "Bag"], 2, "choose one"),
        (["--never", "missing.csv"], 1, "No such file"),
        (["--html", "/no/where.html"], 2, "there is no folder"),
        (["--customer", "zoe"], 2, "check the spelling"),
        (["--customer", "ANA"], 2, "is it anna?"),
    ],
)
def test_errors_have_a_message_and_an_exit_code(run, words, code, message):
    result = run(*words)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr and len(result.stderr.splitlines()) <= 2


def test_profile_with_a_catalogue_prints_targets(files, fake_command):
    words = ["profile", str(files / "photos"), "--catalog", str(files / "shop" / "products.csv")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0
    assert re.search(r"D2 +Dark dress +Dress +120\.00 EUR", result.stdout)
    result = CliRunner().invoke(app, [*words, "--csv"])
    assert result.exit_code == 2 and "for tables see recommend" in result.stderr
    result = CliRunner().invoke(app, [*words, "--limit", "catalog_rows=1"])
    assert result.exit_code == 1 and "--limit catalog_rows" in result.stderr
