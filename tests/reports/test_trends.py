"""Trends in words, CSV, JSON, Markdown and page: kept originals, laws, hostile names."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from rich.console import Console

from tests.factories.pages import HOSTILE, Elements
from tests.factories.photos import MEASURED
from tests.factories.weekly import both, seen, steady, tables
from trendscope.files.writing import encoded
from trendscope.reports import changes
from trendscope.reports import trends as trend_report
from trendscope.reports.terminal import _columns, print_trends
from trendscope.trends import counts, summary, verdicts
from trendscope.trends.counts import PhotoCounts
from trendscope.trends.verdicts import STEADY, TOO_FEW

NOW, SPRING = datetime(2026, 11, 21, tzinfo=UTC), datetime(2021, 3, 10, tzinfo=UTC)
WEEKLY = pd.concat(
    [
        both([10] * 22 + [20] * 4 + [9], first="2026-W21"),
        steady(27, [1, 2, 3] * 9, category="Coat", first="2026-W21"),
    ]
)


@pytest.fixture
def outlook():
    tally = PhotoCounts(classified=900, uncertain=50, outside=7, undated=2, skipped=1)
    return replace(summary.outlook(WEEKLY, now=NOW, tally=tally), scores=MEASURED)


@pytest.mark.parametrize(
    ("name", "render"),
    [
        ("trends.json", trend_report.trends_json),
        ("trends.csv", trend_report.trends_csv),
        ("trends.md", trend_report.trends_markdown),
        ("trends.html", trend_report.trends_html),
    ],
)
def test_reports_equal_their_gold_files(outlook, gold, name, render):
    gold(name, render(outlook, 4))


def test_plain_text(outlook, gold):
    file = io.StringIO()
    print_trends(outlook, file)
    gold("trends.txt", file.getvalue())


def test_words_by_hand(outlook):
    # 10 of 100 in 22 weeks, then 20; 2026-W21 begins on 18 May, 2026-W46 ends on 15 November. The
    # logarithm of the ratio varies as .8 / 80 + .9 / 220: e to the 1.645 x .1168 is 1.21.
    assert trend_report.headline(outlook)[0] == (
        "Dress rose from about 10 % to 20 % (90 % interval 17 to 24 %) of customers between 18 May "
        "2026 and 15 Nov 2026; this may be the season."
    )
    dress = trend_report.lines(outlook)[0]
    assert dress.share == "20 % (13 to 29 %)"  # Wilson: 20 of 100
    assert (dress.counted, dress.on_week, dress.on_month) == ("20 of 100", "0", "+10")
    assert dress.sparkline == "▅▅▅▅▅▅▅▅████"  # 10 of at most 20: half of eight steps
    photos = (
        "960 photos: 900 in a category, 50 not sure which garment, 7 none of the ten, 2 without"
    )
    assert photos in " ".join(trend_report.notes(outlook))


def test_photos_without_a_date_are_told_with_what_to_do(outlook):
    last = trend_report.headline(outlook)[-1]
    assert last.startswith("2 photos without a usable date, so in no week: scan the exports")
    dated = replace(outlook, tally=replace(outlook.tally, undated=0))
    assert "date" not in " ".join(trend_report.headline(dated)[1:])


def test_before_the_first_week_is_over_it_is_said_when_it_will_be():
    """The 18th of November 2026 is a Wednesday; its week is over when Monday the 23rd comes."""
    sightings = seen(("anna", "2026-11-18", "Bag"), ("anna", None, "Bag"))
    tally = counts.photo_counts(sightings, now=NOW)
    result = summary.outlook(counts.weekly(sightings, now=NOW), now=NOW, tally=tally)
    first, second = trend_report.headline(result)
    assert first == "Weeks are judged once they are over: look again on 23 Nov 2026."
    assert second.startswith("1 photo without a usable date")


def test_a_change_is_held_against_the_year_before():
    year = [10] * 48 + [20] * 4
    result = summary.outlook(both(year + year))
    words = "in the same weeks a year before, to 2.0 times as much"
    assert words in trend_report.headline(result)[0]


@pytest.mark.parametrize(
    ("before", "recent", "words"),
    [
        (0.0, 0.12, "rose from nothing to 12 % of customers between"),
        (0.3, 0.03, "fell from about 30 % to 3 % (90 % interval 2 to 5 %) of customers between"),
        (0.001, 0.03, "rose from < 1 % to 3 % (90 % interval < 1 %) of customers between"),
    ],
)
def test_changes_are_told_from_what_to_what(before, recent, words):
    rows = summary.outlook(both([30] * 22 + [3] * 4)).movement.query("category == 'Dress'")
    rows = rows.assign(before=before, recent=recent)
    assert changes.change(rows, "customers").startswith(words)


def test_a_change_is_told_of_the_weeks_that_are_compared():
    """Weeks that other weights judged are none of them: the second ones begin in 2026-W11."""
    weekly = both([30] * 10 + [10] * 10 + [20] * 4)
    weekly["weights"] = ["a" if week < "2026-W11" else "b" for week in weekly["week"]]
    change = trend_report.lines(summary.outlook(weekly))[0].change
    assert change.startswith("rose from about 10 % to 20 %")
    assert change.endswith("between 9 Mar 2026 and 14 Jun 2026")


def test_steady_is_only_what_would_have_been_seen_to_change():
    """A doubling of 30 in 100 customers would be found always, of 1 in every fourth week not."""
    result = summary.outlook(
        pd.concat([both([30] * 30), steady(30, [1, 0, 0, 0] * 7 + [1, 0], category="Coat")])
    )
    found = dict(result.power[["category", "found"]].to_numpy())
    assert found["Dress"] > 0.95 and found["Coat"] < summary.ENOUGH
    verdicts_of = {line.category: line.verdict for line in trend_report.lines(result)}
    assert verdicts_of == {"Dress": STEADY, "Bag": STEADY, "Coat": TOO_FEW}
    last = trend_report.table(result).query("week == '2026-W30'")
    assert dict(last[["category", "verdict"]].to_numpy()) == verdicts_of
    assert "Not enough data to say anything of Coat." in trend_report.headline(result)


def test_that_no_doubling_would_be_found_is_said_once():
    """One customer a week: no share of theirs can be told from chance."""
    result = summary.outlook(pd.concat([steady(26, 1, 4), steady(26, 1, 4, category="Coat")]))
    assert trend_report.power_notes(result) == [
        "A doubling over 8 weeks would be found within 16 weeks in none of 100 cases."
    ]


@settings(max_examples=20)
@given(tables)
def test_no_forecast_is_outside_its_own_interval(sightings):
    coming = summary.outlook(counts.weekly(sightings, now=SPRING), now=SPRING).forecast.dropna()
    assert (coming["lo80"] <= coming["share"]).all() and (coming["share"] <= coming["hi80"]).all()


def test_intervals_are_never_of_zero_width():
    nobody = summary.outlook(both([0] * 30, total=5000))
    dress = trend_report.lines(nobody)[0]
    assert dress.share == "0 % (< 1 %)"  # Wilson: at most .08 %
    empty = pd.concat([both([10] * 26), both([0], total=0, first="2026-W27")])
    assert trend_report.lines(summary.outlook(empty))[0].share == "none this week"


def test_only_the_naive_models_are_no_better_than_the_model(outlook):
    """The model's name decides, whatever other names look like."""
    for name, words in (
        ("same weeks last year", "as it was closer by a tenth on these very weeks"),
        ("same as the last 4 weeks", "as it was closer by a tenth on these very weeks"),
        ("same with a season", "as nothing simpler was closer by a tenth on these"),
    ):
        errors = pd.DataFrame({"model": [name], "error": [0.01], "shown": [True]})
        (sentence,) = [
            note
            for note in trend_report.notes(replace(outlook, errors=errors))
            if note.startswith("Forecast: ")
        ]
        assert sentence.startswith(f"Forecast: {name}, {words}")


