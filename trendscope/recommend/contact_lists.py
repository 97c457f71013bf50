"""Who may be written to, by lists of customers in files."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from trendscope.files.tables import read_csv
from trendscope.text import composed, natural


@dataclass(frozen=True)
class NameList:
    """The customers that a file lists, as written there, without blanks around their names."""

    file: str
    names: frozenset[str]


@dataclass(frozen=True)
class Consent:
    """Who may be written to, who may not, and which names in the lists no customer has.

    Attributes:
        allowed: Customers who may be written to, in their order.
        suppressed: Customers who may not.
        unknown_names: Names that no customer has, by the file that lists them.
    """

    allowed: tuple[str, ...]
    suppressed: tuple[str, ...]
    unknown_names: dict[str, tuple[str, ...]]


def read_names(path: Path) -> NameList:
    """Reads a CSV with a column ``customer``; other columns do not matter.

    Raises:
        TrendscopeError: It cannot be read, or has no such column.
    """
    cells = (cell.strip() for cell in read_csv(path, "customer")["customer"])
    return NameList(str(path), frozenset(cell for cell in cells if cell))


def consent(customers: Iterable[str], only: NameList | None, never: NameList | None) -> Consent:
    """Divides customers by two lists; whoever is on both may not be written to.

    A name in `never` matches whatever its case, blanks and encoding of letters, so that nobody is
    written to by mistake; a name in `only` must match but for that encoding. Without `only`,
    everybody may be written to who is not in `never`.
    """
    everyone = tuple(customers)
    barred = {_folded(name) for name in _spelled(never)}
    listed = {*map(composed, _spelled(only))}
    allowed = tuple(
        name
        for name in everyone
        if _folded(name) not in barred and (only is None or composed(name) in listed)
    )
    unknown_names = {}
    for names, spelling in ((only, composed), (never, _folded)):
        if names and (unknown := _unknown(names.names, everyone, spelling)):
            unknown_names[names.file] = unknown
    permitted = {*allowed}
    suppressed = tuple(name for name in everyone if name not in permitted)
    return Consent(allowed, suppressed, unknown_names)


def _unknown(
    listed: Iterable[str], customers: Iterable[str], spelling: Callable[[str], str]
) -> tuple[str, ...]:
    """The listed names that no customer has, after both are spelled alike."""
    spelled = {spelling(name) for name in customers}
    return tuple(
        name
        for name in sorted(listed, key=natural)
        if not any(spelling(v) in spelled for v in _variants(name))
    )


def _spelled(listed: NameList | None) -> set[str]:
    return {variant for name in (listed.names if listed else ()) for variant in _variants(name)}


def _variants(name: str) -> tuple[str, ...]:
    """A name, also without the sign that keeps spreadsheets from taking it for a formula."""
    return (name, name[1:]) if name.startswith("'") else (name,)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
