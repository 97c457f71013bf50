"""The JSON API under /api: the same documents as the commands' ``--json``."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from trendscope import store
from trendscope.categories import CATEGORIES, match_category
from trendscope.errors import ImageError, TrendscopeError
from trendscope.photos.results import Classification, Label, PhotoResult, label_of
from trendscope.reports import database
from trendscope.reports import profile as report
from trendscope.reports import trends as trend_report
from trendscope.reports.customers import customer_facts
from trendscope.reports.documents import document
from trendscope.store.originals import original
from trendscope.store.pictures import image_results
from trendscope.store.profile import stored_profile
from trendscope.text import displayed
from trendscope.vision.images import thumbnail
from trendscope.web.desk import Desk
from trendscope.web.lists import CustomerQuery
from trendscope.web.responses import json_text, refusals
from trendscope.web.undo import MOST
from trendscope.web.upload_jobs import QueueFull, UploadJob

DOCUMENT = {
    "type": "object",
    "properties": {"schema_version": {"type": "integer", "const": 1}},
    "required": ["schema_version"],
}


def responses(description: str, *errors: int) -> dict[int | str, dict[str, Any]]:
    """The answers of an address, for the API's description."""
    error = {
        "type": "object",
        "properties": {"error": {"type": "string"}},
        "required": ["schema_version", "error"],
    }

    def body(schema: dict[str, Any], text: str) -> dict[str, Any]:
        return {"description": text, "content": {"application/json": {"schema": schema}}}

    # Statuses with which any request may be refused, see `trendscope.web.security`.
    always = (400, 401, 403, 408, 413, 422, 503)
    refused: dict[int | str, dict[str, Any]] = {
        status: body(error, "refused, with the reason") for status in (*always, *errors)
    }
    return {200: body(DOCUMENT, description), **refused}


def desk_of(request: Request) -> Desk:
    """The desk that a request came to."""
    desk: Desk = request.app.state.desk
    return desk


AtDesk = Annotated[Desk, Depends(desk_of)]
Sha256 = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="of the image's bytes, in hex")]
Name = Annotated[str, Query(min_length=1, max_length=1000, description="as the store has it")]
Weeks = Annotated[int, Query(ge=1, le=520, description="complete weeks to show")]
Ahead = Annotated[int, Query(ge=1, le=52, description="weeks to expect")]
Search = Annotated[str, Query(max_length=200, description="part of a name, in any case")]
Offset = Annotated[int, Query(ge=0, le=10_000_000)]

router = APIRouter(prefix="/api")

PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"description": "a small JPEG without metadata", "content": {"image/jpeg": {}}}
}

LARGE_SIDE = 1600
"""Longest side of a large picture in pixels."""


