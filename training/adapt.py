"""Adapts a detector to photos of one's own, and shows what that is worth on customers held out.

Examples:
  python -m training.adapt --photos our_photos/                  # a folder per category
  python -m training.adapt --photos our_photos/,more/labels.csv  # from several places
  python -m training.adapt --photos our_photos/ --whole 1        # the whole network: some minutes
  python -m training.adapt --photos our_photos/ --fold -1        # learns from all, shows nothing

By default only the head that names whole photos learns, from features that the network gives of
each photo once and that are kept in the run's folder: 1,000 photos take about a minute. With
--whole 1 the trunk's later stages learn as well, while what the network says of cells is held
where it was, so that garments on people are named as before. Photos are given as a labels.csv, its
folder, or a folder per category. The weights come to RUN/weights.safetensors; use them with
`trendscope profile --weights RUN/weights.safetensors`. The gates stay as they were.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
from flax import linen as nn
from jaxtyping import Array, Bool, Float32, UInt8
from rich.console import Console
from rich.progress import track
from rich.table import Table

from training import detect
from training.command import errors_in_one_line
from training.compilation import keep_compiled
from training.data import garments as pictures
from training.data import photos
from training.data.pictures import single
from training.detector_loss import allowed_loss
from training.evaluation import photo_metrics
from training.evaluation.photo_metrics import PhotoEvaluation
from training.evaluation.predictions import predict_photos
from training.train import parse, setting
from trendscope.errors import ImageError, TrendscopeError
from trendscope.vision.detector import Detector
from trendscope.vision.detector_weights import read_detector, write_detector
from trendscope.vision.outputs import CELL_OUTPUTS, PHOTO_OUTPUTS, Variables
from trendscope.vision.photo_detector import PhotoDetector
from trendscope.vision.preparation import stretched
from trendscope.vision.scores import SCORES, UNSEEN
from trendscope.vision.weights import DetectorHeader, find_weights, identify

HEAD_STEPS = 300
"""Steps of the head alone, each over all photos."""

HEAD_RATE = 1e-2
"""Adam's learning rate for the head alone."""

TOGETHER = 16
"""Photos whose features are taken, or that the whole network learns from, at a time."""


@dataclass(frozen=True)
class Settings:
    """All settings of an adaptation, and the options of `python -m training.adapt`."""

    photos: str = setting("", "labelled photos, several places joined by commas: labels.csv, "
                          "its folder, or a folder per category")  # fmt: skip
    relabel: str = setting("", "CSVs (file,category) of better categories for some photos")
    weights: str = setting("photos", "weights to start from: a shipped name or a file")
    run: str = setting("runs/adapted", "folder for the weights and the kept features")
    name: str = setting("adapted", "name of the weights")
    fold: int = setting(0, "number of the fold of customers to hold out (-1: learn from all)")
    folds: int = setting(5, "how many folds the customers are dealt to")
    whole: int = setting(0, "1: the whole network learns; 0: the head for whole photos alone")
    views: int = setting(3, "views of each photo that the head learns from, all but one augmented")
    pull: float = setting(0.01, "how strongly the head is held where it was")
    epochs: int = setting(3, "passes of the whole network over the photos")
    learning_rate: float = setting(2e-3, "relative step of the whole network")
    keep: float = setting(1.0, "how strongly the answers for cells are held where they were")
    seed: int = setting(0, "seed of order and augmentation")


class Labelled(NamedTuple):
    """Photos to learn from.

    Attributes:
        files: Their paths.
        pixels: Stretched to the size that is kept, as in training; 0..255, RGB.
        allowed: Outputs of a whole photo that count as right.
    """

    files: list[str]
    pixels: UInt8[np.ndarray, "n 224 224 3"]
    allowed: Bool[np.ndarray, "n photo_outputs"]


def labelled(table: pd.DataFrame) -> Labelled:
    """Reads photos; damaged ones are left out, with a line each on the terminal.

    Raises:
        TrendscopeError: None can be read.
    """
    files, pixels, allowed = [], [], []
    columns = (table[name] for name in ("file", "label", "category"))
    for file, label, category in track(list(zip(*columns, strict=True)), "photos"):
        try:
            rgb = photos.pixels_of(file, 2 * max(pictures.SINGLE))
        except (ImageError, OSError) as error:
            print(f"{file}: {error}")
            continue
        files.append(file)
        pixels.append(stretched(rgb, pictures.SINGLE))
        allowed.append(pictures.allowed_outputs(category, label))
    if not files:
        raise TrendscopeError("no photo could be read to learn from")
    wide = np.pad(np.stack(allowed), ((0, 0), (0, PHOTO_OUTPUTS - CELL_OUTPUTS)))
    return Labelled(files, np.stack(pixels), wide)


