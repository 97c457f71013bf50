"""Exact search: against a search by sorting, one pair at a time, and figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendscope.recommend import nearest
from trendscope.recommend.nearest import NORM, cosine, nearest_items, quantised


def stored(*rows):
    return [None if row is None else np.asarray(row, "<f4").tobytes() for row in rows]


def choice(count=2, candidates=50, diversity=0.0, owned=2.0):
    return {"count": count, "candidates": candidates, "diversity": diversity, "owned": owned}


def test_vectors_become_whole_numbers_of_one_length():
    chosen, usable = quantised(stored([3, 4], [0.3, 0.4], [0, 7]))
    assert chosen.tolist() == [[2400, 3200], [2400, 3200], [0, 4000]]
    assert chosen.dtype == np.float32 and usable.all()


def test_vectors_without_a_direction_are_not_usable():
    odd = stored([1, 0], None, [0, 0], [np.nan, 1], [np.inf, 1], [1, 2, 3], [1, 1])
    chosen, usable = quantised(odd)
    assert usable.tolist() == [True, False, False, False, False, False, True]
    assert not chosen[~usable].any() and chosen.shape == (7, 2)


def test_quantised_of_no_vectors():
    for nothing in ([], [None, None], [b""]):
        chosen, usable = quantised(nothing)
        assert chosen.shape == (len(nothing), 0) and not usable.any()


@given(st.lists(st.floats(0, 1e6, width=32), min_size=1, max_size=200))
def test_products_are_exact_whatever_the_order_of_summation(numbers):
    chosen, usable = quantised(stored(numbers, numbers[::-1]))
    if usable.all():
        a, b = chosen
        exact = int(a.astype(np.int64) @ b.astype(np.int64))
        assert exact <= 2**24
        shuffled = np.random.default_rng(0).permutation(len(a))
        assert float(a @ b) == float(a[shuffled] @ b[shuffled]) == exact


def test_cosines_of_known_angles():
    vectors, _ = quantised(stored([1, 0], [1, 1], [0, 1], [1, 0.01]))
    assert cosine(vectors @ vectors[0]) == pytest.approx([1, 0.70710678, 0, 0.99995], abs=2e-4)
    assert cosine(np.array([1.01 * NORM**2, -5], np.float32)).tolist() == [1, 0]


def by_sorting(photos, owners, items, count, owned=2.0):
    """The same by plain loops: (owner, item, product, photo)."""
    rows = []
    for owner in sorted(set(owners)):
        own = [p for p in range(len(photos)) if owners[p] == owner]
        near = []
        for i, item in enumerate(items):
            products = [int(photos[p] @ item) for p in own]
            best = max(products)
            if best < owned * NORM**2:
                near.append((-best, i, own[products.index(best)]))
        rows += [(owner, i, -best, p) for best, i, p in sorted(near)[:count]]
    return rows


def found_by(photos, owners, items, **given):
    parts = list(nearest_items(photos, owners, items, **choice(**given)))
    return [tuple(map(int, row)) for part in parts for row in zip(*part, strict=True)]


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=6),
    st.integers(1, 9),
    st.integers(1, 5),
    st.integers(0, 2**32),
    st.sampled_from([1, 7, 30, 10**6]),
)
def test_nearest_items_agrees_with_plain_sorting(counts, items, count, seed, part):
    draw = np.random.default_rng(seed)
    # Few different numbers, so that many are equally near.
    rows = draw.integers(0, 3, (sum(counts) + items, 3))
    vectors, _ = quantised(stored(*rows))
    photos, sold = vectors[: sum(counts)], vectors[sum(counts) :]
    owners = np.repeat(np.arange(len(counts)), counts)
    for owned in (2.0, 0.95):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(nearest, "LARGEST_PART", part)
            chosen = found_by(photos, owners, sold, count=count, owned=owned)
        assert chosen == by_sorting(photos, owners, sold, count, owned)


def test_equally_near_items_keep_their_order():
    vectors, _ = quantised(stored([1, 0], [1, 1], [2, 2], [3, 3]))
    chosen = found_by(vectors[:1], np.array([0]), vectors[1:])
    assert [(row[1], row[3]) for row in chosen] == [(0, 0), (1, 0)]


def test_diversity_prefers_items_unlike_the_chosen():
    # At 0 degrees the photo; items at 10, 11 and 40 degrees to the other side.
    degrees = np.radians([0, 10, 11, -40])
    vectors, _ = quantised(stored(*np.stack([np.cos(degrees), np.sin(degrees)], 1)))
    items = [
        [row[1] for row in found_by(vectors[:1], np.array([0]), vectors[1:], diversity=d)]
        for d in (0.0, 0.5, 1.0)
    ]
    # At 0.5: cos 11 - cos 1 = -0.018 for the second, cos 40 - cos 50 = 0.123 for the third.
    assert items == [[0, 1], [0, 2], [0, 2]]


def test_variety_among_too_few_candidates_or_items():
    vectors, _ = quantised(stored([1, 0], [1, 0.1], [1, 0.2], [1, 0.3]))
    for candidates in (1, 2, 9):
        many = choice(9, candidates, 0.5)
        chosen = found_by(vectors[:1], np.array([0]), vectors[1:], **many)
        assert sorted(row[1] for row in chosen) == [0, 1, 2]


def test_owned_items_are_never_chosen():
    vectors, _ = quantised(stored([1, 0], [1, 0], [1, 1], [0, 1]))
    owned = choice(3, 50, 0.9, 0.99)
    assert [row[1] for row in found_by(vectors[:1], np.array([0]), vectors[1:], **owned)] == [1, 2]


def test_without_photos_or_items_there_is_no_result():
    vectors, _ = quantised(stored([1, 0]))
    nothing = np.zeros((0, 2), np.float32)
    assert found_by(nothing, np.zeros(0, np.intp), vectors) == []
    assert found_by(vectors, np.array([0]), nothing) == []
