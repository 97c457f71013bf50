"""Scores weights on Fashion-MNIST's 10,000 test images, on labelled photos, or on people.

Examples:
  python -m training.evaluate --weights fashion-mnist           # the shipped weights
  python -m training.evaluate --weights runs/fashion-mnist      # a run; pictures beside its weights
  python -m training.evaluate --weights mine.safetensors --out evaluation/ --json
  python -m training.evaluate --weights runs/photos --photos our_photos/,negatives/
  python -m training.evaluate --weights runs/photos --photos our_photos/,negatives/ --fold 0
  python -m training.evaluate --weights photos --outfits outfits/ --fold 0 --folds 5 --out people/

Each image is scored exactly once, on the way that photos take in the product: through the network,
past the gate. evaluation.json and evaluation.html (figures and pictures), or photos.json
and photos.html for --photos, come beside the weights, or to --out; beside shipped weights nothing
is written. Figures of people come as outfits.json and outfits.html, with the boxes drawn.

Photos are given as a labels.csv, its folder, or a folder per category. With --fold, only the photos
of that fold's customers are scored; give the places, the fold and the folds that the weights were
trained with.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, UInt8
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from training.command import errors_in_one_line, new_parser
from training.data import fashion_mnist, photos
from training.evaluation import metrics, people, photo_metrics, photo_page
from training.evaluation import page as pages
from training.evaluation.layers import parameter_count
from training.evaluation.metrics import Evaluation, rounded
from training.evaluation.outfits import evaluate_outfits
from training.evaluation.photo_metrics import PhotoEvaluation
from training.evaluation.predictions import predict_photos, scored_on
from trendscope.categories import CATEGORIES
from trendscope.files.writing import write_atomic
from trendscope.vision.classifier import Classifier, judge
from trendscope.vision.loading import load_predictor
from trendscope.vision.outputs import Variables, softmax
from trendscope.vision.photo_detector import PhotoDetector
from trendscope.vision.predictions import Prediction
from trendscope.vision.preparation import squared
from trendscope.vision.serialisation import read_weights
from trendscope.vision.weights import (
    SHIPPED,
    Header,
    find_weights,
    identify,
    part_as_json,
    read_header,
)

DATA = "fashion-mnist test"

BATCH = 256
"""Published images per network call. They are small: fewer at a time leave the processor idle."""
TIMED_IMAGES = 2_048
TIMED_PASSES = 5


@dataclass(frozen=True)
class ImageOutputs:
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
        "architecture": part_as_json(header.architecture),
        "gate": part_as_json(header.gate),
        "categories": header.categories,
    }
    text = json.dumps(decides, sort_keys=True)
    total = hashlib.sha256(text.encode())
    leaves, _ = jax.tree_util.tree_flatten_with_path(variables)
    for path, leaf in sorted((jax.tree_util.keystr(path), leaf) for path, leaf in leaves):
        array = np.asarray(leaf, np.float32)
        total.update(f"{path}{array.shape}".encode() + array.tobytes())
    return total.hexdigest()


def prepared(
    pixels: UInt8[np.ndarray, "n 28 28"], size: int
) -> Iterator[UInt8[np.ndarray, "batch size size 3"]]:
    """Published grey images as the product prepares them, in batches of at most `BATCH`."""
    rgb = np.repeat(pixels[..., None], 3, axis=-1)
    for start in range(0, len(rgb), BATCH):
        yield np.stack([squared(image, size) for image in rgb[start : start + BATCH]])


def predict_images(classifier: Classifier, images: fashion_mnist.Images) -> ImageOutputs:
    """Runs every image through network and gate once."""
    logits, predictions = [], []
    batches = prepared(images.pixels, classifier.header.architecture.size)
    total = -(-len(images) // BATCH)
    for batch in track(batches, "images", total=total, console=Console(stderr=True)):
        scores, embeddings = classifier.forward(batch, BATCH)
        logits.append(scores)
        predictions += judge(scores, embeddings, classifier.header.gate)
    return ImageOutputs(np.concatenate(logits), predictions)


def images_per_second(classifier: Classifier, images: fashion_mnist.Images) -> int:
    """The fastest of several passes: what the network can do, other programs apart."""
    timed_images = images.take(slice(TIMED_IMAGES))
    batches = list(prepared(timed_images.pixels, classifier.header.architecture.size))
    classifier.forward(batches[0], BATCH)  # compiles
    seconds = []
    for _ in range(TIMED_PASSES):
        start = time.perf_counter()
        for batch in batches:
            classifier.forward(batch, BATCH)
        seconds.append(time.perf_counter() - start)
    return round(len(timed_images) / min(seconds))


def evaluation(
    classifier: Classifier,
    variables: Variables,
    images: fashion_mnist.Images,
    outputs: ImageOutputs,
    file_bytes: int,
) -> Evaluation:
    """Works out every figure from what the network said."""
    ten = outputs.logits[:, : len(CATEGORIES)]
    predicted = ten.argmax(-1)
    correct = predicted == images.labels
    counts = metrics.confusion(images.labels, predicted)
    confidence = np.array([prediction.confidence for prediction in outputs.predictions])
    table = metrics.calibration(confidence, correct)
    return Evaluation(
        weights=classifier.name,
        digest=weights_digest(classifier.header, variables),
        data=DATA,
        data_digest=images.digest,
        images=len(images),
        accuracy=rounded(correct.mean()),
        loss=rounded(metrics.cross_entropy(outputs.logits, images.labels)),
        calibration_error=rounded(metrics.calibration_error(table)),
        raw_calibration_error=rounded(_raw_calibration_error(outputs.logits, correct)),
        gate=metrics.gate_score([p.verdict for p in outputs.predictions], correct),
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


def evaluate(
    weights: str, out: Path | None = None, test: fashion_mnist.Images | None = None
) -> Evaluation:
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
    images = test or fashion_mnist.load("test")
    outputs = predict_images(classifier, images)
    result = evaluation(classifier, variables, images, outputs, path.stat().st_size)
    if folder := _folder(path, out):
        write_atomic(folder / "evaluation.json", result.to_json())
        page = pages.page(result, header, parts(images), outputs.predictions, history(path.parent))
        write_atomic(folder / "evaluation.html", pages.render("evaluation.html", page))
    return result


def _folder(weights: Path, out: Path | None) -> Path | None:
    """Where the files of an evaluation go, made if needed; None for shipped weights."""
    folder = out or (None if weights.parent == SHIPPED else weights.parent)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def evaluate_photos(
    weights: str,
    places: Sequence[Path],
    fold: int | None = None,
    folds: int = 3,
    out: Path | None = None,
    relabel: Sequence[Path] = (),
) -> PhotoEvaluation:
    """Evaluates weights on labelled photos and writes the figures and the page.

    Args:
        weights: A shipped name, a file, or a run folder.
        places: Labelled photos, each as `training.data.photos.read_table` takes it.
        fold: Score only the customers of this fold (`training.data.photos.held_out_customers`).
        folds: Number of folds that the customers are dealt to.
        out: Folder of photos.json and photos.html; by default the weights' own, and none for
            shipped weights.
        relabel: CSVs of better categories (`training.data.photos.relabelled`).

    Raises:
        WeightsError: There are no weights, or they cannot be used.
        TrendscopeError: There are no such photos, or none of them could be read.
    """
    path = find_weights(weights)
    header = read_header(path)
    table = photos.read_tables(places, relabel)
    if fold is not None:
        table = photos.customers_of_fold(table, fold, folds)
    judged, refused = predict_photos(load_predictor(path), table)
    whose = scored_on(header, fold, folds)
    result = photo_metrics.evaluation(header.name, _digest(path), whose, judged, refused)
    if folder := _folder(path, out):
        write_atomic(folder / "photos.json", result.to_json())
        page = photo_page.page(result, judged)
        write_atomic(folder / "photos.html", pages.render("photos.html", page))
    return result


def _digest(path: Path) -> str:
    """`weights_digest` of a network of one garment; of the whole file for another."""
    if isinstance(read_header(path), Header):
        return weights_digest(*read_weights(path))
    return identify(path).digest


def parts(test: fashion_mnist.Images) -> dict[str, fashion_mnist.Images]:
    """The parts of Fashion-MNIST by name: training, validation, and the given test images."""
    training, validation = fashion_mnist.train_and_validation(fashion_mnist.load("train"))
    return {"training": training, "validation": validation, "test": test}


def history(run: Path) -> pd.DataFrame | None:
    """A run's epochs, columns as `training.train` logs them; None where there is no run."""
    path = run / "history.csv"
    return pd.read_csv(path) if path.exists() else None