def test_nothing_is_noted_of_forecasts_that_are_not_shown():
    """Seven customers a week are 28 in four weeks, of 30 that a verdict takes."""

    def noted(weekly):
        return [note[:10] for note in trend_report.notes(summary.outlook(weekly)) if "orec" in note]

    few, many = both([3] * 26, total=7), both([400] * 26, total=1000)
    assert (noted(few), noted(many)) == ([], ["Forecast: "])
    # Nor of the wide intervals of a few beside a segment of many.
    parts = few.assign(segment="Oslo"), many.assign(segment="Rome")
    assert noted(pd.concat(parts)) == ["Forecast: "]


@pytest.mark.parametrize(
    ("shares", "line"),
    [
        ([0, 0.5, 1], "▁▅█"),
        ([0, 0], "▁▁"),
        ([np.nan, 0.1], "·█"),
        ([np.nan], "·"),
        ([], ""),
    ],
)
def test_sparklines(shares, line):
    assert trend_report.sparkline(shares) == line


def test_without_data_nothing_is_said_for_certain():
    few = summary.outlook(both([1] * 8, total=2))
    assert trend_report.headline(few) == ["Not enough data to say anything of any category."]
    quiet = summary.outlook(both([30] * 30))
    assert trend_report.headline(quiet) == ["Nothing has risen or fallen for certain."]


def test_no_verdict_is_given_before_the_first_week_is_over():
    early = summary.outlook(both([3], first="2026-W47"), now=NOW)
    assert trend_report.title(early) == "No complete week yet"
    for render in (trend_report.trends_json, trend_report.trends_csv, trend_report.trends_html):
        assert render(early)
    assert {row["kind"] for row in csv.DictReader(io.StringIO(trend_report.trends_csv(early)))} == {
        "running"
    }


