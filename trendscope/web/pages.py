"""The pages for people."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse

from trendscope import store
from trendscope.categories import CATEGORIES, color, match_category
from trendscope.errors import NothingUsable, StoreError, TrendscopeError
from trendscope.reports import pages, targets
from trendscope.reports import trends as trend_report
from trendscope.reports.profile import groups
from trendscope.reports.slides import slides
from trendscope.reports.wording import caveats
from trendscope.store.profile import stored_profile
from trendscope.text import shown
from trendscope.web.api import AtDesk, Name, Search, desk_of, job_or_404
from trendscope.web.desk import Desk
from trendscope.web.items_api import Sku, known_or_404
from trendscope.web.lists import CustomerQuery, ItemQuery, Segment, weeks_of
from trendscope.web.responses import refusals
from trendscope.web.security import COOKIE, SIGN_IN

PER_PAGE = 24
PER_SHELF = 24
OFFERS = 8
AUDIENCE = 120
SIGN_IN_BYTES = 4096
WEEKS = (8, 12, 26, 52)

PageNumber = Annotated[int, Query(ge=1, le=1_000_000, alias="page")]

router = APIRouter(include_in_schema=False)


NAMING = (
    ("0 … 9", "name it by its category"),
    ("n", "none of the ten"),
    ("c", "cannot be told"),
    ("+", "add a garment"),
    ("Del", "remove the chosen garment"),
    ("Enter", "save its garments"),
)
KEYS = {
    "review": (*NAMING, ("s", "skip the photo")),
    "customer": tuple((key, f"{word}, of the photo that is open") for key, word in NAMING),
    "catalogue": (*NAMING[:2],),
    "product": (*NAMING[:2],),
}
"""Keys of single pages, with what they do."""

EVERYWHERE = (("u", "undo the last change"), ("/", "search"), ("?", "show these keys"))


def page(desk: Desk, here: str, **facts: Any) -> HTMLResponse:
    """A page with the desk's frame around it."""
    frame: dict[str, Any] = {
        "here": here,
        "page_token": desk.settings.page_token,
        "categories": CATEGORIES,
        "colors": json.dumps({category: color(category) for category in CATEGORIES}),
        "keys": (*KEYS.get(here, ()), *EVERYWHERE),
        "database": Path(desk.store.shown).name if desk.store.is_sqlite else desk.store.shown,
    }
    return HTMLResponse(pages.page(f"desk/{here}.html", **frame, **facts))


@router.get("/")
def home() -> Response:
    """To the first page."""
    return RedirectResponse("/try", 303)


@router.get("/try")
def try_photos(desk: AtDesk) -> Response:
    """Drop photos or an export, and see what the network says."""
    return page(desk, "try")


@router.get("/try/{upload_id}/profile")
def tried(desk: AtDesk, upload_id: str) -> Response:
    """The part of that page about all photos of an upload together."""
    profile = job_or_404(desk, upload_id).profile(desk.settings.zone)
    person = next(iter(profile.customers), None)
    sentences = caveats(profile.readings, profile.skipped, dated=False)
    return HTMLResponse(pages.page("desk/tried.html", person=person, sentences=sentences))


@router.get("/scan")
def scan(desk: AtDesk) -> Response:
    """Choose or drop photos, and have them looked at and stored."""
    return page(desk, "scan", folders=desk.settings.folders)


