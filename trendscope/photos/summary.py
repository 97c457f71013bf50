"""Sums of the results per customer and category."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import TYPE_CHECKING

import numpy as np

from trendscope import weeks
from trendscope.categories import CATEGORIES
from trendscope.photos.results import PhotoResult
from trendscope.proportions import estimated_shares, sum_exactly
from trendscope.skipped import OTHER_DATES, Skipped
from trendscope.text import day, natural

if TYPE_CHECKING:
    from trendscope.vision.predictions import Verdict
    from trendscope.vision.scores import Scores


@dataclass(frozen=True)
class CategoryCount:
    """How often one customer wears one category.

    Attributes:
        category: One of the ten.
        count: Garments of the category; today at most one in a photo.
        share: Estimated share of the customer's garments, 0..1; see `estimated_shares`.
        first_seen: Earliest dated photo of it, aware UTC.
        last_seen: Latest dated photo of it, aware UTC.
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
        readings: Results of the photos, by date (undated last), then by source.
        skipped: Items that were not used, by source.
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
        return tuple(result for result in self.readings if result.verdict == verdict)

    @property
    def ranked(self) -> tuple[CategoryCount, ...]:
        """The categories that were seen, most worn first, ties in label order."""
        worn = (category for category in self.categories if category.count)
        return tuple(sorted(worn, key=lambda category: -category.share))

    @property
    def other_share(self) -> float:
        """Share of the categories of which no photo was sure, 0..1."""
        return sum(category.share for category in self.categories if not category.count)


@dataclass(frozen=True)
class Profile:
    """What every customer of some feeds wears, by weights of a name.

    Attributes:
        customers: Customers of whom a photo could be read, by name.
        unowned: Unused items that belong to none of them, by source.
        zone: Time zone in which weeks begin.
        scores: Scores of these weights on labelled photos; None if unknown.
    """

    weights: str
    customers: tuple[CustomerProfile, ...]
    unowned: tuple[Skipped, ...]
    zone: tzinfo = UTC
    scores: Scores | None = None

    @property
    def measured(self) -> Scores | None:
        """The name of `scores` in earlier versions."""
        return self.scores

    @property
    def readings(self) -> tuple[PhotoResult, ...]:
        """The results of all photos."""
        return tuple(result for customer in self.customers for result in customer.readings)

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """All items that were not used, the customers' own first."""
        own = (skipped for customer in self.customers for skipped in customer.skipped)
        return (*own, *self.unowned)


def summarise(
    weights: str,
    results: Iterable[PhotoResult | Skipped],
    zone: tzinfo = UTC,
    scores: Scores | None = None,
) -> Profile:
    """Sums up photos per customer; their order does not matter."""
    photos: defaultdict[str, list[PhotoResult]] = defaultdict(list)
    skipped: defaultdict[str | None, list[Skipped]] = defaultdict(list)
    for result in results:
        if isinstance(result, PhotoResult):
            photos[result.customer].append(result)
        else:
            skipped[result.customer].append(result)
    names = sorted(photos, key=natural)
    customers = tuple(_customer(name, photos[name], skipped.pop(name, [])) for name in names)
    unowned = [item for items in skipped.values() for item in items]
    return Profile(weights, customers, _by_source(unowned), zone, scores)


def within(profile: Profile, since: date | None = None, until: date | None = None) -> Profile:
    """The profile of the photos that were posted on some days.

    Args:
        profile: Profile of all photos; days begin in its time zone.
        since: First day; None if all before `until` count.
        until: Last day; None if all after `since` count.

    Returns:
        A profile in which the other photos, and those without a date, are skipped items.
    """
    if since is None and until is None:
        return profile

    def dated(photo: PhotoResult) -> PhotoResult | Skipped:
        if photo.posted_at is None:
            detail = "without a date, and only photos of some dates were asked for"
        else:
            posted = photo.posted_at.astimezone(profile.zone).date()
            if (since is None or since <= posted) and (until is None or posted <= until):
                return photo
            detail = f"of {day(posted)}, and photos of other dates were asked for"
        return Skipped(photo.customer, photo.source, OTHER_DATES, detail)

    items = (*map(dated, profile.readings), *profile.skipped)
    return summarise(profile.weights, items, profile.zone, profile.scores)


def photos_a_week(
    dates: Iterable[datetime], longest: int = 52, zone: tzinfo = UTC
) -> tuple[tuple[str, int], ...]:
    """Photos per ISO week (Monday first), such as ``("2026-W47", 3)``; empty weeks are 0.

    Args:
        longest: Most weeks to return, up to the last one with a photo.
        zone: Time zone in which days begin.
    """
    counts = Counter(weeks.number_of(weeks.monday(moment, zone)) for moment in dates)
    if not counts:
        return ()
    last = max(counts)
    first = max(min(counts), last - longest + 1)
    return tuple((weeks.name(week), counts[week]) for week in range(first, last + 1))


def _customer(name: str, results: list[PhotoResult], skipped: list[Skipped]) -> CustomerProfile:
    ordered = tuple(sorted(results, key=_by_date))
    dates = defaultdict(list)
    for result in ordered:
        for garment in result.garments:
            dates[garment.category].append(result.posted_at)
    uncertain = (r for r in ordered if r.verdict == "uncertain" and not r.corrected)
    counts = {category: len(moments) for category, moments in dates.items()}
    shares = shares_of(counts, (dict(result.probabilities) for result in uncertain))
    categories = tuple(_count(c, dates[c], shares[c]) for c in CATEGORIES)
    return CustomerProfile(name, ordered, _by_source(skipped), categories)


def shares_of(
    counts: Mapping[str, int], uncertain: Iterable[Mapping[str, float]]
) -> dict[str, float]:
    """The shares that one customer's page, list and tables show, of all ten in label order.

    Args:
        counts: Number of named garments by category.
        uncertain: Probabilities of each photo that is uncertain by the network's verdict.
    """
    photos = list(uncertain)
    named = np.array([counts.get(category, 0) for category in CATEGORIES], np.float64)
    sums = sum_exactly(np.array([[photo.get(c, 0.0) for photo in photos] for c in CATEGORIES]))
    return dict(zip(CATEGORIES, estimated_shares(named, sums).tolist(), strict=True))


def _count(category: str, dates: list[datetime | None], share: float) -> CategoryCount:
    moments = [moment for moment in dates if moment is not None]
    first, last = min(moments, default=None), max(moments, default=None)
    return CategoryCount(category, len(dates), share, first, last)


def _by_date(result: PhotoResult) -> tuple[bool, datetime, str, str, str]:
    moment = result.posted_at or datetime.max.replace(tzinfo=UTC)
    return result.posted_at is None, moment, result.source, result.post_id, result.sha256


def _by_source(skipped: list[Skipped]) -> tuple[Skipped, ...]:
    return tuple(sorted(skipped, key=lambda item: (item.source, item.reason, item.detail)))
