"""What a shop has on offer, as a table, and which of it may be recommended. Pure."""

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
"""Columns of a shelf.

sku, title: text, no two rows with one sku. category: one of the ten, None where it is open. price:
float, NaN if unknown. currency: text, empty if unknown. in_stock: True, False, or None if unknown.
review: why a person should look first; empty if settled. embedding: bytes, float32, by the weights
that judged the customers' photos; None without a picture.
"""


@dataclass(frozen=True)
class ItemFilter:
    """Which items may be recommended.

    Attributes:
        any_stock: Also what is out of stock. What is not said to be counts as in stock.
        least_price, most_price: The price band, both included; None where it is open.
        currency: Of the band; items priced in others are left out. Empty: the only one there is.
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
            None if item.embedding is None else np.asarray(item.embedding, "<f4").tobytes(),
        )
        for item in items
    ]
    return pd.DataFrame(rows, columns=list(ITEM_COLUMNS)).astype({"price": "float64"})


def eligible(items: pd.DataFrame, terms: ItemFilter) -> tuple[pd.DataFrame, dict[str, int]]:
    """The items that may be recommended, by SKU, and how many may not, by reason.

    Raises:
        TrendscopeError: A column is missing, two items share a SKU, or it is not clear what
            currency the price band is in.
    """
    require_columns(items, *ITEM_COLUMNS)
    twice = items.loc[items["sku"].duplicated(), "sku"]
    if len(twice):
        raise TrendscopeError(f"two items have the SKU {twice.iloc[0]!r}; give each its own")
    rows = items.sort_values("sku", ignore_index=True)
    kept = np.ones(len(rows), bool)
    left_out: dict[str, int] = {}
    for reason, out in _grounds(rows, terms):
        if count := int((kept & out).sum()):
            left_out[reason] = count
        kept &= ~out
    return rows[kept].reset_index(drop=True), left_out


def _grounds(rows: pd.DataFrame, terms: ItemFilter) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Why items are left out, and which of them; the first reason that holds is told."""
    waiting = np.array([bool(text) for text in rows["review"].fillna("")], bool)
    open_ = ~rows["category"].isin(CATEGORIES).to_numpy(bool)
    yield "waiting for a person's word on the category", waiting
    yield "in none of the ten categories, or it is not known in which", open_
    if not terms.any_stock:
        stock = rows["in_stock"].astype(object)
        yield "out of stock", (stock.notna() & (stock == False)).to_numpy(bool)  # noqa: E712
    if terms.least_price is None and terms.most_price is None:
        return
    price = rows["price"].to_numpy(np.float64)
    currency = rows["currency"].fillna("").to_numpy(object)
    wanted = terms.currency or _only(currency[np.isfinite(price) & ~open_ & ~waiting])
    low = -np.inf if terms.least_price is None else terms.least_price
    high = np.inf if terms.most_price is None else terms.most_price
    yield "without a price", ~np.isfinite(price)
    yield f"not priced in {wanted or 'the one currency'}", currency != wanted
    yield "outside the price band", ~((price >= low) & (price <= high))


def _only(currencies: NDArray[np.object_]) -> str:
    names = sorted(set(currencies))
    if len(names) > 1:
        told = ", ".join(str(name or "none") for name in names[:4])
        raise TrendscopeError(
            f"prices are in several currencies ({told}): say which one is meant, such as "
            f"--currency {names[-1]}"
        )
    return str(names[0]) if names else ""


Terms = ItemFilter
shelf = candidate_items
offered = eligible
"""Names of earlier versions."""
