"""Reads an export of Instagram or Facebook once its parts are together: every photo once.

Only posts are read, unless more is asked for; never messages, nor what was saved, liked or deleted.
Every member is a photo, or named as skipped, or counted in a line of its folder.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

from trendscope.feeds.dates import FIRST_DAY, first_moment
from trendscope.feeds.meta import PRIVATE, Export, is_private
from trendscope.feeds.meta_html import ADVICE
from trendscope.feeds.meta_json import KIND_ORDER, Kind, kind_of_file
from trendscope.feeds.post import KINDS, Post
from trendscope.feeds.request import DATA, VIDEOS, Request, missing_media, unsafe_path, video
from trendscope.files.trees import unsafe
from trendscope.skipped import Skipped
from trendscope.text import displayed, plural

OPENED = {"instagram": datetime(2010, 10, 6, tzinfo=UTC), "facebook": FIRST_DAY}
"""Earliest believed date by service. Facebook has photos older than itself: cameras date them."""

_MEDIA_ID = re.compile(r"(\d{15,20})(?=\.\w+$|$)")
_KINDS_OF_PLACES: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (re.compile(r"(^|/)(public-)?media/archived_posts/"), "archived"),
    (re.compile(r"(^|/)((public-)?media/)?stories/"), "stories"),
    (re.compile(r"(^|/)((public-)?media/profile|profile|media/ProfilePictures[^/]*)/"), "profile"),
    (re.compile(r"(^|/)(public-)?media/other/"), "other"),
    (re.compile(r"(^|/)(public-)?media/((posts|reels|igtv)/|$)"), "listed"),
    (re.compile(r"(^|/)posts/media/|^(photos|photos_and_videos)/"), "listed"),
)


@dataclass(slots=True)
class _Medium:
    """One photo or video, as all indexes together describe it."""

    uri: str
    stamps: list[object]
    kinds: set[Kind]


@dataclass
class _Account:
    """The members used so far, and how many files of each part were left out."""

    used: set[str]
    parts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def leave_out(self, kind: Kind | None, name: str) -> None:
        """Counts a file in the line of its folder, at most two deep; a kind of None is no photo."""
        reason, what = "other_data", "not about photos"
        if kind == "private":
            reason, what = "private", "messages, saved, liked and deleted things are never read"
        elif kind:
            advice = f"add --include {kind} to read them" if kind in KINDS else "no posts"
            reason, what = "not_included", advice
        folder = "/".join(name.split("/")[:-1][:2]) or name
        self.parts[reason, what, folder] += 1


def read(export: Export, request: Request) -> Iterator[Post | Skipped]:
    """Reads media of the indexes, then other media; then lists what was left out."""
    yield from export.skipped
    for page in export.pages:
        yield Skipped(export.owner, export.tree.source(page), "html_export", ADVICE)
    account = _Account(set(export.consumed))
    places = _places(export.tree.names)
    identities = set()
    for identity, medium in _media(export).items():
        identities.add(identity)
        yield from _indexed(export, medium, places, account, request)
    yield from _rest(export, identities, account, request)
    for (reason, what, folder), count in sorted(account.parts.items()):
        detail = f"{plural(count, 'file')}: {what}"
        yield Skipped(export.owner, f"{export.tree.label}/{displayed(folder)}", reason, detail)


def _media(export: Export) -> dict[str, _Medium]:
    """The media that the indexes name, each once, by Instagram's own number or else the uri."""
    media: dict[str, _Medium] = {}
    by_uri: dict[str, _Medium] = {}  # most are named by two indexes, in the same words
    for uri, stamps, kind in export.entries:
        medium = by_uri.get(uri)
        if medium is None:
            medium = by_uri[uri] = media.setdefault(media_id(uri), _Medium(uri, [], set()))
            medium.kinds.add(kind_of_place(uri) or "listed")
        medium.stamps += stamps
        medium.kinds.add(kind)
    return media


