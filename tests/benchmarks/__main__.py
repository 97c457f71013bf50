"""Measures what users wait for, as ratios within one run: ``python -m tests.benchmarks``.

Every time is the median of several runs; the yardstick of each row is measured beside it, so that a
slow machine makes both slow. Prints a Markdown table, or JSON with ``--json``.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from tests.benchmarks import seconds
from tests.factories.photos import painted
from trendscope.vision.compilation import compiler_options
from trendscope.vision.images import DECODED_SIDE, decode
from trendscope.vision.loading import load_predictor
from trendscope.vision.network import BatchNorm
from trendscope.vision.sandbox import Decoder

BATCH = 8
"""Photos judged together."""


class Row(NamedTuple):
    """One comparison; `seconds` and `yardstick_seconds` are medians."""

    what: str
    seconds: float
    yardstick: str
    yardstick_seconds: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.yardstick_seconds


def paired(what: str, run: Callable, yardstick: str, other: Callable, times: int = 7) -> Row:
    """Runs both in turn and compares their medians."""
    pairs = [(seconds(run), seconds(other)) for _ in range(times)]
    ours, theirs = zip(*pairs, strict=True)
    return Row(what, median(ours), yardstick, median(theirs))


def command(*words: str) -> Callable[[], object]:
    """Runs a Python command in a process of its own."""
    return lambda: subprocess.run([sys.executable, *words], check=True, capture_output=True)


def cold_start(folder: Path) -> list[Row]:
    """Help, and a profile of 24 photos of 1080 x 1350, each against importing jax."""
    for number in range(24):
        data = painted("Bag", (1080, 1350), "JPEG")
        (folder / f"{number}.jpg").write_bytes(data + bytes([number]))
    jax_import = command("-c", "import jax")
    profile = command("-m", "trendscope", "profile", str(folder))
    help_command = command("-m", "trendscope", "--help")
    return [
        paired("trendscope --help", help_command, "import jax", jax_import),
        paired("profile of 24 photos, cold", profile, "import jax", jax_import),
    ]


def isolation() -> Row:
    """On one core: all the way from the decoded photo to the verdict, a photo of a full batch."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rgb = np.asarray(Image.open(Path("sample_feeds/anna/IMG_20260824_093000.jpg")).reduce(3))
    predictor = load_predictor()
    product = jnp.ones((1024, 1024))
    multiply = jax.jit(lambda a: a @ a)

    def all_of_them() -> None:
        predictor.predict([predictor.prepare(rgb) for _ in range(BATCH)])

    def multiplied() -> None:
        multiply(product).block_until_ready()

    all_of_them()  # Compiles.
    multiplied()
    batch = paired("decoded photo to verdict", all_of_them, "matrix product", multiplied)
    return batch._replace(seconds=batch.seconds / BATCH)


def processes() -> Row:
    """Decoding in processes of their own against threads of this one, two at a time."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (135, 108, 3), np.uint8))
    out = io.BytesIO()
    noise.resize((1080, 1350)).save(out, "JPEG", quality=85)
    data = out.getvalue()
    decoder = Decoder()

    def hundred(decode_one: Callable[..., object]) -> Callable[[], object]:
        def run() -> None:
            with ThreadPoolExecutor(2) as threads:
                list(threads.map(lambda _: decode_one(data, max_side=DECODED_SIDE), range(100)))

        return run

    isolated, plain = hundred(decoder.decode), hundred(decode)
    isolated()
    try:
        return paired("100 photos decoded in workers", isolated, "in threads", plain, times=5)
    finally:
        decoder.close()


def batch_norm() -> Row:
    """Gradient of our batch normalisation against Flax' own."""
    x = jnp.ones((128, 28, 28, 32))

    def gradient(module: nn.Module, **options: bool) -> Callable[[], object]:
        variables = module.init(jax.random.key(0), x, **options)

        def loss(x: jax.Array) -> jax.Array:
            y, _ = module.apply(variables, x, mutable=["batch_stats"], **options)
            return (y**2).sum()

        step = jax.jit(jax.grad(loss), compiler_options=compiler_options())
        step(x).block_until_ready()
        return lambda: step(x).block_until_ready()

    ours, theirs = gradient(BatchNorm(), train=True), gradient(nn.BatchNorm(False))
    return paired("BatchNorm, gradient", ours, "flax.linen.BatchNorm", theirs, times=21)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = [*cold_start(Path(folder)), processes(), batch_norm()]
    # A process of its own, because it keeps to one core.
    program = "import json; from tests.benchmarks.__main__ import *; print(json.dumps(isolation()))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    rows.append(Row(*json.loads(done.stdout)))
    if "--json" in sys.argv:
        print(json.dumps([{**row._asdict(), "ratio": round(row.ratio, 3)} for row in rows]))
        return
    print("| what | ms | against | ms | ratio |\n|---|---:|---|---:|---:|")
    for row in rows:
        ours, theirs = 1000 * row.seconds, 1000 * row.yardstick_seconds
        print(f"| {row.what} | {ours:.1f} | {row.yardstick} | {theirs:.1f} | {row.ratio:.2f} |")


if __name__ == "__main__":
    main()
