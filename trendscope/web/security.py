"""Which requests are let in: the first to see a request, and the last to see an answer."""

from __future__ import annotations

import asyncio
import logging
import time
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trendscope.web.responses import refusal
from trendscope.web.settings import Settings

log = logging.getLogger("trendscope.web")

COOKIE = "trendscope"
PAGE_TOKEN = "x-trendscope-token"
SAFE = ("GET", "HEAD", "OPTIONS")
SIGN_IN = "/sign-in"
STATIC = "/static/"

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
"""Headers of every answer; pictures and styles have a ``cache-control`` of their own."""


class SecurityMiddleware:
    """Refuses requests that are not meant for the desk, and bounds those that are."""

    def __init__(self, app: ASGIApp, settings: Settings):
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False
        # What is read can be asked about: the answer's headers, without its body.
        only_headers = scope["method"] == "HEAD"
        if only_headers:
            scope = {**scope, "method": "GET"}

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if only_headers and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(scope, Headers(scope=scope))
            await self._app(scope, self._bounded(scope, receive), send_with_headers)
        except HTTPException as error:
            await refusal(scope, error.status_code, error.detail)(scope, receive, send_with_headers)
        except Exception:
            log.exception("a request could not be answered")
            if not started:
                await refusal(scope, 500)(scope, receive, send_with_headers)

    def _check(self, scope: Scope, headers: Headers) -> None:
        """Raises HTTPException for what is not let in."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or _name(hosts[0]) not in self._settings.hosts:
            raise HTTPException(400, "This desk is not called by that name.")
        if self._settings.token and not self._is_admitted(headers, scope["path"]):
            raise HTTPException(401, "Give the token that this desk was started with.")
        if scope["method"] not in SAFE:
            self._check_sender(scope, headers, hosts[0])
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._settings.bounds.body_bytes:
            raise HTTPException(413, _TOO_LARGE)

    def _is_admitted(self, headers: Headers, path: str) -> bool:
        if path == SIGN_IN or path.startswith(STATIC):
            return True
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self._settings.admits(token)
        cookies = cookie_parser(headers.get("cookie", ""))
        # Both sides are as long as each other or differ at once; neither is a secret's part.
        return cookies.get(COOKIE, "").encode() == self._settings.session.encode()

    def _check_sender(self, scope: Scope, headers: Headers, host: str) -> None:
        """Raises HTTPException for changes that another site's page asks for."""
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        try:
            same = origin is None or urlsplit(origin).netloc.lower() == host.lower()
        except ValueError as error:  # such as http://[
            raise HTTPException(400, "The request's Origin cannot be read.") from error
        if not same or site not in (None, "same-origin", "none"):
            raise HTTPException(403, "Another page asked for this; only the desk's own may.")
        browser = origin is not None or site is not None or "cookie" in headers
        has_page_token = headers.get(PAGE_TOKEN) == self._settings.page_token
        if browser and not has_page_token and scope["path"] != SIGN_IN:
            raise HTTPException(403, "This page is from an earlier start of the desk; reload it.")

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """Receives the body until it is too large or too slow."""
        bounds = self._settings.bounds
        begun = time.monotonic()
        size = 0
        more = True

        async def bounded() -> Message:
            nonlocal size, more
            if not more:
                return await receive()
            until = begun + bounds.body_seconds + size / bounds.bytes_a_second
            try:
                message = await asyncio.wait_for(receive(), until - time.monotonic())
            except TimeoutError:
                raise HTTPException(408, "The upload came too slowly; try again.") from None
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
            if size > bounds.body_bytes:
                raise HTTPException(413, _TOO_LARGE)
            return message

        return bounded


_TOO_LARGE = "That is more than this desk takes at once; upload it in parts, or scan the folder."


def _name(host: str) -> str:
    """A Host header without its port, in small letters."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdecimal() else host.lower()
