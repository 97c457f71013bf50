"""Reads Google Photos as Google Takeout packs it: folders of photos with a JSON sidecar each.

The folders' names are in the account's language, the sidecars' names are cut off, and the photo and
its sidecar may lie in different zips. The same photo lies in the folder of its year and in every
album; it is counted once by its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from typing import Any

from trendscope.feeds.dates import moment
from trendscope.feeds.post import Post
from trendscope.feeds.request import DATA, VIDEOS, Request, missing_media, video
from trendscope.feeds.sidecar import by_folder, read_sidecar, text
from trendscope.files.trees import Joined, Part, Tree
from trendscope.skipped import Skipped
from trendscope.text import displayed

_LONGEST = 46  # characters of a sidecar's name before ".json"
_ADDED = ".supplemental-metadata"
_NUMBER = re.compile(r"^(?P<stem>.*)(?P<number>\(\d+\))(?P<suffix>\.[^.]*)?$")
_EDITED = re.compile(r"-[^\W\d_]+(?=(\(\d+\))?\.[^.]+$)")  # -edited, -bearbeitet, -modifié
_TAKEOUT = re.compile(r"^(?P<root>(.*?/)??)Takeout/")
_PACKED = re.compile(r"takeout-\d{8}T\d{6}Z")  # the name of the numbered zips of one export
_YEAR = re.compile(r"(^|\D)(19|20)\d\d$")
_PROBED = 3  # sidecars of a folder looked at to tell whose they are
_LARGEST = 1_000_000  # bytes of one of those; the indexes of other exports are far larger


def find(tree: Tree, request: Request) -> list[Part]:
    """Members of folders whose sidecars are Google's, and all others of the same export."""
    folders = by_folder(tree.names)
    own = {folder for folder, names in folders.items() if _is_own(tree, names, request)}
    years = {_above(folder) for folder in own if _YEAR.search(folder)}
    packed = bool(_PACKED.fullmatch(tree.title))
    takeouts = {match[0] for folder in own if (match := _TAKEOUT.match(f"{folder}/"))}
    roots: dict[str, list[str]] = {}
    for folder, names in folders.items():
        if (match := _TAKEOUT.match(f"{folder}/")) and (packed or match[0] in takeouts):
            roots.setdefault(match["root"], []).extend(names)
        elif folder in own:
            # Without the folder Takeout, a folder is a customer's unless it is named for a year.
            root = _above(folder) if _above(folder) in years else f"{folder}/".lstrip("/")
            roots.setdefault(root, []).extend(names)
    return [Part(tree, [n[len(root) :] for n in names], root) for root, names in roots.items()]


def _above(folder: str) -> str:
    return f"{folder.rpartition('/')[0]}/".lstrip("/")


def _is_own(tree: Tree, names: list[str], request: Request) -> bool:
    sidecars = [name for name in names if name.endswith(".json")][:_PROBED]
    probe = replace(request.limits, sidecar_bytes=min(request.limits.sidecar_bytes, _LARGEST))
    return any("photoTakenTime" in read_sidecar(tree, name, probe) for name in sidecars)


def put_together(parts: Sequence[Part], request: Request) -> dict[int, tuple[Joined, str]]:
    """The exports that the parts make up and their owners, by the number of the first part.

    Zips that lie together and were packed at one time are one export. Takeout names no user.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for number, part in enumerate(parts):
        groups.setdefault(part.place("x"), []).append(number)
    return {
        numbers[0]: (Joined([parts[number] for number in numbers]), request.names.of_place(*key))
        for key, numbers in groups.items()
    }


def read(tree: Tree, owner: str, request: Request) -> Iterator[Post | Skipped]:
    """Reads album by album; the folders of Google's other products are left out."""
    albums: dict[str, dict[str, str]] = {}
    for name in tree.names:
        folder, _, last = name.partition("/")[2].rpartition("/")
        albums.setdefault(folder, {}).setdefault(last, name)
    with_photos = {
        _product(folder)
        for folder, names in albums.items()
        if _is_own(tree, [*names.values()], request)
    }
    for folder, names in albums.items():
        if not with_photos or _product(folder) in with_photos:
            yield from _album(tree, names, owner, request)
        else:
            detail = f"{len(names):,} files of another of Google's products"
            yield Skipped(owner, f"{tree.label}/{displayed(folder)}", "other_data", detail)


def _product(folder: str) -> str:
    """``Takeout/Google Photos``; without the folder Takeout, the one product there is."""
    parts = folder.split("/")
    return "/".join(parts[:2]) if parts[0] == "Takeout" else ""


def _album(
    tree: Tree, names: dict[str, str], owner: str, request: Request
) -> Iterator[Post | Skipped]:
    """Reads one album.

    Args:
        tree: The export.
        names: The album's files, by the last part of their names.
        owner: The customer.
        request: Settings of the reading.
    """
    used_sidecars: set[str] = set()
    for last, name in names.items():
        if not last.lower().endswith(DATA):
            sidecar = _sidecar(last, names)
            used_sidecars.add(sidecar or "")
            fields = read_sidecar(tree, names[sidecar], request.limits) if sidecar else {}
            yield _photo(
                tree, name, fields, owner, request, _EDITED.sub("", last) in {*names} - {last}
            )
    for last, name in names.items():
        if last.endswith(".json") and last not in used_sidecars:
            fields = read_sidecar(tree, name, request.limits)
            if "photoTakenTime" in fields:
                title = displayed(text(fields, "title") or last.removesuffix(".json"))
                source = tree.source(name).removesuffix(displayed(last)) + title
                yield missing_media(source, owner)


def _sidecar(last: str, names: Container[str]) -> str | None:
    """The name of a photo's sidecar.

    To the photo's name ``.supplemental-metadata`` is added, or nothing until 2024; that is cut off
    after 46 characters; the number of a second photo of that name moves to the end.
    """
    original = _EDITED.sub("", last)
    for photo in dict.fromkeys((last, original)):
        match = _NUMBER.match(photo)
        spellings = [(photo, "")]
        if match:
            spellings.append((match["stem"] + (match["suffix"] or ""), match["number"]))
        for stem, number in spellings:
            whole = stem + _ADDED
            for length in range(len(whole), min(len(stem), _LONGEST) - 1, -1):
                candidate = f"{whole[:length]}{number}.json"
                if candidate in names:
                    return candidate
    return None


def _photo(
    tree: Tree, name: str, fields: dict[str, Any], owner: str, request: Request, edited: bool
) -> Post | Skipped:
    source = tree.source(name)
    if fields.get("trashed") is True:
        return Skipped(owner, source, "private", "in the bin of Google Photos")
    origin = fields.get("googlePhotosOrigin")
    if isinstance(origin, dict) and "fromPartnerSharing" in origin:
        return Skipped(owner, source, "private", "shared by a partner, not the customer's own")
    if fields.get("archived") is True and "archived" not in request.include:
        detail = "archived; add --include archived to read it"
        return Skipped(owner, source, "not_included", detail)
    if name.lower().endswith(VIDEOS):
        return video(tree, name, owner)
    if edited:
        return Skipped(owner, source, "duplicate", "an edited copy of a photo that is counted")
    taken_at = moment(text(fields, "photoTakenTime", "timestamp"), request.latest)
    return request.post(tree, name, owner, taken_at, name.partition("/")[2])
