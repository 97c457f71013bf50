"""The commands ``scan``, ``status``, ``export`` and ``forget``: many customers, in a database."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trendscope.cli.options import (
    AsOf,
    Customer,
    Db,
    Include,
    Json,
    Limit,
    Output,
    Paths,
    Pseudonymise,
    Quiet,
    Strict,
    Timezone,
    Traced,
    Verbose,
    Weights,
    examples,
    kinds_of,
    pseudonyms_of,
    zone_of,
)
from trendscope.cli.outcome import (
    check_writable,
    draw,
    exit_codes,
    left_something_out,
    nothing_usable,
    write_output,
)
from trendscope.errors import UsageError
from trendscope.limits import adjusted
from trendscope.photos.options import ScanOptions

if TYPE_CHECKING:
    from trendscope.photos.cluster import Cluster

SCAN_EXAMPLES = examples("""
  trendscope scan customers/                    into trendscope.db, here
  trendscope scan week47/ --db fashion.db       only what is new is looked at
  trendscope scan week47/ --one-per-name        folders are named by customer
  trendscope scan exports/ --db postgresql://team@server/fashion
  trendscope scan /share/exports --engine ray --ray-address 10.0.0.5:6379
""")
STATUS_EXAMPLES = examples("""
  trendscope status --db fashion.db
  trendscope status --json
""")
FORGET_EXAMPLES = examples("""
  trendscope forget --customer anna --db fashion.db
  trendscope forget --customer anna --yes       without being asked
""")
EXPORT_EXAMPLES = examples("""
  trendscope export --db fashion.db tables/
  trendscope export --db fashion.db tables/ --excel
  trendscope export --db fashion.db tables/ --format parquet
