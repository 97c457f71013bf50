"""Reads what gallery-dl saved of Instagram, Pinterest, Twitter and others, with its metadata.

Each photo has a sidecar of its full name and ``.json`` (``--write-metadata``), of which only the
user name, the date, the kind and the number of the picture are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trendscope.feeds.dates import first_moment
from trendscope.feeds.post import Post
from trendscope.feeds.request import VIDEOS, Request, missing_media, not_included, video
from trendscope.feeds.sidecar import by_folder, read_sidecar, text
from trendscope.files.trees import Part, Tree
from trendscope.skipped import Skipped

_OTHER_PEOPLES = {"saved", "liked", "likes", "bookmark", "bookmarks", "favorite", "favorites"}
_OTHER_PEOPLES |= {"tagged", "timeline", "home", "feed", "followed", "following", "reposts"}
_KINDS = {"story": "stories", "stories": "stories", "highlight": "stories", "avatar": "profile"}
_LOCAL = ".json"


def find(tree: Tree, request: Request) -> list[Part]:
    """The members of folders whose sidecars are gallery-dl's."""
    claimed: list[str] = []
    for names in by_folder(tree.names).values():
        sidecars = [name for name in names if _subject(name)]
        if any(_is_own(read_sidecar(tree, name, request.limits)) for name in sidecars[:_PROBED]):
            claimed += names
    return [Part(tree, claimed)] if claimed else []


_PROBED = 3  # sidecars of a folder looked at to tell whose they are


def _subject(name: str) -> str | None:
    """The photo that a sidecar describes: all of its name before ``.json``."""
    stem = name.removesuffix(_LOCAL)
    return stem if stem != name and "." in stem.rsplit("/", 1)[-1] else None


def _is_own(fields: dict[str, Any]) -> bool:
    return text(fields, "category") is not None and bool({"date", "post_date"} & fields.keys())


def read(part: Part, request: Request) -> Iterator[Post | Skipped]:
    """Reads photo by photo; photos that metadata describe and that are missing are named."""
    for names in by_folder(part.names).values():
        members = set(names)
        owner = None
        films = {name.rpartition(".")[0] for name in names if name.lower().endswith(VIDEOS)}
        for name in names:
            if f"{name}{_LOCAL}" in members:
                fields = read_sidecar(part, f"{name}{_LOCAL}", request.limits)
                if _is_other_peoples(fields):
                    # Those who posted it are no customers by that.
                    yield Skipped(None, part.source(name), "private", _OTHERS)
                    continue
                owner = _owner(part, name, fields, request)
                yield _photo(part, name, fields, owner, request, films)
            elif (subject := _subject(name)) and subject not in members:
                customer = owner or request.owner(part, name)
                yield missing_media(part.source(subject), customer)
            elif not name.endswith((_LOCAL, ".txt", ".jsonl")):
                yield _photo(part, name, {}, owner or request.owner(part, name), request, films)


_OTHERS = "posted by others: saved, liked, shared, or the customer is tagged in it"


def _is_other_peoples(fields: dict[str, Any]) -> bool:
    shared = fields.get("retweet_id") or fields.get("reblogged") or fields.get("reblog")
    return text(fields, "subcategory") in _OTHER_PEOPLES or bool(shared)


def _photo(
    part: Part, name: str, fields: dict[str, Any], owner: str, request: Request, films: set[str]
) -> Post | Skipped:
    source = part.source(name)
    kind = _KINDS.get(text(fields, "type") or "") or _KINDS.get(text(fields, "subcategory") or "")
    if kind and kind not in request.include:
        return not_included(source, owner, kind)
    is_still = name.rpartition(".")[0] in films or text(fields, "video_url")
    if is_still or name.lower().endswith(VIDEOS):
        return video(source, owner)
    identity = fields.get("media_id")
    stem = name.rsplit("/", 1)[-1].rpartition(".")[0]
    post_id = str(identity) if isinstance(identity, str | int) else stem
    # gallery-dl writes UTC without saying so, whatever zone is asked for.
    posted_at = first_moment((fields.get("date"), fields.get("post_date")), request.latest)
    return request.post(part, name, owner, posted_at, post_id)


def _owner(part: Part, name: str, fields: dict[str, Any], request: Request) -> str:
    paths = (("username",), ("author", "name"), ("user",), ("user", "name"), ("uploader",))
    user = next(filter(None, (text(fields, *path) for path in paths)), None)
    if user is None:
        return request.owner(part, name)
    service = text(fields, "category") or "gallery-dl"
    return request.names.of(user, f"{service}:{user.casefold()}")
