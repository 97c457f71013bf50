"""Finds items' pictures in folders and zips on this computer; nothing is ever fetched."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from trendscope.catalog.products import Product
from trendscope.errors import FeedError
from trendscope.files.trees import DiskFile, FolderTree, LoneFile, Tree, shared_end, unsafe
from trendscope.files.zips import ZipTree, is_zip
from trendscope.limits import Limits
from trendscope.text import displayed


@dataclass(frozen=True)
class Picture:
    """A picture on this computer; to read it raises `ImageError` where that cannot be done."""

    source: str
    read: Callable[[], bytes]


class Pictures:
    """Finds products' pictures by the names that a catalogue gives them.

    A web address is looked up by its last part, as shops' exports of pictures are named; a path by
    itself, from the catalogue's own folder too; and a product that names none by its SKUs.

    Args:
        paths: Folders, zips and single pictures.
        home: The catalogue's folder; None if nothing is to be looked up there.

    Raises:
        FeedError: One of the paths does not exist.
    """

    def __init__(
        self, paths: Sequence[Path], home: Path | None = None, limits: Limits | None = None
    ):
        self._limits = limits or Limits()
        self._home = home
        self._by_name: defaultdict[str, list[tuple[Tree, str]]] = defaultdict(list)
        self._by_stem: defaultdict[str, list[tuple[Tree, str]]] = defaultdict(list)
        for path in paths:
            tree = _tree(path, self._limits)
            for name in tree.names:
                last = _folded(name.rpartition("/")[2])
                self._by_name[last].append((tree, name))
                self._by_stem[os.path.splitext(last)[0]].append((tree, name))

    def find(self, product: Product) -> Picture | str | None:
        """The product's first picture that is here, or why there is none; None if it names none."""
        problem = None
        for reference in product.pictures:
            picture = self._by_reference(reference)
            if isinstance(picture, Picture):
                return picture
            problem = problem or picture
        if product.pictures:
            return problem
        for stem in map(_folded, dict.fromkeys((product.sku, *product.skus))):
            for name in (stem, f"{stem}_1", f"{stem}-1"):
                members = self._by_stem.get(name, [])
                if len(members) == 1:
                    tree, member = members[0]
                    return self._picture(tree, member)
        return None

    def _by_reference(self, reference: str) -> Picture | str | None:
        web = re.match(r"[a-z][a-z0-9+.-]*://|//", reference, re.IGNORECASE)
        path = unquote(urlsplit(reference).path) if web else reference.replace("\\", "/")
        path = path.lstrip("/") if web else path.removeprefix("./")
        if not web and unsafe(path):
            return f"{displayed(reference)[:80]} leads out of the folder, and is not opened"
        members = self._by_name.get(_folded(path.rpartition("/")[2]), [])
        best = _closest(path, members)
        if len(best) == 1:
            tree, name = best[0]
            return self._picture(tree, name)
        if best:
            return f"{len(best)} pictures are called {displayed(path)[:80]}"
        if web:
            return f"{displayed(path)[:80]} is not among the pictures" if self._by_name else None
        return self._at_home(path) or f"there is no picture {displayed(path)[:80]}"

    def _at_home(self, path: str) -> Picture | None:
        if self._home is None or not path:
            return None
        file = self._home / path
        try:
            inside = file.resolve().is_relative_to(self._home.resolve())
        except (OSError, ValueError, RuntimeError):
            return None
        return self._picture(LoneFile(file), file.name) if inside and os.path.isfile(file) else None

    def _picture(self, tree: Tree, name: str) -> Picture:
        limit = self._limits.file_bytes
        return Picture(tree.source(name), lambda: tree.read(name, limit))


def _tree(path: Path, limits: Limits) -> Tree:
    if os.path.isdir(path):
        return FolderTree(path)
    if is_zip(DiskFile(path)):
        return ZipTree(path, limits)
    if os.path.isfile(path):
        return LoneFile(path)
    raise FeedError(f"{displayed(str(path))} does not exist; give a folder or zip of pictures")


def _closest(path: str, members: Sequence[tuple[Tree, str]]) -> list[tuple[Tree, str]]:
    """The members that share the most last parts with the path: the name, its folder, and so on."""
    shared = [shared_end(_folded(path), _folded(name)) for _, name in members]
    return [member for member, n in zip(members, shared, strict=True) if n == max(shared)]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