""")


class FileFormat(StrEnum):
    """Format of the files that ``export`` writes."""

    CSV = "csv"
    PARQUET = "parquet"


class Engine(StrEnum):
    """Where photos are judged."""

    LOCAL = "local"
    RAY = "ray"


def scan(
    paths: Paths,
    db: Db = None,
    json: Json = False,
    output: Output = None,
    reclassify: Annotated[
        bool, typer.Option("--reclassify", help="Judge all photos anew, by other weights.")
    ] = False,
    thumbnails: Annotated[
        bool, typer.Option("--thumbnails/--no-thumbnails", help="Keep a small picture of each.")
    ] = True,
    weights: Weights = None,
    customer: Customer = None,
    one_per_name: Annotated[
        bool,
        typer.Option(
            "--one-per-name", help="Who has a known customer's name is the same, wherever it lies."
        ),
    ] = False,
    include: Include = "",
    timezone: Timezone = "UTC",
    limit: Limit = None,
    engine: Annotated[
        Engine, typer.Option("--engine", help="Look at photos here, or by Ray's workers.")
    ] = Engine.LOCAL,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Of Ray's; else one for each CPU.")
    ] = None,
    ray_address: Annotated[
        str | None,
        typer.Option(
            "--ray-address",
            metavar="HOST:PORT",
            help="A running cluster of Ray's; else RAY_ADDRESS, else this computer.",
        ),
    ] = None,
    gpus: Annotated[
        float, typer.Option("--gpus-per-worker", min=0, help="Share of a GPU for each worker.")
    ] = 0.0,
    strict: Strict = False,
    quiet: Quiet = False,
    verbose: Traced = False,
) -> None:
    """Look at what is new of many customers, and keep what is seen in a database.

    Stopped or killed, it goes on where it was when it is run again.
    """
    with exit_codes(verbose, kept="what was looked at is kept; run it again to go on"):
        check_writable(output)
        kinds, zone, bounds = kinds_of(include), zone_of(timezone), adjusted(limit or ())
        cluster = _cluster(engine, ray_address, workers, gpus)
        from trendscope.ingest.photos import THUMBNAIL_SIDE, scan_paths
        from trendscope.reports.terminal import print_scan, progress_bar

        side = THUMBNAIL_SIDE if thumbnails else None
        options = ScanOptions(weights, customer, kinds, zone, bounds, thumbnail_side=side)

        # Ray writes to standard output when it has lost a worker; that is for data.
        with progress_bar(quiet) as progress, redirect_stdout(sys.stderr):
            result = scan_paths(
                paths,
                db,
                options,
                one_per_name=one_per_name,
                reclassify=reclassify,
                cluster=cluster,
                progress=progress,
            )
        if json:
            from trendscope.reports.database import scan_json

            write_output(scan_json(result), output)
        else:
            draw(lambda file: print_scan(result, file), output)
        if not result.tally.photos:
            raise nothing_usable(result.tally.skipped)
        if strict:
            left_something_out(result.skipped)


def _cluster(
    engine: Engine, address: str | None, workers: int | None, gpus: float
) -> Cluster | None:
    if engine is Engine.RAY:
        from trendscope.photos.cluster import Cluster

        return Cluster(address, workers, gpus)
    if address or workers or gpus:
        raise UsageError("--ray-address, --workers and --gpus-per-worker need --engine ray")
    return None


def status(
    db: Db = None, json: Json = False, output: Output = None, verbose: Verbose = False
) -> None:
    """Say what a database holds, since when, and what was skipped."""
    with exit_codes(verbose):
        check_writable(output)
        from trendscope import store

        overview = store.status(db)
        if json:
            from trendscope.reports.database import status_json

            write_output(status_json(overview), output)
        else:
            from trendscope.reports.terminal import print_status

            skipped = store.skips(db)[["source", "detail"]] if verbose else None
            names = [] if skipped is None else list(skipped.itertuples(index=False))
            draw(lambda file: print_status(overview, file, names=names), output)


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the tables go.")],
    db: Db = None,
    format: Annotated[
        FileFormat, typer.Option("--format", help="Parquet needs trendscope[parquet].")
    ] = FileFormat.CSV,
    excel: Annotated[
        bool, typer.Option("--excel", help="Mark CSV as UTF-8, for Excel to read it rightly.")
    ] = False,
    timezone: Annotated[
        str, typer.Option("--timezone", metavar="ZONE", help="In which weeks begin.")
    ] = "UTC",
    as_of: AsOf = None,
    pseudonymise: Pseudonymise = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Traced = False,
) -> None:
    """Write tables for analysts: customers, weeks, sightings, and what was skipped.

    Every column is explained in the README. All files are of one moment.
    """
    with exit_codes(verbose, pseudonymise and (folder, db)):
        if excel and format != FileFormat.CSV:
            raise UsageError("--excel goes with CSV; Parquet needs no mark")
        zone = zone_of(timezone)
        pseudonyms = pseudonyms_of(pseudonymise)
        from trendscope.reports.table_export import export as export_tables
        from trendscope.reports.terminal import progress_bar

        with progress_bar(quiet, "Writing sightings", "sightings", "Counting") as progress:
            tables = export_tables(
                db,
                folder,
                format=format.value,
                excel=excel,
                pseudonyms=pseudonyms,
                now=as_of.replace(tzinfo=zone) if as_of else datetime.now(UTC),
                zone=zone,
                progress=progress,
            )
        if json:
            from trendscope.reports.documents import document

            rows = {path.name: count for path, count in tables.rows.items()}
            write_output(document({"folder": str(folder), "rows": rows}), None)
        elif not quiet:
            for path, count in tables.rows.items():
                print(f"{path}: {count:,} row{'' if count == 1 else 's'}")


def forget(
    customer: Annotated[
        str, typer.Option("--customer", metavar="NAME", help="As trendscope profile names them.")
    ],
    db: Db = None,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
    json: Json = False,
    output: Output = None,
    verbose: Traced = False,
) -> None:
    """Remove a customer from a database: every row and picture of them, for good.

    The customer's own files stay where they are; the next scan of them would know the customer
    again.
    """
    with exit_codes(verbose, kept="nothing was removed"):
        check_writable(output)
        from trendscope import store
        from trendscope.reports.database import forgotten_json, forgotten_text

        with store.open_store(db) as opened:
            removable = store.forgettable(opened, customer)
            if not yes:
                _confirm(forgotten_text(removable, customer, opened.shown, done=False))
            removed = store.forget(opened, customer)
            name = opened.shown
        if json:
            write_output(forgotten_json(removed, customer, name), output)
        else:
            write_output(forgotten_text(removed, customer, name, done=True) + "\n", output)


def _confirm(question: str) -> None:
    """Asks whether to go on.

    Raises:
        UsageError: There is nobody to ask.
        KeyboardInterrupt: The answer was no.
    """
    if not sys.stdin.isatty():
        raise UsageError("there is nobody to ask; give --yes to remove the customer")
    print(question, file=sys.stderr)
    if not typer.confirm("Remove all this for good?", err=True):
        raise KeyboardInterrupt
