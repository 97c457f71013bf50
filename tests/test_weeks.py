"""ISO weeks against dates looked up in a printed calendar, and against the clock's own rules."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendscope import weeks

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2020, 12, 31), "2020-W53"),
        (date(2021, 1, 3), "2020-W53"),
        (date(2021, 1, 4), "2021-W01"),
        (date(2024, 12, 29), "2024-W52"),
        (date(2024, 12, 30), "2025-W01"),
        (date(2026, 11, 21), "2026-W47"),
    ],
)
def test_days_at_the_edges_of_years(day, name):
    assert weeks.label(day) == name
    assert weeks.name(weeks.number_of(day)) == name


def test_a_long_year_has_one_week_more():
    assert weeks.number("2021-W01") - weeks.number("2020-W01") == 53
    assert weeks.number("2025-W01") - weeks.number("2024-W01") == 52


@pytest.mark.parametrize(
    ("moment", "monday"),
    [
        # Sunday 23:30 UTC is Monday 00:30 in Berlin in winter, and 01:30 in summer.
        (datetime(2026, 1, 4, 23, 30, tzinfo=UTC), date(2026, 1, 5)),
        (datetime(2026, 7, 5, 22, 30, tzinfo=UTC), date(2026, 7, 6)),
        (datetime(2026, 1, 4, 22, 30, tzinfo=UTC), date(2025, 12, 29)),
        # Clocks go forward on Sunday 2026-03-29 and back on Sunday 2026-10-25.
        (datetime(2026, 3, 29, 21, 59, tzinfo=UTC), date(2026, 3, 23)),
        (datetime(2026, 3, 29, 22, 0, tzinfo=UTC), date(2026, 3, 30)),
        (datetime(2026, 10, 25, 22, 59, tzinfo=UTC), date(2026, 10, 19)),
        (datetime(2026, 10, 25, 23, 0, tzinfo=UTC), date(2026, 10, 26)),
    ],
)
def test_weeks_begin_at_midnight_of_the_zone(moment, monday):
    assert weeks.monday(moment, BERLIN) == monday


@pytest.mark.parametrize(
    "text", ["2026-47", "2026-W7", "2026-W00", "2021-W53", "W47", "", "2026-W47 ", "x2026-W47"]
)
def test_texts_that_are_no_weeks_are_refused(text):
    with pytest.raises(ValueError, match="is not"):
        weeks.number(text)


@given(st.dates(date(1900, 1, 1), date(2999, 12, 31)))
def test_names_and_numbers_are_inverse(day):
    assert weeks.number(weeks.label(day)) == weeks.number_of(day)
    assert weeks.number_of(day) * 7 + 1 == day.toordinal() - day.weekday()
