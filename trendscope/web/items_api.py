"""The part of the API on what a shop sells, and whom to offer it to."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from trendscope import store
from trendscope.catalog.items import Item
from trendscope.ingest.catalog import change
from trendscope.reports.catalog import items_facts
from trendscope.reports.documents import document
from trendscope.reports.targets import targets_json
from trendscope.store.read_items import chosen, known_item, searched
from trendscope.web.api import (
    PICTURE,
    AtDesk,
    Search,
    desk_of,
    form,
    form_of,
    picture,
    responses,
)
from trendscope.web.desk import Desk
from trendscope.web.lists import About
from trendscope.web.responses import json_text, refusals

router = APIRouter(prefix="/api")

Sku = Annotated[str, Query(min_length=1, max_length=500, description="the shop's number")]


class ItemChange(BaseModel):
    """What is different about an item; what is not there stays."""

    sku: str = Field(min_length=1, max_length=500)
    title: str = Field("", max_length=2000)
    price: str = Field("", max_length=100, examples=["59.90 EUR"])
    url: str = Field("", max_length=2000, description="its page in the shop")
    in_stock: bool | None = Field(None, description="null if unknown")
    category: str | None = Field(
        None, max_length=200, description="one of the ten, or none", examples=["Coat"]
    )


@router.get("/catalog", responses=responses("as trendscope catalog list --json"))
def catalog(
    desk: AtDesk,
    review: Annotated[bool, Query(description="only what waits for a person")] = False,
    category: Annotated[str, Query(max_length=200)] = "",
    search: Search = "",
) -> Response:
    """What the shop sells, each item with its category and how that is known."""
    every = searched(store.items(desk.store), search)
    with refusals(422):
        items = chosen(every, review=review, category=category or None)
    return json_text(document(items_facts(items, desk.store.shown)))


_ITEM_FORM = form(
    "sku",
    {
        "sku": {"type": "string", "minLength": 1, "maxLength": 500},
        "title": {"type": "string", "maxLength": 2000},
        "price": {"type": "string", "maxLength": 100},
        "files": {"type": "string", "format": "binary"},
        "replace": {"type": "string", "description": "not empty: change an item that is there"},
    },
)


@router.post("/catalog", responses=responses("the item", 409, 415), openapi_extra=_ITEM_FORM)
async def add_item(request: Request) -> Response:
    """Adds an item, finds its category by words and picture, and links it to its SKU."""
    desk = desk_of(request)
    form = await form_of(request, desk)
    texts = {name: str(form.get(name) or "")[:2000] for name in ("sku", "title", "price")}
    file = form.get("files")
    content = file.file if isinstance(file, UploadFile) and file.size else None
    known = await run_in_threadpool(known_item, desk.store, texts["sku"])
    try:
        if known and not form.get("replace"):
            raise HTTPException(409, f"{known.sku} is there already: {known.title or 'untitled'}.")
        with refusals(422):
            add = partial(desk.add_item, content, **texts)
            sku = known.sku if known else texts["sku"]
            item, undo = await run_in_threadpool(desk.change_item, sku, add)
    finally:
        await form.close()
    return _answer(desk, item, undo)


@router.put("/catalog", responses=responses("the item", 404))
def change_item(desk: AtDesk, wanted: ItemChange) -> Response:
    """Notes what a person says of an item: facts, or its category until the next one."""
    facts = wanted.model_dump(include=wanted.model_fields_set - {"sku", "category"})
    known = known_or_404(desk, wanted.sku)

    def work() -> Item:
        item = change(desk.store, known.sku, facts) if facts else known
        if wanted.category is None:
            return item
        return desk.add_item(None, known.sku, category=wanted.category)

    with refusals(422):
        item, undo = desk.change_item(known.sku, work)
    return _answer(desk, item, undo)


@router.delete("/catalog", responses=responses("the key that takes it back", 404))
def remove_item(desk: AtDesk, sku: Sku) -> Response:
    """Removes an item, with its picture."""
    known = known_or_404(desk, sku)
    _, undo = desk.change_item(known.sku, partial(desk.put_item_back, known.sku, {}))
    return json_text(document({"sku": known.sku, "undo": undo}))


def known_or_404(desk: Desk, sku: str) -> Item:
    """The item of a SKU, or one of whose sizes has it."""
    if item := known_item(desk.store, sku):
        return item
    raise HTTPException(404, "The shop sells no such item.")


def _answer(desk: Desk, item: Item, undo: str) -> Response:
    return json_text(document({**items_facts([item], desk.store.shown), "undo": undo}))


@router.get("/catalog/picture", responses=responses("", 404) | PICTURE, response_class=Response)
def item_picture(desk: AtDesk, sku: Annotated[str, Query(max_length=500)]) -> Response:
    """An item's picture, small."""
    return picture(store.item_thumbnails(desk.store, [sku]).get(sku))


@router.get("/targets", responses=responses("as trendscope recommend --json", 404))
def targets(desk: AtDesk, about: Annotated[About, Depends()]) -> Response:
    """What to offer a customer, or whom to offer an item or a category, and why."""
    return json_text(targets_json(about.campaign(desk)))
