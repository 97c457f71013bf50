"""Text of tables in whatever encoding a program has written it.

UTF-8 and UTF-16 are recognised by their bytes. Text that is UTF-8 but for some bytes keeps its good
letters. Anything else is Windows-1252, which Excel writes, code page 850, which it writes for
MS-DOS, or Mac Roman, which Excel for the Mac does, if it looks like text of Western Europe then;
nothing else is guessed. (charset-normalizer takes short lists of names in Windows-1252 for other
encodings and changes their letters.)
"""

from __future__ import annotations

import codecs
import re
import unicodedata

_VALID_LETTER = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf4][\x80-\xbf]{3}"
)
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_USUAL = frozenset(
    "äöüßÄÖÜéèêëáàâãåæçñíìîïóòôõøœúùûýÿðþ"
    "ÉÈÊËÁÀÂÃÅÆÇÑÍÌÎÏÓÒÔÕØŒÚÙÛÝŸÐÞ€£\u2019\u2018“”\u2013—…«»°®™©\u00b4¡¿\u00d7²³½"
)
_IMPLAUSIBLE = re.compile(
    r"[^\W\d_a-zA-Z]{3,}|[¯¹³¥£¢¤¦§¨ª¬±¶\u00b8º¼¾\u02dc\u02c6‰†‡](?=[a-zß-ÿ])|(?<=[a-z])[¯¹¦¨¬\u00b8¼¾\u02dc\u02c6‰†‡„\u201a]"
    r"|(?<=[a-zA-Z])”(?=[a-zß-ÿ])"
)  # runs of accented letters, and signs inside words
_MOST_IMPLAUSIBLE = 0.25  # of the letters that are not ASCII
_LEAST_USUAL = 0.5  # of them
_MOST_BROKEN = 2  # bytes for each good letter in UTF-8 that is not whole
_OPENING_BYTES = b"\xc2\xc3"  # of most letters of Western Europe in UTF-8

BROKEN_LETTER = "\ufffd"


def decoded(data: bytes) -> tuple[str, str]:
    """Text in composed Unicode, and its encoding; ``utf-8-mixed`` where some bytes are none.

    A letter cut in half is shown as `BROKEN_LETTER`; byte order marks and NUL are left out.

    Raises:
        ValueError: The encoding is not certain.
    """
    text, encoding = _decoded(data)
    text = text.replace("\0", "").replace("\ufeff", "")
    return (text if text.isascii() else unicodedata.normalize("NFC", text)), encoding


def _decoded(data: bytes) -> tuple[str, str]:
    if encoding := _utf_16(data):
        return data.decode(encoding), "utf-16"
    if data.count(b"\0") * 2 > len(data):
        raise ValueError("is no text")
    try:
        return data.decode("utf-8"), "utf-8-sig"
    except UnicodeDecodeError:
        pass
    good = len(_VALID_LETTER.findall(data))
    broken = len(_NOT_ASCII.findall(_VALID_LETTER.sub(b"", data)))
    if broken <= _MOST_BROKEN * good:
        return data.decode("utf-8", "trendscope-mixed"), "utf-8-mixed"
    return _western(data)


def _utf_16(data: bytes) -> str | None:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    start = data[:4000]
    for encoding, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if len(start) > 3 and zeros.count(0) * 2 > len(zeros):
            return encoding
    return None


def _western(data: bytes) -> tuple[str, str]:
    # Only Macs end lines so. Elsewhere, letters that only Slavic languages have tell nothing: other
    # encodings of Windows have them at the same place.
    encoding = "cp1252" if b"\n" in data else "mac_roman"
    text = data.decode(encoding, "replace")
    foreign = [letter for letter in text if not letter.isascii()]
    odd = sum(len(run) for run in _IMPLAUSIBLE.findall(text))
    if BROKEN_LETTER in text or odd > _MOST_IMPLAUSIBLE * len(foreign):
        text, encoding = data.decode("cp850"), "cp850"
        foreign = [letter for letter in text if not letter.isascii()]
        usual = _USUAL.issuperset(foreign) and all(letter.isalpha() for letter in foreign)
        plausible = usual and not _IMPLAUSIBLE.search(text)
    else:
        plausible = sum(letter in _USUAL for letter in foreign) >= _LEAST_USUAL * len(foreign)
    if not plausible:
        raise ValueError("is no text in a known encoding")
    return text, encoding


def _repair(error: UnicodeError) -> tuple[str, int]:
    """Stands in for bytes that are no UTF-8: single ones are letters of Windows-1252."""
    assert isinstance(error, UnicodeDecodeError)
    part = error.object[error.start : error.end]
    whole = len(part) == 1 and part not in _OPENING_BYTES
    letter = part.decode("cp1252", "replace") if whole else BROKEN_LETTER
    return letter, error.end


codecs.register_error("trendscope-mixed", _repair)