@router.get("/customers")
def customers(
    desk: AtDesk,
    wanted: Annotated[CustomerQuery, Depends()],
    number: PageNumber = 1,
) -> Response:
    """Search, and what each customer on the page wears most."""
    with refusals(400, missing=404):
        people, total = wanted.entries(desk, PER_PAGE, (number - 1) * PER_PAGE)
    facts = {"people": people, "total": total, "wanted": wanted}
    facts |= {"others": store.without_photos(desk.store, wanted.search)}
    facts |= {"number": number, "last": max(1, -(-total // PER_PAGE))}
    choices = {"weeks": weeks_of(desk), "segments": desk.segments}
    return page(desk, "customers", **facts, **choices)


@router.get("/customer")
def customer(desk: AtDesk, name: Name) -> Response:
    """What one customer wears, with pictures."""
    with refusals(400, missing=404):
        profile = stored_profile(desk.store, name, zone=desk.settings.zone)
    person = next((c for c in profile.customers if c.customer == name), None)
    offers = _offers(desk, name)
    facts = {"person": person, "offers": offers, "groups": groups}
    return page(desk, "customer", name=name, profile=profile, **facts)


def _offers(desk: Desk, name: str) -> tuple[list[targets.Line], list[str]]:
    """What to offer a customer, and what to know about it; nothing where nothing is sold."""
    try:
        offers = desk.campaign(customer=name)
    except (NothingUsable, StoreError):
        return [], []
    lines = targets.lines(offers, OFFERS)
    pictured = store.item_thumbnails(desk.store, [line.picture for line in lines])
    lines = [line if line.picture in pictured else replace(line, picture="") for line in lines]
    return lines, targets.notes(offers)


@router.get("/catalogue")
def catalogue(
    desk: AtDesk, wanted: Annotated[ItemQuery, Depends()], number: PageNumber = 1
) -> Response:
    """What the shop sells; add an item, and confirm or change its category."""
    every = store.items(desk.store)
    with refusals(422):
        items = wanted.items(every)
    waits = sum(bool(item.review) for item in every)
    facts = {"total": len(every), "waits": waits, "wanted": wanted}
    facts |= {"items": items[(number - 1) * PER_SHELF : number * PER_SHELF]}
    facts |= {"number": number, "last": max(1, -(-len(items) // PER_SHELF))}
    return page(desk, "catalogue", **facts)


@router.get("/item")
def item(desk: AtDesk, sku: Sku) -> Response:
    """One item: its facts to change, and whom to offer it to."""
    item = known_or_404(desk, sku)
    facts = {
        "name": shown(item.title, 90) or shown(item.sku, 60),
        "audience": _audience(desk, sku=item.sku),
        "page_of_item": item.url if item.url.startswith(("https://", "http://")) else "",
    }
    return page(desk, "product", item=item, **facts)


@router.get("/targets")
def category_targets(desk: AtDesk, category: Annotated[str, Query(max_length=40)]) -> Response:
    """Whom to offer a category to."""
    known = match_category(category)
    if known is None:
        raise HTTPException(404, "There is no such category.")
    return page(desk, "targets", category=known, audience=_audience(desk, category=known))


def _audience(desk: Desk, **about: str) -> dict[str, Any]:
    """The customers to offer an item or a category to, or why there are none."""
    try:
        offers = desk.campaign(**about)
    except StoreError:
        raise
    except TrendscopeError as error:
        return {"total": 0, "lines": [], "notes": [f"{str(error)[:1].upper()}{str(error)[1:]}."]}
    lines = targets.lines(offers, AUDIENCE)
    listed = bool(desk.settings.only or desk.settings.never)
    known = {"lines": lines, "notes": targets.notes(offers), "listed": listed}
    return {"total": len(offers.targets.rows), "asked": about, **known}


@router.get("/trends")
def trends(
    desk: AtDesk,
    weeks: Annotated[int, Query(ge=1, le=520)] = 12,
    segment: Segment = "",
) -> Response:
    """What is worn more and what less."""
    with refusals(400, missing=404):
        desk.members(segment)
    try:
        summary = desk.trend_summary(segment=segment)
    except NothingUsable:
        return page(desk, "no_trends", segment=segment)
    return page(
        desk,
        "trends",
        **trend_report.page_facts(summary, weeks),
        weeks=weeks,
        choices=WEEKS,
        segment=segment,
        segments=desk.segments,
        slides=slides(summary, weeks),
        asked={"weeks": weeks, **({"segment": segment} if segment else {})},
    )


@router.get("/review")
def review(desk: AtDesk, search: Search = "") -> Response:
    """Photos that wait for a person's word, one by one."""
    _, total = store.unlabelled(desk.store, search, limit=1)
    return page(desk, "review", total=total, search=search)


@router.post(SIGN_IN)
async def sign_in(request: Request) -> Response:
    """Takes the token, and lets its knower's browser in."""
    desk = desk_of(request)
    body = (await request.body())[:SIGN_IN_BYTES].decode("utf-8", "replace")
    if not desk.settings.admits(parse_qs(body).get("token", [""])[0]):
        return HTMLResponse(pages.page("desk/sign_in.html", wrong=True), 401)
    response = RedirectResponse("/", 303)
    response.set_cookie(COOKIE, desk.settings.session, httponly=True, samesite="strict")
    return response
