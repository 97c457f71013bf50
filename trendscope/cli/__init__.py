"""The commands: flags in, one library call, render, exit code.

The only package that prints or exits. Data goes to standard output; progress, warnings and errors
go to standard error. What is heavy is imported only by the command that needs it.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Annotated

import typer

from trendscope.cli import (
    catalog,
    correct,
    customers,
    database,
    photos,
    recommend,
    report,
    serve,
    trends,
)
from trendscope.cli.options import examples, option
from trendscope.cli.outcome import ExitCode as ExitCode
from trendscope.cli.sections import SectionedCommand

EXAMPLES = examples("""
  trendscope profile anna/                      what Anna wears
  trendscope profile export.zip --html a.html   the same with pictures
  trendscope classify photo.jpg --show          one photo, all probabilities
  trendscope trends customers/                  what is worn more, what less
  trendscope scan customers/                    all customers, into a database
  trendscope report -o report.html              its page with charts
  trendscope serve                              the same in your browser
  trendscope recommend --sku A17                whom to write to about an item
""")

PATIENCE = 1.0
"""Seconds after Ctrl-C during which further ones change nothing."""

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
    tune_interpreter()
    _open_standard_files()
    stop = _stopper()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    app(prog_name="trendscope")


def _open_standard_files() -> None:
    """Opens nothing in the place of standard files that were closed, so that writing works."""
    while (free := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(free)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))


def tune_interpreter() -> None:
    """Settings of Python's own that pay for a run of the command line."""
    # Collecting garbage while jax is imported, and again at exit, finds hardly any and takes a
    # tenth of a short run.
    gc.set_threshold(100_000, 50, 50)
    atexit.register(gc.freeze)
    # While one thread writes to the database, those that hand photos to the decoders wait for it
    # no longer than this, in seconds.
    sys.setswitchinterval(0.0005)


def _stopper() -> Callable[[int, FrameType | None], None]:
    """Answers Ctrl-C and its like: stops in good order, or at once if still asked after a while.

    A second signal soon after the first comes from whoever sends to the process and to its group;
    it must not break into the clearing up.
    """
    asked: list[float] = []

    def stop(number: int, frame: FrameType | None) -> None:
        asked.append(time.monotonic())
        if len(asked) == 1:
            raise KeyboardInterrupt
        if asked[-1] - asked[0] > PATIENCE:
            os._exit(ExitCode.INTERRUPTED)

    return stop


def _print_version(requested: bool) -> None:
    if requested:
        from trendscope import __version__

        print(f"trendscope {__version__}")
        raise typer.Exit


@app.callback(epilog=EXAMPLES)
def trendscope(
    version: Annotated[
        bool, option("--version", "Show the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Which kinds of clothes do customers wear?

    Give it the photos they posted: single ones, folders, or exports of Instagram, Facebook and
    Google Photos. Everything runs on this computer; no photo leaves it.
    """


app.command(cls=SectionedCommand, epilog=photos.CLASSIFY_EXAMPLES)(photos.classify)
app.command(cls=SectionedCommand, epilog=photos.PROFILE_EXAMPLES)(photos.profile)
app.command(cls=SectionedCommand, epilog=database.SCAN_EXAMPLES)(database.scan)
app.command(cls=SectionedCommand, epilog=database.STATUS_EXAMPLES)(database.status)
app.command(cls=SectionedCommand, epilog=customers.CUSTOMERS_EXAMPLES)(customers.customers)
app.command(cls=SectionedCommand, epilog=correct.CORRECT_EXAMPLES)(correct.correct)
app.command(cls=SectionedCommand, epilog=serve.SERVE_EXAMPLES)(serve.serve)
app.command(cls=SectionedCommand, epilog=database.EXPORT_EXAMPLES)(database.export)
app.command(cls=SectionedCommand, epilog=trends.TRENDS_EXAMPLES)(trends.trends)
app.command(cls=SectionedCommand, epilog=report.REPORT_EXAMPLES)(report.report)
app.command(cls=SectionedCommand, epilog=database.FORGET_EXAMPLES)(database.forget)
app.command(cls=SectionedCommand, epilog=recommend.RECOMMEND_EXAMPLES)(recommend.recommend)
app.add_typer(catalog.app, name="catalog")
