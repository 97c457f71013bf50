from __future__ import annotations

import time
from collections.abc import Callable


def seconds(run: Callable[[], object]) -> float:
    """How long it takes, on the clock."""
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun
