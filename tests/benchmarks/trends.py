"""Measures whether trends hold up where the truth is known: ``python -m tests.benchmarks.trends``.

Simulated weeks, all seeds fixed: how often a category is called rising or falling where nothing
changes, how often a doubling is detected, how far off forecasts are and how often their intervals
hold. Prints Markdown tables; ``--quick`` makes few runs. Takes about six minutes on one core.
"""

from __future__ import annotations

import sys
from itertools import product

import numpy as np
import pandas as pd

from trendscope import weeks
from trendscope.categories import CATEGORIES
from trendscope.trends import counts, forecasting, models, verdicts
from trendscope.trends.panel import panel_of

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


def false_alarms(runs):
    """Share of weekly reports with a false rising or falling, with a watch, and naively."""
    print("\n| nothing happens | photos a week | rising/falling | watch too | naive 20 % |")
    print("|---|---:|---:|---:|---:|")
    worlds = {
        "shares constant": {},
        "bursts of 4 photos on average": {"burst": 4},
        "shares wander by 2 % a week": {"wander": 0.02},
    }
    for (name, facts), photos in product(worlds.items(), (30, 100, 1000)):
        draw = np.random.default_rng(photos)
        expected = [flags(table(*world(draw, photos, HISTORY + 26, **facts))) for _ in range(runs)]
        print(f"| {name} | {photos} | {_alarms(expected)} |", flush=True)
    draw = np.random.default_rng(7)
    expected = [
        flags(counts.weekly(customers_world(draw, 60, HISTORY + 26))) for _ in range(runs // 5)
    ]
    print(f"| 60 customers with tastes, bursts up to 12 | about 150 | {_alarms(expected)} |")


def _alarms(expected):
    moving = np.mean(
        [np.isin(v, [verdicts.RISING, verdicts.FALLING]).any(1).mean() for v, _ in expected]
    )
    watch = [
        np.isin(v, [verdicts.RISING, verdicts.FALLING, verdicts.WATCH]).any(1).mean()
        for v, _ in expected
    ]
    naive = np.mean([n.any(1).mean() for _, n in expected])
    return f"{moving:.3f} | {np.mean(watch):.3f} | {naive:.2f}"


def power(runs):
    """Share of doublings over 8 weeks that are called rising within 16 weeks."""
    print("\n| a share of .11 doubles over 8 weeks | found within 16 weeks | median week |")
    print("|---|---:|---:|")
    for photos in (30, 100, 1000):
        draw = np.random.default_rng(photos)
        weeks_needed = []
        for _ in range(runs):
            weekly = table(*world(draw, photos, HISTORY + REPORTS, doubling=1))
            rising = flags(weekly)[0][:, 1] == verdicts.RISING
            weeks_needed.append(rising.argmax() + 1 if rising.any() else np.inf)
        share_found = np.isfinite(weeks_needed).mean()
        print(
            f"| {photos} photos a week | {share_found:.2f} | {np.median(weeks_needed):.0f} |",
            flush=True,
        )


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
    actual = models.ratio(later["count"].to_numpy(), later["total"].to_numpy())
    last = np.tile(models.ratio(past["count"], past["total"])[-10:], ahead)
    wrong = [
        np.nanmean(np.abs(actual - x)) for x in (last, expected["naive_share"], expected["share"])
    ]
    naive = (expected["model"] == models.WINDOW_AVERAGE).mean()
    inside = [
        ((actual >= expected[low] - 1e-9) & (actual <= expected[high] + 1e-9)).mean()
        for low, high in (("lo80", "hi80"), ("lo95", "hi95"))
    ]
    return [*(100 * np.array(wrong)), naive, *inside]


def a_year_ahead(runs):
    """Mean absolute scaled error of 52 weeks ahead, scaled by the seasonal naive in the past."""
    print("\n| a year ahead, history | season | same weeks last year | level only | shown |")
    print("|---|---:|---:|---:|---:|")
    for length, season in product((104, 156, 208), (0.0, 0.2, 0.4)):
        draw = np.random.default_rng(length)
        rows = []
        for number in range(runs):
            photos = (300, 100_000)[number % 2]
            weekly = table(*world(draw, photos, length + 52, wander=0.03, season=season))
            series = panel_of(weekly).series
            share = models.ratio(series.count, series.total)
            scale = np.abs(share[52:length] - share[: length - 52]).mean(0)
            past = series.until(length)
            expected = models.forecast_shares(past, 52)
            shown = (
                forecasting.forecast(weekly[: length * 10], 52)["share"].to_numpy().reshape(-1, 10)
            )
            rows.append(
                [
                    np.mean(np.abs(share[length:] - x) / scale)
                    for x in (expected.seasonal_naive, expected.level, shown)
                ]
            )
        last_year, level, shown = np.mean(rows, 0)
        line = f"| {length} weeks | {season} | {last_year:.3f} | {level:.3f} | {shown:.3f} |"
        print(line, flush=True)


def main():
    runs = 10 if "--quick" in sys.argv else 200
    false_alarms(runs)
    power(2 * runs)
    forecasts(max(6, runs // 5))
    a_year_ahead(max(4, runs // 15))


if __name__ == "__main__":
    main()
