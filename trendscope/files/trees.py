"""Trees of files from untrusted sources: their common interface, and folders on disk.

They give sorted member names with forward slashes and read one member at a time under a limit.
`trendscope.files.zips` has those of zips, `trendscope.files.remote` those of object stores.
"""

from __future__ import annotations

import os
import re
import stat
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import IO, Any, NamedTuple

from trendscope.errors import ImageError
from trendscope.files.other_programs import is_junk, is_library, left_out
from trendscope.skipped import Skipped
from trendscope.text import composed, displayed, escaped


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


Place = tuple[str, str]
"""A customer's name, and the absolute path or URL of the folder or zip of that name."""


class Tree(ABC):
    """Named files, readable one at a time.

    Attributes:
        label: Path or URL for people.
        title: Name without folders; the owner's name where nothing better is known.
        root: Absolute path or URL.
        names: Members in order, with forward slashes, in composed Unicode (see `composed`).
        skipped: Members that cannot be used, and why.
        is_by_date: Whether its folders are years, months or days, and so no customers.
    """

    label: str
    title: str
    root: str
    names: list[str]
    skipped: list[Skipped]
    is_by_date: bool = False

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
        return f"{self.label}/{escaped(name)}"

    def place(self, name: str) -> Place:
        """The owner of a member by its path: its top folder, else the tree itself.

        A photo library's user is the one in whose folder it lies, and so is that of years' folders.
        """
        first, _, rest = name.partition("/")
        if not rest or self.is_by_date or is_library(first):
            return self.title, self.root
        return first, f"{self.root}/{first}"


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
    """Members of another tree, named from a folder that they all lie in.

    Args:
        tree: The other tree; its skipped members stay with it.
        whole_names: The members, as the other tree names them.
        root: The folder, with a slash at its end; "" for the tree itself.
    """

    def __init__(self, tree: Tree, whole_names: list[str], root: str = ""):
        self.label = f"{tree.label}/{escaped(root)}".rstrip("/")
        self.title = f"{tree.title}/{displayed(root)}".rstrip("/")
        self.root = root
        self.names = [name[len(root) :] for name in whole_names] if root else whole_names
        self.whole_names = whole_names
        self.skipped = []
        self._tree = tree

    @property
    def whole(self) -> Tree:
        """The other tree."""
        return self._tree.whole if isinstance(self._tree, Part) else self._tree

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
        return escaped(str(self.path))

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
        self.label = escaped(str(folder))
        self._library_home = folder.resolve().parent if is_library(folder.resolve().name) else None
        self.title = composed(displayed((self._library_home or folder.resolve()).name))
        self.skipped = []
        self._folder = folder
        stored = []
        for name, problem in sorted(_walk(folder)):
            if problem is None:
                stored.append(name)
            else:
                self.skipped.append(Skipped(None, self.source(composed(name)), *problem))
        self._stored_names = in_composed_unicode(stored)
        self.names = sorted(self._stored_names)
        self.is_by_date = are_dates(self.names)

    def place(self, name: str) -> Place:
        """The owner of a member; of a photo library, the one in whose folder it lies."""
        if self._library_home:
            return self.title, str(self._library_home)
        return super().place(name)

    def at(self, name: str) -> DiskFile:
        """The file itself."""
        return DiskFile(self._folder / self._stored_names[name])

    def apart(self, name: str, limit: int) -> Callable[[], bytes]:
        """Reads the file elsewhere; see `Tree.apart`."""
        return partial(read_file, self.at(name).path, limit)

    def file(self, name: str) -> Located:
        """The file itself; see `Tree.file`."""
        return Located(os.path.join(self.root, self._stored_names[name]))


class LoneFile(FolderTree):
    """One file that the user gave by itself, as the only one of its folder."""

    def __init__(self, path: Path):
        self.root = os.path.abspath(path.parent)
        self.label = escaped(str(path.parent))
        self.title = composed(displayed(path.absolute().parent.name))
        self._stored_names = in_composed_unicode([path.name])
        self.names = [*self._stored_names]
        self.skipped = []
        self._folder = path.parent
        self._source = escaped(str(path))

    def source(self, name: str) -> str:
        """The path as the user gave it, for people."""
        return self._source

    def place(self, name: str) -> Place:
        """The folder that it lies in."""
        return self.title, self.root


_DATE = re.compile(r"(19|20)\d\d([-_. ]?(0[1-9]|1[0-2])([-_. ]?(0[1-9]|[12]\d|3[01]))?)?")


def are_dates(names: Iterable[str]) -> bool:
    """Whether there are folders at the top, and all are named for a year, a month or a day."""
    tops = {name.partition("/")[0] for name in names if "/" in name}
    return bool(tops) and all(map(_DATE.fullmatch, tops))


def in_composed_unicode(stored: Iterable[str]) -> dict[str, str]:
    """Names in composed Unicode, each with the name as it is stored.

    Where two files or folders of one place differ in nothing but their Unicode form, the second
    keeps its own.
    """
    names: dict[str, str] = {}
    spelled: dict[str, str] = {}  # stored paths of files and folders, as they are named here
    stored_as: dict[str, str] = {}
    for name in sorted(stored, key=lambda name: name != composed(name)):
        place, path = "", ""
        for part in [] if name.isascii() else name.split("/"):
            path = f"{path}/{part}".lstrip("/")
            if path not in spelled:
                usual = f"{place}/{composed(part)}".lstrip("/")
                own = stored_as.setdefault(usual, path) == path
                spelled[path] = usual if own else f"{place}/{part}".lstrip("/")
            place = spelled[path]
        names[place or name] = name
    return names


def _walk(root: Path) -> Iterator[tuple[str, tuple[str, str] | None]]:
    """Yields names below a folder, in no order, with reason and detail where one is not usable."""
    title = root.resolve().name
    waiting = [""]  # a list and not recursion: folders can lie deeper than Python's stack
    while waiting:
        prefix = waiting.pop()
        try:
            entries = list(os.scandir(root / prefix))
        except OSError as error:
            problem = f"a whole folder could not be read ({_why(error)}): its photos are missing"
            yield prefix.rstrip("/"), ("unreadable", problem)
            continue
        for entry in entries:
            name = prefix + entry.name
            if is_junk(name):
                continue
            if whole := left_out(name, title):
                yield name, (whole.reason, whole.detail)
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


def folder_of(name: str) -> str:
    """The folder that a member lies in, with a slash at its end; "" at the top."""
    return name[: name.rfind("/") + 1]


def shared_end(first: str, second: str) -> int:
    """The number of parts in which the ends of two paths agree."""
    pairs = zip(reversed(first.split("/")), reversed(second.split("/")), strict=False)
    return len([*takewhile(lambda pair: pair[0] == pair[1], pairs)])


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


def tidied(path: str) -> str:
    """A path in a table as trees name it: no backslashes, no ``.``, composed Unicode."""
    parts = composed(path).replace("\\", "/").split("/")
    return "/".join(part for i, part in enumerate(parts) if part != "." and (part or i == 0))


def is_url(path: Path | str) -> bool:
    """Whether it is a URL, such as ``s3://bucket/feeds``, and no path on this disk."""
    return "://" in str(path)
