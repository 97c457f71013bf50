"""Databases of many customers over many weeks, written straight into the tables.

The photos' small pictures are those of `PICTURES`; who wears what is drawn with a seed, except that
from `RISEN_FROM` on, twice as many wear dresses as before.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import insert

from trendscope import store, weeks
from trendscope.categories import CATEGORIES
from trendscope.limits import Limits
from trendscope.store import schema
from trendscope.store.schema import to_moment
from trendscope.vision.images import DECODED_SIDE, decode
from trendscope.vision.images import thumbnail as small
from trendscope.vision.weights import WeightsIdentity, identify

ROOT = Path(__file__).parents[2]
LAST = datetime(2026, 11, 15, 12, tzinfo=UTC)
"""A Sunday: the end of 2026-W46."""
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SHARES = np.array([0.2, 0.15, 0.1, 0.08, 0.03, 0.02, 0.05, 0.07, 0.12, 0.01])
"""Of photos with each category; the rest are half uncertain, half outside."""
RISEN_FROM = 4
"""Weeks before the end."""


def pictures(folder: Path | None = None, most: int = 40) -> list[bytes]:
    """Thumbnails of photos in a folder; of the sample feeds if it is not there."""
    if folder is None or not folder.is_dir():
        folder = ROOT / "sample_feeds" / "anna"
    files = sorted(folder.rglob("*.jpg"))[:most]
    return [
        small(decode(file.read_bytes(), max_side=DECODED_SIDE, limits=Limits()).rgb, 128)
        for file in files
    ]


def fill(
    db: str,
    customers: int,
    length: int = 30,
    *,
    seed: int = 0,
    thumbnails: list[bytes] | None = None,
    weights: WeightsIdentity | None = None,
    names: str = "customer {:04}",
) -> None:
    """Writes `length` complete weeks, each with a photo of every second customer or two."""
    draw = np.random.default_rng(seed)
    active = np.argwhere(draw.random((length, customers)) < 0.5)
    active = np.repeat(active, draw.integers(1, 3, len(active)), axis=0)
    week, owner = active.T
    risen = SHARES + np.where(week[:, None] >= length - RISEN_FROM, np.eye(10)[3] * 0.08, 0)
    kind = (draw.random((len(week), 1)) > risen.cumsum(1)).sum(1)
    start = LAST - timedelta(weeks=length) + timedelta(hours=13)
    moment = [
        start + timedelta(weeks=int(w), minutes=int(m))
        for w, m in zip(week, draw.integers(0, 7 * 24 * 60, len(week)), strict=True)
    ]
    rows = list(zip(owner.tolist(), kind.tolist(), map(to_moment, moment), strict=True))
    used = weights or identify("photos")
    with store.open_store(db, create=True, now=NOW) as opened, opened.writing() as connection:

        def write(table: object, values: list[dict[str, object]]) -> None:
            for begin in range(0, len(values), 50_000):
                connection.execute(insert(table), values[begin : begin + 50_000])

        then = to_moment(NOW)
        write(schema.customers, [{"id": i, "name": names.format(i)} for i in range(customers)])
        write(
            schema.weights,
            [{"id": 1, "name": used.name, "digest": used.digest, "since": then, "current": True}],
        )
        digests = [hashlib.sha256(f"{seed} {i}".encode()).hexdigest() for i in range(len(rows))]
        write(
            schema.images,
            [{"id": i, "sha256": digest, "local": False} for i, digest in enumerate(digests)],
        )
        write(schema.photos, [_photo(i, *row, digests[i]) for i, row in enumerate(rows)])
        write(schema.sightings, [_sighting(i, row[1]) for i, row in enumerate(rows)])
        kept = thumbnails or []
        write(
            schema.thumbnails,
            [{"image_id": i, "jpeg": kept[i % len(kept)]} for i in range(len(rows)) if kept],
        )
        skips = [("video", "a video"), ("empty", "the file is empty"), ("truncated", "cut short")]
        write(schema.skips, [_skip(i, *skip) for i, skip in enumerate(skips)])
        count = {"judged": len(rows), "recognised": 0, "unchanged": 0, "skipped": len(skips)}
        write(
            schema.scans,
            [{"id": 1, "weights_id": 1, "started_at": then, "finished_at": then, **count}],
        )


def _photo(i: int, owner: int, kind: int, moment: int, digest: str) -> dict[str, object]:
    return {
        "id": i,
        "customer_id": owner,
        "image_id": i,
        "place": i.to_bytes(8, "big"),
        "post_id": str(i),
        "source": f"feeds/{owner}/{i}.jpg",
        "posted_at": moment,
        "date_source": "feed",
        "counted": True,
    }


def _sighting(i: int, kind: int) -> dict[str, object]:
    named = kind < 10
    return {
        "image_id": i,
        "weights_id": 1,
        "number": 0,
        "category": CATEGORIES[kind] if named else None,
        "reason": None if named else ("uncertain", "outside")[i % 2],
        "confidence": 0.95 if named else 0.4,
        "outside": 0.01,
        "probabilities": np.full(10, 0.05, "<f4").tobytes(),
        **dict.fromkeys(("x0", "y0", "x1", "y1"), 10 if named else None),
    }


def _skip(i: int, reason: str, detail: str) -> dict[str, object]:
    return {
        "place": b"skip" + bytes([i]),
        "customer_id": 0,
        "source": f"feeds/0/skipped{i}",
        "reason": reason,
        "detail": detail,
        "version": "0",
    }


def last_weeks(count: int) -> list[str]:
    """The labels of the last complete weeks, the latest last."""
    last = weeks.number_of(LAST.date())
    return [weeks.name(number) for number in range(last - count + 1, last + 1)]
