"""Words and figures as people read them: percent, plurals, days, names that are safe to show."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from functools import lru_cache


def composed(name: str) -> str:
    """A name in composed Unicode (NFC), so that names which look the same are equal.

    macOS writes an umlaut as a letter and a mark, others as one letter.
    """
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def contains(name: str, part: str) -> bool:
    """Whether a name contains a text, in any case and in either form of Unicode."""
    return composed(part).casefold() in composed(name).casefold()


def displayed(name: str) -> str:
    """A name made safe to show: control characters and undecodable bytes as escapes."""
    if name.isprintable():
        return name
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in name
    )


@lru_cache(maxsize=65_536)
def natural(name: str) -> tuple[tuple[int, str], ...]:
    """A key that sorts names as people do: case aside, and ``anna2`` before ``anna10``."""
    parts = re.split(r"([0-9]+)", composed(name).casefold())
    numbers = [part.lstrip("0") for part in parts[1::2]]
    parts[1::2] = numbers
    lengths = (len(part) if i % 2 else 0 for i, part in enumerate(parts))
    return (*zip(lengths, parts, strict=True), (0, name))


_ESCAPE = re.compile(r"\\(\\|[ntr]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
_LETTERS = {"\\": "\\", "n": "\n", "t": "\t", "r": "\r"}


def escaped(name: str) -> str:
    r"""A file's name made safe to show, from which `unescaped` gives the name back.

    Control characters and undecodable bytes become escapes, such as ``\x1b``, as in `displayed`. In
    such a name, and in one that holds what looks like an escape, a backslash is written twice.
    """
    if name.isprintable() and not _ESCAPE.search(name):
        return name
    return displayed(name.replace("\\", "\\\\"))


def unescaped(text: str) -> str:
    """The name that `escaped` wrote, or the path that several of them make."""
    return _ESCAPE.sub(lambda match: _LETTERS.get(match[1]) or chr(int(match[1][1:], 16)), text)


def percent(share: float) -> str:
    """A fraction for people: ``42 %``, and ``< 1 %`` rather than a zero that is none."""
    return "< 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def plural(count: int, noun: str) -> str:
    """``1 photo``, ``2 photos``, ``1,200 photos``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
"""Months in English, whatever the locale."""


def day(moment: date | None) -> str:
    """``3 May 2026``, of a day, or of a time in UTC."""
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}" if moment else "no date"


def minute(moment: datetime) -> str:
    """``3 May 2026, 07:05 UTC``, of an aware time in UTC."""
    return f"{day(moment)}, {moment:%H:%M} UTC"


def span(first: date | None, last: date | None) -> str:
    """``3 May 2026 to 9 Jun 2026``; one day where both fall on it."""
    return day(first) if day(first) == day(last) else f"{day(first)} to {day(last)}"


def shown(name: str, longest: int = 80) -> str:
    """A name from a feed made safe to show: no control characters, shortened in the middle."""
    safe = displayed(name)
    head, tail = longest // 2, (longest - 1) // 2
    return safe if len(safe) <= longest else f"{safe[:head]}…{safe[-tail:]}"


def file_name(source: str) -> str:
    """The last part of a path, inside an archive too."""
    return re.split(r"[/\\]", source)[-1]
