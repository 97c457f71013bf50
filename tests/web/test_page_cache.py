"""Pages that are kept: made once for many, anew after a change, refused where too many wait."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.factories.stored import found, write
from trendscope.store import open_store
from trendscope.web.app import make_app
from trendscope.web.desk import Desk
from trendscope.web.page_cache import MOST_PAGES, PageCache
from trendscope.web.settings import Bounds, Settings


@pytest.fixture
def desk(tmp_path):
    with open_store(tmp_path / "t.db", create=True) as db:
        write(db, found("Dress", customer="anna"))
        yield Desk(db, None, Settings(bounds=Bounds(pages=3)), None, None)


class Slow:
    """An application that counts how often it is asked, and answers when it may."""

    def __init__(self, status=200):
        self.asked = []
        self.status = status
        self.may = asyncio.Event()

    async def __call__(self, scope, receive, send):
        self.asked.append(scope["query_string"].decode())
        await self.may.wait()
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": scope["query_string"]})


def client(app):
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


def test_a_page_is_made_anew_once_anybody_has_changed_the_database(desk, tmp_path):
    async def walk():
        async with client(make_app(desk)) as asking:
            first = await asking.get("/customers")
            with open_store(tmp_path / "t.db") as another:
                write(another, found("Coat", customer="ben", name="b"))
            second = await asking.get("/customers")
            head = await asking.head("/customers")
            return first, second, head

    first, second, head = asyncio.run(walk())
    assert "anna" in first.text and "ben" not in first.text
    assert "anna" in second.text and "ben" in second.text
    assert second.headers["cache-control"] == head.headers["cache-control"] == "no-store"
    assert head.text == "" and head.headers["content-length"] == second.headers["content-length"]


def test_a_page_is_made_once_for_all_who_ask_meanwhile(desk):
    async def walk():
        app = Slow()
        async with client(PageCache(app, desk)) as asking:
            waiting = [asyncio.create_task(asking.get("/customers?page=2")) for _ in range(20)]
            while not app.asked:
                await asyncio.sleep(0.01)
            app.may.set()
            answers = await asyncio.gather(*waiting, asking.get("/customers?page=2"))
        return app.asked, {answer.text for answer in answers}

    assert asyncio.run(walk()) == (["page=2"], {"page=2"})


def test_who_asks_for_one_page_too_many_is_told_to_come_again(desk):
    async def walk():
        app = Slow()
        async with client(PageCache(app, desk)) as asking:
            pages = [f"/customer?name={number}" for number in range(3)]
            waiting = [asyncio.create_task(asking.get(page)) for page in pages]
            while len(app.asked) < 3:
                await asyncio.sleep(0.01)
            refused = await asking.get("/customer?name=3")
            app.may.set()
            made = await asyncio.gather(*waiting)
            later = await asking.get("/customer?name=3")
        return refused, [answer.status_code for answer in made], later

    refused, made, later = asyncio.run(walk())
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert made == [200] * 3 and later.status_code == 200


@pytest.mark.parametrize(("status", "times"), [(200, 1), (404, 2), (503, 2)])
def test_only_pages_that_could_be_made_are_kept(desk, status, times):
    async def walk():
        app = Slow(status)
        app.may.set()
        async with client(PageCache(app, desk)) as asking:
            answers = [await asking.get("/trends") for _ in range(2)]
        return len(app.asked), {answer.status_code for answer in answers}

    assert asyncio.run(walk()) == (times, {status})


def test_no_more_pages_are_kept_than_there_is_room_for(desk):
    async def walk():
        app = Slow()
        app.may.set()
        async with client(PageCache(app, desk)) as asking:
            for number in [*range(MOST_PAGES + 1), MOST_PAGES, 0]:
                await asking.get(f"/customers?page={number}")
        return app.asked[MOST_PAGES:]

    assert asyncio.run(walk()) == [f"page={MOST_PAGES}", "page=0"]


def test_addresses_that_do_more_than_show_the_database_are_not_kept(desk):
    async def walk():
        app = Slow()
        app.may.set()
        async with client(PageCache(app, desk)) as asking:
            for method, path in [("GET", "/try"), ("POST", "/customers"), ("GET", "/api/try/1")]:
                await asking.request(method, path)
                await asking.request(method, path)
        return len(app.asked)

    assert asyncio.run(walk()) == 6


def test_trends_are_counted_anew_after_a_change_and_on_another_day(desk, monkeypatch):
    first = desk.trend_summary()
    assert desk.trend_summary() is first
    assert desk.trend_summary(8) is not first
    write(desk.store, found("Coat", customer="ben", name="b"))
    second = desk.trend_summary()
    assert second is not first and desk.trend_summary() is second
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    monkeypatch.setattr(Desk, "now", lambda self: tomorrow)
    assert desk.trend_summary() is not second
