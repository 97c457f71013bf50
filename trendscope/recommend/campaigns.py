"""A database's customers and items brought together: whom to offer what, and who may be written to.

What is recommended is worked out by `trendscope.recommend.ranking`; here it is fed from the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from trendscope import store
from trendscope.categories import parse_category
from trendscope.errors import NothingUsable, StoreError, UsageError
from trendscope.ingest.catalog import import_catalog
from trendscope.photos.pseudonyms import Pseudonyms, without
from trendscope.recommend.contact_lists import Consent, consent, read_names
from trendscope.recommend.eligibility import candidate_items, eligible
from trendscope.recommend.preferences import SIGHTINGS
from trendscope.recommend.ranking import RecommendOptions, Targets, audience, targets, wearers
from trendscope.store.database import Database, Store, opened
from trendscope.store.read_items import find
from trendscope.text import displayed

if TYPE_CHECKING:
    from trendscope.limits import Limits
    from trendscope.photos.pipeline import Progress
    from trendscope.photos.summary import Profile

About = Literal["customers", "category", "sku"]


@dataclass(frozen=True)
class Campaign:
    """What came of one question.

    Attributes:
        database: Its name, without any password.
        about: What was asked for: items for customers, or customers for a category or an item.
        asked: The customer, category or SKU; empty where all customers were meant.
        title: Of the item asked for; else empty.
        as_of: The day up to which a photo's age is counted; None without a dated photo.
        customers: How many there are, of whom one was meant or all.
        bare: Items to choose from that cannot be compared by their looks.
        targets: Whom to offer what.
        consent: Who may be written to.
    """

    database: str
    about: About
    asked: str
    title: str
    as_of: datetime | None
    customers: int
    bare: int
    targets: Targets
    consent: Consent


def campaign(
    db: Database = None,
    *,
    customer: str | None = None,
    category: str | None = None,
    sku: str | None = None,
    wish: RecommendOptions | None = None,
    only: Path | None = None,
    never: Path | None = None,
    now: datetime | None = None,
) -> Campaign:
    """Items for all customers or one, or customers for a category or an item.

    Args:
        db: The database.
        customer: Only for this one.
        category: Customers who wear it; case does not matter.
        sku: Customers whom this item suits.
        wish: What is wanted.
        only: CSV with a column customer: nobody else is written to.
        never: CSV with a column customer: these are not written to.
        now: Up to when a photo's age is counted, aware; the latest photo's time if None.

    Raises:
        UsageError: More than one of customer, category and sku is given, or there is no such
            category.
        NothingUsable: The database holds no photos, or no items.
        StoreError: It cannot be used, or holds no such customer or item.
        TrendscopeError: A list cannot be read, or the item may not be recommended.
    """
    wish = wish or RecommendOptions()
    if sum(name is not None for name in (customer, category, sku)) > 1:
        raise UsageError("--customer, --category and --sku exclude each other; choose one")
    category = None if category is None else parse_category(category)
    lists = [None if path is None else read_names(path) for path in (only, never)]
    with opened(db) as open_store:
        people = store.customers(open_store)
        if people.empty:
            raise NothingUsable(f"{open_store.shown} holds no customers; see trendscope scan")
        names = people["customer"].tolist()
        asked = names if customer is None else [_known(customer, names, open_store)]
        allowed = consent(names, *lists)
        meant = [name for name in asked if name in {*allowed.allowed}]
        seen = _sightings(open_store, meant, customer)
        goods = _goods(open_store, category, sku)
        database = open_store.shown
    latest = people["last_posted"].max()
    day = now or (None if pd.isna(latest) else latest.to_pydatetime())
    title = ""
    if category:
        found = wearers(seen, category, wish, customers=meant, now=day)
    elif sku:
        found = audience(seen, goods, sku, wish, customers=meant, now=day)
        title = str(goods["title"].iloc[0])
    else:
        found = targets(seen, goods, wish, customers=meant, now=day)
    about: About = "category" if category else "sku" if sku else "customers"
    return Campaign(
        *(database, about, customer or category or sku or "", title, day, len(asked)),
        *(_bare(goods, wish), found, _meant(allowed, asked)),
    )


def pseudonymised(found: Campaign, pseudonyms: Pseudonyms) -> Campaign:
    """The same without customers' names and paths, in the order of their pseudonyms."""
    name = pseudonyms.name

    def told(row: Any) -> tuple[str, str, str]:
        if not isinstance(row.source, str):
            return name(row.customer), row.source, row.reason
        path, reason = pseudonyms.path(row.customer, row.source), row.reason
        if pd.isna(row.posted_at):  # Then the reason tells the photo by its file's name.
            reason = without(reason, (row.source,))
        return name(row.customer), path, reason

    rows, silent = found.targets.rows.copy(), found.targets.silent
    columns = ["customer", "source", "reason"]
    rows[columns] = pd.DataFrame(map(told, rows.itertuples()), rows.index, columns)
    silent = silent.assign(customer=silent["customer"].map(name))
    if found.about == "customers":
        rows = rows.sort_values("customer", kind="stable", ignore_index=True)
    silent = silent.sort_values("customer", kind="stable", ignore_index=True)
    strangers = {
        Path(file).name: tuple(map(name, those)) for file, those in found.consent.strangers.items()
    }
    allowed, withheld = (
        tuple(sorted(map(name, those))) for those in (found.consent.allowed, found.consent.withheld)
    )
    return replace(
        found,
        asked=name(found.asked) if found.asked and found.about == "customers" else found.asked,
        targets=replace(found.targets, rows=rows, silent=silent),
        consent=Consent(allowed, withheld, strangers),
    )


