"""Trees of files from untrusted sources: their common interface, and folders on disk.

They give sorted member names with forward slashes and read one member at a time under a limit.
`trendscope.files.zips` has those of zips, `trendscope.files.remote` those of object stores.
"""

from __future__ import annotations

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

from trendscope.errors import ImageError
from trendscope.skipped import Skipped
from trendscope.text import displayed


class Located(NamedTuple):
    """The place of an image's bytes, which change only with the file's size or time.

    Attributes:
        path: Absolute path of a file on this disk, or an object's URL.
        member: Name of the archive's member; "" for the file itself.
        version: Size in bytes, and a number that changes with the content, from the
            listing; None for files on this disk, which can be asked.
    """

    path: str
    member: str = ""
    version: tuple[int, int] | None = None


JUNK = {".ds_store", "thumbs.db", "desktop.ini", ".localized"}


Place = tuple[str, str]
"""A customer's name, and the absolute path or URL of the folder or zip of that name."""


class Tree(ABC):
    """Named files, readable one at a time.

    Attributes:
        label: Path or URL for people.
        title: Name without folders; the owner's name where nothing better is known.
        root: Absolute path or URL.
        names: Members in order, with forward slashes.
        skipped: Members that cannot be used, and why.
    """

    label: str
    title: str
    root: str
    names: list[str]
    skipped: list[Skipped]

    @abstractmethod
    def apart(self, name: str, limit: int) -> Callable[[], bytes]:
        """A function that reads the member elsewhere: small when pickled, without the tree."""

    @abstractmethod
    def file(self, name: str) -> Located:
        """The file that holds the member, and the member in it."""

    def read(self, name: str, limit: int) -> bytes:
        """The member's bytes.

        Raises:
            ImageError: It is larger than `limit` bytes, damaged, or cannot be read.
        """
        return self.apart(name, limit)()

    def read_text(self, name: str, limit: int) -> str | None:
        """The member as UTF-8 text; None where `read` refuses it."""
        try:
            return self.read(name, limit).decode("utf-8", "replace")
        except ImageError:
            return None

    def source(self, name: str) -> str:
        """A member's path or URL, for people."""
        return f"{self.label}/{displayed(name)}"

    def place(self, name: str) -> Place:
        """The owner of a member by its path: its top folder, else the tree itself."""
        first, _, rest = name.partition("/")
        return (first, f"{self.root}/{first}") if rest else (self.title, self.root)


@dataclass(frozen=True, slots=True)
class Member:
    """Reads a member of a tree when it is called; sent to another process, it is read there."""

    tree: Tree
    name: str
    limit: int

    def __call__(self) -> bytes:
        """The member's bytes; see `Tree.read`."""
        return self.tree.read(self.name, self.limit)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial, (self.tree.apart(self.name, self.limit),)


def is_junk(name: str) -> bool:
    """Whether it is a file that operating systems leave behind; such are skipped silently."""
    folders, _, last = name.rpartition("/")
    inside = "__MACOSX" in folders and "__MACOSX" in folders.split("/")
    return inside or last.lower() in JUNK or last.startswith("._")


def is_hidden(name: str) -> bool:
    """Whether it is hidden or in a hidden folder, such as Android's ``.trashed-`` photos."""
    if not name.startswith(".") and "/." not in name:
        return False
    return any(part.startswith(".") and part.strip(".") for part in name.split("/"))


HIDDEN = ("hidden", "a hidden or deleted file, not a photo of the feed")


class _View(Tree):
    """A tree of members of other trees."""

    @abstractmethod
    def _member(self, name: str) -> tuple[Tree, str]:
        """The tree that holds a member, and its name there."""

    def read(self, name: str, limit: int) -> bytes:
        tree, member = self._member(name)
        return tree.read(member, limit)

    def apart(self, name: str, limit: int) -> Callable[[], bytes]:
        tree, member = self._member(name)
        return tree.apart(member, limit)

    def source(self, name: str) -> str:
        tree, member = self._member(name)
        return tree.source(member)

    def place(self, name: str) -> Place:
        tree, member = self._member(name)
        return tree.place(member)

    def file(self, name: str) -> Located:
        tree, member = self._member(name)
        return tree.file(member)


