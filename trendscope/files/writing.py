"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from trendscope.errors import TrendscopeError, UsageError


def check_writable(path: Path) -> None:
    """Refuses a file that cannot be written, before any work is done.

    Raises:
        UsageError: The folder is missing or not writable, or the path is a folder.
    """
    folder = path.resolve().parent
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file in it")
    if not folder.is_dir():
        raise UsageError(f"cannot write {path}: there is no folder {folder}; create it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"cannot write {path}: {folder} is not writable; choose another folder")


def write_atomic(path: Path, content: str | bytes) -> None:
    """Writes beside `path`, text as UTF-8, and renames into place: nobody reads half a file.

    Raises:
        TrendscopeError: It could not be written; what was there before is still there.
    """
    data = encoded(content) if isinstance(content, str) else content
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)  # a pipe or device, which must not be replaced by a file
        else:
            with replacing(path.resolve()) as file:
                file.write(data)
    except OSError as error:
        reason = error.strerror or str(error)
        size = f"{len(data):,} bytes"
        raise TrendscopeError(
            f"could not write {path} ({size}): {reason}; free some space or choose another place"
        ) from error


def encoded(text: str) -> bytes:
    """Text as UTF-8 under every locale; names that are not valid Unicode get escapes."""
    return text.encode("utf-8", "backslashreplace")


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A temporary file that replaces `path` after the block, or is removed if the block fails."""
    handle, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files private; a report has the usual rights of new files.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
