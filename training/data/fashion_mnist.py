"""Fashion-MNIST through tfds, and the same data set in the CSV form it has on Kaggle.

The official tfds builder prepares the data and checks the digests of its four files. They come from
the internet, or from a folder: either the original files or those of Debian's package
`dataset-fashion-mnist`, which hold the same streams with the gzip header's name and time removed.
"""

from __future__ import annotations

import csv
import hashlib
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from jaxtyping import Int32, UInt8

Split = Literal["train", "test"]

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
VALIDATION = 6_000
"""Images held out of the 60,000 to choose settings by; the official 10,000 only report."""

# Name and modification time (Unix seconds) in the gzip header of each original file.
_ORIGINALS = {
    "train-images-idx3-ubyte": 1504176606,
    "train-labels-idx1-ubyte": 1504176606,
    "t10k-images-idx3-ubyte": 1504176627,
    "t10k-labels-idx1-ubyte": 1504176627,
}


@dataclass(frozen=True)
class Images:
    """Labelled images: `pixels` as published (0 is background), `labels` 0..9 in category order."""

    pixels: UInt8[np.ndarray, "n 28 28"]
    labels: Int32[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Any) -> Images:
        """The images of the given rows (an index, slice or mask)."""
        return Images(self.pixels[rows], self.labels[rows])

    @property
    def digest(self) -> str:
        """sha256 over pixels and labels, to tell which data some weights were trained on."""
        return hashlib.sha256(self.pixels.tobytes() + self.labels.tobytes()).hexdigest()


def load(split: Split, data_dir: Path | None = None, source: Path | None = None) -> Images:
    """Loads one official split of Fashion-MNIST, preparing it on first use.

    Args:
        split: ``train`` (60,000 images) or ``test`` (10,000).
        data_dir: Folder of tfds' prepared data; by default ``~/tensorflow_datasets``.
        source: A folder with the four original files or Debian's, or with the two Kaggle CSVs.

    Raises:
        FileNotFoundError: `source` holds neither form.
    """
    if source and (table := _kaggle_table(source, split)).exists():
        return read_kaggle(table)
    import tensorflow_datasets as tfds

    builder = tfds.builder("fashion_mnist", data_dir=data_dir, file_format="array_record")
    if not builder.info.splits:
        _prepare(builder, source)
    # Read through the prepared folder: this path never imports TensorFlow.
    records = tfds.data_source("fashion_mnist", split=split, data_dir=data_dir)
    examples = records.__getitems__(range(len(records)))
    pixels = np.stack([example["image"][..., 0] for example in examples])
    return Images(pixels, np.array([example["label"] for example in examples], np.int32))


def train_and_validation(images: Images, held_out: int = VALIDATION) -> tuple[Images, Images]:
    """Splits the 60,000 once and for all: the same rows are held out in every run."""
    order = np.random.default_rng(0).permutation(len(images))
    return images.take(order[held_out:]), images.take(order[:held_out])


def _prepare(builder: Any, source: Path | None) -> None:
    import tensorflow_datasets as tfds

    folder = source or (DEBIAN if DEBIAN.is_dir() else None)
    if folder is None:
        builder.download_and_prepare()
        return
    with tempfile.TemporaryDirectory() as restored:
        for name, time in _ORIGINALS.items():
            original = restore_gzip_header(_find(folder, name).read_bytes(), name, time)
            (Path(restored) / f"{name}.gz").write_bytes(original)
        config = tfds.download.DownloadConfig(manual_dir=restored)
        builder.download_and_prepare(download_config=config)


def restore_gzip_header(stream: bytes, name: str, time: int) -> bytes:
    """Gives a gzip stream the header of the published file, whose digest tfds checks.

    A stream that has its name already (flag byte 8) is returned as it is. Layout: RFC 1952.
    """
    if stream[3] == 8:
        return stream
    return (
        b"\x1f\x8b\x08\x08"
        + struct.pack("<I", time)
        + b"\x00\x03"
        + name.encode()
        + b"\0"
        + (stream[10:])
    )


def _find(folder: Path, name: str) -> Path:
    path = folder / f"{name}.gz"
    if not path.exists():
        raise FileNotFoundError(
            f"{folder} holds no {path.name}: give a folder with the four Fashion-MNIST files, "
            "or install Debian's dataset-fashion-mnist"
        )
    return path


def _kaggle_table(folder: Path, split: Split) -> Path:
    return folder / f"fashion-mnist_{split}.csv"


def read_kaggle(path: Path) -> Images:
    """Reads the CSV form: a header, then ``label,pixel1,...,pixel784`` per image.

    Raises:
        ValueError: The header is another one, or a row is not 785 whole numbers 0..255.
    """
    with path.open(newline="") as file:
        header = next(csv.reader(file), [])
    if header != ["label", *(f"pixel{i}" for i in range(1, 785))]:
        raise ValueError(f"{path}: expected the header label,pixel1,...,pixel784")
    table = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.uint8, ndmin=2)
    return Images(table[:, 1:].reshape(-1, 28, 28), table[:, 0].astype(np.int32))


def garment_masks(pixels: UInt8[np.ndarray, "n 28 28"]) -> UInt8[np.ndarray, "n 28 28"]:
    """The area each garment covers, holes filled: 255 inside, 0 outside."""
    return np.stack([garment_mask(image) for image in pixels])


def garment_mask(image: UInt8[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    """Mask of the garment in a published image, holes filled: 255 inside, 0 outside.

    White cloth is 0, like the background; pixels that cannot be reached from the border are
    garment.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    filled = np.pad((image > 6).astype(np.uint8), 2)
    reached = cv2.morphologyEx(filled, cv2.MORPH_CLOSE, kernel)
    cv2.floodFill(reached, None, (0, 0), 2)
    return np.where(reached != 2, 255, 0).astype(np.uint8)[2:-2, 2:-2]
