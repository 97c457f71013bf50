"""Instagram's own export in JSON, unpacked or zipped, whatever its folders are called this year.

Every index file is searched for media entries, wherever it lies, except where other people's or
private things are kept. Only posts are read: no stories, archived or deleted posts, no messages.
Of the profile files only the user name is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from trendscope.errors import ImageError
from trendscope.feeds import DateSource, Limits, Post, Skipped, displayed
from trendscope.feeds.archive import Tree, unsafe

# Parts of an export that hold other people's media, or what the customer did not publish.
_NEVER = re.compile(
    r"(^|/)(messages|ads[^/]*|logged_information|connections|saved|likes|comments|threads|"
    r"subscriptions|security[^/]*|preferences|apps[^/]*|shopping|direct|stories|story[^/]*)(/|$)"
)
_INDEX = re.compile(r"(^|/)(posts(_\d+)?|media)\.json$")
_PROFILE = re.compile(r"(^|/)(personal_information(_\d+)?|profile)\.json$")
_ROOT = re.compile(
    r"(^|(?<=/))(your_instagram_activity/)?((media|content|posts)/)?[^/]+$"
)  # what follows the export's root in the path of an index
_EXPORT_NAME = re.compile(r"(?:^|/)instagram-([^-/]+)-\d{4}-\d\d-\d\d")
_MEDIA = re.compile(r"(^|/)(media|photos)/")
_ORPHAN = re.compile(r"(^|/)media/posts/")
_MEDIA_ID = re.compile(r"(\d{15,20})(?=\.\w+$|$)")
_NOT_PHOTOS = (".mp4", ".mov", ".srt", ".json", ".html", ".txt")

FIRST_DAY = datetime(2010, 10, 6, tzinfo=UTC)
"""The day Instagram opened: an earlier post has a broken date."""


def exports(names: list[str]) -> dict[str, list[str]]:
    """Finds the JSON exports in a tree: the root of each, "" for the tree itself, and its members.

    Two exports side by side belong to two people and stay apart. The parts of one large export,
    unpacked side by side, have their index in one part only: the others' photos go with it.
    """
    found = sorted({_ROOT.sub("", name) for name in names if _is_index(name)})
    outermost = [root for root in found if not any(_within(root, other) for other in found)]
    members = {root: [name for name in names if name.startswith(root)] for root in outermost}
    if len(members) == 1:
        (root,) = members
        members[root] = [n for n in names if n.startswith(root) or _ORPHAN.search(n)]
    return {root: inside for root, inside in members.items() if _has_media(inside)}


def _within(root: str, other: str) -> bool:
    return root != other and root.startswith(other)


def _is_index(name: str) -> bool:
    return bool(_INDEX.search(name)) and not _NEVER.search(name)


def _has_media(names: list[str]) -> bool:
    return any(_MEDIA.search(name) or _PROFILE.search(name) for name in names)


def read(
    tree: Tree, customer: str | None, limits: Limits, now: datetime
) -> Iterator[Post | Skipped]:
    """Reads the posts of an export, each image once, then media that no index names.

    Args:
        tree: The export.
        customer: Its owner; else the user name in it, else the one in the export's file name, else
            that name.
        limits: What it may ask for.
        now: The present, aware; posts dated more than a day later count as undated.
    """
    yield from tree.skipped
    owner = customer or _user_name(tree, limits) or _name_from_title(tree.title)
    latest = now + timedelta(days=1)
    places = _places(tree.names)
    seen: set[str] = set()
    for name in tree.names:
        if not _is_index(name):
            continue
        try:
            entries = list(_media(_load(tree, name, limits)))
        except (ValueError, RecursionError, ImageError) as error:
            problem = f"the index is not readable JSON ({_short(error)}); export again as JSON"
            yield Skipped(owner, f"{tree.label}/{displayed(name)}", "bad_json", problem)
            continue
        for uri, stamp in entries:
            if _media_id(uri) not in seen:
                seen.add(_media_id(uri))
                yield _item(tree, owner, uri, moment(stamp, latest), places, limits)
    yield from _orphans(tree, owner, seen, limits)


def _load(tree: Tree, name: str, limits: Limits) -> Any:
    return json.loads(tree.read(name, limits.json_bytes).decode("utf-8-sig"))


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def _media(value: Any) -> Iterator[tuple[str, Any]]:
    """Yields uri and timestamp of every media entry in an index of any generation."""
    entries = value if isinstance(value, list) else _list_within(value)
    for entry in entries:
        if not isinstance(entry, Mapping):
            continue
        stamp = entry.get("creation_timestamp") or entry.get("timestamp") or entry.get("taken_at")
        found = _as_list(entry.get("media")) or [entry]
        for labelled in _as_list(entry.get("label_values")):
            if isinstance(labelled, Mapping):
                found = found + _as_list(labelled.get("media"))
        for media in found:
            if not isinstance(media, Mapping):
                continue
            uri = media.get("uri") or media.get("path")
            if isinstance(uri, str) and uri:
                yield repaired(uri), stamp or media.get("creation_timestamp")


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _list_within(value: Any) -> list[Any]:
    """The posts of an index that is no list: ``photos`` (until 2021), else its first list."""
    if not isinstance(value, Mapping):
        return []
    lists = [part for part in (value.get("photos"), *value.values()) if isinstance(part, list)]
    return lists[0] if lists else []


def _item(
    tree: Tree,
    owner: str,
    uri: str,
    posted_at: datetime | None,
    places: Mapping[str, list[str]],
    limits: Limits,
) -> Post | Skipped:
    source = f"{tree.label}/{displayed(uri)}"
    if "://" in uri or unsafe(uri):
        return Skipped(owner, source, "unsafe_path", "the path leads out of the export")
    if uri.lower().endswith(_NOT_PHOTOS[:3]):
        return Skipped(owner, source, "video", "a video; only photos are looked at")
    name = _resolve(uri, places)
    if name is None:
        detail = "the export names this photo but does not hold it; ask for all parts of the export"
        return Skipped(owner, source, "missing_media", detail)
    date_source: DateSource = "feed" if posted_at else "none"
    read_member = partial(tree.read, name, limits.file_bytes)
    post_id = _media_id(uri)
    found = f"{tree.label}/{displayed(name)}"
    return Post(owner, post_id, posted_at, date_source, found, read_member, tree.file(name))


def _places(names: list[str]) -> dict[str, list[str]]:
    """The members by their last part."""
    places: dict[str, list[str]] = {}
    for name in names:
        places.setdefault(name.rsplit("/", 1)[-1], []).append(name)
    return places


def _resolve(uri: str, places: Mapping[str, list[str]]) -> str | None:
    """The member that a uri means: relative to the export's root, wherever that lies."""
    candidates = places.get(uri.rsplit("/", 1)[-1], [])
    exact = [name for name in candidates if name == uri or name.endswith("/" + uri)]
    return next(iter(exact), candidates[0] if len(candidates) == 1 else None)


