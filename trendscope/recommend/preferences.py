"""Which categories each customer wears, how much, how lately, and who cannot be judged. Pure.

Everything is computed from a table of `trendscope.store.sightings`. Nothing here reads a clock: age
is counted up to the latest photo, unless the caller names another time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
import pandas as pd

from trendscope.categories import CATEGORIES, PLURALS
from trendscope.files.tables import require_columns
from trendscope.proportions import wilson
from trendscope.text import plural

SIGHTINGS = ("customer", "posted_at", "category", "confidence", "sha256", "source", "embedding")
"""Columns of sightings that are needed; see `trendscope.store.sightings`."""

WORN_COLUMNS = (
    *("customer", "category", "photos", "named", "unnamed", "share", "lo95", "hi95"),
    *("confidence", "last_seen", "affinity", "worn"),
)
"""Columns of `wears`, in order."""


class NoTarget(StrEnum):
    """Why a customer has no target; the sentence for people stands beside it."""

    NO_PHOTO = "no_photo"
    FEW_GARMENTS = "few_garments"
    NO_CATEGORY = "no_category"
    NOT_OFFERED = "not_offered"


@dataclass(frozen=True)
class MinimumEvidence:
    """Evidence that a customer's photos must give before anything is recommended.

    Attributes:
        photos: Least number of photos with a recognised garment.
        worn: Least number of these that show a category before it counts as worn.
        share: Least share of these, 0..1; the classifier's mistakes alone stay below it.
        half_life: Days after which a photo counts half. Undated ones count as that old.
    """

    photos: int = 3
    worn: int = 2
    share: float = 0.05
    half_life: float = 180.0


def ordered(sightings: pd.DataFrame) -> pd.DataFrame:
    """The sightings by customer and time, undated last, whatever order they came in.

    An image counts once for each category: for the surest garment of it, however many it shows, and
    however often a customer posted it.

    Raises:
        TrendscopeError: A column of `SIGHTINGS` is missing.
    """
    require_columns(sightings, *SIGHTINGS)
    keys = ["customer", "posted_at", "sha256", "source", "category", "confidence"]
    rising = [key != "confidence" for key in keys]
    rows = sightings.sort_values(keys, ascending=rising, ignore_index=True, na_position="last")
    return rows.drop_duplicates(["customer", "sha256", "category"], ignore_index=True)


def wears(
    sightings: pd.DataFrame, evidence: MinimumEvidence | None = None, now: datetime | None = None
) -> pd.DataFrame:
    """Counts what each customer wears, with the affinity to each category.

    The affinity is the part of a customer's recognised photos that show a category, each counted by
    the classifier's confidence and halved with every half-life of age, and one photo of nothing
    added: so it is small for customers with few photos, or only old ones.

    Args:
        evidence: Least evidence for a customer and a category to be judged.
        now: Aware time up to which a photo's age is counted; the latest photo's time if None.

    Returns:
        A row per customer and category, by customer, most worn first.
        customer, category: text.
        photos: number of photos of that category.
        named: number of all the customer's photos with a recognised garment.
        unnamed: number of the customer's other photos, in which no category was recognised.
        share: photos / named, with the 95 % Wilson interval lo95, hi95.
        confidence: mean of the classifier's, 0..1.
        last_seen: time of the latest dated photo of the category, else NaT.
        affinity: 0..1, see above.
        worn: whether that is enough for `evidence`.
    """
    evidence = evidence or MinimumEvidence()
    rows = ordered(sightings)
    classified = rows[rows["category"].notna()]
    weights = _weights(classified, rows["posted_at"].max(), evidence.half_life, now)
    table = _counted(classified.assign(weight=weights), rows)
    table["worn"] = (
        (table["named"] >= evidence.photos)
        & (table["photos"] >= evidence.worn)
        & (table["share"] >= evidence.share)
    )
    return _most_worn_first(table)[list(WORN_COLUMNS)]


def _weights(
    classified: pd.DataFrame, latest: pd.Timestamp, half_life: float, now: datetime | None
) -> pd.Series:
    """The weight of each photo: the classifier's confidence, halved with every half-life of age."""
    until = pd.Timestamp(now) if now else latest
    days = (until - classified["posted_at"]).dt.total_seconds() / 86_400
    halved: pd.Series = 0.5 ** (days.fillna(half_life).clip(lower=0) / half_life)
    return classified["confidence"] * halved


