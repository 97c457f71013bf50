"""Writing the items that a shop sells; each function works within the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, insert, select, update

from trendscope.catalog.items import Item
from trendscope.store.database import parts
from trendscope.store.read_items import SAME_COLUMNS, THOUSAND
from trendscope.store.schema import item_keys, item_sights, item_thumbnails, items, to_moment
from trendscope.store.statements import ids_of, insert_rows, text_of, update_rows


def write_items(
    connection: Connection,
    batch: Sequence[Item],
    before: Mapping[str, Item],
    thumbnails: Mapping[str, bytes],
    weights_id: int | None,
    now: datetime,
) -> tuple[int, int, int]:
    """Writes items, each once however often it comes.

    Args:
        batch: Items of different SKUs; their texts are those of `text_of`.
        before: The items of these SKUs that the store holds, read in the same transaction.
        thumbnails: Small JPEGs of the pictures that were judged, by SKU.
        weights_id: Number of the weights that judged; None if there was nothing to judge.

    Returns:
        The numbers of new, changed and unchanged items.
    """
    moment = {"changed_at": to_moment(now)}
    new = [{**_row(item), **moment} for item in batch if item.sku not in before]
    changed = [
        {**_row(item), **moment}
        for item in batch
        if item.sku in before and _row(item) != _row(before[item.sku])
    ]
    insert_rows(connection, items, new)
    update_rows(connection, items, "sku", changed)
    if weights_id is not None:
        fresh = [item for item in batch if _is_fresh(item, before.get(item.sku))]
        _write_pictures(connection, fresh, thumbnails, weights_id)
    return len(new), len(changed), len(batch) - len(new) - len(changed)


def mark_unavailable(connection: Connection, skus: Iterable[str], now: datetime) -> int:
    """Marks items that are no longer for sale as out of stock; returns their number."""
    count = 0
    for part in parts(map(text_of, skus)):
        available = items.c.in_stock.is_(None) | items.c.in_stock
        renew = update(items).where(items.c.sku.in_(part), available)
        values = {"in_stock": False, "changed_at": to_moment(now)}
        count += connection.execute(renew.values(values)).rowcount
    return count


ItemRows = dict[str, list[dict[str, Any]]]
"""The rows of one item by table, without the item's number; empty where there is no item."""


def rows_of_item(connection: Connection, sku: str) -> ItemRows:
    """All that the store holds of an item."""
    item_id = connection.scalar(select(items.c.id).where(items.c.sku == sku))
    if item_id is None:
        return {}
    tables = {items.name: (items, items.c.id), **_BELONGING}
    return {
        name: [
            {key: value for key, value in row.items() if key != number.name}
            for row in connection.execute(select(table).where(number == item_id)).mappings()
        ]
        for name, (table, number) in tables.items()
    }


def put_item_back(connection: Connection, sku: str, rows: ItemRows) -> None:
    """Makes an item what `rows_of_item` gave earlier; removes it where there was none."""
    former = select(items.c.id).where(items.c.sku == sku).scalar_subquery()
    for table, number in _BELONGING.values():
        connection.execute(delete(table).where(number == former))
    connection.execute(delete(items).where(items.c.sku == sku))
    if not rows:
        return
    connection.execute(insert(items), rows[items.name])
    item_id = connection.scalar(select(items.c.id).where(items.c.sku == sku))
    for name, (table, number) in _BELONGING.items():
        insert_rows(connection, table, [{**row, number.name: item_id} for row in rows[name]])


_BELONGING = {
    table.name: (table, table.c.item_id) for table in (item_keys, item_sights, item_thumbnails)
}


def _is_fresh(item: Item, before: Item | None) -> bool:
    """True for an item whose picture the store has no prediction for."""
    if item.prediction is None:
        return False
    if before is None or before.prediction is None or before.sha256 != item.sha256:
        return True
    # Of another category than before, it is another garment of the same picture.
    embedding, stored_embedding = item.prediction.embedding, before.prediction.embedding
    return not (item.alone or np.array_equal(embedding, stored_embedding))


def _write_pictures(
    connection: Connection, fresh: Sequence[Item], thumbnails: Mapping[str, bytes], weights_id: int
) -> None:
    """Writes predictions and thumbnails, in place of those of the items' former pictures."""
    skus = [item.sku for item in fresh]
    ids = ids_of(connection, items.c.sku, skus)
    for table in (item_sights, item_thumbnails):
        connection.execute(delete(table).where(table.c.item_id.in_(ids.values())))
    sights = [_sight_row(ids[item.sku], weights_id, item) for item in fresh]
    insert_rows(connection, item_sights, sights)
    jpegs = [{"item_id": ids[sku], "jpeg": thumbnails[sku]} for sku in skus if sku in thumbnails]
    insert_rows(connection, item_thumbnails, jpegs)


def _row(item: Item) -> dict[str, Any]:
    return {
        **{name: getattr(item, name) for name in SAME_COLUMNS},
        "price": None if item.price is None else int(item.price * THOUSAND),
        "sha256": item.sha256 or None,
    }


def _sight_row(item_id: int, weights_id: int, item: Item) -> dict[str, Any]:
    prediction = item.prediction
    assert prediction is not None
    return {
        "item_id": item_id,
        "weights_id": weights_id,
        "category": prediction.category,
        "reason": None if prediction.verdict == "classified" else prediction.verdict,
        "outside": prediction.outside,
        "probabilities": prediction.probabilities.astype("<f4").tobytes(),
        "vector": prediction.embedding.astype("<f4").tobytes(),
        "alone": item.alone,
    }
