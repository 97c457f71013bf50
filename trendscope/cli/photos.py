"""The commands ``classify`` and ``profile``: photos looked at, one or many."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from trendscope.cli import options
from trendscope.cli.customers import stored_profile_of
from trendscope.cli.options import option
from trendscope.cli.outcome import (
    check_writable,
    conclude,
    exit_codes,
    render,
    write_file,
    write_output,
)
from trendscope.errors import NothingUsable, UsageError
from trendscope.limits import adjusted
from trendscope.photos.options import ScanOptions
from trendscope.text import plural

if TYPE_CHECKING:
    from trendscope.photos.pseudonyms import Pseudonyms
    from trendscope.photos.summary import Profile
    from trendscope.recommend.campaigns import Campaign
    from trendscope.store.memory import StoredPhotos

CLASSIFY_EXAMPLES = options.examples("""
  trendscope classify photo.jpg --show
  trendscope classify photos/ --json -o verdicts.json
""")
PROFILE_EXAMPLES = options.examples("""
  trendscope profile customers/                 one sub-folder per customer
  trendscope profile export.zip --html anna.html
  trendscope profile customers/ --csv -o shares.csv
  trendscope profile --db fashion.db --customer anna --since 2026-09-01
  trendscope profile anna/ --catalog products.csv --catalog-images pictures/
""")


def classify(
    paths: options.Paths,
    show: Annotated[
        bool, option("--show", "Draw all ten probabilities, and say where each garment is.")
    ] = False,
    json: options.Json = False,
    output: options.Output = None,
    force: options.Force = False,
    weights: options.Weights = None,
    customer: options.Customer = None,
    include: options.Include = "",
    timezone: options.Timezone = "UTC",
    pseudonymise: options.Pseudonymise = False,
    limit: options.Limit = None,
    strict: options.Strict = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Say of each photo which garment it shows."""
    with exit_codes(verbose, pseudonymise and (*paths, output, customer), quiet=quiet):
        check_writable(output, inputs=paths, force=force)
        kinds, zone = options.kinds_of(include), options.zone_of(timezone)
        limits = adjusted(limit or ())
        settings = ScanOptions(weights, customer, kinds, zone, limits)
        pseudonyms = options.pseudonyms_of(pseudonymise)
        from trendscope.photos.run import classify_paths
        from trendscope.reports.profile import classification_json
        from trendscope.reports.terminal import print_classification, progress_bar

        with progress_bar(quiet) as progress:
            results = classify_paths(paths, settings, pseudonyms=pseudonyms, progress=progress)
        document = classification_json(results) if json else None
        render(lambda file: print_classification(results, file, bars=show), output, document)
        conclude(results, strict, quiet or not (json or output))


