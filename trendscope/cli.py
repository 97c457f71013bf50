"""The commands: flags in, one library call, render, exit code.

The only module that prints or exits. Data goes to standard output; progress, warnings and errors go
to standard error. What is heavy is imported only by the command that needs it.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal

import typer

from trendscope.errors import NothingUsable, TrendscopeError, UsageError
from trendscope.limits import Limits, adjusted

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from trendscope.feeds import Skipped
    from trendscope.pseudonyms import Pseudonyms
    from trendscope.readings import Classification, Profile
    from trendscope.trends import Outlook


class ExitCode(IntEnum):
    """What the exit code tells a script."""

    DONE = 0
    FAILED = 1
    WRONG_USAGE = 2
    NOTHING_USABLE = 3
    SKIPPED = 4
    INTERRUPTED = 130


Paths = Annotated[
    list[Path],
    typer.Argument(metavar="PATH", help="Photos, folders of photos, exports (zips or folders)."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help="Write to FILE; - is standard output."),
]
Weights = Annotated[
    str | None,
    typer.Option("--weights", metavar="NAME|FILE", help="Another trained network than the usual."),
]
Customer = Annotated[
    str | None,
    typer.Option(
        "--customer", metavar="NAME", help="Whose photos they are, where no export says so."
    ),
]
Limit = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        metavar="NAME=VALUE",
        help="Change a limit; may be repeated. Usual: "
        + " ".join(f"{name}={value:_}" for name, value in asdict(Limits()).items()),
    ),
]
Pseudonymise = Annotated[
    bool,
    typer.Option(
        "--pseudonymise",
        help="Replace customers' names and paths by keyed hashes; the key is in TRENDSCOPE_KEY.",
    ),
]
Include = Annotated[
    str,
    typer.Option(
        "--include", metavar="KINDS", help="Besides posts: stories,archived,profile or some of it."
    ),
]
Timezone = Annotated[
    str,
    typer.Option("--timezone", metavar="ZONE", help="Of dates without one; such as Europe/Berlin."),
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 4 if anything was skipped.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress, no warnings.")]
Verbose = Annotated[
    bool, typer.Option("-v", "--verbose", help="Name every skipped file; show where errors arose.")
]

# \b keeps the lines of a paragraph of help as they are.
EXAMPLES = """\b
Examples:
  trendscope profile anna/                      what Anna wears
  trendscope profile export.zip --html a.html   the same with pictures
  trendscope classify photo.jpg --show          one photo, all probabilities
  trendscope trends customers/                  what is worn more, what less
"""
CLASSIFY_EXAMPLES = """\b
Examples:
  trendscope classify photo.jpg --show
  trendscope classify photos/ --json -o verdicts.json
"""
PROFILE_EXAMPLES = """\b
Examples:
  trendscope profile customers/                 one sub-folder per customer
  trendscope profile export.zip --html anna.html
  trendscope profile customers/ --csv -o shares.csv
"""
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

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Drawing help with rich would take longer than everything else that --help does.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Runs the command line and exits."""
    # Collecting garbage while jax is imported, and again at exit, finds hardly any and takes a
    # tenth of a short run.
    gc.set_threshold(100_000, 50, 50)
    atexit.register(gc.freeze)
    app(prog_name="trendscope")


def _print_version(wanted: bool) -> None:
    if wanted:
        from trendscope import __version__

        print(f"trendscope {__version__}")
        raise typer.Exit