def test_segments_have_a_column():
    parts = [both([10] * 26).assign(segment=name) for name in ("Oslo", "Rome")]
    result = summary.outlook(pd.concat(parts))
    assert [line.segment for line in trend_report.lines(result)] == ["Oslo", "Oslo", "Rome", "Rome"]
    assert trend_report.trends_csv(result).startswith("week,segment,category,kind,")
    assert "| segment | category |" in trend_report.trends_markdown(result)


def test_segments_are_in_the_order_in_which_people_sort_names():
    people = pd.DataFrame({"customer": list("abc"), "segment": ["shop 10", "Shop 2", "shop 1"]})
    photos = seen(*((name, datetime(2021, 3, 1, tzinfo=UTC), "Dress") for name in "abc"))
    result = summary.trends_of_sightings(photos, by="segment", segments=people)
    names = dict.fromkeys(line.segment for line in trend_report.lines(result))
    assert list(names) == ["shop 1", "Shop 2", "shop 10"]


def named(name):
    """The trends of a category and a segment of that name."""
    table = pd.concat([steady(26, category=name), steady(26, category="Bag")])
    return summary.outlook(table.assign(segment=name))


@pytest.fixture(scope="module")
def harmless():
    """The elements of a page that names nothing odd."""
    return Elements(trend_report.trends_html(named("Dress"))).found


@pytest.mark.parametrize("name", [n for n in HOSTILE if n and "\udc80" not in n])
def test_names_are_text_and_never_elements(name, harmless):
    result = named(name)
    page = trend_report.trends_html(result)
    assert Elements(page).found == harmless
    assert "\x1b" not in page and "\u202e" not in page
    text = encoded(trend_report.trends_csv(result)).decode()
    assert not [line for line in text.splitlines() if line.split(",")[1].startswith("=")]
    rows = json.loads(encoded(trend_report.trends_json(result)))["rows"]
    assert {row["category"] for row in rows} in ({name, "Bag"}, {name.replace("\0", ""), "Bag"})
    table = trend_report.trends_markdown(result)
    assert (
        len({row.count("|") - row.count("\\|") for row in table.split("\n") if "26 W" in row}) <= 1
    )


def test_the_page_needs_nothing_from_outside_and_runs_nothing(outlook):
    page = trend_report.trends_html(outlook)
    assert "default-src 'none'; style-src 'unsafe-inline'" in page
    elements = Elements(page)
    assert not {"script", "iframe", "object", "link", "img"} & {tag for tag, _ in elements.found}
    assert elements.sources == []


@settings(max_examples=20)
@given(tables)
def test_any_sightings_can_be_written_down(result):
    weekly = counts.weekly(result, now=SPRING)
    outlook = summary.outlook(weekly, now=SPRING, tally=counts.photo_counts(result, now=SPRING))
    document = json.loads(trend_report.trends_json(outlook, 4))
    rows = list(csv.DictReader(io.StringIO(trend_report.trends_csv(outlook, 4))))
    assert len(rows) == len(document["rows"])
    assert document["photos"]["photos"] == len(result)
    trend_report.trends_html(outlook)
    print_trends(outlook, io.StringIO())


def test_csv_reads_back_as_a_table_to_judge(outlook, tmp_path):
    path = tmp_path / "weekly.csv"
    weekly = counts.weekly(
        pd.DataFrame(
            {
                "customer": ["a", "b", "b"],
                "posted_at": pd.to_datetime(["2026-11-02", "2026-11-09", "2026-11-20"], utc=True),
                "category": ["Bag", "Dress", None],
            }
        ),
        now=NOW,
    )
    path.write_text(weekly.to_csv(index=False))
    from trendscope.files.tables import read_csv

    again = read_csv(path, "week", "category", "count", "total")
    pd.testing.assert_frame_equal(verdicts.movement(again), verdicts.movement(weekly))
    assert summary.outlook(again).running == "2026-W47"


def test_a_terminal_of_80_columns_loses_no_week_and_no_name():
    headings = ["category", "share (95 %)", "customers", "points on last week", "on 4 weeks ago"]
    headings += ["shape", "verdict", "to be expected (80 %)"]
    figures = ["33 % (27 to 39 %)", "1,072 of 4,220", "-1", "-12"]
    rows = [
        ["T-shirt/top", *figures, "█▇▆▅▄▃▂▁▁▂▃█", "falling"],
        ["Ankle boot", *figures, "▁▂▃▄▅▆▇███▂▁", "not enough data"],
    ]
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True, color_system=None)
    console.print(_columns(headings, [[*row, "34 % (29 to 39 %)"] for row in rows], True))
    lines = file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80 and "…" not in file.getvalue()
    for name, *_, shape, _ in rows:
        assert any(name in line and shape in line for line in lines), file.getvalue()
    for word in ("1,072", "4,220", "enough", "falling"):
        assert word in file.getvalue()