def for_profile(
    profile: Profile,
    catalogue: Path,
    *,
    images: Sequence[Path] = (),
    wish: RecommendOptions | None = None,
    weights: str | Path | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Campaign:
    """Items of a catalogue file for the customers of some feeds; nothing is kept.

    Args:
        profile: What the customers wear.
        catalogue: The file; see `trendscope.ingest.catalog.import_catalog`, as for the rest.
        images: Folders and zips with the items' pictures.
        wish: What is wanted; three items in each category if None.
        weights: Those that judged the profile.
        limits: What file and pictures may ask for.
        progress: Told now and then.

    Raises:
        NothingUsable: The file holds no item.
        FeedError: The file, or a place of pictures, cannot be read.
    """
    wish = wish or RecommendOptions(per_category=3)
    with TemporaryDirectory(prefix="trendscope-") as folder:
        place = Path(folder) / "catalogue.db"
        import_catalog(
            catalogue, place, images=images, weights=weights, limits=limits, progress=progress
        )
        goods = candidate_items(store.items(place))
    if goods.empty:
        raise NothingUsable(f"{displayed(str(catalogue))} holds no item that could be used")
    seen = _seen(profile)
    names = tuple(customer.customer for customer in profile.customers)
    found = targets(seen, goods, wish, customers=names)
    latest = seen["posted_at"].max()
    day = None if pd.isna(latest) else latest.to_pydatetime()
    allowed = Consent(names, (), {})
    return Campaign(
        *(str(catalogue), "customers", "", "", day, len(names)),
        *(_bare(goods, wish), found, allowed),
    )


def _seen(profile: Profile) -> pd.DataFrame:
    """The photos of a profile as a table of sightings."""
    rows = [
        (
            *(photo.customer, photo.posted_at, garment and garment.category),
            garment.confidence if garment else photo.confidence,
            *(photo.sha256, photo.source, photo.embedding),
        )
        for photo in profile.readings
        for garment in photo.garments or (None,)
    ]
    table = pd.DataFrame(rows, columns=list(SIGHTINGS))
    return table.assign(posted_at=pd.to_datetime(table["posted_at"], utc=True))


def _bare(goods: pd.DataFrame, wish: RecommendOptions) -> int:
    return int(eligible(goods, wish.terms)[0]["embedding"].isna().sum())


def _known(customer: str, names: Sequence[str], open_store: Store) -> str:
    if customer in names:
        return customer
    near = get_close_matches(customer, names, 3)
    advice = f"is it {', '.join(map(displayed, near))}?" if near else "check the spelling"
    raise StoreError(f"{open_store.shown} holds no customer {displayed(customer)!r}; {advice}")


def _sightings(open_store: Store, meant: Sequence[str], customer: str | None) -> pd.DataFrame:
    seen = store.sightings(open_store, customer, vectors=True)
    return seen[seen["customer"].isin(list(meant))].reset_index(drop=True)


def _goods(open_store: Store, category: str | None, sku: str | None) -> pd.DataFrame:
    """The items that the question is about; none are needed to ask who wears a category."""
    if category:
        return candidate_items([])
    if sku is not None:
        return candidate_items([find(open_store, sku)])
    goods = candidate_items(store.items(open_store))
    if goods.empty:
        raise NothingUsable(
            f"{open_store.shown} holds no items; read a catalogue first: "
            "trendscope catalog import FILE --db DATABASE"
        )
    return goods


def _meant(allowed: Consent, asked: Sequence[str]) -> Consent:
    """Of those left out only the ones who were asked about."""
    wanted = {*asked}
    withheld = tuple(name for name in allowed.withheld if name in wanted)
    return Consent(allowed.allowed, withheld, allowed.strangers)
