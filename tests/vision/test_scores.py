"""What weights scored on photos is read from their header and said in one sentence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.factories.photos import MEASURED
from trendscope.categories import CATEGORIES, PLURALS
from trendscope.errors import WeightsError
from trendscope.reports.wording import coverage_sentence, plural_of
from trendscope.vision.scores import Scores, read_scores
from trendscope.vision.weights import DEFAULT, SHIPPED, Header, find_weights, read_header

SCORES = {
    "photos_of_the_ten": 40,
    "scored_on": "customers of fold 1 of 3, never trained on",
    "precision": 0.9,
    "coverage": 0.4,
    "coverage_of": {"Bag": 0.1, "Dress": 0.7, "Coat": None, "Dress / Coat": 0.9},
}
NEVER = "never measured"


def written(path, scores, name="tiny"):
    arrays = {"kernel": np.zeros((2, 3), np.float32)}
    header = Header(name, scores={"photos": scores})
    save_file(arrays, path, {"trendscope": header.to_json()})
    return path


def test_the_scores_of_the_default_weights_are_read():
    scores, found = read_header(find_weights(DEFAULT)).scores, read_scores(DEFAULT)
    photos, people = scores["photos"], scores["outfits"]
    assert found.weights == DEFAULT and found.with_people
    assert found.photos == photos["photos_of_the_ten"] + people["photos"]
    assert found.precision == min(photos["precision"], people["worn_of_named"])
    assert found.unseen is ("never trained on" in photos["scored_on"])


PEOPLE = {
    "photos": 10,
    "worn_of_named": 0.8,
    "found_of_worn": 0.5,
    "found_by_category": {
        "Dress": 0.2,
        "Bag": 0.6,
        "Trouser": None,
        "Sandal": 0.9,
        "Sneaker": 0.1,
        "Sandal / Sneaker": 0.0,
    },
}


def test_of_single_garments_and_people_the_lower_figures_are_read(tmp_path):
    header = Header("tiny", scores={"photos": SCORES, "outfits": PEOPLE})
    path = tmp_path / "w.safetensors"
    save_file({"a": np.zeros(1)}, path, {"trendscope": header.to_json()})
    found = read_scores(path)
    assert (found.photos, found.precision, found.coverage) == (50, 0.8, 0.4)
    assert found.with_people and found.unseen
    # The bag alone was named more rarely, the dress when worn; shoes are .9 and .1, so .5.
    assert dict(found.coverage_of) == {"Shoes": 0.5, "Dress": 0.2, "Bag": 0.1}
    assert list(found.coverage_of) == ["Shoes", "Dress", "Bag"]


def test_weights_without_photo_scores_have_a_sentence_without_figures():
    found = read_scores("fashion-mnist")
    assert found == Scores("fashion-mnist")
    assert NEVER in coverage_sentence(found) and "%" not in coverage_sentence(found)


def test_coverage_sentence_by_hand():
    assert coverage_sentence(MEASURED) == (
        "Of 200 photos never seen in training, this network named 80 % of the trousers, "
        "but 20 % of the coats and no shoes: counts lean that way."
    )


@pytest.mark.parametrize(
    ("coverage_of", "words"),
    [
        ({"Bag": 0.9, "Dress": 0.6, "Coat": 0.5}, "90 % of the bags, but 50 % of the coats: "),
        ({"Bag": 0.9, "Coat": 0.001}, "90 % of the bags, but < 1 % of the coats: "),
        ({"Bag": 0.9}, "named 90 % of the bags: "),
        ({"Dress / Coat": 0.9}, "named 90 % of the dresses or coats: "),
        ({}, NEVER),
    ],
)
def test_coverage_sentence_names_the_best_and_the_worst_group(coverage_of, words):
    assert words in coverage_sentence(Scores("w", 10, True, 0.9, 0.5, coverage_of))


def test_coverage_sentence_names_weights_trained_alike(tmp_path):
    told = "customers of fold 1 of 3, never trained on, by a network trained alike without them"
    found = read_scores(written(tmp_path / "w.safetensors", SCORES | {"scored_on": told}))
    assert (found.unseen, found.by_another) == (True, True)
    assert coverage_sentence(found).startswith(
        "Of 40 photos never seen in training, a second network, trained in the same way without "
        "these photos, named 70 % of the dresses"
    )


def test_coverage_sentence_says_that_of_two_shares_the_lower_one_counts():
    alone = Scores("w", 10, True, 0.9, 0.5, {"Bag": 0.9, "Dress": 0.1})
    lower = ", each by the lower of its shares alone and on people: counts lean that way."
    assert coverage_sentence(replace(alone, with_people=True)).endswith(f"of the dresses{lower}")
    assert "lower" not in coverage_sentence(alone)


def test_coverage_sentence_of_photos_perhaps_seen_in_training():
    found = Scores("w", 10, False, 0.9, 0.5, {"Bag": 0.9})
    assert "perhaps seen in training" in coverage_sentence(found)


def test_groups_and_categories_without_a_labelled_photo(tmp_path):
    found = read_scores(written(tmp_path / "w.safetensors", SCORES))
    assert list(found.coverage_of.items()) == [("Dress", 0.7), ("Bag", 0.1)]
    assert found.named("Dress") == 0.7 and found.named("Coat") is None
    assert MEASURED.named("Sandal") == MEASURED.named("Ankle boot") == 0
    assert MEASURED.unmeasured == ("T-shirt/top", "Pullover", "Shirt", "Bag")


@pytest.mark.parametrize(
    "scores",
    [
        {"photos_of_the_ten": 40},
        {**SCORES, "coverage_of": 3},
        {**SCORES, "precision": None},
        {**SCORES, "photos_of_the_ten": "many"},
        [1],
    ],
)
def test_damaged_scores_are_an_error_that_says_what_to_do(tmp_path, scores):
    with pytest.raises(WeightsError, match=r"scores on photos cannot be read.*training\.export"):
        read_scores(written(tmp_path / "w.safetensors", scores))


def test_every_category_has_its_plural():
    assert len(PLURALS) == len(CATEGORIES)
    assert [plural_of(name) for name in ("T-shirt/top", "Shoes")] == ["T-shirts or tops", "shoes"]
    assert DEFAULT in {path.stem for path in SHIPPED.glob("*.safetensors")}
