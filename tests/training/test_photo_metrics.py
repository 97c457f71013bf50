from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.scores import FOUND, PHOTOS, SHOES, judged
from training.evaluation import photo_metrics
from training.evaluation.metrics import CalibrationBin
from training.evaluation.photo_metrics import CurvePoint, NamedShare, PhotoEvaluation, Share
from trendscope.categories import CATEGORIES


def counts(share: Share) -> tuple[int, int]:
    return share.part, share.whole


def test_best_guesses_count_named_or_not():
    # Right: the dress, the shoe (one of three allowed), the bag, though it was taken for outside.
    assert FOUND.accuracy == Share(3, 4, 0.75, 0.3006, 0.9544)
    assert (FOUND.photos, FOUND.of_the_ten, FOUND.customers) == (7, 4, 2)


def test_the_interval_is_wilsons():
    # Newcombe, Stat. Med. 17 (1998) 857, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    expected = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (part, whole), interval in expected.items():
        found = photo_metrics.share(part, whole)
        assert (found.low, found.high) == interval


def test_how_many_of_each_group_are_named():
    # Both dresses; the shoe was left open, the bag taken for none of the ten.
    assert [(row.name, counts(row.share)) for row in FOUND.coverage_by_group] == [
        ("Dress", (2, 2)),
        ("Shoes", (0, 1)),
        ("Bag", (0, 1)),
    ]


def test_groups_count_alike_however_many_photos_they_have():
    assert [(row.name, counts(row.share)) for row in FOUND.groups] == [
        ("Dress", (1, 2)),
        ("Shoes", (1, 1)),
        ("Bag", (1, 1)),
    ]
    assert FOUND.group_accuracy == round((0.5 + 1 + 1) / 3, 4)


@pytest.mark.parametrize(
    ("allowed", "group"),
    [
        ("Sandal", "Shoes"),
        ("Ankle boot|Sandal", "Shoes"),
        ("Dress|Coat", "Dress / Coat"),
        ("Coat|Dress", "Dress / Coat"),
        ("", "other things"),
    ],
)
def test_a_group_is_the_set_of_allowed_categories_with_shoes_as_one(allowed, group):
    assert judged(allowed, "Bag").group == group


def test_coverage_and_precision_at_the_gate():
    assert counts(FOUND.coverage) == (2, 4)
    assert counts(FOUND.precision) == (1, 2)
    # Two other things are named as well, wrongly.
    assert counts(FOUND.precision_of_all) == (1, 4)


def test_other_things_that_are_named():
    def rows(shares):
        return [(row.name, counts(row.share)) for row in shares]

    assert counts(FOUND.others_named) == (2, 3)
    assert rows(FOUND.others_by_place) == [("home", (1, 2)), ("shop", (1, 1))]
    assert rows(FOUND.others_by_label) == [("Hat", (1, 2))]


def test_calibration_is_of_the_best_guess_on_photos_of_the_ten():
    # Sure by .9 and right, by .8 and wrong, by .6 and right, by .3 and right: gaps of
    # .1, .8, .4 and .7, each in a bin of its own.
    assert FOUND.calibration_error == 0.5
    assert sum(row.count for row in FOUND.calibration) == 4


def test_confusion_has_groups_in_rows_and_outside_as_an_answer():
    rows = {
        name: {photo_metrics.ANSWERS[i]: n for i, n in enumerate(row) if n}
        for name, row in FOUND.confusion.items()
    }
    assert list(rows) == ["Dress", "Shoes", "Bag", "other things"]
    assert rows == {
        "Dress": {"Dress": 1, "Coat": 1},
        "Shoes": {"Sneaker": 1},
        "Bag": {"outside": 1},
        "other things": {"Bag": 1, "Shirt": 1, "outside": 1},
    }


def test_the_curve_names_nothing_that_is_outside():
    # Inside, surest first: right .9, wrong .8, other .7, right .6, other .55.
    assert photo_metrics.curve(PHOTOS, 4) == (
        CurvePoint(0.0, 0.75, 0.6667, 0.4),
        CurvePoint(0.25, 0.75, 0.6667, 0.4),
        CurvePoint(0.5, 0.75, 0.6667, 0.4),
        CurvePoint(0.75, 0.5, 0.5, 0.5),
        CurvePoint(1.0, 0.0, None, None),
    )


WARDROBE = [
    judged("Dress", "Dress"),
    judged("Dress", "Dress"),
    judged("Coat", "Shirt", verdict="uncertain"),
    judged(SHOES, "Dress"),
    judged("", "Bag"),
    judged("Dress|Coat", "Coat"),
    judged("Coat", "Coat", customer="ben"),
]


