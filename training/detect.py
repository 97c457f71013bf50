"""Trains the detector: EfficientNet-Lite0 continued on garments, one by one and on people.

Examples:
  python -m training.pretrained -o runs/pretrained.safetensors
  python -m training.detect --singles photos/,catalogue/,negatives/ --outfits outfits/ --fold 0
  python -m training.detect --run runs/detector    # goes on from the last checkpoint
  python -m training.evaluation.detections runs/detector

A run folder holds its settings, the decoded pictures, checkpoints, history.csv and
weights.safetensors: the averaged weights. The first stages of the trunk stay as ImageNet left them:
they see edges and textures, and their gradients are the dearest. Garments fill more of an augmented
picture than of a photo, so that photos are best looked at a fourth larger than training did
(Touvron et al., "Fixing the train-test resolution discrepancy", 2019).
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint as ocp
from jaxtyping import Array, Bool, Float, Int
from rich.console import Console
from safetensors.numpy import load_file, save

from training.command import errors_in_one_line
from training.compilation import keep_compiled
from training.data import fashion_mnist, garments
from training.data import photos as labelled
from training.data.pictures import Batch, Sampler, Shares, ahead
from training.detector_loss import (
    allowed_loss,
    generalised_iou,
    tag_loss,
    weighted_mean,
)
from training.train import _log, parse, setting
from trendscope.errors import WeightsError
from trendscope.files.writing import write_atomic
from trendscope.vision.detector import Detector, cell_boxes, initial_variables
from trendscope.vision.outputs import Variables
from trendscope.vision.serialisation import leaves, nested


@dataclass(frozen=True)
class Settings:
    """All settings of a run, and the options of `python -m training.detect`."""

    singles: str = setting("", "pictures of one garment or none, places joined by commas")
    shares: str = setting("0.55,0.22,0.07", "share of each of these places among the singles")
    published: float = setting(0.1, "share of Fashion-MNIST among the singles; the rest of them "
                               "are people, to be told from one garment")  # fmt: skip
    relabel: str = setting("", "CSVs (file,category) of better categories for some singles")
    outfits: str = setting("", "folder of photos of people")
    kinds: str = setting("", "CSVs (file,label,kind) of garments whose label leaves it open")
    source: str = setting("", "folder with Fashion-MNIST's files; default: tfds finds them")
    start: str = setting("runs/pretrained.safetensors", "weights of the trunk, or of a detector")
    run: str = setting("runs/detector", "folder of the run; an existing one is resumed")
    cache: str = setting("runs/pictures", "folder where decoded pictures are kept")
    fold: int = setting(-1, "number of the fold to hold out of every place (-1: train on all)")
    folds: int = setting(5, "how many folds customers, photos and products are dealt to")
    steps: int = setting(4000, "steps of the whole run; a resumed one may get more or fewer")
    batch: int = setting(16, "singles per step")
    people: int = setting(5, "photos of people per step")
    tagged: int = setting(1, "how many of these have tags only")
    composed: int = setting(1, "how many of these are composed of single garments")
    cutouts: float = setting(0.0, "share of garments cut out of photos of people among the singles")
    figures: float = setting(0.0, "share of drawn figures and strewn garments among the singles")
    mixed: float = setting(0.0, "share of the singles that are mixed with another one")
    side: int = setting(128, "rows and columns of the singles")
    rows: int = setting(224, "rows of photos of people")
    columns: int = setting(160, "columns of photos of people")
    frozen: int = setting(3, "stages of the trunk that do not learn")
    learning_rate: float = setting(5e-3, "relative step of the trunk, as long as it is constant")
    warm_up: int = setting(60, "steps in which the learning rate rises")
    cool_down: float = setting(0.35, "share of the steps in which it falls to 0 at the end")
    heads: float = setting(3.0, "how many times as fast the heads learn")
    weight_decay: float = setting(0.01, "AdamW's decoupled weight decay")
    average: float = setting(0.998, "decay per step of the averaged weights")
    minutes: float = setting(5.0, "minutes from one checkpoint to the next")
    seed: int = setting(0, "seed of new weights, order and augmentation")


Rate = float | Float[Array, ""]


class State(NamedTuple):
    """Everything a checkpoint holds."""

    params: Any
    average: Any
    optimizer: Any
    step: Int[Array, ""]


class Losses(NamedTuple):
    """Means over a batch, and their weighted sum."""

    total: Any
    photo: Any
    single_cells: Any
    people_cells: Any
    box: Any
    tags: Any
    several: Any
    right: Any


# --- one step ------------------------------------------------------------------------------------


def losses(singles: Any, people: Any, batch: Any) -> Losses:
    """Losses of the answers to one batch; `right` is the share of singles named rightly."""
    photo, single_cells = loss_of_singles(singles, batch.photo, batch.cells, batch.share)
    shown, taught = jax.tree.map(lambda leaf: jnp.roll(leaf, 1, 0), (batch.photo, batch.cells))
    others = loss_of_singles(singles, shown, taught, 1 - batch.share)
    photo, single_cells = photo + others[0], single_cells + others[1]
    taught = batch.people.cells
    people_cells = weighted_mean(allowed_loss(people.cells, taught.allowed), taught.weight)
    overlap = generalised_iou(cell_boxes(people.distances), taught.boxes)
    box = weighted_mean(1 - overlap, taught.weight * taught.boxed)
    tagged = batch.people.tags.any((1, 2)).astype(jnp.float32)
    tags = weighted_mean(tag_loss(people.cells, batch.people.tags, batch.people.absent), tagged)
    several = allowed_loss(people.photo, batch.people.photo).mean()
    total = photo + 0.3 * single_cells + people_cells + 2 * box + 0.3 * tags + 0.3 * several
    best = jax.nn.one_hot(singles.photo.argmax(-1), singles.photo.shape[-1], dtype=bool)
    right = (best & batch.photo).any(-1).mean()
    return Losses(total, photo, single_cells, people_cells, box, tags, several, right)


def loss_of_singles(
    answer: Any, photo: Bool[Array, "n photo_outputs"], taught: Any, share: Float[Array, " n"]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """The losses of whole pictures and of their cells, where a share of each shows `photo`."""
    of_cells = allowed_loss(answer.cells, taught.allowed) * share[:, None, None]
    whole = (share * allowed_loss(answer.photo, photo)).mean()
    return whole, weighted_mean(of_cells, taught.weight)


def channel_size(leaf: Float[Array, "... c"]) -> Float[Array, "... c"]:
    """Root mean square of each output channel's weights; 1 for biases."""
    if leaf.ndim < 2:
        return jnp.ones_like(leaf)
    size = jnp.sqrt((leaf**2).mean(tuple(range(leaf.ndim - 1)), keepdims=True))
    return jnp.maximum(size, 1e-2)


