"""A private folder for uploads, removed when its server ends or the next one starts."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
from pathlib import Path

LOCK = "in-use"


class Spool:
    """A folder of one server that no other user may read.

    Folders of servers that were killed are removed first: each server holds a lock on its folder,
    which the system lets go when it dies.

    Attributes:
        folder: Folder in which uploads may lie.
    """

    def __init__(self, place: Path | None = None):
        root = (place or Path(tempfile.gettempdir())) / f"trendscope-desk-{os.getuid()}"
        root.mkdir(mode=0o700, exist_ok=True)
        facts = root.lstat()
        if root.is_symlink() or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
            root = Path(tempfile.mkdtemp(prefix="trendscope-desk-"))  # another user made that one
        _sweep(root)
        self.folder = Path(tempfile.mkdtemp(dir=root))
        self._lock = _locked(self.folder)

    def new(self) -> Path:
        """A new folder in it, of a name that cannot be guessed."""
        folder = self.folder / secrets.token_hex(16)
        folder.mkdir(mode=0o700)
        return folder

    def close(self) -> None:
        """Removes it with all it holds."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)


def _sweep(root: Path) -> None:
    for folder in root.iterdir():
        lock = _locked(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _locked(folder: Path) -> int | None:
    """The lock of a folder; None if its server lives."""
    try:
        lock = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return lock
    except OSError:
        os.close(lock)
        return None
