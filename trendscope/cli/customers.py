"""The command ``customers``, and the profile of a customer whose photos were scanned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from trendscope.cli import options
from trendscope.cli.options import option
from trendscope.cli.outcome import check_writable, exit_codes, write_output
from trendscope.errors import NothingUsable

if TYPE_CHECKING:
    from trendscope.photos.options import ScanOptions
    from trendscope.photos.pseudonyms import Pseudonyms
    from trendscope.photos.summary import Profile

CUSTOMERS_EXAMPLES = options.examples("""
  trendscope customers --db fashion.db
  trendscope customers --db fashion.db --search ann
  trendscope customers --db fashion.db --csv -o customers.csv
""")


def customers(
    db: options.Db = None,
    search: Annotated[str, option("--search TEXT", "Only names that contain it.")] = "",
    json: options.Json = False,
    csv: Annotated[bool, option("--csv", "Print a CSV row per customer.")] = False,
    output: options.Output = None,
    pseudonymise: options.Pseudonymise = False,
    force: options.Force = False,
    verbose: options.Traced = False,
) -> None:
    """List the customers of a database who have photos: how many, and what they wear most."""
    with exit_codes(verbose, pseudonymise and (search, output)):
        format = options.format_of(json=json, csv=csv)
        check_writable(output, inputs=(db,), force=force)
        pseudonyms = options.pseudonyms_of(pseudonymise)
        from trendscope import store
        from trendscope.reports.customers import WRITERS

        with store.open_store(db) as opened:
            entries = store.every_customer(opened, search)
            without = store.without_photos(opened, search)
        if pseudonyms:
            entries = [replace(each, customer=pseudonyms.name(each.customer)) for each in entries]
            without = [pseudonyms.name(name) for name in without]
        write_output(WRITERS[format](entries, without), output)
        if not entries:
            known = "no photo of theirs could be used" if without else "there is no such customer"
            raise NothingUsable(f"{known}; trendscope scan adds photos")


def stored_profile_of(
    db: str | None, customer: str, settings: ScanOptions, pseudonyms: Pseudonyms | None
) -> Profile:
    """What a customer wears by the photos that were scanned into a database."""
    from trendscope.photos.summary import summarise
    from trendscope.store import open_store
    from trendscope.store.profile import stored_profile
    from trendscope.trends.from_store import scores_in

    with open_store(db) as opened:
        profile = stored_profile(opened, customer, zone=settings.zone, pictures=settings.pictures)
        weights = settings.weights if isinstance(settings.weights, str | Path) else None
        profile = replace(profile, scores=scores_in(opened, weights))
    if pseudonyms is None:
        return profile
    hidden = pseudonyms.replaced
    items = [*map(hidden, profile.readings), *map(hidden, profile.skipped)]
    return summarise(profile.weights, items, profile.zone, profile.scores)
