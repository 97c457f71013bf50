"""Small networks are trained for a few steps, so what counts is how fast they are compiled."""

from __future__ import annotations

import jax
import pytest

from trendscope.vision.compilation import keep_compiled

keep_compiled()


@pytest.fixture(scope="package", autouse=True)
def quickly_compiled():
    """Compiles without the optimisations, which take longer here than they save."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
