"""What the weekly page tells, from a database whose figures can be worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.factories.stored import found, skipped, write
from trendscope import store
from trendscope.errors import NothingUsable, StoreError, WeightsError
from trendscope.photos.pseudonyms import Pseudonyms
from trendscope.reports.weekly import Fan, report_of_store
from trendscope.reports.weekly_page import report_html
from trendscope.store import open_store
from trendscope.trends.from_store import trends_of_store
from trendscope.vision.scores import read_scores
from trendscope.vision.weights import identify

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
"""A Saturday in 2026-W47; the last complete week ends with Sunday the 15th."""


def photo(category, customer, name, day, **more):
    return found(category, customer, name, day, sha256=f"{customer} {name}", **more)


CLOSET = (
    # Three weeks of Anna's dresses, one of them with two photos; two of Ben's, with three photos.
    photo("Dress", "anna", "1", (2026, 10, 26), thumbnail=b"A1"),
    photo("Dress", "anna", "2", (2026, 11, 2), thumbnail=b"A2"),
    photo("Dress", "anna", "3", (2026, 11, 10, 8), thumbnail=b"A3"),
    photo("Dress", "anna", "4", (2026, 11, 10, 9), thumbnail=b"A4"),
    photo("Dress", "ben", "1", (2026, 11, 3), thumbnail=b"B1"),
    photo("Dress", "ben", "2", (2026, 11, 4), thumbnail=b"B2"),
    photo("Dress", "ben", "3", (2026, 11, 9), thumbnail=b"B3"),
    photo("Dress", "cleo", "1", (2026, 11, 15, 23, 30)),
    # Too old for two weeks, in the running week, undated, unsure.
    photo("Bag", "anna", "5", (2026, 9, 1), thumbnail=b"A5"),
    photo("Bag", "anna", "6", (2026, 11, 18), thumbnail=b"A6"),
    photo("Bag", "anna", "7", None, thumbnail=b"A7"),
    photo(None, "ben", "4", (2026, 11, 9), verdict="uncertain"),
)


def filled(db):
    with open_store(db, create=True, now=NOW) as opened:
        write(opened, *CLOSET, skipped(), weights=identify("photos"))
    return db


@pytest.fixture
def closet(tmp_path):
    return filled(tmp_path / "closet.db")


def of(report, name):
    return next(category for category in report.categories if category.name == name)


def test_customers_are_listed_by_the_weeks_in_which_they_wear_a_category(db):
    dress = of(report_of_store(filled(db), now=NOW), "Dress")
    assert (dress.customers, dress.photos) == (3, 8)
    assert dress.fans == (
        Fan("anna", 3, 4, datetime(2026, 11, 10, 9, tzinfo=UTC)),
        Fan("ben", 2, 3, datetime(2026, 11, 9, tzinfo=UTC)),
        Fan("cleo", 1, 1, datetime(2026, 11, 15, 23, 30, tzinfo=UTC)),
    )


def test_pictures_show_the_latest_photo_of_every_customer_before_a_second_one(closet):
    dress = of(report_of_store(closet, now=NOW, pictures=4), "Dress")
    # Cleo's was kept without a small picture.
    assert [picture.jpeg for picture in dress.pictures] == [b"A4", b"B3", b"A3", b"B2"]
    assert [picture.customer for picture in dress.pictures] == ["anna", "ben", "anna", "ben"]
    assert {picture.confidence for picture in dress.pictures} == {0.8}
    assert of(report_of_store(closet, now=NOW, pictures=0), "Dress").pictures == ()


def test_customers_and_photos_are_counted_in_the_weeks_shown_only(closet):
    report = report_of_store(closet, now=NOW, weeks_shown=2)
    # Anna's first dress is too old now; her last is later than Ben's.
    assert of(report, "Dress").fans[0] == Fan("anna", 2, 3, datetime(2026, 11, 10, 9, tzinfo=UTC))
    assert of(report, "Dress").photos == 7
    assert of(report, "Bag").fans == () and of(report, "Bag").pictures == ()
    assert of(report_of_store(closet, now=NOW), "Bag").photos == 1


def test_weeks_end_in_the_given_time_zone(closet):
    # 23:30 UTC on Sunday is Monday in Berlin, in the running week.
    report = report_of_store(closet, now=NOW, zone=ZoneInfo("Europe/Berlin"))
    assert [fan.customer for fan in of(report, "Dress").fans] == ["anna", "ben"]


def test_the_report_has_the_trends_of_the_command_and_accounts_for_every_photo(closet):
    report = report_of_store(closet, now=NOW)
    tally = report.summary.tally
    assert tally == trends_of_store(closet, now=NOW).tally
    assert (tally.classified, tally.uncertain, tally.undated, tally.skipped) == (10, 1, 1, 1)
    assert tally.photos == len(CLOSET) + 1 == report.status.photos + 1


def test_pseudonyms_replace_every_name(closet):
    pseudonyms = Pseudonyms(b"a key that is long enough")
    dress = of(report_of_store(closet, now=NOW, pseudonyms=pseudonyms), "Dress")
    names = {fan.customer for fan in dress.fans} | {p.customer for p in dress.pictures}
    assert names == {pseudonyms.name(name) for name in ("anna", "ben", "cleo")}


def test_scores_are_those_of_the_weights_that_judged_the_photos(closet, tmp_path):
    assert report_of_store(closet, now=NOW).summary.scores == read_scores("photos")
    with pytest.raises(WeightsError, match=r"did not judge what .* holds; that was photos"):
        report_of_store(closet, now=NOW, weights="fashion-mnist")
    assert store.status(closet).photos == len(CLOSET)


def test_weights_whose_file_is_missing_have_no_scores(tmp_path):
    db = tmp_path / "t.db"
    with open_store(db, create=True, now=NOW) as opened:
        write(opened, *CLOSET)
    assert report_of_store(db, now=NOW).summary.scores is None


def test_an_empty_and_a_missing_database_are_refused(tmp_path):
    db = tmp_path / "t.db"
    with open_store(db, create=True, now=NOW):
        pass
    with pytest.raises(NothingUsable, match="holds no photos yet; fill it with trendscope scan"):
        report_of_store(db, now=NOW)
    with pytest.raises(StoreError, match="no trendscope database"):
        report_of_store(tmp_path / "missing.db", now=NOW)


def test_no_customers_are_listed_before_the_first_week_is_over(tmp_path):
    db = tmp_path / "t.db"
    with open_store(db, create=True, now=NOW) as opened:
        write(opened, photo("Dress", "anna", "1", (2026, 11, 18), thumbnail=b"A1"))
    report = report_of_store(db, now=NOW)
    assert report.summary.movement.empty
    assert {category.photos for category in report.categories} == {0}


def test_only_photos_of_the_days_asked_for_count(closet):
    report = report_of_store(closet, now=NOW, since=date(2026, 11, 3), until=date(2026, 11, 8))
    dress = of(report, "Dress")  # Ben's of the 3rd and the 4th; Anna's are of the 2nd and the 10th.
    assert dress.fans == (Fan("ben", 1, 2, datetime(2026, 11, 4, tzinfo=UTC)),)
    assert report.summary.tally.classified == 2 and report.summary.tally.undated == 0
    assert report.summary.movement["week"].tolist()[-1] == "2026-W45"
    assert "Only photos of 3 Nov 2026 to 8 Nov 2026 count." in report_html(report)
    assert "Only photos" not in report_html(report_of_store(closet, now=NOW))
    with pytest.raises(NothingUsable, match=r"no photo in .* is of these dates"):
        report_of_store(closet, now=NOW, until=date(2020, 1, 1))
