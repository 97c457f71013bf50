"""JSON, CSV, HTML, the terminal and files: kept originals, laws, and hostile names."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.pages import HOSTILE, Elements
from tests.factories.photos import outfit, photo_result, reading, wardrobes
from trendscope.categories import CATEGORIES
from trendscope.files import cells
from trendscope.files.writing import encoded
from trendscope.photos.results import Classification
from trendscope.photos.summary import summarise
from trendscope.reports import profile as report
from trendscope.reports import wording
from trendscope.reports.terminal import print_classification, print_profile
from trendscope.skipped import Skipped

# --- words ---------------------------------------------------------------------------------------


def test_caveats_name_all_that_figures_leave_out(profile):
    anna = profile.customers[1]
    assert wording.caveats(anna.readings, anna.skipped) == (
        "1 photo: not sure which garment it is: in no count, in the shares as what it may be.",
        "1 photo: shows none of the ten categories, so not counted in any.",
        "1 photo: without a date, so missing from first and last seen and from the weeks.",
        "1 file not used: empty file.",
    )
    assert wording.caveats([reading(day=(2026, 1, 1))], []) == ()


# --- JSON ----------------------------------------------------------------------------------------


def test_profile_json(profile, gold):
    gold("profile.json", report.profile_json(profile))


def test_classification_json(wardrobe, gold):
    gold("classification.json", report.classification_json(Classification("fake", tuple(wardrobe))))


def test_profile_json_has_the_promised_shape(profile):
    document = json.loads(report.profile_json(profile))
    assert (document["schema_version"], document["weights"]) == (1, "fake")
    anna = document["customers"][1]
    assert anna["photos"] == 6
    assert anna["counts"] == {**dict.fromkeys(CATEGORIES, 0), "Dress": 3, "Bag": 1}
    # 3 dresses, a bag, and a photo that is .8 a shirt and .02 each of the others: 4.98 in all.
    assert anna["shares"] == {
        **dict.fromkeys(CATEGORIES, 0.004016),
        "Dress": 0.606426,
        "Shirt": 0.160643,
        "Bag": 0.204819,
    }
    assert (anna["uncertain"], anna["outside"], anna["undated"]) == (1, 1, 1)
    assert anna["skipped"][0]["path"] == "photos/anna/x.jpg"
    assert anna["skipped"][0]["reason"] == "empty"
    assert (anna["first_seen"], anna["last_seen"]) == (
        "2026-01-01T00:00:00Z",
        "2026-04-01T00:00:00Z",
    )


def test_classification_json_has_the_promised_shape(wardrobe):
    classification = Classification("fake", tuple(wardrobe))
    photos = json.loads(report.classification_json(classification))["photos"]
    assert [photo["verdict"] for photo in photos[3:7]] == [
        "classified",
        "uncertain",
        "outside",
        "unreadable",
    ]
    assert photos[3]["garments"] == [
        {"category": "Bag", "confidence": 0.8, "box": [10, 20, 110, 220]}
    ]
    assert photos[3]["top"] == [["Bag", 0.8], ["T-shirt/top", 0.02], ["Trouser", 0.02]]
    assert [photo["reason"] for photo in photos[3:7]] == [None, "uncertain", "outside", "empty"]
    assert photos[6]["garments"] == []


def test_classification_json_has_every_garment_of_a_photo():
    classification = Classification(
        "fake", (outfit(), reading(), Skipped("anna", "x", "empty", "why"))
    )
    three, one, none = json.loads(report.classification_json(classification))["photos"]
    assert three["garments"] == [
        {"category": "Shirt", "confidence": 0.9, "box": [60, 60, 140, 150]},
        {"category": "Bag", "confidence": 0.7, "box": [130, 110, 190, 200]},
        {"category": "Trouser", "confidence": 0.8, "box": [70, 150, 130, 280]},
    ]
    assert three["candidates"] == [
        {"category": "Sneaker", "confidence": 0.3, "box": [80, 270, 120, 298]}
    ]
    assert (three["size"], one["size"], none["size"]) == ([200, 300], None, None)
    assert (len(one["garments"]), one["candidates"]) == (1, [])
    assert (none["garments"], none["candidates"]) == ([], [])


@pytest.mark.parametrize("name", HOSTILE)
def test_json_gives_every_name_back(name):
    text = report.profile_json(summarise("w", [reading(customer=name)]))
    assert json.loads(encoded(text))["customers"][0]["customer"] == name


# --- CSV -----------------------------------------------------------------------------------------


def rows(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def given_back(cell):
    """The documented rule: a ' in front of what could be a formula is not part of the name."""
    sign = "(?=[\"'\\s]*[=+\\-@\uff1d\uff0b\uff0d\uff20])"
    return re.sub(rf"\A'{sign}|(?<=[;,\t\r\n])'{sign}|\A'(?='*[\t\r\n])", "", cell)


