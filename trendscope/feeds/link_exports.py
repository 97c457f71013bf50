"""Exports that hold links and no photos: TikTok's and Pinterest's. Nothing is ever fetched."""

from __future__ import annotations

import re

from trendscope.feeds.meta_html import PAGES
from trendscope.feeds.request import Request
from trendscope.files.trees import Tree
from trendscope.skipped import Skipped
from trendscope.text import plural

_TIKTOK = (
    "a TikTok export: it holds links to {} and no photos; ask the customer for a "
    "folder of photos or an Instagram export instead"
)
_PINTEREST = (
    "a Pinterest export: it holds links and no photos; save the pins with gallery-dl "
    "(--write-metadata) and give its folder instead"
)
_PIN = re.compile(r"Board Name.*pinimg|pinimg.*Board Name|pinterest\.\w+/pin/", re.DOTALL)


def tiktok(tree: Tree, name: str, links: int, request: Request) -> Skipped:
    """The notice for TikTok's index with a number of links."""
    detail = _TIKTOK.format(plural(links, "video"))
    return Skipped(request.owner(tree, name), tree.source(name), "links_only", detail)


def pinterest(tree: Tree, name: str, request: Request) -> Skipped | None:
    """The notice for a page of a Pinterest export; None if it is another page."""
    is_page = name.lower().endswith(PAGES)
    if not (is_page and _PIN.search(tree.read_text(name, request.limits.json_bytes) or "")):
        return None
    return Skipped(request.owner(tree, name), tree.source(name), "links_only", _PINTEREST)
