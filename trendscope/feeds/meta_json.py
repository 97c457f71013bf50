"""The JSON files of Meta's exports (Instagram, Facebook): which photos they name.

They are recognised by the shape of their entries, whatever the files and folders are called this
year. While a file is parsed everything is dropped that is not needed: captions, places, e-mail
addresses and the like never get further than the parser.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_args

from trendscope.errors import ImageError
from trendscope.feeds.sidecar import at, text
from trendscope.files.trees import Tree
from trendscope.limits import Limits
from trendscope.text import composed

Kind = Literal["private", "posts", "archived", "stories", "profile", "other", "listed"]
"""The kind of a photo; where indexes differ, the first of these kinds counts: a photo among the
posts and the recently deleted is deleted. ``listed``: in a list that mixes posts with others."""

KIND_ORDER: tuple[Kind, ...] = get_args(Kind)

_KEYS_OF_KINDS: dict[Kind, str] = {
    "stories": "ig_stories stories",
    "archived": "ig_archived_post_media",
    "profile": "ig_profile_picture profile",
    "posts": "ig_reels_media ig_igtv_media ig_posts photos videos other_photos_v2",
    "other": "ig_other_media text_post_app_text_posts",
    "private": "direct",
}
_KINDS_OF_KEYS = {key: kind for kind, keys in _KEYS_OF_KINDS.items() for key in keys.split()}
_KINDS_OF_FILES: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (re.compile(r"deleted|trash|repost|saved|liked|likes|viewed|watched|insights"), "private"),
    (re.compile(r"^posts\.(json|html)$"), "listed"),
    (re.compile(r"archived"), "archived"),
    (re.compile(r"stories"), "stories"),
    (re.compile(r"profile_photos"), "profile"),
    (re.compile(r"other_content|threads"), "other"),
    (re.compile(r"posts|reels|igtv|media|photos|album|\d+\.json$"), "posts"),
)
_USER_NAME_KEYS = {"username", "benutzername", "nom d'utilisateur"}
_USER_NAME_KEYS |= {"nombre de usuario", "nome utente", "nome de usuário", "gebruikersnaam"}
_STAMPS = ("creation_timestamp", "timestamp", "taken_at")
_OWN_STAMPS = ("creation_timestamp", "taken_at")
_NEEDED = set(
    "media uri path creation_timestamp timestamp taken_at label_values attachments data "
    "media_metadata photo_metadata exif_data taken_timestamp profile_user profile_v2 "
    "string_map_data value Post Posts Video Videos Activity VideoList".split()
)


class Entry(NamedTuple):
    """A photo or video that an index names; there may be hundreds of thousands.

    Attributes:
        uri: Path below the export's root as the index has it, which is not to be trusted.
        stamps: Times as the index has them, the better first.
        kind: Kind of photo by the index.
    """

    uri: str
    stamps: tuple[object, ...]
    kind: Kind


@dataclass(frozen=True)
class Index:
    """The photos that one JSON file names, or whose profile it is.

    Attributes:
        name: The file.
        entries: The media that it names.
        user: The account's name, if it is a profile.
        facebook: Whether it has the shape of Facebook's indexes.
        links: The number of links in it, if it is an index of TikTok's.
        page: Whether it is a web page and no JSON.
    """

    name: str
    entries: tuple[Entry, ...] = ()
    user: str | None = None
    facebook: bool = False
    links: int = 0
    page: bool = False


def load(tree: Tree, name: str, limits: Limits) -> Any:
    """A JSON file's value with the needed fields only.

    Raises:
        ImageError: The file cannot be read.
        ValueError: It is no JSON; with line and column.
        RecursionError: It is nested too deeply.
    """
    document = tree.read(name, limits.json_bytes).decode("utf-8-sig")
    return json.loads(document, object_hook=_needed, parse_constant=_refuse)


BROKEN = (ValueError, RecursionError, ImageError)
"""Exceptions that `load` raises."""


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _needed(value: dict[str, Any]) -> dict[str, Any]:
    if value.keys() <= _NEEDED:
        return value
    return {key: part for key, part in value.items() if _is_needed(key)}


@lru_cache(1000)
def _is_needed(key: str) -> bool:
    is_field = key in _NEEDED or key in _KINDS_OF_KEYS
    return is_field or key.startswith("ig_") or _is_user_name(key)


def _is_user_name(key: str) -> bool:
    return repaired(key).casefold().replace("\u2019", "'") in _USER_NAME_KEYS


def read_index(tree: Tree, name: str, limits: Limits) -> Index:
    """Reads a JSON file of any kind; raises what `load` raises."""
    document = load(tree, name, limits)
    file = name.rsplit("/", 1)[-1].lower()
    entries = tuple(_entries(document, kind_of_file(name)))
    facebook = _is_facebook(document) or _is_album(document)
    return Index(name, entries, _user_name(document, file), facebook, _links(document))


def kind_of_file(name: str) -> Kind:
    """The kind of the photos in a file by its name, for files that do not say it."""
    file = name.rsplit("/", 1)[-1].lower()
    return next((kind for pattern, kind in _KINDS_OF_FILES if pattern.search(file)), "listed")


def _entries(document: Any, kind_of_name: Kind) -> Iterator[Entry]:
    if isinstance(document, list):
        yield from _media(document, kind_of_name)
    elif isinstance(document, dict):
        if document.get("media") or document.get("label_values"):
            yield from _media([document], kind_of_name)
        for key, part in document.items():
            if isinstance(part, list) and (key in _KINDS_OF_KEYS or key.startswith("ig_")):
                private = re.search(r"deleted|saved|liked|repost", key)
                kind = _KINDS_OF_KEYS.get(key, "private" if private else kind_of_name)
                # An album may be one of portraits, which only its folder tells.
                kind = "listed" if _is_album(document) else kind
                yield from _media(part, kind_of_name if kind_of_name == "private" else kind)


def _media(entries: list[Any], kind: Kind) -> Iterator[Entry]:
    for entry in _dicts(entries):
        stamps = _stamps(entry, _STAMPS)
        for media in _media_of(entry):
            uri = isinstance(media, dict) and (media.get("uri") or media.get("path"))
            if uri and isinstance(uri, str):
                taken_stamps = tuple(_taken(media)) if "media_metadata" in media else ()
                times = taken_stamps + stamps + _stamps(media, _OWN_STAMPS)
                yield Entry(uri if uri.isascii() else composed(repaired(uri)), times, kind)


def _media_of(entry: dict[str, Any]) -> list[Any]:
    """Values that may be media of an entry, or the entry itself."""
    media = [*_as_list(entry.get("media"))]
    # The form used since 2025, whose labels are in the account's language.
    for part in _dicts(entry.get("label_values")):
        media += _as_list(part.get("media"))
    if "uri" in entry or "path" in entry:
        media.append(entry)
    for attachment in _dicts(entry.get("attachments")):  # of a post on Facebook
        media += [part.get("media") for part in _dicts(attachment.get("data"))]
    return media


def _stamps(fields: dict[str, Any], keys: tuple[str, ...]) -> tuple[object, ...]:
    return tuple(filter(None, map(fields.get, keys)))


def _taken(media: dict[str, Any]) -> Iterator[object]:
    """Times when a photo was taken by Facebook's word, perhaps years before the upload."""
    for facts in _dicts(at(media, "media_metadata", "photo_metadata", "exif_data")):
        if facts.get("taken_timestamp") is not None:
            yield facts["taken_timestamp"]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    return (part for part in _as_list(value) if isinstance(part, dict))


def _is_facebook(document: Any) -> bool:
    if isinstance(document, dict):
        return "other_photos_v2" in document
    return any("attachments" in entry for entry in _dicts(document))


def _is_album(document: Any) -> bool:
    """Facebook's albums name photos by ``uri``, Instagram's index of before 2021 by ``path``."""
    return any("uri" in photo for photo in _dicts(at(document, "photos")))


def _links(document: Any) -> int:
    """The number of links in a TikTok export, which has its list of videos at some depth."""
    waiting, count = [document], 0
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            count += len(_as_list(value.get("VideoList")))
            waiting += [part for part in value.values() if isinstance(part, dict)]
    return count


def _user_name(document: Any, file: str) -> str | None:
    own = text(document, "username") if file.startswith(("profile", "account")) else None
    if name := own or text(document, "profile_v2", "username"):
        return repaired(name)
    for user in _dicts(at(document, "profile_user")):
        fields = user.get("string_map_data")
        for key, value in fields.items() if isinstance(fields, dict) else ():
            if _is_user_name(key) and (name := text(value, "value")):
                return repaired(name)
    return None


def repaired(text: str) -> str:
    """Undoes Meta's writing of each UTF-8 byte as a character of its own; other text is kept."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
