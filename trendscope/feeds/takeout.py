"""Reads Google Photos as Google Takeout packs it: folders of photos with a JSON sidecar each.

The folders' names are in the account's language, the sidecars' names are cut off, and the photo and
its sidecar may lie in different zips. The same photo lies in the folder of its year and in every
album; it is counted once by its bytes.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from trendscope.feeds.dates import moment
from trendscope.feeds.edited_copies import EDITED, google_original
from trendscope.feeds.post import Post
from trendscope.feeds.request import DATA, VIDEOS, Request, missing_media, video
from trendscope.feeds.sidecar import by_folder, read_sidecar, text
from trendscope.files.trees import Joined, Part, Tree, folder_of
from trendscope.files.zips import series_name
from trendscope.skipped import Skipped
from trendscope.text import composed, displayed, escaped

_FORMATS = (".HEIC", ".heic", ".JPG", ".jpg", ".jpeg", ".png", ".PNG", ".webp", ".dng")
_ADDED = ".supplemental-metadata"
_NUMBER = re.compile(r"^(?P<stem>.*)(?P<number>\(\d+\))(?P<suffix>\.[^.]*)?$")
_REPLACED = re.compile(r"""[\\/:*?"<>|&%'\x00-\x1f]""")  # by Google, with _
_TAKEOUT = re.compile(
    r"^(?P<root>(.*?/)??)Takeout( \d+)?/"
)  # macOS unpacks the second as Takeout 2
_PACKED = re.compile(r"takeout-\d{8}T\d{6}Z")  # the name of the numbered zips of one export
_YEAR = re.compile(r"(?<!\d)(19|20)\d\d(?!\d)(?P<rest>[^/]*)$")
_PROBED = 3  # sidecars of a folder looked at to tell whose they are
_LARGEST = 1_000_000  # bytes of one of those; the indexes of other exports are far larger


def find(tree: Tree, request: Request) -> list[Part]:
    """Members of folders whose sidecars are Google's, and all others of the same export."""
    folders = by_folder(tree.names)
    own = {folder for folder, names in folders.items() if _is_own(tree, names, request)}
    years = _places_of_years(own)
    packed = bool(_PACKED.fullmatch(tree.title))
    takeouts = {match[0] for folder in own if (match := _TAKEOUT.match(f"{folder}/"))}
    roots: dict[str, list[str]] = {}
    for folder, names in folders.items():
        if (match := _TAKEOUT.match(f"{folder}/")) and (packed or match[0] in takeouts):
            roots.setdefault(match["root"], []).extend(names)
        elif folder in own:
            # Without the folder Takeout, a folder is a customer's unless it is named for a year.
            root = folder_of(folder if folder_of(folder) in years else names[0])
            roots.setdefault(root, []).extend(names)
    return [Part(tree, names, root) for root, names in roots.items()]


def _places_of_years(folders: set[str]) -> set[str]:
    """Where folders are named for years, in the words of any language.

    A year ends the name, or several names differ in nothing but the year.
    """
    matches = {folder: match for folder in folders if (match := _YEAR.search(folder))}
    named = {folder: (folder[: m.start()], m["rest"]) for folder, m in matches.items()}
    alike = Counter(named.values())
    return {folder_of(f) for f, words in named.items() if not words[1] or alike[words] > 1}


def _is_own(tree: Tree, names: list[str], request: Request) -> bool:
    sidecars = [name for name in names if name.endswith(".json")][:_PROBED]
    probe = replace(request.limits, sidecar_bytes=min(request.limits.sidecar_bytes, _LARGEST))
    return any("photoTakenTime" in read_sidecar(tree, name, probe) for name in sidecars)


def put_together(parts: Sequence[Part], request: Request) -> dict[int, tuple[Joined, str]]:
    """The exports that the parts make up and their owners, by the number of the first part.

    Zips that lie together and were packed at one time are one export, also unpacked. Takeout names
    no user.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for number, part in enumerate(parts):
        name, account = part.place("x")
        groups.setdefault((series_name(name), series_name(account)), []).append(number)
    return {
        numbers[0]: (Joined([parts[number] for number in numbers]), request.names.of_place(*key))
        for key, numbers in groups.items()
    }


def read(tree: Tree, owner: str, request: Request) -> Iterator[Post | Skipped]:
    """Reads album by album; the folders of Google's other products are left out."""
    albums: dict[tuple[str, str], dict[str, str]] = {}
    for name in tree.names:
        place, _, last = name.rpartition("/")
        folder = _TAKEOUT.sub("Takeout/", f"{place.partition('/')[2]}/").rstrip("/")
        names = albums.setdefault((folder, ""), {})
        if last in names:  # of another export, unpacked beside the first
            names = albums.setdefault((folder, place), {})
        names[last] = name
    with_photos = {
        _product(folder)
        for (folder, _), names in albums.items()
        if _is_own(tree, [*names.values()], request)
    }
    for (folder, _), names in albums.items():
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
    """Reads one album; `names` are its files, by the last part of their names."""
    photos = [last for last in names if not last.lower().endswith(DATA)]
    spelled = {_mended(last): last for last in names if last.endswith(".json")}
    sidecar_of = _own_sidecars(tree, names, photos, spelled, request)
    used_sidecars = {*sidecar_of.values()}
    for last in photos:
        # A photo with a sidecar of its own is no copy, whatever it is called.
        original = None if last in sidecar_of else _original(last, names)
        sidecar = sidecar_of.get(last) or (_sidecar(original, spelled) if original else None)
        used_sidecars.add(sidecar or "")
        fields = read_sidecar(tree, names[sidecar], request.limits) if sidecar else {}
        yield _photo(tree, names[last], fields, owner, request, original in names)
    for last, name in names.items():
        if last.endswith(".json") and last not in used_sidecars:
            fields = read_sidecar(tree, name, request.limits)
            if "photoTakenTime" in fields:
                title = escaped(text(fields, "title") or last.removesuffix(".json"))
                source = tree.source(name).removesuffix(escaped(last)) + title
                yield missing_media(source, owner)


