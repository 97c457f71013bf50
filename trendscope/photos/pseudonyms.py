"""Customers' names replaced by keyed hashes, so that reports can be passed on.

The same key gives the same pseudonyms, in every run and on every machine; without the key, a name
cannot be tried out against them (HMAC, RFC 2104). Paths are replaced whole: a folder or an export
may be called after its owner in any spelling.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from trendscope.errors import UsageError
from trendscope.photos.results import PhotoResult
from trendscope.skipped import Skipped
from trendscope.text import displayed, escaped

KEY = "TRENDSCOPE_KEY"
"""The environment variable that holds the key."""
KEY_FILE = "TRENDSCOPE_KEY_FILE"
"""The environment variable that names a file with the key."""
SHORTEST_KEY = 16


class Pseudonyms:
    """Names and paths under one key."""

    def __init__(self, key: bytes):
        self._key = key

    def name(self, name: str) -> str:
        """A name's pseudonym: ``customer-`` and 16 hex digits."""
        return f"customer-{self._digest('name', name)}"

    def path(self, customer: str | None, path: str) -> str:
        """Owner's pseudonym, hash and suffix: ``customer-…/3f2a….jpg``; equal for equal paths."""
        suffix = re.search(r"\.[A-Za-z0-9]{1,4}$", path)
        owner = "unknown" if customer is None else self.name(customer)
        return f"{owner}/{self._digest('path', path)}{suffix[0].lower() if suffix else ''}"

    def post(self, post_id: str) -> str:
        """A post's pseudonym: 16 hex digits, equal for equal posts."""
        return self._digest("post", post_id)

    def replaced(self, result: PhotoResult | Skipped) -> PhotoResult | Skipped:
        """The same result without its customer's name."""
        source = self.path(result.customer, result.source)
        if isinstance(result, PhotoResult):
            post_id = self.post(result.post_id)
            return replace(
                result, customer=self.name(result.customer), post_id=post_id, source=source
            )
        customer = None if result.customer is None else self.name(result.customer)
        detail = without(result.detail, (result.source, result.customer or ""))
        return Skipped(customer, source, result.reason, detail)

    def _digest(self, kind: str, text: str) -> str:
        message = f"{kind}:{text}".encode("utf-8", "surrogateescape")
        return hmac.new(self._key, message, "sha256").hexdigest()[:16]


def without(text: str, names: Iterable[str]) -> str:
    """A message with names, paths and their parts blanked out, in any case."""
    parts = {part for name in names for part in (name, *re.split(r"[/\\]", name))}
    spellings = {way(part) for part in parts for way in (displayed, escaped)} | parts
    longest_first = sorted((word for word in spellings if word.strip(".")), key=len, reverse=True)
    if not longest_first:
        return text
    words = "|".join(map(re.escape, longest_first))
    return re.sub(rf"(?<![^\W_])(?:{words})(?![^\W_])", "…", text, flags=re.IGNORECASE)


def from_environment(environment: Mapping[str, str] = os.environ) -> Pseudonyms:
    """Pseudonyms under the key that the environment gives.

    Raises:
        UsageError: There is none, it cannot be read, or it is too short.
    """
    advice = (
        f"set {KEY} to a secret of at least {SHORTEST_KEY} characters, or {KEY_FILE} to a file "
        "with one, and keep it: the same key gives the same pseudonyms"
    )
    key = os.fsencode(environment.get(KEY, ""))
    if not key and (name := environment.get(KEY_FILE)):
        try:
            key = Path(name).read_bytes().strip()
        except OSError as error:
            raise UsageError(f"the key file {name} cannot be read ({error.strerror})") from error
    if not key:
        raise UsageError(f"--pseudonymise needs a key: {advice}")
    if len(key) < SHORTEST_KEY:
        raise UsageError(f"the key for --pseudonymise has only {len(key)} bytes; {advice}")
    return Pseudonyms(key)
