"""Which categories each customer wears, how much, how lately, and who cannot be judged. Pure.

Everything rests on a table of sightings as `trendscope.store.sightings` gives it. Nothing here
reads a clock: what is not told to be another day is the day of the latest photo.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from trendscope.categories import CATEGORIES, PLURALS
from trendscope.files.tables import require_columns
from trendscope.proportions import wilson

SIGHTINGS = ("customer", "posted_at", "category", "confidence", "sha256", "source", "embedding")
"""Columns of sightings that are needed; see `trendscope.store.sightings`."""


@dataclass(frozen=True)
class MinimumEvidence:
    """What must be known of a customer before anything is recommended.

    Attributes:
        photos: Photos with a recognised garment.
        worn: Of these, photos of a category before it counts as worn.
        share: And the share of these; the classifier's mistakes alone would reach less.
        half_life: Days after which a photo counts half. Undated ones count as that old.
    """

    photos: int = 3
    worn: int = 2
    share: float = 0.05
    half_life: float = 180.0


def ordered(sightings: pd.DataFrame) -> pd.DataFrame:
    """The sightings by customer and time, undated last, whatever order they came in.

    An image that a customer posted several times counts once for each category.

    Raises:
        TrendscopeError: A column of `SIGHTINGS` is missing.
    """
    require_columns(sightings, *SIGHTINGS)
    rows = sightings.sort_values(
        ["customer", "posted_at", "sha256", "source", "category"],
        ignore_index=True,
        kind="stable",
        na_position="last",
    )
    return rows.drop_duplicates(["customer", "sha256", "category"], ignore_index=True)


def wears(
    sightings: pd.DataFrame, evidence: MinimumEvidence | None = None, now: datetime | None = None
) -> pd.DataFrame:
    """What each customer wears.

    The affinity says how much a category is someone's: the part of their recognised photos that
    show it, each counted by the classifier's confidence and halved with every half-life of age, and
    one photo of nothing added: so it is small for those of whom little, or nothing recent, is
    known.

    Args:
        sightings: As `trendscope.store.sightings` gives them.
        evidence: From when on a customer and a category can be judged.
        now: Up to when a photo's age is counted, aware; the latest photo's time if None.

    Returns:
        A row per customer and category seen, by customer, most worn first.
        customer, category: text.
        photos: of that category.
        named: all the customer's photos with a recognised garment.
        unnamed: the customer's other photos, of which no category was recognised.
        share: photos / named, with the 95 % Wilson interval lo95, hi95.
        confidence: mean of the classifier's, 0..1.
        last_seen: time of the latest dated photo of the category, else NaT.
        affinity: 0..1, see above.
        worn: whether that is enough for `evidence`.
    """
    evidence = evidence or MinimumEvidence()
    rows = ordered(sightings)
    classified = rows[rows["category"].notna()]
    classified = classified.assign(weight=_weights(classified, rows, evidence, now))
    found = classified.groupby(["customer", "category"], as_index=False, observed=True).agg(
        photos=("sha256", "nunique"),
        confidence=("confidence", "mean"),
        last_seen=("posted_at", "max"),
        weight=("weight", "sum"),
    )
    of_all = classified.groupby("customer", observed=True)
    customers = found["customer"]
    found["named"] = customers.map(of_all["sha256"].nunique()).astype("int64")
    found["unnamed"] = customers.map(_unnamed(rows)).fillna(0).astype("int64")
    found["share"] = found["photos"] / found["named"]
    low, high = wilson(found["photos"].to_numpy(float), found["named"].to_numpy(float))
    found["lo95"], found["hi95"] = low, high
    found["affinity"] = found["weight"] / (customers.map(of_all["weight"].sum()) + 1)
    found["worn"] = (
        (found["named"] >= evidence.photos)
        & (found["photos"] >= evidence.worn)
        & (found["share"] >= evidence.share)
    )
    label = found["category"].map({name: label for label, name in enumerate(CATEGORIES)})
    order = np.lexsort((label, -found["affinity"], found.groupby("customer").ngroup()))
    columns = ["customer", "category", "photos", "named", "unnamed", "share", "lo95", "hi95"]
    columns += ["confidence", "last_seen", "affinity", "worn"]
    return found.iloc[order][columns].reset_index(drop=True)


def _weights(
    classified: pd.DataFrame, rows: pd.DataFrame, evidence: MinimumEvidence, now: datetime | None
) -> pd.Series:
    latest = pd.Timestamp(now) if now else rows["posted_at"].max()
    days = (latest - classified["posted_at"]).dt.total_seconds() / 86_400
    age = days.fillna(evidence.half_life).clip(lower=0)
    halved: pd.Series = 0.5 ** (age / evidence.half_life)
    return classified["confidence"] * halved


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
    """The customers of whom too little is known, and why: columns customer, reason.

    Args:
        sightings: As for `wears`.
        worn: As `wears` gives it for them.
        evidence: The same as there.
        customers: All there are, so that those without any photo are told too.
    """
    evidence = evidence or MinimumEvidence()
    judged = set(worn.loc[worn["worn"], "customer"])
    named = worn.groupby("customer", observed=True)["named"].first()
    seen = sightings.groupby("customer", observed=True)["sha256"].nunique()
    everyone = sorted({*customers, *seen.index} - judged)
    reasons = [
        _too_little(int(seen.get(name, 0)), int(named.get(name, 0)), evidence) for name in everyone
    ]
    return pd.DataFrame({"customer": everyone, "reason": reasons}, dtype=object)


def _too_little(seen: int, named: int, evidence: MinimumEvidence) -> str:
    if not seen:
        return "no photo has been judged"
    if named < evidence.photos:
        return (
            f"a garment was recognised in {named} of {_photos(seen)}; "
            f"{evidence.photos} are needed to recommend anything"
        )
    return (
        f"no category is worn in {evidence.worn} photos and {100 * evidence.share:.0f} % of the "
        f"{_photos(named)} with a recognised garment"
    )


def _photos(count: int) -> str:
    return f"{count:,} photo{'' if count == 1 else 's'}"


def sentence(category: str, photos: int, named: int, unnamed: int) -> str:
    """``wears dresses in 7 of 12 photos (3 more not recognised)``."""
    more = f" ({unnamed:,} more not recognised)" if unnamed else ""
    name = PLURALS[CATEGORIES.index(category)]
    return f"wears {name} in {photos:,} of {_photos(named)}{more}"


def of_customers(table: pd.DataFrame, customers: Sequence[str]) -> pd.DataFrame:
    """The rows of some customers."""
    return table[table["customer"].isin(list(customers))].reset_index(drop=True)


Evidence = MinimumEvidence
"""The name of earlier versions."""
