"""Which kinds of clothes do customers wear? Photos in; categories, counts and shares out.

    >>> from pathlib import Path
    >>> import trendscope
    >>> found = trendscope.profile([Path("photos")])  # doctest: +SKIP

The names below stand in the order of the pipeline and are loaded when first used, so that
``import trendscope`` costs next to nothing.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "TrendscopeError": "errors",
    "CATEGORIES": "categories",
    "Post": "feeds",
    "Skipped": "feeds",
    "open_feed": "feeds",
    "decode": "images",
    "cut_out": "garments",
    "Classifier": "classifier",
    "Reading": "readings",
    "Classification": "readings",
    "Profile": "readings",
    "classify": "scan",
    "profile": "scan",
    "collect": "collect",
    "read_catalog": "catalog",
    "stock": "stocking",
    "Store": "store",
    "open_store": "store",
    "status": "store",
    "forget": "store",
    "sightings": "trends",
    "weekly": "trends",
    "movement": "trends",
    "forecast": "trends",
    "report_of_store": "weekly_report",
    "report_html": "trend_page",
    "outlook_of_store": "stored_trends",
    "export": "exporting",
    "campaign": "campaign",
    "classification_json": "report",
    "profile_json": "report",
    "profile_csv": "report",
    "profile_html": "report",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("trendscope")
    if name in _HOMES:
        return getattr(import_module(f"trendscope.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'trendscope' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
