"""Feeds in object stores and on servers, by URLs that fsspec knows: ``s3://bucket/feeds``.

Objects are listed once and read one at a time under the same limits as files. Credentials come from
where the store's own tools have theirs (for S3: environment, ~/.aws), never from URLs. A fault of
one object costs that photo; one of the store ends the run, as all further photos would be refused.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, cast

from trendscope.errors import FeedError, ImageError
from trendscope.files.other_programs import LeftOut, is_junk, left_out
from trendscope.files.trees import Located, Tree, are_dates, in_composed_unicode
from trendscope.skipped import Skipped
from trendscope.text import composed, displayed, escaped

_S3 = {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 2}}
OPTIONS: dict[str, dict[str, Any]] = {"s3": {"config_kwargs": _S3}}
"""Options of fsspec by protocol: short time limits in seconds for servers out of reach."""
_AHEAD = 1 << 20  # bytes of a zip read at a time; most photos in it are smaller


@dataclass(frozen=True)
class RemotePath:
    """An object in a store, or a folder of objects; see also `trendscope.files.zips.File`.

    Attributes:
        fs: The fsspec file system; pickled as its settings.
        path: Path in the store, as `fs` names it.
        size: Size in bytes; -1 where the store does not give one, None for a folder.
        tag: A number that changes with the content; None if the store gives none.
    """

    fs: Any
    path: str
    size: int | None = None
    tag: int | None = None

    @property
    def url(self) -> str:
        """The URL in one spelling."""
        return str(self.fs.unstrip_protocol(self.path)).rstrip("/")

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rstrip("/").rpartition("/")[2]

    @property
    def label(self) -> str:
        """The URL, for people."""
        return escaped(self.url)

    @property
    def located(self) -> Located:
        """Its URL, and its version if the store gives one."""
        versioned = self.size is not None and self.size >= 0 and self.tag is not None
        return Located(self.url, "", self.version() if versioned else None)

    @property
    def parent(self) -> RemotePath:
        """The folder around it."""
        return RemotePath(self.fs, self.path.rstrip("/").rpartition("/")[0])

    def version(self) -> tuple[int, int]:
        """Its size in bytes, and its tag."""
        return self.size or 0, self.tag or 0

    def open(self) -> IO[bytes]:
        """The bytes, fetched as they are read."""
        return cast(IO[bytes], _Fetched(self))

    def start(self, size: int) -> bytes:
        """The first bytes."""
        with _explained(self.label):
            return bytes(self.fs.cat_file(self.path, start=0, end=size)) if self.size else b""


class _Fetched(io.RawIOBase):
    """An object's bytes, fetched as they are read; raises nothing but FeedError."""

    def __init__(self, path: RemotePath):
        self._label = path.label
        with _explained(path.label):
            self._file = path.fs.open(path.path, "rb", block_size=_AHEAD)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readinto(self, buffer: Any) -> int:
        with _explained(self._label):
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def find(url: str) -> RemotePath:
    """The object or folder at a URL.

    Raises:
        FeedError: There is nothing, the store cannot be used, or its library is missing.
    """
    if re.match(r"[^/]*//[^/]*:[^/]*@", url):
        raise FeedError("a password in a URL would be kept with the photos; give it another way")
    with _explained(displayed(url)):
        from fsspec.core import url_to_fs

        protocol = url.partition("://")[0]
        fs, path = url_to_fs(url, **OPTIONS.get(protocol.replace("s3a", "s3"), {}))
        fs.invalidate_cache()  # a listing kept from before may be old
        facts = fs.info(path)
    return _path_of(fs, path.rstrip("/"), facts)


def _path_of(fs: Any, path: str, facts: Mapping[str, Any]) -> RemotePath:
    if facts["type"] == "directory":
        return RemotePath(fs, path)
    keys = ("ETag", "etag", "LastModified", "mtime", "updated", "last_modified", "created")
    version = next((str(facts[name]) for name in keys if facts.get(name)), None)
    digest = hashlib.blake2b(version.encode(), digest_size=8).digest() if version else None
    tag = int.from_bytes(digest) >> 1 if digest else None  # databases have 63 bits and a sign
    size = facts.get("size")
    return RemotePath(fs, path, -1 if size is None else int(size), tag)