def profile(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH]...",
            help="Photos, folders of photos, exports (zips or folders); s3://... too. None: "
            "--customer of --db, by what was scanned.",
        ),
    ] = None,
    json: options.Json = False,
    csv: Annotated[bool, option("--csv", "Print a CSV row per customer and category.")] = False,
    html: Annotated[
        Path | None, option("--html FILE", "Also write a contact sheet with pictures.")
    ] = None,
    skipped: Annotated[
        Path | None, option("--skipped FILE", "Also write a CSV of what was not used.")
    ] = None,
    catalog: Annotated[
        Path | None, option("--catalog FILE", "Also name items of it that would suit.")
    ] = None,
    catalog_images: Annotated[
        list[Path] | None, option("--catalog-images FOLDER|ZIP", "Pictures of those items.")
    ] = None,
    output: options.Output = None,
    force: options.Force = False,
    db: Annotated[
        str | None, option("--db FILE|URL", "Reuse what this database knows already.")
    ] = None,
    weights: options.Weights = None,
    customer: options.Customer = None,
    since: options.Since = None,
    until: options.Until = None,
    include: options.Include = "",
    timezone: options.Timezone = "UTC",
    keep_reposts: options.KeepReposts = False,
    pseudonymise: options.Pseudonymise = False,
    limit: options.Limit = None,
    strict: options.Strict = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Say what each customer wears, and how often."""
    hidden = (*(paths or ()), output, html, skipped, customer, catalog, *(catalog_images or ()))
    with exit_codes(verbose, pseudonymise and hidden, quiet=quiet):
        format = options.format_of(json=json, csv=csv)
        if catalog and format:
            raise UsageError("--catalog adds to the printed profile; for tables see recommend")
        days = options.days_of(since, until)
        read = (*(paths or ()), catalog, *(catalog_images or ()), db)
        check_writable(output, html, skipped, inputs=read, force=force)
        kinds, zone = options.kinds_of(include), options.zone_of(timezone)
        limits = adjusted(limit or ())
        settings = ScanOptions(weights, customer, kinds, zone, limits, pictures=html is not None)
        pseudonyms = options.pseudonyms_of(pseudonymise)
        if paths:
            result = profile_of(
                paths, settings, quiet, db, keep_reposts=keep_reposts, pseudonyms=pseudonyms
            )
        elif customer:
            result = stored_profile_of(db, customer, settings, pseudonyms)
        else:
            raise UsageError("give photos, or --db and --customer for one who was scanned")
        result = _of_dates(result, *days)
        if html or skipped:
            _write_beside(result, html, skipped)
        if format:
            from trendscope.reports.profile import WRITERS

            write_output(WRITERS[format](result), output)
        else:
            targets = _targets(result, catalog, catalog_images, quiet, settings)
            render(lambda file: _print_profile(result, targets, file, verbose), output)
        conclude(result, strict, quiet or not (format or output))


def _of_dates(profile: Profile, since: date | None, until: date | None) -> Profile:
    from trendscope.photos.summary import within

    chosen = within(profile, since, until)
    if profile.readings and not chosen.readings:
        raise NothingUsable(f"none of {plural(len(profile.readings), 'photo')} is of these dates")
    return chosen


def profile_of(
    paths: Sequence[Path | str],
    settings: ScanOptions,
    quiet: bool,
    db: str | None = None,
    *,
    keep_reposts: bool = False,
    pseudonyms: Pseudonyms | None = None,
) -> Profile:
    """What customers wear, with a progress bar and, if there is one, a database's help."""
    from trendscope.photos.run import profile_paths
    from trendscope.reports.terminal import progress_bar

    memory: AbstractContextManager[StoredPhotos | None] = nullcontext()
    if db is not None:
        from trendscope.store.memory import stored_photos

        memory = stored_photos(
            db,
            settings.weights,
            zone=settings.zone,
            limits=settings.limits,
            pictures=settings.pictures,
        )
    with progress_bar(quiet) as progress, memory as stored:
        return profile_paths(
            paths,
            settings,
            keep_reposts=keep_reposts,
            pseudonyms=pseudonyms,
            memory=stored,
            progress=progress,
        )


def _targets(
    profile: Profile,
    catalog: Path | None,
    images: list[Path] | None,
    quiet: bool,
    settings: ScanOptions,
) -> Campaign | None:
    if catalog is None:
        return None
    from trendscope.ingest.catalog_file import items_of_file
    from trendscope.recommend.campaigns import for_profile
    from trendscope.reports.terminal import progress_bar

    with progress_bar(quiet, "Reading the catalogue", "items") as progress:
        weights, limits, images = settings.weights, settings.limits, images or []
        items = items_of_file(
            catalog, images=images, weights=weights, limits=limits, progress=progress
        )
    return for_profile(profile, items, catalogue=str(catalog))


def _print_profile(
    profile: Profile, targets: Campaign | None, file: IO[str] | None, names: bool
) -> None:
    from trendscope.reports.terminal import print_profile, print_targets

    print_profile(profile, file, names=names)
    if targets:
        print_targets(targets, file)


def _write_beside(profile: Profile, html: Path | None, skipped: Path | None) -> None:
    from trendscope.reports.profile import profile_html, skipped_csv

    if html:
        write_file(html, profile_html(profile))
    if skipped:
        write_file(skipped, skipped_csv(profile.skipped))
