"""The command ``report``: the weekly page of a database, with charts and pictures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from trendscope.cli import options
from trendscope.cli.options import option
from trendscope.cli.outcome import check_writable, exit_codes, write_file, write_output
from trendscope.errors import TrendscopeError, UsageError

if TYPE_CHECKING:
    from trendscope.reports.weekly import WeeklyReport

REPORT_EXAMPLES = options.examples("""
  trendscope report --db fashion.db -o report.html
  trendscope report --db fashion.db -o report.html --png charts/
  trendscope report --db fashion.db -o report.html --pseudonymise --pictures 0
""")


def report(
    db: options.Db = None,
    output: options.Output = None,
    png: Annotated[
        Path | None, option("--png DIR", "Also write the charts as pictures for slides.")
    ] = None,
    weeks: Annotated[int, option("--weeks", "Complete weeks to show.", min=1, max=260)] = 26,
    ahead: Annotated[int, option("--ahead", "Weeks to expect.", min=1, max=52)] = 4,
    pictures: Annotated[
        int, option("--pictures", "Photos shown of each category; 0: none.", min=0, max=24)
    ] = 12,
    timezone: options.WeekZone = "UTC",
    as_of: options.AsOf = None,
    since: options.Since = None,
    until: options.Until = None,
    weights: Annotated[
        str | None, option("--weights NAME|FILE", "Those that judged, if not shipped ones.")
    ] = None,
    pseudonymise: options.Pseudonymise = False,
    force: options.Force = False,
    quiet: options.Quiet = False,
    verbose: options.Traced = False,
) -> None:
    """Write one page for the team: what is worn more, what less, by whom, and how sure that is.

    It opens in any browser without the internet, and prints. Nothing in it is a script.
    """
    with exit_codes(verbose, pseudonymise and (db, output, png, weights), quiet=quiet):
        charts = png / "shares.png" if png and png.is_dir() else png
        check_writable(output, charts, inputs=(db,), force=force)
        if output is None and sys.stdout.isatty():
            raise UsageError("a page is no text for a terminal; name a file, as -o report.html")
        zone, (first, last) = options.zone_of(timezone), options.days_of(since, until)
        from trendscope.reports.terminal import working
        from trendscope.reports.weekly import report_of_store
        from trendscope.reports.weekly_page import report_html

        with working(quiet, "Reading the database"):
            weekly = report_of_store(
                db,
                weeks_shown=weeks,
                weeks_ahead=ahead,
                pictures=pictures,
                weights=weights,
                pseudonyms=options.pseudonyms_of(pseudonymise),
                now=options.present(as_of, zone),
                zone=zone,
                since=first,
                until=last,
            )
        with working(quiet, "Drawing charts"):
            page = report_html(weekly)
            if png:
                _write_charts(weekly, png, force)
        write_output(page, output)


def _write_charts(weekly: WeeklyReport, folder: Path, force: bool) -> None:
    from trendscope.reports.weekly_page import report_pngs

    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise TrendscopeError(
            f"no pictures can be put into {folder}: {reason}; name another folder"
        ) from error
    charts = {folder / name: picture for name, picture in report_pngs(weekly)}
    check_writable(*charts, force=force)
    for path, picture in charts.items():
        write_file(path, picture)
