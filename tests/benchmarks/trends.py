"""Measures whether trends hold up where the truth is known: ``python -m tests.benchmarks.trends``.

Simulated weeks, all seeds fixed: how often a category is called rising or falling where nothing
changes in what is worn, how often a doubling is detected, how far off forecasts are and how often
their intervals hold. Prints Markdown tables; ``--quick`` makes few runs, ``--verdicts`` leaves the
forecasts out.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd

from tests.factories.worlds import NAMED, WEEKS, World, during, ramp, sightings
from tests.factories.worlds import START as FIRST_DAY
from trendscope import weeks
from trendscope.categories import CATEGORIES, GROUP
from trendscope.proportions import adjusted_classify_and_count, ratio
from trendscope.trends import counts, forecasting, models, power, verdicts
from trendscope.trends.panel import panel_of
from trendscope.vision.scores import PEOPLE, SCORES
from trendscope.vision.weights import DEFAULT, find_weights, read_header

SHARES = np.array([0.26, 0.11, 0.09, 0.12, 0.06, 0.05, 0.08, 0.16, 0.05, 0.02])
"""Of the ten categories, in label order."""
FIRST = weeks.number("2023-W01")
HISTORY, REPORTS = 26, 16


def table(count, total, categories=CATEGORIES):
    """(weeks, categories) counts as the table that `movement` and `forecast` take."""
    rows = len(count)
    total = np.broadcast_to(np.asarray(total).reshape(rows, -1), count.shape)
    return pd.DataFrame(
        {
            "week": np.repeat([weeks.name(FIRST + row) for row in range(rows)], len(categories)),
            "category": np.tile(np.array(categories, object), rows),
            "count": count.ravel(),
            "total": total.ravel(),
        }
    )


def world(draw, photos, length, *, burst=1, wander=0.0, season=0.0, doubling=None):
    """Counts of the ten categories, (weeks, 10), and of all.

    Args:
        draw: Random generator.
        photos: Expected a week.
        length: Weeks.
        burst: Photos posted at once, all of one category.
        wander: Standard deviation of the weekly steps of the logarithms of the shares.
        season: Amplitude of a yearly wave on them, of random phase.
        doubling: A category whose share doubles over 8 weeks, from week `HISTORY` on.
    """
    week = np.arange(length)[:, None]
    log = np.log(SHARES) + draw.normal(0, wander, (length, 10)).cumsum(0)
    wave = np.sin(2 * np.pi * (week / 52.18 + draw.uniform(0, 1, 10)))
    log += season * draw.normal(0, 1, 10) * wave
    share = np.exp(log)
    share /= share.sum(1, keepdims=True)
    if doubling is not None:
        wanted = share[:, doubling] * (1 + np.clip((week[:, 0] - HISTORY + 1) / 8, 0, 1))
        share *= ((1 - wanted) / (1 - share[:, doubling]))[:, None]
        share[:, doubling] = wanted
    posts = draw.poisson(photos / burst, length)
    size = draw.poisson(burst - 1, (length, 10)) + 1 if burst > 1 else 1
    count = np.array([draw.multinomial(n, p) for n, p in zip(posts, share, strict=True)]) * size
    return count, count.sum(1)


def customers_world(draw, customers, length):
    """Sightings of customers who keep to their taste and post in bursts of 1 to 12 photos."""
    rows = []
    taste = draw.dirichlet(SHARES * 8, customers)
    for week, customer in product(range(length), range(customers)):
        if draw.random() < 0.5:
            kinds = draw.choice(10, draw.integers(1, 4), p=taste[customer])
            burst = np.repeat(kinds, draw.integers(1, 5, len(kinds)))
            rows += [(week, customer, kind) for kind in burst]
    week, customer, kind = np.array(rows).T
    start = pd.Timestamp("2023-01-02 12:00", tz="UTC")
    return pd.DataFrame(
        {
            "customer": customer,
            "posted_at": start + pd.to_timedelta(week * 7, unit="D"),
            "category": np.array(CATEGORIES, object)[kind],
        }
    )


def flags(weekly):
    """(weeks, categories) of verdicts and of photos' naive rule, after `HISTORY` weeks."""
    share_found = verdicts.movement(weekly)
    verdict = share_found["verdict"].to_numpy().reshape(-1, 10)[HISTORY:]
    count, total = (weekly[c].to_numpy(float).reshape(-1, 10) for c in ("count", "total"))
    with np.errstate(all="ignore"):
        now, before = (
            sum(v[HISTORY - k : len(v) - k] for k in range(a, a + 4))
            / sum(t[HISTORY - k : len(t) - k] for k in range(a, a + 4))
            for v, t, a in ((count, total, 0), (count, total, 4))
        )
        naive = np.abs(now / before - 1) > 0.2
    return verdict, naive