def form(required: str, properties: dict[str, Any]) -> dict[str, Any]:
    """The description of a request whose body is a form with files."""
    schema = {"type": "object", "required": [required], "properties": properties}
    content = {"multipart/form-data": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


Corner = Annotated[int, Field(ge=0, le=1_000_000)]


class LabelledGarment(BaseModel):
    """A garment in a photo, according to a person."""

    category: str = Field(max_length=40, description="one of the ten", examples=["Dress"])
    box: tuple[Corner, Corner, Corner, Corner] | None = Field(
        None, description="x0, y0, x1, y1 in pixels of the upright photo; null if not known"
    )


class LabelRequest(BaseModel):
    """What a person says a photo shows: its category, or its garments one by one."""

    category: str | None = Field(
        None,
        max_length=200,
        description="one of the ten, several joined by |, outside or uncertain",
        examples=["Dress", "outside"],
    )
    garments: list[LabelledGarment] | None = Field(None, min_length=1, max_length=50)

    def label(self) -> Label:
        """The label that it stands for.

        Raises:
            TrendscopeError: It is none.
        """
        if (self.category is None) == (self.garments is None):
            raise TrendscopeError("Give either the category or the garments.")
        if self.category is not None:
            return label_of(self.category)
        garments = self.garments or []
        if any(box and (box[0] >= box[2] or box[1] >= box[3]) for box in (g.box for g in garments)):
            raise TrendscopeError("A box is x0, y0, x1, y1 with x0 < x1 and y0 < y1.")
        boxes = tuple(garment.box for garment in garments)
        categories = tuple(_category(garment.category) for garment in garments)
        return Label(categories, boxes=boxes if any(boxes) else ())


def _category(name: str) -> str:
    if category := match_category(name):
        return category
    raise TrendscopeError(f"{displayed(name)!r} is none of {', '.join(CATEGORIES)}")


@router.get("/status", responses=responses("as trendscope status --json"))
def status(desk: AtDesk) -> Response:
    """What the database holds, since when, and by which weights."""
    return json_text(database.status_json(store.status(desk.store)))


@router.get("/customers", responses=responses("customers, and how many there are", 404))
def customers(
    desk: AtDesk,
    wanted: Annotated[CustomerQuery, Depends()],
    limit: Annotated[int, Query(ge=1, le=500)] = 25,
    offset: Offset = 0,
) -> Response:
    """Customers with what they wear: those asked for, in the order asked for."""
    with refusals(400, missing=404):
        page, total = wanted.entries(desk, limit, offset)
    listed = [customer_facts(customer) for customer in page]
    return json_text(document({"total": total, "customers": listed}))


@router.get("/profile", responses=responses("as trendscope profile --json", 404))
def profile(desk: AtDesk, customer: Name) -> Response:
    """What one customer wears."""
    with refusals(400, missing=404):
        summary = stored_profile(desk.store, customer, zone=desk.settings.zone)
    return json_text(report.profile_json(summary))


@router.get("/trends", responses=responses("as trendscope trends --json", 404))
def trends(
    desk: AtDesk,
    weeks: Weeks = 12,
    ahead: Ahead = 4,
    segment: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """What is worn more and what less, week by week, and what to expect."""
    with refusals(400, missing=404):
        summary = desk.trend_summary(ahead, segment)
    return json_text(trend_report.trends_json(summary, weeks))


# --- what a person says --------------------------------------------------------------------------


@router.get("/review", responses=responses("photos that wait, and how many there are"))
def review(
    desk: AtDesk,
    search: Search = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    offset: Offset = 0,
) -> Response:
    """Photos that the network could not name, and nobody has named yet, the latest first."""
    photos, total = store.unlabelled(desk.store, search, limit=limit, offset=offset)
    listed = [
        {**asdict(photo), **report.garment_facts((), photo.candidates, photo.size)}
        for photo in photos
    ]
    return json_text(document({"total": total, "photos": listed}))


@router.get("/photos/{sha256}/garments", responses=responses("garments with their boxes", 404))
def garments(desk: AtDesk, sha256: Sha256) -> Response:
    """The garments in a photo, and as candidates what else the network sees or may see in it."""
    result = image_results(desk.store, [sha256]).get(sha256)
    if result is None:
        raise HTTPException(404, "The database holds no such photo, or it is not yet judged.")
    facts = report.garment_facts(result.garments, result.candidates, result.size)
    return json_text(document({"sha256": sha256, **facts}))


@router.put("/photos/{sha256}/label", responses=responses("the label, and the one before", 404))
def label_photo(desk: AtDesk, sha256: Sha256, body: LabelRequest) -> Response:
    """Notes what a person says a photo shows; it counts from now on."""
    with refusals(422):
        label = body.label()
    return _correct(desk, sha256, label)


@router.delete("/photos/{sha256}/label", responses=responses("null, and the label before", 404))
def remove_label(desk: AtDesk, sha256: Sha256) -> Response:
    """Takes a person's word back; what the network saw counts again."""
    return _correct(desk, sha256, None)


def _correct(desk: Desk, sha256: str, label: Label | None) -> Response:
    if not store.known_images(desk.store, [sha256]):
        raise HTTPException(404, "The database holds no such photo.")
    before, undo = desk.correct(sha256, label)
    labels = {"label": label and str(label), "before": before and str(before)}
    return json_text(document({"sha256": sha256, **labels, "undo": undo}))


@router.post("/undo/{key}", responses=responses("the key", 404, 409))
def take_back(desk: AtDesk, key: str) -> Response:
    """Takes back the change whose answer had this key as ``undo``."""
    try:
        done = desk.undo.take_back(key)
    except KeyError:
        raise HTTPException(
            404,
            "That can no longer be taken back: the desk was closed since, or "
            f"{MOST} other changes came after it. Change it by hand.",
        ) from None
    if not done:
        raise HTTPException(409, "It was changed again since then; look at it first.")
    return json_text(document({"undo": key}))


# --- uploads -------------------------------------------------------------------------------------


_FILES = {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}}


@router.post(
    "/try",
    status_code=202,
    responses=responses("", 415) | {202: responses("where to ask for the verdicts")[200]},
    openapi_extra=form("files", {"files": _FILES}),
)
async def upload_files(request: Request) -> Response:
    """Takes photos and exports to look at; nothing of them is kept in the database."""
    desk = desk_of(request)
    form = await form_of(request, desk)
    files = [item for item in form.getlist("files") if isinstance(item, UploadFile)]
    if not files:
        raise HTTPException(400, "There is no file in the form; give it in a field named files.")
    try:
        job = await run_in_threadpool(
            desk.jobs.submit, [(file.filename or "", file.file) for file in files]
        )
    except QueueFull as error:
        raise HTTPException(503, str(error)) from None
    finally:
        for file in files:
            await file.close()
    return json_text(document({"id": job.id, "state": job.state}), 202)


async def form_of(request: Request, desk: Desk) -> FormData:
    """A form within bounds, its files spooled by the system without a name."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise HTTPException(415, "Send it as a form with files (multipart/form-data).")
    bounds = desk.settings.bounds
    try:
        return await request.form(max_files=bounds.files, max_fields=bounds.fields)
    except (KeyError, ValueError, UnicodeError):  # what the parser raises for odd headers
        raise HTTPException(400, "The form cannot be read.") from None


@router.get("/try/{upload_id}", responses=responses("as trendscope classify --json, so far", 404))
def upload_progress(desk: AtDesk, upload_id: str) -> Response:
    """How far an upload is, and the verdicts of the photos that were looked at."""
    job = job_or_404(desk, upload_id)
    facts = {name: getattr(job, name) for name in ("id", "state", "done", "total", "failure")}
    weights = desk.jobs.engine.classifier.name if job.photos else ""
    verdicts = report.classification_facts(Classification(weights, tuple(job.photos)))
    for entry in verdicts["photos"]:
        entry["seen"] = False  # Earlier networks saw a part of the photo; programs may ask for it.
    return json_text(document({**facts, **verdicts}))


@router.delete("/try/{upload_id}", responses=responses("gone", 404))
def forget_upload(desk: AtDesk, upload_id: str) -> Response:
    """Forgets an upload and its pictures."""
    if not desk.jobs.forget(upload_id):
        raise HTTPException(404)
    return json_text(document({"id": upload_id}))


@router.get(
    "/try/{upload_id}/{number}/photo.jpg",
    responses=responses("", 404) | PICTURE,
    response_class=Response,
)
def upload_picture(
    desk: AtDesk, upload_id: str, number: Annotated[int, Path(ge=0, le=10_000_000)]
) -> Response:
    """A photo of an upload, small."""
    photos = job_or_404(desk, upload_id).photos
    photo = photos[number] if number < len(photos) else None
    if not isinstance(photo, PhotoResult):
        raise HTTPException(404)
    return picture(photo.thumbnail)


@router.get("/photos/{sha256}.jpg", responses=responses("", 404) | PICTURE, response_class=Response)
def stored_picture(desk: AtDesk, sha256: Sha256) -> Response:
    """A photo of the database, small."""
    return picture(store.thumbnails(desk.store, [sha256]).get(sha256))


@router.get("/photos/{sha256}/large.jpg", responses=PICTURE, response_class=Response)
def large_picture(desk: AtDesk, sha256: Sha256) -> Response:
    """A photo from its file, if that still lies here; else the largest picture that is kept."""
    data = original(desk.store, sha256, desk.settings.limits)
    with suppress(ImageError):
        if data is not None:
            photo = desk.jobs.engine.decoder.decode(data, max_side=LARGE_SIDE)
            return picture(thumbnail(photo.rgb, LARGE_SIDE))
    kept = store.preview(desk.store, sha256)
    return picture(kept or store.thumbnails(desk.store, [sha256]).get(sha256))


def picture(jpeg: bytes | None) -> Response:
    """A picture that a browser may keep for an hour, or 404."""
    if jpeg is None:
        raise HTTPException(404)
    headers = {
        "cache-control": "private, max-age=3600",
        "content-disposition": 'inline; filename="photo.jpg"',
    }
    return Response(jpeg, 200, headers, "image/jpeg")


def job_or_404(desk: Desk, upload_id: str) -> UploadJob:
    """An upload that is remembered."""
    job = desk.jobs.get(upload_id)
    if job is None:
        raise HTTPException(404, "That upload is gone; upload it again.")
    return job
