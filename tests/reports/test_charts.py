"""Charts: what is drawn together, where names stand, and what a reader without eyes is told."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories.weekly import both, steady
from trendscope.categories import CATEGORIES, COLORS
from trendscope.reports import charts, plots
from trendscope.reports.charts import NARROW, SLIDE, SMALL, WIDE
from trendscope.trends import summary
from trendscope.trends.verdicts import STEADY

FLAT = {"Bag": 40, "Coat": 30, "Shirt": 20, "Trouser": 12, "Sandal": 8, "Sneaker": 0}


def world(total=100, **counts):
    """26 weeks; Dress has doubled in the last four, and Pullover nearly halved."""
    moving = {"Dress": [10] * 22 + [20] * 4, "Pullover": [20] * 22 + [11] * 4}
    every = {**FLAT, **moving, **counts}.items()
    return summary.outlook(pd.concat([steady(26, n, total, category=name) for name, n in every]))


def test_what_moves_most_is_drawn_first_then_what_is_worn_most():
    assert charts.prominent(world()) == ("Dress", "Pullover", "Bag", "Coat")


def test_what_is_worn_by_nobody_is_not_drawn():
    nobody = summary.outlook(steady(26, 0, category="Sneaker"))
    assert charts.prominent(nobody) == ()


def test_lines_of_few_customers_are_not_drawn_together():
    assert charts.prominent(summary.outlook(both([3] * 26, total=29))) == ()
    assert len(charts.prominent(summary.outlook(both([3] * 26, total=30)))) == 2


def test_the_forecast_begins_at_the_last_complete_week():
    dress = charts.course(world(), "Dress", 26)
    assert {dress.coming[name][0] for name in ("share", "lo80", "hi80", "lo95", "hi95")} == {0.2}
    assert dress.ahead == [dress.weeks[-1] + i for i in range(5)]
    pairs = zip(dress.coming["lo95"], dress.coming["lo80"], strict=True)
    assert all(low95 <= low80 for low95, low80 in pairs)


def test_alternative_texts_by_hand():
    sentence = charts.alternative(charts.course(world(), "Bag", 10), "customers")
    # 40 of 100 in every week; 2026-W17 begins on 20 April, 2026-W26 on 22 June.
    assert sentence.startswith(
        "Bag: share of customers by week, 40 % in the week from 20 Apr 2026, 40 % in that from "
        "22 Jun 2026; to be expected in that from 20 Jul 2026: "
    )


def test_where_customers_are_few_points_and_thin_lines_stand_for_bands():
    def widths_and_areas(total):
        table = both([5] * 26, total=total)
        drawn = charts.shares(summary.outlook(table), ["Dress"], weeks_shown=26, size=SMALL)
        marks = "".join(drawn.marks)
        return set(re.findall(r'stroke-width="([\d.]+)"', marks)), marks.count("fill-opacity")

    assert widths_and_areas(29) == ({"1", "1.5", "0.7", "0.8"}, 0)
    assert widths_and_areas(30) == ({"1", "1.5", "2", "3"}, 3)


def test_of_what_there_is_not_enough_data_nothing_is_expected():
    few = charts.course(summary.outlook(both([1] * 8, total=2)), "Dress", 8)
    assert few.ahead == [] and few.coming["share"] == []
    # Steady, but had it doubled, that would have been missed more often than found.
    seen = summary.outlook(both([3] * 26, total=100))
    blind = replace(seen, power=seen.power.assign(found=0.4))
    assert blind.movement["verdict"].iloc[-1] == STEADY
    assert charts.course(seen, "Dress", 26).ahead and not charts.course(blind, "Dress", 26).ahead


# --- labels --------------------------------------------------------------------------------------


def overlapping(boxes):
    return [
        (a, b)
        for a, b in combinations(boxes, 2)
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]


lists = st.lists(st.integers(0, 40) | st.just(-1), min_size=2, max_size=90)


@settings(max_examples=60)
@given(st.data(), st.sampled_from([WIDE, NARROW, SMALL, SLIDE]), st.integers(1, 260))
def test_labels_never_overlap(data, size, weeks_shown):
    """Of any shares, of weeks with nobody too, in any year."""
    first = data.draw(st.sampled_from(["2019-W48", "2026-W01", "2026-W20"]))
    counts = data.draw(lists)
    others = data.draw(st.lists(st.permutations(counts), max_size=3))
    tables = [
        steady(len(row), [max(n, 0) for n in row], 41, first, name).assign(
            total=[0 if n < 0 else 41 for n in row]
        )
        for name, row in zip(CATEGORIES, [counts, *others], strict=False)
    ]
    for table in tables:
        table["total"] = tables[0]["total"]
        table["count"] = table["count"].where(table["total"] > 0, 0)
    result = summary.outlook(pd.concat(tables))
    names = [*CATEGORIES[: len(tables)]]
    plot = charts.shares(result, names, weeks_shown=weeks_shown, size=size)
    boxes = [label.box for label in plot.labels]
    assert overlapping(boxes) == []
    assert all(x0 >= 0 and y0 >= 0 for x0, y0, _, _ in boxes)
    assert all(x1 <= plot.width + 1 and y1 <= plot.height + 1 for *_, x1, y1 in boxes)


def test_the_check_of_overlaps_can_fail():
    assert overlapping([(0, 0, 10, 10), (9, 9, 20, 20), (10, 0, 20, 9)]) == [
        ((0, 0, 10, 10), (9, 9, 20, 20))
    ]


def test_labels_are_no_larger_in_a_browser_than_thought(browser):
    """What Chromium makes of the texts is inside the boxes of which none overlaps another."""
    plot = charts.shares(world(), charts.prominent(world()), weeks_shown=26, size=WIDE)
    page = browser.new_page()
    page.set_content(f'<div style="width: {plot.width}px">{plots.svg(plot, "")}</div>')
    real = page.evaluate(
        "[...document.querySelectorAll('text')].map(t => t.getBBox()).map(b => [b.width, b.height])"
    )
    page.close()
    assert len(real) == len(plot.labels) > 15
    for (width, height), label in zip(real, plot.labels, strict=True):
        left, top, right, bottom = label.box
        assert width <= right - left and height <= 1.1 * (bottom - top), label.words


def test_ticks_are_round_and_reach_the_top():
    # Steps of 1, 2, 2.5, 5 and 10 times a power of ten; worked out by hand.
    cases = {(0.31, 6): 0.1, (0.31, 7): 0.05, (1.0, 2): 0.5, (0.07, 4): 0.02, (0.0901, 4): 0.025}
    assert {case: plots._step(*case) for case in cases} == pytest.approx(cases)


# --- colours -------------------------------------------------------------------------------------

PROTANOPIA = [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
]
DEUTERANOPIA = [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.011820, 0.042940, 0.968881],
]
"""Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB."""
TOLD_APART = 25
"""Least distance in CIELAB; 2.3 is what a practised eye just sees of two large fields."""


def distance(colors, sight):
    """The least distance of two colours in CIELAB (D65), as somebody with that sight sees them."""
    rgb = np.array([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in colors])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(sight), 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = seen @ np.transpose(to_xyz) / [0.9505, 1, 1.089]
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = f.T
    lab = np.transpose([116 * y - 16, 500 * (x - y), 200 * (y - z)])
    return min(math.dist(a, b) for a, b in combinations(lab, 2))


@pytest.mark.parametrize("sight", [np.eye(3), PROTANOPIA, DEUTERANOPIA])
def test_colours_of_categories_are_told_apart_by_the_colour_blind(sight):
    assert distance(COLORS, sight) > TOLD_APART


def test_the_check_of_colours_can_fail():
    assert distance(["#000000", "#ffffff"], np.eye(3)) == pytest.approx(100, abs=0.1)
    # A green and a brown that look alike with deuteranopia.
    assert distance(["#59A14F", "#9C755F"], np.eye(3)) > TOLD_APART
    assert distance(["#59A14F", "#9C755F"], DEUTERANOPIA) < TOLD_APART


def test_rising_and_falling_have_one_colour_everywhere():
    package = Path(charts.__file__).parents[1]
    sheets = [*package.rglob("*.css"), *package.rglob("*.html")]
    rules = [
        (sheet.name, rule)
        for sheet in sheets
        for rule in re.findall(r"[^{}]*\.(?:rising|falling)\b[^{}]*\{[^}]*\}", sheet.read_text())
    ]
    assert len({name for name, _ in rules}) == 4  # trends, report, the desk, and what they share
    for name, rule in rules:
        assert name == "charts.css" or not re.search(r"#[0-9a-f]{3}|--(?!verdict)\w+", rule), rule


def test_lines_in_one_chart_have_signs_of_their_own():
    plot = charts.shares(world(), charts.prominent(world()), weeks_shown=26, size=WIDE)
    signs = [mark for mark in plot.marks if 'stroke-width="0.8"' in mark and "Z" in mark]
    shapes = {re.sub(r"[\d.]+", "", mark.split('"')[1]).split("Z")[0] for mark in signs}
    assert len(signs) == 4 and len(shapes) == 3  # square and diamond: four corners each
    assert len({mark.split("Z")[0][-30:] for mark in signs}) == 4


# --- as a file -----------------------------------------------------------------------------------


def test_a_drawing_is_self_contained_and_its_words_are_escaped():
    drawn = charts.shares(world(), ["Dress"], weeks_shown=26, size=SMALL)
    svg = plots.svg(drawn, 'a "quoted" <b>')
    assert svg.startswith('<svg role="img" aria-label="a &quot;quoted&quot; &lt;b&gt;" ')
    assert "<script" not in svg and "<image" not in svg
    assert svg.count("http") == svg.count("http://www.w3.org/")  # only names of namespaces
    assert f'fill="{plots.QUIET}"' in svg and f'stroke="{plots.INK}"' in svg


def test_weeks_without_anybody_and_without_a_forecast_are_drawn():
    empty = steady(8, 0, total=0)
    trend_summary = summary.outlook(pd.concat([steady(3, 5, first="2025-W50"), empty]))
    drawn = charts.alone(trend_summary, "Dress", 4)
    assert drawn.endswith("</svg>") and "nan" not in drawn.split(">", 1)[1]
    assert "nothing named in that from 16 Feb 2026" in drawn


def test_each_segment_has_charts_of_its_own_and_many_have_none():
    def table(count):
        segments = [both([10] * 26).assign(segment=f"S{i}") for i in range(count)]
        return summary.outlook(pd.concat(segments))

    drawings = charts.of_page(table(2), 12)
    assert [drawing.segment for drawing in drawings] == ["S0", "S1"]
    assert [name for name, _ in drawings[1].alone] == ["Dress", "Bag"]
    assert charts.of_page(table(charts.SEGMENTS + 1), 12) == []