@app.callback(epilog=EXAMPLES)
def trendscope(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """Which kinds of clothes do customers wear?

    Give it the photos they posted: single ones, folders, or exports of Instagram, Facebook and
    Google Photos. Everything runs on this computer; no photo leaves it.
    """


@app.command(epilog=CLASSIFY_EXAMPLES)
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
    with _exit_codes(verbose, pseudonymise and (*paths, output, customer)):
        _check_targets(output)
        found = _classification(
            paths,
            quiet,
            weights=weights,
            customer=customer,
            include=_kinds(include),
            zone=_zone(timezone),
            limits=adjusted(limit or ()),
            pseudonyms=_pseudonyms(pseudonymise),
        )
        if json:
            from trendscope.report import classification_json

            _deliver(classification_json(found), output)
        else:
            from trendscope.console import print_classification

            _draw(lambda file: print_classification(found, file, bars=show), output)
        _conclude(found, strict, quiet or not (json or output))


@app.command(epilog=PROFILE_EXAMPLES)
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
    output: Output = None,
    weights: Weights = None,
    customer: Customer = None,
    include: Include = "",
    timezone: Timezone = "UTC",
    keep_reposts: Annotated[
        bool,
        typer.Option(
            "--keep-reposts", help="Count photos posted again in another size or quality."
        ),
    ] = False,
    pseudonymise: Pseudonymise = False,
    limit: Limit = None,
    strict: Strict = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say what each customer wears, and how often."""
    with _exit_codes(verbose, pseudonymise and (*paths, output, html, customer)):
        if json and csv:
            raise UsageError("--json and --csv exclude each other; choose one")
        _check_targets(output, html)
        found = _profile(
            paths,
            quiet,
            weights=weights,
            customer=customer,
            include=_kinds(include),
            zone=_zone(timezone),
            limits=adjusted(limit or ()),
            keep_reposts=keep_reposts,
            pseudonyms=_pseudonyms(pseudonymise),
            pictures=html is not None,
        )
        if html:
            _write_page(found, html)
        if json or csv:
            from trendscope import report

            _deliver(report.profile_json(found) if json else report.profile_csv(found), output)
        else:
            from trendscope.console import print_profile

            _draw(lambda file: print_profile(found, file, names=verbose), output)
        _conclude(found, strict, quiet or not (json or csv or output))


def _kinds(include: str) -> frozenset[str]:
    from trendscope.feeds import KINDS

    kinds = frozenset(filter(None, (kind.strip().lower() for kind in include.split(","))))
    if unknown := sorted(kinds - {*KINDS}):
        raise UsageError(f"--include {unknown[0]}: unknown; choose from {', '.join(KINDS)}")
    return kinds


@app.command(epilog=TRENDS_EXAMPLES)
def trends(
    paths: Annotated[
        list[Path] | None,
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
    with _exit_codes(verbose, False):
        if json + csv + markdown > 1:
            raise UsageError("--json, --csv and --markdown exclude each other; choose one")
        if bool(paths) == bool(from_csv):
            raise UsageError("give either photos or --from-csv FILE; see trendscope trends --help")
        if from_csv and segments:
            raise UsageError("--segments goes with photos; a weekly table has a column segment")
        _check_targets(output, html)
        zone = _zone(timezone)
        now = as_of.replace(tzinfo=zone) if as_of else datetime.now(UTC)
        photos = None
        if from_csv:
            found = _outlook_of_table(from_csv, ahead, now, zone)
        else:
            photos = _profile(paths or [], quiet, weights=weights, zone=zone)
            found = _outlook_of_photos(photos, segments, ahead, now, zone)
        _write_trends(found, weeks, output, html, json=json, csv=csv, markdown=markdown)
        if photos:
            _conclude(photos, strict, quiet or not (json or csv or markdown or output))


def _zone(name: str) -> ZoneInfo:
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # all that ZoneInfo raises for odd names
        raise UsageError(f"--timezone {name}: unknown; give one such as Europe/Berlin") from error


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
        _deliver(trend_report.trends_json(found, weeks), output)
    elif csv:
        _deliver(trend_report.trends_csv(found, weeks), output)
    elif markdown:
        _deliver(trend_report.trends_markdown(found, weeks), output)
    else:
        from trendscope.console import print_trends

        _draw(lambda file: print_trends(found, file, weeks=weeks), output)


def _classification(paths: list[Path], quiet: bool, **options: Any) -> Classification:
    from trendscope import scan
    from trendscope.console import progress_bar

    with progress_bar(quiet) as progress:
        return scan.classify(paths, progress=progress, **options)


def _profile(paths: list[Path], quiet: bool, **options: Any) -> Profile:
    from trendscope import scan
    from trendscope.console import progress_bar

    with progress_bar(quiet) as progress:
        return scan.profile(paths, progress=progress, **options)


def _pseudonyms(wanted: bool) -> Pseudonyms | None:
    if not wanted:
        return None
    from trendscope.pseudonyms import from_environment

    return from_environment()


def _write_page(found: Profile, path: Path) -> None:
    from trendscope.report import profile_html, write_whole

    write_whole(path, profile_html(found))


def _check_targets(*targets: Path | None) -> None:
    files = [target for target in targets if target and not _is_standard_output(target)]
    if files:
        from trendscope.report import check_target

        for file in files:
            check_target(file)


def _is_standard_output(target: Path | None) -> bool:
    return target is None or str(target) == "-"


def _deliver(text: str, output: Path | None) -> None:
    from trendscope.report import encoded, write_whole

    if output is None or _is_standard_output(output):
        sys.stdout.buffer.write(encoded(text))
        sys.stdout.flush()
    else:
        write_whole(output, text)


def _draw(draw: Callable[[IO[str] | None], None], output: Path | None) -> None:
    """Draws on a terminal; into pipes and files goes the plain text, as UTF-8."""
    if _is_standard_output(output) and sys.stdout.isatty():
        draw(None)
        return
    text = io.StringIO()
    draw(text)
    _deliver(text.getvalue(), output)


def _conclude(found: Classification | Profile, strict: bool, quiet: bool) -> None:
    """Says what was skipped, where the output itself does not, and chooses the exit code."""
    from trendscope.feeds import PARTS

    skipped = found.skipped
    if skipped and not quiet:
        _warn(skipped)
    if not found.readings:
        raise NothingUsable(
            f"none of {len(skipped)} files could be used; give photos (JPEG, PNG, WebP, GIF, HEIC, "
            "AVIF), a folder of them, or an export of Instagram in JSON"
        )
    if strict and any(item.reason not in PARTS for item in skipped):
        raise typer.Exit(ExitCode.SKIPPED)


def _warn(skipped: Sequence[Skipped]) -> None:
    from trendscope.feeds import REASONS

    reasons = Counter(item.reason for item in skipped)
    parts = (f"{count} {REASONS.get(reason, reason)}" for reason, count in sorted(reasons.items()))
    print(f"trendscope: skipped {len(skipped)}: {', '.join(parts)}", file=sys.stderr)


@contextmanager
def _exit_codes(
    verbose: bool, hidden: Sequence[Path | str | None] | Literal[False]
) -> Iterator[None]:
    """Turns what can go wrong into a line on standard error and an exit code.

    Args:
        verbose: Show where it arose.
        hidden: Names and paths that messages may not show.
    """
    try:
        yield
    except (TrendscopeError, OSError, KeyboardInterrupt) as error:
        names = [str(name) for name in hidden or () if name is not None]
        if verbose:
            print(_cleared(traceback.format_exc(), names), end="", file=sys.stderr)
        raise typer.Exit(_report(error, names)) from error


def _cleared(text: str, names: list[str]) -> str:
    if not names:
        return text
    from trendscope.pseudonyms import without

    return without(text, names)


def _report(error: BaseException, names: list[str]) -> ExitCode:
    if isinstance(error, KeyboardInterrupt):
        print("trendscope: stopped; nothing was written", file=sys.stderr)
        return ExitCode.INTERRUPTED
    if isinstance(error, BrokenPipeError):
        # Whoever read the output, such as `head`, has seen enough. Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    print(f"trendscope: {_cleared(str(error), names)}", file=sys.stderr)
    if isinstance(error, UsageError):
        return ExitCode.WRONG_USAGE
    return ExitCode.NOTHING_USABLE if isinstance(error, NothingUsable) else ExitCode.FAILED
