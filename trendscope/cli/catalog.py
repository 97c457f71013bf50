"""The commands ``catalog``: what a shop sells, in the same database."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trendscope.cli import options
from trendscope.cli.options import option
from trendscope.cli.outcome import (
    ExitCode,
    check_writable,
    confirm,
    exit_codes,
    render,
    write_file,
)
from trendscope.cli.sections import SectionedCommand
from trendscope.errors import NothingUsable, StoreError
from trendscope.limits import adjusted
from trendscope.text import displayed

if TYPE_CHECKING:
    from trendscope.catalog.items import Item

CATALOG_EXAMPLES = options.examples("""
  trendscope catalog import products.csv --images pictures/
  trendscope catalog add photo.jpg --sku A17 --title "Wrap dress"
  trendscope catalog list --review              what a person should look at
  trendscope catalog add --sku A17 --category Dress      a person's decision
  trendscope catalog show A17
""")
IMPORT_EXAMPLES = options.examples("""
  trendscope catalog import products_export.csv --images pictures.zip
  trendscope catalog import feed.tsv --db fashion.db --currency EUR
  trendscope catalog import products.csv --category-map ours.csv

A category map has the columns match,category: a SKU, or a product type as the
file has it, and one of the ten categories, or none.
""")
ADD_EXAMPLES = options.examples("""
  trendscope catalog add photo.jpg --sku A17 --title "Wrap dress"
  trendscope catalog add --sku A17 --price "59.90 EUR" --force
  trendscope catalog add --sku A17 --category Dress
""")
LIST_EXAMPLES = options.examples("""
  trendscope catalog list --review --html review.html
  trendscope catalog list --category Dress --csv -o dresses.csv
