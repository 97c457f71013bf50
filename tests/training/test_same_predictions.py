"""What the command line says of test images is what the evaluation counts."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("optax")

from PIL import Image

from training import evaluate
from training.data import fashion_mnist
from trendscope.vision.classifier import Classifier
from trendscope.vision.weights import SHIPPED

WEIGHTS = "fashion-mnist"
COUNT = 80  # a full batch of the product and a part of one

pytestmark = [
    pytest.mark.training,
    pytest.mark.skipif(
        not (SHIPPED / f"{WEIGHTS}.safetensors").exists(), reason="no weights are shipped"
    ),
]


@pytest.fixture(scope="module", autouse=True)
def always_quickly_compiled():
    """Not here: what is compiled of the shipped network is kept for later runs."""


@pytest.fixture(scope="module")
def images() -> fashion_mnist.Images:
    return fashion_mnist.load("test").take(slice(COUNT))


@pytest.fixture(scope="module", params=["L", "RGB"])
def photos(request, images, tmp_path_factory) -> list[dict]:
    """The entries of `trendscope classify --json` for the images saved as PNG, in order."""
    folder = tmp_path_factory.mktemp(request.param)
    for i, pixels in enumerate(images.pixels):
        Image.fromarray(pixels).convert(request.param).save(folder / f"{i:03}.png")
    command = [sys.executable, "-m", "trendscope", "classify", str(folder), "--json"]
    done = subprocess.run([*command, "--weights", WEIGHTS], capture_output=True, check=True)
    return sorted(json.loads(done.stdout)["photos"], key=lambda photo: photo["path"])


def test_classify_and_evaluate_agree_on_every_image(images, photos):
    answers = evaluate.predict_images(Classifier.load(WEIGHTS), images)
    assert len(photos) == len(answers.predictions) == COUNT
    for photo, prediction in zip(photos, answers.predictions, strict=True):
        assert photo["verdict"] == prediction.verdict
        named = [garment["category"] for garment in photo["garments"]]
        assert named == [prediction.category] * (prediction.category is not None)
        category, p = prediction.top(1)[0]
        assert photo["top"][0] == [category, pytest.approx(p, abs=1e-4)]
    right = np.mean([a.probabilities.argmax() for a in answers.predictions] == images.labels)
    assert right > 0.8
