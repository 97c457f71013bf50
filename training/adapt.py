"""Continues a Fashion-MNIST network on labelled photos, without forgetting Fashion-MNIST.

Examples:
  python -m training.adapt --photos our_photos/               # a folder per category, or labels.csv
  python -m training.adapt --photos our_photos/,negatives/    # from several places
  python -m training.adapt --photos our_photos/ --epochs 20   # a shorter run
  python -m training.adapt --photos our_photos/ --fold 0      # hold out a third of the customers
  python -m training.adapt --photos our_photos/ --relabel corrections.csv  # some labels mended
  python -m training.adapt --photos our_photos/ --teacher fashion-mnist  # forgets less
  python -m training.adapt --photos our_photos/ --outfits 0.2  # people in full outfits, composed
  python -m training.adapt --photos our_photos/ --cloth 0.4  # the same garments of other cloth

The weights come to RUN/weights.safetensors; use them with `trendscope profile --weights FILE`.
With --fold, the customers of that fold are never trained on: their photos give the validation
figures, and the confidence scale and the gate are fitted on them. A run on all customers takes
over the gate of such a run by --gate. With --epochs 0 nothing is learned, and only the gate is set,
as for the mean of several runs.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import random
from jaxtyping import Array, Float, Float32, PRNGKeyArray, UInt8

from training import outfits
from training.command import errors_in_one_line
from training.data import augmentation, fashion_mnist
from training.data import photos as labelled
from training.evaluation.calibration import fit_gate
from training.train import (
    Batch,
    MakeBatch,
    adam,
    as_input,
    fit,
    initial_state,
    loss_and_accuracy,
    make_step,
    mixed_batch,
    mixed_up,
    one_hot,
    parse,
    setting,
)
from trendscope.errors import TrendscopeError
from trendscope.vision.network import (
    AnyArray,
    GarmentNet,
    Variables,
    initial_variables,
    make_predictor,
)
from trendscope.vision.serialisation import read_weights, write_weights
from trendscope.vision.weights import Architecture, Gate, Header, find_weights

WIDER = Architecture(
    size=112, patch=4, detail=24, channels=4, filters=(64, 128), depth=(2, 2), two_views=True
)
"""The network for photos: finer pixels, the garment's outline, more filters, two looks."""

PREPARED = 4
"""Batches that wait ready while the network learns from one."""


@dataclass(frozen=True)
class Settings:
    """All settings of an adaptation, and the options of `python -m training.adapt`."""

    photos: str = setting("", "labelled photos, several places joined by commas: labels.csv, "
                          "its folder, or a folder per category")  # fmt: skip
    relabel: str = setting("", "CSV (file,category) of better categories for some of the photos")
    weights: str = setting("fashion-mnist", "weights to start from: a shipped name or a file")
    teacher: str = setting("", "weights of Fashion-MNIST alone whose answers to its images are "
                           "learned instead of the labels")  # fmt: skip
    run: str = setting("runs/photos", "folder of the run; an existing one is resumed")
    name: str = setting("photos", "name of the weights")
    source: str = setting("", "folder with Fashion-MNIST's files; default: tfds finds them")
    fold: int = setting(-1, "number of the fold of customers to hold out (-1: train on all)")
    folds: int = setting(3, "how many folds the customers are dealt to")
    gate: str = setting("", "without --fold: weights whose gate to take over")
    epochs: int = setting(100, "passes over the photos; with 0 only the gate is set")
    batch: int = setting(40, "images per step")
    share: float = setting(0.7, "share of photos in each batch; the rest is Fashion-MNIST")
    scenes: float = setting(0.08, "share of each batch that is drawn into scenes")
    whole: float = setting(0.1, "share of the photos that are shown whole, not cut out")
    outfits: float = setting(0.0, "share of the photos that become people in full outfits")
    cloth: float = setting(0.0, "share of the photos whose garment is made of another cloth")
    customers: float = setting(0.0, "how far large customers are held back (0: not, 1: wholly)")
    mixup: float = setting(0.0, "share of images that are mixed with another")
    learning_rate: float = setting(1.5e-3, "peak of the cosine schedule")
    warm_up: float = setting(0.05, "share of all steps in which the learning rate rises")
    weight_decay: float = setting(0.1, "AdamW's decoupled weight decay")
    smoothing: float = setting(0.05, "label smoothing")
    average: float = setting(0.999, "decay per step of the averaged weights")
    dropout: float = setting(0.3, "share of units dropped in training")
    seed: int = setting(0, "seed of new weights, order and augmentation")


