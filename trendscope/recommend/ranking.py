"""From what customers wear to what to offer them, and from an item to whom. Pure tables.

    >>> from trendscope import recommend, store
    >>> seen = store.sightings(db, vectors=True)                          # doctest: +SKIP
    >>> shelf = recommend.shelf(store.items(db))                          # doctest: +SKIP
    >>> recommend.targets(seen, shelf).rows                               # doctest: +SKIP

Items are offered in the categories that a customer wears, those whose pictures look most like one
of the customer's photos to the network. The same tables give the same result, whatever the order of
their rows, and a customer's targets do not depend on who else is there.
"""

from __future__ import annotations

import hashlib
import re
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
from trendscope.recommend.nearest import Floats, Places
from trendscope.recommend.preferences import MinimumEvidence, wears

OWNED = 0.99
"""Cosine from which a picture is taken to show the very thing on a photo; what that catches is
measured by tests.benchmarks.retrieval."""

UNSEEN = 0.25
"""Likeness of what cannot be compared: less than nearly all pictures of one category have, so that
what can be compared comes first."""


@dataclass(frozen=True)
class RecommendOptions:
    """What is to be recommended.

    Attributes:
        per_category: Items for each customer in each category worn.
        diversity: 0 takes the most alike; towards 1, rather those unlike each other.
        candidates: So many of the most alike are looked at for that.
        exclude_owned: Leave out what looks the very same as something on a customer's photos.
        terms: Which items may be recommended.
        evidence: What must be known of a customer.
    """

    per_category: int = 5
    diversity: float = 0.2
    candidates: int = 50
    exclude_owned: bool = False
    terms: ItemFilter = field(default_factory=ItemFilter)
    evidence: MinimumEvidence = field(default_factory=MinimumEvidence)

    @property
    def choice(self) -> nearest.SearchOptions:
        """The same for `trendscope.recommend.nearest.nearest_items`."""
        owned = OWNED if self.exclude_owned else 2.0
        return nearest.SearchOptions(self.per_category, self.candidates, self.diversity, owned)


COLUMNS = (
    *("customer", "sku", "category", "rank", "score", "reason", "affinity", "likeness"),
    *("title", "price", "currency", "posted_at", "source", "sha256"),
)


