"""The items that a shop sells, read from the store."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, func, select, true

from trendscope.catalog.items import Item, picture_confidence
from trendscope.catalog.vocabulary import OTHER, category_or_other
from trendscope.categories import CATEGORIES
from trendscope.errors import StoreError, UsageError
from trendscope.store import schema
from trendscope.store.database import Database, Store, opened, reading
from trendscope.store.item_keys import sku_known_as
from trendscope.store.pictures import jpegs
from trendscope.store.statements import rows_with, text_of
from trendscope.text import contains, displayed
from trendscope.vision.predictions import Prediction

THOUSAND = 1000
"""The store keeps prices in thousandths: exact, and no currency divides finer."""

SAME_COLUMNS = (
    *("sku", "title", "brand", "kind", "currency", "in_stock", "url", "category", "reason"),
    *("approximate", "category_source", "because", "review", "source", "picture"),
)
"""Columns of the table of items that are fields of an `Item`, as they are."""


def items(db: Database | Connection = None, skus: Sequence[str] | None = None) -> list[Item]:
    """All items in order of SKU, with what the weights in use say of their pictures.

    Args:
        skus: The only SKUs to read; those that are not there are missing in the result.

    Returns:
        Items; the embeddings of all predictions have the same length.
    """
    with reading(db) as connection:
        if skus is None:
            rows = connection.execution_options(yield_per=5_000).execute(_ITEMS)
            return [_item(row) for row in rows]
        some = map(_item, rows_with(connection, _ITEMS, schema.items.c.sku, skus))
        return sorted(some, key=lambda item: item.sku.encode())


def item_thumbnails(db: Database, skus: Sequence[str]) -> dict[str, bytes]:
    """Small JPEGs of items' pictures by SKU; those without one are missing."""
    return jpegs(db, schema.items.c.sku, schema.item_thumbnails, skus)


def judged_picture(
    connection: Connection, sha256: str, weights_id: int
) -> tuple[Prediction, bytes] | None:
    """The prediction of some weights for a picture, whichever item has it, and its thumbnail.

    None also for a picture of several garments, as the item's category decides which one it is.
    """
    sights = schema.item_sights.c
    query = (
        select(*_prediction_columns(sights), schema.item_thumbnails.c.jpeg)
        .join_from(schema.item_sights, schema.items)
        .join(schema.item_thumbnails, schema.item_thumbnails.c.item_id == schema.items.c.id)
        .where(
            schema.items.c.sha256 == sha256,
            sights.weights_id == weights_id,
            func.coalesce(sights.alone, true()),
        )
        .order_by(schema.items.c.id)
    )
    row = connection.execute(query.limit(1)).one_or_none()
    return None if row is None else (_prediction(row), bytes(row.jpeg))


def _prediction_columns(sights: Any) -> tuple[ColumnElement[Any], ...]:
    renamed = sights.category.label("picture_category"), sights.reason.label("picture_reason")
    return *renamed, sights.outside, sights.probabilities, sights.vector


_CURRENT = (
    select(schema.item_sights)
    .join(
        schema.weights,
        and_(schema.weights.c.id == schema.item_sights.c.weights_id, schema.weights.c.current),
    )
    .subquery()
)

_ITEMS = (
    select(schema.items, *_prediction_columns(_CURRENT.c))
    .outerjoin(_CURRENT, _CURRENT.c.item_id == schema.items.c.id)
    .order_by(schema.items.c.sku)
)


def _item(row: Any) -> Item:
    prediction = None if row.probabilities is None else _prediction(row)
    return Item(
        **{name: getattr(row, name) for name in SAME_COLUMNS},
        price=None if row.price is None else Decimal(row.price) / THOUSAND,
        confidence=picture_confidence(prediction, row.category),
        sha256=row.sha256 or "",
        prediction=prediction,
    )


def _prediction(row: Any) -> Prediction:
    probabilities = np.frombuffer(row.probabilities, "<f4")
    return Prediction(
        verdict=row.picture_reason or "classified",
        category=row.picture_category,
        confidence=float(probabilities.max()),
        probabilities=probabilities,
        outside=row.outside,
        embedding=np.frombuffer(row.vector, "<f4"),
    )


def chosen(every: Sequence[Item], *, review: bool, category: str | None) -> list[Item]:
    """The items that await review, or have a category (``none``: none of the ten).

    Raises:
        UsageError: There is no such category.
    """
    answer = decided_category(category)
    some = (item for item in every if item.review or not review)
    if answer == OTHER:
        return [item for item in some if item.reason == "outside"]
    return [item for item in some if answer in (None, item.category)]


def searched(every: Sequence[Item], search: str) -> list[Item]:
    """The items whose SKU, title, brand or kind contains a text, in any case."""
    return [
        item
        for item in every
        if contains("\n".join((item.sku, item.title, item.brand, item.kind)), search)
    ]


def known_item(store: Store, sku: str) -> Item | None:
    """One item, by its SKU or by that of one of its sizes; None if there is none."""
    with store.reading() as connection:
        known_as = sku_known_as(connection, sku)
    matches = items(store, [text_of(sku)]) or items(store, [known_as] if known_as else [])
    return matches[0] if matches else None


def find(db: Database, sku: str) -> Item:
    """One item, by its SKU or by that of one of its sizes.

    Raises:
        StoreError: There is none of that SKU; names the nearest ones.
    """
    with opened(db) as store:
        if item := known_item(store, sku):
            return item
        folded = {item.sku.casefold(): displayed(item.sku) for item in items(store)}
        near = [folded[name] for name in get_close_matches(sku.casefold(), folded, 3)]
        advice = f"is it {', '.join(near)}?" if near else "see trendscope catalog list"
        raise StoreError(f"{store.shown} holds no item {displayed(sku)!r}; {advice}")


def decided_category(name: str | None) -> str | None:
    """The category, or `OTHER`, that ``--category`` names; None where it is not given.

    Raises:
        UsageError: There is no such category.
    """
    category = None if name is None else category_or_other(name)
    if name is not None and category is None:
        raise UsageError(f"--category {name}: choose one of {', '.join((*CATEGORIES, 'none'))}")
    return category
