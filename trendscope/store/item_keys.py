"""What items are known by: the numbers of all their sizes, and the shop's name for all of them.

The keys of an item are ``sku:`` and ``group:`` with what follows as the shop writes it. A SKU is
one item's alone, the last one's that had it. A group may be shared by colours that are items.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, delete, select

from trendscope.catalog.products import Product
from trendscope.store import schema
from trendscope.store.statements import ids_of, insert_rows, rows_with, text_of


def keys_of(product: Product) -> list[str]:
    """The keys of a product."""
    skus = [_sku_key(sku) for sku in (product.sku, *product.skus)]
    return list(dict.fromkeys([*skus, *([_group_key(product)] if product.group else [])]))


def recognise(
    connection: Connection, products: Sequence[Product]
) -> tuple[dict[str, str], set[str]]:
    """Finds products among the stored items, whatever the order of their sizes.

    A product is the item of its own SKU, else that of the first of its sizes, else, where no other
    product of the file and no other item has its group, the item of its group.

    Args:
        products: All products of a file; of two for one item, the earlier one gets it.

    Returns:
        The stored SKU of each product that is known, by its SKU in the file; and the stored SKUs of
        items that are only sizes of other items now.
    """
    owners = _owners(connection, {key for product in products for key in keys_of(product)})
    stored: dict[str, str] = {}

    def settle(product: Product, candidates: Iterable[str]) -> None:
        free = (sku for sku in candidates if sku not in taken)
        if product.sku not in stored and (sku := next(free, None)) is not None:
            stored[product.sku] = sku
            taken.add(sku)

    taken: set[str] = set()
    for product in products:
        own = text_of(product.sku)
        settle(product, {own} & {*owners[_sku_key(own)]})
    for product in products:
        keys = (key for key in keys_of(product) if key.startswith("sku:"))
        settle(product, (sku for key in keys for sku in owners[key]))
    sharing = Counter(product.group for product in products)
    for product in products:
        of_group = owners[_group_key(product)]
        if product.group and sharing[product.group] == 1 and len(of_group) == 1:
            settle(product, of_group)
    numbers = {key for product in products for key in keys_of(product) if key.startswith("sku:")}
    return stored, {sku for key in numbers for sku in owners[key]} - taken


def sku_known_as(connection: Connection, sku: str) -> str | None:
    """The SKU of the item one of whose sizes has this SKU; None if there is none."""
    return next(iter(_owners(connection, {_sku_key(sku)})[_sku_key(sku)]), None)


def write_keys(connection: Connection, keys: Mapping[str, Sequence[str]]) -> None:
    """Notes the keys of items, which lose none that they had, but for SKUs that are another's now.

    Args:
        keys: Keys of items by their stored SKU.
    """
    ids = ids_of(connection, schema.items.c.sku, keys)
    table = schema.item_keys
    new = {(ids[sku], key) for sku, own in keys.items() for key in own}
    of_sku = {key: item_id for item_id, key in sorted(new) if key.startswith("sku:")}
    query, names = select(table.c.item_id, table.c.key), {key for _, key in new}
    known = {(row.item_id, row.key) for row in rows_with(connection, query, table.c.key, names)}
    for item_id, key in known:
        if of_sku.get(key, item_id) != item_id:
            connection.execute(delete(table).where(table.c.item_id == item_id, table.c.key == key))
    added = [
        {"item_id": item_id, "key": key}
        for item_id, key in sorted(new - known)
        if of_sku.get(key, item_id) == item_id
    ]
    insert_rows(connection, table, added)


def _sku_key(sku: str) -> str:
    return f"sku:{text_of(sku)}"


def _group_key(product: Product) -> str:
    return f"group:{text_of(product.group)}"


def _owners(connection: Connection, keys: set[str]) -> defaultdict[str, list[str]]:
    """The SKUs of the items that have each key; items of older databases have only their own."""
    items, table = schema.items.c, schema.item_keys.c
    owners = defaultdict[str, list[str]](list)
    query = select(table.key, items.sku).join_from(schema.item_keys, schema.items)
    for key, sku in rows_with(connection, query.order_by(items.id), table.key, keys):
        owners[key].append(sku)
    skus = (key.removeprefix("sku:") for key in keys if key.startswith("sku:"))
    for sku in ids_of(connection, items.sku, skus):
        if not owners[_sku_key(sku)]:
            owners[_sku_key(sku)].append(sku)
    return owners
