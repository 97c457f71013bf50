"""Trains the network on Fashion-MNIST with Optax Adam.

Examples:
  python -m training.train                                # the default settings
  python -m training.train --start fashion-mnist --run runs/more    # goes on from shipped weights
  python -m training.train --run runs/quick --epochs 2    # a first look, a few minutes
  python -m training.train --run runs/quick --epochs 9    # goes on from the last checkpoint
  python -m training.train --source folder/               # the original files, or Kaggle's CSVs
  python -m training.train --run runs/all --start runs/more --gate runs/more   # on all 60,000

A run folder holds the checkpoints, history.csv (one row per epoch), and weights.safetensors: the
averaged weights, ready for `python -m training.evaluate --weights runs/quick`. Of the 60,000 images
for training 6,000 are held out, to choose settings by and to fit the confidence scale and the gate.
A last run may learn from them too: --gate takes over the gate of the run before it.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_type_hints

import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint as ocp
from jax import random
from jaxtyping import Array, Float, Float32, Int, PRNGKeyArray, UInt8
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from training.command import errors_in_one_line, new_parser
from training.data import augmentation, fashion_mnist
from training.evaluation.calibration import fit_gate
from trendscope.categories import CATEGORIES
from trendscope.errors import WeightsError
from trendscope.files.writing import write_atomic
from trendscope.vision.compilation import compiler_options
from trendscope.vision.network import AnyArray, GarmentNet, initial_variables
from trendscope.vision.outputs import Variables
from trendscope.vision.serialisation import read_weights, write_weights
from trendscope.vision.weights import Architecture, Header, find_weights

OUTSIDE = len(CATEGORIES)


def setting(default: Any, text: str) -> Any:
    """A dataclass field that is also a command-line option with this help text."""
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class Settings:
    """All settings of a training run, and the options of `python -m training.train`."""

    run: str = setting("runs/fashion-mnist", "folder of the run; an existing one is resumed")
    name: str = setting("fashion-mnist", "name of the weights")
    start: str = setting("", "weights to start from: a file or a run; default: random ones")
    gate: str = setting("", "weights whose gate to take over; then no image is held out")
    source: str = setting("", "folder with the data set's files; default: tfds finds them")
    epochs: int = setting(40, "passes over the training images")
    batch: int = setting(256, "images per step")
    scenes: float = setting(0.4, "share of each batch drawn into photo-like scenes")
    outside: float = setting(0.05, "share of each batch that shows no garment")
    learning_rate: float = setting(3e-3, "peak of the cosine schedule")
    warm_up: float = setting(0.05, "share of all steps in which the learning rate rises")
    weight_decay: float = setting(0.02, "AdamW's decoupled weight decay")
    mixup: float = setting(0.0, "share of the images that are mixed with another one")
    smoothing: float = setting(0.03, "label smoothing")
    average: float = setting(0.998, "decay per step of the averaged weights")
    filters: str = setting("48,96", "filters of each stage")
    depth: str = setting("1,2", "residual convolutions of each stage")
    kernel: int = setting(3, "side of the convolution kernels")
    dense: int = setting(128, "units of the dense layer")
    dropout: float = setting(0.3, "share of units dropped in training")
    seed: int = setting(0, "seed of weights, order and augmentation")
    limit: int = setting(0, "train on this many images only (0: all)")

    @property
    def architecture(self) -> Architecture:
        """The network these settings describe."""
        return Architecture(
            kernel=self.kernel,
            filters=tuple(int(f) for f in self.filters.split(",")),
            depth=tuple(int(d) for d in self.depth.split(",")),
            dense=self.dense,
            dropout=self.dropout,
        )


class State(NamedTuple):
    """Everything a checkpoint holds: the weights, their running average, Adam's moments."""

    variables: Variables
    average: Variables
    optimizer: Any
    step: Int[Array, ""]


