"""Opens what the user gave: folders, zips and files, shared out among the readers.

A first look finds out what there is and puts the parts of exports together, wherever they lie; then
everything is read in the order in which it was found. What no reader knows is a plain photo, or
turns out to be none when it is decoded.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from trendscope.errors import FeedError
from trendscope.feeds import (
    Post,
    Skipped,
    displayed,
    gallery_dl,
    instagram,
    instaloader,
    is_url,
    links,
    manifest,
    meta,
    remote,
    shops,
    takeout,
)
from trendscope.feeds.archive import DiskFile, FolderTree, LoneFile, Part, Place, Tree
from trendscope.feeds.request import Request
from trendscope.feeds.zips import ZipTree
from trendscope.formats import sniff

Items = Iterable[Post | Skipped]


@dataclass
class _Plan:
    """What is to be read, in order; for the parts of exports, once all are found."""

    steps: list[Callable[[], Items]] = field(default_factory=list)
    pieces: list[tuple[int, meta.Piece]] = field(default_factory=list)
    takeouts: list[tuple[int, Part]] = field(default_factory=list)

    def later(self) -> int:
        """Keeps a place in the order for what is not put together yet."""
        self.steps.append(list)
        return len(self.steps) - 1


def read_all(paths: Sequence[Path | str], request: Request) -> Iterator[Post | Skipped]:
    """Reads paths of any kind as one feed; see `trendscope.feeds.open_feed`."""
    plan = _Plan()
    for path in paths:
        _open(path, plan, request)
    exports = meta.put_together([piece for _, piece in plan.pieces], request)
    for number, export in exports.items():
        plan.steps[plan.pieces[number][0]] = partial(instagram.read, export, request)
    joined = takeout.put_together([part for _, part in plan.takeouts], request)
    for number, (tree, owner) in joined.items():
        plan.steps[plan.takeouts[number][0]] = partial(takeout.read, tree, owner, request)
    for step in plan.steps:
        yield from step()


def _open(path: Path | str, plan: _Plan, request: Request) -> None:
    if is_url(path):
        _open_remote(remote.find(str(path)), plan, request)
    else:
        _open_local(Path(path), plan, request)


def _open_remote(thing: remote.Thing, plan: _Plan, request: Request) -> None:
    if thing.size is None:
        _open_folder(remote.RemoteTree(thing), plan, request)
    elif _may_be_zip(thing.name) and is_zip(thing):
        _open_zip(thing, plan, request)
    else:
        lone = remote.RemoteTree(thing.parent, only=thing)
        _open_file(lone, lambda: remote.RemoteTree(thing.parent), plan, request)


def _open_local(path: Path, plan: _Plan, request: Request) -> None:
    # os.path and not Path: a closed folder on the way is False there, and not an error.
    if os.path.isdir(path):
        _open_folder(FolderTree(path), plan, request)
    elif is_zip(DiskFile(path)):
        _open_zip(DiskFile(path), plan, request)
    elif os.path.isfile(path):
        _open_file(LoneFile(path), lambda: FolderTree(path.parent), plan, request)
    else:
        plan.steps.append(partial(_refuse, path))


def _refuse(path: Path) -> Items:
    problem = ("link", "the link leads nowhere")
    if os.path.exists(path):
        problem = ("special_file", "a pipe, socket or device; only files are read")
    return [Skipped(None, displayed(str(path)), *problem)]


_DOCUMENTS = frozenset(
    ".xlsx .xlsm .docx .pptx .odt .ods .odp .epub .jar .apk .cbz .kmz .pages .numbers .key".split()
)
"""Suffixes of files that are zips inside, and no feeds."""

_PROGRAM_DATA = frozenset(".data .bin .db .cache .tmp .bak".split())
"""Suffixes of what programs keep for themselves, thumbnails of other people's photos too."""


