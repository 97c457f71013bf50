"""Simulated customers who post: what they wear is known, and what is named of it is not all.

In the standard world customers post log-normally, at most 50 times as much as the median one, each
with a taste of their own; some kinds of garments are named far more often than others, and a few
names are wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from trendscope.categories import CATEGORIES

WEEKS = 60
START = pd.Timestamp("2023-01-02 12:00", tz="UTC")
SHARES = np.array([0.26, 0.11, 0.09, 0.12, 0.06, 0.05, 0.08, 0.16, 0.05, 0.02])
"""Of what is worn, in label order."""
NAMED = (0.70, 0.84, 0.41, 0.60, 0.13, 0.18, 0.26, 0.18, 0.60, 0.18)
"""How often a garment is named."""
TASTE = 8
"""Concentration of tastes in the standard world."""
OUTFIT = np.array([[n in part for n in range(10)] for part in ((0, 2, 3, 6), (1,), (5, 7, 9))])
"""Categories, in label order, of which an outfit shows one each."""
FEASTS = 5
"""Weeks from one feast to the next."""
MOST = 50
"""Most that a customer posts, as a multiple of the median one."""


@dataclass(frozen=True)
class World:
    """What customers do, and what a network sees of it.

    Attributes:
        customers: Number of customers at any time.
        photos: Photos a week of the median customer.
        spread: Standard deviation of the logarithm of customers' posting; 0 if all post evenly.
        posting: Factor on everybody's posting; one, or (weeks,).
        worn: Factor on each customer's shares of what is worn, to which the others, of factor 1,
            give way; (10,) or (weeks, 10).
        named: How often a garment is named; (10,) or (weeks, 10).
        right: How often a name is right; one, or (weeks,). Wrong ones are of any other category.
        certain: Mean confidence of the names; one, or (weeks,). None: the confidence is not kept.
        churn: Part of the customers who leave each week; others take their places.
        events: Part of the photos that are taken at common events, other ones each week.
        garments: Garments in a photo.
        outfits: Part of the photos that show a whole outfit: a top, trousers and shoes; one, or
            (weeks,).
        late: Week from which on customers hand in their photos in batches, every 4 to 8 weeks, the
            latest two weeks old. None: at once.
        taste: Concentration of customers' tastes around `SHARES`; a large one makes all alike.
        spells: Weeks for which a customer posts on average, and then does not; None: always.
        feast: Part of the photos of every fifth week that show one kind alone, other ones in turn.
        importers: Week in which three customers of ten import ten times as many photos as usual.
        beside: Other customers, of a world of their own.
    """

    customers: int = 300
    photos: float = 1.2
    spread: float = 1.0
    posting: ArrayLike = 1.0
    worn: ArrayLike = 1.0
    named: ArrayLike = NAMED
    right: ArrayLike = 0.97
    certain: ArrayLike | None = None
    churn: float = 0.0
    events: float = 0.0
    garments: int = 1
    outfits: ArrayLike = 0.0
    late: int | None = None
    taste: float = TASTE
    spells: int | None = None
    feast: float = 0.0
    importers: int | None = None
    beside: World | None = None


def ramp(start: float, end: float, week: int, length: int = 8) -> NDArray[np.float64]:
    """(weeks,) values that go from `start` to `end` over `length` weeks from number `week` on."""
    return start + (end - start) * np.clip((np.arange(WEEKS) - week + 1) / length, 0, 1)


def during(value: float, week: int, length: int) -> NDArray[np.float64]:
    """(weeks,) values: `value` for `length` weeks from number `week` on, else 1."""
    weeks = np.arange(WEEKS)
    return np.where((weeks >= week) & (weeks < week + length), value, 1.0)


def sightings(draw: np.random.Generator, world: World, weeks: int = WEEKS) -> pd.DataFrame:
    """The garments and photos that a network sees: a table for `trendscope.trends.weekly`.

    Columns: customer, photo, posted_at, category, reason; confidence if the world has one;
    handed_in, the number of the week, if some are late.

    Args:
        draw: Random generator.
        world: What customers do.
        weeks: Number of weeks, at most `WEEKS`.
    """
    customer, week = _photos(draw, world, weeks)
    outfit = np.zeros(len(week), bool)
    if np.any(world.outfits):
        outfit = draw.random(len(week)) < np.broadcast_to(world.outfits, WEEKS)[week]
    number = np.where(outfit, len(OUTFIT), world.garments)
    photo = np.repeat(np.arange(len(week)), number)
    place = np.arange(len(photo)) - np.repeat(number.cumsum() - number, number)
    among = np.where(outfit[photo, None], OUTFIT[place % len(OUTFIT)], True)
    customer, week = customer[photo], week[photo]
    worn = _worn(draw, world, customer, week, among)
    named = draw.random(len(worn)) < np.broadcast_to(world.named, (WEEKS, 10))[week, worn]
    wrong = draw.random(len(worn)) > np.broadcast_to(world.right, WEEKS)[week]
    seen = np.where(wrong, (worn + draw.integers(1, 10, len(worn))) % 10, worn)
    any_named = np.bincount(photo, named, minlength=len(photo))[photo] > 0
    first = np.append(True, photo[1:] != photo[:-1])[: len(photo)]
    rows = named | (first & ~any_named)
    table = pd.DataFrame(
        {
            "customer": customer[rows],
            "photo": photo[rows],
            "posted_at": START + pd.to_timedelta(week[rows] * 7, unit="D"),
            "category": pd.Categorical.from_codes(np.where(named, seen, -1)[rows], [*CATEGORIES]),
            "reason": np.where(named, "", "uncertain")[rows].astype(object),
        }
    )
    if world.certain is not None:
        certain = np.broadcast_to(world.certain, WEEKS)[week[rows]]
        table = table.assign(confidence=draw.beta(20 * certain, 20 * (1 - certain)))
    if world.late is not None:
        period = draw.integers(4, 9, customer.max(initial=0) + 1)
        phase = draw.integers(0, 8, len(period))
        waiting = 2 + -(week + phase[customer]) % period[customer]
        handed_in = week + np.where(week >= world.late, waiting, 0)
        table = table.assign(handed_in=handed_in[rows])
    if world.beside is None:
        return table
    others = sightings(draw, world.beside, weeks)
    if world.beside.late is not None:
        table = table.assign(handed_in=week[rows])
    numbers = {name: -1 - others[name] for name in ("customer", "photo")}
    return pd.concat([table, others.assign(**numbers)], ignore_index=True)


def _photos(
    draw: np.random.Generator, world: World, weeks: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The customer and the week of each photo."""
    slots = np.tile(np.arange(world.customers), (weeks, 1))
    left = (draw.random(slots.shape) < world.churn).cumsum(0)
    people = np.unique(slots * (weeks + 1) + left, return_inverse=True)[1].reshape(slots.shape)
    rates = np.exp(world.spread * draw.standard_normal(people.max() + 1))
    rates = world.photos * np.minimum(rates, MOST)[people]
    rates *= np.broadcast_to(world.posting, WEEKS)[:weeks, None]
    if world.importers is not None:
        rates[world.importers] *= np.where(draw.random(world.customers) < 0.3, 10, 1)
    if world.spells is not None:
        turns = draw.random(rates.shape) < 1 / world.spells
        rates *= (turns.cumsum(0) + draw.integers(0, 2, world.customers)) % 2
    number = draw.poisson(rates).ravel()
    week = np.repeat(np.arange(weeks), world.customers)
    return np.repeat(people.ravel(), number), np.repeat(week, number)


def _worn(
    draw: np.random.Generator,
    world: World,
    customer: NDArray[np.int64],
    week: NDArray[np.int64],
    among: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """The category of each garment worn, of those that it may be `among`, (garments, 10)."""
    taste = draw.dirichlet(SHARES * world.taste, customer.max(initial=0) + 1)
    events = draw.dirichlet(SHARES * TASTE, WEEKS)
    common = draw.random(len(week)) < world.events
    chances = np.where(common[:, None], events[week], taste[customer])
    factor = np.broadcast_to(world.worn, (WEEKS, 10))[week]
    changed = np.where(factor == 1, 0, chances * factor)
    changed /= np.maximum(changed.sum(1, keepdims=True) / 0.95, 1)
    kept = np.where(factor == 1, chances, 0)
    left = 1 - changed.sum(1, keepdims=True)
    chances = changed + kept * left / np.maximum(kept.sum(1, keepdims=True), 1e-9)
    limits = (chances * among).cumsum(1)
    worn = (draw.random((len(week), 1)) * limits[:, -1:] > limits).sum(1)
    if not world.feast:
        return worn
    feasting = (week % FEASTS == 0) & (draw.random(len(week)) < world.feast)
    return np.where(feasting, week // FEASTS * 3 % 10, worn)
