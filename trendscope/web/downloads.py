"""What pages show, as files: the tables that the commands write, and charts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from starlette.exceptions import HTTPException

from trendscope import store
from trendscope.reports.catalog import items_csv
from trendscope.reports.customers import customers_csv
from trendscope.reports.profile import profile_csv
from trendscope.reports.slides import shares_slide, slide, slides
from trendscope.reports.targets import targets_csv
from trendscope.reports.trends import trends_csv
from trendscope.store.profile import stored_profile
from trendscope.web.api import AtDesk, Name, Weeks
from trendscope.web.lists import About, CustomerQuery, ItemQuery, Segment
from trendscope.web.responses import refusals

router = APIRouter(prefix="/download", include_in_schema=False)


def download(content: str | bytes, name: str) -> Response:
    """A file that the browser keeps instead of showing it."""
    kind = "text/csv; charset=utf-8" if isinstance(content, str) else "image/png"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, 200, headers, kind)


@router.get("/customers.csv")
def customers(desk: AtDesk, wanted: Annotated[CustomerQuery, Depends()]) -> Response:
    """The whole list of customers, as it is filtered and sorted on the page."""
    with refusals(400, missing=404):
        entries, _ = wanted.entries(desk)
    return download(customers_csv(entries), "customers.csv")


@router.get("/profile.csv")
def profile(desk: AtDesk, name: Name) -> Response:
    """What one customer wears."""
    with refusals(400, missing=404):
        summary = stored_profile(desk.store, name, zone=desk.settings.zone)
    return download(profile_csv(summary), "profile.csv")


@router.get("/profile.png")
def shares(desk: AtDesk, name: Name) -> Response:
    """The bars of a customer's page, as a picture for a slide."""
    with refusals(400, missing=404):
        summary = stored_profile(desk.store, name, zone=desk.settings.zone)
    if not summary.customers:
        raise HTTPException(404, "No photo of this customer could be looked at.")
    return download(shares_slide(summary.customers[0]), "profile.png")


@router.get("/targets.csv")
def targets(desk: AtDesk, about: Annotated[About, Depends()]) -> Response:
    """What to offer a customer, or the mailing list of an item or a category."""
    return download(targets_csv(about.campaign(desk)), "targets.csv")


@router.get("/catalogue.csv")
def catalogue(desk: AtDesk, wanted: Annotated[ItemQuery, Depends()]) -> Response:
    """The items, as they are searched and chosen on the page."""
    with refusals(422):
        items = wanted.items(store.items(desk.store))
    return download(items_csv(items), "catalogue.csv")


@router.get("/trends.csv")
def trends(desk: AtDesk, weeks: Weeks = 12, segment: Segment = "") -> Response:
    """The weekly table of the page on trends."""
    with refusals(400, missing=404):
        summary = desk.trend_summary(segment=segment)
    return download(trends_csv(summary, weeks), "trends.csv")


@router.get("/trends/{name}")
def chart(desk: AtDesk, name: str, weeks: Weeks = 12, segment: Segment = "") -> Response:
    """A chart of the page on trends, as a picture for a slide."""
    with refusals(400, missing=404):
        summary = desk.trend_summary(segment=segment)
    lines = slides(summary, weeks)
    if name not in lines:
        raise HTTPException(404, "There is no such chart.")
    return download(slide(summary, weeks, lines[name]), name)