def enlarge(
    header: Header, variables: Variables, new: Architecture, seed: int = 0
) -> tuple[Architecture, Variables]:
    """A network of architecture `new` that at first says what the given one says.

    Each patch counts by its mean. Features that are new start at random, but do not count in those
    that were there; residual convolutions that are new add nothing. So on a published image and on
    the same image enlarged by repeating its pixels, the two networks agree.

    Raises:
        TrendscopeError: The given network is no smaller one of the same kind.
    """
    old = header.architecture
    if old.size == new.size:
        return dataclasses.replace(old, dropout=new.dropout, two_views=new.two_views), variables
    new = dataclasses.replace(new, stem=old.stem, kernel=old.kernel)
    grown = jax.tree.map(np.array, initial_variables(new, seed))
    params = grown["params"]
    for stage, depth in enumerate(old.depth):
        for i in range(depth, new.depth[stage]):
            params[f"residual{stage}_{i}_norm"]["scale"][:] = 0
    spread = (new.patch // old.patch) ** 2
    for kind, layers in variables["params"].items():
        for name, old_array in layers.items():
            old_array = np.asarray(old_array)
            if kind == "patches" and name == "kernel":
                old_array = np.tile(old_array, (spread, 1)) / spread
            _carry(old_array, params[kind][name], _positions(kind))
    for kind, layers in variables["batch_stats"].items():
        for name, old_array in layers.items():
            _carry(np.asarray(old_array), grown["batch_stats"][kind][name], 1)
    return new, grown


def _positions(layer: str) -> int:
    """How many positions, one after another, a layer's inputs come from."""
    if layer == "embedding":
        return 16
    return 4 if layer.startswith("enter") else 1


def _carry(old: np.ndarray, new: np.ndarray, positions: int) -> None:
    """Puts an array into the larger one of the same layer; new inputs do not count in old ones."""
    outputs = old.shape[-1]
    if old.ndim == 1:
        new[:outputs] = old
        return
    *kernel, inputs, _ = old.shape
    target = new.reshape(*kernel, positions, -1, new.shape[-1])
    if target.shape[-2] < inputs // positions or target.shape[-1] < outputs:
        raise TrendscopeError(f"a layer of {old.shape} does not fit into one of {new.shape}")
    target[..., :outputs] = 0
    target[..., : inputs // positions, :outputs] = old.reshape(
        *kernel, positions, inputs // positions, outputs
    )


Teacher = Callable[[Float[AnyArray, "n size size 4"]], Float[Array, "n outputs"]]
"""Gives probabilities for images at the size of photos."""


def teacher(weights: str) -> Teacher | None:
    """What a network of patch 1 says of images whose pixels were repeated; None without a name.

    Raises:
        TrendscopeError: There are no such weights, or they are not of patch 1.
    """
    if not weights:
        return None
    header, variables = read_weights(find_weights(weights))
    if header.architecture.patch != 1:
        raise TrendscopeError(f"{weights}: a teacher must have learned from Fashion-MNIST alone")
    net = GarmentNet(header.architecture)

    def teach(pixels: Float[AnyArray, "n size size 4"]) -> Float[Array, "n outputs"]:
        times = pixels.shape[1] // header.architecture.size
        logits, _ = net.apply(variables, pixels[:, ::times, ::times])
        return jax.nn.softmax(logits)

    return teach


def photo_batch(
    mixed: MakeBatch, side: int, mixup: float, teach: Teacher | None = None
) -> MakeBatch:
    """Batches of photos followed by Fashion-MNIST, all at the size of photos.

    Of all images, a share of `mixup` is mixed with another of its kind. What the teacher says of
    the very same Fashion-MNIST images, mixed as they are, is learned instead of their labels (Li
    and Hoiem, "Learning without forgetting", 2016; Beyer et al., "A good teacher is patient and
    consistent", 2022).
    """

    def make(key: PRNGKeyArray, raw: tuple[Any, Any]) -> Batch:
        (views, targets), fashion = raw
        k = random.split(key, 6)
        real = augmentation.other_colours(k[0], views.astype(jnp.float32))
        old = mixed(k[1], fashion)
        pixels = jnp.concatenate([real, augmentation.enlarged(old.pixels, side)])
        targets = jnp.concatenate([targets, old.targets])
        partner = jnp.concatenate(
            [random.permutation(k[2], len(real)),
             len(real) + random.permutation(k[3], len(old.pixels))]
        )  # fmt: skip
        batch = mixed_up(k[4], pixels, targets, partner, mixup)
        if teach is None:
            return batch
        taught = teach(batch.pixels[len(real) :])
        nothing = jnp.zeros((len(real), taught.shape[1]))
        return batch._replace(taught=jnp.concatenate([nothing, taught]))

    return make


def balanced_order(
    photos: labelled.Photos, customers: float, generator: np.random.Generator
) -> np.ndarray:
    """Rows of one epoch, drawn so that rare categories and small customers come up more often.

    A category counts by the square root of its number of photos: half-way between as found and
    balanced. A customer counts by that number to the power of 1 - `customers`.
    """
    group = photos.targets @ (2.0 ** np.arange(photos.targets.shape[1]))
    weight = _sizes(group) ** -0.5 * _sizes(photos.customers) ** -customers
    return generator.choice(len(photos), len(photos), p=weight / weight.sum())


def _sizes(kinds: np.ndarray) -> Float[np.ndarray, " n"]:
    """For each entry, how many are equal to it."""
    _, inverse, counts = np.unique(kinds, return_inverse=True, return_counts=True)
    return np.asarray(counts[inverse], float)


def batches(
    photos: labelled.Photos,
    fashion: fashion_mnist.Images,
    settings: Settings,
    side: int,
) -> tuple[Callable[[int], Iterator[Any]], int]:
    """Each epoch's raw batches, and how many there are. Two threads make them ahead of use.

    Raises:
        TrendscopeError: People are asked for, and there is not enough to dress them in.
    """
    masks = fashion_mnist.garment_masks(fashion.pixels)
    clothes = outfits.wardrobe(photos)
    if settings.outfits and not clothes.enough:
        raise TrendscopeError(outfits.TOO_FEW)
    real = round(settings.share * settings.batch)
    count = len(photos) // real

    def draw(epoch: int, number: int, rows: np.ndarray) -> Any:
        generator = np.random.default_rng((settings.seed, epoch, number))
        others = generator.permutation(rows)
        old = generator.integers(0, len(fashion), settings.batch - real)
        return (
            augmented_batch(generator, clothes, rows, others, settings, side),
            (fashion.pixels[old], masks[old], fashion.labels[old]),
        )

    def epoch_batches(epoch: int) -> Iterator[Any]:
        order = balanced_order(
            photos, settings.customers, np.random.default_rng((settings.seed, epoch))
        )
        pending: deque[Future[Any]] = deque()
        with ThreadPoolExecutor(2) as pool:
            for number in range(count):
                rows = order[number * real : (number + 1) * real]
                pending.append(pool.submit(draw, epoch, number, rows))
                if len(pending) > PREPARED:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()

    return epoch_batches, count


def augmented_batch(
    generator: np.random.Generator,
    clothes: outfits.Wardrobe,
    rows: np.ndarray,
    others: np.ndarray,
    settings: Settings,
    side: int,
) -> tuple[UInt8[np.ndarray, "n side side 4"], Float32[np.ndarray, "n outputs"]]:
    """One augmented view of each photo in `rows`, and what counts as right for it.

    Grounds are taken from the photos in `others`. A share of `settings.outfits` is replaced by
    people who wear the wardrobe's clothes.
    """
    photos = clothes.photos
    views, targets = [], []
    for row, other in zip(rows, others, strict=True):
        if generator.random() < settings.outfits:
            canvas, worn = outfits.dressed(generator, clothes)
        else:
            canvases = photos.wholes if generator.random() < settings.whole else photos.canvases
            canvas, worn = canvases[row], photos.targets[row]
        views.append(
            augmentation.augment_photo(
                generator, canvas, photos.canvases[other], side, settings.cloth
            )
        )
        targets.append(worn)
    return np.stack(views), np.stack(targets)


def adapt(settings: Settings) -> Path:
    """Trains as `settings` say; returns the weights file.

    Raises:
        TrendscopeError: The photos or weights cannot be used.
    """
    header, variables = read_weights(find_weights(settings.weights))
    wider = dataclasses.replace(WIDER, dropout=settings.dropout)
    architecture, variables = enlarge(header, variables, wider, settings.seed)
    side = architecture.size
    places = labelled.places_of(settings.photos)
    relabel = Path(settings.relabel) if settings.relabel else None
    photos, refused = labelled.load(places, side, relabel)
    print("\n".join(refused))
    is_held_out = np.zeros(len(photos), bool)
    if settings.fold >= 0:
        is_held_out = labelled.held_out_customers(photos.customers, settings.fold, settings.folds)
    trained, held_out = photos.take(~is_held_out), photos.take(is_held_out)
    source = Path(settings.source) if settings.source else None
    fashion, fashion_unseen = fashion_mnist.train_and_validation(
        fashion_mnist.load("train", source=source)
    )
    epoch_batches, steps = batches(trained, fashion, settings, side)
    if not steps:
        raise TrendscopeError(
            f"{len(trained)} photos to train on do not fill a batch: "
            "give more, or a smaller --batch"
        )
    net = GarmentNet(architecture)
    optimizer = adam(settings, max(1, steps * settings.epochs))
    mixed = mixed_batch(round(settings.scenes * settings.batch), 0)
    step = make_step(
        net,
        optimizer,
        photo_batch(mixed, side, settings.mixup, teacher(settings.teacher)),
        smoothing=settings.smoothing,
        average=settings.average,
    )
    header = dataclasses.replace(header, architecture=architecture, scores={})
    if settings.epochs:
        header = dataclasses.replace(
            header,
            name=settings.name,
            trained_on={**header.trained_on, "photos": trained.digest},
            settings={**header.settings, "adapt": dataclasses.asdict(settings)},
        )
    path = Path(settings.run) / "weights.safetensors"
    state = fit(
        settings,
        initial_state(variables, optimizer),
        step,
        epoch_batches,
        steps,
        make_validation(architecture, held_out, fashion_unseen),
        lambda variables: write_weights(path, header, variables),
    )
    header = dataclasses.replace(
        header, gate=choose_gate(settings, architecture, state.average, held_out)
    )
    write_weights(path, header, state.average)
    return path


def choose_gate(
    settings: Settings, architecture: Architecture, variables: Variables, held_out: labelled.Photos
) -> Gate:
    """The gate fitted on the held-out customers, or else that of the weights in `settings.gate`."""
    if len(held_out):
        logits, _ = make_predictor(architecture)(variables, held_out.views)
        return fit_gate(logits, held_out.targets)
    return read_weights(find_weights(settings.gate or settings.weights))[0].gate


def make_validation(
    architecture: Architecture, held_out: labelled.Photos, fashion: fashion_mnist.Images
) -> Callable[[Variables], dict[str, float]]:
    """Accuracy on the held-out photos (if any) and on 500 held-out images of Fashion-MNIST.

    ``garments_accuracy`` is that of the best guess among the ten on photos that show one of them;
    ``validation_accuracy`` counts "outside" as an answer like the others; ``outfits_accuracy`` is
    that of the best guess on 200 people dressed in the held-out photos' clothes.
    """
    validation_images = fashion.take(slice(500))
    pixels = jnp.asarray(as_input(validation_images.pixels), jnp.float32)
    enlarged = augmentation.both_ways(augmentation.enlarged(pixels, architecture.size))
    target = np.asarray(one_hot(validation_images.labels))
    predict = make_predictor(architecture)

    garments = held_out.targets[:, -1] == 0
    clothes = outfits.wardrobe(held_out)
    if clothes.enough:
        figures, worn = outfits.figures(clothes, 200, architecture.size)
        people = augmentation.both_ways(figures)

    def validate(variables: Variables) -> dict[str, float]:
        logits = predict(variables, enlarged)[0]
        row = {"fashion_accuracy": _accuracy(logits, target)}
        if len(held_out):
            logits = predict(variables, held_out.views)[0]
            row |= {
                "validation_loss": _loss(logits, held_out.targets),
                "validation_accuracy": _accuracy(logits, held_out.targets),
                "garments_accuracy": _accuracy(logits[garments, :-1], held_out.targets[garments]),
            }
        if clothes.enough:
            logits = predict(variables, people)[0]
            row["outfits_accuracy"] = _accuracy(logits[:, :-1], worn)
        return row

    return validate


def _loss(
    logits: Float32[np.ndarray, "n outputs"], targets: Float32[np.ndarray, "n outputs"]
) -> float:
    loss, _ = loss_and_accuracy(jnp.asarray(logits), jnp.asarray(targets), 0.0)
    return float(loss.mean())


def _accuracy(
    logits: Float32[np.ndarray, "n k"], targets: Float32[np.ndarray, "n outputs"]
) -> float:
    return float(np.take_along_axis(targets, logits.argmax(-1)[:, None], -1).mean())


def main() -> None:
    """Runs the command line."""
    settings = parse(Settings, __doc__)
    with errors_in_one_line("training.adapt"):
        print(f"weights: {adapt(settings)}")


if __name__ == "__main__":
    main()
