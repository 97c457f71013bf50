"""Small networks are trained for a few steps, so what counts is how fast they are compiled."""

from __future__ import annotations

import pytest

from training.compilation import keep_compiled

keep_compiled()


@pytest.fixture(scope="module", autouse=True)
def always_quickly_compiled(quickly_compiled):
    """Every module of these tests compiles so."""
