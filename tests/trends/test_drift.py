"""Changes of something else than what is worn: by hand, and where the truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.benchmarks.trends import HISTORY, MOVING, STILL, table, without_votes
from tests.factories.weekly import both
from tests.factories.worlds import World, ramp, sightings
from trendscope import proportions
from trendscope.categories import CATEGORIES
from trendscope.errors import TrendscopeError
from trendscope.trends import counts, drift, forecasting, verdicts
from trendscope.trends.models import Series
from trendscope.trends.summary import outlook, with_scores
from trendscope.vision.scores import Scores

DOUBLED = both([10] * 22 + [20] * 4)


def votes(weekly, **columns):
    """A table of votes instead of customers; `columns` have a value a week."""
    named = weekly.rename(columns={"count": "votes", "total": "voters"})
    number = pd.factorize(named["week"])[0]
    return named.assign(**{name: np.array(values)[number] for name, values in columns.items()})


def dress(weekly):
    judged = verdicts.movement(weekly)
    return judged[judged["category"] == "Dress"].iloc[-1]


def test_votes_alone_are_judged_and_customers_are_unknown_then():
    row = dress(votes(DOUBLED))
    assert (row["verdict"], row["votes"], row["voters"]) == ("rising", 20, 100)
    assert np.isnan([row["count"], row["total"]]).all()
    assert np.isnan(dress(DOUBLED)["votes"])


def test_votes_are_preferred_to_customers():
    weekly = votes(DOUBLED).assign(count=10, total=100)
    assert dress(weekly)["change"] == pytest.approx(1)


def test_votes_rounded_up_in_a_csv_are_no_more_than_their_voters():
    row = dress(votes(both([0] * 26)).assign(votes=1 / 3 + 4e-7, voters=1 / 3))
    assert row["share"] == 1 and row["hi95"] == 1


def photos(uncertain, named=80, outside=0):
    length = len(uncertain)
    return {
        "uncertain": uncertain,
        "all_photos": [named] * length,
        "outside": [outside] * length,
    }


def test_a_rise_while_more_is_left_open_is_watched_and_says_why():
    # 20 of 100, then 120 of 200 photos: .4 more. What is not left open any more is .4 of what was
    # named: 1, more than the .1 by which dresses rose.
    row = dress(votes(DOUBLED, **photos([20] * 22 + [120] * 4)))
    assert row["verdict"] == "watch"
    assert row["drift"] == "the share of photos left open went from 20 to 60 %"
    assert dress(votes(DOUBLED, **photos([20] * 26)))["verdict"] == "rising"


def test_what_cannot_have_moved_the_share_as_far_is_no_reason():
    # Confidence falls by .08; so many more names may be wrong, and dresses rose by .1.
    known = {"all_photos": [80] * 26, "confidence": [0.95] * 22 + [0.87] * 4}
    assert dress(votes(DOUBLED, **known))["verdict"] == "rising"
    known["confidence"] = [0.95] * 22 + [0.84] * 4
    assert dress(votes(DOUBLED, **known))["drift"] == (
        "the confidence in what is named went from 95 to 84 %"
    )


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        (
            {"new_customers": [5] * 22 + [30] * 4, "total": [100] * 26},
            "the share of new customers among the active went from 5 to 30 %",
        ),
        ({"new_customers": [30] * 22 + [5] * 4, "total": [100] * 26}, ""),
        (
            {"by_people": [0] * 22 + [40] * 4, "all_photos": [80] * 26},
            "the share of photos named by people went from 0 to 50 %",
        ),
        (
            # Of dresses and bags each as many garments: from 1 a photo to 2, so that half are new.
            {"photos": [50] * 26, "all_photos": [100] * 22 + [50] * 4},
            "the share of garments named beside others in a photo went from 0 to 50 %",
        ),
        # From 1 a photo to 1.042, of which .04 are new: twice this is less than dresses' .1.
        ({"photos": [50] * 26, "all_photos": [100] * 22 + [96] * 4}, ""),
        (
            {"photos": [50] * 26, "all_photos": [100] * 22 + [95] * 4},
            "the share of garments named beside others in a photo went from 0 to 5 %",
        ),
        (
            {**photos([20] * 26), "total": [50] * 22 + [10] * 4},
            "the photos of an active customer went from 2.0 to 10.0 a week",
        ),
        ({**photos([20] * 26), "total": [50] * 22 + [25] * 4}, ""),
    ],
)
def test_other_circumstances(columns, why):
    row = dress(votes(DOUBLED, **columns))
    assert (row["drift"], row["verdict"]) == (why, "watch" if why else "rising")


def test_a_circumstance_that_scatters_as_much_every_week_is_no_reason():
    scattered = photos([20, 120] * 9 + [20] * 4 + [120] * 4)
    assert dress(votes(DOUBLED, **scattered))["drift"] == ""


def same(before, recent, error):
    """Columns of the last four weeks on customers who posted both before and then."""
    values = {"before_same": before, "recent_same": recent, "same_error": error}
    return {name: [np.nan] * 22 + [value] * 4 for name, value in values.items()}


@pytest.mark.parametrize(
    ("before", "recent", "error", "verdict"),
    [
        (0.10, 0.18, 0.02, "rising"),  # four standard errors
        (0.10, 0.15, 0.02, "watch"),  # two and a half
        (0.19, 0.22, 0.001, "watch"),  # surely, but less than a fifth
        (0.10, 0.05, 0.01, "watch"),
        (0.10, 0.10, 0.0, "watch"),
        (np.nan, np.nan, np.nan, "rising"),
    ],
)
def test_a_rise_that_comes_of_other_customers_is_watched_and_says_why(
    before, recent, error, verdict
):
    row = dress(votes(DOUBLED, **same(before, recent, error)))
    why = (
        "of customers who posted both before and lately the share went from "
        f"{100 * before:.1f} to {100 * recent:.1f} %, too little to be sure"
    )
    assert (row["verdict"], row["drift"]) == (verdict, why if verdict == "watch" else "")


@pytest.mark.parametrize(("recent", "verdict"), [(0.28, "watch"), (0.2, "falling")])
def test_a_fall_that_comes_of_other_customers_is_watched(recent, verdict):
    fallen = votes(both([30] * 22 + [10] * 4), **same(0.3, recent, 0.02))
    assert dress(fallen)["verdict"] == verdict


def test_votes_of_few_customers_are_less_than_as_many_of_others():
    # z = 5.758 as in test_verdicts; with 9 times the variance 1.919: p is .055.
    row = dress(votes(DOUBLED, scatter=[9] * 26))
    assert (row["factor"], row["verdict"]) == (9, "watch")
    assert row["p"] == pytest.approx(0.055, abs=0.001)
    assert dress(DOUBLED.assign(scatter=9))["factor"] == 1


BEFORE = np.array([0.37, 0.18, 0.15, 0.08, 0.06, 0.06, 0.05, 0.02, 0.02, 0.01])


def changed(shares, voters=2000):
    """22 weeks of `BEFORE`, then 4 of other shares."""
    rows = np.vstack([np.tile(BEFORE, (22, 1)), np.tile(shares, (4, 1))])
    return votes(table(rows * voters, np.full(26, voters)))


def test_shares_that_move_as_if_more_names_were_wrong_are_watched():
    # Of the names .12 more are wrong, of any other category each.
    wrong = BEFORE + 0.12 * ((1 - BEFORE) / 9 - BEFORE)
    judged = verdicts.movement(changed(wrong)).tail(10)
    assert judged["change"].max() > 1
    assert not judged["verdict"].isin(MOVING).any()
    assert set(judged.loc[judged["verdict"] == "watch", "drift"]) == {drift.ERRORS}


@pytest.mark.parametrize("category", range(1, 10))
def test_one_category_that_rises_alone_is_not_taken_for_errors(category):
    shares = np.where(
        np.arange(10) == category, 2, (1 - 2 * BEFORE[category]) / (1 - BEFORE[category])
    )
    judged = verdicts.movement(changed(BEFORE * shares)).tail(10)
    assert judged["verdict"].iloc[category] == "rising"


def test_hardly_anything_is_left_of_what_errors_explain():
    # Of the names of four categories .1 more are wrong.
    before = np.array([0.55, 0.25, 0.15, 0.05])
    wrong = before + 0.1 * ((1 - before) / 3 - before)
    old, new = np.tile(before, (26, 1)) * 1e4, np.tile(wrong, (26, 1)) * 1e4
    size = np.full(old.shape, 1e4)
    series = Series(new, size, np.zeros(26, int), np.zeros(4, int))
    z = drift.without_errors(series, new, size, old, size, np.ones(old.shape))
    plain = proportions.z_score(new, size, old, size)
    assert (np.abs(plain[0, [0, 3]]) > 5).all()
    assert (np.abs(z) < 0.2 * np.abs(plain) + 0.5).all()


def test_weeks_of_different_weights_are_never_compared():
    weights = np.repeat(["a (1)"] * 22 + ["b (2)"] * 4, 1)
    row = dress(votes(DOUBLED, weights=weights))
    assert row["verdict"] == "not enough data"
    assert np.isnan(row["change"])
    expected = forecasting.forecast(votes(DOUBLED, weights=weights), 1)
    alone = forecasting.forecast(votes(DOUBLED[DOUBLED["week"] > "2026-W22"]), 1)
    pd.testing.assert_frame_equal(expected, alone)


def test_a_week_of_two_weights_is_refused():
    weekly = votes(DOUBLED).assign(weights=["a"] * 26 + ["b"] * 26)
    with pytest.raises(TrendscopeError, match=r"2026-W01 was judged by different weights \(a, b\)"):
        verdicts.movement(weekly)


# --- worlds whose truth is known; more and longer in tests.benchmarks.trends ---------------------


@pytest.mark.parametrize("name", STILL)
def test_hardly_a_false_verdict_where_what_is_worn_stays(name):
    false = []
    for run in range(4):
        weekly = counts.weekly(sightings(np.random.default_rng([run, 3]), STILL[name]))
        judged = verdicts.movement(weekly)["verdict"].to_numpy().reshape(-1, 10)[HISTORY:]
        false.append(np.isin(judged, MOVING).any(1).mean())
    assert np.mean(false) <= 0.08


def test_customers_seen_rise_where_posting_does():
    world = STILL["everybody posts three times as much for four weeks"]
    weekly = counts.weekly(sightings(np.random.default_rng(0), world))
    judged = verdicts.movement(without_votes(weekly))
    assert judged["verdict"].isin(MOVING).any()


@pytest.mark.parametrize("posting", [1.0, 2.0, 0.5])
def test_a_doubling_is_found_however_much_is_posted(posting):
    factor = np.ones((60, 10))
    factor[:, 1] = ramp(1, 2, HISTORY)
    world = replace(World(customers=165), worn=factor, posting=ramp(1, posting, HISTORY))
    rising = 0
    for run in range(8):
        weekly = counts.weekly(sightings(np.random.default_rng([run, 4]), world, HISTORY + 16))
        judged = verdicts.movement(weekly)["verdict"].to_numpy().reshape(-1, 10)[HISTORY:]
        rising += (judged[:, 1] == "rising").any()
    assert rising >= 7


def test_levels_are_corrected_where_the_confusion_is_known_well_enough():
    weekly = counts.weekly(sightings(np.random.default_rng(0), World(), 12))
    rates = 900 * np.eye(10) + 100 / 9 * (1 - np.eye(10))
    for labelled, is_corrected in ((2, True), (1, False), (0, False)):
        confusion = {
            name: dict(zip(CATEGORIES, (labelled * row).astype(int).tolist(), strict=True))
            for name, row in zip(CATEGORIES, rates, strict=True)
        }
        known = Scores("w", 40, precision=0.9, confusion=confusion if labelled else {})
        told = with_scores(outlook(weekly), known)
        assert (told.corrected is not None) is is_corrected
