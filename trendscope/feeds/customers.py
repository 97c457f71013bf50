"""The names of customers: two of one name are kept apart."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping

from trendscope.text import displayed


class CustomerNames:
    """Gives every customer a name of their own: two of one name are told apart by a number.

    A customer is known by an account, such as ``instagram:ann`` or the folder's place on disk, and
    not by the name: the same account keeps its name, another one of that name is ``ann (2)``.

    Args:
        given: By the user, for whom the feed does not name; all accounts of that name are that
            customer's.
        known: Names given out before, by account.
        taken: Further names that are not free.
        together: Accounts of one name are one customer.

    Attributes:
        new: Names that accounts got here for the first time, by account.
        fresh: Those of them that nobody had before.
        numbered: Those of them that bear a number.
    """

    def __init__(
        self,
        given: str | None = None,
        *,
        known: Mapping[str, str] | None = None,
        taken: Iterable[str] = (),
        together: bool = False,
    ):
        self.new: dict[str, str] = {}
        self.fresh: set[str] = set()
        self.numbered: list[str] = []
        self._given = given
        self._names = dict(known or {})
        self._taken = {_composed(name): name for name in (*self._names.values(), *taken)}
        self._together = together

    def of_place(self, name: str, place: str) -> str:
        """The name for what only its place has a name for; the one given by the user, if any."""
        return self._given or self.of(name, place)

    def of(self, name: str, account: str) -> str:
        """The name to show for an account that the feed names."""
        if self._given and _composed(name).casefold() == _composed(self._given).casefold():
            return self._given
        if account not in self._names:
            self._names[account] = self.new[account] = self._allotted(displayed(name))
        return self._names[account]

    def _allotted(self, name: str) -> str:
        if self._together and (known := self._taken.get(_composed(name))):
            return known
        free, number = name, 2
        while _composed(free) in self._taken:
            free, number = f"{name} ({number})", number + 1
        self._taken[_composed(free)] = free
        self.fresh.add(free)
        if free != name:
            self.numbered.append(free)
        return free


def _composed(name: str) -> str:
    """Names that look the same must not be two customers without a word."""
    return unicodedata.normalize("NFC", name)
