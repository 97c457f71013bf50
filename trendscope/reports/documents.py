"""JSON documents with a schema version."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

SCHEMA_VERSION = 1


def plain(value: Any) -> Any:
    """Facts as JSON has them: times as text, wherever they are."""
    if isinstance(value, datetime):
        return _iso(value)
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, tuple) else value


def document(facts: dict[str, Any]) -> str:
    """Facts as JSON: the version first, UTF-8, no NaN."""
    versioned = {"schema_version": SCHEMA_VERSION, **facts}
    return json.dumps(versioned, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _iso(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None
