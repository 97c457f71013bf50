"""Trees of files that may come from anyone: a folder on disk, or a zip that is never unpacked.

Both give sorted member names with forward slashes and read one member at a time under a limit.
"""

from __future__ import annotations

import io
import lzma
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from trendscope.errors import FeedError, ImageError
from trendscope.feeds import Skipped, displayed
from trendscope.limits import FREE_ARCHIVE_BYTES, FREE_MEMBER_BYTES, Limits

_CHUNK = 1 << 20
_LOCAL_HEADER_BYTES = 30  # of a member in a zip, before its name
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    MemoryError,  # a member packed by LZMA names the memory that it wants
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
)
"""What `zipfile` raises for archives that are not as they should be."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_METHOD_NAMES = {
    1: "shrinking",
    2: "reducing",
    3: "reducing",
    4: "reducing",
    5: "reducing",
    6: "imploding",
    9: "Deflate64",
    93: "Zstandard",
    95: "XZ",
    98: "PPMd",
}
_ENCRYPTED = 0x1
_QUOTED = re.compile(r"""b?(['"]).*\1""", re.DOTALL)

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

    def source(self, name: str) -> str:
        """Where a member lies, for people."""

    def place(self, name: str) -> Place:
        """Whose a member is where nothing but its place tells."""


Place = tuple[str, str]
"""A customer's name, and the absolute path of what bears it: a folder or a zip."""


def is_junk(name: str) -> bool:
    """True for what operating systems leave behind; skipped without a word."""
    folders, _, last = name.rpartition("/")
    inside = "__MACOSX" in folders and "__MACOSX" in folders.split("/")
    return inside or last.lower() in JUNK or last.startswith("._")


def is_hidden(name: str) -> bool:
    """True for dot-files and what lies in dot-folders, such as Android's ``.trashed-`` photos."""
    if not name.startswith(".") and "/." not in name:
        return False
    return any(part.startswith(".") and part.strip(".") for part in name.split("/"))


HIDDEN = ("hidden", "a hidden or deleted file, not a photo of the feed")


class Part:
    """What lies below a folder of another tree, or some of it.

    Args:
        tree: The other tree; what that one skipped stays with it.
        names: The members, without `root`.
        root: The folder, with a slash at its end; "" for the tree itself.
    """

    def __init__(self, tree: Tree, names: list[str], root: str = ""):
        self.label = f"{tree.label}/{displayed(root)}".rstrip("/")
        self.title = f"{tree.title}/{displayed(root)}".rstrip("/")
        self.names = names
        self.skipped: list[Skipped] = []
        self._tree = tree
        self._root = root

    @property
    def whole_names(self) -> list[str]:
        """The members as the other tree names them."""
        return [self._root + name for name in self.names]

    def read(self, name: str, limit: int) -> bytes:
        """The member's bytes; see `Tree.read`."""
        return self._tree.read(self._root + name, limit)

    def source(self, name: str) -> str:
        """Where a member lies, for people."""
        return self._tree.source(self._root + name)

    def place(self, name: str) -> Place:
        """Whose a member is, by its place in the other tree."""
        return self._tree.place(self._root + name)

    def file(self, name: str) -> tuple[str, str]:
        """The file on disk that holds it; see `Tree.file`."""
        return self._tree.file(self._root + name)


class Joined:
    """The parts of one export as one tree; the part's number stands before each name."""

    def __init__(self, trees: Sequence[Tree]):
        self.label = trees[0].label
        self.title = trees[0].title
        self.skipped: list[Skipped] = []
        self._trees = trees
        numbered = enumerate(trees)
        self.names = [f"{number}/{name}" for number, tree in numbered for name in tree.names]

    def _member(self, name: str) -> tuple[Tree, str]:
        number, _, rest = name.partition("/")
        return self._trees[int(number)], rest

    def read(self, name: str, limit: int) -> bytes:
        """The member's bytes; see `Tree.read`."""
        tree, rest = self._member(name)
        return tree.read(rest, limit)

    def source(self, name: str) -> str:
        """Where it lies, for people: in its part."""
        tree, rest = self._member(name)
        return tree.source(rest)

    def place(self, name: str) -> Place:
        """Whose it is, by the place of its part."""
        tree, rest = self._member(name)
        return tree.place(rest)

    def file(self, name: str) -> tuple[str, str]:
        """The file on disk that holds it; see `Tree.file`."""
        tree, rest = self._member(name)
        return tree.file(rest)


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
                self.skipped.append(Skipped(None, self.source(name), *problem))

    def read(self, name: str, limit: int) -> bytes:
        """The file's bytes; see `Tree.read`."""
        return read_file(self.root / name, limit)

    def file(self, name: str) -> tuple[str, str]:
        """The file itself; see `Tree.file`."""
        return os.path.join(self._absolute, name), ""

    def source(self, name: str) -> str:
        """The file's path, for people."""
        return f"{self.label}/{displayed(name)}"

    def place(self, name: str) -> Place:
        """The sub-folder that it lies in, else the folder itself."""
        first, _, rest = name.partition("/")
        root = os.path.abspath(self.root)
        return (first, f"{root}/{first}") if rest else (self.title, root)


class LoneFile:
    """One file that was given by itself."""

    def __init__(self, path: Path):
        self.label = displayed(str(path.parent))
        self.title = displayed(path.absolute().parent.name)
        self.names = [path.name]
        self.skipped: list[Skipped] = []
        self._path = path

    def read(self, name: str, limit: int) -> bytes:
        """The file's bytes; see `Tree.read`."""
        return read_file(self._path, limit)

    def source(self, name: str) -> str:
        """The path as it was given, for people."""
        return displayed(str(self._path))

    def place(self, name: str) -> Place:
        """The folder that it lies in."""
        return self.title, os.path.abspath(self._path.parent)

    def file(self, name: str) -> tuple[str, str]:
        """The file itself; see `Tree.file`."""
        return os.path.abspath(self._path), ""


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
            if is_hidden(entry.name):
                yield name, HIDDEN
            elif entry.is_dir(follow_symlinks=False):
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


@lru_cache(maxsize=16)
def _opened(path: Path, changed: int, size: int) -> zipfile.ZipFile:
    """A zip that stays open while it is among the last ones used: a folder may hold thousands.

    `changed` and `size` only tell apart what lay there at different times.
    """
    return zipfile.ZipFile(path)


class ZipTree:
    """The members of a zip that are safe to read, those of zips inside it included.

    Zips inside are opened only so far as `Limits.depth` says, in memory, and use up the same
    budget of members and bytes.

    Args:
        path: The zip.
        limits: What it may ask for.
        home: Whose its photos are where the zip lies in a customer's folder; else None.
    """

    def __init__(self, path: Path, limits: Limits, home: Place | None = None):
        self._path = path
        self._home = home
        self._absolute = os.path.abspath(path)
        self.label = displayed(str(path))
        self.title = displayed(path.name.removesuffix(".zip"))
        self.names: list[str] = []
        self.skipped: list[Skipped] = []
        self._limits = limits
        self._members: dict[str, tuple[zipfile.ZipFile | None, zipfile.ZipInfo]] = {}
        self._counted = 0
        self._in_memory = 0
        try:
            self._facts = path.stat()
            most = max(FREE_ARCHIVE_BYTES, limits.ratio * self._facts.st_size)
            archive = self._open()
        except _DAMAGED as error:
            raise FeedError(
                f"{self.label} cannot be opened as a zip ({_short(error)}); "
                "download the export again"
            ) from error
        if any(0 < info.volume < 0xFFFF for info in archive.infolist()):
            raise FeedError(f"{self.label} is one part of a split zip; join the parts first")
        self._budget = min(limits.archive_bytes, most)
        self._add_all(None, "", limits.depth)
        self.names = sorted(self._members)

    def _open(self, inner: zipfile.ZipFile | None = None) -> zipfile.ZipFile:
        """The zip inside, or the one on disk, which may have been closed since."""
        return inner or _opened(self._path, self._facts.st_mtime_ns, self._facts.st_size)

    def _add_all(self, inner: zipfile.ZipFile | None, prefix: str, depth: int) -> None:
        archive = self._open(inner)
        infos = archive.infolist()
        overlapping = _overlapping(infos, archive.start_dir)
        for info in infos:
            if self._counted >= self._limits.members:
                most = f"more than {self._limits.members:,} members; the rest is not read"
                self._skip(prefix, "archive_limit", most)
                break
            self._counted += 1
            name = prefix + info.filename
            if name.endswith("/") or is_junk(name):
                continue
            problem = self._problem(name, info, info in overlapping)
            if problem:
                self._skip(name, *problem)
            elif name.lower().endswith(".zip"):
                self._open_inner(inner, info, name, depth)
            else:
                self._members[name] = inner, info

    def _open_inner(
        self, outer: zipfile.ZipFile | None, info: zipfile.ZipInfo, name: str, depth: int
    ) -> None:
        room = self._limits.file_bytes - self._in_memory
        if depth < 1 or info.file_size > room:
            self._skip(
                name, "nested_archive", "a zip inside a zip is not opened; give it by itself"
            )
            return
        try:
            data = self._read(outer, info, room)
            self._in_memory += len(data)
            inner = zipfile.ZipFile(io.BytesIO(data))
        except ImageError as error:
            self._skip(name, error.reason, str(error))
        except _DAMAGED as error:
            self._skip(name, "damaged_archive", f"cannot be opened as a zip ({_short(error)})")
        else:
            self._add_all(inner, f"{name}/", depth - 1)

    def _skip(self, name: str, reason: str, detail: str) -> None:
        source = self.source(name).rstrip("/") if name else self.label
        self.skipped.append(Skipped(None, source, reason, detail))

    def source(self, name: str) -> str:
        """The zip's path and the member's in it, for people."""
        return f"{self.label}/{displayed(name)}"

    def place(self, name: str) -> Place:
        """The folder that the zip lies in, else a sub-folder in the zip, else the zip's name."""
        if self._home:
            return self._home
        first, _, rest = name.partition("/")
        root = os.path.abspath(self._path)
        return (first, f"{root}/{first}") if rest else (self.title, root)

    def file(self, name: str) -> tuple[str, str]:
        """The zip and the member; see `Tree.file`."""
        return self._absolute, name

    def _problem(self, name: str, info: zipfile.ZipInfo, overlaps: bool) -> tuple[str, str] | None:
        if unsafe(info.orig_filename):
            return "unsafe_path", "the path leads out of the archive"
        if is_hidden(name):
            return HIDDEN
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            return "link", "a link or device inside the archive"
        if info.flag_bits & _ENCRYPTED:
            return "encrypted", "protected by a password; export without one"
        if info.compress_type not in _METHODS:
            return (
                "unsupported_compression",
                f"packed by {_METHOD_NAMES.get(info.compress_type, 'an unknown method')} "
                f"(method {info.compress_type}); pack it as an ordinary zip (deflate)",
            )
        if overlaps:
            return "damaged_archive", "its data overlap another member's"
        if name in self._members:
            return "duplicate", "a second member of the same name"
        return None

    def read(self, name: str, limit: int) -> bytes:
        """The member's bytes, counted while they are unpacked; see `Tree.read`."""
        return self._read(*self._members[name], limit)

    def _read(self, inner: zipfile.ZipFile | None, info: zipfile.ZipInfo, limit: int) -> bytes:
        try:
            return self._unpack(inner, info, limit)
        except _DAMAGED as error:
            problem = f"damaged inside the archive ({_short(error)})"
            raise ImageError("damaged_archive", problem) from error

    def _unpack(self, inner: zipfile.ZipFile | None, info: zipfile.ZipInfo, limit: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        most = max(FREE_MEMBER_BYTES, self._limits.ratio * info.compress_size)
        most = max(min(limit, self._budget, most), 0)
        with self._open(inner).open(info) as member:
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


def _short(error: Exception) -> str:
    """What went wrong in few words, without the names that zip errors quote: anybody's."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    text = _QUOTED.sub("…", text)
    line = displayed(" ".join(text.split())) or type(error).__name__
    return line if len(line) <= 80 else f"{line[:79]}…"


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
    return (
        not name
        or "\0" in name
        or "\\" in name
        or name.startswith(("/", "~"))
        or (":" in name and ":" in name.partition("/")[0])
        or (".." in name and ".." in name.split("/"))
    )
