"""Responses that pages and API share: documents, and errors that show nothing of the inside."""

from __future__ import annotations

import json
from http import HTTPStatus

from starlette.responses import HTMLResponse, Response
from starlette.types import Scope

from trendscope.reports import pages


def json_text(text: str, status: int = 200) -> Response:
    """A document as the commands' ``--json`` writes it."""
    return Response(text, status, media_type="application/json")


def refusal(scope: Scope, status: int, detail: str = "") -> Response:
    """The answer to a request that fails: JSON to programs, a page to people."""
    title = HTTPStatus(status).phrase
    detail = detail or _DETAILS.get(status, "Go back and try again.")
    headers = {}
    if status in (408, 413, 400):
        headers["connection"] = "close"
    if status == 503:
        headers["retry-after"] = "5"
    if str(scope.get("path", "")).startswith("/api"):
        body = json.dumps({"schema_version": 1, "error": detail})
        return Response(body, status, headers, "application/json")
    if status == 401:
        return HTMLResponse(pages.page("desk/sign_in.html", wrong=False), status, headers)
    page = pages.page("desk/error.html", status=status, title=title, detail=detail)
    return HTMLResponse(page, status, headers)


_DETAILS = {
    404: "There is no such page, or what it showed is gone.",
    405: "That cannot be done here.",
    500: "The desk could not do that. What it holds is unchanged; the terminal it was started in "
    "says more.",
}