class Batch(NamedTuple):
    """Network inputs with the outputs that count as right (one or several) per image.

    Where images are mixed from two (Zhang et al. 2018), `share` is the first one's share in each,
    and `other` holds the second one's right outputs.
    """

    pixels: Float[AnyArray, "n size size c"]
    targets: Float[AnyArray, "n outputs"]
    other: Float[AnyArray, "n outputs"] | None = None
    share: Float[Array, " n"] | None = None


class Metrics(NamedTuple):
    """Means over images."""

    loss: Any
    accuracy: Any


def one_hot(labels: Int[AnyArray, " n"]) -> Float[Array, "n outputs"]:
    """Targets with one right output each."""
    return jax.nn.one_hot(labels, OUTSIDE + 1)


def loss_and_accuracy(
    logits: Float[Array, "n outputs"], targets: Float[AnyArray, "n outputs"], smoothing: float
) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
    """Per image: minus the log probability of its right outputs together, and whether one won."""
    log_p = jax.nn.log_softmax(logits)
    right_log_p = jax.nn.logsumexp(jnp.where(targets > 0, log_p, -jnp.inf), axis=-1)
    loss = -(1 - smoothing) * right_log_p - smoothing * log_p.mean(-1)
    correct = jnp.take_along_axis(targets, logits.argmax(-1)[:, None], -1)[:, 0] > 0
    return loss, correct.astype(jnp.float32)


MakeBatch = Callable[[PRNGKeyArray, Any], Batch]


def make_step(
    net: GarmentNet,
    optimizer: optax.GradientTransformation,
    make_batch: MakeBatch,
    *,
    smoothing: float,
    average: float,
) -> Callable[[State, PRNGKeyArray, Any], tuple[State, Metrics]]:
    """One compiled step: augment, differentiate, update by Adam, average."""

    def loss_of(params: Any, stats: Any, batch: Batch, key: PRNGKeyArray) -> Any:
        (logits, _), updated = net.apply(
            {"params": params, "batch_stats": stats},
            batch.pixels,
            train=True,
            mutable=["batch_stats"],
            rngs={"dropout": key},
        )
        loss, correct = loss_and_accuracy(logits, batch.targets, smoothing)
        if batch.other is not None and batch.share is not None:
            other_loss, _ = loss_and_accuracy(logits, batch.other, smoothing)
            loss = batch.share * loss + (1 - batch.share) * other_loss
        return loss.mean(), (updated["batch_stats"], Metrics(loss.mean(), correct.mean()))

    def step(state: State, key: PRNGKeyArray, raw: Any) -> tuple[State, Metrics]:
        keys = random.split(random.fold_in(key, state.step))
        batch = make_batch(keys[0], raw)
        params, stats = state.variables["params"], state.variables["batch_stats"]
        gradients, (stats, metrics) = jax.grad(loss_of, has_aux=True)(params, stats, batch, keys[1])
        updates, moments = optimizer.update(gradients, state.optimizer, params)
        variables = {"params": optax.apply_updates(params, updates), "batch_stats": stats}
        # The average forgets faster at first, so that it leaves the random start behind.
        decay = jnp.minimum(average, (1 + state.step) / (10 + state.step))
        averaged = optax.incremental_update(variables, state.average, 1 - decay)
        return State(variables, averaged, moments, state.step + 1), metrics

    return jax.jit(step, donate_argnums=0, compiler_options=compiler_options())


def adam(settings: Any, steps: int) -> optax.GradientTransformation:
    """AdamW under a cosine schedule with warm-up; vectors (biases, scales) do not decay."""
    warm_up = min(max(1, int(settings.warm_up * steps)), steps - 1)
    rate = optax.warmup_cosine_decay_schedule(0.0, settings.learning_rate, warm_up, steps)
    return optax.adamw(
        rate,
        weight_decay=settings.weight_decay,
        mask=lambda params: jax.tree.map(lambda leaf: leaf.ndim > 1, params),
    )