def _own_sidecars(
    tree: Tree, names: dict[str, str], photos: list[str], spelled: dict[str, str], request: Request
) -> dict[str, str]:
    """The name of each photo's own sidecar: by its name, else by the photo's name inside it."""
    stems = Counter(os.path.splitext(last)[0] for last in photos)
    sidecar_of = {}
    for last in photos:
        stem = os.path.splitext(last)[0]
        sidecar = _sidecar(last, spelled)
        if sidecar is None and stems[stem] == 1:  # sometimes the photo's suffix is missing
            sidecar = _sidecar(stem, spelled)
        if sidecar:
            sidecar_of[last] = sidecar
    rest = {last for last in photos if last not in sidecar_of}
    for sidecar in {*spelled.values()} - {*sidecar_of.values()} if rest else ():
        title = text(read_sidecar(tree, names[sidecar], request.limits), "title")
        titled = [last for last in rest if title and _is_titled(last, title)]
        if len(titled) == 1:
            sidecar_of[titled[0]] = sidecar
            rest -= {*titled}
    return sidecar_of


def _mended(last: str) -> str:
    """A name without the halves of a letter that was cut, which disks and zips show as signs."""
    stem = last.removesuffix(".json").rstrip("\ufffd")
    while stem and "\ud800" <= stem[-1] <= "\udfff":
        stem = stem[:-1]
    return f"{stem}.json"


def _sidecar(photo: str, sidecars: Mapping[str, str]) -> str | None:
    """The name of a photo's sidecar.

    To the photo's name ``.supplemental-metadata`` is added, or nothing until 2024; that is cut off
    after 46 letters or bytes; the number of a second photo of that name moves to the end.

    Args:
        sidecars: The names of all sidecars in its folder, by their spelling.
    """
    match = _NUMBER.match(photo)
    spellings = [(photo, "")]
    if match:
        spellings.append((match["stem"] + (match["suffix"] or ""), match["number"]))
    for stem, number in spellings:
        whole = stem + _ADDED
        for length in range(len(whole), 0, -1):
            candidate = f"{whole[:length]}{number}.json"
            if candidate in sidecars and (length >= len(stem) or _is_cut(whole[:length], 46)):
                return sidecars[candidate]
    return None


def _is_cut(start: str, longest: int) -> bool:
    """Whether a name is as long as names that were cut: in letters (UTF-16) or in bytes."""
    letters = len(start.encode("utf-16-le", "surrogatepass")) // 2
    size = len(start.encode(errors="surrogatepass"))
    return longest - 1 <= letters <= longest or (not start.isascii() and 0 <= longest - size <= 3)


def _is_titled(last: str, title: str) -> bool:
    """Whether a file's name is the title, after Google has cut it and replaced signs in it."""
    stem, suffix = os.path.splitext(_REPLACED.sub("_", composed(title)).casefold())
    name, own = os.path.splitext(_REPLACED.sub("_", last).casefold())
    whole = name == stem or (stem.startswith(name) and _is_cut(name, 51 - len(suffix)))
    return own == suffix and whole


def _original(last: str, names: Container[str]) -> str | None:
    """The original of an edited copy by its name, perhaps in another format; else None."""
    original = google_original(last)
    if original is None or original in names:
        return original
    stem = os.path.splitext(original)[0]
    others = (f"{stem}{suffix}" for suffix in _FORMATS if f"{stem}{suffix}" in names)
    return next(others, original)


def _photo(
    tree: Tree, name: str, fields: dict[str, Any], owner: str, request: Request, edited: bool
) -> Post | Skipped:
    source = tree.source(name)
    if fields.get("trashed") is True:
        return Skipped(owner, source, "private", "in the bin of Google Photos")
    if fields.get("inLockedFolder") is True:
        return Skipped(owner, source, "private", "in the locked folder of Google Photos")
    origin = fields.get("googlePhotosOrigin")
    if isinstance(origin, dict) and "fromPartnerSharing" in origin:
        return Skipped(owner, source, "private", "shared by a partner, not the customer's own")
    if fields.get("archived") is True and "archived" not in request.include:
        detail = "archived; add --include archived to read it"
        return Skipped(owner, source, "not_included", detail)
    if name.lower().endswith(VIDEOS):
        return video(source, owner)
    if edited:
        return Skipped(owner, source, "duplicate", EDITED)
    taken_at = moment(text(fields, "photoTakenTime", "timestamp"), request.latest)
    return request.post(tree, name, owner, taken_at, name.partition("/")[2])
