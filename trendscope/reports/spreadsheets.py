"""CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|'*[\t\r\n]")


def defused(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: those that could be get a leading '.

    The rule covers what OWASP lists (= + - @, tab, carriage return), also after blanks and in full
    width. Text that begins with ' and then such a sign gets one more, so that taking a single '
    away always gives the name back. NUL, which no CSV reader accepts, is left out.
    """
    text = text.replace("\0", "")
    return f"'{text}" if _FORMULA.match(text) else text
