"""From what the network says of cells and photos to garments, candidates and verdicts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.factories.photos import painted
from trendscope.categories import CATEGORIES
from trendscope.errors import WeightsError
from trendscope.photos.pipeline import Loader
from trendscope.photos.run import profile
from trendscope.vision.classifier import Classifier
from trendscope.vision.detections import Look
from trendscope.vision.detector import initial_variables
from trendscope.vision.detector_weights import write_detector
from trendscope.vision.outputs import CELL_OUTPUTS, NOTHING, PHOTO_OUTPUTS, softmax
from trendscope.vision.photo_detector import (
    PhotoDetector,
    agreed,
    calibrated,
    pixels_of,
    predict_people,
    predict_single,
    shows_several,
)
from trendscope.vision.predictions import Predictor
from trendscope.vision.preparation import Squaring, Stretching, preparation_of
from trendscope.vision.scores import Scores
from trendscope.vision.weights import DetectorGate, DetectorHeader, Header, identify, read_header

pytestmark = pytest.mark.usefixtures("quickly_compiled")

GATE = DetectorGate(1.0, dict.fromkeys(CATEGORIES, 0.8), dict.fromkeys(CATEGORIES, 0.6))
HEADER = DetectorHeader("garments", 64, (96, 64), GATE)
SIZE = (100, 200)
ROWS, COLUMNS = 6, 4


def seen(*garments):
    """A look at one photo; a garment is a category, a confidence, and a cell that is its box."""
    cells = np.full((1, ROWS, COLUMNS, CELL_OUTPUTS), 0.001, np.float32)
    cells[..., NOTHING] = 0.989
    boxes = np.zeros((1, ROWS, COLUMNS, 4), np.float32)
    features = np.zeros((1, ROWS, COLUMNS, 2), np.float32)
    for category, confidence, (row, column) in garments:
        cells[0, row, column, NOTHING] = 1 - confidence - 0.01
        cells[0, row, column, CATEGORIES.index(category)] = confidence
        boxes[0, row, column, ::2] = column / COLUMNS, (column + 1) / COLUMNS
        boxes[0, row, column, 1::2] = row / ROWS, (row + 1) / ROWS
        features[0, row, column] = row, column
    return Look(np.full((1, PHOTO_OUTPUTS), 1 / PHOTO_OUTPUTS, np.float32), cells, boxes, features)


def photo(**shares):
    """Probabilities of a photo as a whole; what is left goes to nothing."""
    names = [*CATEGORIES, "another", "nothing", "several"]
    values = {"Dress": 0.0, **{name.replace("_", " "): p for name, p in shares.items()}}
    found = np.array([values.get(name, 0.0) for name in names], np.float32)
    found[NOTHING] += 1 - found.sum()
    return found


DRESS, BAG = ("Dress", 0.9, (2, 1)), ("Bag", 0.7, (3, 3))
COAT, SECOND_COAT = ("Coat", 0.4, (0, 0)), ("Coat", 0.3, (5, 0))
FAINT = ("Shirt", 0.04, (5, 3))


def test_one_garment_lies_where_its_category_is_surest():
    look_at = seen(BAG, COAT, SECOND_COAT)
    found = predict_single(look_at, photo(Coat=0.9), GATE, SIZE)
    assert [(g.category, g.box) for g in found.garments] == [("Coat", (0, 0, 25, 33))]
    # Where no cell shows the category, it lies where the surest garment does.
    found = predict_single(look_at, photo(Dress=0.9), GATE, SIZE)
    assert [(g.category, g.box) for g in found.garments] == [("Dress", (75, 100, 100, 133))]


def test_garments_at_their_gate_are_named_and_others_are_candidates():
    found = predict_people(seen(BAG, DRESS, COAT, SECOND_COAT, FAINT), GATE, SIZE)
    assert [(g.category, g.box) for g in found.garments] == [
        ("Dress", (25, 67, 50, 100)),
        ("Bag", (75, 100, 100, 133)),
    ]
    assert [(g.category, g.box, g.verdict) for g in found.candidates] == [
        ("Coat", (0, 0, 25, 33), "uncertain")
    ]
    assert found.whole == found.garments[0]
    assert found.garments[0].embedding.tolist() == [2, 1]
    assert found.garments[0].confidence == pytest.approx(0.9)
    # .9 of it is a dress, and .001 each of the nine other categories.
    assert found.garments[0].outside == pytest.approx(1 - 0.9 - 9 * 0.001)
    for each in (*found.garments, *found.candidates):
        assert each.probabilities.sum() == pytest.approx(1, abs=1e-6)


def test_each_category_has_a_gate_of_its_own():
    strict = replace(GATE, worn={**GATE.worn, "Dress": 0.95})
    found = predict_people(seen(DRESS, BAG), strict, SIZE)
    assert [g.category for g in found.garments] == ["Bag"]
    assert [g.category for g in found.candidates] == ["Dress"]


def test_people_in_whom_nothing_is_certain_are_uncertain_and_count_by_their_candidates():
    found = predict_people(seen(COAT, ("Dress", 0.2, (2, 2))), GATE, SIZE)
    whole = found.whole
    assert (whole.verdict, whole.category, found.garments) == ("uncertain", None, ())
    assert dict(whole.top(2)) == pytest.approx({"Coat": 2 / 3, "Dress": 1 / 3})
    strict = replace(GATE, worn={**GATE.worn, "Coat": 0.95})
    whole = predict_people(seen(COAT, ("Dress", 0.2, (2, 2))), strict, SIZE).whole
    assert (round(whole.confidence, 3), whole.needed) == (0.4, 0.95)


def test_people_without_any_garment_are_outside():
    found = predict_people(seen(FAINT), GATE, SIZE)
    assert (found.garments, found.candidates, found.whole.verdict) == ((), (), "outside")
    assert found.whole.box == (0, 0, 100, 200)


def test_one_garment_is_named_by_the_whole_photo_and_has_the_box_of_its_cells():
    found = predict_single(seen(COAT, BAG), photo(Coat=0.85, Bag=0.1), GATE, SIZE)
    (coat,) = found.garments
    assert (coat.category, coat.box) == ("Coat", (0, 0, 25, 33))
    assert coat.confidence == pytest.approx(0.85) and found.candidates == ()
    assert coat.probabilities[CATEGORIES.index("Bag")] == pytest.approx(0.1 / 0.95)
    assert found.whole == coat


def test_one_garment_that_may_be_several_categories_has_candidates():
    found = predict_single(seen(COAT), photo(Coat=0.5, Shirt=0.3, Bag=0.04), GATE, SIZE)
    assert (found.whole.verdict, found.whole.category, found.garments) == ("uncertain", None, ())
    said = [(g.category, g.confidence, g.box) for g in found.candidates]
    assert [(name, box) for name, _, box in said] == [
        ("Coat", (0, 0, 25, 33)),
        ("Shirt", (0, 0, 25, 33)),  # nothing else is there
    ]
    assert [p for _, p, _ in said] == pytest.approx([0.5, 0.3])
    strict = replace(GATE, single={**GATE.single, "Coat": 0.95})
    assert predict_single(seen(COAT), photo(Coat=0.5), strict, SIZE).whole.needed == 0.95


@pytest.mark.parametrize("share", [{}, {"another": 0.9}, {"Coat": 0.4, "another": 0.6}])
def test_what_is_none_of_the_ten_is_outside(share):
    found = predict_single(seen(), photo(**share) + np.float32(1e-6), GATE, SIZE)
    assert (found.whole.verdict, found.garments, found.candidates) == ("outside", (), ())
    assert found.whole.box == (0, 0, 100, 200)


def test_temperature_by_hand():
    # Halved logits are square roots of the odds: 1 to 9 becomes 1 to 3.
    found = calibrated(np.array([[0.1, 0.9]], np.float32), 2.0)
    assert found[0].tolist() == pytest.approx([0.25, 0.75])


def test_boxes_lie_in_the_picture_and_have_an_area():
    assert pixels_of((0.0, 0.0, 1.0, 1.0), SIZE) == (0, 0, 100, 200)
    assert pixels_of((1.0, 1.0, 1.0, 1.0), SIZE) == (99, 199, 100, 200)
    assert pixels_of((0.5, 0.5, 0.5, 0.5), SIZE) == (50, 100, 51, 101)


# --- with weights --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "garments.safetensors"
    write_detector(path, HEADER, initial_variables())
    return path


def test_its_header_is_read_without_the_network(weights):
    header = read_header(weights)
    assert header == HEADER and identify(weights).name == "garments"
    assert preparation_of(header) == Stretching(64, (96, 64))
    assert preparation_of(header).decoded_side == 96
    assert preparation_of(Header("small")) == Squaring(28)
    with pytest.raises(WeightsError, match="finds every garment; use load_predictor"):
        Classifier.load(weights)


def test_pictures_are_stretched_to_both_sizes():
    rgb = np.zeros((96, 50, 3), np.uint8)
    rgb[:48] = 200
    view = Stretching(64, (96, 64)).prepare(rgb)
    assert (view.single.shape, view.people.shape) == ((64, 64, 3), (96, 64, 3))
    assert (view.single[:31] == 200).all() and (view.people[49:] == 0).all()
    assert view.size == (50, 96)


def test_small_grey_pictures_are_like_fashion_mnist_s():
    stretching = Stretching(96, (160, 96))
    grey = [np.full((*size, 3), 90, np.uint8) for size in [(28, 28), (32, 20), (33, 20), (20, 33)]]
    colored = np.array([90, 90, 91], np.uint8) * np.ones((28, 28, 1), np.uint8)
    views = [stretching.prepare(rgb) for rgb in [*grey, colored]]
    assert [view.is_as_published for view in views] == [True, True, False, False, False]
    assert {view.single.shape for view in views} == {(96, 96, 3)}


def test_another_network_has_two_thirds_of_the_say():
    """Coats and dresses have .512 and .064; of the other .125 and .216: .8 x .25 and .4 x .36."""
    coat, dress = CATEGORIES.index("Coat"), CATEGORIES.index("Dress")
    ten = np.zeros(10, np.float32)
    ten[[coat, dress]] = 0.125, 0.216
    first = photo(Coat=0.512, Dress=0.064, another=0.1)
    (both,) = agreed(first[None], ten)
    assert both[coat] == pytest.approx(0.576 * 0.2 / (0.2 + 0.144), rel=1e-5)
    assert both[dress] == pytest.approx(0.576 * 0.144 / (0.2 + 0.144), rel=1e-5)
    assert both[10:].tolist() == first[10:].tolist()


def test_only_of_small_grey_pictures_the_other_network_has_a_say(weights):
    detector = Loader(weights)()
    assert isinstance(detector, PhotoDetector)
    drawn = np.random.default_rng(0).integers(0, 256, (32, 32, 1), np.uint8)
    drawn = np.repeat(drawn, 3, -1)
    views = [detector.prepare(rgb) for rgb in (drawn, np.tile(drawn, (2, 2, 1)))]
    alone = [detector.look([view.single]) for view in views]
    small, large = detector.first_looks(views)
    other = Classifier.load()
    logits, _ = other.forward(np.stack([other.prepare(drawn)]))
    ten = softmax(logits[:, :10] / other.header.gate.temperature)
    np.testing.assert_allclose(small.photo, agreed(alone[0].photo, ten), atol=1e-5)
    np.testing.assert_allclose(large.photo, alone[1].photo, atol=1e-5)
    assert np.abs(small.photo - alone[0].photo).max() > 0.01


def test_photos_are_judged_alike_alone_and_together(weights):
    detector = Loader(weights)()
    assert isinstance(detector, PhotoDetector) and isinstance(detector, Predictor)
    assert detector.predict([]) == []
    drawn = np.random.default_rng(0).integers(0, 256, (9, 90, 60, 3), np.uint8)
    views = [detector.prepare(rgb) for rgb in drawn]
    together = detector.predict(views)
    (alone,) = detector.predict(views[:1])
    assert len(together) == 9
    assert alone.whole.verdict == together[0].whole.verdict
    np.testing.assert_allclose(
        alone.whole.probabilities, together[0].whole.probabilities, atol=1e-4
    )


def test_a_photo_that_may_show_several_garments_is_looked_at_for_each():
    shares = np.stack([photo(several=p) for p in (0.02, 0.51, 0.9)])
    cells, boxes, features = (
        np.zeros((3, ROWS, COLUMNS, size), np.float32) for size in (CELL_OUTPUTS, 4, 2)
    )
    first = Look(shares, cells, boxes, features)
    assert shows_several(first, GATE).tolist() == [False, True, True]


def test_pictures_of_several_sizes_keep_their_order():
    detector = PhotoDetector(replace(HEADER, side=96), initial_variables())
    draw = np.random.default_rng(0)
    drawn = [draw.integers(0, 256, (side, side, 3), np.uint8) for side in (28, 90, 30, 80, 28)]
    views = [detector.prepare(rgb) for rgb in drawn]
    for together, view in zip(detector.predict(views), views, strict=True):
        (alone,) = detector.predict([view])
        np.testing.assert_allclose(
            alone.whole.probabilities, together.whole.probabilities, atol=1e-4
        )


def test_a_folder_of_photos_is_classified_by_it(weights, tmp_path):
    for name in ("Bag", "Coat"):
        (tmp_path / f"{name}.png").write_bytes(painted(name))
    result = profile([tmp_path], weights=weights)
    assert result.weights == "garments" and len(result.readings) == 2
    assert result.scores == Scores("garments")
