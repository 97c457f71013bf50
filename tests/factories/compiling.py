"""How tests compile networks that they run but a few times."""

from __future__ import annotations

import jax
import pytest


@pytest.fixture(scope="module")
def quickly_compiled():
    """Compiles without the optimisations, which take longer here than they save.

    Not for the shipped networks: their compiled code is kept for later runs.
    """
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
