"""The figures of a detector, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from training.evaluation.detections import (
    Person,
    average_precision,
    category_gates,
    fitted_temperature,
    iou,
    lines,
    people_scores,
    precise_gate,
    scaled,
    single_scores,
    worn_precision,
)
from trendscope.categories import CATEGORIES
from trendscope.vision.detections import Garment
from trendscope.vision.detector import CELL_OUTPUTS, PHOTO_OUTPUTS

TROUSER, COAT, SHIRT, BAG = 1, 4, 6, 8
SHOES = frozenset([5, 7, 9])


def at(gate):
    """The same gate for all categories."""
    return dict.fromkeys(CATEGORIES, gate)


def test_each_category_has_its_gate():
    confidence = np.linspace(0.9, 0.2, 20)
    category = np.array([COAT] * 16 + [BAG] * 4)
    right = np.array([True] * 10 + [False] * 10)
    gates = category_gates(confidence, category, right, 0.95)
    assert gates["Coat"] == round(float(confidence[9]), 4)
    assert gates["Bag"] == gates["Dress"] == 1, "too few"
    assert category_gates(confidence[:8] - 0.5, category[:8], right[:8], 0.5)["Coat"] == 0.3


def test_the_least_gate_that_is_precise_enough():
    confidence = np.array([0.9, 0.8, 0.7, 0.6])
    right = np.array([True, True, False, True])
    assert precise_gate(confidence, right, 0.95) == 0.8
    assert precise_gate(confidence, right, 0.75) == 0.6
    assert precise_gate(confidence, ~right, 0.9) == 1


def test_average_precision_by_hand():
    """Right at ranks 1 and 3: (1/1 + 2/3) / 2."""
    scores, right = np.array([0.9, 0.8, 0.7]), np.array([1, 0, 1])
    assert average_precision(scores, right) == pytest.approx(0.8333)
    assert average_precision(scores, np.zeros(3)) is None


def test_the_overlap_of_boxes():
    assert iou((0.0, 0.0, 2.0, 2.0), (1.0, 1.0, 3.0, 3.0)) == pytest.approx(1 / 7)
    assert iou((0.0, 0.0, 1.0, 1.0), (2.0, 2.0, 3.0, 3.0)) == 0


def test_overconfidence_is_cooled():
    """Always .9 sure, and right 3 times of 4: the temperature makes it .75 sure."""
    p = np.tile(np.array([[0.9, 0.1]], np.float32), (4, 1))
    allowed = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], bool)
    temperature = fitted_temperature(p, allowed)
    assert scaled(p, temperature)[0, 0] == pytest.approx(0.75, abs=0.01)
    np.testing.assert_allclose(scaled(p, 1.0), p, rtol=1e-5)


def answers(*rows):
    """Photo probabilities of (output, p), the rest spread over the other outputs."""
    p = np.zeros((len(rows), PHOTO_OUTPUTS), np.float32)
    for row, (output, sure) in enumerate(rows):
        p[row] = (1 - sure) / (PHOTO_OUTPUTS - 1)
        p[row, output] = sure
    return p


def test_figures_of_single_garments():
    photo = answers((COAT, 0.9), (COAT, 0.6), (SHIRT, 0.9), (COAT, 0.9), (11, 0.9))
    allowed = np.zeros((5, CELL_OUTPUTS), bool)
    allowed[0, COAT] = allowed[1, COAT] = allowed[2, COAT] = True
    allowed[3, 10] = allowed[4, 11] = True
    found = single_scores(photo, allowed, ["Blazer"] * 3 + ["Hat", ""], at(0.8))
    assert (found["pictures"], found["of_the_ten"]) == (5, 3)
    assert found["right"] == found["mean_over_groups"] == 0.6667
    assert found["named"] == 0.6667 and found["right_of_named"] == 0.5
    assert found["other_garments_named"] == 1 and found["no_garment_named"] == 0
    assert found["by_label"]["Hat"] == {"pictures": 1, "right": None, "named": 1}


def garment(category, confidence, box=(0.0, 0.0, 1.0, 1.0)):
    return Garment(category, confidence, box, np.zeros(1, np.float32), np.zeros(12, np.float32))


def test_what_is_named_worn_placed_and_found():
    coat, shoes = frozenset([COAT]), (SHOES, (0.0, 0.8, 1.0, 1.0))
    people = [
        Person((coat, SHOES), ((coat, (0.0, 0.0, 1.0, 0.5)), shoes)),
        Person((frozenset([BAG]),), None),
    ]
    found = [
        [
            garment("Coat", 0.9, (0.0, 0.0, 1.0, 0.5)),
            garment("Sneaker", 0.8, (0.0, 0.0, 1.0, 0.2)),
            garment("Dress", 0.8),
            garment("Bag", 0.3),
        ],
        [garment("Bag", 0.7)],
    ]
    scores = people_scores(found, people, at(0.5))
    assert scores["named_per_photo"] == 2
    assert scores["worn_of_named"] == 0.75, "all but the dress; the sneaker may be one"
    assert scores["box_on_it_of_named"] == 0.3333, "the coat, of three in the photo with boxes"
    assert scores["found_of_worn"] == 1
    assert people_scores(found, people, at(0.85))["found_by_category"] == {
        "Coat": 1,
        "Sandal / Sneaker / Ankle boot": 0,
        "Bag": 0,
    }


def test_photos_that_leave_it_open_are_left_out():
    """Sneakers: surely in the second, surely not in the third; the first wears shoes."""
    people = [
        Person((SHOES,), None),
        Person((frozenset([7]),), None),
        Person((frozenset([COAT]),), None),
    ]
    scores = np.zeros((3, 10), np.float32)
    scores[:, 7] = 0.9, 0.5, 0.1
    found = worn_precision(scores, people)
    assert found["Sneaker"] == 1
    assert found["Coat"] == pytest.approx(1 / 3, abs=1e-4)
    assert found["Bag"] is None


def test_figures_are_told_line_by_line():
    assert lines({"a": {"b": 0.5}, "gates": [{"least": 0.5, "c": None}]}) == [
        "a: b 0.5",
        "gates 0.5: least 0.5",
        "gates 0.5: c None",
    ]
