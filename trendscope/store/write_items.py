"""Writing what a shop sells; each function works within the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from trendscope.catalog.categorising import Decision
from trendscope.catalog.items import Sight
from trendscope.catalog.products import Product
from trendscope.categories import CATEGORIES
from trendscope.store.memory import ranked
from trendscope.store.read_items import CHUNK, THOUSAND
from trendscope.store.schema import item_sights, item_thumbnails, items, to_moment, weights
from trendscope.store.write_photos import text_of


@dataclass(frozen=True)
class Seen:
    """What is known of an item's picture.

    Attributes:
        picture: Where it lies, for people.
        sha256: Of its bytes, in hex.
        sight: What the weights in use say; None if they have not judged it.
        embedding: Float32, little-endian; None as `sight`, and where it stands in the store.
        thumbnail: A small JPEG; None where it stands in the store, or was not wanted.
    """

    picture: str
    sha256: str
    sight: Sight | None
    embedding: bytes | None = None
    thumbnail: bytes | None = None


@dataclass(frozen=True)
class StoredItem:
    """An item as it stands in the store.

    Attributes:
        person: The category that somebody decided on, or `OTHER`; None if nobody did.
        seen: Of its picture; None without one.
    """

    id: int
    row: Mapping[str, Any]
    seen: Seen | None


@dataclass(frozen=True)
class Entry:
    """An item to be written."""

    product: Product
    decision: Decision
    seen: Seen | None


def stored_items(
    connection: Connection, skus: Sequence[str], weights_id: int | None
) -> dict[str, StoredItem]:
    """What the store holds of some items, by SKU as the file has it."""
    stored: dict[str, StoredItem] = {}
    by_text = {text_of(sku): sku for sku in skus}
    names = list(by_text)
    for start in range(0, len(names), CHUNK):
        part = names[start : start + CHUNK]
        rows = connection.execute(select(items).where(items.c.sku.in_(part))).mappings().all()
        sights = _sights(connection, [row["id"] for row in rows], weights_id)
        for row in rows:
            seen = None
            if row["sha256"]:
                seen = Seen(row["picture"], row["sha256"], sights.get(row["id"]))
            stored[by_text[row["sku"]]] = StoredItem(row["id"], dict(row), seen)
    return stored


def judged(
    connection: Connection, sha256: str, weights_id: int
) -> tuple[Sight, bytes, bytes] | None:
    """What some weights saw in a picture, whichever item has it, with embedding and thumbnail."""
    query = (
        select(item_sights, item_thumbnails.c.jpeg)
        .join_from(item_sights, items)
        .join(item_thumbnails, item_thumbnails.c.item_id == items.c.id)
        .where(items.c.sha256 == sha256, item_sights.c.weights_id == weights_id)
        .order_by(items.c.id)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (_sight(row), bytes(row.vector), bytes(row.jpeg))


def write_items(
    connection: Connection,
    entries: Sequence[Entry],
    known: Mapping[str, StoredItem],
    weights_id: int | None,
    now: datetime,
) -> tuple[int, int, int]:
    """Writes items, each once however often it comes.

    Args:
        connection: Writes alone.
        entries: Of different SKUs.
        known: Those that the store holds already, from `stored_items` in the same transaction.
        weights_id: Of the weights that judged; None if there was nothing to judge.
        now: The present, aware.

    Returns:
        How many were new, changed, and unchanged.
    """
    rows = {entry.product.sku: _row(entry) for entry in entries}
    stamp = {"changed_at": to_moment(now)}
    new = [{**row, **stamp} for sku, row in rows.items() if sku not in known]
    changed = [
        {**row, **stamp, "at": known[sku].id}
        for sku, row in rows.items()
        if sku in known and any(known[sku].row[name] != value for name, value in row.items())
    ]
    if new:
        connection.execute(insert(items), new)
    if changed:
        names = [name for name in changed[0] if name != "at"]
        renew = update(items).where(items.c.id == bindparam("at"))
        connection.execute(renew.values({name: bindparam(name) for name in names}), changed)
    if weights_id is not None:
        _pictures(connection, entries, weights_id)
    return len(new), len(changed), len(rows) - len(new) - len(changed)


def mark_unavailable(connection: Connection, skus: Sequence[str], now: datetime) -> int:
    """Notes of items that are for sale no more that they are out of stock; returns how many."""
    gone = 0
    for start in range(0, len(skus), CHUNK):
        part = items.c.sku.in_([text_of(sku) for sku in skus[start : start + CHUNK]])
        there = items.c.in_stock.is_(None) | items.c.in_stock
        values = {"in_stock": False, "changed_at": to_moment(now)}
        gone += connection.execute(update(items).where(part, there).values(values)).rowcount
    return gone


def _pictures(connection: Connection, entries: Sequence[Entry], weights_id: int) -> None:
    """Writes what was newly seen in pictures; what another picture showed goes."""
    fresh = {e.product.sku: e.seen for e in entries if e.seen and e.seen.embedding is not None}
    if not fresh:
        return
    texts = {text_of(sku): seen for sku, seen in fresh.items()}
    rows = connection.execute(select(items.c.sku, items.c.id).where(items.c.sku.in_(list(texts))))
    by_id = {int(row.id): texts[row.sku] for row in rows}
    for table in (item_sights, item_thumbnails):
        connection.execute(delete(table).where(table.c.item_id.in_(list(by_id))))
    sights = [_sight_row(i, weights_id, seen) for i, seen in by_id.items() if seen.sight]
    connection.execute(insert(item_sights), sights)
    small = [{"item_id": i, "jpeg": s.thumbnail} for i, s in by_id.items() if s.thumbnail]
    if small:
        connection.execute(insert(item_thumbnails), small)


def _row(entry: Entry) -> dict[str, Any]:
    product, decision, seen = entry.product, entry.decision, entry.seen
    kind = "; ".join(filter(None, (product.taxonomy, *product.kinds)))
    price = None if product.price is None else int((product.price * THOUSAND).to_integral_value())
    return {
        "sku": text_of(product.sku),
        "title": text_of(product.title),
        "brand": text_of(product.brand),
        "kind": text_of(kind),
        "price": price,
        "currency": text_of(product.currency)[:8],
        "in_stock": product.in_stock,
        "url": text_of(product.url),
        "category": decision.category,
        "reason": decision.reason,
        "approximate": decision.approximate,
        "category_source": decision.source,
        "because": text_of(decision.because),
        "review": text_of(decision.review),
        "source": text_of(product.source),
        "picture": text_of(seen.picture) if seen else "",
        "sha256": seen.sha256 if seen else None,
    }


def _sights(connection: Connection, ids: Sequence[int], weights_id: int | None) -> dict[int, Sight]:
    current = item_sights.c.weights_id == weights_id
    if weights_id is None:
        current = item_sights.c.weights_id.in_(select(weights.c.id).where(weights.c.current))
    query = select(item_sights).where(item_sights.c.item_id.in_(ids), current)
    return {int(row.item_id): _sight(row) for row in connection.execute(query)}


def _sight(row: Any) -> Sight:
    return Sight(row.category, row.reason, ranked(row.probabilities), row.outside)


def _sight_row(item_id: int, weights_id: int, seen: Seen) -> dict[str, Any]:
    assert seen.sight is not None
    chances = dict(seen.sight.probabilities)
    return {
        "item_id": item_id,
        "weights_id": weights_id,
        "category": seen.sight.category,
        "reason": seen.sight.reason,
        "outside": seen.sight.outside,
        "probabilities": np.array([chances[c] for c in CATEGORIES], "<f4").tobytes(),
        "vector": seen.embedding,
    }
