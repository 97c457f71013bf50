"""What weekly shares owe to the customers behind them, who are clusters of votes.

A customer votes week after week, and each wears some kinds more than others do: votes are not
independent, and shares move where other customers post.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trendscope.proportions import Floats, ratio
from trendscope.trends.windows import BEFORE, RECENT

_Windows: TypeAlias = tuple[Floats, Floats, Floats, Floats]

MOST_CUSTOMERS = 4_000
"""Customers by whom the figures are estimated; of more, a part that their names decide."""

COLUMNS = ("scatter", "before_same", "recent_same", "same_error")
"""Columns of a weekly table that `of_customers` makes."""

LONG = 2 * RECENT
"""Recent weeks over which the scatter is measured; the longer, the more a customer's votes add."""


def of_customers(
    week: NDArray[np.int64],
    customer: NDArray[np.intp],
    kind: NDArray[np.intp],
    customers: pd.Index,
    segment: NDArray[np.intp],
    size: tuple[int, int, int],
) -> dict[str, Floats]:
    """How votes scatter between customers, and how the shares of the same customers changed.

    Args:
        week: Number of the week of each garment, from 0.
        customer: Number of its customer.
        kind: Number of its category; less than 0 where it is no part of a vote.
        customers: Names of the customers.
        segment: Number of the segment of each customer.
        size: Numbers of weeks, segments and kinds.

    Returns:
        ``scatter``: variance of the share of the last 8 weeks minus that of the 18 before, summed
        over customers, as a multiple of the binomial; the mean over the kinds of a segment.
        ``before_same``, ``recent_same``, ``same_error``: share of the customers who voted both
        lately and before, then and lately, and the standard error of the difference; see
        `_of_the_same`. Each (weeks, segments, kinds), raveled; NaN if unknown.
    """
    people = _chosen(customers, segment)
    place = np.full(len(customers), -1)
    place[people] = np.arange(len(people))
    figures = np.full((len(COLUMNS), *size), np.nan)
    rows = np.flatnonzero((place[customer] >= 0) & (kind >= 0))
    if len(rows):
        rows = rows[np.argsort(week[rows], kind="stable")]
        own, ends = place[customer[rows]], np.bincount(week[rows], minlength=size[0]).cumsum()[:-1]
        voter = week[rows] * len(people) + own
        cells = np.split(own * size[2] + kind[rows], ends)
        votes = np.split(1 / np.bincount(voter)[voter], ends)
        present, starts = np.unique(segment[people], return_index=True)
        shape = len(people), size[2]
        so_far = deque([np.zeros(shape)] * (1 + RECENT + BEFORE), maxlen=1 + RECENT + BEFORE)
        for number, (cell, vote) in enumerate(zip(cells, votes, strict=True)):
            cast = np.bincount(cell, vote, len(people) * size[2]) if len(cell) else None
            so_far.appendleft(so_far[0] if cast is None else so_far[0] + cast.reshape(shape))
            if so_far[0] is not so_far[-1]:
                short, long = (_windows(so_far, recent) for recent in (RECENT, LONG))
                figures[0, number, present] = _scatter(long, starts)
                figures[1:, number, present] = _of_the_same((short, long), starts)
    # Rounded, so that the order of the rows does not show in the last digit.
    return {name: of.ravel().round(9) for name, of in zip(COLUMNS, figures, strict=True)}


def _chosen(customers: pd.Index, segment: NDArray[np.intp]) -> NDArray[np.intp]:
    """Numbers of the customers, those of a segment side by side; some, if there are too many."""
    people = np.argsort(segment, kind="stable")
    if len(people) <= MOST_CUSTOMERS:
        return people
    names = (str(name).encode("utf-8", "surrogatepass") for name in customers)
    order = np.fromiter(map(zlib.crc32, names), np.int64, len(customers))
    few = np.zeros(len(customers), bool)
    few[np.argsort(order, kind="stable")[:MOST_CUSTOMERS]] = True
    return np.asarray(people[few[people]])


def _windows(so_far: Sequence[Floats], recent: int) -> _Windows:
    """Votes of each customer and kind in the recent weeks and those before, and the sums of both.

    `so_far` are all votes until each week, (customers, kinds), the latest first; the weeks before
    are the rest of the 26.
    """
    new, old = so_far[0] - so_far[recent], so_far[recent] - so_far[-1]
    return new, old, new.sum(1, keepdims=True), old.sum(1, keepdims=True)


def _scatter(windows: _Windows, starts: NDArray[np.intp]) -> Floats:
    """The column ``scatter`` of a week, by windows of 8 weeks and the 18 before.

    Returns:
        A row for each segment; `starts` are the numbers of their first customers.
    """
    new, old, new_of, old_of = windows
    votes, earlier, voters, earlier_voters = (
        np.add.reduceat(values, starts) for values in (new, old, new_of, old_of)
    )
    share = ratio(votes + earlier, voters + earlier_voters)
    size = np.diff(np.append(starts, len(new)))
    whole, whole_before, shares = (
        np.repeat(values, size, axis=0) for values in (voters, earlier_voters, share)
    )
    # What each customer adds to the difference of the two shares, if nothing changed.
    each = ratio(new - shares * new_of, whole) - ratio(old - shares * old_of, whole_before)
    binomial = share * (1 - share) * (ratio(1, voters) + ratio(1, earlier_voters))
    multiple = ratio(np.add.reduceat(each**2, starts), binomial)
    known = np.isfinite(multiple)
    return ratio(np.where(known, multiple, 0).sum(1), known.sum(1))[:, None]


def _of_the_same(spans: tuple[_Windows, _Windows], starts: NDArray[np.intp]) -> Floats:
    """Shares of the same customers before and lately, and the error of the difference, of a week.

    Every customer is a stratum, weighted by Mantel and Haenszel (J. Natl. Cancer Inst. 22 (1959)
    719), so that who posts how often moves nothing. The standard error is that between customers,
    as if no share had changed. Of the last 4 weeks against the 22 before, or of the last 8 against
    the 18 before, where that is farther from none in standard errors; `spans` are both windows.

    Returns:
        (3, segments, kinds); NaN where nobody voted both lately and before.
    """
    each = []
    for new, old, new_of, old_of in spans:
        weight = np.nan_to_num(ratio(1, new_of + old_of))
        lately, before = new * (weight * old_of), old * (weight * new_of)
        sums = [np.add.reduceat(x, starts) for x in (before, lately, (lately - before) ** 2)]
        sums[2] = np.sqrt(sums[2])
        each.append(ratio(sums, np.add.reduceat(weight * old_of * new_of, starts)))
    z = [np.abs(ratio(lately - before, error)) for before, lately, error in each]
    return np.where(np.nan_to_num(z[1]) > np.nan_to_num(z[0]), each[1], each[0])