def _counted(classified: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Photos, shares and affinity per customer and category; `classified` has a weight per row."""
    table = classified.groupby(["customer", "category"], as_index=False, observed=True).agg(
        photos=("sha256", "nunique"),
        confidence=("confidence", "mean"),
        last_seen=("posted_at", "max"),
        weight=("weight", "sum"),
    )
    of_customer = classified.groupby("customer", observed=True)
    customers = table["customer"]
    table["named"] = customers.map(of_customer["sha256"].nunique()).astype("int64")
    table["unnamed"] = customers.map(_unnamed(rows)).fillna(0).astype("int64")
    table["share"] = table["photos"] / table["named"]
    low, high = wilson(table["photos"].to_numpy(float), table["named"].to_numpy(float))
    affinity = table["weight"] / (customers.map(of_customer["weight"].sum()) + 1)
    return table.assign(lo95=low, hi95=high, affinity=affinity)


def _most_worn_first(table: pd.DataFrame) -> pd.DataFrame:
    """Sorted by customer and affinity; equal ones stand in the order of their labels."""
    label = table["category"].map({name: label for label, name in enumerate(CATEGORIES)})
    order = np.lexsort((label, -table["affinity"], table.groupby("customer").ngroup()))
    return table.iloc[order].reset_index(drop=True)


def _unnamed(rows: pd.DataFrame) -> pd.Series:
    """Photos of each customer without any category."""
    named = rows["category"].notna().groupby([rows["customer"], rows["sha256"]], observed=True)
    return (~named.any()).groupby(level="customer", observed=True).sum()


def unjudged(
    sightings: pd.DataFrame,
    worn: pd.DataFrame,
    evidence: MinimumEvidence | None = None,
    customers: Iterable[str] = (),
) -> pd.DataFrame:
    """The customers with too little evidence: columns customer, code (a `NoTarget`), reason.

    Args:
        sightings: The table that `wears` was called with.
        customers: Names of all customers, so that those without any photo have a row too.
    """
    evidence = evidence or MinimumEvidence()
    judged = set(worn.loc[worn["worn"], "customer"])
    named = worn.groupby("customer", observed=True)["named"].first()
    photos = sightings.groupby("customer", observed=True)["sha256"].nunique()
    rows = [
        (name, *_too_little(int(photos.get(name, 0)), int(named.get(name, 0)), evidence))
        for name in sorted({*customers, *photos.index} - judged)
    ]
    return pd.DataFrame(rows, columns=["customer", "code", "reason"], dtype=object)


def _too_little(photos: int, named: int, evidence: MinimumEvidence) -> tuple[NoTarget, str]:
    if not photos:
        return NoTarget.NO_PHOTO, "no photo has been judged"
    if named < evidence.photos:
        return NoTarget.FEW_GARMENTS, (
            f"a garment was recognised in {named} of {plural(photos, 'photo')}; "
            f"{evidence.photos} are needed to recommend anything"
        )
    return NoTarget.NO_CATEGORY, (
        f"no category is worn in {evidence.worn} photos and {100 * evidence.share:.0f} % of the "
        f"{plural(named, 'photo')} with a recognised garment"
    )


def sentence(category: str, photos: int, named: int, unnamed: int) -> str:
    """``wears dresses in 7 of 12 photos (3 more not recognised)``."""
    more = f" ({unnamed:,} more not recognised)" if unnamed else ""
    name = PLURALS[CATEGORIES.index(category)]
    return f"wears {name} in {photos:,} of {plural(named, 'photo')}{more}"


Evidence = MinimumEvidence
"""The name of earlier versions."""
