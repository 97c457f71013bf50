"""How well looks find garments of the same kind.

``python -m tests.benchmarks.retrieval WEIGHTS [FOLDER]``: weights that learned without a fold of
the customers, and labelled photos, as `training.data.photos.read_table` takes them. The customers
of that fold ask with each of their photos; the catalogue is the photos of the
other ones of these. Precision is the share of the first five that show a category of the photo's
label. Without such a folder nothing is measured.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from training.data.photos import customers_of_fold, read_table, target
from trendscope.categories import CATEGORIES
from trendscope.errors import TrendscopeError
from trendscope.recommend.nearest import cosine, nearest_items, quantised
from trendscope.recommend.ranking import OWNED, RecommendOptions
from trendscope.vision.images import decode
from trendscope.vision.loading import load_predictor
from trendscope.vision.predictions import Prediction, Predictor
from trendscope.vision.preparation import squared
from trendscope.vision.weights import find_weights, read_header

FIRST = 5
SIDE = 112
"""Side in pixels of the pictures that the other ways compare."""

COLOUR = 0.1
"""Weight of colour beside the embedding's cosine; .2 and .3 did no better on these photos."""

COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "640 pixels wide": lambda p: ImageOps.contain(p, (640, 640)),
    "a tenth cropped away": lambda p: p.crop(
        (p.width // 20, p.height // 20, p.width - p.width // 20, p.height - p.height // 20)
    ),
    "a quarter darker": lambda p: ImageEnhance.Brightness(p).enhance(0.75),
}


@dataclass(frozen=True)
class Seen:
    """Photos, each with its label and what the product sees in it.

    Attributes:
        files: Paths.
        customers, labels: (n,) of each.
        right: (n, 10), 1 for the categories that count as right.
        named: (n,) the category that the product names, -1 where it names none.
        predictions: All it says.
        pictures: (n, SIDE, SIDE, 3) the photos, squared.
    """

    files: list[Path]
    customers: np.ndarray
    labels: np.ndarray
    right: np.ndarray
    named: np.ndarray
    predictions: list[Prediction]
    pictures: np.ndarray

    @property
    def vectors(self) -> np.ndarray:
        """The embeddings as the product compares them."""
        return quantised([p.embedding.astype("<f4").tobytes() for p in self.predictions])[0]


def look_at(folder: Path, predictor: Predictor, fold: int, folds: int) -> Seen:
    """Reads the held-out customers' photos, and judges them as the product does."""
    table = customers_of_fold(read_table(folder), fold, folds)
    files = [Path(file) for file in table["file"]]
    predictions = judged(predictor, (file.read_bytes() for file in files))
    named = [CATEGORIES.index(p.category) if p.category else -1 for p in predictions]
    right = np.stack([target(category)[: len(CATEGORIES)] for category in table["category"]])
    customers, labels = table["customer"].to_numpy(str), table["label"].to_numpy(str)
    pictures = np.stack([squared(decode(file.read_bytes()).rgb, SIDE) for file in files])
    return Seen(files, customers, labels, right, np.array(named), predictions, pictures)


def judged(predictor: Predictor, pictures: Iterable[bytes]) -> list[Prediction]:
    """What the product says of pictures as wholes."""
    side = predictor.decoded_side
    views = [predictor.prepare(decode(data, max_side=side).rgb) for data in pictures]
    return [prediction.whole for prediction in predictor.predict(views)]


# --- ways to rank --------------------------------------------------------------------------------


def by_vectors(vectors: np.ndarray) -> np.ndarray:
    """(n, n) cosines."""
    size = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(size > 0, size, 1)
    return unit @ unit.T


def by_pixels(pictures: np.ndarray) -> np.ndarray:
    """(n, n) likeness of the raw pixels, 28 x 28 in colour, each picture's mean taken away."""
    small = [cv2.resize(v, (28, 28), interpolation=cv2.INTER_AREA) for v in pictures]
    flat = np.stack(small).reshape(len(pictures), -1).astype(np.float32)
    return by_vectors(flat - flat.mean(axis=1, keepdims=True))


