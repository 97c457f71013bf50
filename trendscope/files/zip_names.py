"""Names of members of zips, which old programs write in the code page of their country.

A zip tells UTF-8 by a flag, and no code page at all. Macs leave the flag out; programs of Windows
write the code page of MS-DOS, or that of Windows. All names of a zip are in one: it is the one in
which they look like names that people write. (charset-normalizer takes a third to a half of such
short names for other encodings.)
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice

_WINDOWS = (0, 6, 10, 11, 14)
"""Systems whose zips may have backslashes between folders: FAT, HPFS, NTFS, MVS, VFAT."""

UTF8_NAME = 0x800
"""The flag of members whose names are in UTF-8."""

_UNICODE_PATH = 0x7075  # an extra field of Info-ZIP's: version, checksum of the name, name in UTF-8

_PROBED = 500  # names of a zip by which its code page is told

_SAME_EVERYWHERE = "äöüÄÖÜßéÉëáÁíÍóÓúÚçÇâÂîÎôÔýÝ"
_WESTERN = frozenset(_SAME_EVERYWHERE + "èêËÈÊàãåÀÃÅæÆñÑìïÌÏòõøœÒÕØŒùûÙÛÿŸ°’–")  # noqa: RUF001
_CENTRAL = frozenset(
    _SAME_EVERYWHERE + "ąćęłńśźżĄĆĘŁŃŚŹŻčďěňřšťůžČĎĚŇŘŠŤŮŽľĺŕĽĹŔőűŐŰđĐăşţĂŞŢ°’–"  # noqa: RUF001
)
_VOWELS = frozenset("аеёиоуыэюяіїєАЕЁИОУЫЭЮЯІЇЄ")
_CYRILLIC = _VOWELS | frozenset("бвгджзйклмнпрстфхцчшщъьґБВГДЖЗЙКЛМНПРСТФХЦЧШЩЪЬҐ№")
_ACCENTED_GREEK = frozenset("άέήίόύώ")
_WORD = re.compile(r"[^\W\d_]+")
_MOST_ACCENTED, _FEW_ACCENTED = 0.75, 0.4  # of the letters of words of a Latin alphabet
_LEAST_HANGUL = 8  # characters; of as many Chinese ones less than 1 in 100 are all among Hangul


def member_name(info: zipfile.ZipInfo, page: str) -> str:
    """A member's name with forward slashes, whatever program packed it."""
    name = _marked(info)
    if name is None:
        data = _raw(info)
        readings = (_decoded(data, encoding) for encoding in ("utf-8", page))
        name = next(filter(None, readings), info.orig_filename)
    return name.replace("\\", "/") if info.create_system in _WINDOWS else name


def code_page(infos: Iterable[zipfile.ZipInfo]) -> tuple[str, bool]:
    """The code page of names that are not in UTF-8, and whether they can be read in no other."""
    raw = (_raw(info) for info in infos if _marked(info) is None)
    names = [*islice(dict.fromkeys(name for name in raw if not _decoded(name, "utf-8")), _PROBED)]
    if not names:
        return "cp437", True
    likely: dict[str, tuple[str, ...]] = {}
    for each, is_likely in _PAGES.items():
        texts = tuple(_decoded(name, each) for name in names)
        if all(texts) and is_likely(texts):
            likely[each] = texts
    page = next(iter(likely), None)
    if page is None:
        decoded = (page for page in _PAGES if all(_decoded(name, page) for name in names))
        return next(decoded), False
    is_only = all(texts == likely[page] for texts in likely.values())
    # Where few letters have accents, it is by chance that they make words of another alphabet.
    usual = page in _OF_MS_DOS and 0 < _accented(likely[page]) <= _FEW_ACCENTED
    return page, is_only or usual


def _marked(info: zipfile.ZipInfo) -> str | None:
    """The name where its encoding is known; else None."""
    if info.flag_bits & UTF8_NAME or info.orig_filename.isascii():
        return _unicode_path(info) or info.orig_filename
    return _unicode_path(info)