def _media_id(uri: str) -> str:
    """Instagram's own number of the image, the same in every export; else the uri."""
    match = _MEDIA_ID.search(uri)
    return match[1] if match else uri


def _orphans(tree: Tree, owner: str, seen: set[str], limits: Limits) -> Iterator[Post | Skipped]:
    named = {identity.rsplit("/", 1)[-1] for identity in seen}
    for name in tree.names:
        if not _ORPHAN.search(name) or name.lower().endswith(_NOT_PHOTOS):
            continue
        if _media_id(name) in seen or name.rsplit("/", 1)[-1] in named:
            continue
        read_member = partial(tree.read, name, limits.file_bytes)
        source = f"{tree.label}/{displayed(name)}"
        file = tree.file(name)
        yield Post(owner, _media_id(name), None, "none", source, read_member, file)


def _user_name(tree: Tree, limits: Limits) -> str | None:
    for name in tree.names:
        if _PROFILE.search(name):
            try:
                found = _find_user_name(_load(tree, name, limits))
            except (ValueError, RecursionError, ImageError):
                continue
            if found:
                return displayed(repaired(found))
    return None


def _find_user_name(profile: Any) -> str | None:
    if not isinstance(profile, Mapping):
        return None
    if isinstance(name := profile.get("username"), str):
        return name
    for user in _as_list(profile.get("profile_user")):
        fields = user.get("string_map_data") if isinstance(user, Mapping) else None
        for key, value in (fields or {}).items() if isinstance(fields, Mapping) else ():
            if key.casefold() == "username" and isinstance(value, Mapping):
                return str(value.get("value") or "") or None
    return None


def _name_from_title(title: str) -> str:
    match = _EXPORT_NAME.search(title)
    return match[1] if match else title.rsplit("/", 1)[-1]


def moment(stamp: object, latest: datetime) -> datetime | None:
    """A time of the export as aware UTC; None if it is missing or cannot be true.

    Unix seconds are expected; values a thousand, a million or a billion times too large are taken
    as milli-, micro- or nanoseconds. Exports until 2021 have ISO 8601, in UTC.
    """
    if isinstance(stamp, bool) or not isinstance(stamp, int | float | str):
        return None
    try:
        found = _from_iso(stamp) if "T" in str(stamp) else _from_unix(float(stamp))
    except (ValueError, OverflowError, OSError):
        return None
    return found if FIRST_DAY <= found <= latest else None


def _from_iso(stamp: object) -> datetime:
    found = datetime.fromisoformat(str(stamp))
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _from_unix(seconds: float) -> datetime:
    for _ in range(3):
        if seconds > 1e11:
            seconds /= 1000
    return datetime.fromtimestamp(seconds, UTC)


def repaired(text: str) -> str:
    """Undoes Meta's writing of each UTF-8 byte as a character of its own; other text is kept."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
