"""Catalogues into the store: with pictures, again and again, in SQLite and PostgreSQL alike."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.factories.classifier import FakeClassifier
from tests.factories.databases import engine
from tests.factories.photos import painted
from trendscope import store
from trendscope.errors import StoreError, TrendscopeError, UsageError
from trendscope.ingest.catalog import add, import_catalog
from trendscope.ingest.photos import scan
from trendscope.reports import catalog
from trendscope.store import schema
from trendscope.store.database import open_store
from trendscope.store.read_items import chosen, find

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
TABLE = """sku;title;type;price;stock;image
A1;Wrap dress;Dresses;59,90 EUR;3;dress.png
A2;Emma;;1.299,00 EUR;0;https://cdn.example/9/bag.png?v=3
A3;Linen shirt;;;;dress.png
A4;Denim skirt;;;;
A5;Nora;;;;black.png
A6;=cmd();;;;../secret.png
;Nameless;;;;
"""

once = pytest.mark.parametrize("db", ["sqlite"], indirect=True)


@pytest.fixture
def shop(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "products.csv").write_text(TABLE)
    for name, category in (("dress", "Dress"), ("bag", "Bag"), ("black", "black")):
        (folder / f"{name}.png").write_bytes(painted(category))
    (tmp_path / "secret.png").write_bytes(painted("Coat"))
    return folder


def put(shop, db, name="products.csv", **more):
    classifier = more.pop("weights", None) or FakeClassifier()
    more = {"images": [shop], **more}
    return import_catalog(shop / name, db, weights=classifier, clock=lambda: NOW, **more)


def rows(db, table):
    bare = engine(db)
    with bare.connect() as connection:
        rows = connection.execute(table.select()).mappings().all()
    bare.dispose()
    return rows


def test_import_catalog_stores_items_with_categories_pictures_and_embeddings(shop, db):
    result = put(shop, db)
    assert (result.new, result.changed, result.unchanged, result.pictures, result.judged) == (
        6,
        0,
        0,
        4,
        4,
    )
    assert {name: count for name, count in result.categories.items() if count} == {
        "Dress": 1,
        "Bag": 1,
        "Shirt": 1,
    }
    assert (result.outside, result.uncertain, result.review) == (1, 2, 3)
    assert [(r.sku, r.reason, r.kept) for r in result.remarks] == [
        ("", "no_sku", False),
        ("A6", "picture", True),
    ]
    items = {item.sku: item for item in store.items(db)}
    assert [*items] == ["A1", "A2", "A3", "A4", "A5", "A6"]
    dress, bag, shirt, skirt, black, formula = items.values()
    assert (dress.category, dress.category_source, dress.review) == ("Dress", "type", "")
    assert (dress.price, dress.currency, dress.in_stock) == (Decimal("59.9"), "EUR", True)
    assert dress.confidence == pytest.approx(0.9)
    embedding = dress.prediction.embedding
    assert embedding.dtype == np.float32 and embedding.shape == (4,)
    assert (bag.category, bag.category_source, bag.in_stock) == ("Bag", "picture", False)
    assert bag.price == 1299
    assert shirt.category == "Shirt" and "looks like Dress (90 %)" in shirt.review
    assert (skirt.category, skirt.reason, skirt.prediction) == (None, "outside", None)
    assert (black.category, black.reason) == (None, "uncertain") and black.review
    assert (formula.title, formula.picture) == ("=cmd()", "")
    assert {*store.item_thumbnails(db, [*items])} == {"A1", "A2", "A3", "A5"}
    assert store.item_thumbnails(db, ["A1"])["A1"].startswith(b"\xff\xd8")


def test_importing_the_same_file_again_changes_and_judges_nothing(shop, db):
    put(shop, db)
    before = [rows(db, table) for table in (schema.items, schema.item_sights)]
    classifier = FakeClassifier()
    result = put(shop, db, weights=classifier)
    assert (result.new, result.changed, result.unchanged, result.judged) == (0, 0, 6, 0)
    assert sum(classifier.batches) == 0
    assert [rows(db, table) for table in (schema.items, schema.item_sights)] == before


def test_a_second_import_changes_only_the_items_that_differ(shop, db):
    put(shop, db)
    (shop / "products.csv").write_text(
        TABLE.replace("59,90", "49,90").replace("A4;Denim skirt", "A4;Denim jacket")
    )
    (shop / "bag.png").write_bytes(painted("Trouser"))
    result = put(shop, db)
    assert (result.changed, result.unchanged, result.judged) == (3, 3, 1)
    one, two, four = store.items(db, ["A4", "A2", "A1"])
    assert one.price == Decimal("49.9")
    assert (two.category, two.prediction.category) == ("Trouser", "Trouser")
    assert four.category == "Coat"
    assert len(rows(db, schema.item_sights)) == len(rows(db, schema.item_thumbnails)) == 4


@once
def test_an_import_without_pictures_loads_no_classifier_and_keeps_old_pictures(shop, db):
    put(shop, db)
    text = "sku;title\nA2;Emma the second\n"
    (shop / "later.csv").write_text(text)
    result = put(shop, db, "later.csv", images=[], weights="no such weights")
    assert (result.changed, result.uncertain) == (1, 0)
    item = find(db, "A2")
    assert (item.title, item.category, item.picture[-7:]) == ("Emma the second", "Bag", "bag.png")


def test_a_persons_decision_stays_and_leaves_the_review_list(shop, db):
    put(shop, db)
    assert [i.sku for i in chosen(store.items(db), review=True, category=None)] == [
        "A3",
        "A5",
        "A6",
    ]
    result = add(None, db, sku="A5", category="coat", weights=FakeClassifier())
    assert (result.category, result.category_source, result.review) == ("Coat", "person", "")
    assert (result.title, result.prediction.verdict) == ("Nora", "uncertain")
    add(None, db, sku="A3", category="none", weights=FakeClassifier())
    put(shop, db)
    items = {item.sku: item for item in store.items(db)}
    assert items["A5"].category == "Coat" and items["A3"].reason == "outside"
    assert [i.sku for i in chosen([*items.values()], review=True, category=None)] == ["A6"]


@once
def test_a_category_map_overrides_words_and_pictures(shop, db):
    path = shop / "map.csv"
    path.write_text("match,category\nDresses,Coat\nA4,Trouser\n")
    put(shop, db, category_map=path)
    first, fourth = store.items(db, ["A1", "A4"])
    assert (first.category, first.category_source, fourth.category) == ("Coat", "map", "Trouser")


@once
def test_pictures_are_found_in_zips_by_address_by_path_and_by_sku(shop, db):
    with zipfile.ZipFile(shop / "all.zip", "w") as archive:
        archive.writestr("summer/one.png", painted("Dress"))
        archive.writestr("winter/one.png", painted("Coat"))
        archive.writestr("S3_1.png", painted("Bag"))
    (shop / "named.csv").write_text(
        "sku,title,price,image\n"
        "S1,a,,https://x.example/img/winter/ONE.png\n"
        "S2,b,,one.png\n"
        "S3,c,,\n"
        "S4,d,,/etc/passwd\n"
        "S5,e,,lost.png\n"
    )
    result = put(shop, db, "named.csv", images=[shop / "all.zip"])
    assert {i.sku: i.category for i in store.items(db)} == {
        "S1": "Coat",
        "S2": None,
        "S3": "Bag",
        "S4": None,
        "S5": None,
    }
    assert [(r.sku, r.detail) for r in result.remarks] == [
        ("S2", "2 pictures are called one.png"),
        ("S4", "/etc/passwd leads out of the folder, and is not opened"),
        ("S5", "there is no picture lost.png"),
    ]


@once
def test_a_link_out_of_the_folder_is_not_followed(shop, db):
    (shop / "link.png").symlink_to(shop.parent / "secret.png")
    (shop / "links.csv").write_text("sku,title,price,image\n1,a,,link.png\n")
    result = put(shop, db, "links.csv", images=[])
    assert (result.pictures, result.remarks[0].reason) == (0, "picture")


@once
def test_a_broken_picture_does_not_stop_the_import(shop, db):
    (shop / "dress.png").write_bytes(painted("Dress")[:200])
    result = put(shop, db)
    assert (result.new, result.pictures) == (6, 2)
    assert sum(r.reason == "picture" for r in result.remarks) == 3
    assert find(db, "A1").category == "Dress"


def test_items_no_longer_for_sale_become_out_of_stock(shop, db):
    header = "Title,URL handle,Status,SKU,Inventory quantity\n"
    (shop / "s.csv").write_text(f"{header}Dress,a,Active,1,5\nCoat,b,Active,2,5\n")
    put(shop, db, "s.csv")
    (shop / "s.csv").write_text(f"{header}Dress,a,Active,1,5\nCoat,b,Archived,2,5\n")
    result = put(shop, db, "s.csv")
    assert (result.taken_off, result.unchanged) == (1, 1)
    assert [item.in_stock for item in store.items(db)] == [True, False]
    assert put(shop, db, "s.csv").taken_off == 0


# --- one item ------------------------------------------------------------------------------------


def test_add_makes_an_item_of_a_photo_and_a_sku(shop, db):
    result = add(shop / "bag.png", db, sku="A17", title="Emma", weights=FakeClassifier())
    assert (result.category, result.confidence) == ("Bag", pytest.approx(0.9))
    assert result.prediction.top(1)[0][0] == "Bag"
    again = add(None, db, sku="A17", price="59.90 EUR", in_stock=True, weights=FakeClassifier())
    assert (again.category, again.title, again.price) == ("Bag", "Emma", Decimal("59.9"))
    assert (again.prediction.embedding == result.prediction.embedding).all()
    assert len(store.items(db)) == 1
    assert catalog.item_lines(again)[2].startswith("  picture   Bag 90 %, ")


@once
@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"sku": " "}, UsageError, "--sku is empty"),
        ({"sku": "X"}, UsageError, "nothing is known of X; give a photo or --title"),
        (
            {"sku": "X", "title": "a", "category": "Hat"},
            UsageError,
            "--category Hat: choose one of",
        ),
        ({"sku": "X", "title": "a", "price": "1,299"}, UsageError, "can be read in two ways"),
    ],
)
def test_add_refuses_wrong_arguments_and_stores_nothing(arguments, error, words, db):
    with pytest.raises(error, match=words):
        add(None, db, weights=FakeClassifier(), **arguments)
    with open_store(db, create=True) as opened:
        assert store.items(opened) == []


@once
def test_add_stores_nothing_if_the_photo_is_unreadable(shop, db):
    (shop / "broken.jpg").write_bytes(b"\xff\xd8\xff and then nothing")
    with pytest.raises(TrendscopeError, match=r"broken\.jpg"):
        add(shop / "broken.jpg", db, sku="X", title="Dress", weights=FakeClassifier())
    assert store.items(db) == []


@once
def test_find_suggests_the_nearest_sku(shop, db):
    put(shop, db)
    with pytest.raises(StoreError, match="holds no item 'a11'; is it A1"):
        find(db, "a11")


# --- beside customers ----------------------------------------------------------------------------


def test_items_and_photos_share_only_the_weights(shop, db, photos):
    put(shop, db)
    scan([photos], db, weights=FakeClassifier())
    assert store.status(db).photos == 4 and len(store.items(db)) == 6
    store.forget(db, "anna")
    assert len(store.items(db)) == 6 and len(rows(db, schema.item_sights)) == 4


def test_other_weights_are_refused_and_new_weights_judge_pictures_again(shop, db, photos):
    class Other(FakeClassifier):
        name = "other"

    scan([photos], db, weights=FakeClassifier())
    with pytest.raises(StoreError, match="are other weights"):
        put(shop, db, weights=Other())
    put(shop, db)
    scan([photos], db, weights=Other(), reclassify=True)
    assert all(item.prediction is None for item in store.items(db))
    assert put(shop, db, weights=Other()).judged == 4
    assert sum(item.prediction is not None for item in store.items(db)) == 4


# --- written down --------------------------------------------------------------------------------


@once
def test_json_and_csv_agree_and_csv_defuses_formulas(shop, db):
    put(shop, db)
    items = store.items(db)
    document = json.loads(catalog.items_json(items, "x.db"))
    table = list(csv.DictReader(io.StringIO(catalog.items_csv(items))))
    assert [item["sku"] for item in document["items"]] == [row["sku"] for row in table]
    assert document["items"][0]["price"] == table[0]["price"] == "59.90"
    assert document["items"][1]["top"][0] == ["Bag", 0.9]
    assert (table[5]["title"], document["items"][5]["title"]) == ("'=cmd()", "=cmd()")
    assert table[3]["confidence"] == "" and table[1]["picture_best"] == "Bag"


@once
def test_the_page_shows_every_item_and_escapes_text(shop, db):
    (shop / "x.csv").write_text('sku,title,price\n<b>1,"&lt;script>alert(1)",5.00\n')
    put(shop, db, "x.csv")
    put(shop, db)
    items = store.items(db)
    page = catalog.items_html(items, store.item_thumbnails(db, [i.sku for i in items]))
    tags = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attributes):
            tags.append(tag)

    Tags().feed(page)
    assert (tags.count("li"), tags.count("img"), tags.count("script")) == (7, 4, 0)
    assert "&lt;b&gt;1" in page


# --- known again ---------------------------------------------------------------------------------

SHOPIFY = "Handle,Title,Status,Variant SKU,Variant Inventory Qty,Variant Price\n"
GOOGLE = "id,title,item_group_id,image_link,availability,price\n"


def listed(shop, db, *files):
    """The items after files were read one after the other: SKU to price and stock."""
    for text in files:
        (shop / "feed.csv").write_text(text)
        result = put(shop, db, "feed.csv")
    return {
        item.sku: (item.price and str(item.price), item.in_stock) for item in store.items(db)
    }, result


@once
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            SHOPIFY + "linen,Dress,active,S,3,55\nlinen,,,M,2,55\nlinen,,,L,1,55\n",
            SHOPIFY + "linen,Dress,active,M,2,39\nlinen,,,L,1,39\n",
        ),
        (
            SHOPIFY + "linen,Dress,active,S,3,55\n",
            SHOPIFY + "linen,Dress,active,XL,2,39\n",
        ),
        (SHOPIFY + "linen,Dress,active,,3,55\n", SHOPIFY + "linen,Dress,active,S,2,39\n"),
        (SHOPIFY + "linen,Dress,active,S,3,55\n", SHOPIFY + "linen,Dress,active,,2,39\n"),
        (SHOPIFY + "linen,Dress,active,S,3,55\n", SHOPIFY + "flax,Dress,active,S,2,39\n"),
        (
            SHOPIFY + "linen,Dress,active,S,3,55\nlinen,,,M,2,55\nlinen,,,L,1,55\n",
            SHOPIFY + "flax,Dress,active,XL,2,39\nflax,,,L,1,39\n",
        ),
        (
            GOOGLE + "S,Coat S,G,c.jpg,in stock,55\nM,Coat M,G,c.jpg,in stock,55\n",
            GOOGLE + "M,Coat M,G,c.jpg,in stock,39\nS,Coat S,G,c.jpg,in stock,39\n",
        ),
        (GOOGLE + "S,Coat S,G,c.jpg,in stock,55\n", GOOGLE + "M,Coat M,G,d.jpg,in stock,39\n"),
    ],
)
def test_an_item_is_known_again_by_any_size_handle_or_group(before, after, shop, db):
    first, _ = listed(shop, db, before)
    again, result = listed(shop, db, after)
    assert list(again) == list(first) and len(again) == 1
    assert [*again.values()] == [("39", True)]
    assert (result.new, result.changed) == (0, 1)


@once
def test_colours_of_a_group_stay_items_of_their_own(shop, db):
    red, blue = "R,Coat,G,red.jpg,in stock,55\n", "B,Coat,G,blue.jpg,in stock,60\n"
    again, result = listed(shop, db, GOOGLE + red + blue, GOOGLE + blue + red)
    assert again == {"B": ("60", True), "R": ("55", True)}
    assert (result.new, result.changed, result.unchanged) == (0, 2, 0)  # their rows are others


@once
@pytest.mark.parametrize(("before", "after"), [("R", "BY"), ("RB", "Y")])
def test_new_colours_of_a_group_are_not_taken_for_others_of_it(before, after, shop, db):
    rows = {c: f"{c},Coat,G,{c}.jpg,in stock,55\n" for c in "RBY"}
    files = (GOOGLE + "".join(rows[c] for c in colours) for colours in (before, after))
    again, result = listed(shop, db, *files)
    assert {*again} == {*"RBY"}
    assert result.new == len(after)


@once
def test_sizes_that_were_items_of_their_own_are_taken_off(shop, db):
    apart = "sku,title,price\nS,Dress S,55\nM,Dress M,55\n"
    joined = SHOPIFY + "linen,Dress,active,M,2,39\nlinen,,,S,1,39\n"
    for files in ([apart, joined], [joined]):
        again, _ = listed(shop, db, *files)
        assert {sku: stock for sku, (_, stock) in again.items()} == {"M": True, "S": False}
    assert again["M"][0] == "39"


@once
def test_a_withdrawn_item_is_found_by_any_of_its_sizes(shop, db):
    again, result = listed(
        shop,
        db,
        SHOPIFY + "linen,Dress,active,S,3,55\nlinen,,,M,2,55\n",
        SHOPIFY + "linen,Dress,draft,M,2,39\nlinen,,,S,1,39\n",
    )
    assert again == {"S": ("55", False)}
    assert result.taken_off == 1


def test_an_item_is_found_and_changed_by_the_number_of_a_size(shop, db):
    listed(shop, db, SHOPIFY + "linen,Dress,active,S,3,55\nlinen,,,M,2,55\n")
    assert find(db, "M").sku == "S"
    changed = add(None, db, sku="M", category="Coat", clock=lambda: NOW)
    assert (changed.sku, changed.category, changed.category_source) == ("S", "Coat", "person")
    again, _ = listed(shop, db, SHOPIFY + "linen,Dress,active,M,2,39\n")
    assert [*again] == ["S"]
    assert find(db, "S").category_source == "person"


@once
def test_a_category_map_knows_an_item_by_any_size(shop, db):
    (shop / "map.csv").write_text("match,category\nM,Bag\n")
    (shop / "feed.csv").write_text(SHOPIFY + "linen,Emma,active,S,3,55\nlinen,,,M,2,55\n")
    put(shop, db, "feed.csv", category_map=shop / "map.csv")
    assert find(db, "S").category == "Bag"
