"""The command ``trends``: what is worn more and what less."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trendscope.cli.options import Json, Output, Quiet, Strict, Verbose, Weights, zone_of
from trendscope.cli.outcome import check_targets, conclude, deliver, draw, exit_codes
from trendscope.cli.photos import profile_of
from trendscope.errors import UsageError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from trendscope.readings import Profile
    from trendscope.trends import Outlook

# \b keeps the lines of a paragraph of help as they are.
TRENDS_EXAMPLES = """\b
Examples:
  trendscope trends customers/                  what is worn more, what less
  trendscope trends customers/ --markdown       to paste into mail or chat
  trendscope trends customers/ --segments cities.csv --html cities.html
  trendscope trends --from-csv weekly.csv --csv -o trends.csv

\b
A weekly.csv has the columns week,category,count,total (and segment, if you
like): 2026-W47,Dress,99,412 for 99 of the 412 who were active that week.
"""


def trends(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]...", help="Photos, folders of photos, exports."),
    ] = None,
    from_csv: Annotated[
        Path | None,
        typer.Option("--from-csv", metavar="FILE", help="A weekly table of your own instead."),
    ] = None,
    segments: Annotated[
        Path | None,
        typer.Option("--segments", metavar="FILE", help="CSV customer,segment: a table for each."),
    ] = None,
    weeks: Annotated[int, typer.Option("--weeks", min=1, help="Complete weeks to show.")] = 12,
    ahead: Annotated[int, typer.Option("--ahead", min=1, max=52, help="Weeks to expect.")] = 4,
    timezone: Annotated[
        str, typer.Option("--timezone", metavar="ZONE", help="In which weeks begin.")
    ] = "UTC",
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="As if it were that day; today if not."),
    ] = None,
    json: Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print a CSV row per week, category.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write a page.")
    ] = None,
    output: Output = None,
    weights: Weights = None,
    strict: Strict = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say what is worn more and what less, week by week, and what to expect."""
    with exit_codes(verbose, False):
        if json + csv + markdown > 1:
            raise UsageError("--json, --csv and --markdown exclude each other; choose one")
        if bool(paths) == bool(from_csv):
            raise UsageError("give either photos or --from-csv FILE; see trendscope trends --help")
        if from_csv and segments:
            raise UsageError("--segments goes with photos; a weekly table has a column segment")
        check_targets(output, html)
        zone = zone_of(timezone)
        now = as_of.replace(tzinfo=zone) if as_of else datetime.now(UTC)
        photos = None
        if from_csv:
            found = _outlook_of_table(from_csv, ahead, now, zone)
        else:
            photos = profile_of(paths or [], quiet, weights=weights, zone=zone)
            found = _outlook_of_photos(photos, segments, ahead, now, zone)
        _write_trends(found, weeks, output, html, json=json, csv=csv, markdown=markdown)
        if photos:
            conclude(photos, strict, quiet or not (json or csv or markdown or output))


def _outlook_of_table(path: Path, ahead: int, now: datetime, zone: ZoneInfo) -> Outlook:
    from trendscope.panel import read_table
    from trendscope.trends import outlook

    table = read_table(path, "week", "category", "count", "total")
    return outlook(table, weeks_ahead=ahead, now=now, zone=zone)


def _outlook_of_photos(
    found: Profile, segments: Path | None, ahead: int, now: datetime, zone: ZoneInfo
) -> Outlook:
    from trendscope import trends
    from trendscope.panel import read_table

    groups = read_table(segments, "customer", "segment") if segments else None
    seen = trends.sightings(found.readings)
    weekly = trends.weekly(seen, zone=zone, now=now, segments=groups)
    tally = trends.tally(seen, zone=zone, now=now, skipped=found.skipped)
    return trends.outlook(weekly, weeks_ahead=ahead, now=now, zone=zone, tally=tally)


def _write_trends(
    found: Outlook,
    weeks: int,
    output: Path | None,
    html: Path | None,
    *,
    json: bool,
    csv: bool,
    markdown: bool,
) -> None:
    from trendscope import report, trend_report

    if html:
        report.write_whole(html, trend_report.trends_html(found, weeks))
    if json:
        deliver(trend_report.trends_json(found, weeks), output)
    elif csv:
        deliver(trend_report.trends_csv(found, weeks), output)
    elif markdown:
        deliver(trend_report.trends_markdown(found, weeks), output)
    else:
        from trendscope.console import print_trends

        draw(lambda file: print_trends(found, file, weeks=weeks), output)