def _raw(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("cp437")


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return ""


def _unicode_path(info: zipfile.ZipInfo) -> str | None:
    """The name in the extra field for it, if that is of this name and not of a former one."""
    rest = info.extra
    while len(rest) >= 4:
        kind, length = struct.unpack("<HH", rest[:4])
        field, rest = rest[4 : 4 + length], rest[4 + length :]
        if kind == _UNICODE_PATH and len(field) > 5:
            checksum = zlib.crc32(info.orig_filename.encode("cp437"))
            if struct.unpack("<I", field[1:5])[0] == checksum:
                return _decoded(field[5:], "utf-8") or None
    return None


# --- what names look like ------------------------------------------------------------------------


def _foreign(texts: Sequence[str]) -> list[str]:
    """The letters and signs that are not ASCII."""
    return [letter for text in texts if not text.isascii() for letter in text if letter > "\x7f"]


def _words(texts: Sequence[str]) -> list[str]:
    return [w for text in texts for w in _WORD.findall(text) if not w.isascii()]


def _accented(texts: Sequence[str]) -> float:
    """The share of letters with accents in words that have any, but for words of one letter."""
    words = [word for word in _words(texts) if len(word) > 1]
    return len(_foreign(words)) / max(1, sum(map(len, words)))


def _is_latin(texts: Sequence[str], letters: frozenset[str]) -> bool:
    words = _words(texts)
    return (
        letters.issuperset(_foreign(texts))
        and not any(_turns_large(word) for word in words)
        and not any(re.search(r"[^\x00-\x7f]{3}", word) for word in words)
        and _accented(texts) <= _MOST_ACCENTED
    )


def _turns_large(word: str) -> bool:
    """Whether a capital follows a small letter, and one of the two is not ASCII."""
    pairs = (word[i : i + 2] for i in range(len(word) - 1))
    return any(p[0].islower() and p[1].isupper() and not p.isascii() for p in pairs)


def _is_cyrillic(texts: Sequence[str]) -> bool:
    words = _words(texts)
    return (
        _CYRILLIC.issuperset(_foreign(texts))
        and not any(re.search("[a-zA-Z]", word) or _turns_large(word) for word in words)
        and not any(word[0] in "ьъЬЪ" for word in words)
        and not any(re.search(r"[^\W\d_]№", text) for text in texts)
        and all(len(word) < 3 or not _VOWELS.isdisjoint(word) for word in words)
    )


def _is_greek(texts: Sequence[str]) -> bool:
    words = _words(texts)
    return (
        all("\u0386" <= letter <= "\u03ce" for letter in _foreign(texts))
        and not any(re.search("[a-zA-Z]", word) or _turns_large(word) for word in words)
        and all(len(word) < 3 or sum(c in _ACCENTED_GREEK for c in word) == 1 for word in words)
    )


def _is_japanese(texts: Sequence[str]) -> bool:
    return all(
        "\u3001" <= letter <= "\u30ff"
        or "\uff01" <= letter <= "\uff5e"
        or (letter >= "\u4e00" and b"\x88" <= letter.encode("cp932")[:1] <= b"\x98")
        for letter in _foreign(texts)
    )


def _is_ideographic(
    texts: Sequence[str], page: str, usual: tuple[int, int], rare: tuple[int, int], share: float
) -> bool:
    """Whether all characters are of a standard, by their first byte, and few of them rare ones."""
    codes = [letter.encode(page) for letter in _foreign(texts) if letter not in "（），。、"]  # noqa: RUF001
    rarely = sum(rare[0] <= code[0] <= rare[1] for code in codes)
    usually = sum(usual[0] <= code[0] <= usual[1] for code in codes)
    whole = page == "big5" or all(len(code) == 2 and code[1] > 0xA0 for code in codes)
    return whole and usually + rarely == len(codes) and rarely <= share * len(codes)


def _is_chinese(texts: Sequence[str]) -> bool:
    return _is_ideographic(texts, "gbk", (0xB0, 0xD7), (0xD8, 0xF7), 1 / 3) and not (
        _is_korean(texts, "gbk") and len({*_foreign(texts)}) >= _LEAST_HANGUL
    )


def _is_korean(texts: Sequence[str], page: str = "cp949") -> bool:
    return _is_ideographic(texts, page, (0xB0, 0xC8), (0, -1), 0)


_OF_MS_DOS = ("cp437", "cp850")
_PAGES: dict[str, Callable[[Sequence[str]], bool]] = {
    "cp437": partial(_is_latin, letters=_WESTERN),
    "cp850": partial(_is_latin, letters=_WESTERN),
    "cp1252": partial(_is_latin, letters=_WESTERN),
    "cp866": _is_cyrillic,
    "cp1251": _is_cyrillic,
    "cp852": partial(_is_latin, letters=_CENTRAL),
    "cp1250": partial(_is_latin, letters=_CENTRAL),
    "cp932": _is_japanese,
    "gbk": _is_chinese,
    "big5": partial(
        _is_ideographic, page="big5", usual=(0xA4, 0xC6), rare=(0xC9, 0xF9), share=1 / 4
    ),
    "cp949": _is_korean,
    "cp1253": _is_greek,
}
"""Code pages of MS-DOS and Windows, each with what tells that texts are likely to be in it."""