def is_zip(file: DiskFile | remote.Thing) -> bool:
    """True for a regular file that begins as a zip does, or is called one and is no picture.

    `zipfile.is_zipfile` looks at the end instead: a photo with a zip glued on would be one.
    """
    suffix = os.path.splitext(file.name)[1].lower()
    if suffix in _DOCUMENTS:
        return False
    start = file.start(32)
    if start[:4] in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"):
        return True
    return bool(start) and suffix == ".zip" and sniff(start) is None


def _may_be_zip(name: str) -> bool:
    """By name, so that not every photo is opened twice, and office documents stay closed."""
    return os.path.splitext(name)[1].lower() in (".zip", "")


def _open_folder(tree: FolderTree | remote.RemoteTree, plan: _Plan, request: Request) -> None:
    zips = [name for name in tree.names if _may_be_zip(name) and is_zip(tree.at(name))]
    tree.names = _without(tree.names, zips)
    plan.steps.append(partial(list, tree.skipped))
    rest = _exports(tree, plan, request)
    for name in zips:
        home = tree.place(name) if "/" in name else None
        _open_zip(tree.at(name), plan, request, home)
    plan.steps.append(partial(_photos, tree, rest, request))


def _open_zip(
    file: DiskFile | remote.Thing, plan: _Plan, request: Request, home: Place | None = None
) -> None:
    try:
        tree = ZipTree(file, request.limits, home)
    except FeedError as error:
        owner = request.names.of_place(*home) if home else None
        problem = Skipped(owner, file.shown, "damaged_archive", str(error))
        plan.steps.append(partial(list, [problem]))
        return
    plan.steps.append(partial(list, tree.skipped))
    rest = _exports(tree, plan, request)
    plan.steps.append(partial(_photos, tree, rest, request))


def _open_file(
    tree: LoneFile | remote.RemoteTree,
    around: Callable[[], FolderTree | remote.RemoteTree],
    plan: _Plan,
    request: Request,
) -> None:
    if manifest.find(tree, request):
        # Given by itself, it speaks for its own lines only, not for all that lies beside it.
        plan.steps.append(partial(manifest.read, around(), request, only=tree.names[0]))
        return
    rest = _exports(tree, plan, request)
    plan.steps.append(partial(_photos, tree, rest, request, asked=True))


def _exports(tree: Tree, plan: _Plan, request: Request) -> list[str]:
    """Plans what the readers know of a tree; returns the names that none of them does."""
    rest = tree.names
    for reader in (manifest, instaloader, gallery_dl):
        for part in reader.find(Part(tree, rest), request):
            plan.steps.append(partial(reader.read, part, request))
            rest = _without(rest, part.whole_names)
    for part in takeout.find(Part(tree, rest), request):
        plan.takeouts.append((plan.later(), part))
        rest = _without(rest, part.whole_names)
    for table, pictures in shops.find(tree, rest, request).items():
        plan.steps.append(partial(list, [shops.skipped(tree, table, pictures)]))
        rest = _without(rest, [table, *pictures])
    found = meta.find(Part(tree, rest), request)
    plan.pieces += [(plan.later(), piece) for piece in found.pieces]
    rest = _without(rest, found.claimed)
    notices = {name: links.tiktok(tree, name, n, request) for name, n in found.links.items()}
    pages = {name: links.pinterest(tree, name, request) for name in rest}
    notices |= {name: notice for name, notice in pages.items() if notice}
    plan.steps.append(partial(list, notices.values()))
    return _without(rest, notices)


def _without(names: list[str], taken: Iterable[str]) -> list[str]:
    known = set(taken)
    return [name for name in names if name not in known] if known else names


def _photos(tree: Tree, names: list[str], request: Request, *, asked: bool = False) -> Items:
    """Plain photos, each of the customer in whose folder it lies; what was `asked` for by name."""
    for name in names:
        suffix = os.path.splitext(name)[1].lower()
        owner = request.owner(tree, name)
        if suffix in _PROGRAM_DATA and not asked:
            detail = f"a program's own file by its name ({suffix}); rename it if it is a photo"
            yield Skipped(owner, tree.source(name), "not_an_image", detail)
        else:
            yield request.post(tree, name, owner)