class RemoteTree(Tree):
    """The objects below a folder of a store, or one of them.

    Args:
        only: Only object of the tree, in that folder; None for all.
    """

    def __init__(self, folder: RemotePath, only: RemotePath | None = None):
        self.label = folder.label
        self.title = composed(displayed(folder.name))
        self.skipped = []
        self.root = folder.url
        paths = {only.name: only} if only else self._list(folder)
        self._paths = {name: paths[key] for name, key in in_composed_unicode(paths).items()}
        self.names = sorted(self._paths)
        self.is_by_date = are_dates(self.names)

    def _list(self, folder: RemotePath) -> dict[str, RemotePath]:
        with _explained(folder.label):
            listing = folder.fs.find(folder.path, detail=True)
        objects: dict[str, RemotePath] = {}
        closed: set[LeftOut] = set()
        for path, facts in listing.items():
            name = path[len(folder.path) :].lstrip("/")
            if not name or name.endswith("/") or any(map(is_junk, _ways(name))):
                continue
            if whole := left_out(name, folder.name):
                closed.add(whole)
            elif facts["type"] != "directory":
                objects[name] = _path_of(folder.fs, path, facts)
        self.skipped = [
            Skipped(None, self.source(composed(whole.place)), whole.reason, whole.detail)
            for whole in sorted(closed)
        ]
        return objects

    def apart(self, name: str, limit: int) -> Callable[[], bytes]:
        """Reads the object elsewhere; see `Tree.apart`."""
        return partial(read_object, self._paths[name], limit)

    def at(self, name: str) -> RemotePath:
        """The object itself."""
        return self._paths[name]

    def file(self, name: str) -> Located:
        """The object's URL and version; see `Tree.file`."""
        return self._paths[name].located


def _ways(name: str) -> Iterator[str]:
    """The folders on the way to an object, from the top down, and the object."""
    parts = name.split("/")
    return ("/".join(parts[:end]) for end in range(1, len(parts) + 1))


def read_object(path: RemotePath, limit: int) -> bytes:
    """The bytes of an object of at most `limit` bytes.

    Raises:
        ImageError: ``too_large``, or ``unreadable``: it is gone or refused.
        FeedError: The store cannot be reached.
    """
    size = path.size or 0
    if size <= limit:
        try:
            with _explained(path.label, (FileNotFoundError, PermissionError)):
                data = bytes(path.fs.cat_file(path.path)) if size else b""
        except (FileNotFoundError, PermissionError) as error:
            gone = isinstance(error, FileNotFoundError)
            problem = "is no longer there" if gone else "may not be read with these rights"
            raise ImageError("unreadable", f"the object {problem}") from error
        if len(data) <= limit:
            return data
        size = len(data)
    raise ImageError("too_large", f"{size:,} bytes; the limit is {limit:,}")


_ADVICE = {
    "NoCredentialsError PartialCredentialsError ProfileNotFound TokenRetrievalError": (
        "needs credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
    ),
    "PermissionError": "refuses access; check the credentials and their rights",
    "FileNotFoundError": "does not exist; check the bucket and the path",
    "ModuleNotFoundError ImportError": "needs the extra remote: pip install 'trendscope[remote]'",
    "ValueError ParamValidationError": "is no URL that is understood; see s3://bucket/feeds",
}
"""Advice to the user by the names of libraries' exceptions."""


@contextmanager
def _explained(label: str, passed_on: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    try:
        yield
    except passed_on:
        raise
    except Exception as error:  # stores have exceptions of their own, each another family
        kinds = {kind.__name__ for kind in type(error).__mro__}
        otherwise = "cannot be reached; check the network and the address, then run it again"
        fitting = (advice for names, advice in _ADVICE.items() if kinds & {*names.split()})
        advice = next(fitting, otherwise)
        reason = displayed(" ".join(str(error).split()))[:120] or type(error).__name__
        raise FeedError(f"{label} {advice} ({reason})") from error
