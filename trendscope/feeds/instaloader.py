"""Reads what Instaloader saved: photos named by their UTC time, a sidecar beside each post.

A sidecar's format is Instaloader's own and may change, so nothing in it is required: without it the
file name gives the time and the folder the customer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from trendscope.feeds.dates import first_moment
from trendscope.feeds.post import Post
from trendscope.feeds.request import VIDEOS, Request, not_included, video
from trendscope.feeds.sidecar import at, by_folder, read_sidecar, text
from trendscope.files.trees import Part, Tree, folder_of
from trendscope.skipped import Skipped

# 2023-01-15_10-30-45_UTC_2.jpg: the stem of the post, then the photo's number in it.
_NAME = re.compile(
    r"(?P<stem>\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_UTC)(?P<what>_[^/.]*)?(?P<suffix>\.\w+(\.xz)?)?$"
)
_COMPANION = re.compile(r"\.(json|json\.xz|txt)$")
_OWN_FILE = re.compile(r"(^|/)(id|iterator_[^/]*\.json(\.xz)?|[^/]*_\d+\.json(\.xz)?)$")
# Windows has no colons in names; Instaloader writes one that looks like it.
_OTHER_PEOPLES = re.compile(r"(^|/)[^/]*[:\uff1a](saved|tagged|feed|stories)(/|$)")


def find(tree: Tree, request: Request) -> list[Part]:
    """The members of folders in which files are named as Instaloader does."""
    claimed: list[str] = []
    for names in by_folder(tree.names).values():
        posts = [name for name in names if _match(name)]
        if posts:
            claimed += posts + [name for name in names if _OWN_FILE.search(name)]
    return [Part(tree, claimed)] if claimed else []


def _match(name: str) -> re.Match[str] | None:
    return _NAME.fullmatch(name.rsplit("/", 1)[-1])


def read(part: Part, request: Request) -> Iterator[Post | Skipped]:
    """Reads photo by photo; captions, comments, places and the state of downloads are left."""
    posts: dict[str, list[str]] = {}
    for name in part.names:
        if match := _match(name):
            posts.setdefault(folder_of(name) + match["stem"], []).append(name)
    for stem, names in posts.items():
        yield from _post(part, stem, names, request)


def _post(part: Part, stem: str, names: list[str], request: Request) -> Iterator[Post | Skipped]:
    sidecar = next((n for n in (f"{stem}.json.xz", f"{stem}.json") if n in names), None)
    fields = read_sidecar(part, sidecar, request.limits) if sidecar else {}
    node = fields.get("node", fields)  # before version 4 the fields stood by themselves
    node = node if isinstance(node, dict) else {}
    if _OTHER_PEOPLES.search(stem):
        detail = "posted by others: saved, followed, or the customer is tagged in it"
        photos = (name for name in names if not _COMPANION.search(name))
        yield from (Skipped(None, part.source(name), "private", detail) for name in photos)
        return
    customer = _owner(part, stem, node, request)
    paths = (("date",), ("taken_at_timestamp",), ("iphone_struct", "taken_at"))
    posted_at = first_moment((at(node, *path) for path in paths), request.latest)
    films = {name.rpartition(".")[0] for name in names if name.lower().endswith(VIDEOS)}
    for name in names:
        if _COMPANION.search(name):
            continue
        kind = _kind(name, fields)
        if kind and kind not in request.include:
            yield not_included(part.source(name), customer, kind)
        elif name.lower().endswith(VIDEOS) or _is_still(name, films, node):
            yield video(part.source(name), customer)
        else:
            # The profile's own picture is dated by its name, not by a post.
            own = None if kind == "profile" else posted_at
            yield request.post(part, name, customer, own, name.rsplit("/", 1)[-1])


def _owner(part: Part, stem: str, node: dict[str, Any], request: Request) -> str:
    user = text(node, "owner", "username")
    if user:
        return request.names.of(user, f"instagram:{user.casefold()}")
    return request.owner(part, stem)


def _kind(name: str, fields: dict[str, Any]) -> str | None:
    """The kind of a file that is no photo of a post; None for such photos."""
    if "_UTC_profile_pic" in name:
        return "profile"
    return "stories" if text(fields, "instaloader", "node_type") == "StoryItem" else None


def _is_still(name: str, films: set[str], node: dict[str, Any]) -> bool:
    """Whether it is the still picture that is saved with every video, or in its place."""
    facts = _picture(name, node)
    is_film = facts.get("is_video") is True or facts.get("__typename") == "GraphVideo"
    return is_film or name.rpartition(".")[0] in films


def _picture(name: str, node: dict[str, Any]) -> dict[str, Any]:
    """What a post's sidecar tells of one of its pictures."""
    match = _match(name)
    what = match and match["what"]
    if not what:
        return node
    edges = at(node, "edge_sidecar_to_children", "edges")
    number = int(what[1:]) if what[1:].isdecimal() else 0
    edge = edges[number - 1] if isinstance(edges, list) and 0 < number <= len(edges) else None
    picture = at(edge, "node")
    return picture if isinstance(picture, dict) else {}
