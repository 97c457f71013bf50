"""What is known of each photo once it was looked at, and the sums per customer.

Pure values and arithmetic: nothing here reads a file, a clock or a network.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from itertools import chain
from math import fsum
from typing import TYPE_CHECKING, Literal

from trendscope import weeks
from trendscope.categories import CATEGORIES
from trendscope.errors import TrendscopeError
from trendscope.feeds import Skipped, displayed

if TYPE_CHECKING:
    from trendscope.classifier import Verdict
    from trendscope.feeds import DateSource
    from trendscope.garments import Box
    from trendscope.likeness import Likeness
    from trendscope.measured import Measured


@dataclass(frozen=True)
class Garment:
    """One garment in a photo.

    Attributes:
        category: One of the ten.
        confidence: Calibrated probability of the category, 0..1; 1 where a person named it.
        box: Where it is, in pixels of the upright original; None where a person named it in a photo
            in which the network had found none.
    """

    category: str
    confidence: float
    box: Box | None


@dataclass(frozen=True)
class Label:
    """What a person says a photo shows.

    Attributes:
        categories: Of the garments in it, in the order they were named; empty if a reason is given.
        reason: ``outside`` (none of the ten) or ``uncertain`` (not even a person can tell); None if
            there are categories.
    """

    categories: tuple[str, ...] = ()
    reason: Literal["uncertain", "outside"] | None = None

    def __str__(self) -> str:
        return self.reason or "|".join(self.categories)


def label_of(text: str) -> Label:
    """Reads a label: a category, several joined by ``|``, ``outside`` or ``uncertain``.

    Case and signs do not matter: ``t-shirt_top`` is T-shirt/top.

    Raises:
        TrendscopeError: It is none of these; the message lists them.
    """
    plain = _plain(text)
    if plain == "outside":
        return Label(reason="outside")
    if plain == "uncertain":
        return Label(reason="uncertain")
    names = {_plain(category): category for category in CATEGORIES}
    try:
        return Label(tuple(dict.fromkeys(names[_plain(part)] for part in text.split("|"))))
    except KeyError:
        words = ", ".join((*CATEGORIES, "outside", "uncertain"))
        raise TrendscopeError(f"{displayed(text)[:60]!r} is no label; use {words}") from None


def _plain(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


@dataclass(frozen=True)
class Reading:
    """What was seen in one photo.

    Attributes:
        customer: Who posted it.
        post_id: The image's identity within the customer.
        source: Where it lies, for people.
        sha256: Digest of its bytes, in hex.
        posted_at: Aware UTC, None if unknown; the feed's date, else the camera's, else the name's.
        date_source: Where that date comes from.
        verdict: ``classified``, ``uncertain`` (a garment, but which?) or ``outside`` (none of the
            ten).
        garments: What was recognised; empty unless ``classified``.
        probabilities: All ten categories with their calibrated probabilities, best first.
        outside: Calibrated probability that none of the ten is shown, 0..1.
        looks: What it looks like, to tell when it was posted again.
        thumbnail: A small JPEG of the photo, if pictures were asked for.
        seen: A small JPEG of what the network saw at first look, if pictures were asked for.
        taken_at: When the camera says it was taken; see `trendscope.images.Photo`.
        embedding: The network's view as float32 numbers, little-endian; near for images that look
            alike.
        corrected: True where `verdict` and `garments` are a person's; the probabilities stay the
            network's.
    """

    customer: str
    post_id: str
    source: str
    sha256: str
    posted_at: datetime | None
    date_source: DateSource
    verdict: Verdict
    garments: tuple[Garment, ...]
    probabilities: tuple[tuple[str, float], ...]
    outside: float
    looks: Likeness | None = field(default=None, repr=False)
    thumbnail: bytes | None = field(default=None, repr=False)
    seen: bytes | None = field(default=None, repr=False)
    taken_at: datetime | None = field(default=None, repr=False)
    embedding: bytes | None = field(default=None, repr=False)
    corrected: bool = False

    def labelled(self, label: Label) -> Reading:
        """The same photo as a person sees it; what the network said is in the probabilities."""
        boxes = [garment.box for garment in self.garments]
        boxes += [None] * len(label.categories)
        named = zip(label.categories, boxes, strict=False)
        return replace(
            self,
            verdict=label.reason or "classified",
            garments=tuple(Garment(category, 1.0, box) for category, box in named),
            corrected=True,
        )

    @property
    def confidence(self) -> float:
        """Calibrated probability of the best category, 0..1."""
        return self.probabilities[0][1]

    @property
    def explanation(self) -> str:
        """Why no category was given, as a plain sentence; empty where one was."""
        if self.verdict == "classified":
            return ""
        if self.corrected:
            outside = self.verdict == "outside"
            return "none of the ten, says a person" if outside else "a person could not tell"
        if self.verdict == "outside":
            return "none of the ten categories is seen"
        return f"not sure enough; the best guess is {self.probabilities[0][0]}"


@dataclass(frozen=True)
class Classification:
    """Every photo's verdict, in the order of the feed; what could not be read keeps its place."""

    weights: str
    photos: tuple[Reading | Skipped, ...]

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The photos that were looked at."""
        return tuple(photo for photo in self.photos if isinstance(photo, Reading))

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """What was not."""
        return tuple(photo for photo in self.photos if isinstance(photo, Skipped))


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
    readings: tuple[Reading, ...]
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

    def verdicts(self, verdict: Verdict) -> tuple[Reading, ...]:
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
    measured: Measured | None = None

    @property
    def readings(self) -> tuple[Reading, ...]:
        """All photos that were looked at."""
        return tuple(reading for customer in self.customers for reading in customer.readings)

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """Everything that was not used, the customers' own first."""
        own = (skipped for customer in self.customers for skipped in customer.skipped)
        return (*own, *self.unowned)


