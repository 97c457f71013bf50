"""Photos and results whose figures can be worked out by hand, and the fixtures made of them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import strategies as st

from tests.factories.classifier import FakeClassifier
from tests.factories.paintings import painted
from trendscope.categories import CATEGORIES
from trendscope.photos.results import Garment, PhotoResult
from trendscope.photos.summary import summarise
from trendscope.skipped import Skipped
from trendscope.vision.scores import Scores

moments = st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)

wardrobes = st.lists(
    st.builds(
        lambda category, customer, verdict, moment, name: photo_result(
            category, customer, name=str(name), verdict=verdict, posted_at=moment
        ),
        st.sampled_from(CATEGORIES),
        st.sampled_from(["anna", "ben", ""]),
        st.sampled_from(["classified", "classified", "uncertain", "outside"]),
        moments,
        st.integers(0, 999),
    )
    | st.builds(
        Skipped,
        st.sampled_from([None, "anna", "carla"]),
        st.sampled_from(["x.jpg", "y.jpg"]),
        st.sampled_from(["empty", "video"]),
        st.just("why"),
    ),
    max_size=30,
)

MEASURED = Scores(
    "fake", 200, True, 0.95, 0.5, {"Trouser": 0.8, "Dress": 0.5, "Coat": 0.2, "Shoes": 0.0}
)
"""Scores of the weights of these results."""

GOLD = Path(__file__).parents[1] / "gold"


def photo_result(
    category="Dress", customer="anna", day=None, name="a.jpg", verdict="classified", **more
):
    """A result with literal figures: 0.8 for its category, the rest even."""
    best = category or "Shirt"
    rest = tuple((other, 0.02) for other in CATEGORIES if other != best)
    values = {
        "customer": customer,
        "post_id": name,
        "source": f"photos/{customer}/{name}",
        "sha256": f"{customer}-{name}",
        "posted_at": day and datetime(*day, tzinfo=UTC),
        "date_source": "feed" if day else "none",
        "verdict": verdict,
        "garments": (Garment(best, 0.8, (10, 20, 110, 220)),) if verdict == "classified" else (),
        "probabilities": ((best, 0.8), *rest),
        "outside": 0.02,
    }
    return PhotoResult(**{**values, **more})


OUTFIT = (
    Garment("Shirt", 0.9, (60, 60, 140, 150)),
    Garment("Bag", 0.7, (130, 110, 190, 200)),
    Garment("Trouser", 0.8, (70, 150, 130, 280)),
)
"""A shirt, a bag and a pair of trousers in a photo of 200 x 300 pixels, in reading order."""


def outfit(garments=OUTFIT, **more):
    """A result with several garments, and a sneaker of which the network is not sure."""
    values = {
        "size": (200, 300),
        "garments": garments,
        "candidates": (Garment("Sneaker", 0.3, (80, 270, 120, 298)),),
    }
    return photo_result("Shirt", **{**values, **more})


reading = photo_result
"""The name of earlier versions."""


@pytest.fixture
def wardrobe():
    """Two customers whose figures are easy to work out by hand, and files of all sorts of bad."""
    return [
        photo_result("Dress", day=(2026, 3, 2, 9), name="1.jpg", thumbnail=b"T1"),
        photo_result("Dress", day=(2026, 3, 30, 9), name="2.jpg", thumbnail=b"T2"),
        photo_result("Dress", name="3.jpg", thumbnail=b"T3"),
        photo_result("Bag", day=(2026, 3, 5, 9), name="4.jpg", thumbnail=b"T4"),
        photo_result(None, day=(2026, 4, 1), name="5.jpg", verdict="uncertain"),
        photo_result(None, day=(2026, 1, 1), name="6.jpg", verdict="outside", outside=0.7),
        Skipped("anna", "photos/anna/x.jpg", "empty", "the file is empty"),
        photo_result("Coat", customer="=SUM(A1)", day=(2026, 5, 1), name="7.jpg"),
        Skipped(None, "photos/notes.txt", "not_an_image", "content is no picture"),
    ]


@pytest.fixture
def profile(wardrobe):
    return summarise("fake", wardrobe, scores=MEASURED)


@pytest.fixture
def photos(tmp_path):
    """A folder per customer: anna has two dresses, a bag and a broken file; ben a coat."""
    files = {
        "anna/IMG_20260302_090000.png": painted("Dress"),
        "anna/IMG_20260330_090000.png": painted("Dress", (130, 160)),
        "anna/bag.png": painted("Bag"),
        "anna/broken.jpg": b"\xff\xd8\xff and then nothing",
        "ben/coat.png": painted("Coat"),
    }
    for name, data in files.items():
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "photos"


@pytest.fixture
def fake_command(monkeypatch):
    """Commands judge with the fake classifier, in this process."""
    monkeypatch.setattr("trendscope.photos.pipeline.resolve", lambda weights: FakeClassifier())


@pytest.fixture
def gold():
    """Compares with a kept file; GOLD=write keeps the new text instead, for a person to review."""

    def compare(name, text):
        path = GOLD / name
        if os.environ.get("GOLD") == "write":
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{path} differs; GOLD=write to renew"

    return compare
