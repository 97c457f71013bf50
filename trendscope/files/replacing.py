"""Which files a report may take the place of: nothing is overwritten by mistake.

A report takes the place of an earlier report of trendscope, known by its first bytes, and of an
empty file. Of anything else only if that was asked for, and of a database or of what the report is
made from never.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from trendscope.errors import UsageError
from trendscope.text import displayed

SOFTWARE = b"trendscope"
"""The name that reports carry: pages as their generator, pictures as their software."""

_DATABASE = b"SQLite format 3\0"

_HEADERS = (
    "customer,category,photos,share,",
    "customer,path,reason,detail",
    "customer,sku,category,rank,score,reason",
    "customer,photos,classified,uncertain,",
    "customer,photos,uncertain,outside,last_posted,",
    "customer,post_id,posted_at,week,",
    "file,customer,category,network,",
    "sku,title,category,reason,approximate,",
    "week,category,kind,count,total,",
    "week,segment,category,kind,count,total,",
    "week,category,count,total,share,",
)
"""How the first lines of our tables begin, without quotation marks."""

_TEXTS = re.compile(
    r"(\*\*)?What customers wear, (week )?\d|(\*\*)?No complete week yet"
    r"|(What suits|Whom to write to about) "
    r"|.*: [\d,]+ photos?(, |\n)"
    r"|.*: (\S.* \(.* \d+ %|unreadable, )"
    r"|[\d,]+ photos?[:.]( |\n)"
    r"|\S.{0,30}  +[\d,]+ photos?  "
    r"|[\d,]+ items? of a file by "
    r"|.*\n  [\d,]+ photos? of [\d,]+ customers?"
)
"""How our texts begin: trends, targets, profiles, photos, scans, imports, databases."""


def check_replaceable(
    path: Path, inputs: Iterable[Path | str | None] = (), *, force: bool = False
) -> None:
    """Refuses a place where something lies that a report may not replace.

    Args:
        inputs: Files and folders that are read; URLs do not matter.
        force: Whether another file may be replaced, but for databases and inputs.

    Raises:
        UsageError: It may not; nothing was touched.
    """
    place, shown = path.resolve(), displayed(str(path))
    given = [Path(each).resolve() for each in inputs if each and "://" not in str(each)]
    if place in given:
        raise UsageError(f"{shown} is read by this command; write to another file")
    if not path.is_file():
        return
    with path.open("rb") as file:
        start = file.read(4096)
    if start.startswith(_DATABASE):
        raise UsageError(f"{shown} is a database; write to another file")
    if not start or is_report(start):
        return
    if any(place.is_relative_to(each) for each in given):
        raise UsageError(f"{shown} is one of the files that are read; write to another file")
    if not force:
        raise UsageError(
            f"{shown} is there already, and no report of trendscope; write to another file, or "
            "replace it with --force"
        )


def is_report(start: bytes) -> bool:
    """Whether a file that begins so is a report of trendscope."""
    if start.startswith(b"\x89PNG"):
        return b"tEXtSoftware\0" + SOFTWARE in start
    if start.startswith(b"PAR1"):
        return True  # only tables are written so, under names of their own
    text = start.decode("utf-8-sig", "replace").lstrip()
    if text.startswith("{"):
        return re.match(r'\{\s*"schema_version": \d', text) is not None
    if text.startswith("<"):
        return f'<meta name="generator" content="{SOFTWARE.decode()}">' in text
    first = text.partition("\n")[0].rstrip()
    if first.replace('"', "").startswith(_HEADERS):
        return True
    return _TEXTS.match(text) is not None
