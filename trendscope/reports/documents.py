"""JSON documents with a schema version."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

SCHEMA_VERSION = 1


def document(facts: dict[str, Any]) -> str:
    """Facts as JSON: the version first, UTF-8, times in ISO 8601, no NaN."""
    versioned = {"schema_version": SCHEMA_VERSION, **facts}
    text = json.dumps(versioned, ensure_ascii=False, allow_nan=False, indent=2, default=iso)
    return text + "\n"


def iso(moment: datetime) -> str:
    """A time in UTC as programs read it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
