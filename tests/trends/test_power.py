"""How often a doubling would be found, against verdicts on simulated doublings."""

from __future__ import annotations

import numpy as np
import pytest

from tests.benchmarks.trends import FIRST, HISTORY, table
from tests.factories.weekly import both, steady
from trendscope import weeks
from trendscope.trends.panel import panel_of
from trendscope.trends.power import doublings_found
from trendscope.trends.verdicts import movement

SHARES = np.array([0.38, 0.2, 0.12, 0.1, 0.06, 0.05, 0.04, 0.03, 0.01, 0.01])


def drawn(draw, voters, length, doubled=None):
    share = np.tile(SHARES, (length, 1))
    if doubled is not None:
        factor = 1 + np.clip((np.arange(length) - HISTORY + 1) / 8, 0, 1)
        others = (1 - SHARES[doubled] * factor) / (1 - SHARES[doubled])
        share *= others[:, None]
        share[:, doubled] = SHARES[doubled] * factor
    count = np.array([draw.multinomial(voters, row) for row in share])
    return table(count, np.full(length, voters)).rename(
        columns={"count": "votes", "total": "voters"}
    )


@pytest.mark.parametrize("category", [3, 5, 7])
def test_it_is_as_often_as_verdicts_are_rising(category):
    draw = np.random.default_rng(category)
    runs = [drawn(draw, 80, HISTORY + 16, category) for _ in range(60)]
    kind, after = runs[0]["category"].iloc[category], weeks.name(FIRST + HISTORY)
    judged = (movement(run) for run in runs)
    rising = [
        ((of["verdict"] == "rising") & (of["week"] >= after) & (of["category"] == kind)).any()
        for of in judged
    ]
    said = doublings_found(panel_of(drawn(draw, 80, HISTORY)))["found"][category]
    assert said == pytest.approx(np.mean(rising), abs=0.2)


def test_more_customers_and_greater_shares_are_found_more_often():
    draw = np.random.default_rng(0)
    few, many = (
        doublings_found(panel_of(drawn(draw, voters, HISTORY)))["found"] for voters in (40, 400)
    )
    assert (few <= many).all() and few[0] >= few[4] >= few[9] and few[9] < 0.3 < many[4]


def test_what_cannot_double_or_was_never_seen_is_unknown_and_too_little_is_never_found():
    assert doublings_found(panel_of(both([30] * 26)))["found"].isna().tolist() == [False, True]
    assert doublings_found(panel_of(both([0] * 26)))["found"].isna().tolist() == [True, True]
    assert doublings_found(panel_of(steady(26, 1, 4)))["found"].tolist() == [0]
    assert len(doublings_found(panel_of(steady(1)[:0]))) == 0


def test_it_is_the_same_each_time_and_many_segments_are_quick():
    weekly = both([10] * 26)
    once, again = (doublings_found(panel_of(weekly)) for _ in range(2))
    assert once.equals(again)
    several = doublings_found(panel_of(weekly.assign(segment="Oslo")))
    assert several.columns.tolist() == ["segment", "category", "found"]


def test_where_names_are_wrong_at_times_less_of_a_share_can_double():
    # Of .01 of the votes, .1 * .99 / 9 = .011 are wrong names of the other nine: nothing doubles.
    panel = panel_of(drawn(np.random.default_rng(0), 400, HISTORY))
    right, wrong = (doublings_found(panel, precision)["found"] for precision in (1.0, 0.9))
    assert (wrong <= right + 0.05).all()
    assert right[8] > 0.3 and wrong[8] < 0.1


def test_no_doubling_is_promised_that_the_same_customers_would_not_show():
    weekly = drawn(np.random.default_rng(0), 80, HISTORY)
    alone, certain, unsure = (
        doublings_found(panel_of(weekly.assign(same_error=error)))["found"]
        for error in (np.nan, 0.001, 0.1)
    )
    # Of .02 of 4 weeks and .01 of 22 their error is 1.27 times the pooled one, and 2.576 such are
    # 3.28, more than the 2.81 that one of ten tests takes.
    assert (certain <= alone).all() and (certain[8:] < alone[8:]).all()
    # From .06 to .12 are .6 standard errors of .1.
    assert alone[4] > 0.9 and unsure[4] < 0.1
