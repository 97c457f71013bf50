"""Opens the user's folders, zips and files, and hands each part to the reader that recognises it.

A first look lists everything and joins the parts of exports, wherever they lie; then everything is
read in that order. What no reader recognises is a plain photo, or is found to be none when decoded.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import partial
from pathlib import Path

from trendscope.errors import FeedError
from trendscope.feeds import (
    catalogues,
    gallery_dl,
    icloud,
    instagram,
    instaloader,
    manifest,
    meta,
    photos_library,
    takeout,
)
from trendscope.feeds.customers import CustomerNames
from trendscope.feeds.edited_copies import second_copies
from trendscope.feeds.link_exports import pinterest, tiktok
from trendscope.feeds.post import Post
from trendscope.feeds.request import Request
from trendscope.feeds.sidecar import by_folder
from trendscope.files import remote
from trendscope.files.tables import may_be_tables
from trendscope.files.trees import DiskFile, FolderTree, LoneFile, Part, Place, Tree, is_url
from trendscope.files.zips import File, ZipTree, is_zip, may_be_zip
from trendscope.limits import Limits
from trendscope.skipped import Skipped
from trendscope.text import displayed, escaped, plural

Items = Iterable[Post | Skipped]


@dataclass
class _Plan:
    """The steps of reading, in order; those of exports are added once all their parts are known."""

    steps: list[Callable[[], Items]] = field(default_factory=list)
    pieces: list[tuple[int, meta.Piece]] = field(default_factory=list)
    takeouts: list[tuple[int, Part]] = field(default_factory=list)

    def later(self) -> int:
        """Reserves a step for an export whose parts are not joined yet; returns its number."""
        self.steps.append(list)
        return len(self.steps) - 1


def read_all(paths: Sequence[Path | str], request: Request) -> Iterator[Post | Skipped]:
    """Reads paths of any kind as one feed; see `trendscope.feeds.dispatch.open_feed`."""
    plan = _Plan()
    for path in paths:
        if is_url(path):
            _open_remote(remote.find(str(path)), plan, request)
        else:
            _open_local(Path(path), plan, request)
    exports = meta.put_together([piece for _, piece in plan.pieces], request)
    for number, export in exports.items():
        plan.steps[plan.pieces[number][0]] = partial(instagram.read, export, request)
    joined = takeout.put_together([part for _, part in plan.takeouts], request)
    for number, (tree, owner) in joined.items():
        plan.steps[plan.takeouts[number][0]] = partial(takeout.read, tree, owner, request)
    for step in plan.steps:
        yield from step()


def _open_remote(path: remote.RemotePath, plan: _Plan, request: Request) -> None:
    if path.size is None:
        _open_folder(remote.RemoteTree(path), plan, request)
    elif may_be_zip(path.name) and is_zip(path):
        _open_zip(path, plan, request, is_folder=True)
    else:
        lone = remote.RemoteTree(path.parent, only=path)
        _open_file(lone, lambda: remote.RemoteTree(path.parent), plan, request)


def _open_local(path: Path, plan: _Plan, request: Request) -> None:
    # os.path and not Path: a closed folder on the way is False there, and not an error.
    if os.path.isdir(path):
        _open_folder(FolderTree(path), plan, request)
    elif is_zip(DiskFile(path)):
        _open_zip(DiskFile(path), plan, request, is_folder=True)
    elif os.path.isfile(path):
        _open_file(LoneFile(path), lambda: FolderTree(path.parent), plan, request)
    else:
        plan.steps.append(partial(_refuse, path))


def _refuse(path: Path) -> Items:
    problem = ("link", "the link leads nowhere")
    if os.path.exists(path):
        problem = ("special_file", "a pipe, socket or device; only files are read")
    return [Skipped(None, escaped(str(path)), *problem)]


_PROGRAM_DATA = frozenset(".data .bin .db .cache .tmp .bak".split())
"""Suffixes of programs' own files, such as thumbnails of other people's photos."""


def _open_folder(tree: FolderTree | remote.RemoteTree, plan: _Plan, request: Request) -> None:
    zips = [name for name in tree.names if may_be_zip(name) and is_zip(tree.at(name))]
    tree.names = _without(tree.names, zips)
    plan.steps.append(partial(list, tree.skipped))
    rest = _exports(tree, plan, request)
    for name in zips:
        home = tree.place(name) if "/" in name else None
        _open_zip(tree.at(name), plan, request, home)
    plan.steps.append(partial(_photos, tree, rest, request))


def _open_zip(
    file: File, plan: _Plan, request: Request, home: Place | None = None, *, is_folder: bool = False
) -> None:
    try:
        tree = ZipTree(file, request.limits, home, is_folder=is_folder)
    except FeedError as error:
        owner = request.names.of_place(*home) if home else None
        problem = Skipped(owner, file.label, "damaged_archive", str(error))
        plan.steps.append(partial(list, [problem]))
        return
    plan.steps.append(partial(list, tree.skipped))
    rest = _exports(tree, plan, request)
    plan.steps.append(partial(_photos, tree, rest, request))


def _open_file(
    tree: FolderTree | remote.RemoteTree,
    around: Callable[[], FolderTree | remote.RemoteTree],
    plan: _Plan,
    request: Request,
) -> None:
    if manifest.find(tree, request):
        # Given by itself, it speaks for its own lines only, not for all that lies beside it.
        plan.steps.append(partial(manifest.read, around(), request, only=tree.names[0]))
        return
    rest = _exports(tree, plan, request)
    notices = manifest.misnamed(around(), rest, request) if may_be_tables(rest) else {}
    plan.steps.append(partial(list, notices.values()))
    plan.steps.append(partial(_photos, tree, _without(rest, notices), request, by_name=True))


def _exports(tree: Tree, plan: _Plan, request: Request) -> list[str]:
    """Plans the steps of all readers for a tree; returns the names that no reader recognises."""
    rest = tree.names
    for reader in (manifest, icloud, instaloader, gallery_dl):
        for part in reader.find(Part(tree, rest), request):
            plan.steps.append(partial(reader.read, part, request))
            rest = _without(rest, part.whole_names)
    for part in takeout.find(Part(tree, rest), request):
        plan.takeouts.append((plan.later(), part))
        rest = _without(rest, part.whole_names)
    for table, pictures in catalogues.find(tree, rest, request).items():
        plan.steps.append(partial(list, [catalogues.notice(tree, table, pictures)]))
        rest = _without(rest, [table, *pictures])
    library = photos_library.find(tree, rest, request)
    plan.steps.append(partial(list, filter(None, library.values())))
    rest = _without(rest, library)
    contents = meta.find(Part(tree, rest), request)
    plan.pieces += [(plan.later(), piece) for piece in contents.pieces]
    rest = _without(rest, contents.claimed)
    for folder, files in meta.private_files(_without(rest, contents.links)).items():
        detail = f"{plural(len(files), 'file')}: messages, likes, views and the like are never read"
        source = f"{tree.label}/{displayed(folder)}".rstrip("/")
        is_nobodys = meta.is_own_folder(tree.place(files[0])[0])
        owner = None if is_nobodys else request.owner(tree, files[0])
        skipped = Skipped(owner, source, "private", detail)
        plan.steps.append(partial(list, [skipped]))
        rest = _without(rest, files)
    links = contents.links.items()
    notices = {name: tiktok(tree, name, count, request) for name, count in links}
    pins = {name: pinterest(tree, name, request) for name in rest}
    notices |= {name: notice for name, notice in pins.items() if notice}
    notices |= manifest.misnamed(tree, rest, request)
    plan.steps.append(partial(list, notices.values()))
    return _without(rest, notices)


def _without(names: list[str], names_to_drop: Iterable[str]) -> list[str]:
    dropped = set(names_to_drop)
    return [name for name in names if name not in dropped] if dropped else names


def _photos(tree: Tree, names: list[str], request: Request, *, by_name: bool = False) -> Items:
    """Plain photos, each of the customer in whose folder it lies.

    Second copies, and files of programs, are left out unless they were given `by_name`.
    """
    copies: dict[str, tuple[str, str]] = {}
    for inside in [] if by_name else by_folder(names).values():
        copies |= second_copies(inside)
    for name in names:
        suffix = os.path.splitext(name)[1].lower()
        owner = request.owner(tree, name)
        if suffix in _PROGRAM_DATA and not by_name:
            detail = f"a program's own file by its name ({suffix}); rename it if it is a photo"
            yield Skipped(owner, tree.source(name), "not_an_image", detail)
        elif name in copies:
            yield Skipped(owner, tree.source(name), *copies[name])
        else:
            yield request.post(tree, name, owner)


def open_feed(
    paths: Sequence[Path | str],
    *,
    customer: str | None = None,
    include: Collection[str] = (),
    zone: tzinfo = UTC,
    limits: Limits | None = None,
    now: datetime | None = None,
    names: CustomerNames | None = None,
) -> Iterator[Post | Skipped]:
    """Reads feeds of any known kind as one feed, in the order given and sorted within.

    Args:
        paths: Exports of Instagram, Facebook, Google Photos and iCloud Photos (zips or folders;
            the parts of one export are joined), what Instaloader and gallery-dl saved, manifests
            (CSV), folders of photos (images directly in a folder belong to one customer of its
            name; images in sub-folders to one customer per sub-folder, unless all are named for
            years or days), folders of all these at any depth, or single images. A zip counts as the
            folder that it was made of. Text that is a URL names one in a store
            (`trendscope.files.remote`).
        customer: Name of the owner where the feed does not name one, instead of the name of the
            folder or zip. Two customers of one name are kept apart as ``ann`` and ``ann (2)``.
        include: Names from `KINDS` to be read besides posts.
        zone: Time zone assumed for dates without an offset.
        now: The present, aware; dates more than a day later count as missing.
        names: Names of customers from earlier runs, instead of `customer`; new ones are added.

    Raises:
        FeedError: A path is missing, or a store cannot be used.
    """
    for path in paths:
        if is_url(path):
            remote.find(str(path))
        elif not os.path.lexists(path):
            label = displayed(str(path))
            raise FeedError(f"{label} does not exist; check the spelling, or drag the folder here")
    now = now or datetime.now(UTC)
    names = names or CustomerNames(customer)
    request = Request(limits or Limits(), now, frozenset(include), zone, names)
    return read_all(paths, request)
