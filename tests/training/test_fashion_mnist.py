from __future__ import annotations

import gzip
import hashlib
import struct

import numpy as np
import pytest

pytest.importorskip("cv2")

from training.data import fashion_mnist
from training.data.fashion_mnist import Images

# Flags 0, no time, extra flags 2, system 3: a header without name, as Debian's files have it.
STRIPPED = bytes.fromhex("1f8b0800000000000203")
PUBLISHED = {
    "train-images-idx3-ubyte": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}


def test_a_gzip_header_gets_its_name_and_time_back():
    restored = fashion_mnist.restore_gzip_header(STRIPPED + b"stream", "ab", 0x01020304)
    assert restored == bytes.fromhex("1f8b0808 04030201 0003 6162 00") + b"stream"


def test_a_header_that_has_its_name_stays_as_it_is():
    original = bytes.fromhex("1f8b0808 04030201 0003 6162 00") + b"stream"
    assert fashion_mnist.restore_gzip_header(original, "other", 5) == original


def test_a_restored_stream_still_unpacks_to_the_same_bytes():
    packed = gzip.compress(b"garments" * 99, mtime=0)
    restored = fashion_mnist.restore_gzip_header(packed, "garments", 1504176606)
    assert gzip.decompress(restored) == b"garments" * 99
    assert struct.unpack("<I", restored[4:8]) == (1504176606,)


@pytest.mark.skipif(
    not fashion_mnist.DEBIAN.is_dir(), reason="needs Debian's dataset-fashion-mnist"
)
@pytest.mark.parametrize("name", PUBLISHED)
def test_debians_files_become_the_published_ones(name):
    packed = (fashion_mnist.DEBIAN / f"{name}.gz").read_bytes()
    restored = fashion_mnist.restore_gzip_header(packed, name, fashion_mnist._ORIGINALS[name])
    assert hashlib.sha256(restored).hexdigest() == PUBLISHED[name]


def numbered(count: int) -> Images:
    """Images that can be told apart: number i has i in its first pixel."""
    pixels = np.zeros((count, 28, 28), np.uint8)
    pixels[:, 0, 0] = np.arange(count)
    return Images(pixels, np.arange(count, dtype=np.int32) % 10)


def numbers(images: Images) -> list[int]:
    return images.pixels[:, 0, 0].tolist()


def test_the_split_covers_everything_once_and_is_always_the_same():
    training, validation = fashion_mnist.train_and_validation(numbered(50), held_out=20)
    assert (len(training), len(validation)) == (30, 20)
    assert sorted(numbers(training) + numbers(validation)) == list(range(50))
    again, _ = fashion_mnist.train_and_validation(numbered(50), held_out=20)
    assert numbers(again) == numbers(training)


def test_the_split_keeps_pixels_and_labels_together():
    for part in fashion_mnist.train_and_validation(numbered(50), held_out=20):
        assert [number % 10 for number in numbers(part)] == part.labels.tolist()


def test_digest_changes_with_pixels_labels_and_order():
    images = numbered(5)
    relabelled = Images(images.pixels, images.labels[::-1].copy())
    digests = {images.digest, relabelled.digest, images.take(slice(None, None, -1)).digest}
    assert len(digests) == 3
    assert numbered(5).digest == images.digest


def write_kaggle(path, images: Images, header: str | None = None) -> None:
    names = header or ",".join(["label", *(f"pixel{i}" for i in range(1, 785))])
    rows = [
        ",".join(map(str, [label, *pixels.ravel()]))
        for pixels, label in zip(images.pixels, images.labels, strict=True)
    ]
    path.write_text("\n".join([names, *rows]) + "\n")


def test_kaggles_csv_reads_back_equal(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    images = Images(pixels, np.array([9, 0, 3], np.int32))
    write_kaggle(tmp_path / "fashion-mnist_test.csv", images)
    read = fashion_mnist.load("test", source=tmp_path)
    assert read.digest == images.digest
    assert read.labels.dtype == np.int32 and read.pixels.dtype == np.uint8


def test_kaggles_csv_with_one_row_is_one_image(tmp_path):
    write_kaggle(tmp_path / "one.csv", numbered(1))
    assert fashion_mnist.read_kaggle(tmp_path / "one.csv").pixels.shape == (1, 28, 28)


def test_another_csv_is_refused_and_named(tmp_path):
    write_kaggle(tmp_path / "other.csv", numbered(1), header="a,b,c")
    with pytest.raises(ValueError, match=r"other\.csv: expected the header label,pixel1"):
        fashion_mnist.read_kaggle(tmp_path / "other.csv")


def test_a_csv_with_short_rows_is_refused(tmp_path):
    write_kaggle(tmp_path / "short.csv", numbered(1))
    text = (tmp_path / "short.csv").read_text()
    (tmp_path / "short.csv").write_text(text + "1,2,3\n")
    with pytest.raises(ValueError):
        fashion_mnist.read_kaggle(tmp_path / "short.csv")


def test_a_folder_without_the_files_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no train-images-idx3-ubyte\.gz: give"):
        fashion_mnist._find(tmp_path, "train-images-idx3-ubyte")


def garment_mask(image: np.ndarray) -> np.ndarray:
    return fashion_mnist.garment_masks(image[None])[0]


def test_a_white_garment_inside_its_outline_is_garment():
    image = np.zeros((28, 28), np.uint8)
    image[8:20, 8:20] = 200
    image[10:18, 10:18] = 0
    expected = np.zeros((28, 28), np.uint8)
    expected[8:20, 8:20] = 255
    assert (garment_mask(image) == expected).all()


def test_pixels_reached_from_the_border_are_background():
    image = np.zeros((28, 28), np.uint8)
    image[8:20, 8:20] = 200
    image[8:18, 12:16] = 0  # open at the top, and wider than what closing bridges
    mask = garment_mask(image)
    assert mask[10, 13] == 0
    assert mask[10, 9] == mask[19, 14] == 255


def test_garment_mask_of_an_empty_and_of_a_full_image():
    assert not garment_mask(np.zeros((28, 28), np.uint8)).any()
    assert (garment_mask(np.full((28, 28), 255, np.uint8)) == 255).all()


def test_background_noise_is_not_in_the_garment_mask():
    assert not garment_mask(np.full((28, 28), 6, np.uint8)).any()
