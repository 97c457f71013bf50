"""Files and folders that other programs keep beside people's photos, known by their names.

Nobody took these pictures as they are: systems' own files, thumbnails of NAS devices, previews of
photo libraries, recycle bins, and the placeholders that cloud drives put in a photo's place.
Sources: the lists of what importers leave out (immich-go, PhotoPrism, osxphotos, phockup).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

JUNK = {".ds_store", "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", ".localized"}


class LeftOut(NamedTuple):
    """The name of a file, or of a whole folder, that is not read; why, as of a `Skipped`."""

    place: str
    reason: str
    detail: str


_COPIES = ("other_data", "thumbnails and data of another program, no photos of their own")
_BIN = ("private", "a recycle bin or old versions: deleted, never read")
_LIBRARY = (
    "other_data",
    "a photo library's thumbnails, edited copies and data; its originals count",
)
_SHARED = ("private", "shared albums, which hold what others posted")
_HIDDEN = ("hidden", "a hidden or deleted file, not a photo of the feed")
_PLACEHOLDER = ("placeholder", "a cloud drive's placeholder: the photo itself is not on this disk")

# Of Synology, QNAP, Apple, Capture One, Windows, Linux.
_COPIES_FOLDERS = (
    "@eadir, eadir_tmp, @__thumb, @transcode, @tmp, ipod photo cache, captureone, "
    "system volume information, lost+found"
)
# Of Synology, QNAP, Buffalo, Windows, macOS, Nextcloud, ownCloud and iCloud.
_BINS = (
    "#recycle, #snapshot, @recycle, @recently-snapshot, trashbox, $recycle.bin, recycler, "
    "recycled, network trash folder, temporary items, files_trashbin, files_versions, "
    "recently deleted"
)
_FOLDERS = dict.fromkeys(_COPIES_FOLDERS.split(", "), _COPIES)
_FOLDERS |= dict.fromkeys(_BINS.split(", "), _BIN)
_FOLDER_PATTERNS = (
    (re.compile(r".*\.(lrdata|lrcat-data)"), _COPIES),
    (re.compile(r"appdata_\w+"), _COPIES),  # Nextcloud
    (re.compile(r"network recycle bin.*"), _BIN),  # Asustor, WD
    (re.compile(r"icloud shared albums.*"), _SHARED),
)
_LIBRARIES = re.compile(
    r".+\.(photoslibrary|photolibrary|migratedphotolibrary|aplibrary)|iphoto library", re.IGNORECASE
)
_ORIGINALS = ("originals", "masters")
_DATABASE = re.compile(
    r"(^|.*/)[^/]+\.photoslibrary/database(/(?P<inside>.*))?", re.IGNORECASE
)  # read by trendscope.feeds.photos_library
_DATABASE_FILES = (None, "Photos.sqlite", "Photos.sqlite-wal")
_THUMBNAIL = re.compile(r"SYNO(FILE|PHOTO|VIDEO)_(THUMB|FILM)", re.IGNORECASE)
_CLOUD = re.compile(r".+\.(icloud|nextcloud|owncloud|opencloud)", re.IGNORECASE)


def is_junk(name: str) -> bool:
    """Whether it is a file that operating systems leave behind; such are skipped silently."""
    folders, _, last = name.rpartition("/")
    inside = "__MACOSX" in folders and "__MACOSX" in folders.split("/")
    return inside or last.lower() in JUNK or last.startswith("._")


def is_library(folder: str) -> bool:
    """Whether a folder's name is that of a photo library of Apple's, which is one to its user."""
    return _LIBRARIES.fullmatch(folder) is not None


def left_out(name: str, root: str = "") -> LeftOut | None:
    """What is left out of a tree for the sake of a file or folder; None if it may be a photo.

    Args:
        name: Path below the tree's root, with forward slashes.
        root: Name of the tree's root, which may be a photo library.
    """
    folder, _, last = name.rpartition("/")
    if "database" in name and (match := _DATABASE.fullmatch(f"{root}/{name}")):
        inside = match["inside"]
        place = name.removesuffix(f"/{inside}")
        return None if inside in _DATABASE_FILES else LeftOut(place, *_LIBRARY)
    if whole := _left_out_folder(folder, root):
        return whole
    if _CLOUD.fullmatch(last):
        return LeftOut(name, *_PLACEHOLDER)
    if _THUMBNAIL.match(last):
        return LeftOut(name, *_COPIES)
    return _left_out_part(name, last, folder.rpartition("/")[2] or root)


@lru_cache(10_000)
def _left_out_folder(folder: str, root: str) -> LeftOut | None:
    """The outermost folder on the way that is left out."""
    above = root
    for end in [i for i, letter in enumerate(folder) if letter == "/"] + [len(folder)]:
        part = folder[:end].rpartition("/")[2]
        if part and (whole := _left_out_part(folder[:end], part, above)):
            return whole
        above = part
    return None


def _left_out_part(place: str, part: str, above: str) -> LeftOut | None:
    """Whether a part of a path, which lies in the folder `above`, is left out."""
    lower = part.casefold()
    if lower in _FOLDERS:
        return LeftOut(place, *_FOLDERS[lower])
    for pattern, why in _FOLDER_PATTERNS:
        if pattern.fullmatch(lower):
            return LeftOut(place, *why)
    if part.startswith(".") and part.strip("."):
        return LeftOut(place, *_HIDDEN)
    if is_library(above) and lower not in _ORIGINALS:
        return LeftOut(place, *_LIBRARY)
    return None