def test_a_customers_shares_are_those_of_profiles():
    # Labelled: 2 dresses, a coat, shoes. Named: 3 dresses and, wrongly, a bag. The uncertain photo
    # is .9 a shirt and .01 each of the others, so of 4.99 garments 3.01 are dresses, .01 a coat and
    # .03 shoes. What may be a dress or a coat by its label counts in neither. No label is a bag or
    # a shirt, so the groups are three.
    (ann,) = photo_metrics.customer_shares(WARDROBE, least=2)
    assert (ann.customer, ann.photos, ann.named) == ("ann", 4, 4)
    assert ann.labelled == {"Dress": 0.5, "Coat": 0.25, "Shoes": 0.25}
    assert ann.said == {"Dress": 0.6032, "Coat": 0.002, "Shoes": 0.006}
    assert ann.error == 0.1984  # (.1032 + .248 + .244) / 3


def test_the_three_kinds_of_shoe_are_one_share():
    (ann,) = photo_metrics.customer_shares([judged(SHOES, "Sandal"), judged("Sneaker", "Bag")], 2)
    assert (ann.labelled, ann.said, ann.error) == ({"Shoes": 1.0}, {"Shoes": 0.5}, 0.5)


def test_customers_come_worst_first_and_their_errors_count_alike():
    silent = [judged("Bag", "Bag", verdict="uncertain", customer="zoe")] * 10
    told = [judged("Dress", "Dress", customer="eve")] * 30
    few = [judged("Bag", "Dress", customer="ben")] * 9
    found = photo_metrics.evaluation("small", "abc", "all customers", told + silent + few, [])
    # Zoe's profile is empty: shares of 0 where the labels say (0, 1).
    assert [(r.customer, r.error) for r in found.customer_shares] == [("zoe", 0.5), ("eve", 0.0)]
    assert found.share_error == 0.25


def test_figures_of_no_photos_are_none():
    found = photo_metrics.evaluation("small", "abc", "all customers", [judged("", "Bag")], [])
    assert found.accuracy == Share(0, 0, None, 0.0, 1.0)
    assert found.group_accuracy is found.calibration_error is found.share_error is None
    assert found.groups == found.customer_shares == found.others_by_label == ()
    assert "accuracy" not in photo_metrics.scores(found)
    none = photo_metrics.evaluation("small", "abc", "all customers", PHOTOS[:1], [])
    assert "other_things_named" not in photo_metrics.scores(none)


def test_json_reads_back_equal():
    whole = photo_metrics.evaluation("small", "abc", "all", WARDROBE * 4, [])
    for found in (FOUND, whole):
        again = PhotoEvaluation.from_json(found.to_json())
        assert again == found
        assert isinstance(again.groups[0], NamedShare)
        assert isinstance(again.calibration[0], CalibrationBin)


def test_scores_in_the_header_are_rounded_as_printed():
    assert photo_metrics.scores(dataclasses.replace(FOUND, scored_on="fold 0")) == {
        "scored_on": "fold 0",
        "photos": 7,
        "customers": 2,
        "photos_of_the_ten": 4,
        "accuracy": 0.75,
        "mean_over_groups": 0.8333,
        "coverage": 0.5,
        "coverage_of": {"Dress": 1.0, "Shoes": 0.0, "Bag": 0.0},
        "precision": 0.5,
        "precision_with_other_things": 0.25,
        "other_things_named": {"all": 0.6667, "home": 0.5, "shop": 1.0},
        "calibration_error": 0.5,
        "customers_with_shares": 0,
        "digest": "abc",
    }


some_photos = st.lists(
    st.builds(
        judged,
        st.sampled_from(["", "Bag", "Dress", SHOES, "Dress|Coat"]),
        st.sampled_from(CATEGORIES),
        st.floats(0.01, 0.94),
        st.sampled_from(["classified", "uncertain", "outside"]),
        st.sampled_from(["ann", "ben"]),
    ),
    max_size=40,
)


@given(some_photos, st.randoms())
def test_counts_add_up_and_order_does_not_matter(photos, chance):
    found = photo_metrics.evaluation("small", "abc", "all", photos, [])
    assert sum(map(sum, found.confusion.values())) == found.photos == len(photos)
    assert sum(row.share.whole for row in found.groups) == found.of_the_ten
    assert found.precision.whole == found.coverage.part
    assert found.precision_of_all.whole == found.coverage.part + found.others_named.part
    covered = [point.coverage for point in found.curve]
    assert covered == sorted(covered, reverse=True)
    chance.shuffle(photos)
    again = photo_metrics.evaluation("small", "abc", "all", photos, [])
    for name in ("accuracy", "precision_of_all", "confusion", "curve", "customer_shares"):
        assert getattr(again, name) == getattr(found, name)
