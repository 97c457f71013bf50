"""The commands ``classify`` and ``profile``: photos looked at, one or many."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from trendscope.cli.options import (
    Customer,
    Include,
    Json,
    KeepReposts,
    Limit,
    Output,
    Paths,
    Pseudonymise,
    Quiet,
    Strict,
    Timezone,
    Verbose,
    Weights,
    examples,
    kinds_of,
    pseudonyms_of,
    zone_of,
)
from trendscope.cli.outcome import check_writable, conclude, draw, exit_codes, write_output
from trendscope.errors import UsageError
from trendscope.limits import adjusted

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from trendscope.limits import Limits
    from trendscope.photos.results import Classification
    from trendscope.photos.summary import Profile
    from trendscope.recommend.campaigns import Campaign
    from trendscope.store.memory import StoredPhotos

CLASSIFY_EXAMPLES = examples("""
  trendscope classify photo.jpg --show
  trendscope classify photos/ --json -o verdicts.json
""")
PROFILE_EXAMPLES = examples("""
  trendscope profile customers/                 one sub-folder per customer
  trendscope profile export.zip --html anna.html
  trendscope profile customers/ --csv -o shares.csv
  trendscope profile anna/ --catalog products.csv --catalog-images pictures/
""")


def classify(
    paths: Paths,
    show: Annotated[bool, typer.Option("--show", help="Draw all ten probabilities.")] = False,
    json: Json = False,
    output: Output = None,
    weights: Weights = None,
    customer: Customer = None,
    include: Include = "",
    timezone: Timezone = "UTC",
    pseudonymise: Pseudonymise = False,
    limit: Limit = None,
    strict: Strict = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say of each photo which garment it shows."""
    with exit_codes(verbose, pseudonymise and (*paths, output, customer)):
        check_writable(output)
        found = _classification(
            paths,
            quiet,
            weights=weights,
            customer=customer,
            include=kinds_of(include),
            zone=zone_of(timezone),
            limits=adjusted(limit or ()),
            pseudonyms=pseudonyms_of(pseudonymise),
        )
        if json:
            from trendscope.reports.profile import classification_json

            write_output(classification_json(found), output)
        else:
            from trendscope.reports.terminal import print_classification

            draw(lambda file: print_classification(found, file, bars=show), output)
        conclude(found, strict, quiet or not (json or output))


def profile(
    paths: Paths,
    json: Json = False,
    csv: Annotated[
        bool, typer.Option("--csv", help="Print a CSV row per customer and category.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Also write a contact sheet with pictures."),
    ] = None,
    skipped: Annotated[
        Path | None,
        typer.Option("--skipped", metavar="FILE", help="Also write a CSV of what was not used."),
    ] = None,
    catalog: Annotated[
        Path | None,
        typer.Option("--catalog", metavar="FILE", help="Also name items of it that would suit."),
    ] = None,
    catalog_images: Annotated[
        list[Path] | None,
        typer.Option("--catalog-images", metavar="FOLDER|ZIP", help="Pictures of those items."),
    ] = None,
    output: Output = None,
    db: Annotated[
        str | None,
        typer.Option("--db", metavar="FILE|URL", help="Reuse what this database knows already."),
    ] = None,
    weights: Weights = None,
    customer: Customer = None,
    include: Include = "",
    timezone: Timezone = "UTC",
    keep_reposts: KeepReposts = False,
    pseudonymise: Pseudonymise = False,
    limit: Limit = None,
    strict: Strict = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say what each customer wears, and how often."""
    hidden = (*paths, output, html, skipped, customer, catalog, *(catalog_images or ()))
    with exit_codes(verbose, pseudonymise and hidden):
        if json and csv:
            raise UsageError("--json and --csv exclude each other; choose one")
        if catalog and (json or csv):
            raise UsageError("--catalog adds to the printed profile; for tables see recommend")
        check_writable(output, html, skipped)
        found = profile_of(
            paths,
            quiet,
            db,
            weights=weights,
            customer=customer,
            include=kinds_of(include),
            zone=zone_of(timezone),
            limits=adjusted(limit or ()),
            keep_reposts=keep_reposts,
            pseudonyms=pseudonyms_of(pseudonymise),
            pictures=html is not None,
        )
        if html or skipped:
            _write_beside(found, html, skipped)
        if json or csv:
            from trendscope.reports import profile as report

            write_output(report.profile_json(found) if json else report.profile_csv(found), output)
        else:
            suits = _suiting(found, catalog, catalog_images, quiet, weights) if catalog else None
            draw(lambda file: _print_profile(found, suits, file, verbose), output)
        conclude(found, strict, quiet or not (json or csv or output))


def _classification(paths: list[str], quiet: bool, **options: Any) -> Classification:
    from trendscope.photos.run import classify as classify_photos
    from trendscope.reports.terminal import progress_bar

    with progress_bar(quiet) as progress:
        return classify_photos(paths, progress=progress, **options)


def profile_of(
    paths: Sequence[Path | str], quiet: bool, db: str | None = None, **options: Any
) -> Profile:
    """What customers wear, with a progress bar and, if there is one, a database's help."""
    from trendscope.photos.run import profile as profile_photos
    from trendscope.reports.terminal import progress_bar

    with progress_bar(quiet) as progress, _memory(db, **options) as memory:
        return profile_photos(paths, memory=memory, progress=progress, **options)


def _suiting(
    found: Profile,
    catalog: Path,
    images: list[Path] | None,
    quiet: bool,
    weights: str | None,
) -> Campaign:
    from trendscope.recommend.campaigns import for_profile
    from trendscope.reports.terminal import progress_bar

    with progress_bar(quiet, "Reading the catalogue", "items") as progress:
        return for_profile(found, catalog, images=images or (), weights=weights, progress=progress)


def _print_profile(
    found: Profile, suits: Campaign | None, file: IO[str] | None, names: bool
) -> None:
    from trendscope.reports.terminal import print_profile, print_targets

    print_profile(found, file, names=names)
    if suits:
        print_targets(suits, file)


def _memory(
    db: str | None,
    *,
    weights: str | None,
    zone: ZoneInfo,
    limits: Limits | None = None,
    pictures: bool = False,
    **_: Any,
) -> AbstractContextManager[StoredPhotos | None]:
    if db is None:
        return nullcontext()
    from trendscope.store.memory import remembered

    return remembered(db, weights, zone=zone, limits=limits, pictures=pictures)


def _write_beside(found: Profile, html: Path | None, skipped: Path | None) -> None:
    from trendscope.files.writing import write_atomic
    from trendscope.reports.profile import profile_html, skipped_csv

    if html:
        write_atomic(html, profile_html(found))
    if skipped:
        write_atomic(skipped, skipped_csv(found.skipped))
