"""Reads sidecars: small JSON files that lie beside photos and describe one each."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable
from typing import Any

from trendscope.errors import ImageError
from trendscope.files.trees import Tree
from trendscope.limits import Limits


def read_sidecar(tree: Tree, name: str, limits: Limits) -> dict[str, Any]:
    """A sidecar's fields; none if it cannot be read."""
    try:
        data = tree.read(name, limits.sidecar_bytes)
        if name.endswith(".xz"):
            unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, limits.sidecar_memory)
            data = unpacker.decompress(data, limits.sidecar_bytes)
        fields = json.loads(data.decode("utf-8-sig"))
    except (ImageError, ValueError, RecursionError, lzma.LZMAError, EOFError, MemoryError):
        return {}
    return fields if isinstance(fields, dict) else {}


def at(fields: object, *path: str) -> Any:
    """The value at a path of keys; None if there is none."""
    value: Any = fields
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text(fields: object, *path: str) -> str | None:
    """The text at a path of keys; None if there is none."""
    value = at(fields, *path)
    return value if isinstance(value, str) and value else None


def by_folder(names: Iterable[str]) -> dict[str, list[str]]:
    """Names by the folder they lie in."""
    folders: dict[str, list[str]] = {}
    for name in names:
        folders.setdefault(name.rpartition("/")[0], []).append(name)
    return folders