START = 30
"""Week in which something other than what is worn begins to change."""

CUSTOMERS = (300, 2000)

ANOTHER_TASTE = np.array([0.4, 0.7, 1.3, 1.6, 2, 0.5, 1.4, 0.8, 1.8, 1.5])
OTHERS_WEAR = np.array([0.5, 1, 1.5, 1, 1.5, 1, 1.5, 0.75, 1, 1])
"""Factors on what some customers wear."""

LEAST_NAMED = (0.22, 0.63, 0.21, 0.25, 0.47, 0.55, 0.23, 0.55, 0.69, 0.55)
"""How often the shipped network names each kind: the lower of the shares in README.md."""

WANDERING = np.array(NAMED) * np.exp(
    np.random.default_rng(0).normal(0, 0.02, (WEEKS, 10)).cumsum(0)
).clip(0.8, 1.19)
"""How often each kind is named, week by week."""

STILL = {
    "even posting": World(spread=0),
    "the standard world": World(),
    "everybody posts three times as much for four weeks": World(posting=during(3, START, 4)),
    "posting doubles over 8 weeks": World(posting=ramp(1, 2, START)),
    "posting halves over 8 weeks": World(posting=ramp(1, 0.5, START)),
    "one week with ten times as many photos": World(posting=during(10, START, 1)),
    "the same, of three customers in ten": World(importers=START),
    "a yearly wave of posting of 40 %": World(
        posting=1 + 0.4 * np.sin(2 * np.pi * np.arange(WEEKS) / 52)
    ),
    "what is left open goes from .44 to .60": World(
        named=np.array(NAMED) * ramp(1, 0.4 / 0.56, START)[:, None]
    ),
    "of the names .97 are right, later .85": World(right=ramp(0.97, 0.85, START)),
    "the same, and confidence falls with it": World(
        right=ramp(0.97, 0.85, START), certain=ramp(0.97, 0.85, START)
    ),
    "churn of 10 % a week": World(churn=0.1),
    "30 % of the photos are of common events": World(events=0.3),
    "photos of three garments": World(garments=3),
    "every other week three times as much is posted": World(
        posting=np.where(np.arange(WEEKS) % 2, 1.5, 0.5)
    ),
    "one of the customers posts 500 photos a week from then on": World(
        beside=World(customers=1, photos=500, spread=0, posting=ramp(0, 1, START, 1))
    ),
    "half the customers wear other things, and begin to post twice as much": World(
        beside=World(worn=OTHERS_WEAR, posting=ramp(0.5, 1, START))
    ),
    "customers with favourites post for eight weeks, then for eight do not": World(
        taste=1, spells=8, photos=2.4
    ),
    "the same, of one kind each": World(taste=0.2, spells=12, photos=2.4),
    "every fifth week most wear one kind": World(feast=0.6),
    "customers who wear other things join": World(
        beside=World(customers=150, worn=OTHERS_WEAR, posting=ramp(0, 1, START, 1))
    ),
    "customers who wear other things leave": World(
        beside=World(customers=100, worn=OTHERS_WEAR, posting=ramp(1, 0, START, 1))
    ),
    "how often each kind is named wanders by 2 % a week": World(named=WANDERING),
    "newcomers of another taste, 40 % of all": World(
        named=LEAST_NAMED,
        beside=World(
            customers=200, worn=ANOTHER_TASTE, named=LEAST_NAMED, posting=ramp(0, 1, START, 1)
        ),
    ),
    "three customers in ten, of another taste, hand in their photos in late batches": World(
        named=LEAST_NAMED,
        beside=World(customers=130, worn=ANOTHER_TASTE, named=LEAST_NAMED, late=START),
    ),
    "customers begin to post whole outfits": World(
        named=LEAST_NAMED, outfits=ramp(0.2, 0.6, START)
    ),
}
"""Worlds in which nothing changes in what is worn."""


