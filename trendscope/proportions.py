"""The statistics of shares: intervals, tests, many tests at once, corrected levels. Only numpy.

Shares are fractions 0..1. Arrays are of any equal shape unless a docstring says otherwise.
"""

from __future__ import annotations

import math
from math import fsum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Z90, Z95 = 1.6448536269514722, 1.959963984540054
"""Two-sided normal quantiles of 90 % and 95 %."""


def ratio(numerator: Any, denominator: Any) -> Floats:
    """Quotients, NaN where the denominator is 0."""
    numerator, denominator = np.asarray(numerator), np.asarray(denominator)
    empty = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    np.divide(numerator, denominator, out=empty, where=denominator != 0)
    return empty


def wilson(count: Floats, total: Floats, z: float = Z95) -> tuple[Floats, Floats]:
    """Wilson's score interval of a share; 0 to 1 where nothing was counted.

    Source: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209.
    """
    share, spread = ratio(count, total), ratio(z * z, total)
    centre = (share + spread / 2) / (1 + spread)
    half = np.sqrt(spread * share * (1 - share) + spread * spread / 4) / (1 + spread)
    low, high = np.maximum(centre - half, 0), np.minimum(centre + half, 1)
    return np.where(total > 0, low, 0.0), np.where(total > 0, high, 1.0)


def z_score(count: Floats, total: Floats, earlier: Floats, earlier_total: Floats) -> Floats:
    """Two-proportion z of count/total against earlier/earlier_total; NaN where nothing varies.

    Source: the pooled test of any textbook, such as Fleiss, Statistical Methods for Rates, 2.
    """
    pooled = ratio(count + earlier, total + earlier_total)
    variance = pooled * (1 - pooled) * (ratio(1, total) + ratio(1, earlier_total))
    difference = ratio(count, total) - ratio(earlier, earlier_total)
    # Sums of fractions may exceed their totals by the last digit.
    return ratio(difference, np.sqrt(np.maximum(variance, 0)))


def two_sided(z: Floats) -> Floats:
    """Probability of a standard normal value at least as far from 0; NaN stays."""
    return np.asarray(np.vectorize(math.erfc, otypes=[float])(np.abs(z) / math.sqrt(2)))


def false_discoveries(p: Floats) -> Floats:
    """Benjamini-Hochberg's adjusted p within each row; NaNs are not tests and stay.

    A test is a discovery at level q where its adjusted p is at most q.
    Source: Benjamini and Hochberg, J. R. Stat. Soc. B 57 (1995) 289.

    Args:
        p: Rows of p values; the last axis holds the tests made together.
    """
    order = np.argsort(p, axis=-1)  # NaNs last
    ranks = np.arange(1, p.shape[-1] + 1)
    tests = np.isfinite(p).sum(axis=-1, keepdims=True)
    scaled = np.take_along_axis(p, order, -1) * tests / ranks
    lowest = np.fmin.accumulate(scaled[..., ::-1], axis=-1)[..., ::-1]
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, np.minimum(lowest, 1), -1)
    return np.where(np.isnan(p), np.nan, adjusted)


def change(
    count: Floats,
    total: Floats,
    earlier: Floats,
    earlier_total: Floats,
    factor: Floats,
    z: float = Z90,
) -> tuple[Floats, Floats, Floats]:
    """How much larger count/total is than earlier/earlier_total, as a fraction, with its interval.

    The logarithm of the ratio of two shares is near normal (Katz et al., Biometrics 34 (1978) 469);
    half a count is added to each, so that zeros have one too (Walter, Biometrika 62 (1975) 371).

    Args:
        count: Number of recent photos that show the category, of `total`; `earlier` likewise.
        factor: Factor by which the variances exceed the binomial ones.
        z: Normal quantile of the interval's half width.

    Returns:
        Change, its lower and its upper bound: 1.0 is a doubling, -0.5 a halving.
    """
    new, old = count + 0.5, earlier + 0.5
    log = np.log(ratio(new, total + 0.5)) - np.log(ratio(old, earlier_total + 0.5))
    variance = 1 / new - 1 / (total + 0.5) + 1 / old - 1 / (earlier_total + 0.5)
    half = z * np.sqrt(np.maximum(factor * variance, 0))
    comparable = (total > 0) & (earlier_total > 0)
    low, high = (np.where(comparable, np.expm1(log + sign * half), np.nan) for sign in (-1, 1))
    return ratio(ratio(count, total), ratio(earlier, earlier_total)) - 1, low, high


