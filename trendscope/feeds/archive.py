"""Trees of files that may come from anyone: a folder on disk, or a zip that is never unpacked.

Both give sorted member names with forward slashes and read one member at a time under a limit.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from trendscope.errors import FeedError, ImageError
from trendscope.feeds import Limits, Skipped, displayed

_CHUNK = 1 << 20
_FREE_BYTES = 10_000_000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
_ENCRYPTED = 0x1

JUNK = {".ds_store", "thumbs.db", "desktop.ini", ".localized"}


class Tree(Protocol):
    """Named files, readable one at a time."""

    label: str
    names: list[str]
    skipped: list[Skipped]

    def read(self, name: str, limit: int) -> bytes:
        """The member's bytes.

        Raises:
            ImageError: It is larger than `limit`, damaged, or cannot be read.
        """


def is_junk(name: str) -> bool:
    """True for what operating systems leave behind; skipped without a word."""
    *folders, last = name.split("/")
    return "__MACOSX" in folders or last.lower() in JUNK or last.startswith("._")


class FolderTree:
    """The regular files below a folder; links are not followed, devices never opened."""

    def __init__(self, root: Path):
        self.root = root
        self.label = displayed(str(root))
        self.names: list[str] = []
        self.skipped: list[Skipped] = []
        for name, problem in sorted(self._walk(root, "")):
            if problem is None:
                self.names.append(name)
            else:
                self.skipped.append(Skipped(None, f"{self.label}/{displayed(name)}", *problem))

    def _walk(self, folder: Path, prefix: str) -> Iterator[tuple[str, tuple[str, str] | None]]:
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            yield prefix.rstrip("/"), ("unreadable", f"the folder cannot be listed ({_why(error)})")
            return
        for entry in entries:
            name = prefix + entry.name
            if is_junk(name):
                continue
            if entry.is_symlink():
                yield name, ("link", "links are not followed; give the place itself")
            elif entry.is_dir(follow_symlinks=False):
                yield from self._walk(Path(entry.path), name + "/")
            elif entry.is_file(follow_symlinks=False):
                yield name, None
            else:
                yield name, ("special_file", "a pipe, socket or device; only files are read")

    def read(self, name: str, limit: int) -> bytes:
        """The file's bytes; see `Tree.read`."""
        return read_file(self.root / name, limit)


def read_file(path: Path, limit: int) -> bytes:
    """The bytes of a regular file of at most `limit` bytes.

    Raises:
        ImageError: ``too_large``, ``special_file`` or ``unreadable``.
    """
    try:
        # Not blocking, so that a pipe put in the file's place cannot hold the run up.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise ImageError("special_file", "a pipe, socket or device; only files are read")
            if facts.st_size > limit:
                raise ImageError("too_large", f"{facts.st_size:,} bytes; the limit is {limit:,}")
            return file.read(limit)
    except OSError as error:
        raise ImageError("unreadable", f"the file cannot be read ({_why(error)})") from error


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


class ZipTree:
    """The members of a zip that are safe to read."""

    def __init__(self, path: Path, limits: Limits):
        self.label = displayed(str(path))
        self.names: list[str] = []
        self.skipped: list[Skipped] = []
        self._limits = limits
        self._budget = limits.archive_bytes
        self._infos: dict[str, zipfile.ZipInfo] = {}
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise FeedError(
                f"{self.label} cannot be opened as a zip ({error}); download the export again"
            ) from error
        for number, info in enumerate(self._zip.infolist()):
            if number >= limits.members:
                problem = f"more than {limits.members:,} members; the rest is not read"
                self.skipped.append(Skipped(None, self.label, "archive_limit", problem))
                break
            self._add(info)
        self.names.sort()

    def _add(self, info: zipfile.ZipInfo) -> None:
        if info.filename.endswith("/") or is_junk(info.filename):
            return
        if problem := self._problem(info):
            source = f"{self.label}/{displayed(info.filename)}"
            self.skipped.append(Skipped(None, source, *problem))
        else:
            self._infos[info.filename] = info
            self.names.append(info.filename)

    def _problem(self, info: zipfile.ZipInfo) -> tuple[str, str] | None:
        name = info.orig_filename
        if unsafe(name):
            return "unsafe_path", "the path leads out of the archive"
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            return "link", "a link or device inside the archive"
        if info.flag_bits & _ENCRYPTED:
            return "encrypted", "protected by a password; export without one"
        if info.compress_type not in _METHODS:
            return (
                "damaged_archive",
                f"packed by a method that is not supported ({info.compress_type})",
            )
        if info.filename in self._infos:
            return "duplicate", "a second member of the same name"
        if info.filename.lower().endswith(".zip"):
            return "nested_archive", "a zip inside a zip is not opened; give it by itself"
        return None

    def read(self, name: str, limit: int) -> bytes:
        """The member's bytes, counted while they are unpacked; see `Tree.read`."""
        info = self._infos[name]
        try:
            return self._unpack(info, limit)
        except (
            zipfile.BadZipFile,
            zlib.error,
            OSError,
            EOFError,
            RuntimeError,
            NotImplementedError,
            ValueError,
        ) as error:
            raise ImageError("damaged_archive", f"damaged inside the archive ({error})") from error

    def _unpack(self, info: zipfile.ZipInfo, limit: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        most = min(limit, self._budget, max(_FREE_BYTES, self._limits.ratio * info.compress_size))
        with self._zip.open(info) as member:
            while chunk := member.read(_CHUNK):
                size += len(chunk)
                if size > most:
                    raise ImageError("archive_limit", f"unpacks to more than {most:,} bytes")
                parts.append(chunk)
        self._budget -= size
        if size != info.file_size:
            raise ImageError("damaged_archive", f"says {info.file_size:,} bytes but holds {size:,}")
        return b"".join(parts)


def unsafe(name: str) -> bool:
    """True for a member name that is absolute, climbs, or hides something."""
    parts = name.replace("\\", "/").split("/")
    return (
        not name
        or "\0" in name
        or "\\" in name
        or name.startswith(("/", "~"))
        or ":" in parts[0]
        or ".." in parts
    )
