"""Sums of the results per customer and category."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

import numpy as np

from trendscope import weeks
from trendscope.categories import CATEGORIES
from trendscope.photos.results import PhotoResult
from trendscope.proportions import Floats, estimated_shares, sum_exactly
from trendscope.skipped import Skipped

if TYPE_CHECKING:
    from trendscope.vision.predictions import Verdict
    from trendscope.vision.scores import Scores


@dataclass(frozen=True)
class CategoryCount:
    """How often one customer wears one category.

    Attributes:
        category: One of the ten.
        count: Garments of it; today at most one in a photo.
        share: What part of the customer's garments is probably of it; see `estimated_shares`.
        first_seen: Earliest dated photo of it, aware UTC.
        last_seen: Latest.
    """

    category: str
    count: int
    share: float
    first_seen: datetime | None
    last_seen: datetime | None


@dataclass(frozen=True)
class CustomerProfile:
    """What one customer wears.

    Attributes:
        customer: The name.
        readings: The photos looked at, by date (undated last), then by source.
        skipped: What was not used, by source.
        categories: All ten, in label order, also those never seen.
    """

    customer: str
    readings: tuple[PhotoResult, ...]
    skipped: tuple[Skipped, ...]
    categories: tuple[CategoryCount, ...]

    @property
    def dates(self) -> tuple[datetime, ...]:
        """The dates of all dated photos, earliest first, aware UTC."""
        return tuple(r.posted_at for r in self.readings if r.posted_at is not None)

    @property
    def undated(self) -> int:
        """Photos without a date."""
        return len(self.readings) - len(self.dates)

    def verdicts(self, verdict: Verdict) -> tuple[PhotoResult, ...]:
        """The photos with one verdict."""
        return tuple(reading for reading in self.readings if reading.verdict == verdict)

    @property
    def ranked(self) -> tuple[CategoryCount, ...]:
        """The categories that were seen, most worn first, ties in label order."""
        seen = (category for category in self.categories if category.count)
        return tuple(sorted(seen, key=lambda category: -category.share))

    @property
    def other_share(self) -> float:
        """Share of the categories of which no photo was sure, 0..1."""
        return sum(category.share for category in self.categories if not category.count)


@dataclass(frozen=True)
class Profile:
    """What every customer of some feeds wears.

    Attributes:
        weights: Name of the weights that judged.
        customers: Those of whom a photo could be read, by name.
        unowned: What was not used and belongs to none of them, by source.
        zone: In which weeks begin.
        measured: What these weights scored on labelled photos; None where that is not known.
    """

    weights: str
    customers: tuple[CustomerProfile, ...]
    unowned: tuple[Skipped, ...]
    zone: tzinfo = UTC
    measured: Scores | None = None

    @property
    def readings(self) -> tuple[PhotoResult, ...]:
        """All photos that were looked at."""
        return tuple(reading for customer in self.customers for reading in customer.readings)

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """Everything that was not used, the customers' own first."""
        own = (skipped for customer in self.customers for skipped in customer.skipped)
        return (*own, *self.unowned)


def summarise(
    weights: str,
    results: Iterable[PhotoResult | Skipped],
    zone: tzinfo = UTC,
    measured: Scores | None = None,
) -> Profile:
    """Sums up photos per customer; the order in which they come does not matter."""
    readings: defaultdict[str, list[PhotoResult]] = defaultdict(list)
    skipped: defaultdict[str | None, list[Skipped]] = defaultdict(list)
    for result in results:
        if isinstance(result, PhotoResult):
            readings[result.customer].append(result)
        else:
            skipped[result.customer].append(result)
    names = sorted(readings)
    customers = tuple(_customer(name, readings[name], skipped.pop(name, [])) for name in names)
    unowned = [item for items in skipped.values() for item in items]
    return Profile(weights, customers, _by_source(unowned), zone, measured)


def photos_a_week(
    dates: Iterable[datetime], longest: int = 52, zone: tzinfo = UTC
) -> tuple[tuple[str, int], ...]:
    """Photos per ISO week (Monday first), such as ``("2026-W47", 3)``; empty weeks are 0.

    Args:
        dates: Aware times.
        longest: Only so many weeks up to the last one that has a photo.
        zone: In which days begin.
    """
    counts = Counter(weeks.number_of(weeks.monday(moment, zone)) for moment in dates)
    if not counts:
        return ()
    last = max(counts)
    first = max(min(counts), last - longest + 1)
    return tuple((weeks.name(week), counts[week]) for week in range(first, last + 1))


def _customer(name: str, readings: list[PhotoResult], skipped: list[Skipped]) -> CustomerProfile:
    ordered = tuple(sorted(readings, key=_by_date))
    dates = defaultdict(list)
    for reading in ordered:
        for garment in reading.garments:
            dates[garment.category].append(reading.posted_at)
    named = [float(len(dates[category])) for category in CATEGORIES]
    shares = estimated_shares(np.array(named), _uncertain(ordered))
    pairs = zip(CATEGORIES, shares.tolist(), strict=True)
    categories = tuple(_count(category, dates[category], share) for category, share in pairs)
    return CustomerProfile(name, ordered, _by_source(skipped), categories)


def _uncertain(readings: Iterable[PhotoResult]) -> Floats:
    """Sums of the probabilities of photos that neither network nor person could name."""
    photos = [
        dict(reading.probabilities)
        for reading in readings
        if reading.verdict == "uncertain" and not reading.corrected
    ]
    return sum_exactly(
        np.array([[photo.get(name, 0.0) for photo in photos] for name in CATEGORIES])
    )


def _count(category: str, dates: list[datetime | None], share: float) -> CategoryCount:
    known = [moment for moment in dates if moment is not None]
    first, last = min(known, default=None), max(known, default=None)
    return CategoryCount(category, len(dates), share, first, last)


def _by_date(reading: PhotoResult) -> tuple[bool, datetime, str, str, str]:
    moment = reading.posted_at or datetime.max.replace(tzinfo=UTC)
    undated = reading.posted_at is None
    return undated, moment, reading.source, reading.post_id, reading.sha256


def _by_source(skipped: list[Skipped]) -> tuple[Skipped, ...]:
    return tuple(sorted(skipped, key=lambda item: (item.source, item.reason, item.detail)))