def test_profile_csv(profile, gold):
    gold("profile.csv", report.profile_csv(profile))


def test_csv_columns_and_hand_worked_rows(profile):
    table = rows(report.profile_csv(profile))
    assert tuple(table[0]) == report.CSV_COLUMNS
    assert len(table) == 2 * len(CATEGORIES)
    dress = next(r for r in table if r["customer"] == "anna" and r["category"] == "Dress")
    assert list(dress.values()) == [
        *("anna", "Dress", "3", "0.606426", "2026-03-02T09:00:00Z", "2026-03-30T09:00:00Z"),
        *("6", "1", "1", "1", "1"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "=1+1",
            "+1",
            "-1",
            "@SUM",
            "\tx",
            "\rx",
            "\nx",
            "  =1",
            "\uff1d1",
            "'=1",
            "''+x",
        ),
    ],
)
def test_formulas_are_defused_and_given_back(name):
    cell = cells.defused(name)
    assert cell == "'" + name
    assert given_back(cell) == cells.restored(cell) == name


@pytest.mark.parametrize("name", ["anna", "o'hara", "'quoted'", "a=b", "", " anna", "zoë"])
def test_ordinary_names_stay_as_they_are(name):
    assert cells.defused(name) == name == cells.restored(name)


@given(st.text(st.characters(exclude_characters="\0")))
def test_any_name_reads_back_equal(name):
    table = rows(report.profile_csv(summarise("w", [reading(customer=name)])))
    assert {given_back(row["customer"]) for row in table} == {name}


@given(st.text(st.characters(exclude_characters="\0")))
def test_any_skipped_item_reads_back_equal(text):
    (row,) = rows(report.skipped_csv([Skipped(text, text, "empty", text)]))
    assert [given_back(cell) for cell in row.values()] == [text, text, "empty", text]
    (row,) = rows(report.skipped_csv([Skipped(None, "a", "empty", "x")]))
    assert row["customer"] == ""


@given(wardrobes)
def test_csv_and_json_tell_the_same(results):
    profile = summarise("w", results)
    table = rows(report.profile_csv(profile))
    customers = json.loads(report.profile_json(profile))["customers"]
    assert len(table) == 10 * len(customers)
    for customer in customers:
        own = [row for row in table if row["customer"] == customer["customer"]]
        assert {r["category"]: int(r["photos"]) for r in own} == customer["counts"]
        assert {r["category"]: float(r["share"]) for r in own} == customer["shares"]
        for column, key in (("all_photos", "photos"), ("uncertain", "uncertain")):
            assert {int(row[column]) for row in own} == {customer[key]}
        assert {int(row["skipped"]) for row in own} == {len(customer["skipped"])}


def hostile_wardrobe(name):
    return [
        reading(customer=name, name=name, source=name, thumbnail=b"T"),
        Skipped(name, name, "empty", name),
        Skipped(None, name, "empty", name),
    ]


def test_profile_html(profile, gold):
    gold("profile.html", report.profile_html(profile))


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text_and_never_elements(name):
    harmless = Elements(report.profile_html(summarise("w", hostile_wardrobe("anna"))))
    page = report.profile_html(summarise("w", hostile_wardrobe(name)))
    assert Elements(page).found == harmless.found
    assert "\x1b" not in page and "\u202e" not in page and "\0" not in page
    encoded(page).decode("utf-8")


def test_the_page_needs_nothing_from_outside_and_runs_nothing(profile):
    page = report.profile_html(profile)
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in page
    elements = Elements(page)
    assert not {"script", "iframe", "object", "link", "form"} & {tag for tag, _ in elements.found}
    assert all(source.startswith(("data:image/jpeg;base64,", "#")) for source in elements.sources)


def test_every_picture_has_words(profile):
    alts = Elements(report.profile_html(profile)).alts
    assert "Dress, 30 Mar 2026" in alts and "Bag, 5 Mar 2026" in alts
    assert all(alts)


def test_photos_are_grouped_most_worn_first_and_latest_first(profile):
    groups = report.groups(profile.customers[1])
    assert [(g.title, g.total) for g in groups] == [
        ("Dress", 3),
        ("Bag", 1),
        ("Not sure", 1),
        ("None of the ten", 1),
    ]
    assert [r.post_id for r in groups[0].readings] == ["2.jpg", "1.jpg", "3.jpg"]


def test_a_large_group_says_how_many_are_not_shown(monkeypatch):
    monkeypatch.setattr(report, "LARGEST_GROUP", 2)
    profile = summarise("w", [reading(name=str(i)) for i in range(5)])
    assert "The latest 2 are shown; 3 more are counted." in report.profile_html(profile)


