"""Unique names of customers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trendscope.text import composed, displayed


class CustomerNames:
    """Gives every customer a unique name: a second one of the same name gets a number.

    A customer is identified by an account, such as ``instagram:ann`` or the folder's path, and not
    by the name: the same account keeps its name, another one of that name is ``ann (2)``.

    Args:
        customer: Name of customers whom the feed does not name, and of all accounts of that name.
        accounts: Names from earlier runs, by account.
        reserved: Further names that are not free.
        one_per_name: Whether all accounts of one name are one customer.

    Attributes:
        new: Names of the accounts that were named here for the first time, by account.
        fresh: Names among them that no customer had before.
        numbered: Names among them with a number.
        home: Start of paths that is no part of an account: uploads lie there for a while.
    """

    def __init__(
        self,
        customer: str | None = None,
        *,
        accounts: Mapping[str, str] | None = None,
        reserved: Iterable[str] = (),
        one_per_name: bool = False,
    ):
        self.new: dict[str, str] = {}
        self.fresh: set[str] = set()
        self.numbered: list[str] = []
        self.home = ""
        self._customer = customer
        self._names = dict(accounts or {})
        self._earlier = {composed(account): account for account in self._names}
        self._taken = {composed(name): name for name in (*self._names.values(), *reserved)}
        self._one_per_name = one_per_name

    def of_place(self, name: str, place: str) -> str:
        """The name for photos whose owner is known by their folder only; `customer` if given."""
        return self._customer or self.of(name, place)

    def of(self, name: str, account: str) -> str:
        """The name to show for an account that the feed names."""
        if self._customer and composed(name).casefold() == composed(self._customer).casefold():
            return self._customer
        account = account.removeprefix(self.home)
        if account not in self._names:  # it may have been stored in another form of Unicode
            account = self._earlier.get(composed(account), account)
        if account not in self._names:
            self._names[account] = self.new[account] = self._allotted(composed(displayed(name)))
        return self._names[account]

    def _allotted(self, name: str) -> str:
        if self._one_per_name and (same := self._taken.get(composed(name))):
            return same
        free, number = name, 2
        while composed(free) in self._taken:
            free, number = f"{name} ({number})", number + 1
        self._taken[composed(free)] = free
        self.fresh.add(free)
        if free != name:
            self.numbered.append(free)
        return free
