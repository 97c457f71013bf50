"""The desk without a server: which errors are whose, and how many charts are remembered."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest
from starlette.exceptions import HTTPException

from trendscope.errors import NothingUsable, StoreError, TrendscopeError
from trendscope.reports import charts
from trendscope.web.api import found_or_404
from trendscope.web.desk import MOST_CHARTS, Desk
from trendscope.web.settings import Settings


def raising(error):
    def look():
        raise error

    return look


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NothingUsable("the database knows no customer 'anan'"), 404),
        (TrendscopeError("2,000 segments are too many for one report, 1,000 at most"), 400),
    ],
)
def test_only_a_missing_thing_is_404(error, status):
    with pytest.raises(HTTPException) as refusal:
        found_or_404(raising(error))
    assert (refusal.value.status_code, refusal.value.detail) == (status, str(error))


def test_a_broken_database_is_no_fault_of_the_request():
    with pytest.raises(StoreError):
        found_or_404(raising(StoreError("the database is damaged")))


def desk():
    return Desk(None, None, Settings(segments={"anna": "Oslo"}), None, None)


def test_an_unknown_segment_is_not_there():
    with pytest.raises(NothingUsable, match="no segment 'Bergen'"):
        desk().outlook(segment="Bergen")


@pytest.fixture
def drawings(monkeypatch):
    """The figures that were drawn, in order."""
    figures = []
    monkeypatch.setattr(charts, "together", lambda summary, weeks: figures.append(weeks) or ())
    monkeypatch.setattr(charts, "alone", lambda summary, name, weeks: name)
    return figures


def summary(share=0.5):
    movement = pd.DataFrame({"category": ["Dress"], "share": [share]})
    return SimpleNamespace(movement=movement, forecast=pd.DataFrame())


def test_charts_are_drawn_once_for_the_same_figures(drawings):
    opened = desk()
    assert opened.charts(summary(), 12) is opened.charts(summary(), 12)
    opened.charts(summary(0.25), 12)
    opened.charts(summary(), 8)
    assert drawings == [12, 12, 8]


def test_the_charts_drawn_first_are_forgotten_first(drawings):
    opened = desk()
    for weeks in range(1, MOST_CHARTS + 2):
        opened.charts(summary(), weeks)
    opened.charts(summary(), 2)
    assert drawings == [*range(1, MOST_CHARTS + 2)]
    opened.charts(summary(), 1)
    assert drawings[-1] == 1
