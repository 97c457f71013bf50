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
_FREE_ARCHIVE_BYTES = 100_000_000
_LOCAL_HEADER_BYTES = 30  # of a member in a zip, before its name
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
_ENCRYPTED = 0x1

JUNK = {".ds_store", "thumbs.db", "desktop.ini", ".localized"}


class Tree(Protocol):
    """Named files, readable one at a time.

    Attributes:
        label: Where it lies, for people.
        title: Its own name without the way there; the owner's, where nothing better is known.
        names: Members in order, with forward slashes.
        skipped: What in it cannot be used.
    """

    label: str
    title: str
    names: list[str]
    skipped: list[Skipped]

    def read(self, name: str, limit: int) -> bytes:
        """The member's bytes.

        Raises:
            ImageError: It is larger than `limit`, damaged, or cannot be read.
        """

    def file(self, name: str) -> tuple[str, str]:
        """The file on disk that holds the member, and the member in it; see `Post.file`."""


def is_junk(name: str) -> bool:
    """True for what operating systems leave behind; skipped without a word."""
    *folders, last = name.split("/")
    return "__MACOSX" in folders or last.lower() in JUNK or last.startswith("._")


class Part:
    """Some members of another tree, under the same names; what that tree skipped stays with it."""

    def __init__(self, tree: Tree, title: str, names: list[str]):
        self.label = tree.label
        self.title = title
        self.names = names
        self.skipped: list[Skipped] = []
        self.read = tree.read
        self.file = tree.file


class FolderTree:
    """The regular files below a folder; links are not followed, devices never opened."""

    def __init__(self, root: Path):
        self.root = root
        self._absolute = os.path.abspath(root)
        self.label = displayed(str(root))
        self.title = displayed(root.resolve().name)
        self.names: list[str] = []
        self.skipped: list[Skipped] = []
        for name, problem in sorted(_walk(root)):
            if problem is None:
                self.names.append(name)
            else:
                self.skipped.append(Skipped(None, f"{self.label}/{displayed(name)}", *problem))

    def read(self, name: str, limit: int) -> bytes:
        """The file's bytes; see `Tree.read`."""
        return read_file(self.root / name, limit)

    def file(self, name: str) -> tuple[str, str]:
        """The file itself; see `Tree.file`."""
        return os.path.join(self._absolute, name), ""


def _walk(root: Path) -> Iterator[tuple[str, tuple[str, str] | None]]:
    """Yields names below a folder, in no order, with reason and detail where one is not usable."""
    waiting = [""]  # a list and not recursion: folders can lie deeper than Python's stack
    while waiting:
        prefix = waiting.pop()
        try:
            entries = list(os.scandir(root / prefix))
        except OSError as error:
            yield prefix.rstrip("/"), ("unreadable", f"the folder cannot be listed ({_why(error)})")
            continue
        for entry in entries:
            name = prefix + entry.name
            if is_junk(name):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(name + "/")
            else:
                yield name, _problem(entry)


def _problem(entry: os.DirEntry[str]) -> tuple[str, str] | None:
    if entry.is_symlink():
        return "link", "links are not followed; give the place itself"
    if entry.is_file(follow_symlinks=False):
        return None
    return "special_file", "a pipe, socket or device; only files are read"


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
        self.title = displayed(path.name.removesuffix(".zip"))
        self.names: list[str] = []
        self.skipped: list[Skipped] = []
        self._limits = limits
        self._absolute = os.path.abspath(path)
        self._infos: dict[str, zipfile.ZipInfo] = {}
        try:
            self._zip = zipfile.ZipFile(path)
            most = max(_FREE_ARCHIVE_BYTES, limits.ratio * path.stat().st_size)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise FeedError(
                f"{self.label} cannot be opened as a zip ({error}); download the export again"
            ) from error
        self._budget = min(limits.archive_bytes, most)
        self._overlapping = _overlapping(self._zip.infolist(), self._zip.start_dir)
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
        if info in self._overlapping:
            return "damaged_archive", "its data overlap another member's"
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

    def file(self, name: str) -> tuple[str, str]:
        """The zip and the member; see `Tree.file`."""
        return self._absolute, name

    def _unpack(self, info: zipfile.ZipInfo, limit: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        most = min(limit, self._budget, max(_FREE_BYTES, self._limits.ratio * info.compress_size))
        most = max(most, 0)
        with self._zip.open(info) as member:
            while chunk := member.read(_CHUNK):
                size += len(chunk)
                # At once, so that members refused half-way use the budget up too.
                self._budget -= len(chunk)
                if size > most:
                    raise ImageError("archive_limit", f"unpacks to more than {most:,} bytes")
                parts.append(chunk)
        if size != info.file_size:
            raise ImageError("damaged_archive", f"says {info.file_size:,} bytes but holds {size:,}")
        return b"".join(parts)


def _overlapping(infos: list[zipfile.ZipInfo], end: int) -> set[zipfile.ZipInfo]:
    """Members whose packed bytes reach into the next member, or beyond `end`.

    Zip bombs let thousands of members share the same bytes. `zipfile` looks for that in later
    versions of Python only.
    """
    ordered = sorted(infos, key=lambda info: info.header_offset)
    ends = [info.header_offset for info in ordered[1:]] + [end]
    return {
        info
        for info, next_start in zip(ordered, ends, strict=False)
        if info.header_offset + _LOCAL_HEADER_BYTES + info.compress_size > next_start
    }


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