@given(wardrobes, st.randoms(use_true_random=False))
def test_the_order_of_photos_does_not_change_the_bytes(results, random):
    shuffled = list({(str(type(r)), r.customer, r.source): r for r in results}.values())
    first = summarise("w", shuffled)
    random.shuffle(shuffled)
    second = summarise("w", shuffled)
    for render in (report.profile_html, report.profile_json, report.profile_csv):
        assert render(first) == render(second)


# --- the terminal --------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("COLUMNS", "80")
    return Terminal()


def test_plain_profile(profile, gold):
    file = io.StringIO()
    print_profile(profile, file, names=True)
    gold("profile.txt", file.getvalue())
    assert "\x1b" not in file.getvalue() and "█" not in file.getvalue()


def test_profile_on_a_terminal(profile, terminal, gold):
    print_profile(profile, terminal)
    gold("profile.terminal.txt", terminal.getvalue())


def test_no_color_leaves_bars_without_colour(profile, terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    print_profile(profile, terminal)
    assert "█" in terminal.getvalue()
    assert not re.search(r"\x1b\[[0-9;]*[34]8;", terminal.getvalue())


def test_plain_classification(wardrobe, gold):
    file = io.StringIO()
    print_classification(Classification("fake", tuple(wardrobe)), file)
    gold("classification.txt", file.getvalue())


def test_bars_of_all_ten_probabilities(wardrobe, terminal):
    print_classification(Classification("fake", tuple(wardrobe[:1])), terminal, bars=True)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())
    lines = plain.splitlines()
    assert lines[0] == ("photos/anna/1.jpg: Dress (Dress 80 %, T-shirt/top 2 %, Trouser 2 %)")
    assert [line[2:15].strip() for line in lines[1:]] == [*CATEGORIES, "none of these"]
    # 0.8 of 24 characters is 19.2: nineteen full ones and two eighths.
    assert lines[4].rstrip() == "  Dress           80 %  " + "█" * 19 + "▎"


def classified(*photos, bars=False):
    file = io.StringIO()
    print_classification(Classification("fake", photos), file, bars=bars)
    return file.getvalue().splitlines()


def test_a_photo_left_open_tells_how_sure_it_would_have_to_be():
    unsure = photo_result("Coat", verdict="uncertain", needed=(0.46, 0.8))
    (line,) = classified(unsure)
    assert "the best guess is Coat, of which it is 46 % sure and would have to be 80 % (" in line
    assert "46 %" not in classified(dataclasses.replace(unsure, corrected=True))[0]
    # What would look alike in whole numbers has a decimal.
    (line,) = classified(dataclasses.replace(unsure, needed=(0.8961, 0.9012)))
    assert "of which it is 89.6 % sure and would have to be 90.1 % (" in line


def test_every_garment_has_a_line():
    own = tuple((name, 0.9 if name == "Shirt" else 0.01) for name in CATEGORIES)
    shares = tuple(sorted(own, key=lambda pair: -pair[1]))
    first, *others = outfit().garments
    photo = outfit((dataclasses.replace(first, probabilities=shares), *others))
    assert classified(photo) == [
        "photos/anna/a.jpg: Shirt (Shirt 90 %, T-shirt/top 1 %, Trouser 1 %)",
        "photos/anna/a.jpg: Bag (70 %)",
        "photos/anna/a.jpg: Trouser (80 %)",
    ]


def test_show_says_where_each_garment_is_and_what_else_there_may_be():
    assert classified(outfit(), bars=True) == [
        "photos/anna/a.jpg: Shirt (90 %), from 60, 60 to 140, 150 of 200 x 300 pixels",
        "photos/anna/a.jpg: Bag (70 %), from 130, 110 to 190, 200 of 200 x 300 pixels",
        "photos/anna/a.jpg: Trouser (80 %), from 70, 150 to 130, 280 of 200 x 300 pixels",
        "  perhaps Sneaker (30 %), from 80, 270 to 120, 298 of 200 x 300 pixels",
    ]
    unsure = outfit((), verdict="uncertain")
    assert classified(unsure, bars=True)[-1].startswith("  perhaps Sneaker (30 %), from 80, 270")
    assert len(classified(unsure, bars=True)) == 1 + len(CATEGORIES) + 1 + 1


@pytest.mark.parametrize("name", HOSTILE)
def test_names_cannot_command_the_terminal(name):
    file = io.StringIO()
    print_profile(summarise("w", hostile_wardrobe(name)), file, names=True)
    print_classification(Classification("w", tuple(hostile_wardrobe(name))), file)
    assert {c for c in file.getvalue() if not c.isprintable()} <= {"\n"}
    if name.startswith("[bold"):
        assert "[bold red]markup[/]" in file.getvalue()
