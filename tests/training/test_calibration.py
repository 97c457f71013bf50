from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("jax")

from training.evaluation.calibration import (
    fit_gate,
    fit_temperature,
    least_above,
    lowest_confidence,
)
from trendscope.vision.outputs import softmax


def test_lowest_confidence_by_hand():
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    hit = np.array([True, True, False, True, False])
    # Precision of the surest 1..5: 1, 1, .67, .75, .6
    assert lowest_confidence(confidence, hit, 0.95) == 0.8
    assert lowest_confidence(confidence, hit, 0.75) == 0.6
    assert lowest_confidence(confidence, hit, 0.6) == 0.5
    assert lowest_confidence(confidence, ~hit, 0.95) == 1.01


def test_equal_confidences_are_accepted_together():
    confidence = np.array([0.9, 0.7, 0.7, 0.7])
    hit = np.array([True, True, True, False])
    assert lowest_confidence(confidence, hit, 0.95) == 0.9
    assert lowest_confidence(confidence, hit, 0.75) == 0.7


def test_gate_fitted_on_nothing_names_nothing():
    assert lowest_confidence(np.zeros(0), np.zeros(0, bool), 0.95) == 1.01


@pytest.mark.parametrize("true_temperature", [0.6, 1.0, 2.5])
def test_temperature_is_recovered(true_temperature):
    """Labels drawn from softmax(logits / T) are best explained by T."""
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 3, (20_000, 11)).astype(np.float32)
    p = softmax(logits / true_temperature)
    labels = (p.cumsum(-1) > generator.random((len(p), 1))).argmax(-1)
    targets = np.eye(11, dtype=np.float32)[labels]
    assert fit_temperature(logits, targets) == pytest.approx(true_temperature, rel=0.05)


def test_gate_reaches_its_precision_and_refuses_the_outside():
    generator = np.random.default_rng(1)
    logits = generator.normal(0, 3, (5_000, 11)).astype(np.float32)
    p = softmax(logits)
    labels = (p.cumsum(-1) > generator.random((len(p), 1))).argmax(-1)
    targets = np.eye(11, dtype=np.float32)[labels]
    shown = labels < 10

    def kept(gate):
        p = softmax(logits / gate.temperature)
        confidence = p[:, :-1].max(-1) / p[:, :-1].sum(-1)
        named = (p[:, -1] < gate.min_outside) & (confidence >= gate.min_confidence)
        precise = (p[:, :-1].argmax(-1) == labels)[named & shown].mean()
        return precise, named[shown].mean(), named[~shown].mean()

    precise, named, _ = kept(fit_gate(logits, targets, 0.95, max_others=1.0))
    assert 0.95 <= precise < 0.96 and 0.1 < named < 0.9
    _, fewer, others = kept(fit_gate(logits, targets, 0.95, max_others=0.02))
    assert 0.01 < others <= 0.02 and fewer < named


def test_least_above_by_hand():
    confidence = np.array([0.9, 0.31234, 0.0, 0.8])
    assert least_above(confidence, 1.0) == 0.0
    assert least_above(confidence, 0.5) == 0.3124  # The two surest may stay.
    assert least_above(confidence, 0.49) == 0.8001
    assert least_above(confidence, 0.0) == 0.9001
    assert least_above(np.zeros(0), 0.0) == 0.0


def test_other_things_do_not_change_the_precision_of_garments():
    logits = np.full((100, 11), -5.0, np.float32)
    logits[:, 0] = np.linspace(1, 3, 100)
    targets = np.zeros((100, 11), np.float32)
    targets[:, 0] = 1
    alone = fit_gate(logits, targets)
    more = np.concatenate([logits, logits[:10]])
    rest = np.zeros((10, 11), np.float32)
    rest[:, -1] = 1
    assert fit_gate(more, np.concatenate([targets, rest]), max_others=1.0) == alone
    assert fit_gate(more, np.concatenate([targets, rest])).min_confidence > alone.min_confidence


def test_easy_examples_of_outside_do_not_make_the_rest_look_surer():
    generator = np.random.default_rng(2)
    logits = generator.normal(0, 2, (4_000, 11)).astype(np.float32)
    logits[:, -1] = -20
    p = softmax(logits)
    labels = (p.cumsum(-1) > generator.random((len(p), 1))).argmax(-1)
    easy = np.zeros((4_000, 11), np.float32)
    easy[:, -1] = 3
    both = np.concatenate([logits, easy])
    targets = np.eye(11, dtype=np.float32)[np.concatenate([labels, np.full(4_000, 10)])]
    assert fit_gate(both, targets).temperature == pytest.approx(1.0, rel=0.06)
    assert fit_temperature(both, targets) < 0.9


def test_several_right_outputs_count():
    logits = np.tile(np.array([[5.0, 5.0] + [0.0] * 9], np.float32), (50, 1))
    targets = np.zeros((50, 11), np.float32)
    targets[:, :2] = 1
    assert fit_gate(logits, targets).min_confidence < 0.55
