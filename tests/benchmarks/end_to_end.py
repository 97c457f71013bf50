"""Photos from disk to database, against bare decoding and against the tutorials' pipeline.

    python -m tests.benchmarks.end_to_end --photos 1000 --times 3

Bare decoding is two threads of Pillow's scaled decoding to the side at which photos are looked at,
and nothing else. The tutorials' pipeline is Keras': decode, resize to 28 x 28 grey, predict in
batches (``pip install keras tensorflow-cpu``; left out where it is missing); their loop predicts
one photo after another, as most of them do. What is compared takes turns, each in a process of its
own that has its libraries and its network loaded; the table gives medians. CPU ratios are of the
processor time of the process and its decoders, and hold on a busy machine too; the others are of
time on the clock. MB are the process' most above what it had loaded.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from statistics import median

import numpy as np
import pillow_heif
from PIL import Image
from PIL.Image import Resampling

from trendscope.photos.pipeline import BATCH, THREADS
from trendscope.vision.images import DECODED_SIDE

pillow_heif.register_heif_opener()

KINDS = {
    "1080x1350": ((1080, 1350), "JPEG", {"quality": 85}),
    "12MP": ((4032, 3024), "JPEG", {"quality": 85}),
    "WebP": ((1080, 1350), "WEBP", {"quality": 85, "method": 0}),
    "HEIC": ((1080, 1350), "HEIF", {"quality": 70}),
}
DRAWINGS = 8
"""Different pictures; more photos are the same with other bytes behind the end."""


def draw(size: tuple[int, int], seed: int) -> Image.Image:
    """A patterned garment on an unevenly lit floor of a like colour, with a camera's fine grain."""
    random = np.random.default_rng(seed)
    width, height = size
    floor, cloth = random.integers(60, 220, (2, 3))
    scene = np.full((height // 4, width // 4, 3), floor, float)
    top, left = height // 16, width // 16
    garment = scene[top : 3 * top, left : 3 * left]
    stripes = 25 * np.sin(np.arange(garment.shape[0]) / random.uniform(2, 9))
    garment[:] = 0.75 * floor + 0.25 * cloth + stripes[:, None, None]
    light = Image.fromarray(random.normal(0, 25, (6, 5)).astype(np.float32))
    scene += np.asarray(light.resize((width // 4, height // 4), Resampling.BICUBIC))[..., None]
    scene += random.normal(0, 6, scene.shape)
    picture = Image.fromarray(scene.clip(0, 255).astype(np.uint8)).resize(size, Resampling.BICUBIC)
    grain = random.normal(0, 3, (height, width, 1))
    return Image.fromarray((np.asarray(picture) + grain).clip(0, 255).astype(np.uint8))


def picture_file(kind: str, seed: int) -> bytes:
    """A drawing as a file of one of the `KINDS`."""
    size, form, options = KINDS[kind]
    out = io.BytesIO()
    draw(size, seed).save(out, form, **options)
    return out.getvalue()


def make_feed(folder: Path, kind: str, photos: int) -> Path:
    """Photos of one kind, a sub-folder for a hundred."""
    form = KINDS[kind][1]
    drawings = [picture_file(kind, seed) for seed in range(min(DRAWINGS, photos))]
    for number in range(photos):
        place = folder / kind / f"customer{number // 100:04}"
        place.mkdir(parents=True, exist_ok=True)
        tail = number.to_bytes(4, "big") if form == "JPEG" else b""
        (place / f"IMG_20260{1 + number % 9}15_{number:06}.{form.lower()}").write_bytes(
            drawings[number % len(drawings)] + tail
        )
    return folder / kind


# --- what is compared, each in a process of its own ----------------------------------------------


def bare_decode(paths: list[Path]) -> Callable[[], object]:
    """Scaled decoding and nothing else."""

    def one(path: Path) -> tuple[int, int]:
        with Image.open(path) as picture:
            picture.draft("RGB", (DECODED_SIDE, DECODED_SIDE))
            picture.thumbnail((DECODED_SIDE, DECODED_SIDE))
            return picture.convert("RGB").size

    def run() -> None:
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(one, paths))

    return run


def trendscope(paths: list[Path]) -> Callable[[], object]:
    """The product: feed, decoding, isolation, network, database."""
    import trendscope.store.database  # noqa: F401 - loaded by `scan` when it is first needed
    from trendscope.cli import tune_interpreter
    from trendscope.ingest.photos import scan
    from trendscope.vision.loading import load_predictor
    from trendscope.vision.photo_detector import PhotoDetector

    tune_interpreter()
    predictor = load_predictor()
    assert isinstance(predictor, PhotoDetector)
    view = predictor.prepare(np.zeros((400, 300, 3), np.uint8))
    for picture in (view.single, view.people):  # Compiles what is run, for one photo and for many.
        predictor.look([picture])
        predictor.look([picture] * 4)
    database = Path(tempfile.mkdtemp()) / "t.db"
    return lambda: scan([paths[0].parents[1]], database, weights=predictor)


def tutorial(paths: list[Path], batch: int = BATCH) -> Callable[[], object]:
    """What tutorials show, with predictions in batches, which few of them do."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras
    from keras import layers

    convolutions = [
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
    ]
    dense = [layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(10, "softmax")]
    model = keras.Sequential([keras.Input((28, 28, 1)), *convolutions, *dense])
    model.predict(np.zeros((batch, 28, 28, 1)), verbose=0)

    def load(path: Path) -> np.ndarray:
        picture = keras.utils.load_img(path, color_mode="grayscale", target_size=(28, 28))
        return keras.utils.img_to_array(picture) / 255

    def run() -> None:
        for part in batches(paths, batch):
            model.predict(np.stack([load(path) for path in part]), verbose=0)

    return run


def tutorial_loop(paths: list[Path]) -> Callable[[], object]:
    """What tutorials show as they show it: one photo after another."""
    return tutorial(paths, batch=1)


def batches(items: list[Path], size: int) -> Iterator[list[Path]]:
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part


WAYS = {
    "bare decode": bare_decode,
    "trendscope": trendscope,
    "tutorial": tutorial,
    "tutorial's loop": tutorial_loop,
}


def measure(way: str, folder: Path) -> None:
    """Prepares, runs, and prints seconds and MB as JSON."""
    run = WAYS[way](sorted(path for path in folder.rglob("*") if path.is_file()))
    before = memory()
    begun, used = time.perf_counter(), processor_time()
    run()
    seconds, cpu = time.perf_counter() - begun, processor_time() - used
    print(json.dumps({"seconds": seconds, "cpu": cpu, "megabytes": memory() - before}))


def processor_time() -> float:
    """Seconds of this process and of those it started that have ended."""
    return sum(os.times()[:4])


def memory() -> float:
    """The most that this process had, in MB; not ru_maxrss, which is taken over from the parent."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--kinds", nargs="+", default=["1080x1350"], choices=KINDS)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.measure[0], Path(arguments.measure[1]))
        return
    ways = [way for way in WAYS if not way.startswith("tutorial") or find_spec("keras")]
    rows = []
    for kind in arguments.kinds:
        with tempfile.TemporaryDirectory() as folder:
            feed = make_feed(Path(folder), kind, arguments.photos)
            runs_by_way = {way: [] for way in ways}
            for _ in range(arguments.times):
                for way in ways:
                    runs_by_way[way].append(in_a_process(way, feed))
        rows += [row(kind, arguments.photos, way, runs_by_way) for way in ways]
    print(json.dumps(rows) if arguments.json else table(rows))


def in_a_process(way: str, feed: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.end_to_end", "--measure", way, str(feed)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def row(kind: str, photos: int, way: str, runs_by_way: dict[str, list[dict[str, float]]]) -> dict:
    """Medians, and the speed as a ratio to bare decoding and to the tutorials' pipeline."""
    seconds = {name: median(run["seconds"] for run in runs) for name, runs in runs_by_way.items()}
    cpu = {name: median(run["cpu"] for run in runs) for name, runs in runs_by_way.items()}
    return {
        "kind": kind,
        "photos": photos,
        "way": way,
        "photos_a_second": photos / seconds[way],
        "of_bare_decode": seconds["bare decode"] / seconds[way],
        "of_tutorial": seconds["tutorial"] / seconds[way] if "tutorial" in seconds else None,
        "cpu_ms_a_photo": 1000 * cpu[way] / photos,
        "cpu_of_bare_decode": cpu["bare decode"] / cpu[way],
        "cpu_of_tutorial": cpu["tutorial"] / cpu[way] if "tutorial" in cpu else None,
        "megabytes": median(run["megabytes"] for run in runs_by_way[way]),
    }


def table(rows: list[dict]) -> str:
    heads = ["photos", "way", "photos/s", "of bare decode", "of tutorial"]
    heads += ["CPU ms", "CPU of bare decode", "CPU of tutorial", "MB"]
    lines = [heads, ["---", "---", *["---:"] * 7]]
    for r in rows:
        speeds = (r["photos_a_second"], r["of_bare_decode"], r["of_tutorial"] or 0)
        cpu = (r["cpu_ms_a_photo"], r["cpu_of_bare_decode"], r["cpu_of_tutorial"] or 0)
        figures = [f"{x:.2f}" for x in (*speeds, *cpu, r["megabytes"])]
        lines.append([f"{r['photos']:,} {r['kind']}", r["way"], *figures])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