# --- the head alone ------------------------------------------------------------------------------


def features_of(
    variables: Variables, batches: Iterator[UInt8[np.ndarray, "n side side 3"]], total: int
) -> Float32[np.ndarray, "n features"]:
    """What the head for whole photos sees of each picture."""

    @jax.jit
    def pooled(weights: Any, pixels: Any) -> Any:
        _, kept = Detector().apply(
            weights,
            pixels,
            capture_intermediates=lambda module, _: module.name == "features",
            mutable=["intermediates"],
        )
        (features,) = kept["intermediates"]["features"]["__call__"]
        return nn.relu6(features).mean((1, 2))

    rows = []
    for batch in track(batches, "features", total=-(-total // TOGETHER)):
        filled = np.concatenate([batch, np.repeat(batch[-1:], TOGETHER - len(batch), 0)])
        rows.append(np.asarray(pooled(variables, filled))[: len(batch)])
    return np.concatenate(rows)


def views(known: Labelled, count: int, side: int, seed: int) -> Iterator[np.ndarray]:
    """Batches of each photo as it is, then `count` - 1 times augmented, all in the same order."""
    for view in range(count):
        generator = np.random.default_rng((seed, view))
        for start in range(0, len(known.pixels), TOGETHER):
            part = known.pixels[start : start + TOGETHER]
            yield np.stack(
                [
                    single(generator, rgb, side) if view else stretched(rgb, (side, side))
                    for rgb in part
                ]
            )


def kept_features(
    settings: Settings, variables: Variables, known: Labelled, side: int
) -> Float32[np.ndarray, "n features"]:
    """Features of all views, read from the run's folder if they were taken before."""
    digest = identify(settings.weights).digest
    said = [digest, str(side), str(settings.views), str(settings.seed), *known.files]
    key = hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]
    path = Path(settings.run) / f"features-{key}.npy"
    if path.is_file():
        return np.asarray(np.load(path))
    batches = views(known, settings.views, side, settings.seed)
    taken = features_of(variables, batches, settings.views * len(known.pixels))
    np.save(path, taken)
    return taken


def fitted_head(
    head: Any,
    features: Float32[np.ndarray, "n features"],
    allowed: Bool[np.ndarray, "n photo_outputs"],
    pull: float,
) -> Any:
    """The head that names `allowed` likeliest and stays near the one it was.

    Args:
        head: Kernel and bias.
        features: Of photos.
        allowed: Outputs that count as right for each.
        pull: Weight of the squared distance from the old head, in units of the features' standard
            deviations, beside the mean log loss.
    """
    mean, deviation = features.mean(0), features.std(0) + 1e-6
    inputs, right = jnp.asarray((features - mean) / deviation), jnp.asarray(allowed)
    before = jnp.asarray(features @ head["kernel"] + head["bias"])
    optimizer = optax.adam(optax.cosine_decay_schedule(HEAD_RATE, HEAD_STEPS))

    def loss(change: Any) -> Array:
        logits = before + inputs @ change["kernel"] + change["bias"]
        moved = sum((leaf**2).sum() for leaf in change.values())
        return jnp.asarray(allowed_loss(logits, right).mean() + pull * moved)

    def step(_: Any, state: Any) -> Any:
        change, moments = state
        updates, moments = optimizer.update(jax.grad(loss)(change), moments, change)
        return optax.apply_updates(change, updates), moments

    @jax.jit
    def run(change: Any) -> Any:
        return jax.lax.fori_loop(0, HEAD_STEPS, step, (change, optimizer.init(change)))[0]

    change = run({name: jnp.zeros_like(head[name]) for name in ("kernel", "bias")})
    kernel = np.asarray(change["kernel"]) / deviation[:, None]
    return {
        "kernel": np.asarray(head["kernel"] + kernel, np.float32),
        "bias": np.asarray(head["bias"] + change["bias"] - mean @ kernel, np.float32),
    }


# --- the whole network ---------------------------------------------------------------------------


def whole_step(
    settings: Settings, net: Detector, optimizer: optax.GradientTransformation
) -> Callable[[Any, Any, Variables, Any, Any], tuple[Any, Any]]:
    """One compiled step on one batch; what cells showed before is a target of its own.

    Li and Hoiem, "Learning without Forgetting" (2016).
    """

    def loss(params: Any, old: Variables, pixels: Array, allowed: Array) -> Array:
        answer: Any = net.apply({"params": params}, pixels)
        earlier: Any = net.apply(old, pixels)
        before = jax.nn.softmax(earlier.cells)
        forgotten = (before * (jnp.log(before + 1e-9) - jax.nn.log_softmax(answer.cells))).sum(-1)
        return allowed_loss(answer.photo, allowed).mean() + settings.keep * forgotten.mean()

    def step(
        params: Any, moments: Any, old: Variables, pixels: Array, allowed: Array
    ) -> tuple[Any, Any]:
        gradients = jax.grad(loss)(params, old, pixels, allowed)
        updates, moments = optimizer.update(gradients, moments, params)
        return optax.apply_updates(params, updates), moments

    return jax.jit(step)


def fitted_network(settings: Settings, variables: Variables, known: Labelled, side: int) -> Any:
    """The parameters after `settings.epochs` passes over the photos, augmented anew each time."""
    steps = settings.epochs * max(1, len(known.pixels) // TOGETHER)
    schedule = detect.Settings(
        steps=steps,
        warm_up=max(1, steps // 10),
        cool_down=0.7,
        learning_rate=settings.learning_rate,
        weight_decay=0.0,
    )
    optimizer = detect.adam(schedule)
    step = whole_step(settings, Detector(schedule.frozen), optimizer)
    params: Any = jax.tree.map(jnp.asarray, variables["params"])
    moments = optimizer.init(params)
    generator = np.random.default_rng(settings.seed)
    for _ in track(range(steps), "steps"):
        rows = generator.integers(0, len(known.pixels), TOGETHER)
        pixels = np.stack([single(generator, known.pixels[row], side) for row in rows])
        params, moments = step(params, moments, variables, pixels, known.allowed[rows])
    return jax.tree.map(np.asarray, params)


# --- before and after ----------------------------------------------------------------------------


def measured(
    header: DetectorHeader, variables: Variables, table: pd.DataFrame, scored_on: str
) -> PhotoEvaluation:
    """What a detector scores on labelled photos, as the product judges them."""
    judged, refused = predict_photos(PhotoDetector(header, variables), table)
    return photo_metrics.evaluation(header.name, "", scored_on, judged, refused)


def comparison(before: PhotoEvaluation, after: PhotoEvaluation) -> Table:
    """The figures on held-out customers, side by side."""
    title = f"{after.of_the_ten:,} photos of the ten, {after.customers:,} customers held out"
    table = Table("", "before", "after", title=title)
    rows: dict[str, Callable[[PhotoEvaluation], float | None]] = {
        "right, best guess": lambda each: each.accuracy.share,
        "mean over groups": lambda each: each.group_accuracy,
        "named": lambda each: each.coverage.share,
        "of the named, rightly": lambda each: each.precision.share,
        "other things named": lambda each: each.others_named.share,
        "calibration error": lambda each: each.calibration_error,
    }
    for words, figure in rows.items():
        values = (figure(each) for each in (before, after))
        table.add_row(words, *("-" if x is None else f"{x:.4f}" for x in values))
    return table


def adapt(settings: Settings, console: Console | None = None) -> Path:
    """Adapts as `settings` say; returns the weights file.

    Raises:
        TrendscopeError: The photos or weights cannot be used, or nobody is held out.
    """
    keep_compiled()
    Path(settings.run).mkdir(parents=True, exist_ok=True)
    header, variables = read_detector(find_weights(settings.weights))
    relabel = photos.places_of(settings.relabel)
    table = photos.read_tables(photos.places_of(settings.photos), relabel)
    held_out = pictures.held_out(table, settings.fold, settings.folds)
    if settings.fold >= 0 and (held_out.all() or not held_out.any()):
        raise TrendscopeError(
            f"fold {settings.fold} of {settings.folds} holds out {int(held_out.sum())} of "
            f"{len(table)} photos: give a column customer, other folds, or --fold -1"
        )
    known = labelled(table[~held_out])
    if settings.whole:
        params = fitted_network(settings, variables, known, header.side)
    else:
        features = kept_features(settings, variables, known, header.side)
        allowed = np.tile(known.allowed, (settings.views, 1))
        head = fitted_head(variables["params"]["photo"], features, allowed, settings.pull)
        params = {**variables["params"], "photo": head}
    new: Variables = {"params": params}
    header = dataclasses.replace(
        header,
        name=settings.name,
        trained_on={**header.trained_on, settings.name: f"{len(known.files)} photos of one's own"},
        settings={**header.settings, "adapt": dataclasses.asdict(settings)},
        scores={},
    )
    if settings.fold >= 0:
        scored_on = f"customers of fold {settings.fold} of {settings.folds}, {UNSEEN}"
        before, after = (
            measured(header, each, table[held_out], scored_on) for each in (variables, new)
        )
        (console or Console()).print(comparison(before, after))
        header = dataclasses.replace(header, scores={SCORES: photo_metrics.scores(after)})
    path = Path(settings.run) / "weights.safetensors"
    write_detector(path, header, new)
    return path


if __name__ == "__main__":
    wanted = parse(Settings, __doc__)
    with errors_in_one_line("training.adapt"):
        print(f"weights: {adapt(wanted)}")