def media_id(uri: str) -> str:
    """Instagram's own number of the image, the same in every export; else the uri."""
    match = _MEDIA_ID.search(uri)
    return match[1] if match else uri


def kind_of_place(name: str) -> Kind | None:
    """The kind of a photo by its folder; None where that tells nothing."""
    return _kind_of_folder(name.rpartition("/")[0] + "/")


@lru_cache(10_000)
def _kind_of_folder(folder: str) -> Kind | None:
    if PRIVATE.search(folder):
        return "private"
    return next((kind for pattern, kind in _KINDS_OF_PLACES if pattern.search(folder)), None)


def _is_requested(kind: Kind, request: Request) -> bool:
    return kind in ("posts", "listed") or kind in request.include


def _indexed(
    export: Export,
    medium: _Medium,
    places: dict[str, list[str]],
    account: _Account,
    request: Request,
) -> Iterator[Post | Skipped]:
    uri, owner, tree = medium.uri, export.owner, export.tree
    source = f"{tree.label}/{displayed(uri)}"
    if uri.lower().endswith(DATA):
        return
    outside = "://" in uri or unsafe(uri)
    kind = min(medium.kinds, key=KIND_ORDER.index)
    requested = _is_requested(kind, request)
    members = [] if outside else _resolve(uri, places, guess=requested)
    copies = [name for name in members if name not in account.used]
    account.used.update(copies)
    if not requested:
        for name in copies:
            account.leave_out(kind, name.partition("/")[2])
    elif outside:
        yield unsafe_path(source, owner)
    elif uri.lower().endswith(VIDEOS):
        yield video(source, owner)
    elif copies:
        earliest = OPENED[export.service]
        posted_at = first_moment(medium.stamps, request.latest, earliest=earliest)
        yield request.post(tree, copies[0], owner, posted_at, media_id(uri), dated_name=False)
    else:
        yield missing_media(source, owner)


def _places(names: list[str]) -> dict[str, list[str]]:
    """The members that may be photos of a post, by their last part."""
    places: dict[str, list[str]] = {}
    for name in names:
        if not is_private(name):
            places.setdefault(name.rsplit("/", 1)[-1], []).append(name)
    return places


def _resolve(uri: str, places: dict[str, list[str]], *, guess: bool) -> list[str]:
    """The members that a uri stands for, which is relative to the export's root.

    An export may hold copies of a photo in a second folder, and its parts may overlap. A `guess` is
    a photo of the same name elsewhere.
    """
    candidates = places.get(uri.rsplit("/", 1)[-1], [])
    exact = [name for name in candidates if name.partition("/")[2] == uri]
    if _MEDIA_ID.search(uri):
        return exact + [name for name in candidates if name not in exact]
    if exact or not guess:
        return exact
    below = [name for name in candidates if name.endswith("/" + uri)]
    return below[:1] or (candidates if len(candidates) == 1 else [])


def _rest(
    export: Export, identities: set[str], account: _Account, request: Request
) -> Iterator[Post | Skipped]:
    """Members that no index names."""
    for name in export.tree.names:
        inside = name.partition("/")[2]
        kind = kind_of_place(inside)
        lower = inside.lower()
        if name in account.used:
            continue
        if kind == "private":
            account.leave_out(kind, inside)
        elif lower.endswith(DATA):
            account.leave_out("private" if kind_of_file(inside) == "private" else None, inside)
        elif kind and not _is_requested(kind, request):
            account.leave_out(kind, inside)
        elif kind and media_id(inside) in identities:
            detail = "the same photo of this customer was counted already"
            yield Skipped(export.owner, export.tree.source(name), "duplicate", detail)
        elif lower.endswith(VIDEOS):
            yield video(export.tree.source(name), export.owner)
        elif kind:
            identity = media_id(inside)
            identities.add(identity)
            yield request.post(export.tree, name, export.owner, None, identity, dated_name=False)
        else:
            detail = "no index of the export names it, and it lies in no folder of posts"
            yield Skipped(export.owner, export.tree.source(name), "unknown_media", detail)
