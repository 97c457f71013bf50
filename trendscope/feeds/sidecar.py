"""What several readers share: small JSON files that lie beside photos and describe one each."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable
from typing import Any

from trendscope.errors import ImageError
from trendscope.feeds.archive import Tree

LARGEST = 20_000_000
"""Bytes of a sidecar, unpacked; the largest real ones, with all comments, have a few million."""

_PACKED = 100_000_000  # bytes of memory for unpacking xz


def read_sidecar(tree: Tree, name: str) -> dict[str, Any]:
    """A sidecar's fields; none if it cannot be read: then the photo stands for itself."""
    try:
        data = tree.read(name, LARGEST)
        if name.endswith(".xz"):
            unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, _PACKED)
            data = unpacker.decompress(data, LARGEST)
        found = json.loads(data.decode("utf-8-sig"))
    except (ImageError, ValueError, RecursionError, lzma.LZMAError, EOFError, MemoryError):
        return {}
    return found if isinstance(found, dict) else {}


def text(fields: object, *path: str) -> str | None:
    """The text at a path of keys; None if there is none."""
    found: Any = fields
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) and found else None


def by_folder(names: Iterable[str]) -> dict[str, list[str]]:
    """Names by the folder they lie in."""
    folders: dict[str, list[str]] = {}
    for name in names:
        folders.setdefault(name.rpartition("/")[0], []).append(name)
    return folders
