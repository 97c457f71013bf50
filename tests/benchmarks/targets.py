"""How long exact recommendations take: ``python -m tests.benchmarks.targets``.

10,000 customers with 12 photos each and 50,000 items, spread over the ten categories as unevenly as
clothes are, and the same with all in one category. Every figure is of a process of its own; the
yardstick beside it is one matrix product of the same size, which no exact search can avoid.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

import numpy as np
import pandas as pd

from trendscope.categories import CATEGORIES
from trendscope.recommend.ranking import RecommendOptions, targets

CUSTOMERS, PHOTOS, ITEMS, WIDE = 10_000, 12, 50_000, 128
SHARES = np.array([25, 17, 15, 12, 10, 3, 8, 6, 3, 1]) / 100
"""Of the categories, about those of the labelled phone photos."""


def vectors(labels: np.ndarray, draw: np.random.Generator) -> list[bytes]:
    """Views as the network has them: never negative, near within a category."""
    middle = np.random.default_rng(0).gamma(1.0, 1.0, (len(CATEGORIES), WIDE))
    noise = draw.gamma(2.0, 0.3, (len(labels), WIDE))
    return [row.tobytes() for row in (middle[labels] + noise).astype("<f4")]


def tables(shares: np.ndarray, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sightings and a shelf of made-up customers and items."""
    draw = np.random.default_rng(seed)
    names = np.array(CATEGORIES, object)
    n = CUSTOMERS * PHOTOS
    # Everybody has a taste: the shares, sharpened at random.
    tastes = draw.dirichlet(3 * shares + 1e-9, CUSTOMERS)
    worn = np.concatenate([draw.choice(10, PHOTOS, p=taste) for taste in tastes])
    days = draw.integers(0, 400, n)
    sightings = pd.DataFrame(
        {
            "customer": np.repeat([f"customer {i:05}" for i in range(CUSTOMERS)], PHOTOS),
            "posted_at": pd.Timestamp("2025-10-01", tz="UTC") + pd.to_timedelta(days, unit="D"),
            "category": names[worn],
            "confidence": draw.uniform(0.9, 1, n),
            "sha256": [f"{i:064x}" for i in range(n)],
            "source": [f"photos/{i}.jpg" for i in range(n)],
            "embedding": vectors(worn, draw),
        }
    )
    sold = draw.choice(10, ITEMS, p=shares)
    items = pd.DataFrame(
        {
            "sku": [f"A{i:05}" for i in range(ITEMS)],
            "title": "",
            "category": names[sold],
            "price": draw.uniform(5, 200, ITEMS).round(2),
            "currency": "EUR",
            "in_stock": draw.random(ITEMS) < 0.9,
            "review": "",
            "embedding": vectors(sold, draw),
        }
    )
    return sightings, items


def measured(kind: str) -> dict[str, float]:
    """Seconds, of the product alone too, and the memory it took at most, in MB."""
    shares = SHARES if kind == "ten categories" else np.eye(10)[3]
    sightings, items = tables(shares)
    start, worked = time.perf_counter(), time.process_time()
    result = targets(sightings, items, RecommendOptions())
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "rows": len(result.rows),
        "seconds": seconds,
        "cpu": worked,
        "MB": memory,
        "product": _product(shares),
    }


def _product(shares: np.ndarray) -> float:
    """Seconds of the plain products of all photos with all items of their category."""
    draw = np.random.default_rng(2)
    start = time.perf_counter()
    for share in shares:
        photos = draw.random((round(share * CUSTOMERS * PHOTOS), WIDE), np.float32)
        items = draw.random((round(share * ITEMS), WIDE), np.float32)
        for row in range(0, len(photos), 500):
            photos[row : row + 500] @ items.T
    return time.perf_counter() - start


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(measured(sys.argv[1])))
        return
    print("| 10,000 x 50,000 | targets | s | of CPU | plain products, s | ratio | MB |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for kind in ("ten categories", "one category"):
        command = [sys.executable, "-m", "tests.benchmarks.targets", kind]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        result = json.loads(done.stdout)
        seconds, product = result["seconds"], result["product"]
        cells = (f"{result['rows']:,}", f"{seconds:.1f}", f"{result['cpu']:.1f}", f"{product:.1f}")
        print(
            "|", " | ".join((kind, *cells, f"{seconds / product:.1f}", f"{result['MB']:,.0f}")), "|"
        )


if __name__ == "__main__":
    main()
