"""The command ``recommend``: what to offer to whom."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from trendscope.cli import options
from trendscope.cli.options import option
from trendscope.cli.outcome import check_writable, exit_codes, render, write_file
from trendscope.errors import NothingUsable, UsageError

if TYPE_CHECKING:
    from trendscope.recommend.campaigns import Campaign
    from trendscope.recommend.eligibility import ItemFilter

RECOMMEND_EXAMPLES = options.examples("""
  trendscope recommend --db fashion.db          what suits each customer
  trendscope recommend --customer anna --html anna.html
  trendscope recommend --sku A17 --csv -o mail.csv      whom to write to
  trendscope recommend --category Dress --never optedout.csv
  trendscope recommend --price 20-80 --currency EUR --per-category 3

The CSV has the columns customer,sku,category,rank,score,reason. Lists of
customers have a column customer, as that CSV has.
""")


def recommend(
    db: options.Db = None,
    customer: Annotated[str | None, option("--customer NAME", "Items for this one only.")] = None,
    category: Annotated[str | None, option("--category NAME", "Customers who wear it.")] = None,
    sku: Annotated[str | None, option("--sku SKU", "Customers whom the item suits.")] = None,
    per_category: Annotated[
        int, option("--per-category", "Items in each category worn.", min=1, max=1000)
    ] = 5,
    diversity: Annotated[
        float, option("--diversity", "0: the most alike; up to 1: more varied.", min=0, max=1)
    ] = 0.2,
    exclude_owned: Annotated[
        bool, option("--exclude-owned", "Not what looks the same as what they wear.")
    ] = False,
    price: Annotated[str, option("--price LOW-HIGH", "Such as 20-80, 20- or -80.")] = "",
    currency: Annotated[str, option("--currency CODE", "Of that band; such as EUR.")] = "",
    any_stock: Annotated[bool, option("--any-stock", "Also what is out of stock.")] = False,
    only: Annotated[Path | None, option("--only CSV", "Write to nobody but these.")] = None,
    never: Annotated[Path | None, option("--never CSV", "Do not write to these.")] = None,
    as_of: Annotated[
        datetime | None,
        option("--as-of", "Count age up to that day; else the last photo's.", formats=["%Y-%m-%d"]),
    ] = None,
    json: options.Json = False,
    csv: Annotated[bool, option("--csv", "Print a CSV for mail tools.")] = False,
    html: Annotated[Path | None, option("--html FILE", "Also write a page with pictures.")] = None,
    output: options.Output = None,
    force: Annotated[
        bool, option("--force", "Replace any file; go on if --never names unknown customers.")
    ] = False,
    pseudonymise: options.Pseudonymise = False,
    quiet: options.Quiet = False,
    verbose: options.Traced = False,
) -> None:
    """Say which items suit each customer, or whom to write to about an item or a category.

    Customers' photos come from trendscope scan, items from trendscope catalog import. Of whom or of
    what too little is known, nothing is recommended, and that is said.
    """
    with exit_codes(verbose, pseudonymise and (customer, only, never, html, output), quiet=quiet):
        format = options.format_of(json=json, csv=csv)
        check_writable(output, html, inputs=(only, never, db), force=force)
        pseudonyms = options.pseudonyms_of(pseudonymise)
        from trendscope.recommend.campaigns import campaign, pseudonymised
        from trendscope.recommend.ranking import RecommendOptions
        from trendscope.reports.terminal import working

        settings = RecommendOptions(
            per_category=per_category,
            diversity=diversity,
            exclude_owned=exclude_owned,
            terms=_item_filter(price, currency, any_stock),
        )
        with working(quiet, "Comparing photos and items"):
            result = campaign(
                db,
                customer=customer,
                category=category,
                sku=sku,
                wish=settings,
                only=only,
                never=never,
                unknown_names="keep" if force else "count" if pseudonyms else "name",
                now=as_of and as_of.replace(tzinfo=UTC),
            )
        if pseudonyms:
            result = pseudonymised(result, pseudonyms)
        if html:
            _write_page(result, db, html)
        _write(result, format, output, quiet)
        if result.targets.rows.empty:
            raise NothingUsable("there is nobody and nothing to recommend; the notes say why")


def _item_filter(price: str, currency: str, any_stock: bool) -> ItemFilter:
    from trendscope.recommend.eligibility import ItemFilter

    low, high = _band(price)
    if currency and low is None and high is None:
        raise UsageError("--currency goes with --price LOW-HIGH")
    return ItemFilter(any_stock, low, high, currency.strip().upper())


def _band(price: str) -> tuple[float | None, float | None]:
    """The bounds of ``20-80``, ``20-`` or ``-80``; None where it is open."""
    if not price:
        return None, None
    number = r"\s*(\d+(?:\.\d{1,3})?)?\s*"
    match = re.fullmatch(rf"{number}-{number}", price)
    if not match or match[1] is match[2]:
        raise UsageError(f"--price {price}: give LOW-HIGH, such as 20-80, 20- or -80")
    low, high = (None if bound is None else float(bound) for bound in match.groups())
    if low is not None and high is not None and low > high:
        raise UsageError(f"--price {price}: the lower price comes first")
    return low, high


def _write_page(campaign: Campaign, db: str | None, html: Path) -> None:
    from trendscope import store
    from trendscope.reports import targets

    photos, pictures = targets.shown_pictures(campaign)
    with store.open_store(db) as reader:
        page = targets.targets_html(
            campaign, store.thumbnails(reader, photos), store.item_thumbnails(reader, pictures)
        )
    write_file(html, page)


def _write(campaign: Campaign, format: str | None, output: Path | None, quiet: bool) -> None:
    from trendscope.reports import targets
    from trendscope.reports.terminal import print_targets

    document = targets.WRITERS[format](campaign) if format else None
    render(lambda file: print_targets(campaign, file), output, document)
    if format == "csv" and not quiet:
        for sentence in targets.notes(campaign):
            print(f"trendscope: {sentence}", file=sys.stderr)