def initial_state(variables: Variables, optimizer: optax.GradientTransformation) -> State:
    """A state before its first step."""
    variables = jax.tree.map(jnp.asarray, variables)
    copy = jax.tree.map(jnp.copy, variables)
    return State(variables, copy, optimizer.init(variables["params"]), jnp.zeros((), jnp.int32))


def evaluate(net: GarmentNet) -> Callable[..., Metrics]:
    """A function that gives loss and accuracy over all given images, each counted once.

    It takes variables, pixels (float (n, side, side, 3)), targets (float (n, outputs)), ``batch``.
    """

    @partial(jax.jit, compiler_options=compiler_options())
    def score(variables: Variables, pixels: Array, targets: Array) -> tuple[Array, Array]:
        logits, _ = net.apply(variables, pixels)
        return loss_and_accuracy(logits, targets, 0.0)

    def over_all(variables: Variables, pixels: Any, targets: Any, batch: int = 500) -> Metrics:
        parts = [
            score(variables, pixels[i : i + batch], targets[i : i + batch])
            for i in range(0, len(pixels), batch)
        ]
        losses, hits = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Metrics(float(losses.mean()), float(hits.mean()))

    return over_all


# --- the loop ------------------------------------------------------------------------------------


def fit(
    settings: Any,
    state: State,
    step: Callable[[State, PRNGKeyArray, Any], tuple[State, Metrics]],
    epoch_batches: Callable[[int], Iterator[Any]],
    steps_per_epoch: int,
    validate: Callable[[Variables], Mapping[str, float]],
    save: Callable[[Variables], None],
) -> State:
    """Trains to `settings.epochs`, from the run's last checkpoint if there is one.

    After each epoch a row goes to history.csv, the state to a checkpoint, and the averaged weights
    to `save`.
    """
    run = Path(settings.run).resolve()
    run.mkdir(parents=True, exist_ok=True)
    options = ocp.CheckpointManagerOptions(max_to_keep=1)
    with ocp.CheckpointManager(run / "checkpoints", options=options) as checkpoints:
        done = checkpoints.latest_step() or 0
        if done:
            restored = checkpoints.restore(done, args=ocp.args.StandardRestore(state._asdict()))
            state = State(**restored)
        key = random.key(settings.seed)
        for epoch in range(done, settings.epochs):
            start = time.perf_counter()
            state, trained = _epoch(state, key, step, epoch_batches(epoch), steps_per_epoch, epoch)
            row = {
                "epoch": epoch + 1,
                "train_loss": trained.loss,
                "train_accuracy": trained.accuracy,
                **validate(state.average),
                "seconds": time.perf_counter() - start,
            }
            save(state.average)
            # Before the checkpoint: a row too many is dropped on resuming, one too few is lost.
            _log(run / "history.csv", row)
            checkpoints.save(epoch + 1, args=ocp.args.StandardSave(state._asdict()))
    return state


