"""What shares owe to the customers behind them, by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from tests.factories.weekly import seen
from tests.factories.worlds import World, sightings
from trendscope.trends import clusters
from trendscope.trends.counts import by_photos, weekly

MONDAY = datetime(2026, 1, 5, 12, tzinfo=UTC)
ALL, FORMER, LATE = range(26), range(18), range(18, 26)


def posted(*customers):
    """A weekly table of (customer, category, weeks)."""
    return weekly(
        seen(
            *(
                (name, MONDAY + timedelta(weeks=week), category)
                for name, category, weeks in customers
                for week in weeks
            )
        )
    )


def last(table, category="Dress"):
    return table[table["category"] == category].iloc[-1]


def test_customers_who_always_wear_the_same_scatter_nothing():
    assert last(posted(("anna", "Dress", ALL), ("ben", "Bag", ALL)))["scatter"] == 0


def test_votes_of_others_in_the_last_weeks_scatter_by_hand():
    # Two customers have 8 votes each of the last 16, two others 18 each of the 36 before; half are
    # for dresses. Each adds (8 - 4)/16 = (18 - 9)/36 = 1/4, squared and times four: 1/4. Of single
    # votes it would be 1/4 * (1/16 + 1/36).
    table = posted(
        ("anna", "Dress", LATE), ("ben", "Bag", LATE), ("c", "Dress", FORMER), ("d", "Bag", FORMER)
    )
    assert last(table)["scatter"] == pytest.approx(1 / (1 / 16 + 1 / 36))
    # Nobody votes in all 18 weeks before the eighth week.
    assert table.query("week == '2026-W08'")["scatter"].isna().all()


def of_the_same(table, category="Dress"):
    return last(table, category)[["before_same", "recent_same", "same_error"]].to_list()


def test_shares_of_the_same_customers_by_hand():
    # Anna has 22 votes before and 4 lately, Ben 18 and 2: they weigh 22 * 4 / 26 and 18 * 2 / 20.
    table = posted(
        ("anna", "Dress", ALL),
        ("ben", "Bag", [*FORMER, 24, 25]),
        ("carla", "Bag", range(22)),
        ("dora", "Coat", range(22, 26)),
    )
    anna, ben = 22 * 4 / 26, 18 * 2 / 20
    assert of_the_same(table) == pytest.approx([anna / (anna + ben)] * 2 + [0])
    assert of_the_same(table, "Coat") == [0, 0, 0]
    assert table.query("week == '2026-W04'")["before_same"].isna().all()


def test_error_of_a_change_of_the_same_customers_by_hand():
    # One of three alike begins to wear dresses: from 0 to 1/3, and so far is the error too.
    table = posted(
        ("anna", "Bag", range(22)),
        ("anna", "Dress", range(22, 26)),
        ("ben", "Bag", ALL),
        ("carla", "Bag", ALL),
    )
    assert of_the_same(table) == pytest.approx([0, 1 / 3, 1 / 3])


def test_a_change_of_the_same_customers_that_began_eight_weeks_ago_by_hand():
    # Of the last 8 weeks Anna's part is 1, Ben's 1/2. Of the last 4 they would have risen by 18/22
    # and fallen by 4/22: 0.76 standard errors, and not 1.34.
    table = posted(
        ("anna", "Bag", FORMER),
        ("anna", "Dress", LATE),
        ("ben", "Bag", [*FORMER, 22, 23, 24, 25]),
        ("ben", "Dress", range(18, 22)),
        ("carla", "Bag", ALL),
    )
    assert of_the_same(table) == pytest.approx([0, 1 / 2, 1.25**0.5 / 3])


def test_each_segment_is_by_itself():
    drawn = sightings(np.random.default_rng(0), World(customers=60), 30)
    segment = np.where(drawn["customer"] % 3 == 0, "Rome", "Oslo")
    segments = drawn.assign(segment=segment)[["customer", "segment"]].drop_duplicates()
    together = weekly(drawn, segments=segments)
    for name, own in drawn.groupby(segment):
        alone = weekly(own)[[*clusters.COLUMNS]].to_numpy()
        part = together[together["segment"] == name][[*clusters.COLUMNS]].to_numpy()
        np.testing.assert_allclose(part, alone)


def test_of_many_customers_a_part_tells_about_as_much_in_any_order(monkeypatch):
    drawn = sightings(np.random.default_rng(0), World(customers=800), 26)
    whole = weekly(drawn)
    monkeypatch.setattr(clusters, "MOST_CUSTOMERS", 400)
    part, shuffled = weekly(drawn), weekly(drawn.sample(frac=1, random_state=0))
    columns = ["scatter", "before_same", "recent_same"]
    pd.testing.assert_frame_equal(part[columns], shuffled[columns], check_exact=True)
    assert 0 < np.abs(last(part)[columns] - last(whole)[columns]).max() < 0.2


def test_votes_of_a_single_customer_have_no_scatter_between_customers():
    table = posted(("anna", "Dress", FORMER), ("anna", "Bag", LATE)).assign(segment="anna")
    assert by_photos(table)[[*clusters.COLUMNS]].isna().all(axis=None)
