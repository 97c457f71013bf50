"""People in full outfits, composed: cut-out garments of labelled photos put onto drawn figures.

Examples:
  python -m training.adapt --photos our_photos/ --outfits 0.1           # learns from them
  python -m training.outfits our_photos/,negatives/ figures/ --fold 0   # writes some
  python -m training.evaluate --weights runs/photos --photos figures/   # scores on those

Photos of garments alone do not show how clothes are worn, and people post themselves. Every garment
that a figure visibly wears counts as right. With --fold, the clothes are those of the customers
that `training.adapt` holds out.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32, Int, UInt8
from PIL import Image

from training.command import errors_in_one_line, new_parser
from training.data import photos as labelled
from training.data.augmentation import Canvas
from trendscope.categories import CATEGORIES
from trendscope.errors import TrendscopeError

TOPS = ("T-shirt/top", "Pullover", "Coat", "Shirt")

TALL = labelled.CANVAS / (1 + 2 * labelled.CANVAS_MARGIN)
"""Height in pixels of a figure that is shown from head to foot."""

LEAST_SEEN = 0.08
"""Share of the figure's height in which a garment must show to be called visible."""

TOO_FEW = "people in outfits need upright photos of tops, of trousers and of dresses: add some"

SKIN = np.array([[255, 222, 196], [224, 172, 130], [141, 95, 62], [82, 53, 36]], np.float32)
HAIR = np.array([[20, 17, 15], [70, 45, 28], [196, 160, 100], [170, 170, 170]], np.float32)


@dataclass(frozen=True)
class Wardrobe:
    """What figures can be dressed in: rows of photos whose garment was found and lies upright.

    Attributes:
        photos: The photos.
        tops: Rows that show one kind of top.
        trousers: Rows of trousers.
        dresses: Rows of dresses.
        grounds: Rows of photos that show none of the ten.
    """

    photos: labelled.Photos
    tops: Int[np.ndarray, " tops"]
    trousers: Int[np.ndarray, " trousers"]
    dresses: Int[np.ndarray, " dresses"]
    grounds: Int[np.ndarray, " grounds"]

    @property
    def enough(self) -> bool:
        """Whether a figure can be dressed at all."""
        return bool(len(self.tops) and len(self.trousers) and len(self.dresses))

    def a_top(self, generator: np.random.Generator) -> int:
        """The row of some top, coats as often as T-shirts."""
        kinds = self.photos.targets[self.tops].argmax(1)
        chance = 1 / np.bincount(kinds)[kinds]
        return int(generator.choice(self.tops, p=chance / chance.sum()))


def wardrobe(photos: labelled.Photos) -> Wardrobe:
    """Sorts out which photos can be worn, and how."""
    shapes = np.array([_shape(canvas) for canvas in photos.canvases]).reshape(-1, 2)
    share, slender = shapes.T

    def rows(names: tuple[str, ...], least: float, most: float) -> Int[np.ndarray, " rows"]:
        kinds = [CATEGORIES.index(name) for name in names]
        of_kind = photos.targets[:, kinds].any(1) & (photos.targets.sum(1) == 1)
        upright = (slender >= least) & (slender <= most)
        return np.flatnonzero(of_kind & upright & (share > 0.06) & (share < 0.6))

    grounds = np.flatnonzero(photos.targets[:, -1] > 0)
    return Wardrobe(
        photos,
        tops=rows(TOPS, 0.6, 2.0),
        trousers=rows(("Trouser",), 1.3, 4.0),
        dresses=rows(("Dress",), 1.2, 4.0),
        grounds=grounds if len(grounds) else np.arange(len(photos)),
    )


def _shape(canvas: Canvas) -> tuple[float, float]:
    """The share of the canvas that the garment covers, and its height over its width."""
    mask = canvas[..., 3] > 127
    if not mask.any():
        return 0.0, 0.0
    y0, y1, x0, x1 = _bounds(mask)
    return float(mask.mean()), (y1 - y0) / (x1 - x0)


