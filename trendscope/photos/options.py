"""The settings that classify, profile and scan share, passed on as one value."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trendscope.limits import Limits
    from trendscope.vision.predictions import WeightsChoice


@dataclass(frozen=True)
class ScanOptions:
    """How photos are read from feeds, dated and judged; see also `trendscope.photos.run.classify`.

    Attributes:
        thumbnail_side: Longest side in pixels of a thumbnail to add to each result; none if None.
        preview_side: The same of a larger picture, for which each photo is decoded once more.
        pictures: Whether to add a thumbnail and the network's view, for a contact sheet.
    """

    weights: WeightsChoice = None
    customer: str | None = None
    include: Collection[str] = ()
    zone: tzinfo = UTC
    limits: Limits | None = None
    thumbnail_side: int | None = None
    preview_side: int | None = None
    pictures: bool = False


DEFAULTS = ScanOptions()