def _epoch(
    state: State, key: Any, step: Any, batches: Iterator[Any], count: int, epoch: int
) -> tuple[State, Metrics]:
    total = np.zeros(2)
    columns = (
        TextColumn("epoch {task.fields[epoch]}"),
        BarColumn(),
        TextColumn("loss {task.fields[loss]:.3f}  accuracy {task.fields[accuracy]:.3f}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as progress:
        bar = progress.add_task("", total=count, epoch=epoch + 1, loss=0.0, accuracy=0.0)
        for done, raw in enumerate(batches, 1):
            state, metrics = step(state, key, raw)
            total += np.array(metrics)
            loss, accuracy = total / done
            progress.update(bar, advance=1, loss=loss, accuracy=accuracy)
    return state, Metrics(float(loss), float(accuracy))


def _log(path: Path, row: Mapping[str, float]) -> None:
    """Writes an epoch's row to the history, in place of any from that epoch on."""
    rows: list[Mapping[str, Any]] = []
    if path.exists():
        with path.open(newline="") as file:
            rows = [old for old in csv.DictReader(file) if int(old["epoch"]) < row["epoch"]]
    table = io.StringIO()
    writer = csv.DictWriter(table, row)
    writer.writeheader()
    writer.writerows([*rows, {k: round(v, 5) for k, v in row.items()}])
    write_atomic(path, table.getvalue())
    print("  ".join(f"{k} {v:.4g}" for k, v in row.items()), flush=True)


# --- Fashion-MNIST -------------------------------------------------------------------------------


def mixed_batch(scenes: int, outside: int) -> MakeBatch:
    """Batches of Fashion-MNIST: `scenes` drawn as photos, `outside` without garment, rest plain."""

    def make(key: PRNGKeyArray, raw: tuple[AnyArray, AnyArray, AnyArray]) -> Batch:
        grey, mask, labels = raw
        k = random.split(key, 3)
        drawn = slice(outside, outside + scenes)
        parts = [augmentation.plain(k[0], grey[outside + scenes :])]
        if scenes:
            parts.insert(0, augmentation.scenes(k[1], grey[drawn], mask[drawn]))
        if outside:
            parts.insert(0, augmentation.no_garment(k[2], grey[:outside], mask[:outside]))
        labels = jnp.where(jnp.arange(len(labels)) < outside, OUTSIDE, labels)
        return Batch(jnp.concatenate(parts), one_hot(labels))

    return make


def mixing(mixed: MakeBatch, probability: float) -> MakeBatch:
    """The same batches, of each a share mixed with others of it as `mixed_up` does."""

    def make(key: PRNGKeyArray, raw: Any) -> Batch:
        k = random.split(key, 3)
        batch = mixed(k[0], raw)
        partner = random.permutation(k[1], len(batch.pixels))
        return mixed_up(k[2], batch.pixels, batch.targets, partner, probability)

    return make if probability else mixed


def mixed_up(
    key: PRNGKeyArray,
    pixels: Float[AnyArray, "n s s c"],
    targets: Float[AnyArray, "n outputs"],
    partner: AnyArray,
    probability: float,
) -> Batch:
    """Mixes each image, with the given probability, with that of row `partner` (Zhang et al. 2018).

    The first image's share is drawn from Beta(0.4, 0.4), and is the larger one.
    """
    k = random.split(key, 2)
    n = len(pixels)
    share = random.beta(k[0], 0.4, 0.4, (n,))
    chosen = random.bernoulli(k[1], probability, (n,))
    share = jnp.where(chosen, jnp.maximum(share, 1 - share), 1.0)
    part = share[:, None, None, None]
    return Batch(part * pixels + (1 - part) * pixels[partner], targets, targets[partner], share)


def shuffled(
    images: fashion_mnist.Images, masks: Any, batch: int, seed: int
) -> Callable[[int], Any]:
    """Gives each epoch's batches in an order of its own; the short last batch is left out."""

    def batches(epoch: int) -> Iterator[Any]:
        order = np.random.default_rng((seed, epoch)).permutation(len(images))
        for i in range(0, len(order) - batch + 1, batch):
            rows = order[i : i + batch]
            yield images.pixels[rows], masks[rows], images.labels[rows]

    return batches


def as_input(pixels: UInt8[np.ndarray, "n 28 28"]) -> UInt8[np.ndarray, "n 28 28 3"]:
    """Published images as network input: three equal channels."""
    return np.repeat(pixels[..., None], 3, axis=-1)


def starting_variables(settings: Settings) -> Variables:
    """Random weights, or those of `settings.start`; dropout apart, their shape must be the same."""
    if not settings.start:
        return initial_variables(settings.architecture, settings.seed)
    header, variables = read_weights(find_weights(settings.start))
    same = dataclasses.replace(header.architecture, dropout=settings.dropout)
    if same != settings.architecture:
        raise WeightsError(
            f"{settings.start}: expected {settings.architecture}, found {header.architecture}"
        )
    return variables


def train(settings: Settings) -> Path:
    """Trains on Fashion-MNIST as `settings` say; returns the weights file."""
    everything = fashion_mnist.load(
        "train", source=Path(settings.source) if settings.source else None
    )
    images, held_out = fashion_mnist.train_and_validation(everything)
    if settings.gate:
        images = everything
    images = images.take(slice(settings.limit or None))
    net = GarmentNet(settings.architecture)
    steps = len(images) // settings.batch
    optimizer = adam(settings, steps * settings.epochs)
    drawn, none = round(settings.scenes * settings.batch), round(settings.outside * settings.batch)
    step = make_step(
        net,
        optimizer,
        mixing(mixed_batch(drawn, none), settings.mixup),
        smoothing=settings.smoothing,
        average=settings.average,
    )
    score = evaluate(net)
    pixels, target = as_input(held_out.pixels), np.asarray(one_hot(held_out.labels))

    def validate(variables: Variables) -> dict[str, float]:
        if settings.gate:
            return {}  # They are trained on.
        metrics = score(variables, pixels, target)
        return {"validation_loss": metrics.loss, "validation_accuracy": metrics.accuracy}

    path = Path(settings.run) / "weights.safetensors"
    header = Header(
        name=settings.name,
        architecture=settings.architecture,
        trained_on={"fashion-mnist train": images.digest},
        settings=dataclasses.asdict(settings),
    )
    state = fit(
        settings,
        initial_state(starting_variables(settings), optimizer),
        step,
        shuffled(images, fashion_mnist.garment_masks(images.pixels), settings.batch, settings.seed),
        steps,
        validate,
        lambda variables: write_weights(path, header, variables),
    )
    if settings.gate:
        gate = read_weights(find_weights(settings.gate))[0].gate
    else:
        gate = fit_gate(*unseen_answers(net, state.average, held_out, settings.seed))
    write_weights(path, dataclasses.replace(header, gate=gate), state.average)
    return path


def unseen_answers(
    net: GarmentNet, variables: Variables, held_out: fashion_mnist.Images, seed: int
) -> tuple[Float32[np.ndarray, "n outputs"], Float32[np.ndarray, "n outputs"]]:
    """Logits and right outputs on the held-out images drawn as scenes, for the gate.

    A tenth as many scenes show no garment. Scenes are nearer to photos than the published images
    are, which the network finds easier: a gate fitted on those would let wrong names through.
    """
    masks = jnp.asarray(fashion_mnist.garment_masks(held_out.pixels))
    grey = jnp.asarray(held_out.pixels)
    tenth = len(held_out) // 10
    keys = random.split(random.key(seed), 2)
    drawn = augmentation.scenes(keys[0], grey, masks)
    none = augmentation.no_garment(keys[1], grey[:tenth], masks[:tenth])
    logits, _ = jax.jit(net.apply)(variables, jnp.concatenate([drawn, none]))
    labels = np.concatenate([held_out.labels, np.full(tenth, OUTSIDE)])
    return np.asarray(logits), np.asarray(one_hot(labels))


# --- the command ---------------------------------------------------------------------------------

AnySettings = TypeVar("AnySettings")


def parse(settings: type[AnySettings], text: str | None) -> AnySettings:
    """Reads a settings dataclass from the command line, one option per field."""
    parser = new_parser(text)
    types = get_type_hints(settings)
    for item in dataclasses.fields(settings):  # type: ignore[arg-type]
        parser.add_argument(
            f"--{item.name.replace('_', '-')}",
            type=types[item.name],
            default=item.default,
            help=f"{item.metadata['help']} (default: {item.default or 'none'})".replace("%", "%%"),
        )
    return settings(**vars(parser.parse_args()))


if __name__ == "__main__":
    settings = parse(Settings, __doc__)
    with errors_in_one_line("training.train"):
        print(f"weights: {train(settings)}")
