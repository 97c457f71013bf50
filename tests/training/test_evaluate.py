from __future__ import annotations

import dataclasses
import json
import re
import sys

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("optax")

import jax

from training import evaluate
from training.data import fashion_mnist
from training.evaluation import layers, page
from training.evaluation.metrics import Evaluation
from trendscope.categories import CATEGORIES
from trendscope.vision.classifier import Classifier
from trendscope.vision.network import initial_variables
from trendscope.vision.predictions import Prediction
from trendscope.vision.serialisation import write_weights
from trendscope.vision.weights import Architecture, Gate, Header

SMALL = Architecture(filters=(4, 8), depth=(1, 1), dense=8)
HEADER = Header(
    "small <b>", SMALL, gate=Gate(temperature=2.0, min_outside=0.2, min_confidence=0.11)
)
VARIABLES = initial_variables(SMALL)
COUNT = 150  # two full batches of the product and a part of one


def random_images(count: int, seed: int) -> fashion_mnist.Images:
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (count, 28, 28), dtype=np.uint8)
    return fashion_mnist.Images(pixels, np.arange(count, dtype=np.int32) % 10)


IMAGES = random_images(COUNT, 0)
HISTORY = """epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,seconds
1,2.0,0.2,1.5,0.5,60.0
2,1.5,0.4,1.0,0.7,60.0
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder that was evaluated on random images."""
    folder = tmp_path_factory.mktemp("run")
    write_weights(folder / "weights.safetensors", HEADER, VARIABLES)
    (folder / "history.csv").write_text(HISTORY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fashion_mnist, "load", lambda split: random_images(6010, 1))
        evaluate.evaluate(str(folder), test=IMAGES)
    return folder


@pytest.fixture(scope="module")
def found(run) -> Evaluation:
    return Evaluation.from_json((run / "evaluation.json").read_text())


@pytest.fixture(scope="module")
def predictions() -> list[Prediction]:
    """What the product itself says of the images."""
    rgb = [np.stack([image] * 3, axis=-1) for image in IMAGES.pixels]
    classifier = Classifier(HEADER, VARIABLES)
    return [each.whole for each in classifier.predict(list(map(classifier.prepare, rgb)))]


def test_figures_are_those_of_the_products_own_predictions(found, predictions):
    best = np.array([prediction.probabilities.argmax() for prediction in predictions])
    assert found.accuracy == round(float((best == IMAGES.labels).mean()), 4)
    expected = np.zeros((10, 10), int)
    for label, said in zip(IMAGES.labels, best, strict=True):
        expected[label, said] += 1
    assert np.array(found.confusion).tolist() == expected.tolist()
    verdicts = [prediction.verdict for prediction in predictions]
    gate = (found.gate.classified, found.gate.uncertain, found.gate.outside)
    assert gate == tuple(map(verdicts.count, ("classified", "uncertain", "outside")))


def test_every_image_is_scored_once(found):
    assert found.images == sum(map(sum, found.confusion)) == COUNT
    assert [row.support for row in found.classes] == [15] * 10
    assert [row.category for row in found.classes] == list(CATEGORIES)
    assert sum(row.count for row in found.calibration) == COUNT


def test_calibration_is_that_of_the_confidence_shown(found, predictions):
    confidence = np.mean([prediction.confidence for prediction in predictions])
    weights = [row.count / COUNT for row in found.calibration]
    shown = np.dot(weights, [row.confidence for row in found.calibration])
    assert shown == pytest.approx(confidence)
    assert found.calibration_error != found.raw_calibration_error


def test_loss_does_not_depend_on_the_temperature(run, found):
    classifier = Classifier(HEADER, VARIABLES)
    logits = np.concatenate(
        [
            classifier.forward(batch, evaluate.BATCH)[0]
            for batch in evaluate.prepared(IMAGES.pixels, 28)
        ]
    )
    log_p = np.asarray(jax.nn.log_softmax(logits))
    expected = -log_p[np.arange(COUNT), IMAGES.labels].mean()
    assert found.loss == pytest.approx(float(expected), abs=1e-4)


def test_digest_covers_architecture_gate_and_arrays_only():
    told = dataclasses.replace(HEADER, name="other", scores={"x": 1}, settings={"epochs": 3})
    digest = evaluate.weights_digest(HEADER, VARIABLES)
    assert evaluate.weights_digest(told, VARIABLES) == digest
    gate = dataclasses.replace(HEADER, gate=Gate())
    shape = dataclasses.replace(HEADER, architecture=dataclasses.replace(SMALL, dropout=0.9))
    assert evaluate.weights_digest(gate, VARIABLES) != digest
    assert evaluate.weights_digest(shape, VARIABLES) != digest


def test_digest_changes_with_one_number():
    changed = jax.tree.map(np.array, VARIABLES)
    changed["batch_stats"]["enter0_norm"]["mean"][0] += 1e-6
    digest = evaluate.weights_digest(HEADER, VARIABLES)
    assert evaluate.weights_digest(HEADER, changed) != digest


