"""What is asked of lists of customers and of targets, as addresses name it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import Query
from starlette.exceptions import HTTPException

from trendscope import store, weeks
from trendscope.catalog.items import Item
from trendscope.categories import match_category
from trendscope.recommend.campaigns import Campaign
from trendscope.store.listing import CustomerEntry, Order
from trendscope.store.read_items import chosen, known_item, searched
from trendscope.web.desk import Desk
from trendscope.web.responses import refusals

Segment = Annotated[str, Query(max_length=200)]

MOST_WEEKS = 104
"""Weeks offered to choose from, the latest ones."""


@dataclass(frozen=True)
class ListQuery:
    """What is asked of a list."""

    def given(self, **others: str | int) -> dict[str, str | int]:
        """The parameters of an address that asks for the same, but for `others`."""
        return {name: value for name, value in {**asdict(self), **others}.items() if value}


@dataclass(frozen=True)
class CustomerQuery(ListQuery):
    """What is asked of the list of customers.

    Attributes:
        search: Part of the name.
        category: One of the ten; only those who wear it, in the week if there is one.
        week: ISO week; only those who posted in it.
    """

    search: Annotated[str, Query(max_length=200)] = ""
    category: Annotated[str, Query(max_length=40)] = ""
    week: Annotated[str, Query(max_length=20)] = ""
    segment: Segment = ""
    sort: Order = "name"

    def entries(
        self, desk: Desk, limit: int | None = None, offset: int = 0
    ) -> tuple[list[CustomerEntry], int]:
        """A part of the list, and the length of the whole list.

        Raises:
            TrendscopeError: There is no such segment.
            HTTPException: There is no such category or week.
        """
        category = match_category(self.category) if self.category else None
        if self.category and category is None:
            raise HTTPException(422, "There is no such category.")
        since, until = self._days(desk) if self.week else (None, None)
        return store.find_customers(
            desk.store,
            self.search,
            category=category,
            since=since,
            until=until,
            members=desk.members(self.segment),
            order=self.sort,
            limit=limit,
            offset=offset,
        )

    def _days(self, desk: Desk) -> tuple[datetime, datetime]:
        try:
            since = datetime.combine(weeks.monday_of(self.week), time(), desk.settings.zone)
            return since, since + timedelta(days=7)
        except (ValueError, OverflowError) as error:
            raise HTTPException(422, f"{error}.") from None


@dataclass(frozen=True)
class ItemQuery(ListQuery):
    """What is asked of the catalogue.

    Attributes:
        search: Part of the SKU, title, brand or kind.
        show: A category, or ``review`` for what waits for a person; all without one.
    """

    search: Annotated[str, Query(max_length=200)] = ""
    show: Annotated[str, Query(max_length=40)] = ""

    def items(self, every: Sequence[Item]) -> list[Item]:
        """The items asked for, those that wait for a person first.

        Raises:
            UsageError: There is no such category.
        """
        category = None if self.show in ("", "review") else self.show
        items = chosen(every, review=self.show == "review", category=category)
        return sorted(searched(items, self.search), key=lambda item: not item.review)


@dataclass(frozen=True)
class About:
    """A customer, an item or a category whose targets are asked for: one of the three."""

    customer: Annotated[str, Query(max_length=1000)] = ""
    sku: Annotated[str, Query(max_length=500)] = ""
    category: Annotated[str, Query(max_length=40)] = ""

    def campaign(self, desk: Desk) -> Campaign:
        """The targets.

        Raises:
            HTTPException: There is no such customer, item or category, or not one of the three.
        """
        given = {name: value for name, value in asdict(self).items() if value}
        if len(given) != 1:
            raise HTTPException(400, "Give either a customer, an item's sku or a category.")
        if self.customer and not store.knows_customer(desk.store, self.customer):
            raise HTTPException(404, "The database knows no such customer.")
        if self.sku and not known_item(desk.store, self.sku):
            raise HTTPException(404, "The shop sells no such item.")
        with refusals(400, missing=404):
            return desk.campaign(**given)


def weeks_of(desk: Desk) -> list[tuple[str, date]]:
    """The weeks from which there are photos and those between, the latest first: name, Monday."""
    first, last = store.posted_between(desk.store)
    if first is None or last is None:
        return []
    zone = desk.settings.zone
    end = weeks.number_of(weeks.monday(min(last, desk.now()), zone))
    begin = max(weeks.number_of(weeks.monday(first, zone)), end - MOST_WEEKS + 1)
    names = (weeks.name(number) for number in range(end, begin - 1, -1))
    return [(name, weeks.monday_of(name)) for name in names]