def summarise(
    weights: str,
    results: Iterable[Reading | Skipped],
    zone: tzinfo = UTC,
    measured: Measured | None = None,
) -> Profile:
    """Sums up photos per customer; the order in which they come does not matter."""
    readings: defaultdict[str, list[Reading]] = defaultdict(list)
    skipped: defaultdict[str | None, list[Skipped]] = defaultdict(list)
    for result in results:
        if isinstance(result, Reading):
            readings[result.customer].append(result)
        else:
            skipped[result.customer].append(result)
    names = sorted(readings)
    customers = tuple(_customer(name, readings[name], skipped.pop(name, [])) for name in names)
    unowned = [item for items in skipped.values() for item in items]
    return Profile(weights, customers, _by_source(unowned), zone, measured)


def estimated_shares(
    named: Iterable[str], unsure: Iterable[Iterable[tuple[str, float]]]
) -> dict[str, float]:
    """Each category's share of the garments, those of uncertain photos among them.

    Some kinds are named far more often than others, so the shares of what was named are not those
    of what is worn. Hence an uncertain photo counts as well, by its probability in each category
    (probabilistic classify and count: Bella et al., "Quantification via probability estimators",
    ICDM 2010).

    Args:
        named: The category of each garment that was named.
        unsure: Categories and their probabilities, summing to 1, for each uncertain photo.

    Returns:
        All ten, 0..1, summing to 1; all 0 where nothing was named: guesses alone are no wardrobe.
    """
    counts = Counter(named)
    if not counts:
        return dict.fromkeys(CATEGORIES, 0.0)
    guesses: defaultdict[str, list[float]] = defaultdict(list)
    for category, probability in chain.from_iterable(unsure):
        guesses[category].append(probability)
    # The exact sums: others would depend on the order of the photos.
    weight = {category: counts[category] + fsum(guesses[category]) for category in CATEGORIES}
    total = fsum(weight.values())
    return {category: each / total for category, each in weight.items()}


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


def _customer(name: str, readings: list[Reading], skipped: list[Skipped]) -> CustomerProfile:
    ordered = tuple(sorted(readings, key=_by_date))
    dates = defaultdict(list)
    for reading in ordered:
        for garment in reading.garments:
            dates[garment.category].append(reading.posted_at)
    unsure = (r.probabilities for r in ordered if r.verdict == "uncertain" and not r.corrected)
    named = (garment.category for reading in ordered for garment in reading.garments)
    shares = estimated_shares(named, unsure)
    categories = tuple(_count(name, dates[name], share) for name, share in shares.items())
    return CustomerProfile(name, ordered, _by_source(skipped), categories)


def _count(category: str, dates: list[datetime | None], share: float) -> CategoryCount:
    known = [moment for moment in dates if moment is not None]
    first, last = min(known, default=None), max(known, default=None)
    return CategoryCount(category, len(dates), share, first, last)


def _by_date(reading: Reading) -> tuple[bool, datetime, str, str, str]:
    moment = reading.posted_at or datetime.max.replace(tzinfo=UTC)
    undated = reading.posted_at is None
    return undated, moment, reading.source, reading.post_id, reading.sha256


def _by_source(skipped: list[Skipped]) -> tuple[Skipped, ...]:
    return tuple(sorted(skipped, key=lambda item: (item.source, item.reason, item.detail)))
