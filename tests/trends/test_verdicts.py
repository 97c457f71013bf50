"""Movements and forecasts: figures worked out by hand, laws, and worlds whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.benchmarks.trends import HISTORY, customers_world, flags, table, world
from tests.factories.weekly import both, steady
from tests.factories.worlds import World, sightings
from trendscope.categories import CATEGORIES
from trendscope.errors import TrendscopeError
from trendscope.proportions import ratio
from trendscope.trends import backtest, counts, forecasting, level_correction, models
from trendscope.trends import verdicts as trends
from trendscope.trends.panel import panel_of


def last(result, category="Dress"):
    return result[result["category"] == category].iloc[-1]


def verdicts(result, category="Dress"):
    return result.loc[result["category"] == category, "verdict"].tolist()


# --- movement by hand ----------------------------------------------------------------------------


def test_a_doubling_by_hand():
    # 220 of 2200, then 80 of 400: z = .1 / sqrt(3/26 * 23/26 * (1/400 + 1/2200)) = 5.758, and both
    # categories have the same p, so that the correction changes nothing.
    result = last(trends.movement(both([10] * 22 + [20] * 4)))
    assert (result["recent"], result["before"]) == pytest.approx((0.2, 0.1))
    assert result["change"] == pytest.approx(1.0)
    assert result["factor"] == 1
    assert result["p"] == pytest.approx(8.5e-9, rel=0.01)
    assert 0.6 < result["lo90"] < 1 < result["hi90"] < 1.5


def test_a_rise_must_hold_two_reports_running():
    # Recent / before: 12.5 % of 400 after 10 % of 2200 (z = 1.5), then 15 % (2.97), 17.5 % (4.3).
    result = trends.movement(both([10] * 22 + [20] * 4))
    assert verdicts(result)[-5:] == ["steady", "steady", "watch", "rising", "rising"]
    assert verdicts(result, "Bag")[-1] == "steady"  # from .90 to .80 is less than a fifth


def test_a_fall_is_a_fall():
    assert verdicts(trends.movement(both([30] * 22 + [10] * 4)))[-1] == "falling"


def test_what_nobody_wore_before_may_rise_too():
    result = verdicts(trends.movement(both([0] * 22 + [12] * 4)))
    # Without its one week the first report has none; then there is another, two reports running.
    assert result[22:] == ["watch", "rising", "rising", "rising"]


def test_one_week_of_noise_is_no_rise():
    result = verdicts(trends.movement(both([10] * 22 + [40] + [10] * 6)))
    assert "rising" not in result and "falling" not in result


def test_a_week_of_a_feast_and_chance_is_no_rise():
    # Without the first of the last weeks 39 of 300 against 220 of 2200: 30 % more, but z = 1.60.
    result = trends.movement(both([10] * 22 + [60, 13, 13, 13, 13]))
    assert "rising" not in verdicts(result)[:-1]


def test_a_change_under_a_fifth_is_steady():
    result = last(trends.movement(both([10_000] * 22 + [11_900] * 4, total=100_000)))
    assert result["p"] < 1e-9
    assert (result["verdict"], result["change"]) == ("steady", pytest.approx(0.19))


@pytest.mark.parametrize(
    ("total", "length", "verdict"),
    [(7, 26, "not enough data"), (8, 26, "steady"), (100, 4, "not enough data")],
)
def test_totals_under_thirty_give_no_verdict(total, length, verdict):
    result = trends.movement(both([2] * length, total=total))
    assert verdicts(result)[-1] == verdict


def test_scatter_widens_the_variance_by_hand():
    # Weeks of 10 and 30 of 100 in turn. The 22 before: chi-square (22 * 100) / (100 * .2 * .8)
    # = 137.5 with 21 degrees; the last four: 25 with 3. Both categories alike: 162.5 / 24.
    result = last(trends.movement(both([10, 30] * 13)))
    assert result["factor"] == pytest.approx(162.5 / 24)


def test_wandering_in_blocks_widens_the_variance_by_hand():
    # Stretches of four weeks at .1 and .3 in turn before the last four. Each counts 40 or 120 of
    # 400; five stretches, from the latest: .1 .3 .1 .3 .1, mean .18.
    counts = [10] * 2 + [10] * 4 + [30] * 4 + [10] * 4 + [30] * 4 + [10] * 4 + [20] * 4
    result = last(trends.movement(both(counts)))
    chi_square = (3 * (40 - 72) ** 2 + 2 * (120 - 72) ** 2) / (400 * 0.18 * 0.82)
    assert result["factor"] == pytest.approx(chi_square / 4)


def test_differences_from_one_and_four_weeks_before():
    result = last(trends.movement(both([10, 12, 17, 20, 25])))
    assert result["on_week"] == pytest.approx(0.05)
    assert result["on_month"] == pytest.approx(0.15)


def test_only_26_weeks_count():
    now = both([10] * 22 + [20] * 4, first="2026-W20")
    old = both([90] * 30, first="2025-W42")
    columns = ["change", "p", "factor", "lo90"]
    result = trends.movement(pd.concat([old, now]))
    pd.testing.assert_series_equal(
        last(result)[columns], last(trends.movement(now))[columns], check_names=False
    )


def test_before_sixty_weeks_a_change_cannot_be_told_from_season():
    # The same rise in the last four weeks of both years.
    year = [10] * 48 + [20] * 4
    result = trends.movement(both(year + year))
    assert np.isnan(result["change_last_year"].iloc[58])
    assert last(result)["change_last_year"] == pytest.approx(1.0)
    assert last(trends.movement(both(year))).isna()["change_last_year"]


def test_confused_categories_that_move_too_are_named():
    parts = [
        steady(26, [10] * 22 + [20] * 4, category="Shirt"),
        steady(26, [10] * 22 + [25] * 4, category="Coat"),
        steady(26, [10] * 22 + [25] * 4, category="Bag"),
        steady(26, [80] * 22 + [40] * 4, category="Pullover"),
    ]
    result = trends.movement(pd.concat(parts))
    spill = {name: last(result, name)["spill"] for name in result["category"].unique()}
    assert spill == {"Shirt": "Coat, Pullover", "Coat": "Shirt", "Bag": "", "Pullover": "Shirt"}


def test_confused_categories_of_another_segment_are_not_named():
    parts = [
        steady(26, [10] * 22 + [20] * 4, category="Shirt").assign(segment="Oslo"),
        steady(26, [10] * 22 + [25] * 4, category="Coat").assign(segment="Rome"),
    ]
    result = trends.movement(pd.concat(parts))
    assert last(result, "Shirt")["verdict"] == last(result, "Coat")["verdict"] == "rising"
    assert set(result["spill"]) == {""}


# --- what tables may look like -------------------------------------------------------------------


def test_weeks_left_out_are_empty_and_categories_left_out_were_not_seen():
    full = both([10] * 5 + [0] * 2 + [10] * 19)
    dropped = full[~((full["category"] == "Dress") & (full["count"] == 0))]
    pd.testing.assert_frame_equal(trends.movement(full), trends.movement(dropped))
    gap = full[full["week"] != "2026-W10"]
    result = trends.movement(gap)
    assert result["week"].nunique() == 26
    assert result[result["week"] == "2026-W10"]["share"].isna().all()


def test_partial_weeks_are_not_judged():
    full = both([10] * 26)
    running = both([50], first="2026-W27").assign(partial=True)
    together = pd.concat([full.assign(partial=False), running])
    pd.testing.assert_frame_equal(trends.movement(together), trends.movement(full))
    pd.testing.assert_frame_equal(forecasting.forecast(together), forecasting.forecast(full))
    assert forecasting.forecast(together)["week"].iloc[0] == "2026-W27"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"week": "2026-W60"}, "in the column week: '2026-W60' is not in the calendar"),
        ({"week": "last week"}, "'last week' is not an ISO week; write it like 2026-W47"),
        ({"count": 101}, "2026-W01 Dress: count 101 of total 100; expected 0 <= count <= total"),
        ({"count": -1}, "expected 0 <= count <= total"),
        ({"total": np.inf}, "expected 0 <= count <= total"),
        ({"count": np.nan}, "expected 0 <= count <= total"),
        ({"count": "many"}, "count and total must be numbers"),
    ],
)
def test_invalid_tables_are_refused(change, message):
    with pytest.raises(TrendscopeError) as caught:
        trends.movement(steady(1).assign(**change))
    assert message in str(caught.value)


def test_repeated_rows_and_missing_columns_are_refused():
    with pytest.raises(TrendscopeError, match="2026-W01, Dress stands there twice"):
        trends.movement(pd.concat([steady(1), steady(1)]))
    with pytest.raises(TrendscopeError, match="no column 'total'; it has: week, category, count"):
        forecasting.forecast(steady(1).drop(columns="total"))
    with pytest.raises(TrendscopeError, match="ask for 1 or more"):
        forecasting.forecast(steady(1), 0)


def test_an_empty_table_has_no_rows_and_all_columns():
    empty = steady(1).iloc[:0]
    assert trends.movement(empty).columns.tolist() == trends.movement(steady(1)).columns.tolist()
    assert (
        forecasting.forecast(empty).columns.tolist()
        == forecasting.forecast(steady(1)).columns.tolist()
    )
    assert len(trends.movement(empty)) == len(forecasting.forecast(empty)) == 0


def test_two_hundred_categories_of_zeros():
    zeros = table(np.zeros((104, 200)), np.zeros(104), [f"kind {i}" for i in range(200)])
    result, expected = trends.movement(zeros), forecasting.forecast(zeros)
    assert len(result) == 104 * 200 and set(result["verdict"]) == {"not enough data"}
    assert len(expected) == 4 * 200 and expected["share"].isna().all()
    assert set(expected["model"]) == {"no data"}
    assert (expected[["lo80", "lo95"]] == 0).all(axis=None)
    assert (expected[["hi80", "hi95"]] == 1).all(axis=None)


# --- laws ----------------------------------------------------------------------------------------

weekly_tables = st.integers(1, 40).flatmap(
    lambda length: st.builds(
        lambda seed, photos: table(*world(np.random.default_rng(seed), photos, length)),
        st.integers(0, 10**6),
        st.sampled_from([1, 8, 60, 5000]),
    )
)


@settings(max_examples=30)
@given(weekly_tables, st.randoms(use_true_random=False))
def test_order_of_rows_and_unseen_categories_change_nothing(weekly, random):
    order = random.sample(range(len(weekly)), len(weekly))
    unseen = weekly[weekly["category"] == "Bag"].assign(category="Hat", count=0)
    keys = ["week", "category"]
    result = trends.movement(weekly)
    for other in (weekly.iloc[order], pd.concat([weekly, unseen])):
        again = trends.movement(other)
        again = again[again["category"] != "Hat"]
        pd.testing.assert_frame_equal(
            *(x.sort_values(keys, ignore_index=True) for x in (result, again))
        )


@settings(max_examples=30)
@given(weekly_tables, st.integers(1, 12))
def test_forecasts_are_shares_within_their_intervals(weekly, ahead):
    expected = forecasting.forecast(weekly, ahead)
    known = expected.dropna(subset="share")
    bounds = known[["lo95", "lo80", "hi80", "hi95"]].to_numpy()
    assert (np.diff(bounds, axis=1) >= 0).all() and (bounds >= 0).all() and (bounds <= 1).all()
    assert (expected["week"].nunique(), len(expected)) == (ahead, 10 * ahead)
    if len(known) == len(expected):
        assert expected.groupby("week")["share"].sum().to_numpy() == pytest.approx(1)


@settings(max_examples=30)
@given(weekly_tables, st.integers(1, 8))
def test_asking_for_more_weeks_does_not_change_the_first(weekly, ahead):
    first = forecasting.forecast(weekly, ahead)
    pd.testing.assert_frame_equal(forecasting.forecast(weekly, 9)[: len(first)], first)


@settings(max_examples=30)
@given(weekly_tables)
def test_later_weeks_do_not_change_earlier_verdicts(weekly):
    early = weekly[: len(weekly) // 20 * 10]
    pd.testing.assert_frame_equal(
        trends.movement(early), trends.movement(weekly)[: len(early)], check_dtype=False
    )


# --- forecasts by hand ---------------------------------------------------------------------------


def test_a_rise_of_eight_weeks_is_more_than_chance_where_four_are_not():
    # 220 of 2200, then 80 of 400: z = 5.758 as above. A share of .1 that has been .13 for 8 weeks:
    # 104 of 800 against 180 of 1800: .03 / sqrt(284/2600 * 2316/2600 * (1/800 + 1/1800)) = 2.264;
    # of 4 weeks 52 of 400 against 232 of 2200: 1.452.
    series = panel_of(both([10] * 22 + [20] * 4)).series
    longer = panel_of(both([10] * 18 + [13] * 8)).series
    assert trends.farthest(series, np.ones((26, 2)))[-1, 0] == pytest.approx(5.758, abs=0.001)
    assert trends.farthest(longer, np.ones((26, 2)))[-1, 0] == pytest.approx(2.264, abs=0.001)
    # What was never seen is no test, and makes no other p larger.
    never = panel_of(both([0] * 26)).series
    assert np.isnan(trends.farthest(never, np.ones((26, 2)))).all()


def test_one_week_by_hand():
    # Half a count is added for the category and half against it.
    assert forecasting.forecast(steady(1, 3, 10))["share"].tolist() == pytest.approx([3.5 / 11] * 4)


def test_one_week_of_categories_that_sum_to_the_total_by_hand():
    counts = np.array([[3, 0, 0, 0, 0, 0, 0, 7, 0, 0]])
    expected = forecasting.forecast(table(counts, 10), 1)["share"]
    assert expected.tolist() == pytest.approx([(count + 0.5) / 15 for count in counts[0]])


def test_columns_weeks_and_the_naive_share_at_the_edge_of_a_year():
    expected = forecasting.forecast(steady(5, [9, 1, 2, 3, 4], 10, first="2020-W48"))
    assert expected.columns.tolist() == [
        *("week", "category", "share", "lo80", "hi80", "lo95", "hi95", "model", "naive_share"),
    ]
    assert expected["week"].tolist() == ["2020-W53", "2021-W01", "2021-W02", "2021-W03"]
    assert expected["naive_share"].tolist() == [0.25] * 4  # 1 + 2 + 3 + 4 of 40


def test_a_step_is_followed_and_constant_noise_averaged():
    step = forecasting.forecast(steady(24, [1000] * 12 + [3000] * 12, 10_000))["share"].iloc[0]
    assert step == pytest.approx(0.3, abs=0.002)
    noise = forecasting.forecast(steady(24, [1, 9] * 12, 20))["share"].iloc[0]
    assert noise == pytest.approx(0.25, abs=0.03)


def test_segments_are_forecast_each_by_its_own():
    parts = [
        steady(12, 10).assign(segment="Oslo"),
        steady(12, 60).assign(segment="Rome"),
        steady(12, 40, category="Bag").assign(segment="Rome"),
    ]
    expected = forecasting.forecast(pd.concat(parts), 1).set_index(["segment", "category"])["share"]
    assert expected.to_dict() == pytest.approx(
        {("Oslo", "Dress"): 0.1, ("Rome", "Dress"): 0.6, ("Rome", "Bag"): 0.4}
    )


def test_segments_are_judged_together():
    # The same rise in one of one and in one of twenty segments: p is corrected for all of them.
    rise = both([10] * 22 + [16] * 4)
    alone = last(trends.movement(rise.assign(segment="A")))["p"]
    rest = [both([10] * 26).assign(segment=f"B{i}") for i in range(19)]
    result = trends.movement(pd.concat([rise.assign(segment="A"), *rest]))
    one = result[(result["segment"] == "A") & (result["category"] == "Dress")].iloc[-1]
    assert one["p"] == pytest.approx(20 * alone)


def seasonal(length, total=100_000, noise=0.0):
    wave = 0.2 + 0.1 * np.sin(2 * np.pi * np.arange(length) / 52)
    share = wave + np.random.default_rng(0).normal(0, noise, length)
    return steady(length, (share * total).round().tolist(), total, first="2022-W01")


@pytest.mark.parametrize("length", [104, 156])
def test_a_season_is_found(length):
    whole = seasonal(length + 52, noise=0.005)
    expected = forecasting.forecast(whole[:length], 52)
    actual = whole[length:]["count"].to_numpy() / 100_000
    assert set(expected["model"]) == {"recent weeks and season"}
    assert np.abs(expected["share"] - actual).mean() < 0.012
    assert np.abs(expected["naive_share"] - actual).mean() > 0.05


def test_the_seasonal_naive_model_is_used_where_it_is_closest():
    shares = np.random.default_rng(1).integers(0, 1000, 52).tolist()
    expected = forecasting.forecast(steady(156, shares * 3, 1000, first="2021-W01"), 52)
    assert set(expected["model"]) == {"same weeks last year"}
    assert (expected["share"] * 1000).round().tolist() == shares
    errors = forecasting.errors(steady(156, shares * 3, 1000, first="2021-W01")).set_index("model")
    assert errors.loc["same weeks last year", "error"] == 0
    assert errors.loc["same weeks last year", "shown"]


def test_errors_by_hand():
    # 6 weeks; origins after 4 and 5. Naive: 10 of 40, which was 20 and 30 points too low, then
    # (10 + 10 + 10 + 30)/100 against 40.
    result = forecasting.errors(steady(6, [10, 10, 10, 10, 30, 40], 100)).set_index("model")
    naive = [0.30 - 0.10, 0.40 - 0.10, 0.40 - 0.15]
    assert result.loc["same as the last 4 weeks", "error"] == pytest.approx(np.mean(naive))
    assert result["shown"].sum() == 1
    assert forecasting.errors(steady(3))["error"].isna().all()


def test_a_single_photo_gives_a_wide_interval():
    expected = forecasting.forecast(steady(1, 1, 1), 1).iloc[0]
    assert (expected["lo80"], expected["hi80"]) == (0, 1)


# --- smoothing by hand ---------------------------------------------------------------------------


def test_overdispersion_by_hand():
    # .6 against a forecast of .5, of 100: .01 / .0025 = 4. One such error: 1 + 3 * (1 + 1.5 / 1).
    shape = (1, 1, 1)
    expected = np.full(shape, 0.5)
    level = dict.fromkeys(models.MODELS, expected)
    test = backtest.Backtest(level, np.full(shape, 0.6), np.full(shape, 100.0))
    result = backtest.overdispersion(expected, test, np.zeros(1, int))
    assert result[0, 0] == pytest.approx(1 + 3 * 2.5)
    test = backtest.Backtest(level, np.full(shape, 0.501), np.full(shape, 100.0))
    assert backtest.overdispersion(expected, test, np.zeros(1, int))[0, 0] == 1
    # Of the six series of a week, 8 weeks ahead, the errors count as three: 1 + 3 * (1 + 1.5 / 3).
    shape = (1, 8, 6)
    expected = np.full(shape, 0.5)
    level = dict.fromkeys(models.MODELS, expected)
    far = backtest.Backtest(level, np.full(shape, 0.6), np.full(shape, 100.0))
    result = backtest.overdispersion(expected, far, np.zeros(6, int))
    assert result[7] == pytest.approx(np.full(6, 1 + 3 * 1.5))
    # Two weeks ahead six errors count as three too, and a week ahead as six.
    assert result[:2, 0] == pytest.approx([1 + 3 * 1.25, 1 + 3 * 1.5])
    # Votes that are divided vary less than whole ones.
    expected = np.full((1, 1, 1), 0.5)
    assert backtest.overdispersion(expected, test, np.zeros(1, int), 0.4)[0, 0] == 0.4


def test_a_share_of_zero_still_has_a_spread():
    assert backtest.inside(np.array([0.0, 1.0, 0.3]), np.array([0.1, 0.9, 0.1])).tolist() == (
        pytest.approx([0.05, 0.95, 0.3])
    )
    # Nobody of 400 lately, 3 of 1200 before: a forecast of 0 cannot be certain.
    expected = forecasting.forecast(both([1] * 3 + [0] * 4, total=400)).query("category == 'Dress'")
    assert (expected["hi95"] > 0).all()


@pytest.mark.parametrize(
    ("errors", "name"),
    [
        ((2.0, 1.0, 3.0), "n"),
        ((1.0, 0.9, 0.95), "n"),  # closer by a tenth
        ((1.0, 0.91, 0.92), "m"),
        ((np.nan, np.nan, np.nan), "m"),
    ],
)
def test_another_model_is_used_where_it_is_closer_by_a_tenth(errors, name):
    result = tuple(backtest.Model(*each) for each in zip("mnl", errors, strict=True))
    assert backtest.best_model(result).name == name


def series(shares, total=1000):
    """One or more series of given shares, from the first week of a year on."""
    shares = np.atleast_2d(np.array(shares, float).T).T
    season = np.arange(len(shares)) % 52
    of = np.full(shares.shape, float(total))
    return models.Series(shares * of, of, season, np.zeros(shares.shape[1], int))


def test_paths_by_hand():
    # Of 10: 4, then 6. Forgetting half: (.5 + 6 + 2) / (1 + 10 + 5); nothing: 10.5 / 21.
    paths = models._paths(np.array([[4.0], [6.0]]), np.full((2, 1), 10.0), 0.5, 1.0)[:, -1, 0]
    by_factor = dict(zip(models.DISCOUNTS.tolist(), paths, strict=True))
    assert (by_factor[0], by_factor[0.5], by_factor[1]) == pytest.approx(
        (6.5 / 11, 8.5 / 16, 10.5 / 21)
    )


def test_seasonal_naive_by_hand():
    result = models.forecast_shares(series(np.arange(104) / 1000), 105)[models.SEASONAL_NAIVE][:, 0]
    # The 105th week repeats the 53rd; after a year of forecasts last year's repeat.
    assert (result[0], result[51], result[52], result[104]) == pytest.approx(
        (0.052, 0.103, 0.052, 0.052)
    )
    short = models.forecast_shares(series(np.arange(50) / 1000), 2)
    assert np.isnan(short[models.SEASONAL_NAIVE]).all()


def test_a_week_of_the_year_is_a_multiple_of_the_years_share():
    wave = 1 + 0.3 * np.sin(2 * np.pi * np.arange(208) / 52)
    for share in (0.3, 0.003):
        assert models._factors(series(share * wave))[:, 0] == pytest.approx(wave[:52], abs=0.01)
    # Where the share grows so does the season.
    growing = models._factors(series(0.1 * wave * np.linspace(1, 3, 208)))[:, 0]
    assert growing == pytest.approx(wave[:52], abs=0.05)
    assert models._factors(series(np.zeros(104)))[:, 0].tolist() == [1] * 52


def test_a_regression_keeps_waves_and_half_of_a_trend():
    week = np.arange(208 + 104)
    wave = 0.1 * np.sin(2 * np.pi * week / 52)
    steady_wave = models._regressed(series((0.3 + wave[:208]) ** 2), 104)[:, 0]
    assert np.sqrt(steady_wave) == pytest.approx(0.3 + wave[208:], abs=0.006)
    # A root that grows by .05 a year from .5 at the end: .525 a year later, and no more then.
    root = 0.5 + 0.05 * (week[:208] - 207) / 52
    ahead = np.sqrt(models._regressed(series(root**2), 104)[:, 0])
    assert (ahead[51], ahead[103]) == pytest.approx((0.525, 0.525), abs=0.003)


def test_a_week_without_anybody_is_no_share_of_zero():
    shares = np.full(104, 0.2)
    full, gap = series(shares), series(np.where(np.arange(104) == 90, 0, shares))
    gap.total[90] = 0
    for model in (models._smoothed, models._regressed):
        assert model(gap, 8) == pytest.approx(model(full, 8), rel=0.01)


def test_seasonal_shares_sum_to_one():
    draw = np.random.default_rng(0)
    weekly = table(*world(draw, 200, 130, season=0.4))
    expected = forecasting.forecast(weekly, 20)
    assert set(expected["model"]) == {"recent weeks and season"}
    assert expected.groupby("week")["share"].sum().to_numpy() == pytest.approx(1)


# --- corrected levels ----------------------------------------------------------------------------


def confusion(labelled=1000):
    rates = 0.9 * np.eye(10) + 0.01
    return pd.DataFrame(rates * labelled, index=[*CATEGORIES], columns=[*CATEGORIES])


def test_levels_are_corrected_on_all_weeks_together():
    weekly = table(*world(np.random.default_rng(0), 1000, 12))
    result = level_correction.adjusted_shares(weekly, confusion())
    assert result["corrected"].sum() == pytest.approx(1)
    # With rates .91 and .01 the inverse is (share - .01) / .9.
    assert result["corrected"].to_numpy() == pytest.approx((result["share"] - 0.01) / 0.9, abs=1e-4)
    assert (result["lo95"] <= result["corrected"]).all()
    assert (result["corrected"] <= result["hi95"]).all()
    pd.testing.assert_frame_equal(
        result, level_correction.adjusted_shares(weekly, confusion(), seed=0)
    )


@pytest.mark.parametrize(
    ("photos", "labelled", "message"),
    [
        (5, 1000, "not corrected: 60 photos, but with fewer than 1,000"),
        (500, 300, "300 labelled photos of T-shirt/top, but with fewer than 1,000"),
    ],
)
def test_levels_are_refused_where_correcting_does_harm(photos, labelled, message):
    with pytest.raises(TrendscopeError, match=message):
        level_correction.adjusted_shares(
            steady(12, photos, 1000, category="Bag"), confusion(labelled)
        )


# --- worlds whose truth is known; more and longer in tests.benchmarks.trends --------------------


@pytest.mark.parametrize("photos", [30, 100, 1000])
@pytest.mark.parametrize("burst", [1, 4])
def test_hardly_a_false_alarm_where_nothing_happens(photos, burst):
    draw = np.random.default_rng(3)
    expected = [flags(table(*world(draw, photos, 52, burst=burst)))[0] for _ in range(40)]
    moving = [np.isin(result, ["rising", "falling"]).any(1) for result in expected]
    assert np.mean(moving) <= 0.05


def test_the_naive_rule_gives_false_alarms_every_week():
    draw = np.random.default_rng(3)
    assert np.mean([flags(table(*world(draw, 30, 52)))[1].any(1) for _ in range(5)]) == 1


def test_bursts_of_customers_move_nothing():
    weekly = counts.weekly(customers_world(np.random.default_rng(4), 60, 52))
    verdict, naive = flags(weekly)
    assert np.isin(verdict, ["rising", "falling"]).any(1).mean() <= 0.1
    assert naive.any(1).mean() > 0.9


@pytest.mark.parametrize(("photos", "share"), [(30, 0.60), (100, 0.95), (1000, 1.0)])
def test_a_doubling_is_found(photos, share):
    draw = np.random.default_rng(5)
    result = [
        (flags(table(*world(draw, photos, HISTORY + 16, doubling=1)))[0][:, 1] == "rising").any()
        for _ in range(40)
    ]
    assert np.mean(result) >= share


@pytest.mark.parametrize("photos", [30, 100, 1000])
def test_intervals_hold_about_as_often_as_stated(photos):
    draw = np.random.default_rng(6)
    inside = []
    for _ in range(25):
        weekly = table(*world(draw, photos, 34, wander=0.04))
        expected, later = forecasting.forecast(weekly[:300]), weekly[300:]
        actual = ratio(later["count"].to_numpy(), later["total"].to_numpy())
        inside.append((actual >= expected["lo80"] - 1e-9) & (actual <= expected["hi80"] + 1e-9))
    assert 0.75 <= np.mean(inside) <= 0.88


@pytest.mark.parametrize(("customers", "garments"), [(60, 1), (300, 3)])
def test_intervals_of_votes_hold_as_often(customers, garments):
    inside = []
    for run in range(4):
        seen = sightings(np.random.default_rng(run), World(customers=customers, garments=garments))
        weekly = counts.weekly(seen)
        for length in (20, 40):
            later = weekly[length * 10 : length * 10 + 40]
            expected = forecasting.forecast(weekly[: length * 10])
            actual = ratio(later["votes"].to_numpy(), later["voters"].to_numpy())
            inside.append((actual >= expected["lo80"] - 1e-9) & (actual <= expected["hi80"] + 1e-9))
    assert 0.75 <= np.mean(inside) <= 0.88
