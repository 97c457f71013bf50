"""Figures of photos of people, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from training.evaluation.people import (
    Person,
    average_precision,
    confidences,
    iou,
    is_centred,
    people_scores,
    worn_precision,
)
from trendscope.vision.predictions import PhotoPrediction, Prediction

COAT, BAG = frozenset([4]), frozenset([8])
SHOES = frozenset([5, 7, 9])
SIZE = (100, 200)


def garment(category, confidence=0.9, box=(0, 0, 100, 200), verdict="classified"):
    even = np.full(10, 0.1, np.float32)
    return Prediction(verdict, category, confidence, even, 0.0, np.zeros(1, np.float32), box)


def photo(*garments, candidates=()):
    return PhotoPrediction(garments, candidates, garment(None, 0.1, verdict="outside"))


def test_average_precision_by_hand():
    """Right at ranks 1 and 3: (1/1 + 2/3) / 2."""
    scores, right = np.array([0.9, 0.8, 0.7]), np.array([1, 0, 1])
    assert average_precision(scores, right) == pytest.approx(0.8333)
    assert average_precision(scores, np.zeros(3)) is None


def test_the_overlap_of_boxes():
    assert iou((0.0, 0.0, 2.0, 2.0), (1.0, 1.0, 3.0, 3.0)) == pytest.approx(1 / 7)
    assert iou((0.0, 0.0, 1.0, 1.0), (2.0, 2.0, 3.0, 3.0)) == 0


def test_the_middle_of_a_box_lies_inside():
    assert is_centred((0.0, 0.0, 0.4, 1.0), (0.1, 0.4, 0.3, 0.6))
    assert not is_centred((0.0, 0.0, 1.0, 1.0), (0.6, 0.0, 1.0, 1.0))


PEOPLE = [
    Person((COAT, SHOES), ((COAT, (0.0, 0.0, 1.0, 0.5)), (SHOES, (0.0, 0.8, 1.0, 1.0)))),
    Person((BAG,), None),
]
SAID = [
    photo(
        garment("Coat", box=(0, 0, 100, 100)),
        garment("Sneaker", box=(0, 0, 100, 40)),
        garment("Ankle boot", box=(0, 50, 100, 200)),
        garment("Dress"),
        candidates=(garment("Bag", 0.3, verdict="uncertain"),),
    ),
    photo(garment("Bag", 0.7)),
]


def test_what_is_named_worn_placed_and_found():
    scores = people_scores(SAID, [SIZE, SIZE], PEOPLE)
    assert (scores["photos"], scores["named_per_photo"]) == (2, 2.5)
    assert scores["worn_of_named"] == 0.8, "all but the dress; the shoes may be either"
    assert scores["box_on_it_of_named"] == 0.25, "the coat, of four in the photo with boxes"
    assert scores["centre_on_it_of_named"] == 0.25, "the boot's middle lies above the shoes"
    assert scores["found_of_worn"] == 1
    assert scores["by_category"]["Coat"] == {
        "named": 1,
        "worn": 1,
        "box_on_it": 1,
        "centre_on_it": 1,
    }
    assert scores["by_category"]["Bag"]["box_on_it"] is None
    assert people_scores([photo(), SAID[1]], [SIZE, SIZE], PEOPLE)["found_by_category"] == {
        "Coat": 0,
        "Sandal / Sneaker / Ankle boot": 0,
        "Bag": 1,
    }


def test_the_surest_of_each_category_counts_named_or_not():
    scores = confidences([photo(garment("Coat", 0.9), candidates=(garment("Coat", 0.2),))])
    assert scores[0].tolist() == pytest.approx([0.9 if i == 4 else 0 for i in range(10)])


def test_photos_that_leave_it_open_are_left_out():
    """Sneakers: surely in the second, surely not in the third; the first wears shoes."""
    people = [Person((SHOES,), None), Person((frozenset([7]),), None), Person((COAT,), None)]
    scores = np.zeros((3, 10), np.float32)
    scores[:, 7] = 0.9, 0.5, 0.1
    found = worn_precision(scores, people)
    assert found["Sneaker"] == 1
    assert found["Coat"] == pytest.approx(1 / 3, abs=1e-4)
    assert found["Bag"] is None
