"""What a shop sells, in the store: read as `trendscope.catalog` describes it, and written."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

import numpy as np
from sqlalchemy import and_, select

from trendscope.catalog.items import Item, Sight
from trendscope.catalog.vocabulary import OTHER, category_or_other
from trendscope.categories import CATEGORIES
from trendscope.errors import StoreError, UsageError
from trendscope.store import schema
from trendscope.store.database import Database, opened
from trendscope.store.memory import ranked
from trendscope.text import displayed

CHUNK = 500
"""Rows asked for by name at once."""

THOUSAND = 1000
"""The store keeps prices in thousandths: exact, and no currency divides finer."""


def items(db: Database = None, skus: Sequence[str] | None = None) -> list[Item]:
    """Everything a shop sells, in order of SKU, with what the weights in use say of the pictures.

    Args:
        db: The database.
        skus: Only these; those that are not there are missing.

    Returns:
        Items; each embedding is a float32 array of the same length, or None.
    """
    with opened(db) as store, store.reading() as connection:
        if skus is None:
            result = connection.execution_options(yield_per=5_000).execute(_ITEMS)
            return [_item(row) for row in result]
        rows: list[Item] = []
        for start in range(0, len(skus), CHUNK):
            part = schema.items.c.sku.in_(list(skus[start : start + CHUNK]))
            rows += map(_item, connection.execute(_ITEMS.where(part)))
        return sorted(rows, key=lambda item: item.sku.encode())


def item_thumbnails(db: Database, skus: Sequence[str]) -> dict[str, bytes]:
    """Small JPEGs of items' pictures by SKU; those without one are missing."""
    query = select(schema.items.c.sku, schema.item_thumbnails.c.jpeg).join_from(
        schema.items, schema.item_thumbnails
    )
    jpegs: dict[str, bytes] = {}
    with opened(db) as store, store.reading() as connection:
        for start in range(0, len(skus), CHUNK):
            part = schema.items.c.sku.in_(list(skus[start : start + CHUNK]))
            jpegs |= {str(row[0]): bytes(row[1]) for row in connection.execute(query.where(part))}
    return jpegs


_CURRENT = (
    select(schema.item_sights)
    .join(
        schema.weights,
        and_(schema.weights.c.id == schema.item_sights.c.weights_id, schema.weights.c.current),
    )
    .subquery()
)

_ITEMS = (
    select(
        schema.items,
        _CURRENT.c.category.label("seen"),
        _CURRENT.c.reason.label("unseen"),
        _CURRENT.c.outside,
        _CURRENT.c.probabilities,
        _CURRENT.c.vector,
    )
    .outerjoin(_CURRENT, _CURRENT.c.item_id == schema.items.c.id)
    .order_by(schema.items.c.sku)
)


def _item(row: Any) -> Item:
    sight = None
    if row.probabilities is not None:
        sight = Sight(row.seen, row.unseen, ranked(row.probabilities), row.outside)
    return Item(
        sku=row.sku,
        title=row.title,
        brand=row.brand,
        kind=row.kind,
        price=None if row.price is None else Decimal(row.price) / THOUSAND,
        currency=row.currency,
        in_stock=row.in_stock,
        url=row.url,
        category=row.category,
        reason=row.reason,
        approximate=row.approximate,
        category_source=row.category_source,
        because=row.because,
        confidence=sight.of(row.category) if sight and row.category else None,
        review=row.review,
        picture=row.picture,
        source=row.source,
        sight=sight,
        embedding=None if row.vector is None else np.frombuffer(row.vector, "<f4"),
    )


def chosen(every: Sequence[Item], *, review: bool, category: str | None) -> list[Item]:
    """Of some items those that wait for a person, or have a category (``none``: none of the ten).

    Raises:
        UsageError: There is no such category.
    """
    wanted = _category(category)
    return [
        item
        for item in every
        if (item.review or not review)
        and (
            wanted is None
            or wanted == (item.category or (OTHER if item.reason == "outside" else ""))
        )
    ]


def find(db: Database, sku: str) -> Item:
    """One item.

    Raises:
        StoreError: There is none of that SKU; names the nearest ones.
    """
    with opened(db) as store:
        if matches := items(store, [sku]):
            return matches[0]
        folded = {item.sku.casefold(): displayed(item.sku) for item in items(store)}
        near = [folded[name] for name in get_close_matches(sku.casefold(), folded, 3)]
        advice = f"is it {', '.join(near)}?" if near else "see trendscope catalog list"
        raise StoreError(f"{store.shown} holds no item {displayed(sku)!r}; {advice}")


def _category(name: str | None) -> str | None:
    category = None if name is None else category_or_other(name)
    if name is not None and category is None:
        raise UsageError(f"--category {name}: choose one of {', '.join((*CATEGORIES, 'none'))}")
    return category