@dataclass(frozen=True)
class Targets:
    """Whom to offer what.

    Attributes:
        rows: A row per target, with `COLUMNS`. sku: empty where a category was asked for. rank:
            from 1; of an item among the customer's, or of a customer where an item or a category
            was asked for. score: affinity x likeness, 0..1, never rising with rank; where a
            category was asked for, the affinity. reason: a sentence. affinity: see `wears`.
            likeness: 1 - 2 angle / pi between the item's picture and the photo nearest to it, 0..1;
            `UNSEEN` where they cannot be compared. title, price, currency: of the item. posted_at,
            source, sha256: of that photo, or of the latest one of a category; missing without one.
        silent: Customers without a target: customer, reason.
        left_out: How many items were not considered, by reason.
    """

    rows: pd.DataFrame
    silent: pd.DataFrame
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
        sightings: As `trendscope.store.sightings` gives them, with vectors.
        items: A shelf, see `trendscope.recommend.eligibility.ITEM_COLUMNS`.
        wish: What is wanted.
        customers: All there are, so that those without photos are told too.
        now: Up to when a photo's age is counted, aware; the latest photo's time if None.

    Raises:
        TrendscopeError: A column is missing, two items share a SKU, or it is not clear what
            currency the price band is in.
    """
    wish = wish or RecommendOptions()
    offer, left_out = eligible(items, wish.terms)
    worn, silent = _judged(sightings, wish, customers, now)
    rows = _matched(sightings, worn, offer, wish)
    order = np.lexsort((rows["sku"], -rows["score"], rows["customer"]))
    rows = rows.iloc[order]
    rows = rows.assign(rank=rows.groupby("customer", sort=False).cumcount() + 1)
    return Targets(_finished(rows), _with_unserved(silent, worn, rows), left_out)


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
    wish = wish or RecommendOptions()
    offer, left_out = eligible(items[items["sku"] == sku], wish.terms)
    if offer.empty:
        why = next(iter(left_out), "not in the catalogue; check the spelling")
        raise TrendscopeError(f"nobody is written to about item {sku}: {why}")
    worn, silent = _judged(sightings, wish, customers, now)
    rows = _matched(sightings, worn, offer, wish)
    return Targets(_finished(_ranked(rows)), silent, {})


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
    worn, silent = _judged(sightings, wish or RecommendOptions(), customers, now)
    rows = worn[worn["category"] == category]
    last = [
        "none of them dated" if pd.isna(time) else f"last on {time:%Y-%m-%d}"
        for time in rows["last_seen"]
    ]
    reasons = [f"{said}; {when}" for said, when in zip(_said(rows), last, strict=True)]
    rows = rows.assign(sku="", title="", score=rows["affinity"], reason=reasons)
    latest = preferences.ordered(sightings[sightings["category"] == category])
    latest = latest.sort_values("posted_at", na_position="first", kind="stable")
    latest = latest.drop_duplicates("customer", keep="last")
    rows = rows.merge(latest[["customer", "posted_at", "source", "sha256"]], on="customer")
    return Targets(_finished(_ranked(rows)), silent, {})


def _judged(
    sightings: pd.DataFrame, wish: RecommendOptions, customers: Iterable[str], now: datetime | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What is worn for certain, and of whom nothing is."""
    worn = wears(sightings, wish.evidence, now)
    silent = preferences.unjudged(sightings, worn, wish.evidence, customers)
    return worn[worn["worn"]].reset_index(drop=True), silent


def _ranked(rows: pd.DataFrame) -> pd.DataFrame:
    """Customers ranked by score, equal ones by name."""
    rows = rows.iloc[np.lexsort((rows["customer"], -rows["score"]))]
    return rows.assign(rank=np.arange(1, len(rows) + 1))


