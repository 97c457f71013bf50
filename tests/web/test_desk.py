"""The desk without a server: which errors are whose, and what is offered."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from starlette.exceptions import HTTPException

from tests.factories.desk import Visitor
from tests.factories.photos import photo_result
from tests.factories.stored import found, write
from trendscope import store
from trendscope.errors import NothingUsable, StoreError, TrendscopeError
from trendscope.reports import targets
from trendscope.reports.weekly import report_of_store
from trendscope.reports.weekly_page import report_html
from trendscope.skipped import Skipped
from trendscope.web import pages
from trendscope.web.desk import Desk
from trendscope.web.responses import refusals
from trendscope.web.settings import Settings
from trendscope.web.upload_jobs import UploadJob


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NothingUsable("the database knows no customer 'anan'"), 404),
        (TrendscopeError("2,000 segments are too many for one report, 1,000 at most"), 400),
    ],
)
def test_refusals_have_status_404_only_where_something_is_missing(error, status):
    with pytest.raises(HTTPException) as refusal, refusals(400, missing=404):
        raise error
    assert (refusal.value.status_code, refusal.value.detail) == (status, str(error))


def test_errors_of_the_database_are_not_refusals():
    with pytest.raises(StoreError), refusals(400, missing=404):
        raise StoreError("the database is damaged")


def test_an_offer_without_a_picture_shows_none(monkeypatch):
    line = targets.Line(1, "anna", "P1", "Dress", "Dress", "", "0.50", "why", "", "", "P1")
    monkeypatch.setattr(Desk, "campaign", lambda desk, **about: None)
    two = [line, replace(line, sku="P2", picture="P2")]
    monkeypatch.setattr(targets, "lines", lambda *names: two)
    monkeypatch.setattr(targets, "notes", lambda offers: [])
    monkeypatch.setattr(store, "item_thumbnails", lambda db, skus: {"P2": b"jpeg"})
    offers = pages._offers(desk(), "anna")
    assert [line.picture for line in offers[0]] == ["", "P2"]


def desk():
    return Desk(None, None, Settings(segments={"anna": "Oslo"}), None, None)


def test_an_unknown_segment_is_refused():
    with pytest.raises(NothingUsable, match="no segment 'Bergen'"):
        desk().trend_summary(segment="Bergen")


def test_trends_without_photos_have_their_title_and_a_next_step(tmp_path):
    segments = {"anna": "Oslo"}
    with store.open_store(tmp_path / "t.db", create=True) as opened:
        visitor = Visitor(opened, segments=segments)
        page = visitor.get("/trends")
        assert page.status_code == 200 and "<h1>Trends</h1>" in page.text
        assert '<a href="/scan">' in page.text and 'aria-current="page">Trends<' in page.text
        assert visitor.get("/trends?segment=Bergen").status_code == 404
        write(opened, found("Dress", "ben", "1.jpg"))
        page = visitor.get("/trends?segment=Oslo").text
        assert "no photos yet of the customers in Oslo" in page and 'href="/trends"' in page


@pytest.mark.parametrize("path", ["/nowhere", "/customer?name=zoe", "/customers?category=Hat"])
def test_no_page_is_headed_by_a_number(tmp_path, path):
    with store.open_store(tmp_path / "t.db", create=True) as opened:
        page = Visitor(opened).get(path)
    main = page.text.partition("<main>")[2]
    assert page.status_code in (404, 422) and re.match(r"<h1>[A-Z][a-z ]+</h1>", main)
    assert re.search(r'<a href="/">', main)


def test_undated_photos_are_told_on_the_page_of_trends(tmp_path):
    with store.open_store(tmp_path / "t.db", create=True) as opened:
        write(opened, *(found("Dress", "ben", f"{n}.jpg") for n in range(3)))
        page = Visitor(opened).get("/trends")
    assert "3 photos without a usable date, so in no week: scan the exports" in page.text


def test_charts_are_those_of_the_report_and_each_category_stands_before_all_together(tmp_path):
    days = [datetime.now(UTC) - timedelta(weeks=ago) for ago in range(1, 9)]
    with store.open_store(tmp_path / "t.db", create=True) as opened:
        for number, day in enumerate(days):
            kinds = ["Dress"] * (8 + number) + ["Coat"] * 30
            posted = (day.year, day.month, day.day)
            write(
                opened,
                *(found(kind, f"c{i}", f"{number}.jpg", posted) for i, kind in enumerate(kinds)),
            )
        page = Visitor(opened).get("/trends?weeks=6").text
        report = report_html(report_of_store(opened, weeks_shown=6, now=datetime.now(UTC)))
    drawn, reported = (
        re.findall(r'<svg role="img".*?</svg>', text, re.DOTALL) for text in (page, report)
    )
    assert {*drawn} == {*reported} and len(drawn) == 12  # ten, and two of them together twice
    assert [svg.count("share of what customers wear") for svg in drawn] == [1] * 10 + [2, 2]


def test_the_first_page_is_made_before_it_is_asked_for():
    """What makes it is loaded, and its template read, when the desk begins to listen."""
    program = """
import asyncio, tempfile
from starlette.testclient import TestClient
from tests.factories.desk import Visitor
from trendscope import store
from trendscope.reports import pages
with store.open_store(tempfile.mkdtemp() + "/t.db", create=True) as opened:
    visitor = Visitor(opened)
    visitor.desk.jobs.warm = lambda: None
    with TestClient(visitor._app, base_url="http://127.0.0.1"):
        read = pages._environment().cache
        print([name for _, name in read.keys()])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "'desk/try.html'" in done.stdout and "'desk/frame.html'" in done.stdout, done.stderr


def test_how_sure_it_would_have_to_be_is_told_of_stored_photos_too(tmp_path):
    with store.open_store(tmp_path / "t.db", create=True) as opened:
        more = {"verdict": "uncertain", "sha256": "c" * 64, "needed": (0.8, 0.93)}
        write(opened, found("Coat", "anna", "1.jpg", **more), found("Bag", "anna", "2.jpg"))
        visitor = Visitor(opened)
        (photo,) = visitor.get("/api/review").json()["photos"]
        page = visitor.get("/customer?name=anna").text
    assert photo["needed"] == 0.93
    assert "Coat? <b>80 %</b> of 93 % needed" in page and page.count("needed") == 1


def test_tried_photos_are_summed_up_as_those_of_one_customer():
    garments = [("Dress", "anna"), ("Dress", "ben"), ("Bag", "anna"), ("Coat", "anna")]
    photos = [photo_result(kind, who, name=str(n)) for n, (kind, who) in enumerate(garments)]
    again = replace(photos[0], source="again.jpg", post_id="again")
    unsure = photo_result("Coat", "ben", name="5", verdict="uncertain")
    skipped = Skipped(None, "x.jpg", "empty", "an empty file")
    job = UploadJob(photos=[*photos, again, unsure, skipped])
    (person,) = job.profile(UTC).customers
    counts = {item.category: item.count for item in person.ranked}
    assert counts == {"Dress": 2, "Bag": 1, "Coat": 1}
    assert len(person.readings) == 5 and len(person.verdicts("uncertain")) == 1
    assert [item.reason for item in person.skipped] == ["duplicate", "empty"]
