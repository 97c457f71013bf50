from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.evaluation import metrics
from training.evaluation.metrics import CalibrationBin, ClassScore, Evaluation, GateScore

LABELS = np.array([0, 0, 1, 2])
PREDICTED = np.array([0, 1, 1, 0])


def test_confusion_has_the_true_class_in_rows():
    assert metrics.confusion(LABELS, PREDICTED, 3).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_per_class_scores_worked_out_by_hand():
    counts = metrics.confusion(LABELS, PREDICTED, 3)
    assert metrics.per_class(counts, ("a", "b", "c")) == (
        ClassScore("a", 0.5, 0.5, 0.5, 2),
        ClassScore("b", 0.5, 1.0, 0.6667, 1),
        ClassScore("c", 0.0, 0.0, 0.0, 1),
    )


def test_a_class_without_images_scores_zero_and_does_not_divide_by_zero():
    counts = np.array([[0, 0], [1, 2]])
    assert metrics.per_class(counts, ("none", "all")) == (
        ClassScore("none", 0.0, 0.0, 0.0, 0),
        ClassScore("all", 1.0, 0.6667, 0.8, 3),
    )


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1), st.randoms())
def test_confusion_counts_everything_once_in_any_order(pairs, chance):
    counts = metrics.confusion(*np.array(pairs).T)
    assert counts.sum() == len(pairs)
    assert np.trace(counts) == sum(label == said for label, said in pairs)
    chance.shuffle(pairs)
    assert (metrics.confusion(*np.array(pairs).T) == counts).all()


def test_cross_entropy_is_minus_the_log_of_the_right_probability():
    # Softmax of (0, ln 3) is (1/4, 3/4); of (0, 0) it is (1/2, 1/2).
    logits = np.array([[0.0, math.log(3)], [0.0, 0.0]])
    expected = (-math.log(0.75) - math.log(0.5)) / 2
    assert metrics.cross_entropy(logits, np.array([1, 0])) == pytest.approx(expected)


def test_cross_entropy_of_huge_logits_is_finite():
    logits = np.array([[1e4, 0.0]], np.float32)
    assert metrics.cross_entropy(logits, np.array([1])) == pytest.approx(1e4)


CONFIDENCE = np.array([0.9, 0.7, 0.5])
CORRECT = np.array([True, False, True])


def test_calibration_bins_are_closed_above():
    lower, upper = metrics.calibration(CONFIDENCE, CORRECT, bins=2)
    assert lower == CalibrationBin(0.0, 0.5, 1, 0.5, 1.0)
    assert (upper.low, upper.high, upper.count, upper.accuracy) == (0.5, 1.0, 2, 0.5)
    assert upper.confidence == pytest.approx(0.8)


def test_calibration_error_weighs_the_gaps_by_their_images():
    # (1 x |0.5 - 1| + 2 x |0.8 - 0.5|) / 3
    table = metrics.calibration(CONFIDENCE, CORRECT, bins=2)
    assert metrics.calibration_error(table) == pytest.approx(1.1 / 3)


def test_empty_bins_do_not_count():
    table = metrics.calibration(np.array([1.0]), np.array([True]))
    assert len(table) == 15
    assert [row.count for row in table] == [0] * 14 + [1]
    assert metrics.calibration_error(table) == 0


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1))
def test_calibration_holds_every_prediction_once_and_its_error_is_a_fraction(pairs):
    confidence, correct = np.array([p for p, _ in pairs]), np.array([hit for _, hit in pairs])
    table = metrics.calibration(confidence, correct)
    assert sum(row.count for row in table) == len(pairs)
    assert sum(row.count * row.accuracy for row in table) == pytest.approx(correct.sum())
    assert 0 <= metrics.calibration_error(table) <= 1


def test_the_gate_is_judged_by_what_it_lets_through():
    verdicts = ["classified", "uncertain", "classified", "outside"]
    correct = np.array([True, True, False, True])
    assert metrics.gate_score(verdicts, correct) == GateScore(2, 1, 1, 0.5)


def test_a_gate_that_lets_nothing_through_has_precision_zero():
    assert metrics.gate_score(["outside"], np.array([True])) == GateScore(0, 0, 1, 0.0)


def example() -> Evaluation:
    counts = metrics.confusion(LABELS, PREDICTED)
    return Evaluation(
        weights="example",
        digest="d1",
        data="some images",
        data_digest="d2",
        images=4,
        accuracy=0.5,
        loss=1.25,
        calibration_error=0.1,
        raw_calibration_error=0.2,
        gate=GateScore(2, 1, 1, 0.5),
        classes=metrics.per_class(counts),
        confusion=tuple(tuple(map(int, row)) for row in counts),
        calibration=metrics.calibration(CONFIDENCE, CORRECT),
        parameters=10,
        file_bytes=100,
        images_per_second=1000,
    )


def test_an_evaluation_reads_back_equal():
    assert Evaluation.from_json(example().to_json()) == example()


@pytest.mark.parametrize("text", ["", "{", "{}", '{"gate": {}}'])
def test_other_documents_are_refused(text):
    with pytest.raises((ValueError, TypeError, KeyError)):
        Evaluation.from_json(text)
