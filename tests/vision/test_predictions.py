"""What a network says of a photo, as one value."""

from __future__ import annotations

import numpy as np
import pytest

from trendscope.categories import CATEGORIES
from trendscope.photos.results import PictureResult
from trendscope.vision.predictions import PhotoPrediction, Prediction

DRESS, COAT = CATEGORIES.index("Dress"), CATEGORIES.index("Coat")


def prediction(verdict="classified", category="Dress", box=(10, 20, 30, 41), **more):
    probabilities = np.full(10, 0.02, np.float32)
    probabilities[DRESS], probabilities[COAT] = 0.6, 0.24
    embedding = np.array([1, 2], np.float32)
    return Prediction(verdict, category, 0.6, probabilities, 0.1, embedding, box)


def test_one_named_garment_is_the_whole_photo():
    photo = PhotoPrediction.of_one(prediction())
    assert photo.garments == (photo.whole,) and photo.candidates == ()


def test_one_garment_that_cannot_be_named_may_be_several_categories():
    photo = PhotoPrediction.of_one(prediction("uncertain", None))
    assert photo.garments == () and photo.whole.category is None
    said = [(each.category, each.verdict, each.box) for each in photo.candidates]
    box = (10, 20, 30, 41)
    assert said == [("Dress", "uncertain", box), ("Coat", "uncertain", box)]
    assert [each.confidence for each in photo.candidates] == pytest.approx([0.6, 0.24])


def test_what_is_none_of_the_ten_has_no_candidates():
    photo = PhotoPrediction.of_one(prediction("outside", None))
    assert photo == PhotoPrediction((), (), photo.whole)


def test_a_result_has_boxes_in_pixels_of_the_original():
    bag = prediction(category="Bag", box=(0, 0, 7, 8))
    unsure = prediction("uncertain", "Coat", box=None)
    photo = PhotoPrediction((prediction(), bag), (unsure,), bag)
    result = PictureResult.of_prediction("a.jpg", "0" * 64, photo, scale=(2.0, 1.5))
    boxes = [(g.category, g.box) for g in (*result.garments, *result.candidates)]
    assert boxes == [("Dress", (20, 30, 60, 62)), ("Bag", (0, 0, 14, 12)), ("Coat", None)]
    assert (result.verdict, result.probabilities[0][0]) == ("classified", "Dress")
    assert np.frombuffer(result.garments[1].embedding, "<f4").tolist() == [1, 2]
    assert result.garments[0].outside == pytest.approx(0.1)
