"""A shop's items as a table, and which of them may be recommended. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trendscope.categories import CATEGORIES
from trendscope.errors import TrendscopeError
from trendscope.files.tables import require_columns

if TYPE_CHECKING:
    from trendscope.catalog.items import Item

ITEM_COLUMNS = ("sku", "title", "category", "price", "currency", "in_stock", "review", "embedding")
"""Columns of a table of items.

sku, title: text, no two rows with one sku. category: one of the ten, None if undecided. price:
float, NaN if unknown. currency: text, empty if unknown. in_stock: True, False, or None if unknown.
review: why a person should look at it first; empty if nobody needs to. embedding: bytes, float32,
by the weights that judged the customers' photos; None without a picture.
"""


@dataclass(frozen=True)
class ItemFilter:
    """Which items may be recommended.

    Attributes:
        any_stock: Whether items out of stock are included. Unknown stock counts as in stock.
        least_price, most_price: Bounds of the price band, both included; None for no bound.
        currency: Currency of the band; items priced in others are left out. Empty: the only one.
    """

    any_stock: bool = False
    least_price: float | None = None
    most_price: float | None = None
    currency: str = ""


def candidate_items(items: Iterable[Item]) -> pd.DataFrame:
    """Items as a table with the columns of `ITEM_COLUMNS`."""
    rows = [
        (
            *(item.sku, item.title, item.category),
            float("nan") if item.price is None else float(item.price),
            *(item.currency, item.in_stock, item.review),
            None if item.prediction is None else item.prediction.embedding.tobytes(),
        )
        for item in items
    ]
    return pd.DataFrame(rows, columns=list(ITEM_COLUMNS)).astype({"price": "float64"})


def eligible(items: pd.DataFrame, item_filter: ItemFilter) -> tuple[pd.DataFrame, dict[str, int]]:
    """The items that may be recommended, by SKU, and the number of the others, by reason.

    Raises:
        TrendscopeError: A column is missing, a SKU repeats, or the price band needs a currency.
    """
    require_columns(items, *ITEM_COLUMNS)
    repeated = items.loc[items["sku"].duplicated(), "sku"]
    if len(repeated):
        raise TrendscopeError(f"two items have the SKU {repeated.iloc[0]!r}; give each its own")
    rows = items.sort_values("sku", ignore_index=True)
    remaining = np.ones(len(rows), bool)
    left_out: dict[str, int] = {}
    for reason, excluded in _exclusions(rows, item_filter):
        if count := int((remaining & excluded).sum()):
            left_out[reason] = count
        remaining &= ~excluded
    return rows[remaining].reset_index(drop=True), left_out


def _exclusions(
    rows: pd.DataFrame, item_filter: ItemFilter
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Reasons to leave items out, and the items concerned; an item counts for the first only."""
    in_review = np.array([bool(text) for text in rows["review"].fillna("")], bool)
    undecided = ~rows["category"].isin(CATEGORIES).to_numpy(bool)
    yield "waiting for a person's word on the category", in_review
    yield "in none of the ten categories, or it is not known in which", undecided
    if not item_filter.any_stock:
        stock = rows["in_stock"].astype(object)
        yield "out of stock", (stock.notna() & (stock == False)).to_numpy(bool)  # noqa: E712
    low, high = item_filter.least_price, item_filter.most_price
    if low is None and high is None:
        return
    price = rows["price"].to_numpy(np.float64)
    priced = np.isfinite(price)
    currencies = rows["currency"].fillna("").to_numpy(object)
    currency = item_filter.currency or _only(currencies[priced & ~undecided & ~in_review])
    above = price >= (-np.inf if low is None else low)
    below = price <= (np.inf if high is None else high)
    yield "without a price", ~priced
    yield f"not priced in {currency or 'the one currency'}", currencies != currency
    yield "outside the price band", ~(above & below)


def _only(currencies: NDArray[np.object_]) -> str:
    names = sorted(set(currencies))
    if len(names) > 1:
        listed = ", ".join(str(name or "none") for name in names[:4])
        raise TrendscopeError(
            f"prices are in several currencies ({listed}): say which one is meant, such as "
            f"--currency {names[-1]}"
        )
    return str(names[0]) if names else ""


Terms = ItemFilter
shelf = candidate_items
offered = eligible
"""Names of earlier versions."""
