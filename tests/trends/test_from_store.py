"""Trends of a store: worked out by hand, and the same as those of the photos themselves."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.factories.stored import NEW, NOW, OLD, WEEK_46, found, write
from trendscope import store
from trendscope.categories import CATEGORIES
from trendscope.cli import app
from trendscope.errors import NothingUsable, TrendscopeError
from trendscope.photos.results import Garment, Label
from trendscope.skipped import PARTS, REASONS, Skipped
from trendscope.store.labels import correct
from trendscope.store.memory import stamp
from trendscope.store.weights import current_weights, finish_reclassifying
from trendscope.trends import counts, summary
from trendscope.trends.counts import PhotoCounts
from trendscope.trends.from_store import trends_of_store


def shares(report, week, **more):
    """count and total by category where anything was counted."""
    rows = report.weekly[(report.weekly["week"] == week)]
    for name, value in more.items():
        rows = rows[rows[name] == value]
    return {row.category: (row.count, row.total) for row in rows.itertuples() if row.count}


def test_weeks_by_hand(closet):
    report = trends_of_store(closet, now=NOW)
    assert report.tally == PhotoCounts(
        classified=4, uncertain=1, outside=1, undated=2, skipped=2, doubles=1
    )
    assert report.tally.photos == 11
    assert report.running == "2026-W47"
    assert shares(report, "2026-W44") == {"Dress": (1, 1)}
    assert shares(report, "2026-W45") == {}
    assert report.weekly.query("week == '2026-W45'")["total"].eq(0).all()
    # Anna is one customer with dresses, of three who were active.
    assert shares(report, "2026-W46") == {"Dress": (1, 3), "Bag": (1, 3)}
    dress = report.weekly.query("week == '2026-W46' and category == 'Dress'").iloc[0]
    assert (dress.photos, dress.all_photos) == (2, 3)


def test_only_some_customers(closet):
    report = trends_of_store(closet, now=NOW, customers=["ben", "nobody"])
    assert report.tally == PhotoCounts(classified=1, uncertain=1, outside=0, undated=0)
    assert report.unknown == ("nobody",)
    assert shares(report, "2026-W46") == {}
    with pytest.raises(NothingUsable, match=r"knows none of the 1 customers asked for"):
        trends_of_store(closet, now=NOW, customers=["nobody"])


def test_segments(closet):
    cities = pd.DataFrame({"customer": ["anna", "cem"], "segment": ["Oslo", "Rome"]})
    report = trends_of_store(closet, now=NOW, by="segment", segments=cities)
    assert shares(report, "2026-W46", segment="Oslo") == {"Dress": (1, 1), "Bag": (1, 1)}
    assert shares(report, "2026-W46", segment="Rome") == {}
    assert shares(report, "2026-W44", segment="no segment") == {"Dress": (1, 1)}


def test_of_each_customer_photos_are_counted(closet):
    report = trends_of_store(closet, now=NOW, by="customer", named=str.upper)
    assert report.unit == "photos"
    assert shares(report, "2026-W46", segment="ANNA") == {"Dress": (2, 3), "Bag": (1, 3)}
    assert shares(report, "2026-W44", segment="BEN") == {"Dress": (1, 1)}
    row = report.weekly.query("week == '2026-W46' and segment == 'ANNA' and category == 'Dress'")
    assert row["share"].item() == pytest.approx(2 / 3)
    # Wilson, 2 of 3: (2 + 1.9208) / (3 + 3.8416) -+ 1.96 sqrt(2/9 * 3 + .9604) / 6.8416
    assert row["lo95"].item() == pytest.approx(0.2077, abs=1e-4)


def test_too_many_groups_are_refused(closet, monkeypatch):
    monkeypatch.setattr(summary, "MOST_GROUPS", 2)
    with pytest.raises(TrendscopeError, match=r"3 customers are too many .* 2 at most; choose"):
        trends_of_store(closet, now=NOW, by="customer")


@pytest.mark.parametrize(
    ("zone", "week"), [(UTC, "2026-W53"), (ZoneInfo("Pacific/Auckland"), "2027-W01")]
)
def test_the_zone_decides_the_week_at_the_edge_of_the_year(opened, zone, week):
    write(opened, found("Bag", day=(2027, 1, 3, 12)))  # a Sunday; Monday at 1 in Auckland
    assert trends_of_store(opened, zone=zone).weekly["week"].unique().tolist() == [week]


def test_weeks_of_summer_time_begin_an_hour_earlier(opened):
    # Both are Sunday in UTC; Berlin is two hours ahead until 25 October 2026, then one.
    write(opened, found("Bag", name="1.jpg", day=(2026, 10, 18, 22, 30)))
    write(opened, found("Bag", name="2.jpg", day=(2026, 10, 25, 22, 30)))
    by_week = trends_of_store(opened, zone=ZoneInfo("Europe/Berlin")).weekly
    assert by_week.groupby("week")["all_photos"].first().to_dict() == {"2026-W43": 2}


def test_an_empty_store_says_so(opened):
    with pytest.raises(NothingUsable, match=r"holds no photos yet; fill it with trendscope scan"):
        trends_of_store(opened, now=NOW)


def test_several_garments_of_one_photo(opened):
    both = tuple(Garment(name, 0.8, (1, 2, 3, 4)) for name in ("Coat", "Bag"))
    write(opened, found("Coat", day=WEEK_46[0], garments=both))
    write(opened, found("Coat", name="2.jpg", sha256="anna-1.jpg", garments=both))  # a double
    summary = trends_of_store(opened, now=NOW)
    assert summary.tally == PhotoCounts(1, 0, 0, 0, doubles=1)
    assert shares(summary, "2026-W46") == {"Coat": (1, 1), "Bag": (1, 1)}
    assert summary.weekly.query("week == '2026-W46'")["all_photos"].max() == 1


def votes(report, **more):
    """Votes by category where there are any, in week 46."""
    rows = report.weekly.query("week == '2026-W46' and votes > 0")
    for name, value in more.items():
        rows = rows[rows[name] == value]
    return rows.set_index("category")["votes"].to_dict()


def test_outfits_segments_corrections_and_customers_have_the_same_votes(opened):
    outfit = tuple(Garment(name, 0.8, (1, 2, 3, 4)) for name in ("Coat", "Bag"))
    write(
        opened,
        found("Coat", day=WEEK_46[0], garments=outfit),
        found("Coat", name="2.jpg", day=WEEK_46[1]),
        found("Dress", "ben", "3.jpg", WEEK_46[2]),
        *(found("Dress", "cem", f"{i}.jpg", WEEK_46[i]) for i in range(3)),
    )
    # Of Anna's three garments two are coats; Cem's three photos are one vote, as Ben's one is.
    anna = {"Coat": pytest.approx(2 / 3), "Bag": pytest.approx(1 / 3)}
    assert votes(trends_of_store(opened, now=NOW)) == {**anna, "Dress": 2}
    cities = pd.DataFrame({"customer": ["anna", "ben", "cem"], "segment": ["Oslo", "Rome", "Rome"]})
    by_city = trends_of_store(opened, now=NOW, by="segment", segments=cities)
    assert votes(by_city, segment="Oslo") == anna and votes(by_city, segment="Rome") == {"Dress": 2}
    by_customer = trends_of_store(opened, now=NOW, by="customer")
    assert votes(by_customer, segment="anna") == {"Coat": 2, "Bag": 1}
    correct(opened, {"ben-3.jpg": Label(("Bag",))}, NOW)
    report = trends_of_store(opened, now=NOW)
    assert votes(report) == {**anna, "Bag": pytest.approx(4 / 3), "Dress": 1}
    assert report.weekly.query("week == '2026-W46'")["by_people"].eq(1).all()


def months(opened, first, last, category, weights):
    """Ten customers a week, each with one garment, in some weeks from 2026-W16 on."""
    for week in range(first, last):
        day = date(2026, 4, 13) + timedelta(weeks=week)
        items = (
            found(category, f"c{number}", f"{week}.jpg", (day.year, day.month, day.day, 9))
            for number in range(10)
        )
        write(opened, *items, weights=weights, reclassify=weights == NEW)


def test_weeks_before_and_after_new_weights_are_never_compared(opened):
    months(opened, 0, 26, "Dress", OLD)
    months(opened, 26, 31, "Bag", NEW)
    report = trends_of_store(opened, now=NOW)
    # The former weights count until the new ones have judged all; what they never saw waits.
    assert (report.tally.classified, report.tally.waiting) == (260, 50)
    latest = report.movement[report.movement["week"] >= "2026-W45"]
    assert set(latest["verdict"]) == {"not enough data"} and latest["change"].isna().all()
    months(opened, 0, 26, "Dress", NEW)
    with opened.writing() as connection:
        assert finish_reclassifying(connection, current_weights(connection)[0] + 1) == 0
    report = trends_of_store(opened, now=NOW)
    assert (report.tally.classified, report.tally.waiting) == (310, 0)
    assert report.movement.iloc[-10:].query("verdict == 'falling'")["category"].tolist() == [
        "Dress"
    ]


def test_photos_not_judged_by_the_current_weights_are_waiting(opened):
    write(opened, found(day=WEEK_46[0]))
    write(opened, found(name="2.jpg", day=WEEK_46[1]), weights=NEW, reclassify=True)
    assert trends_of_store(opened, now=NOW).tally == PhotoCounts(1, 0, 0, 0, waiting=1)


def test_a_photo_whose_file_broke_counts_once(opened):
    at, result = found(day=WEEK_46[0])
    write(opened, (at, result))
    write(opened, (at, Skipped("anna", "1.jpg", "truncated", "cut short")))
    assert trends_of_store(opened, now=NOW).tally == PhotoCounts(1, 0, 0, 0)


# --- the law -------------------------------------------------------------------------------------

REASON = st.sampled_from([reason for reason in REASONS if reason not in PARTS])

PHOTOS = st.tuples(
    st.sampled_from(["anna", "ben"]),
    st.sampled_from([*CATEGORIES[:3], "uncertain", "outside"]),
    st.none() | st.sampled_from([(2026, 1, 4), (2026, 11, 12), (2027, 5, 1)]),
    st.integers(0, 5),  # few images, so that some are doubles
)

THINGS = st.lists(st.tuples(st.sampled_from(["anna", None]), REASON) | PHOTOS, max_size=25)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with store.open_store(tmp_path_factory.mktemp("law") / "f.db", create=True) as opened:
        yield opened


@settings(max_examples=30)
@given(THINGS)
def test_counts_always_add_up(shared, things):
    with shared.writing() as connection:
        for table in ("photos", "skips", "images", "customers"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    items = []
    for number, thing in enumerate(things):
        if len(thing) == 2:
            item = Skipped(thing[0], f"{number}.x", thing[1], "a sentence")
            items.append((stamp(item), item))
            continue
        customer, what, day, image = thing
        verdict = what if what in ("uncertain", "outside") else "classified"
        category = None if verdict != "classified" else what
        items.append(
            found(category, customer, f"{number}.jpg", day, verdict=verdict, sha256=f"{image}")
        )
    write(shared, *items)
    if not any(len(thing) == 4 for thing in things):
        return
    counted = trends_of_store(shared, now=NOW).tally
    assert counted.photos == len(things)
    assert counted.photos == sum(asdict(counted).values())
    assert counted.waiting == 0
    each = [tally_of(shared, name) for name in _names(shared)]
    nobodys = sum(thing[0] is None and thing[1] not in ("duplicate", "repost") for thing in things)
    assert sum(t.skipped for t in each) == counted.skipped - nobodys
    assert sum(t.classified for t in each) == counted.classified


def tally_of(db, name):
    held = store.census(db, [name])
    return counts.photo_counts(
        held.rows, now=NOW, reasons=held.reasons, waiting=held.waiting.total()
    )


def _names(db):
    return store.customers(db)["customer"]


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def run(closet, db):
    def call(*arguments):
        arguments = ("trends", "--db", db, "--as-of", "2026-11-21", *arguments)
        return CliRunner().invoke(app, list(map(str, arguments)))

    return call


def test_the_command_accounts_for_all_photos(run):
    done = run()
    assert (done.exit_code, done.stderr) == (0, "")
    output = (
        "11 photos: 4 in a category, 1 not sure which garment, 1 none of the ten, 2 without a "
        "usable date, so in no week, 2 not used, 1 counted already."
    )
    assert output in done.stdout
    photos = json.loads(run("--json").stdout)["photos"]
    assert photos.pop("photos") == sum(photos.values()) == 11


def test_the_command_by_segment_and_customer(run, tmp_path):
    path = tmp_path / "some.csv"
    path.write_text("customer,segment\nanna,Oslo\ncem,Rome\n")

    def names(*arguments):
        done = run("--csv", *arguments)
        assert (done.exit_code, done.stderr) == (0, "")
        return {row["segment"] for row in csv.DictReader(io.StringIO(done.stdout))}

    assert names("--segments", path) == {"Oslo", "Rome", "no segment"}
    assert names("--by", "segment", "--customers", path) == {"Oslo", "Rome"}
    assert names("--by", "customer", "--customers", path) == {"anna", "cem"}


def test_pseudonyms(run, tmp_path, monkeypatch):
    monkeypatch.setenv("TRENDSCOPE_KEY", "k" * 16)
    path = tmp_path / "some.csv"
    path.write_text("customer\nanna\nnobody\n")
    for flag in ("--csv", "--json", "--markdown", "-q"):
        done = run("--by", "customer", "--customers", path, "--pseudonymise", flag)
        assert done.exit_code == 0
        assert "anna" not in done.stdout and "nobody" not in done.stdout
        assert "customer-" in done.stdout


def test_a_table_by_customer_notes_that_photos_are_counted(run, tmp_path):
    path = tmp_path / "some.csv"
    path.write_text("customer\nanna\nzoe\n")
    text = run("--by", "customer", "--customers", path, "--markdown").stdout
    assert "| customer | category | share (95 %) | photos |" in text
    assert "| anna | Dress | 67 % (21 to 94 %) | 2 of 3 |" in text
    assert "Nothing is known of zoe; asked for, but not in these figures." in text
    assert "Shares are of the garments named in a customer's photos" in text
    # With so few, no forecast is shown as if it were one.
    row = next(line for line in text.splitlines() if line.startswith("| anna | Dress"))
    assert row.endswith("| not enough data |  |")
