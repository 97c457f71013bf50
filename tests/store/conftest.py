"""A store with photos, for the tests of several modules."""

from __future__ import annotations

import pytest

from tests.factories.stored import found, skipped, write


@pytest.fixture
def filled(opened):
    """Anna: two dresses, a bag (twice), two open ones, a video; Ben: a coat; a file of nobody's."""
    write(
        opened,
        found("Dress", day=(2026, 3, 2, 9)),
        found("Dress", name="2.jpg", day=(2026, 3, 30, 9), thumbnail=b"T2"),
        found("Bag", name="3.jpg", sha256="bag"),
        found("Bag", name="4.jpg", sha256="bag", day=(2026, 4, 1)),
        found(None, name="5.jpg", verdict="uncertain"),
        found(None, name="6.jpg", verdict="outside", day=(2025, 12, 31)),
        skipped(),
        found("Coat", customer="ben", name="7.jpg"),
        skipped("notes.txt", None, "not_an_image"),
    )
    return opened
