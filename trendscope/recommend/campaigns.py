"""Campaigns from a database: which customers get which items, and who may be written to.

`trendscope.recommend.ranking` works out the targets from the tables that are read here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from trendscope import store
from trendscope.categories import parse_category
from trendscope.errors import NothingUsable, UsageError
from trendscope.photos.pseudonyms import Pseudonyms, without
from trendscope.recommend.contact_lists import Consent, NameList, consent, read_names
from trendscope.recommend.eligibility import candidate_items, eligible
from trendscope.recommend.preferences import SIGHTINGS
from trendscope.recommend.ranking import RecommendOptions, Targets, audience, targets, wearers
from trendscope.store.database import Database, Store, opened
from trendscope.store.listing import close_names, unknown_customer
from trendscope.store.read_items import find
from trendscope.text import displayed

if TYPE_CHECKING:
    from trendscope.catalog.items import Item
    from trendscope.photos.summary import Profile

About = Literal["customers", "category", "sku"]

UnknownNames = Literal["name", "count", "keep"]


@dataclass(frozen=True)
class Campaign:
    """The targets for one customer, category or item, or for all customers.

    Attributes:
        database: Name of the database, without any password, or of the catalogue file.
        about: Kind of campaign: items for customers, or customers for a category or an item.
        about_name: Name of the customer or category, or the SKU; empty for all customers.
        title: Title of the item whose customers were looked for; else empty.
        as_of: Day up to which a photo's age is counted; None without a dated photo.
        customers: Number of customers considered: one or all.
        without_picture: Number of eligible items that cannot be compared by their looks.
        targets: Items for customers, or customers for a category or an item.
        consent: Customers who may be written to.
    """

    database: str
    about: About
    about_name: str
    title: str
    as_of: datetime | None
    customers: int
    without_picture: int
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
    unknown_names: UnknownNames = "name",
    now: datetime | None = None,
) -> Campaign:
    """Items for all customers or one, or customers for a category or an item.

    Args:
        customer: The only customer to find items for.
        category: Category whose wearers are looked for; case does not matter.
        sku: SKU of the item whose customers are looked for.
        only: CSV with a column customer: nobody else is written to.
        never: CSV with a column customer: these are not written to.
        unknown_names: What to do about names in `never` that no customer has: refuse and ``name``
            them, refuse and ``count`` them, or ``keep`` them.
        now: Aware time up to which a photo's age is counted; the latest photo's time if None.

    Raises:
        UsageError: A name in `never` is no customer's, several of customer, category and sku are
            given, or there is no such category.
        NothingUsable: The database holds no photos, or no items.
        StoreError: It cannot be used, or holds no such customer or item.
        TrendscopeError: A list cannot be read, or the item may not be recommended.
    """
    if sum(name is not None for name in (customer, category, sku)) > 1:
        raise UsageError("--customer, --category and --sku exclude each other; choose one")
    options = wish or RecommendOptions()
    category = None if category is None else parse_category(category)
    name_lists = [None if path is None else read_names(path) for path in (only, never)]
    with opened(db) as open_store:
        names = store.customer_names(open_store)
        customers = sorted({*names} - {*store.without_photos(open_store)})
        if not customers:
            raise NothingUsable(f"{open_store.shown} holds no customers; see trendscope scan")
        if customer is not None and customer not in names:
            raise unknown_customer(open_store.shown, customer, names)
        requested = customers if customer is None else [customer]
        permitted = consent(names, *name_lists)
        _check_names(name_lists[1], permitted, names, unknown_names)
        addressed = sorted({*requested} & {*permitted.allowed})
        sightings = store.sightings(open_store, customer, vectors=True)
        items = _items(open_store, category, sku)
        database, (_, latest) = open_store.shown, store.posted_between(open_store)
    sightings = sightings[sightings["customer"].isin(addressed)].reset_index(drop=True)
    day = now or latest
    if category:
        offers = wearers(sightings, category, options, customers=addressed, now=day)
    elif sku:
        item = str(items["sku"].iloc[0])  # `sku` may be that of one of its sizes
        offers = audience(sightings, items, item, options, customers=addressed, now=day)
    else:
        offers = targets(sightings, items, options, customers=addressed, now=day)
    suppressed = tuple(sorted({*requested} & {*permitted.suppressed}))
    return Campaign(
        database=database,
        about="category" if category else "sku" if sku else "customers",
        about_name=customer or category or sku or "",
        title=str(items["title"].iloc[0]) if sku else "",
        as_of=day,
        customers=len(requested),
        without_picture=_without_picture(items, options),
        targets=offers,
        consent=replace(permitted, suppressed=suppressed),
    )


def pseudonymised(campaign: Campaign, pseudonyms: Pseudonyms) -> Campaign:
    """The campaign with pseudonyms for customers' names and paths, and in their order."""
    name = pseudonyms.name

    def renamed(row: Any) -> tuple[str, str, str]:
        if not isinstance(row.source, str):
            return name(row.customer), row.source, row.reason
        path, reason = pseudonyms.path(row.customer, row.source), row.reason
        if pd.isna(row.posted_at):  # Then the reason names the photo's file.
            reason = without(reason, (row.source,))
        return name(row.customer), path, reason

    by_customer = campaign.about == "customers"
    rows = campaign.targets.rows.copy()
    columns = ["customer", "source", "reason"]
    rows[columns] = pd.DataFrame(map(renamed, rows.itertuples()), rows.index, columns)
    if by_customer:
        rows = rows.sort_values("customer", kind="stable", ignore_index=True)
    others = campaign.targets.without_targets
    others = others.assign(customer=others["customer"].map(name))
    others = others.sort_values("customer", kind="stable", ignore_index=True)
    permitted = campaign.consent
    unknown = {Path(file).name: tuple(map(name, n)) for file, n in permitted.unknown_names.items()}
    requested = campaign.about_name
    return replace(
        campaign,
        about_name=name(requested) if requested and by_customer else requested,
        targets=replace(campaign.targets, rows=rows, without_targets=others),
        consent=Consent(
            tuple(sorted(map(name, permitted.allowed))),
            tuple(sorted(map(name, permitted.suppressed))),
            unknown,
        ),
    )