def test_crops_are_the_images_themselves_in_order(monkeypatch):
    monkeypatch.setattr(evaluate, "BATCH", 128)
    batches = list(evaluate.prepared(IMAGES.pixels, 28))
    assert [len(batch) for batch in batches] == [128, 22]
    assert (np.concatenate(batches) == IMAGES.pixels[..., None]).all()


def test_layers_and_their_parameters_worked_out_by_hand():
    rows = {row.name: row for row in layers.layers(SMALL)}
    # Patches: 3 channels to 4, and 4 biases. The convolution sees 2 x 2 of these gathered.
    assert rows["patches"].output == (28, 28, 4)
    assert rows["patches"].parameters == 3 * 4 + 4
    assert rows["enter0"].output == (14, 14, 4)
    assert rows["enter0"].parameters == 3 * 3 * 16 * 4
    assert rows["enter0"].kind == "Conv 3 x 3"
    assert rows["enter0_norm"].parameters == 2 * 4
    total = sum(row.parameters for row in rows.values())
    assert total == layers.parameter_count(VARIABLES)
    first, *_, last = rows
    assert (first, last) == ("patches", "logits")


def prediction(category: int, confidence: float) -> Prediction:
    p = np.full(10, (1 - confidence) / 9, np.float32)
    p[category] = confidence
    return Prediction(
        "classified", CATEGORIES[category], confidence, p, 0.0, np.zeros(1, np.float32)
    )


def test_mistakes_are_the_wrong_ones_surest_first():
    said = [prediction(*row) for row in ((0, 0.99), (0, 0.5), (3, 0.9), (3, 0.99))]
    images = fashion_mnist.Images(IMAGES.pixels[:4], np.array([0, 1, 2, 3], np.int32))
    found = page.mistakes(images, said, count=5)
    assert [(m.number, m.predicted, m.truth) for m in found] == [
        (2, "Dress", "Pullover"),
        (1, "T-shirt/top", "Trouser"),
    ]
    assert found[0].bars[3] == ("Dress", pytest.approx(0.9))
    assert len(page.mistakes(images, said, count=1)) == 1


def test_the_page_is_whole_and_loads_nothing(run, found):
    html = (run / "evaluation.html").read_text()
    for heading in ("How it learned", "By category", "most confident mistakes", "Layers"):
        assert heading in html
    assert f"{100 * found.accuracy:.2f} %" in html
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', html)
    assert sources and all(source.startswith("data:image/") for source in sources)
    assert html.count("<img") == len(re.findall(r'<img [^>]*alt="[^"]+"', html))


def test_names_are_escaped_on_the_page(run):
    html = (run / "evaluation.html").read_text()
    assert "small &lt;b&gt;" in html and "small <b>" not in html


def test_a_page_without_history_has_no_curves(tmp_path, monkeypatch):
    write_weights(tmp_path / "alone.safetensors", HEADER, VARIABLES)
    monkeypatch.setattr(fashion_mnist, "load", lambda split: random_images(6010, 1))
    evaluate.evaluate(str(tmp_path / "alone.safetensors"), tmp_path / "out", IMAGES)
    assert "How it learned" not in (tmp_path / "out" / "evaluation.html").read_text()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["alone.safetensors"]


def test_history_is_read_as_training_logs_it(run, tmp_path):
    assert evaluate.history(tmp_path) is None
    table = evaluate.history(run)
    assert isinstance(table, pd.DataFrame)
    assert table["validation_accuracy"].tolist() == [0.5, 0.7]


def call(monkeypatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["evaluate", *words])
    monkeypatch.setattr(fashion_mnist, "load", lambda split: IMAGES)
    evaluate.main()


def test_shipped_weights_are_printed_and_nothing_is_written(tmp_path, monkeypatch, capsys):
    write_weights(tmp_path / "small.safetensors", HEADER, VARIABLES)
    monkeypatch.setattr("trendscope.vision.weights.SHIPPED", tmp_path)
    monkeypatch.setattr(evaluate, "SHIPPED", tmp_path)
    call(monkeypatch, "--weights", "small", "--json")
    document = json.loads(capsys.readouterr().out)
    assert (document["schema_version"], document["images"]) == (1, COUNT)
    assert [path.name for path in tmp_path.iterdir()] == ["small.safetensors"]
    call(monkeypatch, "--weights", "small")
    shown = capsys.readouterr().out
    assert f"{COUNT} images" in shown and "Ankle boot" in shown


def test_missing_weights_are_one_line_and_exit_code_one(monkeypatch, capsys):
    with pytest.raises(SystemExit) as stopped:
        call(monkeypatch, "--weights", "nowhere")
    # A text as the code is printed by Python to standard error, with exit code 1.
    assert str(stopped.value.code).startswith("training.evaluate: no weights at nowhere")
    assert "\n" not in str(stopped.value.code)
    assert capsys.readouterr().out == ""