def relative_steps() -> optax.GradientTransformation:
    """Steps relative to the size of each channel's weights.

    Batch normalisation that is part of the kernels makes some channels a hundred times larger than
    others. So scaled, a step is what it would be with the normalisation apart.
    """

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        return jax.tree.map(lambda u, p: u * channel_size(p), updates, params), state

    return optax.GradientTransformation(lambda params: optax.EmptyState(), update)


def is_trunk(path: tuple[Any, ...]) -> bool:
    """Whether a leaf's weights come from ImageNet."""
    return path[0].key in ("trunk", "features")


def rate_at(settings: Settings, number: int) -> float:
    """The learning rate of a step, from 0: it rises, stays, and falls to 0.

    As long as it stays, a resumed run may be given another end.
    """
    falling = max(1, round(settings.cool_down * settings.steps))
    rises = number / max(1, settings.warm_up)
    return settings.learning_rate * max(0.0, min(1.0, rises, (settings.steps - number) / falling))


def adam(settings: Settings) -> optax.GradientTransformation:
    """AdamW in relative steps, at the rate 1; the heads are faster, and their kernels decay."""

    def faster(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        def scaled(path: Any, u: Array) -> Array:
            return u if is_trunk(path) else settings.heads * u

        return jax.tree_util.tree_map_with_path(scaled, updates), state

    return optax.chain(
        optax.clip_by_global_norm(5.0),
        optax.scale_by_adam(b2=0.995),
        relative_steps(),
        optax.GradientTransformation(lambda params: optax.EmptyState(), faster),
        optax.add_decayed_weights(
            settings.weight_decay,
            mask=lambda params: jax.tree_util.tree_map_with_path(
                lambda path, leaf: leaf.ndim > 1 and not is_trunk(path), params
            ),
        ),
    )


def make_step(
    settings: Settings, optimizer: optax.GradientTransformation
) -> Callable[[State, Batch, Rate], tuple[State, Losses]]:
    """One compiled step: differentiate, update by Adam at a rate, average.

    The rate is no part of the compiled code, as that takes minutes to compile.
    """
    net = Detector(settings.frozen)

    def loss_of(params: Any, batch: Batch) -> tuple[Any, Losses]:
        singles, people = (
            net.apply({"params": params}, pixels) for pixels in (batch.pixels, batch.people.pixels)
        )
        batch_losses = losses(singles, people, batch)
        return batch_losses.total, batch_losses

    def step(state: State, batch: Batch, rate: Rate) -> tuple[State, Losses]:
        gradients, batch_losses = jax.grad(loss_of, has_aux=True)(state.params, batch)
        updates, moments = optimizer.update(gradients, state.optimizer, state.params)
        params = optax.tree.add_scale(state.params, -rate, updates)
        # The average forgets faster at first, so that it leaves the random heads behind.
        decay = jnp.minimum(settings.average, (1 + state.step) / (10 + state.step))
        average = optax.incremental_update(params, state.average, 1 - decay)
        return State(params, average, moments, state.step + 1), batch_losses

    return jax.jit(step, donate_argnums=0)


# --- the run -------------------------------------------------------------------------------------


def starting_params(file: Path, seed: int) -> Any:
    """Random weights, replaced by those of `file` wherever it has some of that name."""
    params = initial_variables(seed)["params"]
    given = nested(load_file(file))

    def replaced(old: Any, new: Any) -> Any:
        if isinstance(old, dict):
            return {k: replaced(v, new[k]) if k in new else v for k, v in old.items()}
        if old.shape != new.shape:
            raise WeightsError(f"{file}: expected {old.shape}, found {new.shape}")
        return jnp.asarray(new, jnp.float32)

    return replaced(params, given)


def write_params(path: Path, params: Any) -> None:
    """Writes weights as arrays named ``trunk/stem/kernel`` and so on."""
    arrays = {name: np.asarray(leaf) for name, leaf in leaves(params)}
    write_atomic(path, save(arrays))


def read_params(path: Path) -> Variables:
    """Flax variables of a file of `write_params`."""
    return {"params": nested(load_file(path))}


def pictures(settings: Settings) -> tuple[garments.Singles, garments.Outfits]:
    """All labelled pictures of a run, with those marked that are held out."""
    cache = Path(settings.cache)
    relabel = labelled.places_of(settings.relabel)
    kinds = labelled.places_of(settings.kinds)
    places = labelled.places_of(settings.singles)
    return (
        garments.single_garments(places, cache, settings.fold, settings.folds, relabel),
        garments.outfits(Path(settings.outfits), cache, settings.fold, settings.folds, kinds),
    )


def sampler(settings: Settings) -> Sampler:
    """The batches of a run."""
    singles, outfits = pictures(settings)
    source = Path(settings.source) if settings.source else None
    images = fashion_mnist.load("train", source=source)
    images, _ = fashion_mnist.train_and_validation(images)
    names = list(dict.fromkeys(singles.places.tolist()))
    each = [float(share) for share in settings.shares.split(",")]
    shares = Shares(
        settings.batch,
        settings.people,
        settings.tagged,
        settings.composed,
        dict(zip(names, each, strict=True)),
        settings.published,
        settings.cutouts,
        settings.figures,
        settings.mixed,
    )
    return Sampler(singles, outfits, (images.pixels, images.labels), shares, settings.seed)


def train(settings: Settings) -> Path:
    """Trains to `settings.steps`, from the run's last checkpoint if there is one."""
    cv2.setNumThreads(1)
    keep_compiled()
    run = Path(settings.run).resolve()
    run.mkdir(parents=True, exist_ok=True)
    (run / "settings.json").write_text(json.dumps(dataclasses.asdict(settings), indent=2))
    optimizer = adam(settings)
    params = starting_params(Path(settings.start), settings.seed)
    copy = jax.tree.map(jnp.copy, params)
    state = State(params, copy, optimizer.init(params), jnp.zeros((), jnp.int32))
    draw = sampler(settings)
    options = ocp.CheckpointManagerOptions(max_to_keep=2)
    with ocp.CheckpointManager(run / "checkpoints", options=options) as checkpoints:
        done = checkpoints.latest_step() or 0
        if done:
            kept = checkpoints.restore(done, args=ocp.args.StandardRestore(state._asdict()))
            state = State(**kept)
        _loop(settings, run, state, done, draw, make_step(settings, optimizer), checkpoints)
    return run / "weights.safetensors"


def _loop(
    settings: Settings, run: Path, state: State, done: int, draw: Sampler, step: Any, kept: Any
) -> None:
    def make(number: int) -> Batch:
        return draw.batch(number, settings.side, (settings.rows, settings.columns))

    console = Console(stderr=True)
    recent: list[Losses] = []
    began = time.perf_counter()
    for number, batch in enumerate(ahead(make, range(done, settings.steps)), done + 1):
        state, loss = step(state, batch, rate_at(settings, number - 1))
        recent.append(loss)
        if number % 20 == 0:
            _, *last = np.mean(np.array(recent[-20:]), 0)
            means = "  ".join(f"{k} {v:.3f}" for k, v in zip(Losses._fields[1:], last, strict=True))
            console.print(f"step {number} of {settings.steps}  {means}  "
                          f"{(time.perf_counter() - began) / len(recent):.2f} s/step",
                          highlight=False, soft_wrap=True)  # fmt: skip
        if number == settings.steps or time.perf_counter() - began > 60 * settings.minutes:
            row = dict(zip(Losses._fields, np.mean(np.array(recent), 0).tolist(), strict=True))
            seconds = time.perf_counter() - began
            write_params(run / "weights.safetensors", state.average)
            _log(run / "history.csv", {"epoch": number, **row, "seconds": seconds})
            kept.save(number, args=ocp.args.StandardSave(state._asdict()))
            recent, began = [], time.perf_counter()


if __name__ == "__main__":
    wanted = parse(Settings, __doc__)
    with errors_in_one_line("training.detect"):
        print(f"weights: {train(wanted)}")
