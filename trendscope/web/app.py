"""The desk put together: its pages and its API, behind the checks of `security`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from trendscope import __version__
from trendscope.errors import StoreError, TrendscopeError
from trendscope.web import api, downloads, items_api, pages, scan_api
from trendscope.web.desk import Desk
from trendscope.web.page_cache import PageCache
from trendscope.web.responses import refusal
from trendscope.web.security import STATIC, SecurityMiddleware

log = logging.getLogger("trendscope.web")

BUSY = "The database could not be used just now; what it holds is unchanged. Try again."


def make_app(desk: Desk) -> ASGIApp:
    """The application that a server runs; it starts the classifier, and closes the desk."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pages.try_photos(desk)  # loads the templates, before the network takes the processor
        desk.jobs.warm()
        yield
        desk.close()

    # FastAPI's own pages about the API fetch scripts from the network.
    app = FastAPI(
        title="trendscope",
        version=__version__,
        description="Which kinds of clothes do customers wear? The commands' --json, over HTTP.",
        lifespan=lifespan,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.desk = desk
    for part in (api, items_api, scan_api, pages, downloads):
        app.include_router(part.router)
    app.mount(STATIC.rstrip("/"), StaticFiles(directory=Path(__file__).parent / "static"))
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(TrendscopeError, _failed)
    return SecurityMiddleware(PageCache(app, desk), desk.settings)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    # A detail that is only the status in words is no reason.
    own = "" if error.detail == HTTPStatus(error.status_code).phrase else error.detail
    response = refusal(request.scope, error.status_code, own)
    headers = (error.headers or {}).items()
    response.headers.update({name: value for name, value in headers if name.lower() == "allow"})
    return response


def _not_understood(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:]) or "request"
    return refusal(request.scope, 422, f"{place}: {first['msg']}"[:300])


def _failed(request: Request, error: Exception) -> Response:
    """The response to an error of ours, whose message goes to the terminal as it may name paths."""
    log.error("%s", error)
    return refusal(request.scope, 503 if isinstance(error, StoreError) else 400, BUSY)