def _finished(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.reindex(columns=list(COLUMNS)).reset_index(drop=True)


def _with_unserved(silent: pd.DataFrame, worn: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Adds the customers in whose categories there is nothing on offer."""
    unserved = worn[~worn["customer"].isin(rows["customer"].unique())]
    told = unserved.groupby("customer")["category"].agg(", ".join)
    reasons = [f"wears {names}; there is nothing on offer in that" for names in told]
    more = pd.DataFrame({"customer": list(told.index), "reason": reasons}, dtype=object)
    return pd.concat([silent, more]).sort_values("customer", ignore_index=True)


def _said(rows: pd.DataFrame) -> list[str]:
    columns = (rows[name].tolist() for name in ("category", "photos", "named", "unnamed"))
    return [preferences.sentence(*figures) for figures in zip(*columns, strict=True)]


# --- matching ------------------------------------------------------------------------------------

Pairs = tuple[Places, Places, Places, Floats]
"""Choices as numbers of rows: of what is worn, of the item, of the nearest photo (-1 where nothing
could be compared), and the product of their vectors."""


def _matched(
    sightings: pd.DataFrame, worn: pd.DataFrame, offer: pd.DataFrame, wish: RecommendOptions
) -> pd.DataFrame:
    """A row per choice: what is worn, the item, the nearest photo, score and reason."""
    photos = preferences.ordered(sightings[sightings["category"].notna()])
    vectors, usable = nearest.quantised([*photos["embedding"], *offer["embedding"]])
    keys = ["customer", "category"]
    owner = pd.MultiIndex.from_frame(worn[keys]).get_indexer(pd.MultiIndex.from_frame(photos[keys]))
    seen, pictured = (owner >= 0) & usable[: len(photos)], usable[len(photos) :]
    views, looks = vectors[: len(photos)], vectors[len(photos) :]
    kinds, sold = photos["category"].to_numpy(object), offer["category"].to_numpy(object)
    pairs: list[Pairs] = []
    for category, rows in worn.groupby("category", sort=True, observed=True):
        mine = np.flatnonzero(seen & (kinds == category))
        mine = mine[np.argsort(owner[mine], kind="stable")]
        items = np.flatnonzero(sold == category)
        shown = items[pictured[items]]
        found = list(_compared(mine, owner[mine], views[mine], shown, looks[shown], wish.choice))
        pairs += found
        pairs += _filled(rows["customer"], found, owner[mine], items, pictured, wish.per_category)
    return _described(_joined(pairs), worn, offer, photos)


def _compared(
    photos: Places,
    owner: Places,
    views: Floats,
    items: Places,
    looks: Floats,
    choice: nearest.SearchOptions,
) -> Iterator[Pairs]:
    """The items that look most like someone's photos."""
    names, number = np.unique(owner, return_inverse=True)
    for who, item, product, photo in nearest.nearest_items(views, number, looks, choice):
        yield names[who], items[item], photos[photo], product


def _filled(
    customers: pd.Series,
    found: list[Pairs],
    compared: Places,
    items: Places,
    pictured: NDArray[np.bool_],
    wanted: int,
) -> Iterator[Pairs]:
    """Items that nothing can be compared of, for those who were found too few others.

    Each customer is given other ones, always the same, so that not all get the first of the list.
    """
    who, counts = np.unique(
        np.concatenate([np.zeros(0, np.intp), *(p[0] for p in found)]), return_counts=True
    )
    served = dict(zip(who.tolist(), counts.tolist(), strict=True))
    known, bare = set(compared.tolist()), items[~pictured[items]]
    for row, name in customers.items():
        rest = bare if row in known else items
        count = min(wanted - served.get(row, 0), len(rest))
        if count > 0:
            digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
            start = int.from_bytes(digest[:7], "big")
            item = rest[(start + np.arange(count)) % len(rest)]
            nothing = np.full(count, -1, np.intp)
            yield np.full(count, row), item, nothing, np.zeros(count, np.float32)


def _joined(pairs: list[Pairs]) -> Pairs:
    none = np.zeros(0, np.intp)
    pairs = [(none, none, none, np.zeros(0, np.float32)), *pairs]
    worn, item, photo, product = (np.concatenate(column) for column in zip(*pairs, strict=True))
    return worn, item, photo, product


def _described(
    pairs: Pairs, worn: pd.DataFrame, offer: pd.DataFrame, photos: pd.DataFrame
) -> pd.DataFrame:
    who, item, photo, product = pairs
    rows = worn.iloc[who].reset_index(drop=True)
    for name in ("sku", "title", "price", "currency"):
        rows[name] = offer[name].to_numpy()[item]
    near = photos[["posted_at", "source", "sha256"]].iloc[photo].reset_index(drop=True)
    rows = rows.join(near.where(pd.Series(photo >= 0)))
    angle = np.arccos(nearest.cosine(product))
    rows["likeness"] = np.where(photo >= 0, 1 - 2 * angle / np.pi, UNSEEN)
    rows["score"] = rows["affinity"] * rows["likeness"]
    closest = map(
        _closest, rows["posted_at"].dt.strftime("%Y-%m-%d").tolist(), rows["source"].tolist()
    )
    return rows.assign(
        reason=[f"{said}; {near}" for said, near in zip(_said(rows), closest, strict=True)]
    )


def _closest(day: object, source: object) -> str:
    if not isinstance(source, str):
        return "chosen by category alone, as there is no picture to compare"
    if isinstance(day, str):
        return f"closest to the photo of {day}"
    name = re.split(r"[/\\]", source)[-1]
    return f"closest to the undated photo {name}"


Wish = RecommendOptions
"""The name of earlier versions."""
