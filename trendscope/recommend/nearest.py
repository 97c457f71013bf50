"""Exact nearest-neighbour search by matrix products of bounded size. Only numpy.

Vectors are rounded to whole numbers first, short enough that float32 adds their products up without
any rounding: the result does not depend on the order of summation, and so not on the machine, the
number of threads, or what else is searched for at the same time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]

NORM = 4000
"""Length of a rounded vector: its square, with what rounding adds, stays below 2**24, up to which
float32 holds every whole number."""

LARGEST_PART = 8_000_000
"""Products computed at once; each takes 12 bytes."""


def quantised(vectors: Sequence[bytes | None]) -> tuple[Floats, NDArray[np.bool_]]:
    """Vectors of length `NORM` made of whole numbers, and which of them are usable.

    Args:
        vectors: Little-endian float32, all of one length, or None.

    Returns:
        (n, d), and True where the vector is there, all numbers, and not zero. The others, and those
        of another length than most have, are rows of zeros.
    """
    lengths = [len(vector) if vector else 0 for vector in vectors]
    nonzero = np.array([length for length in lengths if length], np.intp)
    width = int(np.bincount(nonzero).argmax()) if len(nonzero) else 0
    rows = np.zeros((len(lengths), width // 4), "<f4")
    for row, vector in enumerate(vectors):
        if vector and len(vector) == width:
            rows[row] = np.frombuffer(vector, "<f4")
    rows[~np.isfinite(rows).all(axis=1)] = 0
    size = np.sqrt((rows.astype(np.float64) ** 2).sum(axis=1, keepdims=True))
    usable = size[:, 0] > 0
    scaled = np.round(rows * (NORM / np.where(size > 0, size, 1)))
    return np.asarray(scaled, np.float32), usable


def cosine(products: Floats) -> NDArray[np.float64]:
    """Cosines of rounded vectors from their products: 1 for the same direction, 0 for nothing."""
    return np.clip(products.astype(np.float64) / NORM**2, 0.0, 1.0)


def nearest_items(
    photos: Floats,
    owners: Indices,
    items: Floats,
    *,
    count: int,
    candidates: int,
    diversity: float,
    owned: float,
) -> Iterator[tuple[Indices, Indices, Floats, Indices]]:
    """The items nearest to each owner's photos, by the photo nearest to each.

    Args:
        photos: (n, d) vectors of `quantised`, all of one owner together.
        owners: (n,) numbers of the owners, 0 upwards without gaps, never falling.
        items: (m, d) vectors of `quantised`; of two equally near, the first is chosen.
        count: Number of items for each owner.
        candidates: Number of nearest items among which diversity chooses.
        diversity: 0 chooses the nearest; towards 1, items unlike those already chosen (maximal
            marginal relevance, Carbonell and Goldstein 1998).
        owned: Cosine from which an item is left out as the owner's own; above 1, none is.

    Yields:
        For a part of the owners: owner, item, their product, and the number of the nearest photo
        (of several equally near ones, the first); each (k,), by owner, best item first.
    """
    if not len(items) or not len(photos):
        return
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    ends = np.append(starts[1:], len(photos))
    together = max(1, LARGEST_PART // len(items))
    for first in range(0, len(starts), together):
        own = slice(starts[first], ends[min(first + together, len(starts)) - 1])
        part, local = photos[own], owners[own] - first
        best = _closest(part, local, items)
        best[best >= owned * NORM**2] = -1
        among = max(candidates if diversity else 0, count)
        owner, item, product = _picked(best, items, count, among, diversity)
        nearest = _photo(part, local, items, owner, item)
        yield owner + first, item, product, nearest + starts[first]


def _closest(photos: Floats, owners: Indices, items: Floats) -> Floats:
    """(owners, items): the greatest product of an item with one of the owner's photos."""
    best = np.full((int(owners[-1]) + 1, len(items)), -1, np.float32)
    rows = max(1, LARGEST_PART // len(items))
    for start in range(0, len(photos), rows):
        owner = owners[start : start + rows]
        products = photos[start : start + rows] @ items.T
        begins = np.flatnonzero(np.diff(owner, prepend=-1)).tolist()
        # One owner at a time: numpy's reduceat takes ten times as long.
        for first, end in zip(begins, [*begins[1:], len(owner)], strict=True):
            own = best[owner[first]]
            np.maximum(own, products[first:end].max(axis=0), out=own)
    return best


def _ranked(best: Floats, count: int) -> Indices:
    """(owners, count): the columns with the greatest values, equal ones in their order."""
    columns = best.shape[1]
    # Partition and sort leave equal values in any order. Products are whole numbers, so value and
    # column fit into one key that no other cell of the row shares; of equal values, the smaller
    # column has the larger key. The key modulo the number of columns gives the column back.
    keys = best.astype(np.int64) * columns + np.arange(columns - 1, -1, -1)
    if count < columns:
        keys = np.partition(keys, columns - count, axis=1)[:, columns - count :]
    keys = -np.sort(-keys, axis=1)
    return np.asarray(columns - 1 - keys % columns, np.intp)


def _picked(
    best: Floats, items: Floats, count: int, among: int, diversity: float
) -> tuple[Indices, Indices, Floats]:
    """Owner, item and product of the chosen pairs, by owner, best item first."""
    near = _ranked(best, min(among, best.shape[1]))
    products = np.take_along_axis(best, near, axis=1)
    order = _varied(near, products, items, min(count, near.shape[1]), diversity)
    item = np.take_along_axis(near, order, axis=1)
    product = np.take_along_axis(products, order, axis=1)
    allowed = product >= 0
    owner = np.broadcast_to(np.arange(len(best))[:, None], allowed.shape)
    return owner[allowed], item[allowed], product[allowed]


def _varied(
    near: Indices, products: Floats, items: Floats, count: int, diversity: float
) -> Indices:
    """(owners, count): positions among the near items, each near and unlike those chosen before.

    Those with a negative product come last, after all others.
    """
    if not diversity:
        return np.broadcast_to(np.arange(count), (len(near), count)).astype(np.intp)
    vectors = items[near]
    rows = np.arange(len(near))
    similarity = np.zeros(near.shape, np.float32)
    taken = np.zeros(near.shape, bool)
    order = np.zeros((len(near), count), np.intp)
    for turn in range(count):
        relevance = (1 - diversity) * products.astype(np.float64) - diversity * similarity
        relevance[products < 0] = -(2.0 * NORM**2)
        relevance[taken] = -np.inf
        order[:, turn] = relevance.argmax(axis=1)
        taken[rows, order[:, turn]] = True
        latest = vectors[rows, order[:, turn]]
        similarity = np.maximum(similarity, np.matmul(vectors, latest[:, :, None])[:, :, 0])
    return order


def _photo(
    photos: Floats, owners: Indices, items: Floats, owner: Indices, item: Indices
) -> Indices:
    """(k,): the number of the photo of `owner` that is nearest to `item`."""
    starts = np.searchsorted(owners, owner, side="left")
    counts = np.searchsorted(owners, owner, side="right") - starts
    pair = np.repeat(np.arange(len(owner)), counts)
    begins = np.cumsum(counts) - counts
    photo = np.arange(len(pair)) - begins[pair] + starts[pair]
    product = np.empty(len(pair), np.float32)
    rows = max(1, LARGEST_PART // max(1, photos.shape[1]))
    for start in range(0, len(pair), rows):
        part = slice(start, start + rows)
        product[part] = (photos[photo[part]] * items[item[pair[part]]]).sum(axis=1)
    order = np.lexsort((photo, -product, pair))
    return np.asarray(photo[order][begins], np.intp)
