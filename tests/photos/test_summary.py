"""The sums per customer: hand-worked figures, and laws that hold for every wardrobe."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.photos import moments, photo_result, wardrobes
from trendscope.categories import CATEGORIES
from trendscope.photos.summary import photos_a_week, summarise, within
from trendscope.skipped import Skipped


def test_summary_worked_out_by_hand(profile):
    anna = profile.customers[1]
    assert anna.customer == "anna"
    # Named: 3 dresses and a bag. The uncertain photo: .8 a shirt, .02 each of the other nine.
    assert [(c.category, c.count, round(c.share, 4)) for c in anna.ranked] == [
        ("Dress", 3, round(3.02 / 4.98, 4)),
        ("Bag", 1, round(1.02 / 4.98, 4)),
    ]
    assert anna.other_share == pytest.approx((0.8 + 7 * 0.02) / 4.98)
    assert (len(anna.readings), anna.undated, len(anna.skipped)) == (6, 1, 1)
    assert (len(anna.verdicts("uncertain")), len(anna.verdicts("outside"))) == (1, 1)


def test_first_and_last_seen_are_per_category_and_ignore_undated_photos(profile):
    dress = profile.customers[1].categories[3]
    assert dress.category == "Dress"
    assert dress.first_seen == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert dress.last_seen == datetime(2026, 3, 30, 9, tzinfo=UTC)


def test_all_ten_categories_are_there_in_label_order(profile):
    for customer in profile.customers:
        assert tuple(c.category for c in customer.categories) == CATEGORIES


def test_skipped_files_of_no_customer_are_listed_apart(profile):
    assert [item.source for item in profile.unowned] == ["photos/notes.txt"]
    assert [item.source for item in profile.skipped] == ["photos/anna/x.jpg", "photos/notes.txt"]


def test_files_of_a_customer_without_photos_are_listed_as_unowned():
    empty = Skipped("eve", "e.jpg", "empty", "empty")
    result = summarise("w", [empty])
    assert (result.customers, result.skipped) == ((), (empty,))


def test_shares_without_a_classified_photo_are_zero():
    (customer,) = summarise("w", [photo_result(None, verdict="uncertain")]).customers
    assert customer.ranked == ()
    assert all(c.share == 0 for c in customer.categories)


def test_photos_labelled_uncertain_by_a_person_are_in_no_share():
    bag = photo_result("Bag", name="1")
    unsure = photo_result("Coat", name="2", verdict="uncertain")
    (customer,) = summarise("w", [bag, replace(unsure, corrected=True)]).customers
    assert {c.category for c in customer.categories if c.share} == {"Bag"}
    (customer,) = summarise("w", [bag, unsure]).customers
    assert all(c.share for c in customer.categories)


def test_ties_are_in_label_order():
    ranked = summarise("w", [photo_result("Bag", name="1"), photo_result("Trouser", name="2")])
    assert [c.category for c in ranked.customers[0].ranked] == ["Trouser", "Bag"]


def test_results_are_ordered_by_date_with_undated_ones_last(profile):
    names = [r.post_id for r in profile.customers[1].readings]
    assert names == ["6.jpg", "1.jpg", "4.jpg", "2.jpg", "5.jpg", "3.jpg"]


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [
        ("classified", ""),
        ("outside", "none of the ten categories is seen"),
        ("uncertain", "not sure enough; the best guess is Coat"),
    ],
)
def test_explanation_for_each_verdict(verdict, sentence):
    assert photo_result("Coat", verdict=verdict).explanation == sentence


@given(wardrobes)
def test_photos_of_all_verdicts_add_up(results):
    profile = summarise("w", results)
    assert len(profile.readings) + len(profile.skipped) == len(results)
    for customer in profile.customers:
        verdicts = [len(customer.verdicts(v)) for v in ("classified", "uncertain", "outside")]
        assert sum(verdicts) == len(customer.readings)
        assert sum(c.count for c in customer.categories) == verdicts[0]
        total = sum(c.share for c in customer.categories)
        assert total == pytest.approx(1.0) if verdicts[0] else total == 0
        assert len(customer.dates) + customer.undated == len(customer.readings)


@given(wardrobes, st.randoms(use_true_random=False))
def test_the_order_of_the_photos_does_not_matter(results, random):
    shuffled = list(results)
    random.shuffle(shuffled)
    assert figures(summarise("w", shuffled)) == figures(summarise("w", results))


def figures(profile):
    return [(c.customer, c.categories, c.dates, c.skipped) for c in profile.customers]


# --- weeks ---------------------------------------------------------------------------------------


def test_weeks_are_iso_weeks_and_empty_ones_are_zero():
    days = [datetime(2026, 12, 28, tzinfo=UTC), datetime(2027, 1, 3, 23, 59, tzinfo=UTC)]
    later = datetime(2027, 1, 11, tzinfo=UTC)
    # The Monday 2026-12-28 opens week 53, which ends on Sunday 2027-01-03.
    assert photos_a_week([*days, later]) == (("2026-W53", 2), ("2027-W01", 0), ("2027-W02", 1))


def test_weeks_are_those_of_utc():
    sunday_night_in_new_york = datetime.fromisoformat("2026-03-01T22:00:00-05:00")
    assert photos_a_week([sunday_night_in_new_york]) == (("2026-W10", 1),)


def test_weeks_begin_in_the_requested_zone():
    sunday_night_in_new_york = datetime.fromisoformat("2026-03-02T03:00:00+00:00")
    zone = ZoneInfo("America/New_York")
    assert photos_a_week([sunday_night_in_new_york], zone=zone) == (("2026-W09", 1),)
    assert summarise("w", [], zone).zone is zone


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_weeks_are_those_of_the_calendar(day):
    year, week, _ = day.isocalendar()
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    assert photos_a_week([noon]) == ((f"{year}-W{week:02}", 1),)


def test_photos_a_week_of_no_dates_is_empty():
    assert photos_a_week([]) == ()


def test_only_the_last_weeks_are_shown():
    old, new = datetime(1990, 1, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    weeks = photos_a_week([old, new], longest=4)
    assert weeks == (("2026-W07", 0), ("2026-W08", 0), ("2026-W09", 0), ("2026-W10", 1))


@given(st.lists(moments.filter(bool), min_size=1, max_size=20))
def test_every_recent_photo_is_in_one_week(dates):
    weeks = photos_a_week(dates)
    recent = max(dates) - timedelta(weeks=50)
    assert sum(count for _, count in weeks) >= sum(moment >= recent for moment in dates)
    assert len({week for week, _ in weeks}) == len(weeks) <= 52
    assert weeks[-1][1] > 0


def test_a_profile_of_some_days_in_the_zone_of_the_profile():
    late = photo_result("Dress", "anna", (2026, 3, 1, 23, 30), "late.jpg")  # in Berlin 2 March
    early = photo_result("Bag", "anna", (2026, 3, 1, 12), "early.jpg")
    undated = photo_result("Coat", "anna", None, "undated.jpg")
    full = summarise("w", [late, early, undated], ZoneInfo("Europe/Berlin"))
    part = within(full, since=date(2026, 3, 2))
    assert [photo.source for photo in part.readings] == [late.source]
    assert {(item.source, item.reason) for item in part.skipped} == {
        (early.source, "other_dates"),
        (undated.source, "other_dates"),
    }
    assert [photo.source for photo in within(full, until=date(2026, 3, 1)).readings] == [
        early.source
    ]
    assert within(full) is full
