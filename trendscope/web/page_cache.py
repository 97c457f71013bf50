"""Pages kept until the database changes, so that many who look at once need not wait.

A page is made once for all who ask meanwhile. Where too many different ones are being made, whoever
asks for another is told at once to come again, instead of waiting behind the others.
"""

from __future__ import annotations

import asyncio

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trendscope.errors import StoreError
from trendscope.web.desk import Desk
from trendscope.web.responses import refusal

PATHS = frozenset(("/customers", "/customer", "/trends", "/catalogue", "/review"))
"""Pages that show the database and nothing else."""
MOST_PAGES = 64
"""Pages that are kept; the one made first goes when another comes."""

_BUSY = "Too many pages are asked for at once; try again in a few seconds."

State = tuple[object, ...]


class PageCache:
    """Answers requests for pages that were made already, and leaves the others to the application.

    It is behind `trendscope.web.security`: pages are the same for everybody who is let in.
    """

    def __init__(self, app: ASGIApp, desk: Desk):
        self._app = app
        self._desk = desk
        self._pages: dict[tuple[str, bytes], tuple[State, asyncio.Task[list[Message]]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        known = scope["type"] == "http" and scope["method"] == "GET" and scope["path"] in PATHS
        state = await run_in_threadpool(self._state) if known else None
        if state is None:
            await self._app(scope, receive, send)
        elif page := self._page(scope, state):
            # Whoever hands it on may change its head.
            for message in await asyncio.shield(page):
                await send(dict(message))
        else:
            await refusal(scope, 503, _BUSY)(scope, receive, send)

    def _state(self) -> State | None:
        """The desk's state; None where the database fails, which the application tells."""
        try:
            return self._desk.state()
        except StoreError:
            return None

    def _page(self, scope: Scope, state: State) -> asyncio.Task[list[Message]] | None:
        """The page, kept or being made; None where too many are being made."""
        key = scope["path"], scope["query_string"]
        then, page = self._pages.get(key, (None, None))
        if page is None or then != state:
            making = sum(not page.done() for _, page in self._pages.values())
            if making >= self._desk.settings.bounds.pages:
                return None
            page = asyncio.create_task(self._made(dict(scope)))
            self._pages.pop(key, None)
            self._pages[key] = state, page
            page.add_done_callback(lambda page: self._forget_failed(key, page))
            while len(self._pages) > MOST_PAGES:
                del self._pages[next(iter(self._pages))]
        return page

    async def _made(self, scope: Scope) -> list[Message]:
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, send)
        return messages

    def _forget_failed(self, key: tuple[str, bytes], page: asyncio.Task[list[Message]]) -> None:
        failed = page.cancelled() or page.exception() or page.result()[0]["status"] != 200
        if failed and self._pages.get(key, (None, None))[1] is page:
            del self._pages[key]