def _bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def dressed(
    generator: np.random.Generator, clothes: Wardrobe
) -> tuple[Canvas, Float32[np.ndarray, " outputs"]]:
    """One figure: as a canvas of `training.data.photos`, and 1 for each category that it shows.

    Two of three are shown from head to foot, the others down to somewhere below the waist.
    """
    figure = _Figure(generator, clothes)
    kind = generator.choice(["trousers", "dress", "skirt"], p=[0.6, 0.25, 0.15])
    if kind == "dress":
        figure.legs(0.5)
        figure.arms()
        figure.wear(clothes.dresses, 0.14, generator.uniform(0.5, 0.9), (0.26, 0.4))
    else:
        waist = generator.uniform(0.41, 0.48)
        top = clothes.a_top(generator)
        coat = clothes.photos.targets[top, CATEGORIES.index("Coat")] > 0
        hem = generator.uniform(0.48, 0.72) if coat else generator.uniform(0.45, 0.54)

        def below() -> None:
            if kind == "skirt":
                figure.skirt(waist, generator.uniform(0.58, 0.8))
            else:
                ankle = generator.uniform(0.9, 0.98)
                figure.wear(clothes.trousers, waist, ankle, (0.18, 0.34))

        def above() -> None:
            figure.arms()
            figure.wear(np.array([top]), 0.14, hem, (0.29, 0.45))

        figure.legs(waist)
        tucked = not coat and generator.random() < 0.3
        for draw in (above, below) if tucked else (below, above):
            draw()
    figure.head()
    return figure.canvas(), figure.targets()


def figures(
    clothes: Wardrobe, count: int, side: int, seed: int = 0
) -> tuple[UInt8[np.ndarray, "n side side 4"], Float32[np.ndarray, "n outputs"]]:
    """`count` figures as the network would see them, and what counts as right for each."""
    generator = np.random.default_rng(seed)
    canvases, targets = zip(*(dressed(generator, clothes) for _ in range(count)), strict=True)
    margin = (labelled.CANVAS - side) // 2
    return np.stack(canvases)[:, margin : margin + side, margin : margin + side], np.stack(targets)


