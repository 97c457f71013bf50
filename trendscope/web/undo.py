"""Changes made at the desk, each of which can be taken back."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")
State = TypeVar("State")

MOST = 200
"""Changes that are remembered, the latest ones, until the desk closes."""


class Undo:
    """The latest changes, by keys that cannot be guessed."""

    def __init__(self) -> None:
        self._changes: dict[str, Callable[[], bool]] = {}
        self._lock = Lock()

    def changing(
        self, read: Callable[[], State], write: Callable[[State], Any], change: Callable[[], T]
    ) -> tuple[T, str]:
        """What `change` returns, and the key by which it can be taken back.

        Args:
            read: Gives all that the change may alter.
            write: Makes that what `read` gave earlier.
            change: Makes the change.
        """
        with self._lock:  # so that no other change made at the desk comes between
            before = read()
            result = change()
            after = read()

            def take_back() -> bool:
                if read() != after:
                    return False
                write(before)
                return True

            key = secrets.token_urlsafe(18)
            self._changes[key] = take_back
            for oldest in list(self._changes)[:-MOST]:
                del self._changes[oldest]
        return result, key

    def take_back(self, key: str) -> bool:
        """Takes a change back; False, and nothing is done, where another one came after it.

        Raises:
            KeyError: There is no such change, or it was taken back already.
        """
        with self._lock:
            done = self._changes[key]()
            del self._changes[key]
        return done
