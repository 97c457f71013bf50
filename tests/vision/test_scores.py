"""What weights scored on photos is read from their header and said in one sentence."""

from __future__ import annotations

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
    "coverage_of": {"Bag": 0.1, "Dress": 0.7, "Coat": None},
}
NEVER = "never measured"


def written(path, scores, name="tiny"):
    arrays = {"kernel": np.zeros((2, 3), np.float32)}
    header = Header(name, scores={"photos": scores})
    save_file(arrays, path, {"trendscope": header.to_json()})
    return path


def test_the_figures_of_the_shipped_weights_are_those_the_classifier_reads():
    scores, found = read_header(find_weights(DEFAULT)).scores["photos"], read_scores(DEFAULT)
    if "coverage_of" not in scores:
        assert found == Scores(DEFAULT)
        return
    assert found.weights == DEFAULT
    assert found.photos == scores["photos_of_the_ten"]
    assert (found.precision, found.coverage) == (scores["precision"], scores["coverage"])
    assert dict(found.coverage_of) == scores["coverage_of"]
    assert found.unseen is ("never trained on" in scores["scored_on"])
    assert found.by_another is scores["scored_on"].endswith(
        "by a network trained alike without them"
    )


def test_weights_without_photo_scores_have_a_sentence_without_figures():
    found = read_scores("fashion-mnist")
    assert found == Scores("fashion-mnist")
    assert NEVER in coverage_sentence(found) and "%" not in coverage_sentence(found)


def test_coverage_sentence_by_hand():
    assert coverage_sentence(MEASURED) == (
        "Of 200 photos never seen in training, these weights named 80 % of the trousers, "
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
        "Of 40 photos never seen in training, weights trained alike named 70 % of the dresses"
    )


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
