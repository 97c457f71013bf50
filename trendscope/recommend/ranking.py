"""Targets: from what customers wear to items for them, and from an item to customers. Pure.

Items are offered in the categories that a customer wears, those whose pictures look most like one
of the customer's photos to the network. The same tables give the same result, whatever the order of
their rows, and a customer's targets do not depend on the other customers.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trendscope.categories import CATEGORIES
from trendscope.errors import TrendscopeError
from trendscope.recommend import nearest, preferences
from trendscope.recommend.eligibility import ItemFilter, eligible
from trendscope.recommend.nearest import Floats, Indices
from trendscope.recommend.preferences import MinimumEvidence, NoTarget, wears
from trendscope.store.frames import by_name
from trendscope.text import day, file_name

OWNED = 0.99
"""Cosine from which a picture is taken to show the same thing as a photo;
`tests.benchmarks.retrieval` measures how well that works."""

NOT_COMPARED = 0.25
"""Similarity of items that cannot be compared: below that of nearly all pictures of one category,
so that those that can be compared come first."""


@dataclass(frozen=True)
class RecommendOptions:
    """Number and choice of the recommended items.

    Attributes:
        per_category: Number of items for each customer in each category worn.
        diversity: 0 takes the most alike; towards 1, rather items unlike each other.
        candidates: Number of most alike items among which diversity chooses.
        exclude_owned: Whether items are left out that look the same as one on a customer's photos.
    """

    per_category: int = 5
    diversity: float = 0.2
    candidates: int = 50
    exclude_owned: bool = False
    terms: ItemFilter = field(default_factory=ItemFilter)
    evidence: MinimumEvidence = field(default_factory=MinimumEvidence)


COLUMNS = (
    *("customer", "sku", "category", "rank", "score", "reason", "affinity", "likeness"),
    *("title", "price", "currency", "posted_at", "source", "sha256"),
)


@dataclass(frozen=True)
class Targets:
    """Items for customers, or customers for an item or a category.

    Attributes:
        rows: A row per target, with `COLUMNS`. sku: empty for `wearers`. rank: from 1; of an item
            among the customer's, or of a customer for `audience` and `wearers`. score: affinity x
            likeness, 0..1, never rising with rank; for `wearers` the affinity. reason: a sentence.
            affinity: see `wears`. likeness: 1 - 2 angle / pi between the item's picture and the
            photo nearest to it, 0..1; `NOT_COMPARED` where they cannot be compared. title, price,
            currency: of the item. posted_at, source, sha256: of that photo, or of the latest one of
            the category; missing without one.
        without_targets: Customers without a target: customer, code (see
            `trendscope.recommend.preferences.NoTarget`), reason (a sentence).
        left_out: Number of items that were not considered, by reason.
    """

    rows: pd.DataFrame
    without_targets: pd.DataFrame
    left_out: Mapping[str, int]


def targets(
    sightings: pd.DataFrame,
    items: pd.DataFrame,
    wish: RecommendOptions | None = None,
    *,
    customers: Iterable[str] = (),
    now: datetime | None = None,
) -> Targets:
    """The items that suit each customer best, in the categories they wear.

    Args:
        sightings: Table of `trendscope.store.sightings`, with vectors.
        items: Table with `trendscope.recommend.eligibility.ITEM_COLUMNS`.
        customers: Names of all customers, so that those without photos are listed too.
        now: Aware time up to which a photo's age is counted; the latest photo's time if None.

    Raises:
        TrendscopeError: A column is missing, a SKU repeats, or the price band needs a currency.
    """
    options = wish or RecommendOptions()
    candidates, left_out = eligible(items, options.terms)
    worn, others = _judged(sightings, options, customers, now)
    rows = _matched(sightings, worn, candidates, options)
    rows = by_name(rows.iloc[np.lexsort((rows["sku"], -rows["score"]))])
    rows = rows.assign(rank=rows.groupby("customer", sort=False).cumcount() + 1)
    return Targets(_finished(rows), _with_unserved(others, worn, rows), left_out)


def audience(
    sightings: pd.DataFrame,
    items: pd.DataFrame,
    sku: str,
    wish: RecommendOptions | None = None,
    *,
    customers: Iterable[str] = (),
    now: datetime | None = None,
) -> Targets:
    """The customers to write to about one item, ranked. Arguments as for `targets`.

    Raises:
        TrendscopeError: There is no such item, or it may not be recommended; says why.
    """
    options = wish or RecommendOptions()
    candidates, left_out = eligible(items[items["sku"] == sku], options.terms)
    if candidates.empty:
        why = next(iter(left_out), "not in the catalogue; check the spelling")
        raise TrendscopeError(f"nobody is written to about item {sku}: {why}")
    worn, others = _judged(sightings, options, customers, now)
    rows = _matched(sightings, worn, candidates, options)
    return Targets(_finished(_ranked(rows)), others, {})


def wearers(
    sightings: pd.DataFrame,
    category: str,
    wish: RecommendOptions | None = None,
    *,
    customers: Iterable[str] = (),
    now: datetime | None = None,
) -> Targets:
    """The customers to write to about a category, ranked. Arguments as for `targets`.

    Raises:
        TrendscopeError: The category is none of the ten.
    """
    if category not in CATEGORIES:
        raise TrendscopeError(f"unknown category {category!r}: use {', '.join(CATEGORIES)}")
    worn, others = _judged(sightings, wish or RecommendOptions(), customers, now)
    rows = worn[worn["category"] == category]
    reasons = [
        f"{sentence}; {'none of them dated' if pd.isna(time) else f'last on {day(time)}'}"
        for sentence, time in zip(_sentences(rows), rows["last_seen"], strict=True)
    ]
    rows = rows.assign(sku="", title="", score=rows["affinity"], reason=reasons)
    photos = preferences.ordered(sightings[sightings["category"] == category])
    photos = photos.sort_values("posted_at", na_position="first", kind="stable")
    photos = photos.drop_duplicates("customer", keep="last")
    rows = rows.merge(photos[["customer", "posted_at", "source", "sha256"]], on="customer")
    return Targets(_finished(_ranked(rows)), others, {})


def _judged(
    sightings: pd.DataFrame,
    options: RecommendOptions,
    customers: Iterable[str],
    now: datetime | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The categories that are worn for certain, and the customers without any."""
    worn = wears(sightings, options.evidence, now)
    others = preferences.unjudged(sightings, worn, options.evidence, customers)
    return worn[worn["worn"]].reset_index(drop=True), others


