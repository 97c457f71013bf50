"""What customers wear: shares, affinity and who cannot be judged, worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories.sightings import photo, sightings
from trendscope.categories import CATEGORIES, PLURALS
from trendscope.errors import TrendscopeError
from trendscope.recommend.preferences import MinimumEvidence, sentence, unjudged, wears

ANNA = (
    photo("anna", "Dress", "2026-10-03"),
    photo("anna", "Dress", "2026-04-06", confidence=0.9),  # 180 days earlier
    photo("anna", "Dress", confidence=0.8),
    photo("anna", "Bag", "2026-10-03"),
    photo("anna", None, "2026-10-01"),
)


def test_wears_of_one_customer_worked_out_by_hand():
    dress, bag = wears(sightings(*ANNA)).itertuples(index=False)
    # Weights: dress 1 + 0.9 / 2 + 0.8 / 2 (no date: a half-life old) = 1.85, bag 1; and one more.
    assert dress.affinity == pytest.approx(1.85 / 3.85)
    assert bag.affinity == pytest.approx(1 / 3.85)
    assert (dress.category, dress.photos, dress.named, dress.unnamed) == ("Dress", 3, 4, 1)
    assert (dress.share, bag.share) == (0.75, 0.25)
    assert dress.confidence == pytest.approx(0.9)
    assert dress.last_seen == pd.Timestamp("2026-10-03", tz="UTC")
    # Wilson's interval of 3 in 4, from the formula by hand.
    assert (dress.lo95, dress.hi95) == pytest.approx((0.3006, 0.9544), abs=1e-4)
    assert dress.worn and not bag.worn


def test_age_is_counted_up_to_the_given_day():
    later = wears(sightings(*ANNA), now=datetime(2027, 4, 1, tzinfo=UTC))  # 180 days later
    # Dress 0.5 + 0.9 / 4 + 0.8 / 2; bag 0.5.
    assert later["affinity"].tolist() == pytest.approx([1.125 / 2.625, 0.5 / 2.625])
    before = wears(sightings(*ANNA), now=datetime(2026, 4, 6, tzinfo=UTC))
    # What is dated later counts as new: 1 + 0.9 + 0.4, and 1.
    assert before["affinity"].tolist() == pytest.approx([2.3 / 4.3, 1 / 4.3])


def test_an_image_posted_twice_counts_once():
    assert wears(sightings(*ANNA, ANNA[0]))["photos"].tolist() == [3, 1]


def test_two_garments_of_a_category_in_one_photo_count_as_the_surest():
    faint, sure = (photo("anna", "Dress", confidence=p, name="one.jpg") for p in (0.6, 0.9))
    for pair in ((faint, sure), (sure, faint)):
        (dress,) = wears(sightings(*pair)).itertuples(index=False)
        assert (dress.photos, dress.confidence) == (1, 0.9)


@pytest.mark.parametrize(
    ("dresses", "others", "worn"),
    [
        (2, 1, True),  # three photos with a garment, two of them dresses
        (2, 0, False),  # only two photos with a garment
        (1, 5, False),  # seen once
        (2, 38, True),  # 2 of 40 are 5 %
        (2, 39, False),  # the classifier's mistakes alone would make as many
    ],
)
def test_minimum_evidence_for_a_worn_category(dresses, others, worn):
    rows = [photo("ben", "Dress", "2026-10-01", degrees=n) for n in range(dresses)]
    rows += [photo("ben", "Bag", "2026-10-01", degrees=n) for n in range(others)]
    table = wears(sightings(*rows)).set_index("category")
    assert bool(table.loc["Dress", "worn"]) is worn


def test_minimum_evidence_can_be_changed():
    little = MinimumEvidence(photos=1, worn=1, share=0.0)
    assert wears(sightings(*ANNA), little)["worn"].all()


def test_unjudged_gives_a_code_and_a_reason():
    rows = sightings(
        *ANNA,
        photo("ben", "Coat", "2026-01-01"),
        photo("ben", None, "2026-01-02"),
        photo("cleo", None),
        *(photo("dora", name, "2026-01-01") for name in CATEGORIES),
    )
    others = unjudged(rows, wears(rows), customers=["zoe", "anna"])
    assert dict(others[["customer", "reason"]].itertuples(index=False)) == {
        "ben": "a garment was recognised in 1 of 2 photos; 3 are needed to recommend anything",
        "cleo": "a garment was recognised in 0 of 1 photo; 3 are needed to recommend anything",
        "dora": "no category is worn in 2 photos and 5 % of the 10 photos with a recognised "
        "garment",
        "zoe": "no photo has been judged",
    }
    assert others["code"].tolist() == ["few_garments", "few_garments", "no_category", "no_photo"]


def test_without_sightings_the_tables_are_empty():
    assert wears(sightings()).empty
    assert unjudged(sightings(), wears(sightings())).empty


@settings(max_examples=30)
@given(st.permutations(range(9)))
def test_the_order_of_the_rows_does_not_matter(order):
    rows = [*ANNA, *(photo("ben", "Coat", f"2026-0{n}-01", n) for n in range(1, 5))]
    expected = wears(sightings(*rows))
    pd.testing.assert_frame_equal(wears(sightings(*(rows[n] for n in order))), expected)


def test_wears_does_not_depend_on_other_customers():
    alone = wears(sightings(*ANNA))
    others = [photo("aaron", "Bag", "2026-10-02"), photo("zoe", "Coat", "2026-09-02")]
    among = wears(sightings(*others, *ANNA))
    among = among[among["customer"] == "anna"].reset_index(drop=True)
    pd.testing.assert_frame_equal(among, alone)


def test_a_missing_column_is_named():
    with pytest.raises(TrendscopeError, match="no column 'embedding'"):
        wears(sightings(*ANNA).drop(columns="embedding"))


def test_sentence_words():
    assert sentence("Dress", 7, 12, 0) == "wears dresses in 7 of 12 photos"
    assert sentence("Trouser", 3, 3, 2) == "wears trousers in 3 of 3 photos (2 more not recognised)"
    assert len(PLURALS) == len(CATEGORIES)