def still_worlds(runs):
    """Weekly reports with a false rising or falling, by votes and by customers."""
    heads = " | ".join(f"shares, {n:,} | customers, {n:,}" for n in CUSTOMERS)
    print(f"\n| nothing changes in what is worn | {heads} |\n|---|{'---:|' * 4}", flush=True)
    for name, world in STILL.items():
        cells = []
        for customers in CUSTOMERS:
            number = max(2, runs * CUSTOMERS[0] // customers)
            cells += _false_reports(_sized(world, customers), number)
        print(f"| {name} | {' | '.join(f'{cell:.3f}' for cell in cells)} |", flush=True)


def _sized(world, customers):
    """The world of so many customers, and of others beside them in proportion; one stays one."""
    beside = world.beside
    if beside and beside.customers > 1:
        number = beside.customers * customers // CUSTOMERS[0]
        beside = replace(beside, customers=number)
    return replace(world, customers=customers, beside=beside)


def _false_reports(world, runs):
    moving = [[], []]
    for run in range(runs):
        seen = sightings(np.random.default_rng([run, 1]), world)
        for place, cut in enumerate((pd.DataFrame, without_votes)):
            verdict = _reported(seen, cut).reshape(-1, 10)
            moving[place].append(np.isin(verdict, MOVING).any(1).mean())
    return [float(np.mean(each)) for each in moving]


def _reported(seen, cut):
    """Verdicts of all weeks after `HISTORY`; of every fourth, by the photos handed in until then.

    All weeks are judged as they are at the end, unless photos come late.
    """
    if "handed_in" not in seen:
        return verdicts.movement(cut(counts.weekly(seen)))["verdict"].to_numpy()[10 * HISTORY :]
    week = (seen["posted_at"] - FIRST_DAY).dt.days // 7
    reports = []
    for last in range(HISTORY + 2, WEEKS, 4):
        known = seen[(seen["handed_in"] <= last) & (week <= last)]
        reports.append(verdicts.movement(cut(counts.weekly(known)))["verdict"].to_numpy()[-10:])
    return np.array(reports)


def without_votes(weekly):
    """The table of customers seen alone, as an analyst may have one."""
    return weekly[["week", "category", "count", "total"]]


MOVING = (verdicts.RISING, verdicts.FALLING)


def naming_rates():
    """How often the shipped network names garments alone, and on people; (10,) each."""
    scores = read_header(find_weights(DEFAULT)).scores
    alone, worn = scores[SCORES]["coverage_of"], scores[PEOPLE]["found_by_category"]
    of_group = [alone.get(name, alone.get(GROUP[name])) for name in CATEGORIES]
    return np.array(of_group), np.array([worn[name] for name in CATEGORIES])


def doublings(runs):
    """Doublings of what is worn over 8 weeks that are called rising within 16, and the forecast.

    165 customers, of whom about 110 are active in a week.
    """
    alone, on_people = naming_rates()
    heads = "shares | customers | as `power` says | others falsely, by shares"
    print(f"\n| a share doubles over 8 weeks | {heads} |\n|---|{'---:|' * 4}", flush=True)
    cases = {
        "trousers": (1, World()),
        "trousers, while posting doubles": (1, World(posting=ramp(1, 2, HISTORY))),
        "trousers, while posting halves": (1, World(posting=ramp(1, 0.5, HISTORY))),
        "coats": (4, World()),
        "shirts": (6, World()),
        "coats, named as those alone": (4, World(named=alone)),
        "shirts, named as those alone": (6, World(named=alone)),
        "coats, named as on people": (4, World(named=on_people)),
        "shirts, named as on people": (6, World(named=on_people)),
    }
    for name, (category, world) in cases.items():
        factor = np.ones((WEEKS, 10))
        factor[:, category] = ramp(1, 2, HISTORY)
        cells = _found(replace(world, worn=factor, customers=165), category, runs)
        print(f"| {name} | {' | '.join(f'{cell:.2f}' for cell in cells)} |", flush=True)


def _found(world, category, runs):
    rows = []
    for run in range(runs):
        seen = sightings(np.random.default_rng([run, 2]), world, HISTORY + REPORTS)
        weekly = counts.weekly(seen)
        said = power.doublings_found(panel_of(weekly[: HISTORY * 10]), precision=0.97)["found"][
            category
        ]
        by_votes, by_customers = (
            verdicts.movement(table)["verdict"].to_numpy().reshape(-1, 10)[HISTORY:]
            for table in (weekly, without_votes(weekly))
        )
        others = np.isin(np.delete(by_votes, category, 1), MOVING).any(1).mean()
        found = ((each[:, category] == verdicts.RISING).any() for each in (by_votes, by_customers))
        rows.append([*found, said, others])
    return np.nanmean(rows, 0)


WORLDS = ({"wander": 0.03}, {"wander": 0.03, "season": 0.2}, {"wander": 0.08})


def forecasts(runs):
    """Mean absolute error of forecasts in points, and how often the 80 % interval holds."""
    heads = "history, photos a week | last week | last 4 | shown | naive shown | 80 % | 95 % holds"
    print(f"\n| {heads} |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for length, photos in product((12, 30, 104, 156), (30, 100, 1000, 100_000)):
        draw = np.random.default_rng(length + photos)
        rows = []
        for number in range(runs):
            facts = ({"wander": 0.03}, {"wander": 0.03, "season": 0.2}, {"wander": 0.08})[
                number % 3
            ]
            rows.append(_one_forecast(table(*world(draw, photos, length + 8, **facts)), length, 8))
        row = np.mean(rows, 0)
        print(
            f"| {length} weeks, {photos:,} | {row[0]:.2f} | {row[1]:.2f} | {row[2]:.2f} | "
            f"{row[3]:.2f} | {row[4]:.2f} | {row[5]:.2f} |",
            flush=True,
        )


def _one_forecast(weekly, length, ahead):
    past, later = weekly[: length * 10], weekly[length * 10 :]
    expected = forecasting.forecast(past, ahead)
    actual = ratio(later["count"].to_numpy(), later["total"].to_numpy())
    last = np.tile(ratio(past["count"], past["total"])[-10:], ahead)
    wrong = [
        np.nanmean(np.abs(actual - x)) for x in (last, expected["naive_share"], expected["share"])
    ]
    naive = (expected["model"] == models.WINDOW_AVERAGE).mean()
    return [*(100 * np.array(wrong)), naive, *_holds(expected, actual)]


def _holds(expected, actual):
    """How often the 80 % and the 95 % interval hold."""
    return [
        ((actual >= expected[low] - 1e-9) & (actual <= expected[high] + 1e-9)).mean()
        for low, high in (("lo80", "hi80"), ("lo95", "hi95"))
    ]


def intervals_of_votes(runs):
    """How often intervals of votes hold, 1 to 4 weeks ahead of 12, 30 and 54 weeks."""
    print("\n| intervals of shares | 80 % | 95 % holds |\n|---|---:|---:|")
    for name in ("even posting", "the standard world", "photos of three garments"):
        rows = []
        for run, customers in product(range(runs), (60, 300)):
            seen = sightings(
                np.random.default_rng([run, 3]), replace(STILL[name], customers=customers)
            )
            weekly = counts.weekly(seen)
            for length in (12, 30, 54):
                later = weekly[10 * length : 10 * length + 40]
                expected = forecasting.forecast(weekly[: 10 * length])
                rows.append(
                    _holds(expected, ratio(later["votes"].to_numpy(), later["voters"].to_numpy()))
                )
        print(f"| {name} | {' | '.join(f'{cell:.2f}' for cell in np.mean(rows, 0))} |", flush=True)


def a_year_ahead(runs):
    """Mean absolute scaled error of 52 weeks ahead, scaled by the seasonal naive in the past."""
    heads = "season | same weeks last year | level only | shown | 80 % holds"
    print(f"\n| a year ahead, history | {heads} |\n|---|{'---:|' * 5}")
    for length, season in product((104, 156, 208), (0.0, 0.2, 0.4)):
        draw = np.random.default_rng(length)
        rows = []
        for number in range(runs):
            photos = (300, 100_000)[number % 2]
            weekly = table(*world(draw, photos, length + 52, wander=0.03, season=season))
            series = panel_of(weekly).series
            share = ratio(series.count, series.total)
            scale = np.abs(share[52:length] - share[: length - 52]).mean(0)
            past = series.until(length)
            expected = models.forecast_shares(past, 52)
            shown = forecasting.forecast(weekly[: length * 10], 52)
            each = (
                expected[models.SEASONAL_NAIVE],
                expected[models.RECENT_WEEKS],
                shown["share"].to_numpy().reshape(-1, 10),
            )
            errors = [np.mean(np.abs(share[length:] - x) / scale) for x in each]
            rows.append([*errors, _holds(shown, share[length:].ravel())[0]])
        cells = " | ".join(f"{cell:.3f}" for cell in np.mean(rows, 0))
        print(f"| {length} weeks | {season} | {cells} |", flush=True)


def corrected_levels(runs):
    """Mean error of shares as counted and as corrected by a measured confusion, in points.

    Four of five wrong names are of a category that looks alike.
    """
    heads = "labelled of each, counted | as counted | corrected | of 100, better"
    print(f"\n| names right, {heads} |\n|---|---:|---:|---:|")
    alike = ((0, 2, 4, 6), (5, 7, 9), (1,), (3,), (8,))
    near = np.array(
        [[any({a, b} <= {*kind} for kind in alike) for b in range(10)] for a in range(10)]
    )
    near = near * ~np.eye(10, dtype=bool)
    wrong = 0.8 * near / np.maximum(near.sum(1, keepdims=True), 1) + (1 - np.eye(10)) / 45
    wrong /= wrong.sum(1, keepdims=True)
    for right, labelled, counted in product((0.955, 0.85), (20, 40, 100, 1000), (1000, 20_000)):
        draw, rates = np.random.default_rng(labelled), right * np.eye(10) + (1 - right) * wrong
        errors = []
        for _ in range(runs):
            share = draw.dirichlet(SHARES * 30)
            confusion = np.array([draw.multinomial(labelled, row) for row in rates], float) + 1e-9
            count = draw.multinomial(counted, share @ rates).astype(float)
            level = adjusted_classify_and_count(count, confusion, steps=300)
            errors.append([np.abs(x - share).mean() for x in (count / counted, level)])
        raw, corrected = 100 * np.mean(errors, 0)
        better = 100 * np.mean([after < before for before, after in errors])
        line = (
            f"| {right}, {labelled:,}, {counted:,} | {raw:.2f} | {corrected:.2f} | {better:.0f} |"
        )
        print(line, flush=True)


def main():
    runs = 10 if "--quick" in sys.argv else 200
    still_worlds(runs)
    doublings(runs)
    corrected_levels(runs)
    if "--verdicts" in sys.argv:
        return
    forecasts(max(6, runs // 5))
    intervals_of_votes(max(2, runs // 20))
    a_year_ahead(max(4, runs // 15))


if __name__ == "__main__":
    main()
