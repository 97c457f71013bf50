"""Which files of a folder are second copies of a photo that lies beside them, by their names.

Phones and programs keep an edited copy beside the original, a portrait beside its plain shot, and a
still beside a video. Each shot counts once. A name tells a copy only by a mark of the program that
wrote it, and only where the other file is there: people use dashes and numbers too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping

from trendscope.feeds.request import DATA, VIDEOS

EDITED = "an edited copy of a photo that is counted"
_ORIGINAL = "the untouched original of a photo that is counted"
_STILL = "the still picture of a video"
_OVERLAY = "an overlay, drawn on a photo that is counted"

_MARKS = frozenset(
    (
        # As Google Photos writes it in the account's language, see `google_original`.
        "edited bearbeitet bewerkt modifié modificato editado editada editat "
        "ha_editado edytowane edytowano upraveno upravené upravene szerkesztett szerkesztve "
        "redigerad redigeret redigert muokattu editováno uređeno uredeno urejeno izmenjeno "
        "redigēts redaguota muudetud düzenlendi düzenlenmiş επεξεργασμένο επεξεργάστηκε "
        "изменено измененный отредактировано відредаговано змінено редактирано редактирана "
        "編集済み 編集済 已修改 已编辑 已編輯 수정됨 편집됨 แก้ไข แก้ไขแล้ว đã_chỉnh_sửa diedit "
        "נערך ערוך معدل معدّل तपादित संपादित"
    ).split()
)
"""Words for "edited", a blank as ``_``; some are known from GooglePhotosTakeoutHelper."""

GOOGLE_MARKS = _MARKS | {"effects", "smile", "mix"}
"""Marks of copies in a Google Takeout; people use these words too."""

_LONGEST = 51  # letters of a name that Google has cut, its suffix included

# The name of the copy, and that of the original from its groups.
_COPIES = (
    (re.compile(r"(?P<a>\w{3}_)E(?P<b>\d{4,}.*)", re.IGNORECASE), r"\g<a>\g<b>"),  # iPhone
    (re.compile(r"(?P<a>.+)~\d{1,2}"), r"\g<a>"),  # Google Photos on Android
    (re.compile(r"(?P<a>(19|20)\d{6}_\d{6})\(\d\)"), r"\g<a>"),  # Samsung
    (re.compile(r"(?P<a>.+?)[-_ ]\(?edit(ed)?(_\d+)?\)?", re.IGNORECASE), r"\g<a>"),
    (re.compile(r"(?P<a>.+\d)_HDR", re.IGNORECASE), r"\g<a>"),  # Huawei, Xiaomi
)
_PORTRAIT = re.compile(r"(?P<shot>.+)\.(?P<kind>[A-Z_]+)-\d\d\.ORIGINAL")  # Google's camera
_SNAPCHAT = re.compile(r"(?P<shot>.+)-overlay")
_CERTAIN_FILMS = (".webm", ".mkv", ".avi", ".flv")
_BACKUP = ".jpg_original"  # ExifTool's
_NOTES = (".aae", ".xmp", ".pp3", ".dop", ".ithmb", ".lrv")


def second_copies(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The files of one folder that are second copies: reason and detail by name."""
    members = {name.rpartition("/")[2]: name for name in names}
    stems: dict[str, set[str]] = {}
    for last in members:
        stem, _, suffix = last.rpartition(".")
        stems.setdefault(stem.casefold(), set()).add(f".{suffix.casefold()}")
    copies = {}
    for last, name in members.items():
        why = None if last.lower().endswith((*DATA, *VIDEOS)) else _why(last, members, stems)
        if why:
            copies[name] = why
    return copies


def _why(
    last: str, members: Mapping[str, str], stems: Mapping[str, set[str]]
) -> tuple[str, str] | None:
    stem, _, suffix = last.rpartition(".")
    if last.lower().endswith(_NOTES):
        return "other_data", "what a program notes about a photo, no picture"
    if f".{suffix.lower()}" == _BACKUP and f"{stem}.jpg" in members:
        return "duplicate", _ORIGINAL
    for pattern, original in _COPIES:
        match = pattern.fullmatch(stem)
        if match and _has_photo(stems.get(match.expand(original).casefold(), ())):
            return "duplicate", EDITED
    name = google_original(last, _MARKS)
    if name and _has_photo(stems.get(name.rpartition(".")[0].casefold(), ())):
        return "duplicate", EDITED
    if match := _PORTRAIT.fullmatch(stem):
        start = f"{match['shot']}.{match['kind']}-".casefold()
        if any(other.startswith(start) and other.endswith(".cover") for other in stems):
            return "duplicate", _ORIGINAL
    if (match := _SNAPCHAT.fullmatch(stem)) and f"{match['shot']}-main".casefold() in stems:
        return "duplicate", _OVERLAY
    beside = stems[stem.casefold()]
    is_still = suffix.lower() == "thm" or not beside.isdisjoint(_CERTAIN_FILMS)
    described = f"{stem}.info.json" in members and not beside.isdisjoint(VIDEOS)  # yt-dlp
    return ("video", _STILL) if is_still or described else None


def _has_photo(suffixes: Iterable[str]) -> bool:
    return any(suffix not in VIDEOS and suffix not in DATA for suffix in suffixes)


def google_original(last: str, marks: Collection[str] = GOOGLE_MARKS) -> str | None:
    """The name of the original whose copy, edited in Google Photos, has this name; else None.

    ``IMG-edited(1).jpg`` is a copy of ``IMG(1).jpg``; where the name was cut, so may the mark be.
    """
    match = re.fullmatch(
        r"(?P<stem>.+)-(?P<mark>[^-]+?)(?P<number>\(\d+\))?(?P<suffix>\.[^.]+)", last
    )
    if match is None:
        return None
    mark = unicodedata.normalize("NFC", match["mark"]).casefold().replace(" ", "_")
    is_cut = len(last.encode("utf-16-le")) // 2 >= _LONGEST or len(last.encode()) >= _LONGEST
    if mark in marks or (is_cut and any(word.startswith(mark) for word in marks)):
        return f"{match['stem']}{match['number'] or ''}{match['suffix']}"
    return None
