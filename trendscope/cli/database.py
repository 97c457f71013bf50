"""The commands ``scan`` and ``status``: many customers, kept in a database."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trendscope.cli.options import (
    Customer,
    Db,
    Include,
    Json,
    Limit,
    Output,
    Paths,
    Quiet,
    Strict,
    Timezone,
    Traced,
    Verbose,
    Weights,
    kinds_of,
    zone_of,
)
from trendscope.cli.outcome import (
    check_targets,
    deliver,
    draw,
    exit_codes,
    left_something_out,
    nothing_usable,
)
from trendscope.errors import UsageError
from trendscope.limits import adjusted

if TYPE_CHECKING:
    from trendscope.cluster import Cluster
    from trendscope.store.record import Collected

# \b keeps the lines of a paragraph of help as they are.
SCAN_EXAMPLES = """\b
Examples:
  trendscope scan customers/                    into trendscope.db, here
  trendscope scan week47/ --db fashion.db       only what is new is looked at
  trendscope scan week47/ --one-per-name        folders are named by customer
  trendscope scan exports/ --db postgresql://team@server/fashion
  trendscope scan /share/exports --engine ray --ray-address 10.0.0.5:6379
"""
STATUS_EXAMPLES = """\b
Examples:
  trendscope status --db fashion.db
  trendscope status --json
"""


class Engine(StrEnum):
    """Who looks at photos."""

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
        check_targets(output)
        found = _collected(
            paths,
            quiet,
            db=db,
            weights=weights,
            customer=customer,
            one_per_name=one_per_name,
            include=kinds_of(include),
            zone=zone_of(timezone),
            limits=adjusted(limit or ()),
            reclassify=reclassify,
            thumbnails=thumbnails,
            cluster=_cluster(engine, ray_address, workers, gpus),
        )
        if json:
            from trendscope.report import collected_json

            deliver(collected_json(found), output)
        else:
            from trendscope.console import print_collected

            draw(lambda file: print_collected(found, file), output)
        if not found.tally.photos:
            raise nothing_usable(found.tally.skipped)
        if strict:
            left_something_out(found.skipped)


def _collected(paths: list[str], quiet: bool, **options: Any) -> Collected:
    from trendscope.collect import collect
    from trendscope.console import progress_bar

    # Ray writes to standard output when it has lost a worker; that is for data.
    with progress_bar(quiet) as progress, redirect_stdout(sys.stderr):
        return collect(paths, progress=progress, **options)


def _cluster(
    engine: Engine, address: str | None, workers: int | None, gpus: float
) -> Cluster | None:
    if engine is Engine.RAY:
        from trendscope.cluster import Cluster

        return Cluster(address, workers, gpus)
    if address or workers or gpus:
        raise UsageError("--ray-address, --workers and --gpus-per-worker need --engine ray")
    return None


def status(
    db: Db = None, json: Json = False, output: Output = None, verbose: Verbose = False
) -> None:
    """Say what a database holds, since when, and what was skipped."""
    with exit_codes(verbose):
        check_targets(output)
        from trendscope import store

        found = store.status(db)
        if json:
            from trendscope.report import status_json

            deliver(status_json(found), output)
        else:
            from trendscope.console import print_status

            skipped = store.skips(db)[["source", "detail"]] if verbose else None
            names = [] if skipped is None else list(skipped.itertuples(index=False))
            draw(lambda file: print_status(found, file, names=names), output)
