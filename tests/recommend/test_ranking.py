"""Targets and audiences on looks whose likenesses are known; laws of order and of repetition."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories.sightings import item, photo, shelf, sightings
from trendscope.catalog.items import Item
from trendscope.categories import CATEGORIES
from trendscope.errors import TrendscopeError
from trendscope.recommend import eligibility, preferences, ranking
from trendscope.recommend.campaigns import Campaign
from trendscope.recommend.contact_lists import Consent
from trendscope.recommend.eligibility import ItemFilter, eligible
from trendscope.recommend.ranking import RecommendOptions, audience, targets, wearers
from trendscope.reports.targets import notes
from trendscope.vision.predictions import Prediction

PLAIN = RecommendOptions(diversity=0.0)
ANNA = (
    photo("anna", "Dress", "2026-10-03", degrees=10),
    photo("anna", "Dress", "2026-10-03", degrees=60),
    photo("anna", "Bag", "2026-10-03", degrees=80),
    photo("anna", "Bag", "2026-10-03", degrees=81),
)
BEN = (
    photo("ben", "Dress", "2026-10-03", degrees=30),
    photo("ben", "Dress", "2026-10-03", degrees=31),
    photo("ben", "Dress", "2026-10-03", degrees=32),
)
SHELF = shelf(item("D1", degrees=14), item("D2", degrees=62), item("B1", "Bag", degrees=71))


def pairs(result):
    return list(result.rows[["customer", "sku", "rank"]].itertuples(index=False, name=None))


def test_targets_worked_out_by_hand():
    result = targets(sightings(*ANNA), SHELF, PLAIN)
    assert pairs(result) == [("anna", "D2", 1), ("anna", "D1", 2), ("anna", "B1", 3)]
    second, first, bag = 1 - 4 / 90, 1 - 2 / 90, 1 - 9 / 90  # degrees to the nearest photo
    assert result.rows["likeness"].tolist() == pytest.approx([first, second, bag], abs=1e-3)
    # Two of four new photos, and one of nothing.
    assert result.rows["affinity"].tolist() == pytest.approx([0.4] * 3)
    scores = [0.4 * first, 0.4 * second, 0.4 * bag]
    assert result.rows["score"].tolist() == pytest.approx(scores, abs=1e-3)
    assert result.rows["reason"].tolist() == [
        "wears dresses in 2 of 4 photos; closest to the photo of 3 Oct 2026",
        "wears dresses in 2 of 4 photos; closest to the photo of 3 Oct 2026",
        "wears bags in 2 of 4 photos; closest to the photo of 3 Oct 2026",
    ]
    assert result.rows["sha256"].tolist()[:2] == [ANNA[1]["sha256"], ANNA[0]["sha256"]]
    assert result.without_targets.empty and result.left_out == {}


def test_only_categories_worn_are_offered_and_only_what_is_in_the_catalogue():
    result = targets(sightings(*ANNA, *BEN), shelf(item("B1", "Bag"), item("C1", "Coat")), PLAIN)
    assert pairs(result) == [("anna", "B1", 1)]
    silent = dict(result.without_targets[["customer", "reason"]].itertuples(index=False))
    assert silent == {"ben": "wears Dress; there is nothing on offer in that"}


def test_per_category():
    many = shelf(*(item(f"D{n}", degrees=n) for n in range(9)))
    for count in (1, 4, 20):
        result = targets(sightings(*BEN), many, replace(PLAIN, per_category=count))
        expected = [f"D{n}" for n in range(8, -1, -1)][:count]  # 30 degrees is nearest to 8
        assert result.rows["sku"].tolist() == expected


def test_equally_near_items_are_ordered_by_sku():
    many = shelf(*(item(f"D{n}", degrees=30) for n in (3, 1, 2)))
    assert targets(sightings(*BEN), many, PLAIN).rows["sku"].tolist() == ["D1", "D2", "D3"]


def test_exclude_owned():
    # 1 degree apart is a cosine of 0.9998, 11 degrees is 0.982.
    items = shelf(item("same", degrees=29), item("other", degrees=19))
    options = replace(PLAIN, exclude_owned=True)
    assert targets(sightings(*BEN), items, options).rows["sku"].tolist() == ["other"]
    assert len(targets(sightings(*BEN), items, PLAIN).rows) == 2
    result = targets(sightings(*BEN), shelf(item("same", degrees=29)), options)
    assert result.rows.empty and result.without_targets["customer"].tolist() == ["ben"]


def test_diversity():
    items = shelf(item("D1", degrees=40), item("D2", degrees=41), item("D3", degrees=10))
    two = replace(PLAIN, per_category=2)
    near = targets(sightings(*BEN), items, two).rows["sku"].tolist()
    varied = targets(sightings(*BEN), items, replace(two, diversity=0.5)).rows["sku"].tolist()
    assert (near, varied) == (["D1", "D2"], ["D1", "D3"])


def test_the_reason_names_an_undated_photo():
    rows = [photo("cy", "Coat", None, name=rf"up\down/{n}.jpg") for n in range(3)]
    result = targets(sightings(*rows), shelf(item("C1", "Coat")), PLAIN)
    assert result.rows["reason"].tolist() == [
        "wears coats in 3 of 3 photos; closest to the undated photo 0.jpg"
    ]


def test_items_without_pictures_are_chosen_by_category():
    bare = shelf(*(item(f"D{n}", degrees=None) for n in range(9)), item("D9", degrees=40))
    result = targets(sightings(*BEN), bare, PLAIN)
    assert result.rows["sku"].iloc[0] == "D9" and len(result.rows) == 5
    rest = result.rows.iloc[1:]
    assert set(rest["reason"]) == {
        "wears dresses in 3 of 3 photos; chosen by category alone, as there is no picture to "
        "compare"
    }
    assert (rest["likeness"] == ranking.NOT_COMPARED).all() and rest["sha256"].isna().all()
    # Others get others.
    people = [photo(f"c{n}", "Dress", "2026-10-03", degrees=d) for n in range(8) for d in (1, 2, 3)]
    result = targets(sightings(*people), bare, replace(PLAIN, per_category=2))
    seconds = result.rows[result.rows["likeness"] == ranking.NOT_COMPARED]["sku"]
    assert len(seconds) == 8 and seconds.nunique() > 3


def test_photos_without_embeddings():
    rows = [photo("cy", "Dress", "2026-10-03", None, name=f"{n}.jpg") for n in range(3)]
    result = targets(sightings(*rows, *BEN), SHELF, PLAIN)
    own = result.rows[result.rows["customer"] == "cy"]
    assert sorted(own["sku"]) == ["D1", "D2"] and (own["likeness"] == ranking.NOT_COMPARED).all()


def test_embeddings_of_different_lengths_are_not_compared():
    other = item("D7")
    other["embedding"] = b"\0\0\x80?" * 3  # three numbers where the photos have two
    result = targets(sightings(*BEN), shelf(other, item("D8")), PLAIN)
    assert result.rows.set_index("sku")["likeness"].to_dict()["D7"] == ranking.NOT_COMPARED


# --- the other way round -------------------------------------------------------------------------


def test_audience_of_an_item():
    result = audience(sightings(*ANNA, *BEN), SHELF, "D2", PLAIN)
    # Ben: three of three photos and one of nothing, 30 degrees away. Anna: 2 of 4, 2 degrees.
    assert pairs(result) == [("ben", "D2", 1), ("anna", "D2", 2)]
    expected = [0.75 * (1 - 30 / 90), 0.4 * (1 - 2 / 90)]
    assert result.rows["score"].tolist() == pytest.approx(expected, abs=1e-3)


def test_audience_equals_the_targets_of_that_item():
    every = targets(sightings(*ANNA, *BEN), SHELF, PLAIN).rows
    one = audience(sightings(*ANNA, *BEN), SHELF, "D2", PLAIN).rows
    of_every = every[every["sku"] == "D2"].set_index("customer")[["score", "reason"]]
    pd.testing.assert_frame_equal(
        of_every.sort_index(), one.set_index("customer")[["score", "reason"]].sort_index()
    )


def test_an_item_without_a_picture_ranks_by_what_is_worn():
    result = audience(sightings(*ANNA, *BEN), shelf(item("D1", degrees=None)), "D1")
    assert pairs(result) == [("ben", "D1", 1), ("anna", "D1", 2)]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (item("X1", in_stock=False), "X1: out of stock"),
        (item("X1", None), "X1: in none of the ten categories, or it is not known in which"),
        (item("X1", review="words say Dress, picture Coat"), "X1: waiting for a person's word"),
        (item("X2"), "X1: not in the catalogue; check the spelling"),
    ],
)
def test_audience_says_why_an_item_may_not_be_recommended(row, words):
    with pytest.raises(TrendscopeError, match=words):
        audience(sightings(*ANNA), shelf(row), "X1")


def test_wearers_of_a_category():
    old = [photo("old", "Dress", "2025-10-08", degrees=n) for n in range(3)]  # 360 days before
    bare = [photo("bare", "Dress", None, name=f"{n}") for n in range(3)]
    result = wearers(sightings(*ANNA, *BEN, *old, *bare), "Dress", customers=["zoe"])
    # Worked out below: 0.75, 0.6, 0.43 and 0.4.
    assert pairs(result) == [("ben", "", 1), ("bare", "", 2), ("old", "", 3), ("anna", "", 4)]
    by = result.rows.set_index("customer")
    expected = {"ben": 3 / 4, "bare": 1.5 / 2.5, "old": 0.75 / 1.75, "anna": 2 / 5}
    assert by["score"].to_dict() == pytest.approx(expected)
    assert by["reason"]["ben"] == "wears dresses in 3 of 3 photos; last on 3 Oct 2026"
    assert by["reason"]["bare"] == "wears dresses in 3 of 3 photos; none of them dated"
    assert result.without_targets["customer"].tolist() == ["zoe"]
    with pytest.raises(TrendscopeError, match=r"unknown category 'Hat': use T-shirt/top, "):
        wearers(sightings(*ANNA), "Hat")


def test_targets_count_age_up_to_the_given_day():
    day = datetime(2027, 4, 1, tzinfo=UTC)  # 180 days later: every photo counts half
    result = wearers(sightings(*BEN), "Dress", now=day)
    assert result.rows["score"].tolist() == pytest.approx([1.5 / 2.5])


# --- what is on offer ----------------------------------------------------------------------------


def test_left_out_items_are_counted_by_their_first_reason():
    items = shelf(
        item("D1"),
        item("D2", in_stock=False),
        item("D3", in_stock=None),
        item("D4", None, in_stock=False),
        item("D5", "Hat"),
        item("D6", review="a person should look"),
        item("D7", price=float("nan")),
        item("D8", price=99.0),
        item("D9", currency="USD"),
    )
    band = ItemFilter(least_price=20, most_price=40, currency="EUR")
    kept, left_out = eligible(items, band)
    assert kept["sku"].tolist() == ["D1", "D3"]
    assert left_out == {
        "waiting for a person's word on the category": 1,
        "in none of the ten categories, or it is not known in which": 2,
        "out of stock": 1,
        "without a price": 1,
        "not priced in EUR": 1,
        "outside the price band": 1,
    }
    kept, _ = eligible(items, replace(band, any_stock=True))
    assert kept["sku"].tolist() == ["D1", "D2", "D3"]
    assert len(eligible(items, ItemFilter())[0]) == 5


def test_a_price_band_needs_one_currency():
    items = shelf(item("D1"), item("D2", currency="USD"), item("D3", currency=""))
    with pytest.raises(TrendscopeError, match=r"several currencies \(none, EUR, USD\): say which"):
        eligible(items, ItemFilter(most_price=50))
    kept, _ = eligible(items, ItemFilter(most_price=50, currency="USD"))
    assert kept["sku"].tolist() == ["D2"]
    assert (
        len(
            eligible(
                shelf(item("D1"), item("D4", None, currency="USD")), ItemFilter(most_price=50)
            )[0]
        )
        == 1
    )


def test_price_bounds_are_inclusive():
    kept, _ = eligible(shelf(item("D1", price=20.0)), ItemFilter(least_price=20, most_price=20))
    assert len(kept) == 1


def test_eligible_refuses_two_items_of_one_sku():
    with pytest.raises(TrendscopeError, match="two items have the SKU 'D1'"):
        targets(sightings(*ANNA), shelf(item("D1"), item("D1")))


def test_candidate_items_worked_out_by_hand():
    common = {"brand": "", "kind": "", "url": "", "approximate": False, "because": ""}
    common |= {"reason": None, "category_source": "title", "confidence": None, "source": ""}
    one = Item(
        sku="A",
        title="T",
        price=Decimal("19.90"),
        currency="EUR",
        in_stock=None,
        category="Dress",
        review="",
        picture="a.jpg",
        prediction=Prediction(
            "classified",
            "Dress",
            1.0,
            np.eye(10, dtype=np.float32)[3],
            0.0,
            np.array([3, 4], np.float32),
        ),
        **common,
    )
    two = replace(one, sku="B", price=None, prediction=None, category=None, review="look")
    table = eligibility.candidate_items([one, two])
    assert table["price"].tolist()[0] == 19.9 and math.isnan(table["price"].tolist()[1])
    assert table["embedding"].tolist() == [np.array([3, 4], "<f4").tobytes(), None]
    assert [eligibility.candidate_items([]).columns.tolist()] == [table.columns.tolist()]


# --- laws ----------------------------------------------------------------------------------------

MANY = (
    *ANNA,
    *BEN,
    *(photo("cy", "Dress", f"2026-0{n}-01", degrees=7 * n) for n in range(1, 5)),
    *(photo("cy", "Bag", None, degrees=9 * n) for n in range(1, 4)),
    photo("zoe", "Coat", "2026-01-01"),
)
GOODS = (
    *(item(f"D{n}", degrees=11 * n % 90) for n in range(8)),
    *(item(f"B{n}", "Bag", degrees=None if n % 2 else 10.0) for n in range(6)),
)
ALL = targets(sightings(*MANY), shelf(*GOODS))


@settings(max_examples=30)
@given(st.permutations(range(len(MANY))), st.permutations(range(len(GOODS))))
def test_the_order_of_customers_photos_and_items_does_not_matter(people, goods):
    result = targets(sightings(*(MANY[n] for n in people)), shelf(*(GOODS[n] for n in goods)))
    pd.testing.assert_frame_equal(result.rows, ALL.rows)
    pd.testing.assert_frame_equal(result.without_targets, ALL.without_targets)


@pytest.mark.parametrize("customer", ["anna", "ben", "cy"])
def test_targets_do_not_depend_on_other_customers(customer):
    own = [row for row in MANY if row["customer"] == customer]
    # The others' latest photo must not make these older.
    result = targets(sightings(*own), shelf(*GOODS), now=datetime(2026, 10, 3, tzinfo=UTC))
    of_all = ALL.rows[ALL.rows["customer"] == customer].reset_index(drop=True)
    pd.testing.assert_frame_equal(result.rows, of_all)


def test_ranks_scores_and_counts_fit_together():
    for _, rows in ALL.rows.groupby("customer"):
        assert rows["rank"].tolist() == list(range(1, len(rows) + 1))
        assert rows["score"].is_monotonic_decreasing and not rows["sku"].duplicated().any()
        assert (rows.groupby("category").size() <= RecommendOptions().per_category).all()
    assert ALL.rows["score"].between(0, 1).all()
    served, silent = set(ALL.rows["customer"]), set(ALL.without_targets["customer"])
    assert served | silent == {"anna", "ben", "cy", "zoe"} and not served & silent


def test_targets_without_customers_or_items_are_empty():
    for people, goods in (((), GOODS), (MANY, ()), ((), ())):
        result = targets(sightings(*people), shelf(*goods))
        assert result.rows.empty and list(result.rows.columns) == list(ranking.COLUMNS)
        assert len(result.without_targets) == (4 if people else 0)


def test_reasons_are_counted_by_their_code_and_not_by_their_words(monkeypatch):
    """Of many customers without a target the report gives counts, however reasons are worded."""
    rows = [*BEN, photo("eve", "Coat", "2026-10-03"), photo("fay", None, "2026-10-03")]
    rows += [photo("guy", name, "2026-10-03") for name in CATEGORIES]
    worded = preferences._too_little

    def reworded(*evidence):
        return worded(*evidence)[0], "too little evidence"

    monkeypatch.setattr(preferences, "_too_little", reworded)
    nothing = targets(sightings(*rows), shelf(), customers=["zoe"])
    assert set(nothing.without_targets["reason"]) == {
        "too little evidence",
        "wears Dress; there is nothing on offer in that",
    }
    campaign = Campaign(*("shop.db", "customers", "", "", None, 5, 0, nothing, Consent((), (), {})))
    assert notes(campaign) == [
        "Nothing for 5 customers, of whom too little is known: 2 with too few recognised garments; "
        "1 whose categories are not on offer; 1 with no category worn often enough; "
        "1 without a judged photo."
    ]