def show(result: Evaluation, console: Console) -> None:
    """Prints the figures for people."""
    gate = result.gate
    console.print(
        f"{result.weights} on {result.images:,} images ({result.data})\n"
        f"  accuracy {result.accuracy:.2%}, loss {result.loss:.4f}\n"
        f"  calibration error {result.calibration_error:.4f} "
        f"({result.raw_calibration_error:.4f} at temperature 1)\n"
        f"  gate: {gate.classified:,} classified, {gate.precision:.2%} of them right; "
        f"{gate.uncertain:,} uncertain, {gate.outside:,} outside\n"
        f"  {result.parameters:,} parameters, {result.file_bytes / 1e6:.1f} MB, "
        f"{result.images_per_second:,} images/s\n"
        f"  digest {result.digest}"
    )
    table = Table("category", "precision", "recall", "F1", "images")
    for row in result.classes:
        scores = (f"{score:.4f}" for score in (row.precision, row.recall, row.f1))
        table.add_row(row.category, *scores, str(row.support))
    console.print(table)


def show_photos(result: PhotoEvaluation, console: Console) -> None:
    """Prints the figures on photos for people."""
    console.print(
        f"{result.weights} on {result.photos:,} photos of {result.customers:,} customers "
        f"({result.scored_on})\n  digest {result.digest}"
    )
    for heading, lines in {
        "": photo_page.headline(result),
        **photo_page.breakdowns(result),
    }.items():
        _print_table(console, (heading, "figure", "95 % interval", "counted"), lines)
    if rows := result.customer_shares:
        lines = [
            photo_page.Line(r.customer, f"{r.error:.4f}", f"{r.photos}", f"{r.named}") for r in rows
        ]
        _print_table(console, ("customer", "error of shares", "of the ten", "named"), lines)
    for refused in result.refused:
        console.print(f"could not be read: {refused}", markup=False)


