from __future__ import annotations

import json

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from trendscope.categories import CATEGORIES
from trendscope.errors import WeightsError
from trendscope.vision.classifier import Classifier, judge
from trendscope.vision.network import BatchNorm, blocks, initial_variables
from trendscope.vision.outputs import softmax
from trendscope.vision.serialisation import read_weights, write_weights
from trendscope.vision.weights import DEFAULT, SHIPPED, Architecture, Gate, Header, read_header

pytestmark = pytest.mark.usefixtures("quickly_compiled")

SMALL = Architecture(stem=2, filters=(4, 8), depth=(1, 1), dense=8)


def judged(row, gate):
    """What one row of logits is taken for."""
    [prediction] = judge(row[None], np.zeros((1, 3), np.float32), gate)
    return prediction


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "w.safetensors"
    write_weights(path, Header(name="small", architecture=SMALL), initial_variables(SMALL))
    return path


def logits(**scores: float) -> np.ndarray:
    """Logits with the given probabilities before a softmax; the rest is shared evenly."""
    names = [*CATEGORIES, "outside"]
    rest = (1 - sum(scores.values())) / (len(names) - len(scores))
    return np.log([scores.get(name, rest) for name in names]).astype(np.float32)


def test_blocks_gather_neighbours():
    x = jnp.arange(16.0).reshape(1, 4, 4, 1)
    assert blocks(x, 2)[0, 0, 0].tolist() == [0, 1, 4, 5]
    assert blocks(x, 2)[0, 1, 0].tolist() == [8, 9, 12, 13]
    assert (blocks(x, 1) == x).all()


def test_batch_norm_is_flax_batch_norm():
    x = jax.random.normal(jax.random.key(0), (6, 5, 5, 3)) * 3 + 1

    def run(module, **options):
        variables = module.init(jax.random.key(1), x, **options)

        def loss(x):
            y, updated = module.apply(variables, x, mutable=["batch_stats"], **options)
            return (y**3).sum(), (y, updated)

        return jax.jit(jax.grad(loss, has_aux=True))(x)

    ours, theirs = run(BatchNorm(), train=True), run(nn.BatchNorm(False, momentum=0.9))
    for mine, reference in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        np.testing.assert_allclose(mine, reference, rtol=2e-3, atol=2e-3)


def test_judging_by_the_gate():
    gate = Gate(min_confidence=0.6, min_outside=0.5)
    sure = judged(logits(Coat=0.7), gate)
    assert (sure.verdict, sure.category) == ("classified", "Coat")
    # 0.03 for each of the others, "outside" too: 0.97 that it is one of the ten.
    assert sure.confidence == pytest.approx(0.7 / 0.97, abs=1e-6)
    unsure = judged(logits(Coat=0.5), gate)
    assert (unsure.verdict, unsure.category) == ("uncertain", None)
    none = judged(logits(outside=0.55), gate)
    assert (none.verdict, none.category) == ("outside", None)
    assert none.outside == pytest.approx(0.55, abs=1e-6)


def test_temperature_softens():
    # Two outputs at odds of 9:1 become 3:1 at temperature 2.
    pair = np.full(11, -1e9, np.float32)
    pair[:2] = np.log([0.9, 0.1])
    soft = judged(pair, Gate(temperature=2.0))
    assert soft.confidence == pytest.approx(0.75, abs=1e-6)


def test_logits_that_are_not_numbers_are_uncertain():
    lost = judged(np.full(11, np.nan, np.float32), Gate())
    assert (lost.verdict, lost.confidence) == ("uncertain", 0.0)


def test_softmax_by_hand():
    assert softmax(np.log(np.array([1, 3], np.float32))).tolist() == pytest.approx([0.25, 0.75])


def test_top_is_sorted_and_ties_keep_label_order():
    prediction = judged(logits(Coat=0.5), Gate())
    assert [name for name, _ in prediction.top(3)] == ["Coat", "T-shirt/top", "Trouser"]


def test_result_does_not_depend_on_the_batch(path):
    classifier = Classifier.load(path)
    views = list(np.random.default_rng(0).integers(0, 256, (70, 28, 28, 3), np.uint8))
    together = [photo.whole for photo in classifier.predict(views)]
    alone = [classifier.predict([view])[0].whole for view in views[:3]]
    assert len(together) == 70 and classifier.predict([]) == []
    for one, other in zip(alone, together, strict=False):
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-6)
        assert one.verdict == other.verdict


