"""Charts: what is drawn together, where names stand, and what a reader without eyes is told."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.factories.weekly import steady
from trendscope.reports import charts
from trendscope.reports.charts import SMALL, WIDE
from trendscope.trends import summary

FLAT = {"Bag": 40, "Coat": 30, "Shirt": 20, "Trouser": 12, "Sandal": 8, "Sneaker": 0}


def world(**counts):
    """26 weeks; Dress has doubled in the last four, and Pullover nearly halved."""
    moving = {"Dress": [10] * 22 + [20] * 4, "Pullover": [20] * 22 + [11] * 4}
    tables = [steady(26, n, category=name) for name, n in {**FLAT, **moving, **counts}.items()]
    return summary.outlook(pd.concat(tables))


def test_what_moves_most_is_drawn_first_then_what_is_worn_most():
    assert charts.prominent(world()) == ("Dress", "Pullover", "Bag", "Coat")


def test_what_is_worn_by_nobody_is_not_drawn():
    nobody = summary.outlook(steady(26, 0, category="Sneaker"))
    assert charts.prominent(nobody) == ()


def test_the_forecast_begins_at_the_last_complete_week():
    (dress,) = [charts._coming(world(), ["Dress"])]
    first = dress.iloc[0]
    assert set(first[["share", "lo80", "hi80", "lo95", "hi95"]]) == {0.2}
    assert first["monday"] == "2026-06-22"  # 2026-W26
    assert len(dress) == 5 and (dress["lo95"] <= dress["lo80"]).all()


def test_alternative_texts_by_hand():
    sentence = charts.alternative(world(), "Bag", 10)
    # 40 of 100 in every week.
    assert sentence.startswith(
        "Bag: share of customers' votes by week, 40 % in 2026-W17, 40 % in 2026-W26; to be "
        "expected in 2026-W30: "
    )


def test_names_at_the_ends_of_lines_never_overlap():
    ends = pd.DataFrame(
        {"category": list("abc"), "share": [0.2, 0.21, 0.6], "hi95": [0.3, 0.3, 0.7]}
    )
    placed = charts._apart(ends, WIDE).set_index("category")["place"]
    line = 1.25 * WIDE.text / WIDE.height * 0.7
    assert placed["a"] == 0.2 and placed["c"] == 0.6
    assert placed["b"] == pytest.approx(0.2 + line)


def test_a_drawing_is_self_contained_and_its_words_are_escaped():
    drawn = charts.shares(world(), ["Dress"], weeks_shown=26, size=SMALL)
    svg = charts.svg(drawn, 'a "quoted" <b>')
    assert svg.startswith('<svg role="img" aria-label="a &quot;quoted&quot; &lt;b&gt;" ')
    assert "<script" not in svg and "<image" not in svg
    assert svg.count("http") == svg.count("http://www.w3.org/")  # only names of namespaces
    assert f'fill="{charts.QUIET}"' in svg and f'stroke="{charts.INK}"' in svg


def test_weeks_without_anybody_and_without_a_forecast_are_drawn():
    empty = steady(8, 0, total=0)
    trend_summary = summary.outlook(pd.concat([steady(3, 5, first="2025-W50"), empty]))
    drawn = charts.shares(trend_summary, ["Dress"], weeks_shown=4, size=SMALL)
    assert charts.svg(drawn, "").endswith("</svg>")
    assert "nothing named in 2026-W08" in charts.alternative(trend_summary, "Dress", 4)