""")

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Currency = Annotated[str, option("--currency CODE", "Of prices that name none; such as EUR.")]


@app.callback(epilog=CATALOG_EXAMPLES)
def catalog() -> None:
    """Keep what a shop sells, each item with its category, found by words and picture."""


@app.command("import", cls=SectionedCommand, epilog=IMPORT_EXAMPLES)
def import_(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Of Shopify, WooCommerce, Google, Meta, or a CSV."),
    ],
    images: Annotated[
        list[Path] | None, option("--images FOLDER|ZIP", "Items' pictures; may be repeated.")
    ] = None,
    category_map: Annotated[
        Path | None, option("--category-map CSV", "match,category: overrides the words.")
    ] = None,
    currency: Currency = "",
    store_url: Annotated[str, option("--store-url URL", "Of a Shopify shop, for its pages.")] = "",
    db: options.Db = None,
    weights: options.Weights = None,
    json: options.Json = False,
    output: options.Output = None,
    force: options.Force = False,
    limit: options.Limit = None,
    strict: options.Strict = False,
    quiet: options.Quiet = False,
    verbose: Annotated[
        bool, option("-v --verbose", "Name every row that was not used, or not whole.")
    ] = False,
) -> None:
    """Read a catalogue file into the database; what is known already is brought up to date.

    Pictures are never fetched from the web: give a folder or a zip of them.
    """
    with exit_codes(
        verbose, work_so_far="what was read is kept; run it again to go on", quiet=quiet
    ):
        read = (file, *(images or ()), category_map, db)
        check_writable(output, inputs=read, force=force)
        from trendscope.ingest.catalog import import_catalog
        from trendscope.reports.catalog import import_json
        from trendscope.reports.terminal import print_import, progress_bar

        with progress_bar(quiet, "Reading the catalogue", "items") as progress:
            result = import_catalog(
                file,
                db,
                images=images or (),
                category_map=category_map,
                currency=currency,
                store_url=store_url,
                weights=weights,
                limits=adjusted(limit or ()),
                progress=progress,
            )
        document = import_json(result) if json else None
        render(lambda file: print_import(result, file, rows=verbose), output, document)
        if not result.items:
            raise NothingUsable("the file holds no item that could be used; see the reasons above")
        if strict and any(not remark.kept for remark in result.remarks):
            raise typer.Exit(ExitCode.SKIPPED)


@app.command(cls=SectionedCommand, epilog=ADD_EXAMPLES)
def add(
    photo: Annotated[
        Path | None, typer.Argument(metavar="[PHOTO]", help="A picture of the item.")
    ] = None,
    sku: Annotated[str, option("--sku", "The shop's number of it.")] = "",
    title: Annotated[str, option("--title", "What it is called.")] = "",
    kind: Annotated[str, option("--type", "Its product type or taxonomy.")] = "",
    brand: Annotated[str, option("--brand", "Who makes it.")] = "",
    price: Annotated[str, option("--price", 'Such as "59.90 EUR".')] = "",
    currency: Currency = "",
    url: Annotated[str, option("--url", "Its page in the shop.")] = "",
    in_stock: Annotated[
        bool | None, option("--in-stock/--out-of-stock", "As before if not given.")
    ] = None,
    category: Annotated[
        str | None, option("--category", "A person's decision: one of the ten, or none.")
    ] = None,
    db: options.Db = None,
    weights: options.Weights = None,
    json: options.Json = False,
    output: options.Output = None,
    force: Annotated[
        bool, option("--force", "Change an item that is there already; replace any file.")
    ] = False,
    limit: options.Limit = None,
    verbose: options.Traced = False,
) -> None:
    """Add an item by its picture: its category is found, and linked to the entry.

    An item that is there already is changed only with --force, but for its --category.
    """
    with exit_codes(verbose, work_so_far="nothing was changed"):
        check_writable(output, inputs=(photo, db), force=force)
        from trendscope.ingest.catalog import add as add_item

        facts = photo or title or kind or brand or price or url or in_stock is not None
        if facts and not force:
            _refuse_known(sku, db)
        item = add_item(
            photo,
            db,
            sku=sku,
            title=title,
            kind=kind,
            brand=brand,
            price=price,
            currency=currency,
            url=url,
            in_stock=in_stock,
            category=category,
            weights=weights,
            limits=adjusted(limit or ()),
        )
        _write_item(item, db, json, output)


def _refuse_known(sku: str, db: str | None) -> None:
    """Asks before an item that is there already is changed, or refuses where nobody is there.

    Raises:
        UsageError: There is such an item, and nobody to ask.
        KeyboardInterrupt: The answer was no.
    """
    from trendscope import store
    from trendscope.store.read_items import known_item

    item = None
    with suppress(StoreError), store.open_store(db) as opened:  # else it is made, or told of later
        item = known_item(opened, sku)
    if item is None:
        return
    name = f"{displayed(item.sku)} is there already: {displayed(item.title) or 'untitled'}"
    confirm(f"{name}. Change it?", f"{name}; give --force to change it, or another --sku")


@app.command("list", cls=SectionedCommand, epilog=LIST_EXAMPLES)
def list_(
    review: Annotated[
        bool, option("--review", "Only what waits for a person, with the reason.")
    ] = False,
    category: Annotated[str | None, option("--category", "Only one of the ten, or none.")] = None,
    db: options.Db = None,
    json: options.Json = False,
    csv: Annotated[bool, option("--csv", "Print a CSV row per item.")] = False,
    html: Annotated[Path | None, option("--html FILE", "Also write a page with pictures.")] = None,
    output: options.Output = None,
    force: options.Force = False,
    verbose: options.Traced = False,
) -> None:
    """List the items, their categories, and how these are known."""
    with exit_codes(verbose):
        options.format_of(json=json, csv=csv)
        check_writable(output, html, inputs=(db,), force=force)
        from trendscope import store
        from trendscope.reports import catalog as catalog_report
        from trendscope.reports.terminal import print_items
        from trendscope.store.read_items import chosen

        with store.open_store(db) as opened:
            every = store.items(opened)
            if not every:
                raise NothingUsable(
                    f"{opened.shown} holds no items; add some with trendscope catalog import FILE"
                )
            items = chosen(every, review=review, category=category)
            if html:
                small = store.item_thumbnails(opened, [item.sku for item in items])
                title = "To be looked at" if review else "Catalogue"
                write_file(html, catalog_report.items_html(items, small, title=title))
            name = opened.shown
        document = catalog_report.items_json(items, name) if json else None
        document = catalog_report.items_csv(items) if csv else document
        render(lambda file: print_items(items, file, review=review), output, document)


@app.command(cls=SectionedCommand)
def show(
    sku: Annotated[str, typer.Argument(metavar="SKU", help="The shop's number of the item.")],
    db: options.Db = None,
    json: options.Json = False,
    output: options.Output = None,
    force: options.Force = False,
    verbose: options.Traced = False,
) -> None:
    """Show one item: its category, how that is known, and what its picture looks like."""
    with exit_codes(verbose):
        check_writable(output, inputs=(db,), force=force)
        from trendscope.store.read_items import find

        _write_item(find(db, sku), db, json, output)


def _write_item(item: Item, db: str | None, json: bool, output: Path | None) -> None:
    from trendscope.reports.catalog import items_json
    from trendscope.reports.terminal import print_item
    from trendscope.store import open_store

    with open_store(db) as opened:
        document = items_json([item], opened.shown) if json else None
    render(lambda file: print_item(item, file), output, document)
