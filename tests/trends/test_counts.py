"""Weekly counts worked out by hand, and laws that hold for any sightings."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories.pages import HOSTILE
from tests.factories.photos import reading
from tests.factories.weekly import seen, tables
from trendscope.categories import CATEGORIES
from trendscope.errors import TrendscopeError
from trendscope.skipped import Skipped
from trendscope.trends.counts import PhotoCounts, photo_counts, sightings, weekly

MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)  # of 2026-W47


def row(table, week, category, **more):
    """One row of a weekly table as a dict."""
    rows = (table["week"] == week) & (table["category"] == category)
    for column, value in more.items():
        rows &= table[column] == value
    (result,) = table[rows].to_dict("records")
    return result


# --- by hand -------------------------------------------------------------------------------------


def test_a_customer_has_one_vote_a_week_however_much_they_post():
    table = weekly(
        seen(
            *[("anna", MONDAY, "Dress")] * 5,
            ("anna", MONDAY, "Bag"),
            ("ben", MONDAY + timedelta(days=6), "Dress"),
            ("carla", MONDAY, None),
            ("dora", MONDAY, "Coat"),
        )
    )
    dress = row(table, "2026-W47", "Dress")
    assert (dress["count"], dress["total"]) == (2, 4)
    # Anna's vote is divided, five parts of six to dresses; Ben's is whole; Carla has none.
    assert (dress["votes"], dress["voters"]) == (pytest.approx(5 / 6 + 1), 3)
    assert dress["share"] == pytest.approx((5 / 6 + 1) / 3)
    assert (dress["photos"], dress["all_photos"], dress["photo_share"]) == (6, 8, 0.75)
    # Wilson, z2 = 3.8416, p of n = 3: (p + z2/2n -+ z sqrt(p(1 - p)/n + z2/4n2)) / (1 + z2/n).
    assert (dress["lo95"], dress["hi95"]) == pytest.approx((0.1781, 0.9193), abs=1e-4)
    assert not table["partial"].any()


def test_every_category_and_every_week_between_has_a_row():
    table = weekly(seen(("a", MONDAY, "Dress"), ("a", MONDAY + timedelta(weeks=2), "Dress")))
    assert table["week"].unique().tolist() == ["2026-W47", "2026-W48", "2026-W49"]
    assert table["category"].tolist() == [*CATEGORIES] * 3
    empty = row(table, "2026-W48", "Dress")
    assert (empty["count"], empty["total"], empty["lo95"], empty["hi95"]) == (0, 0, 0, 1)
    assert np.isnan([empty["share"], empty["photo_share"]]).all()


@pytest.mark.parametrize(
    ("moment", "zone", "week"),
    [
        ("2020-12-31T12:00:00Z", "UTC", "2020-W53"),
        ("2021-01-03T23:59:59Z", "UTC", "2020-W53"),
        ("2021-01-04T00:00:00Z", "UTC", "2021-W01"),
        ("2024-12-29T23:59:59Z", "UTC", "2024-W52"),
        ("2024-12-30T00:00:00Z", "UTC", "2025-W01"),
        ("2024-12-29T23:30:00Z", "Europe/Berlin", "2025-W01"),
        ("2024-12-30T04:30:00Z", "America/New_York", "2024-W52"),
        # Clocks go forward on 2026-03-29 and back on 2026-10-25, both Sundays.
        ("2026-03-29T21:59:59Z", "Europe/Berlin", "2026-W13"),
        ("2026-03-29T22:00:00Z", "Europe/Berlin", "2026-W14"),
        ("2026-10-25T22:59:59Z", "Europe/Berlin", "2026-W43"),
        ("2026-10-25T23:00:00Z", "Europe/Berlin", "2026-W44"),
        ("1969-12-31T12:00:00Z", "UTC", "1970-W01"),
    ],
)
def test_weeks_at_the_edges_of_years_zones_and_summer_time(moment, zone, week):
    table = weekly(seen(("a", datetime.fromisoformat(moment), "Bag")), zone=ZoneInfo(zone))
    assert table["week"].unique().tolist() == [week]
    assert row(table, week, "Bag")["count"] == 1


def test_the_running_week_is_partial_and_the_last_even_if_nobody_posted():
    now = MONDAY + timedelta(weeks=2)
    table = weekly(seen(("a", MONDAY, "Bag")), now=now)
    assert table["week"].unique().tolist() == ["2026-W47", "2026-W48", "2026-W49"]
    assert table.loc[table["partial"], "week"].unique().tolist() == ["2026-W49"]


def test_photos_from_the_future_are_undated():
    future = MONDAY + timedelta(weeks=1)
    result = seen(("a", MONDAY, "Bag"), ("a", future, "Bag"), ("a", None, "Bag"))
    assert weekly(result, now=MONDAY)["count"].sum() == 1
    assert photo_counts(result, now=MONDAY) == PhotoCounts(
        classified=1, uncertain=0, outside=0, undated=2
    )
    assert photo_counts(result).undated == 1


def test_one_photo_of_one_customer():
    table = weekly(seen(("a", MONDAY, "Bag")))
    assert len(table) == 10
    bag = row(table, "2026-W47", "Bag")
    assert (bag["count"], bag["total"], bag["share"], bag["photo_share"]) == (1, 1, 1.0, 1.0)
    assert bag["lo95"] == pytest.approx(1 / (1 + 1.959964**2))  # n / (n + z2) for n of n


def test_without_a_date_there_is_no_week():
    for table in (weekly(seen()), weekly(seen(("a", None, "Bag")))):
        assert len(table) == 0
        assert table.columns.tolist() == weekly(seen(("a", MONDAY, "Bag"))).columns.tolist()


def test_garments_of_one_photo_are_one_photo():
    result = seen(
        ("a", MONDAY, "Bag"),
        ("a", MONDAY, "Dress"),
        ("a", MONDAY, "Bag"),
        ("b", MONDAY, "Bag"),
        photo=["1", "1", "1", "1"],
    )
    table = weekly(result)
    bag, dress = (row(table, "2026-W47", name) for name in ("Bag", "Dress"))
    assert (bag["photos"], dress["photos"], bag["all_photos"]) == (2, 1, 2)
    assert photo_counts(result).photos == 2


def test_categories_of_other_people_come_after_the_ten():
    table = weekly(seen(("a", MONDAY, "Hat"), ("a", MONDAY, "Belt")), categories=["Bag"])
    assert table["category"].tolist() == ["Bag", "Belt", "Hat"]
    assert table["count"].tolist() == [0, 1, 1]


def test_segments_have_a_table_each():
    segments = pd.DataFrame({"customer": ["a", "b", "z"], "segment": ["Rome", "Oslo", "Paris"]})
    result = seen(("a", MONDAY, "Bag"), ("b", MONDAY, "Bag"), ("c", MONDAY, "Bag"))
    table = weekly(result, segments=segments)
    assert table.columns[1] == "segment"
    bags = table[table["category"] == "Bag"].set_index("segment")
    assert bags["count"].to_dict() == {"Oslo": 1, "Paris": 0, "Rome": 1, "no segment": 1}
    assert bags["total"].to_dict() == bags["count"].to_dict()


def test_a_customer_is_in_one_segment():
    segments = pd.DataFrame({"customer": ["a", "a"], "segment": ["Rome", "Oslo"]})
    with pytest.raises(TrendscopeError, match="'a' is in two segments"):
        weekly(seen(("a", MONDAY, "Bag")), segments=segments)


def test_invalid_tables_of_sightings_are_refused():
    with pytest.raises(TrendscopeError, match="no column 'posted_at'; it has: customer"):
        weekly(pd.DataFrame({"customer": ["a"]}))
    naive = seen(("a", MONDAY, "Bag")).assign(posted_at=pd.to_datetime(["2026-11-16"]))
    with pytest.raises(TrendscopeError, match="without a time zone"):
        weekly(naive)
    with pytest.raises(TrendscopeError, match="has no customer"):
        weekly(seen((None, MONDAY, "Bag")))


def test_times_may_be_objects_or_of_another_zone():
    result = seen(("a", MONDAY, "Bag"), ("b", None, "Bag"))
    expected = weekly(result)
    other = result["posted_at"].dt.tz_convert("Asia/Tokyo")
    for posted_at in (
        result["posted_at"].astype(object),
        other,
        result["posted_at"].dt.as_unit("s"),
    ):
        pd.testing.assert_frame_equal(weekly(result.assign(posted_at=posted_at)), expected)


def test_readings_become_sightings_and_are_all_accounted_for(wardrobe):
    readings = [item for item in wardrobe if not isinstance(item, Skipped)]
    skipped = [item for item in wardrobe if isinstance(item, Skipped)]
    skipped.append(Skipped("anna", "y.jpg", "duplicate", "again"))
    table = sightings(readings)
    assert table["category"].isna().sum() == 2
    # 1, 2, 4 and 7 are dated and named; 5 is uncertain; 6 outside; 3 undated.
    reasons = Counter(item.reason for item in skipped)
    assert photo_counts(table, reasons=reasons) == PhotoCounts(4, 1, 1, 1, skipped=2, doubles=1)
    assert photo_counts(table, reasons=reasons).photos == len(wardrobe) + 1
    # Parts of an export are no photos; reposts are doubles.
    more = reasons + Counter(private=3, other_data=2, not_included=1, repost=4)
    assert photo_counts(table, reasons=more) == PhotoCounts(4, 1, 1, 1, skipped=2, doubles=5)
    assert weekly(table)["photos"].sum() == 4


@pytest.mark.parametrize("name", [*HOSTILE, "\ud800"])
def test_a_customer_may_have_any_name(name):
    day = (2026, 1, 1)
    result = sightings([reading("Bag", name, day), reading("Bag", "b", day, name="b.jpg")])
    segments = pd.DataFrame({"customer": ["b"], "segment": ["Rome"]})
    table = weekly(result, segments=segments)
    assert table[table["category"] == "Bag"]["count"].tolist() == [1, 1]
    assert photo_counts(result).classified == 2


def test_readings_without_any_make_an_empty_table():
    table = sightings([])
    assert photo_counts(table).photos == 0
    assert len(weekly(table)) == 0


def test_an_undated_photo_is_a_sighting_without_a_week():
    table = sightings(
        [reading("Bag", name="1.jpg"), reading("Bag", day=(2026, 1, 1), name="2.jpg")]
    )
    assert table["posted_at"].isna().tolist() == [True, False]


zones = st.sampled_from([UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Auckland")])


@given(tables, zones)
def test_counts_add_up(result, zone):
    table, counted = weekly(result, zone=zone), photo_counts(result, zone=zone)
    assert counted.photos == len(result)
    assert table["photos"].sum() == counted.classified
    by_week = table.groupby("week")
    assert by_week["all_photos"].first().sum() == counted.classified
    assert (by_week["photos"].sum() == by_week["all_photos"].first()).all()
    assert (table["count"] <= table[["total", "photos"]].min(axis=1)).all()
    assert (table.dropna()["lo95"] <= table.dropna()["share"]).all()
    assert (table.dropna()["share"] <= table.dropna()["hi95"]).all()


@given(tables, zones)
def test_counts_agree_with_pandas(result, zone):
    dated = result.dropna(subset="posted_at")
    local = dated["posted_at"].map(lambda moment: f"{moment.astimezone(zone):%G-W%V}")
    named = dated.assign(week=local).dropna(subset="category")
    by_hand = named.groupby(["week", "category"])["customer"].agg(["nunique", "size"])
    table = weekly(result, zone=zone).set_index(["week", "category"])
    assert table.loc[table["count"] > 0, "count"].to_dict() == by_hand["nunique"].to_dict()
    assert table.loc[table["photos"] > 0, "photos"].to_dict() == by_hand["size"].to_dict()
    totals = dated.assign(week=local).groupby("week")["customer"].nunique().to_dict()
    assert table.loc[table["total"] > 0, "total"].groupby("week").first().to_dict() == totals


@given(tables, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(result, random):
    order = random.sample(range(len(result)), len(result))
    pd.testing.assert_frame_equal(weekly(result), weekly(result.iloc[order]))


@settings(max_examples=30)
@given(tables)
def test_photos_twice_change_no_share_and_undated_ones_nothing(result):
    twice = weekly(pd.concat([result, result]))
    columns = ["week", "category", "count", "total", "share", "photo_share"]
    pd.testing.assert_frame_equal(twice[columns], weekly(result)[columns])
    undated = seen(("nobody", None, "Bag"))
    pd.testing.assert_frame_equal(weekly(pd.concat([result, undated])), weekly(result))


@settings(max_examples=30)
@given(tables)
def test_segments_sum_to_all_customers(result):
    segments = pd.DataFrame({"customer": ["a", "b", "c"], "segment": ["x", "x", "y"]})
    parts = weekly(result, segments=segments).groupby(["week", "category"], sort=False)
    sums = parts[["count", "total", "photos", "all_photos"]].sum()
    whole = weekly(result).set_index(["week", "category"])[sums.columns]
    pd.testing.assert_frame_equal(sums, whole, check_index_type=False)