class _Figure:
    """A figure while it is drawn. Heights are shares of its own, from the crown to the soles."""

    def __init__(self, generator: np.random.Generator, clothes: Wardrobe):
        self._generator = generator
        self._photos = clothes.photos
        side = labelled.CANVAS
        whole = generator.random() < 2 / 3
        self._tall = TALL * (1 if whole else generator.uniform(1.35, 2.0))
        self._crown = (side - TALL) / 2
        self._middle = side / 2 + generator.normal(0, 2)
        self._lean = generator.normal(0, 0.03)
        self._skin = _between(generator, SKIN)
        self._rgb = _ground(generator, clothes)
        self._mask = np.zeros((side, side), np.float32)
        self._worn: list[int] = []
        self._owner = np.full((side, side), -1)  # Which of those worn a pixel shows.

    def wear(
        self, rows: np.ndarray, above: float, below: float, widths: tuple[float, float]
    ) -> None:
        """Puts on the garment of one of `rows`, from height `above` to `below`."""
        row = self._generator.choice(rows)
        canvas = self._photos.canvases[row]
        y0, y1, x0, x1 = _bounds(canvas[..., 3] > 127)
        width = self._generator.uniform(*widths)
        turned = self._generator.normal(0, 0.06)
        mirror = self._generator.choice([-1, 1])
        corners = np.array([[-0.5 * mirror, above], [0.5 * mirror, above], [-0.5 * mirror, below]])
        placed = [self._at(x * width + turned * (y - above), y) for x, y in corners]
        matrix = cv2.getAffineTransform(
            np.array([[x0, y0], [x1, y0], [x0, y1]], np.float32), np.array(placed, np.float32)
        )
        put = cv2.warpAffine(canvas, matrix, self._mask.shape).astype(np.float32)
        self._worn.append(row)
        self._paint(put[..., :3], put[..., 3] / 255, len(self._worn) - 1)

    def skirt(self, above: float, below: float) -> None:
        """A skirt or shorts, none of the ten: a trapezium of some garment's cloth."""
        waist, hem = self._generator.uniform(0.07, 0.1), self._generator.uniform(0.1, 0.18)
        outline = [(-waist, above), (waist, above), (hem, below), (-hem, below)]
        canvas = self._photos.canvases[self._generator.integers(len(self._photos))]
        middle = len(canvas) // 2
        cloth = canvas[middle - 12 : middle + 12, middle - 12 : middle + 12, :3]
        size = self._mask.shape
        self._paint(cv2.resize(cloth, size).astype(np.float32), self._shape(outline))

    def legs(self, above: float) -> None:
        """Legs, bare or in tights of one colour, and shoes."""
        colour = self._skin
        if self._generator.random() < 0.3:
            colour = self._generator.uniform(10, 90, 3).astype(np.float32)
        shoes = self._generator.uniform(10, 240, 3).astype(np.float32)
        stride = self._generator.uniform(0.04, 0.09)
        for hip, foot in ((-0.045, -stride), (0.045, stride)):
            thigh = [(hip - 0.04, above), (hip + 0.04, above)]
            self._paint(colour, self._shape([*thigh, (foot + 0.02, 0.97), (foot - 0.02, 0.97)]))
            self._paint(shoes, self._ellipse(foot * 1.15, 0.98, 0.035, 0.02))

    def arms(self) -> None:
        """Bare arms; sleeves hide them where there are any."""
        for side in (-1, 1):
            elbow = side * self._generator.uniform(0.13, 0.19)
            hand = side * self._generator.uniform(0.06, 0.2), self._generator.uniform(0.32, 0.5)
            for (x0, y0), (x1, y1) in (
                ((side * 0.11, 0.16), (elbow, 0.32)),
                ((elbow, 0.32), hand),
            ):
                limb = [(x0 - 0.022, y0), (x0 + 0.022, y0), (x1 + 0.018, y1), (x1 - 0.018, y1)]
                self._paint(self._skin, self._shape(limb))

    def head(self) -> None:
        """Neck, hair and face, or hair alone as from behind."""
        hair = _between(self._generator, HAIR)
        neck = [(-0.025, 0.1), (0.025, 0.1), (0.03, 0.16), (-0.03, 0.16)]
        self._paint(self._skin, self._shape(neck))
        self._paint(hair, self._ellipse(0, 0.06, 0.05, 0.065))
        if self._generator.random() < 0.3:  # Long hair.
            self._paint(hair, self._ellipse(0, 0.11, 0.055, 0.08))
        if self._generator.random() < 0.8:
            self._paint(self._skin, self._ellipse(0, 0.078, 0.037, 0.052))

    def targets(self) -> Float32[np.ndarray, " outputs"]:
        """1 for each category of the garments that are visible."""
        targets = np.zeros(labelled.OUTPUTS, np.float32)
        for number, row in enumerate(self._worn):
            if (self._owner == number).any(1).sum() >= LEAST_SEEN * self._tall:
                targets = np.maximum(targets, self._photos.targets[row])
        return targets

    def canvas(self) -> Canvas:
        """The picture, and where the figure is; for one in four only where garments are."""
        mask = self._mask
        if self._generator.random() < 0.25:
            mask = np.minimum(mask, self._owner >= 0)
        x = np.dstack([self._rgb, 255 * mask])
        return np.asarray(np.clip(np.rint(x), 0, 255), np.uint8)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a point of the figure."""
        return self._middle + (x + self._lean * y) * self._tall, self._crown + y * self._tall

    def _shape(self, outline: list[tuple[float, float]]) -> np.ndarray:
        points = np.rint(16 * np.array([self._at(x, y) for x, y in outline])).astype(np.int32)
        area = np.zeros(self._mask.shape, np.uint8)
        cv2.fillPoly(area, [points], 255, cv2.LINE_AA, 4)
        return np.asarray(area / 255, np.float32)

    def _ellipse(self, x: float, y: float, wide: float, high: float) -> np.ndarray:
        turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        return self._shape([(x + wide * np.cos(t), y + high * np.sin(t)) for t in turns])

    def _paint(self, colour: np.ndarray, where: np.ndarray, owner: int = -1) -> None:
        self._rgb += where[..., None] * (colour - self._rgb)
        self._mask = np.maximum(self._mask, where)
        self._owner[where > 0.5] = owner


def _ground(
    generator: np.random.Generator, clothes: Wardrobe
) -> Float32[np.ndarray, "canvas canvas 3"]:
    """A part of a photo of other things, or any photo's corner, which seldom shows its garment."""
    side = labelled.CANVAS
    if generator.random() < 0.5:
        wide = int(generator.integers(side // 3, side))
        y, x = generator.integers(0, side - wide + 1, 2)
        photo = clothes.photos.wholes[generator.choice(clothes.grounds)]
    else:
        wide = int(generator.integers(side // 6, side // 3))
        y, x = generator.choice([0, side - wide], 2)
        photo = clothes.photos.canvases[generator.integers(len(clothes.photos))]
    part = photo[y : y + wide, x : x + wide, :3]
    return np.asarray(cv2.resize(part, (side, side)), np.float32)


def _between(generator: np.random.Generator, colours: np.ndarray) -> Float32[np.ndarray, " 3"]:
    """A colour between two neighbours of a row of colours."""
    at = generator.uniform(0, len(colours) - 1)
    low = min(int(at), len(colours) - 2)
    return np.asarray(colours[low] + (at - low) * (colours[low + 1] - colours[low]), np.float32)


def make(out: Path, photos: labelled.Photos, count: int, seed: int = 0) -> None:
    """Writes figures as JPEGs with a labels.csv, as `training.evaluate` takes them.

    Raises:
        TrendscopeError: The photos lack tops, trousers or dresses.
        OSError: `out` is there already, or cannot be written.
    """
    clothes = wardrobe(photos)
    if not clothes.enough:
        raise TrendscopeError(TOO_FEW)
    generator = np.random.default_rng(seed)
    (out / "images").mkdir(parents=True)
    with (out / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", "category"])
        for number in range(count):
            canvas, targets = dressed(generator, clothes)
            name = f"{number:05}.jpg"
            Image.fromarray(canvas[..., :3]).save(out / "images" / name, quality=90)
            worn = [CATEGORIES[i] for i in np.flatnonzero(targets)]
            table.writerow([name, "|".join(worn)])


def main() -> None:
    """Runs the command line."""
    parser = new_parser(__doc__)
    parser.add_argument("photos", help="labelled photos, several places joined by commas")
    parser.add_argument("out", type=Path, help="folder to write")
    parser.add_argument("--count", type=int, default=400, help="figures (default: 400)")
    parser.add_argument("--fold", type=int, help="clothes of this fold of customers, from 0")
    parser.add_argument("--folds", type=int, default=3, help="number of folds (default: 3)")
    parser.add_argument("--seed", type=int, default=0, help="(default: 0)")
    options = parser.parse_args()
    with errors_in_one_line("training.outfits"):
        places = labelled.places_of(options.photos)
        photos, refused = labelled.load(places, labelled.CANVAS)
        print("\n".join(refused))
        if options.fold is not None:
            photos = photos.take(
                labelled.held_out_customers(photos.customers, options.fold, options.folds)
            )
        make(options.out, photos, options.count, options.seed)
        print(f"{options.count} figures in {options.out}")


if __name__ == "__main__":
    main()
