"""Zips from untrusted sources, read member by member and never unpacked."""

from __future__ import annotations

import io
import lzma
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

from trendscope.errors import FeedError, ImageError
from trendscope.files import remote, trees
from trendscope.files.formats import sniff
from trendscope.files.other_programs import is_junk, is_library, left_out
from trendscope.files.trees import DiskFile, Located, Place, Tree
from trendscope.files.zip_names import UTF8_NAME, code_page, member_name
from trendscope.limits import FREE_ARCHIVE_BYTES, FREE_MEMBER_BYTES, Limits
from trendscope.skipped import Skipped
from trendscope.text import composed, displayed

_DOCUMENTS = frozenset(
    ".xlsx .xlsm .docx .pptx .odt .ods .odp .epub .jar .apk .cbz .kmz .pages .numbers .key".split()
)
"""Suffixes of zips that are documents and no feeds."""

_CHUNK = 1 << 20

_LOCAL_HEADER_BYTES = 30  # of a member in a zip, before its name

_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    MemoryError,  # a member packed by LZMA names the memory that it wants
    OSError,
    EOFError,
    RuntimeError,  # NotImplementedError too
    ValueError,
)
"""Exceptions that `zipfile` raises for damaged archives."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)

_METHOD_NAMES = {1: "shrinking", **dict.fromkeys((2, 3, 4, 5), "reducing"), 6: "imploding"}
_METHOD_NAMES |= {9: "Deflate64", 93: "Zstandard", 95: "XZ", 98: "PPMd"}

_ENCRYPTED = 0x1

_UNCLEAR = (
    "names of its files are in no certain encoding and may have wrong letters; pack it again with "
    "names in UTF-8, or check the customers' names"
)

_QUOTED = re.compile(r"""b?(['"]).*\1""", re.DOTALL)


File = DiskFile | remote.RemotePath
"""The file of a zip; equal to others of the same path, and may be pickled."""


@lru_cache(maxsize=16)
def _opened(file: File, version: tuple[int, int]) -> zipfile.ZipFile:
    """A zip that stays open while it is among the last ones used: a folder may hold thousands.

    `version` only tells apart what lay there at different times.
    """
    return zipfile.ZipFile(file.open())


@lru_cache(maxsize=16)
def _tree(file: File, limits: Limits) -> ZipTree:
    return ZipTree(file, limits)


def read_member(file: File, limits: Limits, name: str, limit: int) -> bytes:
    """A member's bytes, read in another process, which does not have the tree.

    The limit on all unpacked bytes of a zip holds for each such process.

    Raises:
        ImageError: See `Tree.read`.
    """
    try:
        return _tree(file, limits).read(name, limit)
    except FeedError as error:
        raise ImageError("unreadable", str(error)) from error
    except KeyError as error:
        raise ImageError("unreadable", "the zip was changed while it was read") from error


class ZipTree(Tree):
    """The members of a zip that are safe to read, those of zips inside it included.

    Zips inside are opened in memory, as far as `Limits.depth` says, and share the zip's budget.

    Args:
        home: The customer in whose folder the zip lies, if there is one; else None.
        is_folder: Whether the zip is taken for the one folder that it was made of, if it was; the
            folders in that one then belong to a customer each.
    """

    def __init__(
        self,
        file: File | Path,
        limits: Limits,
        home: Place | None = None,
        *,
        is_folder: bool = False,
    ):
        self._file = DiskFile(file) if isinstance(file, Path) else file
        self._home = home
        self._located = self._file.located
        self.label = self._file.label
        name = composed(displayed(re.sub(r"\.zip$", "", self._file.name, flags=re.IGNORECASE)))
        self.title = series_name(name)
        self.root = self._located.path
        if self.title != name:  # one account, whatever the part
            self.root = f"{self.root.rpartition('/')[0]}/{self.title}"
        self.skipped = []
        self._limits = limits
        self._members: dict[str, tuple[zipfile.ZipFile | None, zipfile.ZipInfo]] = {}
        self._counted = 0
        self._in_memory = 0
        try:
            self._version = self._file.version()
            most = max(FREE_ARCHIVE_BYTES, limits.ratio * self._version[0])
            zip_file = self._open()
        except _DAMAGED as error:
            raise FeedError(
                f"{self.label} cannot be opened as a zip ({_short(error)}); "
                "download the export again"
            ) from error
        if any(0 < info.volume < 0xFFFF for info in zip_file.infolist()):
            raise FeedError(f"{self.label} is one part of a split zip; join the parts first")
        self._budget = min(limits.archive_bytes, most)
        self._left_out: set[str] = set()
        self._add_all(None, "", limits.depth)
        self.names = sorted(self._members)
        tops = {name.partition("/")[0] if "/" in name else "" for name in self.names}
        only = tops.pop() if is_folder and len(tops) == 1 else ""
        self._packed_folder = "" if is_library(only) else only
        start = f"{self._packed_folder}/".lstrip("/")
        self.is_by_date = trees.are_dates(name.removeprefix(start) for name in self.names)

    def _open(self, inner: zipfile.ZipFile | None = None) -> zipfile.ZipFile:
        """The zip inside, or the outer one, which may have been closed since."""
        return inner or _opened(self._file, self._version)

    def _add_all(self, inner: zipfile.ZipFile | None, prefix: str, depth: int) -> None:
        zip_file = self._open(inner)
        _correct_offsets(zip_file)
        infos = zip_file.infolist()
        overlapping = _overlapping(infos, zip_file.start_dir)
        page, is_certain = code_page(infos)
        if not is_certain:
            self._skip(prefix, "unclear_names", _UNCLEAR)
        for info in infos:
            if self._counted >= self._limits.members:
                most = f"more than {self._limits.members:,} members; the rest is not read"
                self._skip(prefix, "archive_limit", most)
                break
            self._counted += 1
            stored = prefix + member_name(info, page)
            name = stored if composed(stored) in self._members else composed(stored)
            if name.endswith("/") or is_junk(name):
                continue
            problem = self._problem(name, info, info in overlapping)
            if (whole := left_out(name, self.title)) and not trees.unsafe(name):
                if whole.place not in self._left_out:
                    self._left_out.add(whole.place)
                    self._skip(whole.place, whole.reason, whole.detail)
            elif problem:
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

    def place(self, name: str) -> Place:
        """The customer in whose folder the zip lies, else as `Tree.place`."""
        if self._home:
            return self._home
        top, _, inside = name.partition("/")
        if self._packed_folder and top == self._packed_folder:
            first, slash, _ = inside.partition("/")
            if slash and not self.is_by_date and not is_library(first):
                return first, f"{self.root}/{top}/{first}"
            return top, f"{self.root}/{top}"
        return super().place(name)

    def file(self, name: str) -> Located:
        """The zip and the member; see `Tree.file`."""
        return self._located._replace(member=name)

    def _problem(self, name: str, info: zipfile.ZipInfo, overlaps: bool) -> tuple[str, str] | None:
        if "\0" in info.orig_filename or trees.unsafe(name):
            return "unsafe_path", "the path leads out of the archive"
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

    def apart(self, name: str, limit: int) -> Callable[[], bytes]:
        """Reads the member elsewhere; see `Tree.apart`."""
        return partial(read_member, self._file, self._limits, name, limit)

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
    """The message of an error in few words, without the names of members that it quotes."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    text = _QUOTED.sub("…", text)
    line = displayed(" ".join(text.split())) or type(error).__name__
    return line if len(line) <= 80 else f"{line[:79]}…"


_WRAP = 1 << 32

_SERIES = (
    re.compile(r"^(?P<name>.+-\d{8}T\d{6}Z)(-\d+)+( ?\(\d+\))?$"),  # Google Takeout and Drive
    re.compile(r"^(?P<name>iCloud.*?) \S+ \d+ \S+ \d+$"),  # iCloud Photos Part 1 of 6
)


def series_name(name: str) -> str:
    """The name of the library whose archives are numbered; the same name if it is no such part."""
    match = next(filter(None, (pattern.match(name) for pattern in _SERIES)), None)
    return match["name"] if match else name


def _correct_offsets(zip_file: zipfile.ZipFile) -> None:
    """Puts right where members begin in zips of macOS, which count up to 4 GiB and then from 0.

    Members lie in the directory's order there, and `zipfile` has put the whole multiples that are
    missing before the directory on top of every member's place.
    """
    infos = zip_file.infolist()
    surplus = min((info.header_offset for info in infos), default=0) // _WRAP * _WRAP
    if zip_file.start_dir < _WRAP or not surplus:
        return
    last = -1
    for info in infos:
        first = info.header_offset - surplus
        offsets = range(first + max(0, last - first) // _WRAP * _WRAP, zip_file.start_dir, _WRAP)
        begins = (offset for offset in offsets if offset > last and _begins(zip_file, info, offset))
        info.header_offset = last = next(begins, first)


def _begins(zip_file: zipfile.ZipFile, info: zipfile.ZipInfo, offset: int) -> bool:
    """Whether the member's own header lies there."""
    encoding = "utf-8" if info.flag_bits & UTF8_NAME else "cp437"
    name = info.orig_filename.encode(encoding)
    assert zip_file.fp is not None
    zip_file.fp.seek(offset)
    header = zip_file.fp.read(_LOCAL_HEADER_BYTES + len(name))
    return header[:4] == b"PK\3\4" and header[_LOCAL_HEADER_BYTES:] == name


def _overlapping(infos: list[zipfile.ZipInfo], end: int) -> set[zipfile.ZipInfo]:
    """Members whose packed bytes reach into the next member, or beyond `end`.

    Zip bombs let thousands of members share the same bytes; only later Pythons look for that.
    """
    ordered = sorted(infos, key=lambda info: info.header_offset)
    ends = [info.header_offset for info in ordered[1:]] + [end]
    return {
        info
        for info, next_start in zip(ordered, ends, strict=False)
        if info.header_offset + _LOCAL_HEADER_BYTES + info.compress_size > next_start
    }


def is_zip(file: File) -> bool:
    """Whether a regular file begins as a zip does, or is named ``.zip`` and is no picture.

    `zipfile.is_zipfile` looks at the end instead: a photo with a zip glued on would be one.
    """
    suffix = os.path.splitext(file.name)[1].lower()
    if suffix in _DOCUMENTS:
        return False
    start = file.start(32)
    if start[:4] in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"):
        return True
    return bool(start) and suffix == ".zip" and sniff(start) is None


def may_be_zip(name: str) -> bool:
    """Whether a file's name allows a zip, so that not every photo is opened twice."""
    return os.path.splitext(name)[1].lower() in (".zip", "")
