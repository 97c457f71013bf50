"""Continues a Fashion-MNIST network on labelled photos, without forgetting Fashion-MNIST.

Examples:
  python -m training.adapt --photos our_photos/               # a folder per category, or labels.csv
  python -m training.adapt --photos our_photos/ --epochs 20   # a shorter run
  python -m training.adapt --photos our_photos/ --fold 0      # hold out a fifth of the customers

The weights come to RUN/weights.safetensors; use them with `trendscope profile --weights FILE`.
With --fold, the customers of that fold are never trained on: their photos give the validation
figures, and the confidence scale and the gate are fitted on them. A run on all customers takes
over the gate of such a run by --gate.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import random
from jaxtyping import Float32, PRNGKeyArray

from training import augment, data
from training import photos as labelled
from training.gate import fit_gate
from training.train import (
    Batch,
    MakeBatch,
    adam,
    as_input,
    evaluate,
    fit,
    initial_state,
    make_step,
    mixed_batch,
    one_hot,
    parse,
    setting,
)
from trendscope.classifier import (
    Architecture,
    GarmentNet,
    Gate,
    Header,
    Variables,
    find_weights,
    read_weights,
    write_weights,
)

SIZE, PATCH = 112, 4


@dataclass(frozen=True)
class Settings:
    """All settings of an adaptation, and the options of `python -m training.adapt`."""

    photos: str = setting("", "labelled photos: labels.csv, its folder, or a folder per category")
    weights: str = setting("fashion-mnist", "weights to start from: a shipped name or a file")
    run: str = setting("runs/photos", "folder of the run; an existing one is resumed")
    name: str = setting("photos", "name of the weights")
    source: str = setting("", "folder with Fashion-MNIST's files; default: tfds finds them")
    fold: int = setting(-1, "number of the fold of customers to hold out (-1: train on all)")
    folds: int = setting(5, "how many folds the customers are dealt to")
    gate: str = setting("", "without --fold: weights whose gate to take over")
    epochs: int = setting(60, "passes over the photos")
    batch: int = setting(128, "images per step")
    share: float = setting(0.55, "share of photos in each batch; the rest is Fashion-MNIST")
    scenes: float = setting(0.12, "share of each batch that is drawn into scenes")
    outside: float = setting(0.05, "share of each batch that is drawn without a garment")
    learning_rate: float = setting(2e-3, "peak of the cosine schedule")
    warm_up: float = setting(0.05, "share of all steps in which the learning rate rises")
    weight_decay: float = setting(0.05, "AdamW's decoupled weight decay")
    smoothing: float = setting(0.05, "label smoothing")
    average: float = setting(0.998, "decay per step of the averaged weights")
    dropout: float = setting(0.4, "share of units dropped in training")
    seed: int = setting(0, "seed of order and augmentation")


def enlarge(header: Header, variables: Variables, dropout: float) -> tuple[Architecture, Variables]:
    """The same network for larger inputs: each patch at first counts by its mean.

    So on a picture and on the picture scaled down by area averaging, the two networks agree.
    """
    old = header.architecture
    new = dataclasses.replace(old, size=SIZE, patch=PATCH, dropout=dropout)
    params = dict(variables["params"])
    kernel = np.asarray(params["patches"]["kernel"])
    finer = PATCH // old.patch
    if finer > 1:
        spread = np.tile(kernel, (finer**2, 1)) / finer**2
        params["patches"] = {**params["patches"], "kernel": spread}
    return new, {**variables, "params": params}


def photo_batch(mixed: MakeBatch) -> MakeBatch:
    """Batches of photos followed by Fashion-MNIST, all at the size of photos."""

    def make(key: PRNGKeyArray, raw: tuple[Any, Any]) -> Batch:
        (canvases, masks, right), fashion = raw
        k = random.split(key, 2)
        real = augment.photos(k[0], canvases, masks, SIZE)
        old = mixed(k[1], fashion)
        pixels = jnp.concatenate([real, augment.enlarged(old.pixels, SIZE)])
        return Batch(pixels, jnp.concatenate([right, old.right]))

    return make


def balanced_order(
    right: Float32[np.ndarray, "n outputs"], generator: np.random.Generator
) -> np.ndarray:
    """Rows of one epoch, drawn so that rare categories come up more often.

    A category's weight is the square root of its count: half-way between as found and balanced.
    """
    group = right @ (2.0 ** np.arange(right.shape[1]))
    _, inverse, counts = np.unique(group, return_inverse=True, return_counts=True)
    weight = 1 / np.sqrt(counts[inverse])
    return generator.choice(len(right), len(right), p=weight / weight.sum())


def batches(
    photos: labelled.Photos, fashion: data.Images, settings: Settings
) -> tuple[Callable[[int], Iterator[Any]], int]:
    """Each epoch's raw batches, and how many there are."""
    masks = data.silhouettes(fashion.pixels)
    real = round(settings.share * settings.batch)

    def epoch_batches(epoch: int) -> Iterator[Any]:
        generator = np.random.default_rng((settings.seed, epoch))
        order = balanced_order(photos.right, generator)
        for i in range(0, len(order) - real + 1, real):
            rows = order[i : i + real]
            old = generator.integers(0, len(fashion), settings.batch - real)
            yield (
                (photos.canvases[rows], photos.masks[rows], photos.right[rows]),
                (fashion.pixels[old], masks[old], fashion.labels[old]),
            )

    return epoch_batches, len(photos) // real