def by_gradients(pictures: np.ndarray) -> np.ndarray:
    """(n, n) cosines of `gradients`."""
    return by_vectors(np.stack([gradients(cv2.cvtColor(v, cv2.COLOR_RGB2GRAY)) for v in pictures]))


def gradients(grey: np.ndarray) -> np.ndarray:
    """Histograms of oriented gradients: 9 directions, cells of 8 pixels, blocks of 2 x 2 cells.

    Source: N. Dalal, B. Triggs, CVPR 2005; OpenCV 5 has no descriptor of its own any more.
    """
    pixels = grey.astype(np.float32)
    across, down = (cv2.Sobel(pixels, cv2.CV_32F, x, 1 - x, ksize=1) for x in (1, 0))
    size, angle = cv2.cartToPolar(across, down, angleInDegrees=True)
    place = (angle % 180) / 20 - 0.5
    lower = np.floor(place).astype(int)
    rows, columns = np.indices(grey.shape) // 8
    cells = np.zeros((grey.shape[0] // 8, grey.shape[1] // 8, 9), np.float32)
    np.add.at(cells, (rows, columns, lower % 9), size * (1 - (place - lower)))
    np.add.at(cells, (rows, columns, (lower + 1) % 9), size * (place - lower))
    corners = [cells[:-1, :-1], cells[1:, :-1], cells[:-1, 1:], cells[1:, 1:]]
    blocks = np.concatenate(corners, -1).reshape(-1, 36)
    clipped = np.minimum(blocks / (np.linalg.norm(blocks, axis=1, keepdims=True) + 1e-3), 0.2)
    return (clipped / (np.linalg.norm(clipped, axis=1, keepdims=True) + 1e-3)).ravel()


def by_colour(pictures: np.ndarray) -> np.ndarray:
    """(n, n) likeness of the mean colours of the middles: exp(-distance in Lab / 20)."""
    middle = slice(SIDE // 4, 3 * SIDE // 4)
    labs = [cv2.cvtColor(v.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for v in pictures]
    colours = np.stack([lab[middle, middle].reshape(-1, 3).mean(axis=0) for lab in labs])
    return np.exp(-np.linalg.norm(colours[:, None] - colours[None], axis=-1) / 20)


# --- figures -------------------------------------------------------------------------------------


def precision(
    similar: np.ndarray | None, asking: np.ndarray, pool: np.ndarray, right: np.ndarray
) -> np.ndarray:
    """Of each photo that asks, the share of its first five that is right; NaN with fewer than five.

    Args:
        similar: (n, n) likeness; None for a random order, of which the expectation is given.
        asking: (q,) photos.
        pool: (n, n) true where the second may be found for the first.
        right: (n, n) true where the second is right for the first.
    """
    result = np.full(len(asking), np.nan)
    for row, photo in enumerate(asking):
        others = np.flatnonzero(pool[photo])
        if len(others) >= FIRST:
            if similar is not None:
                others = others[np.argsort(-similar[photo, others], kind="stable")[:FIRST]]
            result[row] = right[photo, others].mean()
    return result


def interval(result: np.ndarray, customers: np.ndarray, draws: int = 2000) -> tuple[float, float]:
    """95 % interval of the mean, customers drawn anew (bootstrap); NaNs do not count."""
    known = ~np.isnan(result)
    _, owner = np.unique(customers[known], return_inverse=True)
    sums, counts = np.bincount(owner, result[known]), np.bincount(owner)
    drawn = np.random.default_rng(0).integers(0, len(sums), (draws, len(sums)))
    low, high = np.quantile(sums[drawn].sum(1) / counts[drawn].sum(1), (0.025, 0.975))
    return float(low), float(high)


def chosen_by_the_product(seen: Seen, diversity: float) -> np.ndarray:
    """(n, n) likeness that ranks what `trendscope.recommend.nearest` chooses in its order."""
    vectors, n = seen.vectors, len(seen.files)
    similar = np.zeros((n, n))
    for photo in np.flatnonzero(seen.named >= 0):
        same = (seen.named == seen.named[photo]) & (seen.customers != seen.customers[photo])
        others = np.flatnonzero(same)
        for _, item, _, _ in nearest_items(
            vectors[[photo]],
            np.array([0]),
            vectors[others],
            count=FIRST,
            candidates=RecommendOptions().candidates,
            diversity=diversity,
            owned=2.0,
        ):
            similar[photo, others[item]] = np.arange(len(item), 0, -1)
    return similar


def table(seen: Seen) -> list[str]:
    """The lines of the table of precisions."""
    others = seen.customers[:, None] != seen.customers[None]
    same = others & (seen.named[:, None] == seen.named[None])
    right, alike = seen.right @ seen.right.T > 0, seen.labels[:, None] == seen.labels[None]
    of_ten = seen.right.any(axis=1)
    certain = np.flatnonzero(of_ten & (seen.named >= 0))
    embedding, colour = by_vectors(seen.vectors), by_colour(seen.pictures)
    ways = {"embedding": embedding, f"embedding + {COLOUR} colour": embedding + COLOUR * colour}
    ways |= {"HOG": by_gradients(seen.pictures), "raw pixels": by_pixels(seen.pictures)}
    varied = RecommendOptions().diversity
    product = {f"embedding, diversity {varied}": chosen_by_the_product(seen, varied)}
    sections: list[tuple[Any, Any, Any, dict[str, Any]]] = [
        ("all photos", certain, others, {**ways, "random order": None}),
        ("same category named", certain, same, {**ways, **product, "random order": None}),
        (
            "all photos, unsure queries too",
            np.flatnonzero(of_ten),
            others,
            {"embedding": embedding},
        ),
    ]
    lines = [
        "| catalogue | ranked by | queries | category in the first 5 | 95 % | same label |",
        "|---|---|---:|---:|---|---:|",
    ]
    for catalogue, asking, pool, ranked in sections:
        for name, similar in ranked.items():
            result = precision(similar, asking, pool, right)
            low, high = interval(result, seen.customers[asking])
            label = np.nanmean(precision(similar, asking, pool, alike))
            count = int((~np.isnan(result)).sum())
            figures = f"{np.nanmean(result):.3f} | {low:.3f} to {high:.3f} | {label:.3f}"
            lines.append(f"| {catalogue} | {name} | {count} | {figures} |")
    return lines


def owned(seen: Seen, predictor: Predictor) -> list[str]:
    """How often copies of a photo, and other people's garments, look the very same."""
    named = np.flatnonzero(seen.named >= 0)
    vectors = seen.vectors[named]
    alike = cosine(vectors @ vectors.T)
    names, kinds = seen.customers[named], seen.named[named]
    pairs = np.triu((names[:, None] != names[None]) & (kinds[:, None] == kinds[None]), 1)
    wrong, total = int((alike[pairs] >= OWNED).sum()), int(pairs.sum())
    lines = [f"other customers' garments of the category taken for owned: {wrong} of {total:,}"]
    for words, changed in COPIES.items():
        copies = judged(predictor, (_copy(seen.files[n], changed) for n in named))
        stored = [p.embedding.astype("<f4").tobytes() for p in copies]
        products = (quantised(stored)[0] * vectors).sum(axis=1)
        hits = int((cosine(products) >= OWNED).sum())
        lines.append(f"photos recognised as owned, {words}: {hits} of {len(named)}")
    return lines


def _copy(file: Path, changed: Callable[[Image.Image], Image.Image]) -> bytes:
    picture = ImageOps.exif_transpose(Image.open(file)).convert("RGB")
    out = io.BytesIO()
    changed(picture).save(out, "JPEG", quality=85)
    return out.getvalue()


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit("give weights that learned without the customers of a fold")
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else "../shared/photos")
    settings = read_header(find_weights(sys.argv[1])).settings
    fold, folds = settings.get("fold", -1), settings.get("folds", 1)
    if fold < 0:
        sys.exit(f"{sys.argv[1]} may have learned from all customers")
    predictor = load_predictor(sys.argv[1])
    try:
        seen = look_at(folder, predictor, fold, folds)
    except TrendscopeError as error:
        print(f"nothing was measured: {error}")
        return
    people = len(set(seen.customers))
    print(f"{len(seen.files)} photos of {people} customers, weights {predictor.name}\n")
    print("\n".join([*table(seen), "", *owned(seen, predictor)]))


if __name__ == "__main__":
    main()