def adjusted_classify_and_count(counts: Floats, confusion: Floats, steps: int = 2000) -> Floats:
    """Shares of the true categories, given what a classifier that errs has counted.

    Maximum likelihood by expectation-maximisation, so that no share is negative and all sum to 1:
    adjusted classify-and-count (Forman, Data Min. Knowl. Disc. 17 (2008) 164) in the form of
    Vucetic and Obradovic (ECML POINTS).

    Args:
        counts: (..., categories): how often each was predicted.
        confusion: (..., true, predicted): labelled photos; a row's sum is that category's.
        steps: Number of iterations.

    Returns:
        (..., categories), each row summing to 1.
    """
    rates = confusion / confusion.sum(-1, keepdims=True)
    predicted = counts / counts.sum(-1, keepdims=True)
    shares = np.full(predicted.shape, 1 / predicted.shape[-1])
    for _ in range(steps):
        expected = np.einsum("...t,...tp->...p", shares, rates)
        weight = np.divide(predicted, expected, out=np.zeros_like(predicted), where=predicted > 0)
        shares = shares * np.einsum("...tp,...p->...t", rates, weight)
    return np.asarray(shares / shares.sum(-1, keepdims=True))


POINTS = 4001  # of the grid over which a distribution is summed


def beta_quantiles(mean: Floats, size: Floats, at: tuple[float, ...]) -> Floats:
    """Quantiles of beta distributions, by summing the density over the logit.

    Over the logit of x the density is x^alpha (1-x)^beta / B(alpha, beta): smooth even for alpha or
    beta below 1. Within 1e-4 of a standard deviation; within 2 % for alpha or beta below 0.5.

    Args:
        mean: Means, strictly between 0 and 1.
        size: alpha + beta, positive.
        at: Probabilities.

    Returns:
        (len(at), *mean.shape)
    """
    alpha, beta = (mean * size)[..., None], ((1 - mean) * size)[..., None]
    width = 7 * (1 / np.sqrt(alpha) + 1 / np.sqrt(beta) + 1 / alpha + 1 / beta)
    logit = np.log(alpha) - np.log(beta) + width * np.linspace(-1, 1, POINTS)
    log_density = -alpha * np.logaddexp(0, -logit) - beta * np.logaddexp(0, logit)
    density = np.exp(log_density - log_density.max(-1, keepdims=True))
    mass = (density.cumsum(-1) - density / 2) / density.sum(-1, keepdims=True)
    grid, logits = mass.reshape(-1, POINTS), logit.reshape(-1, POINTS)
    logits_at = [np.interp(at, row, values) for row, values in zip(grid, logits, strict=True)]
    quantiles = np.exp(-np.logaddexp(0, -np.array(logits_at))).reshape(*mean.shape, len(at))
    return np.moveaxis(quantiles, -1, 0)


def estimated_shares(named: Floats, uncertain: Floats) -> Floats:
    """Each category's share of the garments, those of uncertain photos among them.

    Some kinds are named far more often than others, so the shares of what was named are not those
    of what is worn. Hence an uncertain photo counts by its probabilities (probabilistic classify
    and count: Bella et al., "Quantification via probability estimators", ICDM 2010).

    Args:
        named: (..., categories): how many garments of each category were named.
        uncertain: (..., categories): sums of the uncertain photos' probabilities (`sum_exactly`).

    Returns:
        (..., categories), 0..1, each row summing to 1; all 0 where nothing was named.
    """
    weight = np.where(named.any(axis=-1, keepdims=True), named + uncertain, 0.0)
    return np.nan_to_num(ratio(weight, sum_exactly(weight)[..., None]))


def sum_exactly(values: Floats) -> Floats:
    """Sums over the last axis, correctly rounded: no order of the values changes them."""
    return np.apply_along_axis(fsum, -1, values) if values.size else values.sum(axis=-1)