def test_weights_come_back_as_written(path):
    header, variables = read_weights(path)
    assert header.architecture == SMALL and header.name == "small"
    for found, written in zip(
        jax.tree.leaves(variables), jax.tree.leaves(initial_variables(SMALL)), strict=True
    ):
        assert (np.asarray(found) == np.asarray(written)).all()


def damage(path, change):
    arrays = load_file(path)
    header = change(arrays) or Header(name="x", architecture=SMALL)
    save_file(arrays, path, {"trendscope": header.to_json()})


def test_missing_array_is_named(path):
    damage(path, lambda arrays: arrays.pop("params/embedding/kernel") is None)
    with pytest.raises(WeightsError, match=r"params/embedding/kernel: expected .*found nothing"):
        read_weights(path)


def test_wrong_shape_is_named(path):
    damage(path, lambda arrays: arrays.update({"params/logits/bias": np.zeros(3, np.float32)}))
    with pytest.raises(WeightsError, match=r"logits/bias: expected \(11,\), found \(3,\)"):
        read_weights(path)


def test_arrays_with_nan_are_refused(path):
    damage(path, lambda a: a["params/logits/bias"].fill(np.nan))
    with pytest.raises(WeightsError, match="not finite"):
        read_weights(path)


def test_other_categories_are_refused(path):
    damage(path, lambda _: Header(name="x", architecture=SMALL, categories=CATEGORIES[::-1]))
    with pytest.raises(WeightsError, match="expected format 1 with the ten"):
        read_weights(path)


@pytest.mark.parametrize("content", [b"", b"\x80\x04K.", b"x" * 5000])
def test_files_of_another_kind_are_refused(tmp_path, content):
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="not a trendscope weights file"):
        read_weights(path)


def test_cut_short_weights_are_refused(path):
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(WeightsError):
        read_weights(path)


def test_unknown_name_is_an_error_that_lists_shipped_weights():
    with pytest.raises(
        WeightsError, match="no weights at nonsense: give a file, or a shipped name"
    ):
        Classifier.load("nonsense")


def test_header_survives_json():
    header = Header(name="x", gate=Gate(1.5, 0.4, 0.7), scores={"a": {"accuracy": 0.9}})
    again = Header.from_json(header.to_json())
    assert again == header
    assert json.loads(header.to_json())["architecture"]["filters"] == [48, 96]


def test_weights_of_networks_that_cut_the_garment_out_are_refused(path):
    """They would see the whole picture, which they never learned from."""
    values = json.loads(Header(name="old", architecture=SMALL).to_json())
    for part in ({"channels": 4}, {"mirrored": True}, {"patch": 4, "size": 112}):
        old = values | {"architecture": values["architecture"] | part}
        save_file({"a": np.zeros(1)}, path, {"trendscope": json.dumps(old)})
        with pytest.raises(WeightsError, match="weights old are of an earlier trendscope"):
            Classifier.load(path)


def test_parts_that_earlier_files_name_as_absent_are_passed_over(path):
    former = {"channels": 3, "detail": 0, "mirrored": False, "patch": 1}
    values = json.loads(Header(name="old", architecture=SMALL).to_json())
    values["architecture"] |= former
    assert Header.from_json(json.dumps(values)).architecture == SMALL


def test_ordinary_pictures_are_seen_whole_and_no_place_is_said(path):
    classifier = Classifier.load(path)
    view = classifier.prepare(np.full((300, 200, 3), 90, np.uint8))
    assert view.shape == (28, 28, 3) and (view == 90).all()
    (photo,) = classifier.predict([view])
    assert photo.whole.box is None


def test_shipped_weights_are_small_enough_and_tell_what_they_are():
    files = sorted(SHIPPED.glob("*.safetensors"))
    assert {file.stem for file in files} == {DEFAULT, "fashion-mnist"}
    for file in files:
        header = read_header(file)
        assert file.stat().st_size <= 8_000_000
        assert header.name == file.stem and header.scores and header.trained_on
        assert header.categories == CATEGORIES
