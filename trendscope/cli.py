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
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import IntEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from trendscope.errors import NothingUsable, TrendscopeError, UsageError

if TYPE_CHECKING:
    from trendscope.feeds import Skipped
    from trendscope.readings import Classification, Profile
    from trendscope.store.recall import Memory
    from trendscope.store.record import Collected


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
    typer.Argument(metavar="PATH", help="Photos, folders of photos, exports (zip or folder)."),
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
        "--customer", metavar="NAME", help="Whose photos they are, whatever the feed says."
    ),
]
Db = Annotated[
    str | None,
    typer.Option(
        "--db",
        metavar="FILE|URL",
        envvar="TRENDSCOPE_DB",
        show_envvar=False,
        help="The database; else TRENDSCOPE_DB, else trendscope.db.",
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 4 if anything was skipped.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress, no warnings.")]
Verbose = Annotated[
    bool, typer.Option("-v", "--verbose", help="Name every skipped file; show where errors arose.")
]

Traced = Annotated[bool, typer.Option("-v", "--verbose", help="Show where errors arose.")]

# \b keeps the lines of a paragraph of help as they are.
EXAMPLES = """\b
Examples:
  trendscope profile anna/                      what Anna wears
  trendscope profile export.zip --html a.html   the same with pictures
  trendscope classify photo.jpg --show          one photo, all probabilities
  trendscope scan customers/                    all customers, into a database
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

SCAN_EXAMPLES = """\b
Examples:
  trendscope scan customers/                    into trendscope.db, here
  trendscope scan week47/ --db fashion.db       only what is new is looked at
  trendscope scan exports/ --db postgresql://team@server/fashion
"""
STATUS_EXAMPLES = """\b
Examples:
  trendscope status --db fashion.db
  trendscope status --json
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

    Give it the photos they posted: single ones, folders, or Instagram exports. Everything runs on
    this computer; no photo leaves it.
    """


@app.command(epilog=CLASSIFY_EXAMPLES)
def classify(
    paths: Paths,
    show: Annotated[bool, typer.Option("--show", help="Draw all ten probabilities.")] = False,
    json: Json = False,
    output: Output = None,
    weights: Weights = None,
    customer: Customer = None,
    strict: Strict = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say of each photo which garment it shows."""
    with _exit_codes(verbose):
        _check_targets(output)
        found = _classification(paths, weights, customer, quiet)
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
    db: Annotated[
        str | None,
        typer.Option("--db", metavar="FILE|URL", help="Reuse what this database knows already."),
    ] = None,
    weights: Weights = None,
    customer: Customer = None,
    strict: Strict = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say what each customer wears, and how often."""
    with _exit_codes(verbose):
        if json and csv:
            raise UsageError("--json and --csv exclude each other; choose one")
        _check_targets(output, html)
        found = _profile(paths, db, weights, customer, quiet, pictures=html is not None)
        if html:
            _write_page(found, html)
        if json or csv:
            from trendscope import report

            _deliver(report.profile_json(found) if json else report.profile_csv(found), output)
        else:
            from trendscope.console import print_profile

            _draw(lambda file: print_profile(found, file, names=verbose), output)
        _conclude(found, strict, quiet or not (json or csv or output))


@app.command(epilog=SCAN_EXAMPLES)
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
    strict: Strict = False,
    quiet: Quiet = False,
    verbose: Traced = False,
) -> None:
    """Look at what is new of many customers, and keep what is seen in a database.

    Stopped or killed, it goes on where it was when it is run again.
    """
    with _exit_codes(verbose, "what was looked at is kept; run it again to go on"):
        _check_targets(output)
        found = _collected(paths, db, weights, customer, reclassify, thumbnails, quiet)
        if json:
            from trendscope.report import collected_json

            _deliver(collected_json(found), output)
        else:
            from trendscope.console import print_collected

            _draw(lambda file: print_collected(found, file), output)
        if not found.tally.photos:
            raise _nothing_usable(found.tally.skipped)
        if strict and found.tally.skipped:
            raise typer.Exit(ExitCode.SKIPPED)


@app.command(epilog=STATUS_EXAMPLES)
def status(
    db: Db = None, json: Json = False, output: Output = None, verbose: Verbose = False
) -> None:
    """Say what a database holds, since when, and what was skipped."""
    with _exit_codes(verbose):
        _check_targets(output)
        from trendscope import store

        found = store.status(db)
        if json:
            from trendscope.report import status_json

            _deliver(status_json(found), output)
        else:
            from trendscope.console import print_status

            skipped = store.skips(db)[["source", "detail"]] if verbose else None
            names = [] if skipped is None else list(skipped.itertuples(index=False))
            _draw(lambda file: print_status(found, file, names=names), output)


def _collected(
    paths: list[Path],
    db: str | None,
    weights: str | None,
    customer: str | None,
    reclassify: bool,
    thumbnails: bool,
    quiet: bool,
) -> Collected:
    from trendscope.collect import collect
    from trendscope.console import progress_bar

    with progress_bar(quiet) as progress:
        return collect(
            paths,
            db,
            weights=weights,
            customer=customer,
            reclassify=reclassify,
            thumbnails=thumbnails,
            progress=progress,
        )


def _classification(
    paths: list[Path], weights: str | None, customer: str | None, quiet: bool
) -> Classification:
    from trendscope import scan
    from trendscope.console import progress_bar

    with progress_bar(quiet) as progress:
        return scan.classify(paths, weights=weights, customer=customer, progress=progress)


def _profile(
    paths: list[Path],
    db: str | None,
    weights: str | None,
    customer: str | None,
    quiet: bool,
    pictures: bool,
) -> Profile:
    from trendscope import scan
    from trendscope.console import progress_bar

    with progress_bar(quiet) as progress, _memory(db, weights, pictures) as memory:
        return scan.profile(
            paths,
            weights=weights,
            customer=customer,
            pictures=pictures,
            memory=memory,
            progress=progress,
        )


def _memory(
    db: str | None, weights: str | None, pictures: bool
) -> AbstractContextManager[Memory | None]:
    if db is None:
        return nullcontext()
    from trendscope.collect import remembered

    return remembered(db, weights, pictures=pictures)


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
    skipped = found.skipped
    if skipped and not quiet:
        _warn(skipped)
    if not found.readings:
        raise _nothing_usable(len(skipped))
    if strict and skipped:
        raise typer.Exit(ExitCode.SKIPPED)


def _nothing_usable(files: int) -> NothingUsable:
    return NothingUsable(
        f"none of {files} files could be used; give photos (JPEG, PNG, WebP, GIF, HEIC, "
        "AVIF), a folder of them, or an Instagram export in JSON"
    )


def _warn(skipped: Sequence[Skipped]) -> None:
    from trendscope.feeds import REASONS

    reasons = Counter(item.reason for item in skipped)
    parts = (f"{count} {REASONS.get(reason, reason)}" for reason, count in sorted(reasons.items()))
    print(f"trendscope: skipped {len(skipped)}: {', '.join(parts)}", file=sys.stderr)


@contextmanager
def _exit_codes(verbose: bool, kept: str = "nothing was written") -> Iterator[None]:
    """Turns what can go wrong into a line on standard error and an exit code.

    Args:
        verbose: Show where errors arose.
        kept: What is said when the user stops the command.
    """
    try:
        yield
    except (TrendscopeError, OSError, KeyboardInterrupt) as error:
        if verbose:
            traceback.print_exc()
        raise typer.Exit(_report(error, kept)) from error


def _report(error: BaseException, kept: str) -> ExitCode:
    if isinstance(error, KeyboardInterrupt):
        print(f"trendscope: stopped; {kept}", file=sys.stderr)
        return ExitCode.INTERRUPTED
    if isinstance(error, BrokenPipeError):
        # Whoever read the output, such as `head`, has seen enough. Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    print(f"trendscope: {error}", file=sys.stderr)
    if isinstance(error, UsageError):
        return ExitCode.WRONG_USAGE
    return ExitCode.NOTHING_USABLE if isinstance(error, NothingUsable) else ExitCode.FAILED