def _print_table(console: Console, heads: Sequence[str], lines: Sequence[photo_page.Line]) -> None:
    table = Table(heads[0])
    for head in heads[1:]:
        table.add_column(head, justify="right")
    for line in lines:
        table.add_row(*map(escape, dataclasses.astuple(line)))
    console.print(table)


def main() -> None:
    """Runs the command line."""
    parser = new_parser(__doc__)
    parser.add_argument("--weights", required=True, help="a shipped name, a file, or a run folder")
    parser.add_argument("--photos", metavar="PLACE[,PLACE...]", help="labelled photos to score on")
    parser.add_argument("--outfits", type=Path, metavar="PLACE", help="people to score on")
    parser.add_argument(
        "--kinds", default="", metavar="CSV[,CSV...]", help="better labels of what people wear"
    )
    parser.add_argument(
        "--cache", type=Path, default=Path("runs/pictures"), help="where decoded people are kept"
    )
    parser.add_argument("--fold", type=int, help="score only this fold of customers, from 0")
    parser.add_argument("--folds", type=int, default=3, help="number of folds (default: 3)")
    parser.add_argument(
        "--relabel", default="", metavar="CSV[,CSV...]", help="better categories for some photos"
    )
    parser.add_argument("--out", type=Path, help="folder for the figures and the page")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    with_folds = options.photos or options.outfits
    if options.fold is not None and not (with_folds and 0 <= options.fold < options.folds):
        parser.error("--fold needs --photos or --outfits, and a number from 0 to below --folds")
    with errors_in_one_line("training.evaluate"):
        _run(options)


def _run(options: argparse.Namespace) -> None:
    console = Console(highlight=False)
    result: Evaluation | PhotoEvaluation
    if options.outfits:
        path = find_weights(options.weights)
        scores = evaluate_outfits(
            PhotoDetector.load(path),
            options.outfits,
            options.fold,
            options.folds,
            photos.places_of(options.kinds),
            options.cache,
            _folder(path, options.out),
        )
        print(json.dumps(scores, indent=1) if options.json else "\n".join(people.lines(scores)))
        return
    if options.photos:
        places = photos.places_of(options.photos)
        relabel = photos.places_of(options.relabel)
        result = evaluate_photos(
            options.weights, places, options.fold, options.folds, options.out, relabel
        )
    else:
        result = evaluate(options.weights, options.out)
    if options.json:
        sys.stdout.write(result.to_json())
    elif isinstance(result, PhotoEvaluation):
        show_photos(result, console)
    else:
        show(result, console)


if __name__ == "__main__":
    main()
