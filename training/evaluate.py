"""Scores weights on the 10,000 official test images of Fashion-MNIST, each exactly once.

Examples:
  python -m training.evaluate --weights fashion-mnist           # the shipped weights
  python -m training.evaluate --weights runs/fashion-mnist      # a run; pictures beside its weights
  python -m training.evaluate --weights mine.safetensors --out evaluation/ --json

The images take the way that photos take in the product: cut out, through the network, past the
gate. evaluation.json and evaluation.html (figures and pictures) come beside the weights, or to
--out; beside shipped weights nothing is written.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, UInt8
from rich.console import Console
from rich.progress import track
from rich.table import Table

from training import data, metrics, pages
from training.layers import parameter_count
from training.metrics import Evaluation, rounded
from trendscope import garments
from trendscope.categories import CATEGORIES
from trendscope.classifier import (
    BATCH,
    SHIPPED,
    Classifier,
    Header,
    Prediction,
    Variables,
    find_weights,
    judge,
    read_weights,
    softmax,
)
from trendscope.errors import TrendscopeError
from trendscope.report import write_whole

DATA = "fashion-mnist test"

TIMED_IMAGES = 2_048
TIMED_PASSES = 5


@dataclass(frozen=True)
class Answers:
    """What the network said of each image, in the images' order."""

    logits: Float32[np.ndarray, "n outputs"]
    predictions: list[Prediction]


def weights_digest(header: Header, variables: Variables) -> str:
    """sha256 over all that determines a prediction: architecture, gate, categories, arrays.

    Name, scores and the story of the training are left out. So the digest stays the same when
    scores are written into the header afterwards, and an evaluation cannot be passed off as that of
    other arrays or of another gate.
    """
    decides = {
        "architecture": dataclasses.asdict(header.architecture),
        "gate": dataclasses.asdict(header.gate),
        "categories": header.categories,
    }
    text = json.dumps(decides, sort_keys=True)
    total = hashlib.sha256(text.encode())
    leaves, _ = jax.tree_util.tree_flatten_with_path(variables)
    for path, leaf in sorted((jax.tree_util.keystr(path), leaf) for path, leaf in leaves):
        array = np.asarray(leaf, np.float32)
        total.update(f"{path}{array.shape}".encode() + array.tobytes())
    return total.hexdigest()


def cut_outs(
    pixels: UInt8[np.ndarray, "n 28 28"], size: int
) -> Iterator[UInt8[np.ndarray, "batch size size 3"]]:
    """Published grey images as the product prepares them, in batches of at most `BATCH`."""
    rgb = np.repeat(pixels[..., None], 3, axis=-1)
    for start in range(0, len(rgb), BATCH):
        batch = [garments.cut_out(image, size).pixels for image in rgb[start : start + BATCH]]
        yield np.stack(batch)


