"""Customers of a database, listed and looked at without their photos."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from tests.factories.photos import painted
from trendscope.cli import app
from trendscope.reports.customers import customers_text
from trendscope.store import CustomerEntry


@pytest.fixture
def run(fake_command):
    def invoke(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return invoke


@pytest.fixture
def scanned(run, tmp_path, photos):
    """Anna with two dresses and a bag without a date, ben and ben10 and ben9 with a coat each."""
    for name in ("ben10", "ben9"):
        (photos / name).mkdir()
        (photos / name / "IMG_20260901_120000.png").write_bytes(painted("Coat", (90, len(name))))
    path = tmp_path / "fashion.db"
    assert run("scan", photos, "--db", path, "-q").exit_code == 0
    return path


def test_customers_are_listed_with_what_they_wear_most(run, scanned):
    done = run("customers", "--db", scanned)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "anna   3 photos  30 Mar 2026  Dress 2, Bag 1",
        "ben     1 photo      no date  Coat 1",
        "ben9    1 photo   1 Sep 2026  Coat 1",
        "ben10   1 photo   1 Sep 2026  Coat 1",
    ]


def test_a_line_of_80_characters_keeps_name_and_date():
    counts = {"T-shirt/top": 500, "Ankle boot": 400, "Trouser": 300}
    posted = datetime(2026, 3, 30, tzinfo=UTC)
    entry = CustomerEntry("n" * 30, 1234, 0, 0, counts, {}, posted, ())
    short = replace(entry, customer="anna", counts={"Bag": 1, "Coat": 1})
    lines = customers_text([entry, short]).splitlines()
    # 30 and 12 and 11 characters, with two between them: of 80 a single category has room.
    assert lines[0] == f"{'n' * 30}  1,234 photos  30 Mar 2026  T-shirt/top 500"
    assert lines[1] == f"{'anna':30}  1,234 photos  30 Mar 2026  Bag 1, Coat 1"


def test_customers_are_searched_and_written_for_programs(run, scanned):
    done = run("customers", "--db", scanned, "--search", "NN", "--csv")
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert (row["customer"], row["photos"], row["most_worn"]) == ("anna", "3", "Dress 2, Bag 1")
    document = json.loads(run("customers", "--db", scanned, "--json").stdout)
    assert [each["counts"] for each in document["customers"]] == [
        {"Dress": 2, "Bag": 1},
        *3 * [{"Coat": 1}],
    ]
    done = run("customers", "--db", scanned, "--search", "zoe")
    assert (done.exit_code, done.stdout) == (3, "")


def test_customers_without_a_photo_that_could_be_used_are_told_apart(
    run, scanned, photos, monkeypatch
):
    (photos / "zoe").mkdir()
    (photos / "zoe" / "clip.mp4").write_bytes(b"no picture")
    assert run("scan", photos, "--db", scanned, "-q").exit_code == 0
    lines = run("customers", "--db", scanned).stdout.splitlines()
    assert len(lines) == 5 and lines[-1] == "Of 1 more no photo could be used: zoe."
    document = json.loads(run("customers", "--db", scanned, "--json").stdout)
    assert len(document["customers"]) == 4 and document["without_photos"] == ["zoe"]
    assert "4 customers" in run("status", "--db", scanned).stdout
    monkeypatch.setenv("TRENDSCOPE_KEY", "sixteen letters or more")
    assert "zoe" not in run("customers", "--db", scanned, "--pseudonymise").stdout
    done = run("customers", "--db", scanned, "--search", "zoe")
    assert (done.exit_code, "no photo of theirs could be used" in done.stderr) == (3, True)


def test_pseudonyms_hide_the_names_of_customers(run, scanned, monkeypatch):
    monkeypatch.setenv("TRENDSCOPE_KEY", "sixteen letters or more")
    done = run("customers", "--db", scanned, "--pseudonymise")
    assert done.exit_code == 0 and "anna" not in done.stdout
    done = run("profile", "--db", scanned, "--customer", "anna", "--pseudonymise", "--json")
    assert done.exit_code == 0 and "anna" not in done.stdout and '"Dress"' in done.stdout


def test_a_scanned_customer_is_profiled_without_the_photos(run, scanned, photos, tmp_path):
    document = json.loads(run("profile", "--db", scanned, "--customer", "anna", "--json").stdout)
    (customer,) = document["customers"]
    counts = customer["counts"]
    assert (counts["Dress"], counts["Bag"], counts["Coat"]) == (2, 1, 0)
    sheet = tmp_path / "anna.html"
    done = run("profile", "--db", scanned, "--customer", "anna", "--html", sheet)
    assert done.exit_code == 0 and done.stdout.startswith("anna: 3 photos")
    assert sheet.read_text(encoding="utf-8").count("data:image/jpeg") == 3


def test_a_profile_needs_photos_or_a_customer(run, scanned):
    done = run("profile", "--db", scanned)
    assert (done.exit_code, "--customer" in done.stderr) == (2, True)
    done = run("profile", "--db", scanned, "--customer", "zoe")
    assert (done.exit_code, "no customer 'zoe'" in done.stderr) == (3, True)


@pytest.mark.parametrize(
    ("words", "photos_of_anna"),
    [
        (["--since", "2026-03-03"], 1),
        (["--until", "2026-03-29"], 1),
        (["--since", "2026-03-02", "--until", "2026-03-30"], 2),
    ],
)
def test_profiles_are_of_some_dates(words, photos_of_anna, run, photos, scanned):
    for source in ([photos / "anna"], ["--db", scanned, "--customer", "anna"]):
        done = run("profile", *source, *words)
        assert done.exit_code == 0, done.stderr
        assert f"anna: {photos_of_anna} photo" in done.stdout
        left_out = 3 - photos_of_anna  # the bag has no date
        assert f"{left_out} photo{'s' * (left_out > 1)} left out: of other dates" in done.stdout


@pytest.mark.parametrize(
    ("words", "days", "customers", "pictures"),
    [
        (["--since", "2026-03-30"], "from 30 Mar 2026 on", {"anna", "ben9", "ben10"}, 3),
        (["--until", "2026-03-29"], "up to 29 Mar 2026", {"anna"}, 1),
        (
            ["--since", "2026-03-03", "--until", "2026-08-31"],
            "of 3 Mar 2026 to 31 Aug 2026",
            {"anna"},
            1,
        ),
    ],
)
def test_reports_are_of_some_dates(words, days, customers, pictures, run, scanned, tmp_path):
    page = tmp_path / "report.html"
    options = ("-o", page, "--as-of", "2026-11-21", "--weeks", "52")
    done = run("report", "--db", scanned, *options, *words)
    assert done.exit_code == 0, done.stderr
    text = page.read_text(encoding="utf-8")
    assert days in text
    assert {name for name in ("anna", "ben", "ben9", "ben10") if f">{name}<" in text} == customers
    assert text.count("data:image/jpeg") == pictures


def test_dates_without_a_photo_or_in_the_wrong_order_are_refused(run, photos):
    done = run("profile", photos / "anna", "--since", "2027-01-01")
    assert (done.exit_code, "none of 3 photos is of these dates" in done.stderr) == (3, True)
    done = run("profile", photos / "anna", "--since", "2027-01-01", "--until", "2026-01-01")
    assert (done.exit_code, "--since is later than --until" in done.stderr) == (2, True)
