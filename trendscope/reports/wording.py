"""Words that several reports share: what the network can tell, what was left out, items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from trendscope import weeks
from trendscope.categories import CATEGORIES, PLURALS
from trendscope.photos.results import PhotoResult
from trendscope.skipped import OTHER_DATES, PARTS, REASONS, Skipped
from trendscope.text import day, percent, plural, span
from trendscope.vision.scores import RARELY_NAMED, Scores

if TYPE_CHECKING:
    from trendscope.catalog.items import Item


def coverage_sentence(scores: Scores) -> str:
    """A sentence on which categories are named more often than others, so that counts lean."""
    if not scores.photos or not scores.coverage_of:
        return (
            "How often this network is right on photos, and which kinds it misses, was never "
            "measured: take the counts with care."
        )
    (group, share), *others = scores.coverage_of.items()
    whose = "never seen in training" if scores.unseen else "perhaps seen in training"
    judge = (
        "a second network, trained in the same way without these photos,"
        if scores.by_another
        else "this network"
    )
    sentence = f"Of {scores.photos:,} photos {whose}, {judge} named {_of(share, group)}"
    rare = [(group, share) for group, share in others if share < RARELY_NAMED] or others[-1:]
    if rare:
        sentence += f", but {_listed([_of(share, group) for group, share in rare])}"
    if scores.with_people:
        sentence += ", each by the lower of its shares alone and on people"
    return f"{sentence}: counts lean that way."


def _of(share: float, group: str) -> str:
    return f"{percent(share)} of the {plural_of(group)}" if share else f"no {plural_of(group)}"


def plural_of(group: str) -> str:
    """The plural of a category or of a group such as ``Dress / Coat`` within a sentence.

    >>> plural_of("Dress / Coat")
    'dresses or coats'
    """
    names = dict(zip(CATEGORIES, PLURALS, strict=True))
    return " or ".join(names.get(name, name.lower()) for name in group.split(" / "))


def _listed(parts: list[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def interval(low: float, high: float) -> str:
    """Two shares as an interval: ``20 to 28 %``; narrow ones with a decimal, or ``< 1 %``.

    >>> interval(0.204, 0.2761), interval(0.2012, 0.2031), interval(0, 0.0004)
    ('20 to 28 %', '20.1 to 20.3 %', '< 1 %')
    """
    if 0 < high < 0.005:
        return percent(high)
    decimals = 1 if f"{100 * low:.0f}" == f"{100 * high:.0f}" and low < high else 0
    return f"{100 * low:.{decimals}f} to {100 * high:.{decimals}f} %"


OF = {"votes": "what customers wear", "customers": "customers", "photos": "garments"}
"""What a share is a part of, by the unit of a summary of trends."""


def week_from(week: str) -> str:
    """The day on which a week such as ``2026-W47`` begins: ``16 Nov 2026``."""
    return day(weeks.monday_of(week))


def last_day(week: str) -> date:
    """The Sunday of a week such as ``2026-W47``."""
    return weeks.monday_of(week) + timedelta(days=6)


def dates_that_count(since: date | None, until: date | None) -> str:
    """A sentence on the only photos that count; empty where all do."""
    if since and until:
        return f"Only photos of {span(since, until)} count."
    if since:
        return f"Only photos from {day(since)} on count."
    return f"Only photos up to {day(until)} count." if until else ""


def caveats(
    photos: Iterable[PhotoResult], skipped: Iterable[Skipped], *, dated: bool = True
) -> tuple[str, ...]:
    """What the figures leave out, one plain sentence each; none where nothing is left out.

    `dated` says whether there are figures of days and weeks.
    """
    photos = tuple(photos)
    verdicts = Counter(photo.verdict for photo in photos)
    undated = sum(photo.posted_at is None for photo in photos if dated)
    sentences = (
        (
            verdicts["uncertain"],
            "not sure which garment it is: in no count, in the shares as what it may be",
        ),
        (verdicts["outside"], "shows none of the ten categories, so not counted in any"),
        (undated, "without a date, so missing from first and last seen and from the weeks"),
    )
    lines = [f"{plural(count, 'photo')}: {text}." for count, text in sentences if count]
    return (*lines, *unused_files(Counter(item.reason for item in skipped)))


def unused_files(reasons: Mapping[str, int]) -> tuple[str, ...]:
    """A sentence for every reason why files were not used."""
    return tuple(
        f"{_left_out(reason, count)}: {REASONS.get(reason, reason)}."
        for reason, count in sorted(reasons.items())
    )


def _left_out(reason: str, count: int) -> str:
    if reason in PARTS:
        return f"{plural(count, 'part')} left out"
    if reason == OTHER_DATES:
        return f"{plural(count, 'photo')} left out"
    return f"{plural(count, 'file')} not used"


def photo_outcomes(counts: object, words: Mapping[str, str]) -> list[tuple[int, str]]:
    """Counts of photos by what became of them, each with its words; counts of 0 are left out.

    `words` are `OUTCOMES_IN_SHORT`, `OUTCOMES_IN_FULL` or `OUTCOMES_STORED`, by field of `counts`.
    """
    pairs = ((getattr(counts, name), text) for name, text in words.items())
    return [(count, text) for count, text in pairs if count]


OUTCOMES_IN_SHORT = {
    "classified": "in a category",
    "uncertain": "not sure which garment",
    "outside": "none of the ten",
    "undated": "without a usable date, so in no week",
    "skipped": "not used",
    "doubles": "counted already",
    "waiting": "not yet judged by the present network (scan --reclassify to the end)",
}
"""Words for the counts of `trendscope.trends.counts.PhotoCounts` within a sentence."""

OUTCOMES_IN_FULL = {
    "classified": "with a date and a category: these are what the shares are made of",
    "uncertain": "not sure which garment it is, so in no category",
    "outside": "none of the ten categories is seen",
    "undated": "without a usable date, so in no week",
    "skipped": "not used, for the reasons below",
    "doubles": "the same photo again, counted once",
    "waiting": "not yet judged by the present network: scan --reclassify to the end",
}
"""Words for the same counts in a table of the weekly page."""

OUTCOMES_OF_SCAN = {
    "classified": "named",
    "uncertain": "left open, as it is not sure which garment it is",
    "outside": "none of the ten",
}
"""Words for the counts by verdict of `trendscope.store.write_photos.ScanResult`."""

OUTCOMES_STORED = {
    "classified": "with a category",
    "uncertain": "not sure which garment",
    "outside": "none of the ten categories",
    "waiting": "not yet judged by the network in use",
    "corrected": "of all these labelled by a person",
    "undated": "of all these without a date",
    "doubles": "more that repeat one of them, not counted",
}
"""Words for the counts of `trendscope.store.Status`."""


# --- items of a shop -----------------------------------------------------------------------------


def kind_of(item: Item) -> str:
    """The category for people: ``Dress``, ``about Trouser``, ``none of the ten``, ``not sure``."""
    if item.category:
        return f"about {item.category}" if item.approximate else item.category
    return "none of the ten" if item.reason == "outside" else "not sure"


def confidence_of(item: Item) -> str:
    """The confidence in the category by the picture, ``97 %``; empty without a picture."""
    return "" if item.confidence is None else percent(item.confidence)


def origin_of(item: Item) -> str:
    """Where the category comes from, for people."""
    return {"type": "product type", "none": ""}.get(item.category_source, item.category_source)


def price_of(item: Item) -> str:
    """The price with its currency; empty if unknown."""
    return "" if item.price is None else f"{plain_price(item.price)} {item.currency}".strip()


def stock_of(item: Item) -> str:
    """Whether it is in stock; empty if unknown."""
    return "" if item.in_stock is None else "in stock" if item.in_stock else "out of stock"


def three_best(item: Item) -> str:
    """What the picture looks like: ``Dress 97 %, Coat 2 %, Shirt 1 %``; empty without one."""
    if item.prediction is None:
        return ""
    likeliest = ", ".join(f"{name} {percent(p)}" for name, p in item.prediction.top())
    return f"{likeliest}; none of the ten {percent(item.prediction.outside)}"


def plain_price(price: Decimal) -> str:
    """A price without an exponent, with two decimals at least: ``29.90``."""
    exact = price.normalize()
    return f"{exact:.2f}" if exact == round(exact, 2) else f"{exact:f}"