def for_profile(
    profile: Profile,
    items: Iterable[Item],
    *,
    catalogue: str = "the catalogue",
    wish: RecommendOptions | None = None,
) -> Campaign:
    """Items for the customers of some feeds; no database is read or written.

    Args:
        items: The items to choose from, judged by the weights of the profile; see
            `trendscope.ingest.catalog_file.items_of_file`.
        catalogue: Name of the catalogue, for people.
        wish: Number and choice of items; three items in each category if None.

    Raises:
        NothingUsable: There is no item.
    """
    options = wish or RecommendOptions(per_category=3)
    table = candidate_items(items)
    if table.empty:
        raise NothingUsable(f"{displayed(catalogue)} holds no item that could be used")
    sightings = _profile_sightings(profile)
    latest = sightings["posted_at"].max()
    names = tuple(customer.customer for customer in profile.customers)
    return Campaign(
        database=catalogue,
        about="customers",
        about_name="",
        title="",
        as_of=None if pd.isna(latest) else latest.to_pydatetime(),
        customers=len(names),
        without_picture=_without_picture(table, options),
        targets=targets(sightings, table, options, customers=names),
        consent=Consent(names, (), {}),
    )


def _profile_sightings(profile: Profile) -> pd.DataFrame:
    """The photos of a profile as a table of sightings."""
    rows = [
        (
            *(photo.customer, photo.posted_at, garment and garment.category),
            garment.confidence if garment else photo.confidence,
            *(photo.sha256, photo.source),
            (garment and garment.embedding) or photo.embedding,
        )
        for photo in profile.readings
        for garment in photo.garments or (None,)
    ]
    table = pd.DataFrame(rows, columns=list(SIGHTINGS))
    return table.assign(posted_at=pd.to_datetime(table["posted_at"], utc=True))


def _check_names(
    never: NameList | None,
    permitted: Consent,
    customers: Sequence[str],
    unknown_names: UnknownNames,
) -> None:
    """Raises UsageError for names on the list `never` that no customer has, with the nearest."""
    unknown = permitted.unknown_names.get(never.file, ()) if never else ()
    if not never or not unknown or unknown_names == "keep":
        return
    advice = "correct the list, or go on with --force"
    if unknown_names == "count":
        raise UsageError(f"--never: no customer has {len(unknown):,} of its names; {advice}")
    near = [(displayed(name), close_names(name, customers)) for name in unknown[:3]]
    words = [f"{name!r}" + (f" (is it {close}?)" if close else "") for name, close in near]
    more = f" and {len(unknown) - len(near):,} more" if len(unknown) > len(near) else ""
    raise UsageError(
        f"--never {displayed(never.file)}: no customer is called {', '.join(words)}{more}; {advice}"
    )


def _without_picture(items: pd.DataFrame, options: RecommendOptions) -> int:
    return int(eligible(items, options.terms)[0]["embedding"].isna().sum())


def _items(open_store: Store, category: str | None, sku: str | None) -> pd.DataFrame:
    """The items to choose from; none are needed to find who wears a category."""
    if category:
        return candidate_items([])
    if sku is not None:
        return candidate_items([find(open_store, sku)])
    table = candidate_items(store.items(open_store))
    if table.empty:
        raise NothingUsable(
            f"{open_store.shown} holds no items; read a catalogue first: "
            "trendscope catalog import FILE --db DATABASE"
        )
    return table
