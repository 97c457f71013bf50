"""Who may be written to: lists of customers in files. Pure but for reading them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from trendscope.files.tables import read_csv


@dataclass(frozen=True)
class NameList:
    """The customers that a file lists.

    Attributes:
        file: Its name, for people.
        names: As they stand there, without blanks around them.
    """

    file: str
    names: frozenset[str]


@dataclass(frozen=True)
class Consent:
    """Who may be written to, who is left out, and which names in the lists nobody has.

    Attributes:
        allowed: In the order they were given.
        withheld: Those left out.
        strangers: Names by the file that lists them.
    """

    allowed: tuple[str, ...]
    withheld: tuple[str, ...]
    strangers: dict[str, tuple[str, ...]]


def read_names(path: Path) -> NameList:
    """Reads a CSV with a column ``customer``; other columns do not matter.

    Raises:
        TrendscopeError: It cannot be read, or has no such column.
    """
    cells = (cell.strip() for cell in read_csv(path, "customer")["customer"])
    return NameList(str(path), frozenset(cell for cell in cells if cell))


def consent(customers: Iterable[str], only: NameList | None, never: NameList | None) -> Consent:
    """Sorts customers by two lists; who is on both is left out.

    Where a name differs from one in `never` only by case, blanks or the way its letters are
    written, it is taken to be the same, so that nobody is written to by mistake; in `only` a name
    must be the very same.

    Args:
        customers: Their names.
        only: Nobody else may be written to; None: everybody may.
        never: These may not.
    """
    everyone = tuple(customers)
    barred = {_folded(name) for name in _spelled(never)}
    listed = _spelled(only)
    allowed = [name for name in everyone if _folded(name) not in barred]
    allowed = [name for name in allowed if only is None or name in listed]
    found = {}
    for source, same in ((only, str), (never, _folded)):
        have = {same(name) for name in everyone}
        if source and (rest := _strangers(source.names, have, same)):
            found[source.file] = rest
    kept = {*allowed}
    withheld = tuple(name for name in everyone if name not in kept)
    return Consent(tuple(allowed), withheld, found)


def _strangers(names: Iterable[str], have: set[str], same: Callable[[str], str]) -> tuple[str, ...]:
    return tuple(
        name for name in sorted(names) if not any(same(v) in have for v in _variants(name))
    )


def _spelled(source: NameList | None) -> set[str]:
    return {variant for name in (source.names if source else ()) for variant in _variants(name)}


def _variants(name: str) -> tuple[str, ...]:
    """A name as it stands, and without the sign that keeps spreadsheets from calculating it."""
    return (name, name[1:]) if name.startswith("'") else (name,)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
