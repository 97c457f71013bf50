"""The commands ``scan``, ``status``, ``export`` and ``forget``: many customers, in a database."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from trendscope.cli import options
from trendscope.cli.options import option
from trendscope.cli.outcome import (
    check_writable,
    confirm,
    exit_codes,
    render,
    require_photos,
    write_output,
)
from trendscope.errors import UsageError
from trendscope.limits import adjusted
from trendscope.text import plural

if TYPE_CHECKING:
    from trendscope.photos.cluster import Cluster

SCAN_EXAMPLES = options.examples("""
  trendscope scan customers/                    into trendscope.db, here
  trendscope scan week47/ --db fashion.db       only what is new is looked at
  trendscope scan week47/ --one-per-name        folders are named by customer
  trendscope scan exports/ --db postgresql://team@server/fashion
  trendscope scan /share/exports --engine ray --ray-address 10.0.0.5:6379
""")
STATUS_EXAMPLES = options.examples("""
  trendscope status --db fashion.db
  trendscope status --json
""")
FORGET_EXAMPLES = options.examples("""
  trendscope forget --customer anna --db fashion.db
  trendscope forget --customer anna --yes       without being asked
""")
EXPORT_EXAMPLES = options.examples("""
  trendscope export --db fashion.db tables/
  trendscope export --db fashion.db tables/ --excel
  trendscope export --db fashion.db tables/ --format parquet