def adapt(settings: Settings) -> Path:
    """Trains as `settings` say; returns the weights file."""
    header, variables = read_weights(find_weights(settings.weights))
    architecture, variables = enlarge(header, variables, settings.dropout)
    photos, refused = labelled.load(Path(settings.photos), SIZE)
    print("\n".join(refused))
    held = np.zeros(len(photos), bool)
    if settings.fold >= 0:
        held = labelled.held_out_customers(photos.customers, settings.fold, settings.folds)
    known, unseen = photos.take(~held), photos.take(held)
    source = Path(settings.source) if settings.source else None
    fashion, fashion_unseen = data.train_and_validation(data.load("train", source=source))
    epoch_batches, steps = batches(known, fashion, settings)
    net = GarmentNet(architecture)
    optimizer = adam(settings, steps * settings.epochs)
    drawn, none = (round(share * settings.batch) for share in (settings.scenes, settings.outside))
    step = make_step(
        net,
        optimizer,
        photo_batch(mixed_batch(drawn, none)),
        smoothing=settings.smoothing,
        average=settings.average,
    )
    validate = make_validation(evaluate(net), unseen, fashion_unseen)
    header = dataclasses.replace(
        header,
        name=settings.name,
        architecture=architecture,
        trained_on={**header.trained_on, "photos": known.digest},
        settings={**header.settings, "adapt": dataclasses.asdict(settings)},
        scores={},
    )
    path = Path(settings.run) / "weights.safetensors"
    state = fit(
        settings,
        initial_state(variables, optimizer),
        step,
        epoch_batches,
        steps,
        validate,
        lambda variables: write_weights(path, header, variables),
    )
    header = dataclasses.replace(header, gate=choose_gate(settings, net, state.average, unseen))
    write_weights(path, header, state.average)
    return path


def choose_gate(
    settings: Settings, net: GarmentNet, variables: Variables, unseen: labelled.Photos
) -> Gate:
    """The gate fitted on the held-out customers, or else that of the weights in `settings.gate`."""
    if len(unseen):
        logits, _ = jax.jit(net.apply)(variables, unseen.views)
        return fit_gate(np.asarray(logits), unseen.right)
    return read_weights(find_weights(settings.gate or settings.weights))[0].gate


def make_validation(
    score: Any, unseen: labelled.Photos, fashion: data.Images
) -> Callable[[Variables], dict[str, float]]:
    """Accuracy on the held-out photos (if any) and on 2,000 held-out images of Fashion-MNIST."""
    few = fashion.take(slice(2000))
    enlarged = np.asarray(augment.enlarged(as_input(few.pixels).astype(np.float32), SIZE))
    target = np.asarray(one_hot(few.labels))

    def validate(variables: Variables) -> dict[str, float]:
        row = {"fashion_accuracy": score(variables, enlarged, target).accuracy}
        if len(unseen):
            metrics = score(variables, unseen.views, unseen.right)
            row |= {"validation_loss": metrics.loss, "validation_accuracy": metrics.accuracy}
        return row

    return validate


if __name__ == "__main__":
    print(f"weights: {adapt(parse(Settings, __doc__))}")