def answer(classifier: Classifier, images: data.Images) -> Answers:
    """Runs every image through cut-out, network and gate once."""
    logits, predictions = [], []
    batches = cut_outs(images.pixels, classifier.input_size)
    total = -(-len(images) // BATCH)
    for batch in track(batches, "images", total=total, console=Console(stderr=True)):
        scores, embeddings = classifier.forward(batch)
        logits.append(scores)
        gate = classifier.header.gate
        predictions += [judge(*row, gate) for row in zip(scores, embeddings, strict=True)]
    return Answers(np.concatenate(logits), predictions)


def images_per_second(classifier: Classifier, images: data.Images) -> int:
    """The fastest of several passes: what the network can do, other programs apart."""
    few = images.take(slice(TIMED_IMAGES))
    batches = list(cut_outs(few.pixels, classifier.input_size))
    classifier.forward(batches[0])  # compiles
    seconds = []
    for _ in range(TIMED_PASSES):
        start = time.perf_counter()
        for batch in batches:
            classifier.forward(batch)
        seconds.append(time.perf_counter() - start)
    return round(len(few) / min(seconds))


def evaluation(
    classifier: Classifier,
    variables: Variables,
    images: data.Images,
    answers: Answers,
    file_bytes: int,
) -> Evaluation:
    """Works out every figure from what the network said."""
    ten = answers.logits[:, : len(CATEGORIES)]
    predicted = ten.argmax(-1)
    correct = predicted == images.labels
    counts = metrics.confusion(images.labels, predicted)
    confidence = np.array([prediction.confidence for prediction in answers.predictions])
    table = metrics.calibration(confidence, correct)
    return Evaluation(
        weights=classifier.name,
        digest=weights_digest(classifier.header, variables),
        data=DATA,
        data_digest=images.digest,
        images=len(images),
        accuracy=rounded(correct.mean()),
        loss=rounded(metrics.cross_entropy(answers.logits, images.labels)),
        calibration_error=rounded(metrics.calibration_error(table)),
        raw_calibration_error=rounded(_raw_calibration_error(answers.logits, correct)),
        gate=metrics.gate_score([p.verdict for p in answers.predictions], correct),
        classes=metrics.per_class(counts),
        confusion=tuple(tuple(map(int, row)) for row in counts),
        calibration=table,
        parameters=parameter_count(variables),
        file_bytes=file_bytes,
        images_per_second=images_per_second(classifier, images),
    )


def _raw_calibration_error(
    logits: Float32[np.ndarray, "n outputs"], correct: Bool[np.ndarray, " n"]
) -> float:
    confidence = softmax(logits)[:, : len(CATEGORIES)].max(-1)
    return metrics.calibration_error(metrics.calibration(confidence, correct))


def evaluate(weights: str, out: Path | None = None, test: data.Images | None = None) -> Evaluation:
    """Evaluates weights and writes the figures and the page.

    Args:
        weights: A shipped name, a file, or a run folder.
        out: Folder of evaluation.json and evaluation.html; by default the weights' own, and none
            for shipped weights.
        test: Images to score on; by default the official 10,000.

    Raises:
        WeightsError: There are no weights, or they cannot be used.
    """
    path = find_weights(weights)
    header, variables = read_weights(path)
    classifier = Classifier(header, variables)
    images = test or data.load("test")
    answers = answer(classifier, images)
    found = evaluation(classifier, variables, images, answers, path.stat().st_size)
    folder = out or (None if path.parent == SHIPPED else path.parent)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "evaluation.json", found.to_json())
        page = pages.page(found, header, parts(images), answers.predictions, history(path.parent))
        write_whole(folder / "evaluation.html", pages.render(page))
    return found


def parts(test: data.Images) -> dict[str, data.Images]:
    """The parts of Fashion-MNIST by name: training, validation, and the given test images."""
    training, validation = data.train_and_validation(data.load("train"))
    return {"training": training, "validation": validation, "test": test}


def history(run: Path) -> pd.DataFrame | None:
    """A run's epochs, columns as `training.train` logs them; None where there is no run."""
    path = run / "history.csv"
    return pd.read_csv(path) if path.exists() else None


def show(found: Evaluation, console: Console) -> None:
    """Prints the figures for people."""
    gate = found.gate
    console.print(
        f"{found.weights} on {found.images:,} images ({found.data})\n"
        f"  accuracy {found.accuracy:.2%}, loss {found.loss:.4f}\n"
        f"  calibration error {found.calibration_error:.4f} "
        f"({found.raw_calibration_error:.4f} at temperature 1)\n"
        f"  gate: {gate.classified:,} classified, {gate.precision:.2%} of them right; "
        f"{gate.uncertain:,} uncertain, {gate.outside:,} outside\n"
        f"  {found.parameters:,} parameters, {found.file_bytes / 1e6:.1f} MB, "
        f"{found.images_per_second:,} images/s\n"
        f"  digest {found.digest}"
    )
    table = Table("category", "precision", "recall", "F1", "images")
    for row in found.classes:
        scores = (f"{score:.4f}" for score in (row.precision, row.recall, row.f1))
        table.add_row(row.category, *scores, str(row.support))
    console.print(table)


def main() -> None:
    """Runs the command line; errors that a user can mend become one line and exit code 1."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", required=True, help="a shipped name, a file, or a run folder")
    parser.add_argument("--out", type=Path, help="folder for evaluation.json and evaluation.html")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    try:
        found = evaluate(options.weights, options.out)
    except (TrendscopeError, OSError) as error:
        sys.exit(f"training.evaluate: {error}")
    if options.json:
        sys.stdout.write(found.to_json())
    else:
        show(found, Console(highlight=False))


if __name__ == "__main__":
    main()
