"""Responses that pages and API share: documents, and errors that show nothing of the inside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.types import Scope

from trendscope.errors import NothingUsable, StoreError, TrendscopeError
from trendscope.reports import pages


def json_text(text: str, status: int = 200) -> Response:
    """A document as the commands' ``--json`` writes it."""
    return Response(text, status, media_type="application/json")


def refusal(scope: Scope, status: int, detail: str = "") -> Response:
    """The answer to a request that fails: JSON to programs, a page to people."""
    title = _TITLES.get(status, "That did not work")
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


@contextmanager
def refusals(status: int, missing: int | None = None) -> Iterator[None]:
    """Answers with a status where something cannot be done with what was sent.

    Args:
        status: Status of refusals; a fault of the database is none.
        missing: Status where there is nothing of that name, if another one.
    """
    try:
        yield
    except StoreError:
        raise
    except TrendscopeError as error:
        if missing and isinstance(error, NothingUsable):
            status = missing
        raise HTTPException(status, str(error)) from None


_TITLES = {
    401: "Sign in first",
    404: "There is nothing here",
    413: "That is too much at once",
    422: "That cannot be read",
    503: "Busy just now",
}
"""Headings of pages that refuse, by status."""

_DETAILS = {
    404: "There is no such page, or what it showed is gone.",
    405: "That cannot be done here.",
    500: "The desk could not do that. What it holds is unchanged; the terminal it was started in "
    "says more.",
}
