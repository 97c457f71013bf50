"""The JSON API of scans, under /api/scan; only one is under way at a time."""

from __future__ import annotations

import io
import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from trendscope.reports.database import scan_json
from trendscope.reports.documents import document
from trendscope.reports.profile import skipped_facts
from trendscope.reports.terminal import print_scan
from trendscope.web.api import AtDesk, desk_of
from trendscope.web.desk import Desk
from trendscope.web.responses import json_text, refusals
from trendscope.web.scan_jobs import ScanJob

_REFUSALS = (400, 401, 403, 404, 408, 409, 413, 422, 503)

router = APIRouter(
    prefix="/api/scan",
    responses={status: {"description": "refused, with the reason"} for status in _REFUSALS},
)

Id = Annotated[str, Path(alias="id", description="of the scan")]

_FILE = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class ScanRequest(BaseModel):
    """How the photos are scanned that are sent afterwards."""

    customer: str = Field("", max_length=200, description="whose photos they are, if nothing tells")
    folder: str = Field("", max_length=4000, description="one of the desk's, instead of files")
    one_per_name: bool = Field(True, description="as trendscope scan --one-per-name")
    previews: bool = Field(False, description="keep a picture of each to look at, 1,024 pixels")


@router.get("")
def progress(desk: AtDesk) -> Response:
    """How far the latest scan is; null before the first one."""
    return _answer(desk.scans.latest)


@router.post("")
def begin(desk: AtDesk, wanted: ScanRequest) -> Response:
    """Begins a scan, to which files are sent before it is started."""
    with refusals(409):
        customer, options = wanted.customer.strip() or None, wanted.model_dump(exclude={"customer"})
        return _answer(desk.scans.begin(customer, **options))


@router.put("/{id}/file", openapi_extra=_FILE)
async def receive(
    request: Request,
    scan_id: Id,
    name: Annotated[str, Query(min_length=1, max_length=4000, description="its path, with /")],
) -> Response:
    """Takes one file; nothing of it is kept after the scan."""
    desk = desk_of(request)
    job = _job_or_404(desk, scan_id)
    with refusals(409 if job.state != "receiving" else 422):
        await desk.scans.receive(job, name, request.stream())
    return _answer(job)


@router.post("/{id}/start")
def start(desk: AtDesk, scan_id: Id) -> Response:
    """Looks at the files that came, and stores what is seen."""
    with refusals(409):
        desk.scans.start(job := _job_or_404(desk, scan_id))
    return _answer(job)


@router.delete("")
def stop(desk: AtDesk) -> Response:
    """Ends the scan that is under way; what was stored stays."""
    desk.scans.stop()
    return _answer(desk.scans.latest)


def _job_or_404(desk: Desk, scan_id: str) -> ScanJob:
    job = desk.scans.latest
    if job is None or job.id != scan_id:
        raise HTTPException(404, "There is no such scan; begin another one.")
    return job


def _answer(job: ScanJob | None) -> Response:
    """What is known of a scan; ``result`` as ``trendscope scan --json``, ``words`` as without."""
    if job is None:
        return json_text(document({"scan": None}))
    names = ("id", "state", "stopping", "bytes", "done", "total", "failure")
    facts: dict[str, Any] = {name: getattr(job, name) for name in names}
    facts["files"] = len(job.uploads.digests)
    facts["left_out"] = [skipped_facts(item) for item in list(job.left_out)]
    words = io.StringIO()
    if job.result:
        print_scan(job.result, words)
    facts["words"] = words.getvalue().splitlines()
    facts["result"] = job.result and json.loads(scan_json(job.result))
    return json_text(document({"scan": facts}))
