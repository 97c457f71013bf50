"""Several garments in a photo, from its pixels to the database, targets and catalogues."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.factories.classifier import Outfits
from tests.factories.databases import content
from trendscope import store
from trendscope.ingest.catalog import import_catalog
from trendscope.ingest.catalog_file import items_of_file
from trendscope.ingest.photos import scan
from trendscope.photos.run import classify, profile
from trendscope.recommend.campaigns import campaign, for_profile
from trendscope.recommend.ranking import RecommendOptions
from trendscope.store.memory import stored_photos
from trendscope.trends.from_store import trends_of_store

RED, PALE, DARK = "#E15759", "#F06A6C", "#C84044"  # of dresses
PINK, COAT = "#FF9DA7", "#B07AA1"


def thirds(*colors, size=(90, 60)):
    """A photo of garments side by side."""
    picture = Image.new("RGB", size, "white")
    width, height = size
    for i, color in enumerate(colors):
        picture.paste(color, (width * i // 3, 0, width * (i + 1) // 3, height))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


PHOTOS = {
    "anna/IMG_20260302_090000.png": thirds(DARK, PINK, COAT, size=(600, 300)),
    "anna/IMG_20260303_090000.png": thirds(DARK, PINK, size=(120, 60)),
    "anna/IMG_20260304_090000.png": thirds(DARK, "white", PINK, size=(93, 60)),
    "ben/IMG_20260302_090000.png": thirds("black", "white", "white"),
    "ben/IMG_20260303_090000.png": thirds("white", size=(60, 60)),
    "ben/IMG_20260304_090000.png": thirds("black", PINK, PINK, size=(99, 60)),
}


@pytest.fixture
def folder(tmp_path):
    for name, data in PHOTOS.items():
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "photos"


def test_garments_have_boxes_in_pixels_of_the_photo(folder):
    photo, *_ = classify([folder / "anna"], weights=Outfits()).photos
    assert photo.size == (600, 300)
    garments = [(g.category, g.box) for g in photo.garments]
    assert [name for name, _ in garments] == ["Dress", "Bag", "Coat"]
    for i, (_, box) in enumerate(garments):
        # Decoded at 256 pixels, so a pixel there is a little more than two here.
        assert box == pytest.approx((200 * i, 0, 200 * (i + 1), 300), abs=3)


def test_candidates_stand_beside_what_is_named(folder):
    uncertain, outside, bags = classify([folder / "ben"], weights=Outfits()).photos
    assert [uncertain.verdict, outside.verdict, bags.verdict] == [
        "uncertain",
        "outside",
        "classified",
    ]
    assert [g.category for g in bags.garments] == ["Bag", "Bag"]
    assert [g.category for g in bags.candidates] == ["Coat"]
    assert [g.category for g in uncertain.candidates] == ["Coat"] and not outside.candidates


def test_a_scanned_photo_counts_in_each_of_its_categories(folder, db):
    tally = scan([folder], db, weights=Outfits()).tally
    assert (tally.judged, tally.skipped) == (6, 0)
    total = store.status(db)
    assert (total.photos, total.classified, total.uncertain, total.outside) == (6, 4, 1, 1)
    counts = store.sightings(db).groupby(["customer", "category"]).size().to_dict()
    assert counts == {
        ("anna", "Dress"): 3,
        ("anna", "Bag"): 3,
        ("anna", "Coat"): 1,
        ("ben", "Bag"): 2,
    }
    weekly = trends_of_store(db).weekly
    bags = weekly[weekly["category"] == "Bag"].iloc[0]
    assert (bags["count"], bags["photos"], bags["all_photos"]) == (2, 4, 4)


def test_scanning_again_changes_nothing_and_judges_nothing(folder, db):
    scan([folder], db, weights=Outfits())
    before = content(db)
    classifier = Outfits()
    assert scan([folder], db, weights=classifier).tally.unchanged == 6
    assert content(db) == before and classifier.batches == []


def test_a_stored_profile_is_that_of_the_photos(folder, db):
    scan([folder], db, weights=Outfits())
    fresh = profile([folder], weights=Outfits())
    with stored_photos(db, Outfits()) as memory:
        stored = profile([folder], weights=Outfits(), memory=memory)

    def boxes(r):
        return [(g.category, g.confidence, g.box) for g in (*r.garments, *r.candidates)]

    def facts(result):
        return [
            (r.customer, r.verdict, r.probabilities, r.outside, r.size, boxes(r))
            for r in result.readings
        ]

    assert facts(stored) == facts(fresh)
    assert [c.categories for c in stored.customers] == [c.categories for c in fresh.customers]


# --- items ---------------------------------------------------------------------------------------

TABLE = (
    "sku,title,image\n"
    "D1,Red dress,red.png\n"
    "D2,Dark dress,dark.png\n"
    "B1,Bag,look.png\n"
    "D3,Dress,look.png\n"
    "X1,Emma,look.png\n"
    "C1,Wool coat,coat.png\n"
)


@pytest.fixture
def shop(tmp_path):
    pictures = {
        "red.png": thirds(PALE, PALE, PALE),
        "dark.png": thirds(DARK, DARK, DARK),
        "look.png": thirds(PALE, PINK, PINK),
        "coat.png": thirds("black", PINK, PINK),
    }
    (tmp_path / "shop").mkdir()
    for name, data in pictures.items():
        (tmp_path / "shop" / name).write_bytes(data)
    (tmp_path / "shop" / "products.csv").write_text(TABLE)
    return tmp_path / "shop" / "products.csv"


def looks(items):
    return {
        item.sku: (item.category, item.prediction.category, item.prediction.embedding.tolist())
        for item in items
    }


DRESS_LOOK, BAG_LOOK = [0xF0, 0x6A, 0x6C, 50], [0xFF, 0x9D, 0xA7, 50]


def test_an_item_is_the_garment_of_its_own_category(shop):
    items = looks(items_of_file(shop, weights=Outfits()))
    assert items["D3"] == ("Dress", "Dress", DRESS_LOOK)
    assert items["B1"] == ("Bag", "Bag", BAG_LOOK)
    assert items["X1"] == ("Dress", "Dress", DRESS_LOOK)  # the first of those equally sure
    assert items["C1"] == ("Coat", None, [0, 0, 0, 50])  # not sure, but it is one of the coat


def test_one_picture_of_several_items_shows_each_its_own_garment_in_a_store(shop, db):
    import_catalog(shop, db, weights=Outfits())
    first = looks(store.items(db))
    assert first == looks(items_of_file(shop, weights=Outfits()))
    import_catalog(shop, db, weights=Outfits())
    assert looks(store.items(db)) == first


def test_targets_are_those_nearest_to_the_garment_not_to_the_photo(folder, shop, db):
    scan([folder], db, weights=Outfits())
    import_catalog(shop, db, weights=Outfits())
    one = RecommendOptions(per_category=1)
    rows = campaign(db, wish=one).targets.rows
    assert {*zip(rows["customer"], rows["sku"], strict=True)} == {("anna", "D2"), ("anna", "B1")}
    assert rows["likeness"].min() > 0.9
    result = profile([folder], weights=Outfits(), keep_reposts=True)
    again = for_profile(result, items_of_file(shop, weights=Outfits()), wish=one).targets.rows
    assert again["sku"].tolist() == rows["sku"].tolist()
    assert again["likeness"].tolist() == pytest.approx(rows["likeness"].tolist())
