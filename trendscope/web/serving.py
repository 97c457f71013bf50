"""Running the desk: the socket, time limits for slow visitors, and the browser."""

from __future__ import annotations

import asyncio
import socket
import webbrowser
from collections.abc import Callable
from threading import Thread
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from trendscope.errors import UsageError
from trendscope.store.database import Store
from trendscope.vision.predictions import WeightsChoice
from trendscope.web.app import make_app
from trendscope.web.desk import open_desk
from trendscope.web.settings import Bounds, Settings
from trendscope.web.spool import Spool


def serve(
    store: Store,
    settings: Settings,
    *,
    weights: WeightsChoice = None,
    announce: Callable[[str], None] = lambda address: None,
    browser: bool = False,
) -> None:
    """Runs the desk until it is stopped by Ctrl-C or SIGTERM.

    Args:
        store: The open database; closed at the end.
        weights: Weights of the classifier, as `trendscope.profile` takes them.
        announce: Function called with the desk's address once it listens.
        browser: Whether to open the address in the user's browser.

    Raises:
        UsageError: The address cannot be listened on.
    """
    listener = _listener(settings)
    port = listener.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{host}:{port}/"
    spool = Spool()
    desk = open_desk(store, settings, weights, spool)
    server = _Server(_config(make_app(desk), settings.bounds))
    server.ready = lambda: _open(address, announce, browser)
    try:
        server.run(sockets=[listener])
    finally:
        listener.close()
        desk.close()
        spool.close()


def _listener(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise UsageError(
            f"cannot listen on {settings.host} port {settings.port} ({error.strerror}); is the "
            "desk running already? Take another with --port, or --port 0 for any that is free"
        ) from error
    return listener


def _config(app: Any, bounds: Bounds) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=timed_protocol(bounds),
        ws="none",
        lifespan="on",
        limit_concurrency=bounds.connections,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=3,
        server_header=False,
        proxy_headers=False,
        access_log=False,
        log_level="error",
        log_config=None,
    )


class _Server(uvicorn.Server):
    ready: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready()


def _open(address: str, announce: Callable[[str], None], browser: bool) -> None:
    announce(address)
    if browser:
        # Some systems wait for the browser to end.
        Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def timed_protocol(bounds: Bounds) -> type[asyncio.Protocol]:
    """Uvicorn's HTTP with time limits for heads that do not come and answers that nobody reads.

    Bodies that do not come are up to `trendscope.web.security`.
    """

    class TimedProtocol(H11Protocol):
        _head: asyncio.TimerHandle | None = None
        _unread: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._await_head()

        def data_received(self, data: bytes) -> None:
            if self._head is None and self.conn.their_state is h11.IDLE:
                self._await_head()
            super().data_received(data)

        def handle_events(self) -> None:
            super().handle_events()
            if self._head is not None and self.conn.their_state is not h11.IDLE:
                self._head.cancel()
                self._head = None

        def pause_writing(self) -> None:
            super().pause_writing()
            self._unread = self.loop.call_later(bounds.write_seconds, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            if self._unread is not None:
                self._unread.cancel()

        def connection_lost(self, error: Exception | None) -> None:
            for timer in (self._head, self._unread):
                if timer is not None:
                    timer.cancel()
            super().connection_lost(error)

        def _await_head(self) -> None:
            self._head = self.loop.call_later(bounds.header_seconds, self.transport.abort)

    return TimedProtocol
