"""Plain folders of photos, folders of feeds, and single images."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from trendscope.errors import FeedError
from trendscope.feeds import DateSource, Limits, Post, Skipped, displayed, instagram
from trendscope.feeds.archive import FolderTree, Tree, ZipTree, read_file

# A date and perhaps a time in names that phones, Instaloader and WhatsApp give their files.
_NAMED_DATE = re.compile(
    r"(?<!\d)(20\d\d)-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])"
    r"(?:[-_ T]([01]\d|2[0-3])-?([0-5]\d)-?([0-5]\d))?(?!\d{5})"
)


def read(path: Path, customer: str | None, limits: Limits) -> Iterator[Post | Skipped]:
    """Reads one path of any kind; see `trendscope.feeds.open_feed`."""
    if path.is_symlink() and not path.exists():
        yield Skipped(customer, displayed(str(path)), "link", "the link leads nowhere")
    elif path.is_dir():
        yield from _read_folder(path, customer, limits)
    elif is_zip(path):
        yield from _read_zip(path, customer, limits)
    else:
        yield _post(path, customer or displayed(path.absolute().parent.name), limits)


def is_zip(path: Path) -> bool:
    """True for a regular file that begins as a zip does.

    `zipfile.is_zipfile` looks at the end instead: a photo with a zip glued on would be one.
    """
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
    except OSError:
        return False


def _read_folder(path: Path, customer: str | None, limits: Limits) -> Iterator[Post | Skipped]:
    tree = FolderTree(path)
    if instagram.recognised(tree):
        yield from instagram.read(tree, customer, limits)
        return
    yield from tree.skipped
    owner = customer or displayed(path.resolve().name)
    exports, inside = _exports(tree, path)
    for export in exports:
        yield from read(export, customer, limits)
    for name in tree.names:
        if name in inside:
            continue
        first, _, rest = name.partition("/")
        yield _post(path / name, customer or (displayed(first) if rest else owner), limits)


def _exports(tree: FolderTree, path: Path) -> tuple[list[Path], set[str]]:
    """Zips and unpacked Instagram exports directly in a folder, and the names that they cover."""
    zips = {n for n in tree.names if "/" not in n and n.lower().endswith(".zip")}
    children = sorted({n.partition("/")[0] for n in tree.names if "/" in n})
    folders = [c for c in children if instagram.recognised_names(_below(tree, c))]
    covered = {n for n in tree.names if n.partition("/")[0] in folders} | zips
    return [path / name for name in sorted(zips | set(folders))], covered


def _below(tree: FolderTree, child: str) -> list[str]:
    return [n.partition("/")[2] for n in tree.names if n.startswith(child + "/")]


def _read_zip(path: Path, customer: str | None, limits: Limits) -> Iterator[Post | Skipped]:
    try:
        tree = ZipTree(path, limits)
    except FeedError as error:
        yield Skipped(customer, displayed(str(path)), "damaged_archive", str(error))
        return
    if instagram.recognised(tree):
        yield from instagram.read(tree, customer, limits)
        return
    yield from tree.skipped
    for name in tree.names:
        owner = customer or displayed(name.partition("/")[0] if "/" in name else path.stem)
        yield _member(tree, name, owner, limits)


def _member(tree: Tree, name: str, customer: str, limits: Limits) -> Post:
    posted_at, date_source = named_date(name)
    read_member = partial(tree.read, name, limits.file_bytes)
    source = f"{tree.label}/{displayed(name)}"
    return Post(customer, source, posted_at, date_source, source, read_member)


def _post(path: Path, customer: str, limits: Limits) -> Post:
    posted_at, date_source = named_date(path.name)
    read_it = partial(read_file, path, limits.file_bytes)
    source = displayed(str(path))
    return Post(customer, source, posted_at, date_source, source, read_it)


def named_date(name: str) -> tuple[datetime | None, DateSource]:
    """The date in a file name such as ``IMG_20240131_123456.jpg``, taken as UTC."""
    match = _NAMED_DATE.search(name)
    if not match:
        return None, "none"
    try:
        numbers = [int(part) for part in match.groups(default="0")]
        return datetime(*numbers, tzinfo=UTC), "file name"  # type: ignore[misc,arg-type]
    except ValueError:  # the 31st of February
        return None, "none"
