"""The settings of a desk when it starts, and what a visitor may ask of it."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from trendscope.limits import Limits

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True)
class Bounds:
    """The most that visitors may ask for.

    Attributes:
        body_bytes: Of one request, uploads included.
        files: In one upload.
        fields: In one form.
        waiting: Uploads that wait for their turn; more are asked to come again.
        kept: Finished uploads that are remembered.
        pictures: Photos of an upload that are shown with their picture.
        connections: At a time.
        header_seconds: Until the head of a request has to be there.
        body_seconds: For a body, beside the time that `bytes_a_second` gives it.
        bytes_a_second: The slowest a body may come.
        write_seconds: That an answer may wait for someone who does not read it.
    """

    body_bytes: int = 2_000_000_000
    files: int = 500
    fields: int = 20
    waiting: int = 40
    kept: int = 40
    pictures: int = 500
    connections: int = 200
    header_seconds: float = 10
    body_seconds: float = 20
    bytes_a_second: int = 20_000
    write_seconds: float = 20


@dataclass(frozen=True)
class Settings:
    """How the desk is run.

    Attributes:
        host: Address to listen on.
        port: The same.
        names: Further names it may be called by, as the browser's address line has them.
        token: Who knows it may come in; empty only on this machine's own address.
        bounds: See there.
        limits: What photos and exports may ask for.
        zone: In which weeks begin.
        segments: Group of each customer, if there are any.
        page_token: Pages carry it, so that no other site's page can send for its visitor.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    names: tuple[str, ...] = ()
    token: str = field(default="", repr=False)
    bounds: Bounds = field(default_factory=Bounds)
    limits: Limits = field(default_factory=Limits)
    zone: tzinfo = UTC
    segments: dict[str, str] = field(default_factory=dict, repr=False)
    page_token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    @property
    def hosts(self) -> frozenset[str]:
        """Names that a request may be addressed to, without port, in small letters."""
        return frozenset(name.lower() for name in (*LOOPBACK, *self.names))

    @property
    def session(self) -> str:
        """What a browser keeps once its user has given the token; of no use after a restart."""
        return hmac.new(self._key, self.token.encode(), "sha256").hexdigest()

    def admits(self, token: str) -> bool:
        """True for the token."""
        return hmac.compare_digest(token.encode(), self.token.encode())
