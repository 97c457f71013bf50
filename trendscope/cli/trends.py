"""The command ``trends``: what is worn more and what less."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypedDict

import typer

from trendscope.cli import options
from trendscope.cli.options import option
from trendscope.cli.outcome import check_writable, conclude, exit_codes, render, write_file
from trendscope.cli.photos import profile_of
from trendscope.errors import UsageError
from trendscope.text import natural

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from pandas import DataFrame

    from trendscope.photos.summary import Profile
    from trendscope.trends.summary import TrendSummary

TRENDS_EXAMPLES = options.examples("""
  trendscope trends customers/                  what is worn more, what less
  trendscope trends --db fashion.db             of all that was scanned
  trendscope trends --db fashion.db --markdown  to paste into mail or chat
  trendscope trends --db fashion.db --segments cities.csv
  trendscope trends --db fashion.db --by customer --customers vip.csv
  trendscope trends --from-csv weekly.csv --csv -o trends.csv

cities.csv has the columns customer,segment: anna,Oslo. vip.csv has the column
customer. weekly.csv has the columns week,category,count,total (and segment,
if you like): 2026-W47,Dress,99,412 for 99 of the 412 who were active then.
Posting more raises such shares; the columns votes,voters of an export do not.
""")


By = Literal["category", "segment", "customer"]
"""Groups with a table each."""


def trends(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]...", help="Photos, folders of photos, exports."),
    ] = None,
    db: Annotated[
        str | None, option("--db FILE|URL", "All that was scanned into this database.")
    ] = None,
    from_csv: Annotated[
        Path | None, option("--from-csv FILE", "A weekly table of your own instead.")
    ] = None,
    by: Annotated[
        By | None,
        option("--by", "All together (category), or a table for each segment or customer."),
    ] = None,
    customers: Annotated[
        Path | None, option("--customers FILE", "Only the customers in this CSV.")
    ] = None,
    segments: Annotated[
        Path | None, option("--segments FILE", "CSV customer,segment: a table for each.")
    ] = None,
    weeks: Annotated[int, option("--weeks", "Complete weeks to show.", min=1)] = 12,
    ahead: Annotated[int, option("--ahead", "Weeks to expect.", min=1, max=52)] = 4,
    timezone: options.WeekZone = "UTC",
    as_of: options.AsOf = None,
    json: options.Json = False,
    csv: Annotated[bool, option("--csv", "Print a CSV row per week, category.")] = False,
    markdown: Annotated[bool, option("--markdown", "Print Markdown.")] = False,
    html: Annotated[Path | None, option("--html FILE", "Also write a page.")] = None,
    output: options.Output = None,
    force: options.Force = False,
    weights: options.Weights = None,
    pseudonymise: options.Pseudonymise = False,
    strict: options.Strict = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Say what is worn more and what less, week by week, and what to expect."""
    with exit_codes(
        verbose, pseudonymise and (*(paths or ()), customers, segments, output, html), quiet=quiet
    ):
        format = options.format_of(json=json, csv=csv, markdown=markdown)
        _check_source(paths, db, from_csv)
        if from_csv and (by or segments or customers):
            raise UsageError(
                "--by, --segments and --customers go with photos or --db; a weekly table has a "
                "column segment"
            )
        read = (*(paths or ()), from_csv, customers, segments, db)
        check_writable(output, html, inputs=read, force=force)
        zone = options.zone_of(timezone)
        times: Times = {"weeks_ahead": ahead, "now": options.present(as_of, zone), "zone": zone}
        photos = None
        if from_csv:
            from trendscope.files.tables import read_csv
            from trendscope.trends.summary import outlook

            summary = outlook(read_csv(from_csv, "week", "category", "count", "total"), **times)
        else:
            groups, only = _groups(by, customers, segments, pseudonymise)
            if paths:
                from trendscope.photos.options import ScanOptions

                photos = profile_of(paths, ScanOptions(weights=weights, zone=zone), quiet)
                summary = _summary_of_photos(photos, groups, only, times)
            else:
                from trendscope.trends.from_store import trends_of_store

                summary = trends_of_store(db, customers=only, weights=weights, **groups, **times)
        _write_trends(summary, weeks, format, output, html)
        if photos:
            conclude(photos, strict, quiet or not (format or output))


def _check_source(paths: list[str] | None, db: str | None, from_csv: Path | None) -> None:
    """Raises UsageError unless there is one place to count from."""
    sources = bool(paths) + bool(db) + bool(from_csv)
    if sources > 1:
        raise UsageError("give one of photos, --db DATABASE and --from-csv FILE, not several")
    if not sources and not (os.environ.get("TRENDSCOPE_DB") or Path("trendscope.db").exists()):
        raise UsageError(
            "give photos, --db DATABASE or --from-csv FILE; see trendscope trends --help"
        )


class Times(TypedDict):
    """The present, the time zone of the weeks, and the length of the forecast."""

    weeks_ahead: int
    now: datetime
    zone: ZoneInfo


class Groups(TypedDict):
    """How customers are grouped and named; see `trendscope.trends.trends_of_sightings`."""

    by: str
    segments: DataFrame | None
    named: Callable[[str], str]


def _groups(
    by: By | None, customers: Path | None, segments: Path | None, pseudonymise: bool
) -> tuple[Groups, frozenset[str] | None]:
    """How customers are grouped, and the only ones to report on; None for all."""
    from trendscope.files.tables import read_csv

    by = by or ("segment" if segments else "category")
    if by == "segment" and not (segments or customers):
        raise UsageError("--by segment needs --segments FILE, a CSV with customer,segment")
    if by != "segment" and segments:
        raise UsageError(f"--segments goes with --by segment, not with --by {by}")
    pseudonyms = options.pseudonyms_of(pseudonymise)
    groups = read_csv(segments, "customer", "segment") if segments else None
    only = None
    if customers:
        columns = ("customer",) if segments or by != "segment" else ("customer", "segment")
        listed = read_csv(customers, *columns)
        only = frozenset(listed["customer"])
        groups = listed if by == "segment" and not segments else groups
    named = pseudonyms.name if pseudonyms else str
    return {"by": by, "segments": groups, "named": named}, only


def _summary_of_photos(
    profile: Profile, groups: Groups, only: frozenset[str] | None, times: Times
) -> TrendSummary:
    from trendscope.trends.counts import sightings
    from trendscope.trends.summary import trends_of_sightings, with_scores

    results = [photo for photo in profile.readings if only is None or photo.customer in only]
    skipped = [file for file in profile.skipped if only is None or file.customer in only]
    customers = {photo.customer for photo in results} | {file.customer for file in skipped}
    reasons = Counter(item.reason for item in skipped)
    summary = trends_of_sightings(sightings(results), reasons=reasons, **groups, **times)
    unknown = tuple(sorted(map(groups["named"], (only or set()) - customers), key=natural))
    return with_scores(replace(summary, unknown=unknown), profile.scores)


def _write_trends(
    summary: TrendSummary, weeks: int, format: str | None, output: Path | None, html: Path | None
) -> None:
    from trendscope.reports.terminal import print_trends
    from trendscope.reports.trends import WRITERS

    if html:
        write_file(html, WRITERS["html"](summary, weeks))
    document = WRITERS[format](summary, weeks) if format else None
    render(lambda file: print_trends(summary, file, weeks=weeks), output, document)
