"""Gates for each category: as low as precision allows, silent for none."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("optax")

from training.evaluation.gates import (
    LEAST,
    MOST,
    Guesses,
    as_everywhere,
    fitted_gates,
    fitted_rightness,
    logit,
)
from trendscope.categories import CATEGORIES

SHIRT, BAG = CATEGORIES.index("Shirt"), CATEGORIES.index("Bag")


def guesses(count=4000, seed=0, harder=(0.0,), bias=-1.0, categories=(0, 1, 2, SHIRT)):
    """Guesses right by a curve of slope 1; shirts' offset lies 1.5 lower than others'."""
    generator = np.random.default_rng(seed)
    confidence = generator.uniform(0.2, 0.999, count)
    category = generator.choice(categories, count)
    place = generator.integers(0, len(harder), count)
    offset = bias - 1.5 * (category == SHIRT) - np.array(harder)[place]
    likely = 1 / (1 + np.exp(-logit(confidence) - offset))
    return Guesses(confidence, category, generator.random(count) < likely, place, np.ones(count))


def named(gates, given):
    return given.confidence >= np.array([gates[name] for name in CATEGORIES])[given.category]


def test_the_curve_is_found_again():
    found = fitted_rightness(guesses(40_000))
    assert found.slope == pytest.approx(1, abs=0.05)
    assert found.of_category[0] + found.of_place[0] == pytest.approx(-1, abs=0.1)
    assert found.of_category[SHIRT] + found.of_place[0] == pytest.approx(-2.5, abs=0.1)


def test_what_is_named_of_others_is_as_right_as_asked_for():
    gates = fitted_gates(guesses(), 0.9)
    fresh = guesses(40_000, seed=1)
    assert fresh.right[named(gates, fresh)].mean() == pytest.approx(0.9, abs=0.02)
    assert gates["Shirt"] > gates["T-shirt/top"], "less often right at the same confidence"


def test_the_gate_holds_where_garments_are_hardest_to_name():
    given, fresh = (guesses(20_000, seed, harder=(0.0, 1.0)) for seed in (0, 1))
    in_hard = named(fitted_gates(given, 0.9), fresh) & (fresh.place == 1)
    assert fresh.right[in_hard].mean() == pytest.approx(0.9, abs=0.02)


def test_a_category_of_few_guesses_is_named_at_what_holds_for_all():
    common = guesses()
    rare = Guesses(*(np.array([x]) for x in (0.7, BAG, True, 0, 1.0)))
    both = Guesses(
        *(
            np.append(getattr(common, name), getattr(rare, name))
            for name in ("confidence", "category", "right", "place", "weight")
        )
    )
    gates = fitted_gates(both, 0.9)
    assert LEAST < gates["Bag"] < MOST
    assert gates["Bag"] == pytest.approx(np.median(list(gates.values())), abs=0.05)


def test_of_a_category_that_is_hard_to_tell_the_surest_are_named():
    """Shirts never come near the .95 at which the others are named, and are right 4 times of 5."""
    easy = guesses(2000, bias=1.0, categories=(0, 1, 2))
    count = 400
    generator = np.random.default_rng(2)
    hard = Guesses(
        generator.uniform(0.2, 0.6, count),
        np.full(count, SHIRT),
        np.arange(count) % 10 < 8,
        np.zeros(count, int),
        np.ones(count),
    )
    names = ("confidence", "category", "right", "place", "weight")
    both = Guesses(*(np.append(getattr(easy, name), getattr(hard, name)) for name in names))
    gates = fitted_gates(both, 0.95)
    assert 10 <= named(gates, hard).sum() <= 30, "a twentieth of 400"
    more = fitted_gates(both, 0.95, always=0.3)
    assert 22 <= named(more, hard).sum() <= 38, "a quarter of 120: of more too many are wrong"
    chance = Guesses(
        both.confidence,
        both.category,
        np.append(easy.right, np.arange(count) % 10 < 5),
        both.place,
        both.weight,
    )
    assert not named(fitted_gates(chance, 0.95), hard).any(), "wrong more often than .7 allows"


def test_gates_stay_in_bounds():
    right, wrong = guesses(bias=20), guesses(bias=-20)
    assert set(fitted_gates(right, 0.9).values()) == {LEAST}
    assert set(fitted_gates(wrong, 0.9).values()) == {MOST}
    none = right.take(np.zeros(len(right.confidence), bool))
    assert fitted_gates(none, 0.9) == dict.fromkeys(CATEGORIES, MOST)


def test_weights_make_kinds_as_frequent_as_everywhere():
    # Hats: 1 of 4 here, 1 of 2 everywhere. Dresses: 3 of 4 here, 1 of 2 everywhere.
    weights = as_everywhere(["hat", "dress", "dress", "dress"], ["hat"] * 5 + ["dress"] * 5)
    assert weights.tolist() == pytest.approx([2, 2 / 3, 2 / 3, 2 / 3])
    rare = as_everywhere(["hat"] + ["dress"] * 99, ["hat"] * 50 + ["dress"] * 50)
    assert rare[0] == 4, "at most"
