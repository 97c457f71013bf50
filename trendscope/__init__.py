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
    "Post": "feeds.post",
    "Skipped": "skipped",
    "open_feed": "feeds.dispatch",
    "decode": "vision.images",
    "cut_out": "vision.segmentation",
    "Classifier": "vision.classifier",
    "Reading": "photos.results",
    "Classification": "photos.results",
    "Profile": "photos.summary",
    "classify": "photos.run",
    "profile": "photos.run",
    "collect": "ingest.photos",
    "read_catalog": "catalog.parsing",
    "stock": "ingest.catalog",
    "Store": "store",
    "open_store": "store",
    "status": "store",
    "forget": "store",
    "sightings": "trends.counts",
    "weekly": "trends.counts",
    "movement": "trends.verdicts",
    "forecast": "trends.forecasting",
    "report_of_store": "reports.weekly",
    "report_html": "reports.weekly_page",
    "outlook_of_store": "trends.from_store",
    "export": "reports.export",
    "campaign": "recommend.campaigns",
    "classification_json": "reports.profile",
    "profile_json": "reports.profile",
    "profile_csv": "reports.profile",
    "profile_html": "reports.profile",
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
