"""The settings of a desk, and the bounds on requests."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path

from trendscope.limits import Limits

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True)
class Bounds:
    """Upper bounds on what visitors may ask for.

    Attributes:
        body_bytes: Size of one request in bytes, uploads included.
        scan_bytes: Size of all files of one scan.
        files: Number of files in one upload.
        fields: Number of fields in one form.
        waiting: Number of uploads that wait for their turn; more are asked to come again.
        kept: Number of finished uploads that are remembered.
        pictures: Number of photos of an upload that are shown with their picture.
        connections: Number of connections at a time.
        pages: Number of pages that are made at a time; more are asked to come again.
        header_seconds: Time until the head of a request has to be there.
        body_seconds: Time for a body, beside the time that `bytes_a_second` gives it.
        bytes_a_second: Slowest speed at which a body may come.
        write_seconds: Time that an answer waits for someone who does not read it.
    """

    body_bytes: int = 2_000_000_000
    scan_bytes: int = 50_000_000_000
    files: int = 500
    fields: int = 20
    waiting: int = 40
    kept: int = 40
    pictures: int = 500
    connections: int = 200
    pages: int = 12
    header_seconds: float = 10
    body_seconds: float = 20
    bytes_a_second: int = 20_000
    write_seconds: float = 20


@dataclass(frozen=True)
class Settings:
    """The settings of a desk.

    Attributes:
        host, port: Address and port to listen on; port 0 for any that is free.
        names: Further names of the desk, as the browser's address line has them.
        token: Secret that lets visitors in; empty only on this machine's own address.
        zone: Time zone in which weeks begin.
        segments: Segment of each customer who has one.
        folders: Folders of this computer that may be scanned from the desk, absolute.
        only, never: CSV files of customers: nobody but these, and not these, are offered anything.
        page_token: Secret in every page, so that no other site's page can send for its visitor.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    names: tuple[str, ...] = ()
    token: str = field(default="", repr=False)
    bounds: Bounds = field(default_factory=Bounds)
    limits: Limits = field(default_factory=Limits)
    zone: tzinfo = UTC
    segments: dict[str, str] = field(default_factory=dict, repr=False)
    only: Path | None = None
    never: Path | None = None
    folders: tuple[str, ...] = ()
    page_token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    @property
    def hosts(self) -> frozenset[str]:
        """Names that a request may be addressed to, without port, in small letters."""
        return frozenset(name.lower() for name in (*LOOPBACK, *self.names))

    @property
    def session(self) -> str:
        """Value of the cookie of browsers whose user gave the token; void after a restart."""
        return hmac.new(self._key, self.token.encode(), "sha256").hexdigest()

    def admits(self, token: str) -> bool:
        """Whether it is the token."""
        return hmac.compare_digest(token.encode(), self.token.encode())
