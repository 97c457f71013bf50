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
_EXPORT_NAME = re.compile(r"(?:^|/)instagram-([^-/]+)-\d{4}-\d\d-\d\d")
_ORPHAN = re.compile(r"(^|/)media/posts/")
_MEDIA_ID = re.compile(r"(\d{15,20})(?=\.\w+$|$)")
_NOT_PHOTOS = (".mp4", ".mov", ".srt", ".json", ".html", ".txt")

FIRST_DAY = datetime(2010, 10, 6, tzinfo=UTC)
"""The day Instagram opened: an earlier post has a broken date."""


def recognised(tree: Tree) -> bool:
    """True if a tree looks like Instagram's JSON export."""
    return recognised_names(tree.names)


def recognised_names(names: list[str]) -> bool:
    """True if these names look like Instagram's JSON export: an index of posts beside media."""
    indexes = [name for name in names if _INDEX.search(name) and not _NEVER.search(name)]
    media = any("media/" in name or name.startswith("photos/") for name in names)
    return bool(indexes) and (media or any(_PROFILE.search(name) for name in names))


def read(
    tree: Tree, customer: str | None, limits: Limits, now: datetime | None = None
) -> Iterator[Post | Skipped]:
    """Reads the posts of an export, each image once, then media that no index names.

    Args:
        tree: The export.
        customer: Its owner; else the user name in it, else the one in the export's file name.
        limits: What it may ask for.
        now: The present, aware; posts dated more than a day later count as undated.
    """
    yield from tree.skipped
    owner = customer or _user_name(tree, limits) or _name_from_label(tree.label)
    latest = (now or datetime.now(UTC)) + timedelta(days=1)
    places = _places(tree.names)
    seen: set[str] = set()
    for name in tree.names:
        if not _INDEX.search(name) or _NEVER.search(name):
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
    entries = value if isinstance(value, list) else _first_list(value)
    for entry in entries:
        if not isinstance(entry, Mapping):
            continue
        stamp = entry.get("creation_timestamp") or entry.get("timestamp")
        found = _as_list(entry.get("media")) or [entry]
        for labelled in _as_list(entry.get("label_values")):
            if isinstance(labelled, Mapping):
                found = found + _as_list(labelled.get("media"))
        for media in found:
            if isinstance(media, Mapping) and isinstance(uri := media.get("uri"), str) and uri:
                yield repaired(uri), stamp or media.get("creation_timestamp")


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _first_list(value: Any) -> list[Any]:
    lists = value.values() if isinstance(value, Mapping) else ()
    return next((part for part in lists if isinstance(part, list)), [])


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
    return Post(
        owner, post_id, posted_at, date_source, f"{tree.label}/{displayed(name)}", read_member
    )


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
        yield Post(owner, _media_id(name), None, "none", source, read_member)


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


def _name_from_label(label: str) -> str:
    match = _EXPORT_NAME.search(label)
    return match[1] if match else label.rsplit("/", 1)[-1].removesuffix(".zip")


def moment(stamp: object, latest: datetime) -> datetime | None:
    """A Unix time of the export as aware UTC; None if it is missing or cannot be true.

    Seconds are expected; values a thousand, a million or a billion times too large are taken as
    milli-, micro- or nanoseconds.
    """
    if isinstance(stamp, bool) or not isinstance(stamp, int | float | str):
        return None
    try:
        seconds = float(stamp)
        for _ in range(3):
            if seconds > 1e11:
                seconds /= 1000
        found = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if FIRST_DAY <= found <= latest else None


def repaired(text: str) -> str:
    """Undoes Meta's writing of each UTF-8 byte as a character of its own; other text is kept."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
