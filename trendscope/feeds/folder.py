"""Plain folders of photos, folders of feeds, and single images."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from trendscope.errors import FeedError
from trendscope.feeds import DateSource, Limits, Post, Skipped, displayed, instagram
from trendscope.feeds.archive import FolderTree, Part, Tree, ZipTree, read_file

# A date and perhaps a time in names that phones, Instaloader and WhatsApp give their files.
_NAMED_DATE = re.compile(
    r"(?<!\d)(20\d\d)-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])"
    r"(?:[-_ T]([01]\d|2[0-3])-?([0-5]\d)-?([0-5]\d))?(?!\d{5})"
)


def read(
    path: Path, customer: str | None, limits: Limits, now: datetime
) -> Iterator[Post | Skipped]:
    """Reads one path of any kind; see `trendscope.feeds.open_feed`."""
    source = displayed(str(path))
    # os.path and not Path: a closed folder on the way is False there, and not an error.
    if os.path.isdir(path):
        yield from _read_folder(path, customer, limits, now)
    elif is_zip(path):
        yield from _read_zip(path, customer, limits, now)
    elif os.path.isfile(path):
        yield _post(path, customer or displayed(path.absolute().parent.name), limits, now)
    elif os.path.exists(path):
        detail = "a pipe, socket or device; only files are read"
        yield Skipped(customer, source, "special_file", detail)
    else:
        yield Skipped(customer, source, "link", "the link leads nowhere")


def is_zip(path: Path) -> bool:
    """True for a regular file that begins as a zip does.

    `zipfile.is_zipfile` looks at the end instead: a photo with a zip glued on would be one.
    """
    if not os.path.isfile(path):
        return False
    try:
        with path.open("rb") as file:
            return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
    except OSError:
        return False


def _read_folder(
    path: Path, customer: str | None, limits: Limits, now: datetime
) -> Iterator[Post | Skipped]:
    tree = FolderTree(path)
    yield from tree.skipped
    exports = instagram.exports(tree.names)
    yield from _read_exports(tree, exports, customer, limits, now)
    rest = _outside(tree, exports)
    zips = {name for name in rest if _may_be_zip(name) and is_zip(path / name)}
    for name in sorted(zips):
        first = displayed(name.partition("/")[0]) if "/" in name else None
        yield from _read_zip(path / name, customer, limits, now, first)
    for name in rest:
        if name not in zips:
            yield _post(path / name, customer or _owner(tree, name), limits, now)


def _may_be_zip(name: str) -> bool:
    """By name, so that not every photo is opened twice, and office documents stay closed."""
    return os.path.splitext(name)[1].lower() in (".zip", "")


def _read_zip(
    path: Path, customer: str | None, limits: Limits, now: datetime, folder: str | None = None
) -> Iterator[Post | Skipped]:
    """Reads a zip of an export or of photos; photos belong to the `folder` that it lies in."""
    try:
        tree = ZipTree(path, limits)
    except FeedError as error:
        yield Skipped(customer or folder, displayed(str(path)), "damaged_archive", str(error))
        return
    yield from tree.skipped
    exports = instagram.exports(tree.names)
    yield from _read_exports(tree, exports, customer, limits, now)
    for name in _outside(tree, exports):
        yield _member(tree, name, customer or folder or _owner(tree, name), limits, now)


def _read_exports(
    tree: Tree,
    exports: dict[str, list[str]],
    customer: str | None,
    limits: Limits,
    now: datetime,
) -> Iterator[Post | Skipped]:
    for root, names in exports.items():
        title = f"{tree.title}/{displayed(root)}".rstrip("/")
        yield from instagram.read(Part(tree, title, names), customer, limits, now)


def _outside(tree: Tree, exports: dict[str, list[str]]) -> list[str]:
    covered = {name for names in exports.values() for name in names}
    return [name for name in tree.names if name not in covered]


def _owner(tree: Tree, name: str) -> str:
    """The customer of a photo: the sub-folder that it lies in, else the tree itself."""
    first, _, rest = name.partition("/")
    return displayed(first) if rest else tree.title


def _member(tree: Tree, name: str, customer: str, limits: Limits, now: datetime) -> Post:
    posted_at, date_source = named_date(name.rsplit("/", 1)[-1], now)
    read_member = partial(tree.read, name, limits.file_bytes)
    source = f"{tree.label}/{displayed(name)}"
    return Post(customer, source, posted_at, date_source, source, read_member, tree.file(name))


def _post(path: Path, customer: str, limits: Limits, now: datetime) -> Post:
    posted_at, date_source = named_date(path.name, now)
    read_it = partial(read_file, path, limits.file_bytes)
    source = displayed(str(path))
    file = (os.path.abspath(path), "")
    return Post(customer, source, posted_at, date_source, source, read_it, file)


def named_date(name: str, now: datetime) -> tuple[datetime | None, DateSource]:
    """The date in a file name such as ``IMG_20240131_123456.jpg``, taken as UTC.

    None for a name without one, or with one more than a day after `now`.
    """
    match = _NAMED_DATE.search(name)
    if not match:
        return None, "none"
    try:
        numbers = [int(part) for part in match.groups(default="0")]
        found = datetime(*numbers, tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError:  # the 31st of February
        return None, "none"
    return (found, "file name") if found <= now + timedelta(days=1) else (None, "none")
