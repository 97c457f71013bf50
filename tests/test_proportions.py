"""The statistics of shares against scipy, closed forms and figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import scipy  # which loads its parts when they are used
from hypothesis import given
from hypothesis import strategies as st

from trendscope import proportions
from trendscope.categories import CATEGORIES

ONE = np.ones(1)


def counts(most=500):
    return st.integers(1, most).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts())
def test_wilson_is_scipys(pair):
    low, high = proportions.wilson(*(np.array([float(x)]) for x in pair))
    expected = scipy.stats.binomtest(*pair).proportion_ci(0.95, method="wilson")
    assert (low[0], high[0]) == pytest.approx(tuple(expected), abs=1e-12)


def test_wilson_of_no_photos_is_0_to_1():
    assert [bound.item() for bound in proportions.wilson(0 * ONE, 0 * ONE)] == [0, 1]


def test_wilson_by_hand():
    # 0 of 10 with z = 2: centre 0.2 / 1.4, half-width the same, so 0 to 2/7.
    low, high = proportions.wilson(0 * ONE, 10 * ONE, z=2)
    assert (low[0], high[0]) == pytest.approx((0, 2 / 7))


@given(counts(), counts())
def test_z_squared_is_the_chi_square_of_the_four_fold_table(one, other):
    (a, n), (b, m) = one, other
    z = proportions.z_score(*(float(x) * ONE for x in (a, n, b, m)))[0]
    if a + b in (0, n + m):
        assert np.isnan(z)
        return
    table = [[a, n - a], [b, m - b]]
    assert z**2 == pytest.approx(scipy.stats.chi2_contingency(table, correction=False)[0], abs=1e-8)
    assert np.sign(z) == np.sign(a * m - b * n)


@pytest.mark.filterwarnings("error")
def test_counts_above_their_total_by_rounding_vary_in_nothing():
    more = np.nextafter(3.0, 4) * ONE
    assert np.isnan(proportions.z_score(more, 3 * ONE, more, 3 * ONE)).all()


@given(st.floats(-30, 30))
def test_two_sided_is_scipys(z):
    assert proportions.two_sided(z * ONE)[0] == pytest.approx(2 * scipy.stats.norm.sf(abs(z)))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_false_discoveries_are_scipys_with_tests_left_out(p, random):
    expected = iter(scipy.stats.false_discovery_control(p))
    with_gaps = [x for value in p for x in ([value, np.nan] if random.random() < 0.3 else [value])]
    adjusted = proportions.false_discoveries(np.array([with_gaps]))[0]
    assert np.isnan(adjusted).tolist() == np.isnan(with_gaps).tolist()
    assert [x for x in adjusted if not np.isnan(x)] == pytest.approx(list(expected))


def test_false_discoveries_by_hand():
    adjusted = proportions.false_discoveries(np.array([[0.04, 0.01, 0.03], [0.5, np.nan, 0.01]]))
    assert adjusted[0] == pytest.approx([0.04, 0.03, 0.04])
    assert adjusted[1] == pytest.approx([0.5, np.nan, 0.02], nan_ok=True)


def test_change_by_hand():
    # 30 of 100 after 20 of 100: a half more. ln(30.5/20.5) = .3973; the variance is
    # 1/30.5 - 1/100.5 + 1/20.5 - 1/100.5 = .06167, its root .2483, 1.645 of it .4085.
    change, low, high = proportions.change(*(x * ONE for x in (30, 100, 20, 100, 1)))
    assert change[0] == pytest.approx(0.5)
    assert (low[0], high[0]) == pytest.approx((np.exp(-0.0112) - 1, np.exp(0.8058) - 1), abs=1e-3)


def test_a_change_from_nothing_is_unknown_and_from_zero_has_a_bound():
    change, low, high = proportions.change(
        np.array([3.0, 15.0]), np.array([9.0, 50.0]), np.zeros(2), np.array([0.0, 50.0]), np.ones(2)
    )
    assert np.isnan([change[0], low[0], high[0], change[1]]).all()
    assert 0 < low[1] < high[1] < np.inf


@pytest.mark.parametrize(
    ("mean", "size"),
    [(0.5, 2), (0.03, 30), (0.97, 5), (0.2, 1e6), (0.01, 10), (0.4, 0.5), (0.75, 0.1)],
)
def test_beta_quantiles_are_scipys(mean, size):
    at = (0.025, 0.1, 0.9, 0.975)
    quantiles = proportions.beta_quantiles(mean * ONE, size * ONE, at)[:, 0]
    alpha, beta = mean * size, (1 - mean) * size
    near = 1e-4 if min(alpha, beta) >= 1 else 0.02
    assert quantiles == pytest.approx(
        scipy.stats.beta.ppf(at, alpha, beta), abs=near * scipy.stats.beta.std(alpha, beta)
    )


def test_beta_quantiles_keep_the_shape():
    assert proportions.beta_quantiles(np.full((3, 2), 0.5), np.ones((3, 2)), (0.5,)).shape == (
        *(1, 3, 2),
    )


# --- corrected levels ----------------------------------------------------------------------------


def test_adjusted_counts_undo_a_given_confusion():
    # Of the first 80 % are taken for it and 20 % for the second; of the second 90 % are right.
    # There are three times as many labelled photos of the second, which must not matter.
    confusion = np.array([[80.0, 20.0], [30.0, 270.0]])
    truth = np.array([0.3, 0.7])
    counts = np.array([310.0, 690.0])  # .3 * .8 + .7 * .1, and the rest
    assert proportions.adjusted_classify_and_count(counts, confusion) == pytest.approx(
        truth, abs=1e-6
    )


def test_adjusted_counts_stay_on_the_simplex_where_inverting_does_not():
    confusion = np.array([[80.0, 20.0], [10.0, 90.0]])
    # 5 % seen of the first is fewer than the 10 % that errors alone would make.
    inverse = np.array([0.05, 0.95]) @ np.linalg.inv(confusion / 100)
    assert inverse[0] < 0
    shares = proportions.adjusted_classify_and_count(np.array([50.0, 950.0]), confusion)
    assert shares == pytest.approx([0, 1], abs=1e-6)


@given(st.lists(st.integers(0, 300), min_size=10, max_size=10).filter(any))
def test_a_perfect_classifier_needs_no_correction(counts):
    counts = np.array(counts, float)
    shares = proportions.adjusted_classify_and_count(counts, np.eye(len(CATEGORIES)))
    assert shares == pytest.approx(counts / counts.sum())


def per_category(**values):
    return np.array([float(values.get(category, 0)) for category in CATEGORIES])


def test_estimated_shares_count_uncertain_photos_as_what_they_may_be():
    named = np.array([per_category(Dress=2, Bag=1), per_category(), per_category(Coat=3)])
    uncertain = per_category(Dress=0.5, Coat=0.25, Bag=0.25)
    shares = proportions.estimated_shares(named, np.array([uncertain, uncertain, per_category()]))
    # Of the first customer's four garments 2.5 are dresses, 1.25 bags and .25 a coat. Nothing of
    # the second was named: guesses alone are no wardrobe.
    assert shares.tolist() == [
        per_category(Dress=0.625, Coat=0.0625, Bag=0.3125).tolist(),
        per_category().tolist(),
        per_category(Coat=1).tolist(),
    ]


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 50), min_size=10, max_size=10),
            st.lists(st.floats(0, 1000), min_size=10, max_size=10),
        ),
        max_size=5,
    )
)
def test_estimated_shares_of_one_customer_are_those_of_all_at_once(customers):
    named = np.array([counted for counted, _ in customers], float).reshape(-1, 10)
    uncertain = np.array([guesses for _, guesses in customers], float).reshape(-1, 10)
    at_once = proportions.estimated_shares(named, uncertain)
    one_by_one = [
        proportions.estimated_shares(counted, guesses)
        for counted, guesses in zip(named, uncertain, strict=True)
    ]
    assert at_once.tolist() == [shares.tolist() for shares in one_by_one]
    expected = [float(any(counted)) for counted, _ in customers]
    assert at_once.sum(axis=1).tolist() == pytest.approx(expected)


@given(st.lists(st.floats(0, 1), max_size=30), st.randoms())
def test_exact_sums_do_not_depend_on_the_order(values, random):
    shuffled = random.sample(values, len(values))
    sums = proportions.sum_exactly(np.array([values, shuffled]).reshape(2, -1))
    assert sums[0] == sums[1]