def _ranked(rows: pd.DataFrame) -> pd.DataFrame:
    """Customers ranked by score, equal ones by name."""
    rows = by_name(rows).sort_values("score", ascending=False, kind="stable")
    return rows.assign(rank=np.arange(1, len(rows) + 1))


def _finished(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.reindex(columns=list(COLUMNS)).reset_index(drop=True)


def _with_unserved(others: pd.DataFrame, worn: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Adds the customers in whose categories nothing is offered."""
    unserved = worn[~worn["customer"].isin(rows["customer"].unique())]
    more = [
        (name, NoTarget.NOT_OFFERED, f"wears {categories}; there is nothing on offer in that")
        for name, categories in unserved.groupby("customer")["category"].agg(", ".join).items()
    ]
    table = pd.DataFrame(more, columns=others.columns, dtype=object)
    return by_name(pd.concat([others, table]))


def _sentences(rows: pd.DataFrame) -> list[str]:
    columns = (rows[name].tolist() for name in ("category", "photos", "named", "unnamed"))
    return [preferences.sentence(*figures) for figures in zip(*columns, strict=True)]


# --- matching ------------------------------------------------------------------------------------

Pairs = tuple[Indices, Indices, Indices, Floats]
"""Chosen pairs: row numbers in the tables of worn categories, items and photos (the nearest one; -1
where nothing could be compared), and the products of their vectors."""


def _matched(
    sightings: pd.DataFrame, worn: pd.DataFrame, candidates: pd.DataFrame, options: RecommendOptions
) -> pd.DataFrame:
    """A row per chosen pair: worn category, item, nearest photo, score and reason."""
    photos = preferences.ordered(sightings[sightings["category"].notna()])
    vectors, usable = nearest.quantised([*photos["embedding"], *candidates["embedding"]])
    keys = ["customer", "category"]
    owner = pd.MultiIndex.from_frame(worn[keys]).get_indexer(pd.MultiIndex.from_frame(photos[keys]))
    comparable, pictured = (owner >= 0) & usable[: len(photos)], usable[len(photos) :]
    photo_vectors, item_vectors = vectors[: len(photos)], vectors[len(photos) :]
    photo_category = photos["category"].to_numpy(object)
    item_category = candidates["category"].to_numpy(object)
    none = np.zeros(0, np.intp)
    pairs: list[Pairs] = [(none, none, none, np.zeros(0, np.float32))]
    for category, rows in worn.groupby("category", sort=True, observed=True):
        own = np.flatnonzero(comparable & (photo_category == category))
        own = own[np.argsort(owner[own], kind="stable")]
        items = np.flatnonzero(item_category == category)
        views = items[pictured[items]]
        worn_by, number = np.unique(owner[own], return_inverse=True)
        found = nearest.nearest_items(
            photo_vectors[own],
            number,
            item_vectors[views],
            count=options.per_category,
            candidates=options.candidates,
            diversity=options.diversity,
            owned=OWNED if options.exclude_owned else 2.0,
        )
        compared = [(worn_by[who], views[i], own[photo], near) for who, i, near, photo in found]
        count = options.per_category
        rest = _filled(rows["customer"], compared, owner[own], items, pictured, count)
        pairs += [*compared, *rest]
    return _described(pairs, worn, candidates, photos)


def _filled(
    customers: pd.Series,
    pairs: list[Pairs],
    compared: Indices,
    items: Indices,
    pictured: NDArray[np.bool_],
    per_customer: int,
) -> Iterator[Pairs]:
    """Items that cannot be compared, for customers with too few of the others.

    Each customer is given other ones, always the same, so that not all get the first of the list.
    """
    served = Counter(row for owner, *_ in pairs for row in owner.tolist())
    with_photo, without_picture = set(compared.tolist()), items[~pictured[items]]
    for row, name in customers.items():
        rest = without_picture if row in with_photo else items
        count = min(per_customer - served[row], len(rest))
        if count > 0:
            digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
            start = int.from_bytes(digest[:7], "big")
            item = rest[(start + np.arange(count)) % len(rest)]
            no_photo = np.full(count, -1, np.intp)
            yield np.full(count, row), item, no_photo, np.zeros(count, np.float32)


def _described(
    pairs: list[Pairs], worn: pd.DataFrame, candidates: pd.DataFrame, photos: pd.DataFrame
) -> pd.DataFrame:
    owner, item, photo, product = (np.concatenate(column) for column in zip(*pairs, strict=True))
    rows = worn.iloc[owner].reset_index(drop=True)
    for name in ("sku", "title", "price", "currency"):
        rows[name] = candidates[name].to_numpy()[item]
    near = photos[["posted_at", "source", "sha256"]].iloc[photo].reset_index(drop=True)
    rows = rows.join(near.where(pd.Series(photo >= 0)))
    angle = np.arccos(nearest.cosine(product))
    rows["likeness"] = np.where(photo >= 0, 1 - 2 * angle / np.pi, NOT_COMPARED)
    rows["score"] = rows["affinity"] * rows["likeness"]
    closest = map(_closest, rows["posted_at"], rows["source"].tolist())
    pieces = zip(_sentences(rows), closest, strict=True)
    return rows.assign(reason=["; ".join(sentences) for sentences in pieces])


def _closest(time: datetime, source: object) -> str:
    if not isinstance(source, str):
        return "chosen by category alone, as there is no picture to compare"
    if not pd.isna(time):
        return f"closest to the photo of {day(time)}"
    return f"closest to the undated photo {file_name(source)}"


Wish = RecommendOptions
"""The name of earlier versions."""