class Part(_View):
    """Members of another tree below a folder, or some of them.

    Args:
        tree: The other tree; its skipped members stay with it.
        names: The members, without `root`.
        root: The folder, with a slash at its end; "" for the tree itself.
    """

    def __init__(self, tree: Tree, names: list[str], root: str = ""):
        self.label = f"{tree.label}/{displayed(root)}".rstrip("/")
        self.title = f"{tree.title}/{displayed(root)}".rstrip("/")
        self.root = root
        self.names = names
        self.skipped = []
        self._tree = tree

    @property
    def whole_names(self) -> list[str]:
        """The members as the other tree names them."""
        return [self.root + name for name in self.names]

    def _member(self, name: str) -> tuple[Tree, str]:
        return self._tree, self.root + name


class Joined(_View):
    """The parts of one export as one tree; the part's number stands before each name."""

    def __init__(self, trees: Sequence[Tree]):
        self.label, self.title, self.root = trees[0].label, trees[0].title, trees[0].root
        self.skipped = []
        self._trees = trees
        numbered = enumerate(trees)
        self.names = [f"{number}/{name}" for number, tree in numbered for name in tree.names]

    def _member(self, name: str) -> tuple[Tree, str]:
        number, _, rest = name.partition("/")
        return self._trees[int(number)], rest


@dataclass(frozen=True)
class DiskFile:
    """A file on this computer."""

    path: Path

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.name

    @property
    def label(self) -> str:
        """Its path as it was given, for people."""
        return displayed(str(self.path))

    @property
    def located(self) -> Located:
        """Its absolute path."""
        return Located(os.path.abspath(self.path))

    def version(self) -> tuple[int, int]:
        """Its size and when it was written; raises OSError if it is gone."""
        facts = self.path.stat()
        return facts.st_size, facts.st_mtime_ns

    def open(self) -> IO[bytes]:
        """The file, opened."""
        return self.path.open("rb")

    def start(self, size: int) -> bytes:
        """The first bytes; none where it cannot be read, or is no regular file."""
        if not os.path.isfile(self.path):
            return b""
        try:
            with self.path.open("rb") as file:
                return file.read(size)
        except OSError:
            return b""


class FolderTree(Tree):
    """The regular files below a folder; links are not followed, devices never opened."""

    def __init__(self, folder: Path):
        self.root = os.path.abspath(folder)
        self.label = displayed(str(folder))
        self.title = displayed(folder.resolve().name)
        self.names = []
        self.skipped = []
        self._folder = folder
        for name, problem in sorted(_walk(folder)):
            if problem is None:
                self.names.append(name)
            else:
                self.skipped.append(Skipped(None, self.source(name), *problem))

    def at(self, name: str) -> DiskFile:
        """The file itself."""
        return DiskFile(self._folder / name)

    def apart(self, name: str, limit: int) -> Callable[[], bytes]:
        """Reads the file elsewhere; see `Tree.apart`."""
        return partial(read_file, self._folder / name, limit)

    def file(self, name: str) -> Located:
        """The file itself; see `Tree.file`."""
        return Located(os.path.join(self.root, name))


class LoneFile(FolderTree):
    """One file that the user gave by itself, as the only one of its folder."""

    def __init__(self, path: Path):
        self.root = os.path.abspath(path.parent)
        self.label = displayed(str(path.parent))
        self.title = displayed(path.absolute().parent.name)
        self.names = [path.name]
        self.skipped = []
        self._folder = path.parent
        self._source = displayed(str(path))

    def source(self, name: str) -> str:
        """The path as the user gave it, for people."""
        return self._source

    def place(self, name: str) -> Place:
        """The folder that it lies in."""
        return self.title, self.root


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
            return file.read(facts.st_size)  # of `limit` bytes, all would be allocated at first
    except OSError as error:
        raise ImageError("unreadable", f"the file cannot be read ({_why(error)})") from error


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def unsafe(name: str) -> bool:
    """Whether a member's name is absolute, leaves its folder, or has forbidden characters."""
    return (
        not name
        or "\0" in name
        or "\\" in name
        or name.startswith(("/", "~"))
        or (":" in name and ":" in name.partition("/")[0])
        or (".." in name and ".." in name.split("/"))
    )


def is_url(path: Path | str) -> bool:
    """Whether it is a URL, such as ``s3://bucket/feeds``, and no path on this disk."""
    return "://" in str(path)
