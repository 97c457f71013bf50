"""Which kinds of clothes do customers wear? Photos in; categories, counts and shares out.

    >>> from pathlib import Path
    >>> import trendscope
    >>> wardrobes = trendscope.profile([Path("photos")])  # doctest: +SKIP

The names below stand in the order of the pipeline and are loaded when first used, so that
``import trendscope`` costs next to nothing.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "TrendscopeError": "errors",
    "CATEGORIES": "categories",
    "Post": "feeds.post",
    "Skipped": "skipped",
    "open_feed": "feeds.dispatch",
    "decode": "vision.images",
    "Classifier": "vision.classifier",
    "load_predictor": "vision.loading",
    "PhotoResult": "photos.results",
    "Classification": "photos.results",
    "Profile": "photos.summary",
    "classify": "photos.run",
    "profile": "photos.run",
    "scan": "ingest.photos",
    "read_catalog": "catalog.parsing",
    "import_catalog": "ingest.catalog",
    "Store": "store",
    "open_store": "store",
    "correct": "store",
    "status": "store",
    "forget": "store",
    "sightings": "trends.counts",
    "weekly": "trends.counts",
    "movement": "trends.verdicts",
    "forecast": "trends.forecasting",
    "trends_of_store": "trends.from_store",
    "campaign": "recommend.campaigns",
    "report_of_store": "reports.weekly",
    "report_html": "reports.weekly_page",
    "export": "reports.table_export",
    "classification_json": "reports.profile",
    "profile_json": "reports.profile",
    "profile_csv": "reports.profile",
    "profile_html": "reports.profile",
}

_FORMER_NAMES = {
    "Reading": "PhotoResult",
    "collect": "scan",
    "stock": "import_catalog",
    "outlook_of_store": "trends_of_store",
}
"""Names of earlier versions, which go on working."""

__all__ = [*_HOMES, *_FORMER_NAMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("trendscope")
    current = _FORMER_NAMES.get(name, name)
    if current in _HOMES:
        return getattr(import_module(f"trendscope.{_HOMES[current]}"), current)
    raise AttributeError(f"module 'trendscope' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