""")


def scan(
    paths: options.Paths,
    db: options.Db = None,
    json: options.Json = False,
    output: options.Output = None,
    force: options.Force = False,
    reclassify: Annotated[
        bool, option("--reclassify", "Judge all photos anew, by other weights.")
    ] = False,
    thumbnails: Annotated[
        bool, option("--thumbnails/--no-thumbnails", "Keep a small picture of each.")
    ] = True,
    weights: options.Weights = None,
    customer: options.Customer = None,
    one_per_name: Annotated[
        bool,
        option("--one-per-name", "Who has a known customer's name is the same, wherever it lies."),
    ] = False,
    include: options.Include = "",
    timezone: options.Timezone = "UTC",
    limit: options.Limit = None,
    engine: Annotated[
        Literal["local", "ray"], option("--engine", "Look at photos here, or by Ray's workers.")
    ] = "local",
    workers: Annotated[
        int | None, option("--workers", "Of Ray's; else one for each CPU.", min=1)
    ] = None,
    ray_address: Annotated[
        str | None,
        option(
            "--ray-address HOST:PORT",
            "A running cluster of Ray's; else RAY_ADDRESS, else this computer.",
        ),
    ] = None,
    gpus: Annotated[
        float, option("--gpus-per-worker", "Share of a GPU for each worker.", min=0)
    ] = 0.0,
    strict: options.Strict = False,
    quiet: options.Quiet = False,
    verbose: options.Traced = False,
) -> None:
    """Look at what is new of many customers, and keep what is seen in a database.

    Stopped or killed, it goes on where it was when it is run again.
    """
    with exit_codes(
        verbose, work_so_far="what was looked at is kept; run it again to go on", quiet=quiet
    ):
        check_writable(output, inputs=(*paths, db), force=force)
        kinds, zone = options.kinds_of(include), options.zone_of(timezone)
        bounds = adjusted(limit or ())
        cluster = _cluster(engine, ray_address, workers, gpus)
        from trendscope.ingest.photos import scan as scan_paths
        from trendscope.reports.database import scan_json
        from trendscope.reports.terminal import print_scan, progress_bar

        # Ray writes to standard output when it has lost a worker; that is for data.
        with progress_bar(quiet) as progress, redirect_stdout(sys.stderr):
            result = scan_paths(
                paths,
                db,
                weights=weights,
                customer=customer,
                one_per_name=one_per_name,
                include=kinds,
                zone=zone,
                limits=bounds,
                reclassify=reclassify,
                thumbnails=thumbnails,
                cluster=cluster,
                progress=progress,
            )
        document = scan_json(result) if json else None
        render(lambda file: print_scan(result, file), output, document)
        require_photos(result.tally.photos, result.skipped, strict)


def _cluster(engine: str, address: str | None, workers: int | None, gpus: float) -> Cluster | None:
    if engine == "ray":
        from trendscope.photos.cluster import Cluster

        return Cluster(address, workers, gpus)
    if address or workers or gpus:
        raise UsageError("--ray-address, --workers and --gpus-per-worker need --engine ray")
    return None


def status(
    db: options.Db = None,
    json: options.Json = False,
    output: options.Output = None,
    force: options.Force = False,
    verbose: options.Verbose = False,
) -> None:
    """Say what a database holds, since when, and what was skipped."""
    with exit_codes(verbose):
        check_writable(output, inputs=(db,), force=force)
        from trendscope import store
        from trendscope.reports.database import status_json
        from trendscope.reports.terminal import print_status

        overview = store.status(db)
        document = status_json(overview) if json else None
        names = []
        if verbose and not json:
            names = list(store.skips(db)[["source", "detail"]].itertuples(index=False))
        render(lambda file: print_status(overview, file, names=names), output, document)


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the tables go.")],
    db: options.Db = None,
    format: Annotated[
        Literal["csv", "parquet"], option("--format", "Parquet needs trendscope[parquet].")
    ] = "csv",
    excel: Annotated[
        bool, option("--excel", "Mark CSV as UTF-8, for Excel to read it rightly.")
    ] = False,
    timezone: options.WeekZone = "UTC",
    as_of: options.AsOf = None,
    pseudonymise: options.Pseudonymise = False,
    json: options.Json = False,
    force: options.Force = False,
    quiet: options.Quiet = False,
    verbose: options.Traced = False,
) -> None:
    """Write tables for analysts: customers, weeks, sightings, and what was skipped.

    Every column is explained in docs/data-dictionary.md. All files are of one moment.
    """
    with exit_codes(verbose, pseudonymise and (folder, db), quiet=quiet):
        if excel and format != "csv":
            raise UsageError("--excel goes with CSV; Parquet needs no mark")
        zone = options.zone_of(timezone)
        from trendscope.reports.documents import document
        from trendscope.reports.table_export import export as export_tables
        from trendscope.reports.terminal import progress_bar

        with progress_bar(quiet, "Writing sightings", "sightings", "Counting") as progress:
            tables = export_tables(
                db,
                folder,
                format=format,
                excel=excel,
                pseudonyms=options.pseudonyms_of(pseudonymise),
                now=options.present(as_of, zone),
                zone=zone,
                force=force,
                progress=progress,
            )
        if json:
            rows = {path.name: count for path, count in tables.rows.items()}
            write_output(document({"folder": str(folder), "rows": rows}), None)
        elif not quiet:
            for path, count in tables.rows.items():
                print(f"{path}: {plural(count, 'row')}")


def forget(
    customer: Annotated[str, option("--customer NAME", "As trendscope profile names them.")],
    db: options.Db = None,
    yes: Annotated[bool, option("-y --yes", "Do not ask.")] = False,
    json: options.Json = False,
    output: options.Output = None,
    force: options.Force = False,
    verbose: options.Traced = False,
) -> None:
    """Remove a customer from a database: every row and picture of them, for good.

    The customer's own files stay where they are; the next scan of them would know the customer
    again.
    """
    with exit_codes(verbose, work_so_far="nothing was removed"):
        check_writable(output, inputs=(db,), force=force)
        from trendscope import store
        from trendscope.reports.database import forgotten_json, forgotten_text

        with store.open_store(db) as opened:
            removable = store.forgettable(opened, customer)
            if not yes:
                about = forgotten_text(removable, customer, opened.shown, done=False)
                unattended = "there is nobody to ask; give --yes to remove the customer"
                confirm(f"{about}\nRemove all this for good?", unattended)
            removed = store.forget(opened, customer)
            name = opened.shown
        text = forgotten_text(removed, customer, name, done=True) + "\n"
        write_output(forgotten_json(removed, customer, name) if json else text, output)
