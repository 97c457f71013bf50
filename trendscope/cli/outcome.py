"""The end of a command: its output, its warnings, and its exit code."""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

import typer

from trendscope.errors import NothingUsable, TrendscopeError, UsageError
from trendscope.text import displayed

if TYPE_CHECKING:
    from trendscope.photos.results import Classification
    from trendscope.photos.summary import Profile


class ExitCode(IntEnum):
    """Exit codes for scripts."""

    DONE = 0
    FAILED = 1
    WRONG_USAGE = 2
    NOTHING_USABLE = 3
    SKIPPED = 4
    INTERRUPTED = 130


_tells_files = ContextVar("tells_files", default=True)
"""Whether files that were written are named on standard error."""


def check_writable(
    *outputs: Path | None, inputs: Iterable[Path | str | None] = (), force: bool = False
) -> None:
    """Raises an error for files that cannot or may not be written, before the work begins.

    Args:
        outputs: Files that will be written; standard output and None are none.
        inputs: Files, folders and databases that are read.
        force: Whether files that are no reports may be replaced.
    """
    from trendscope.files import replacing, writing

    # The database that is used, or made, where none is named.
    inputs = (*inputs, "trendscope.db")
    for output in outputs:
        if output and not _is_standard_output(output):
            writing.check_writable(output)
            replacing.check_replaceable(output, inputs, force=force)


def confirm(question: str, unattended: str) -> None:
    """Asks on standard error whether to go on.

    Args:
        question: Ends with what is asked; sentences before it stand on lines of their own.
        unattended: Message of the error where nobody is there, with the option to give.

    Raises:
        UsageError: There is nobody to ask.
        KeyboardInterrupt: The answer was no.
    """
    if _nobody_is_there():
        raise UsageError(unattended)
    if not typer.confirm(question, err=True):
        raise KeyboardInterrupt


def _nobody_is_there() -> bool:
    return not sys.stdin.isatty()


def _is_standard_output(output: Path | None) -> bool:
    return output is None or str(output) == "-"


def write_output(text: str, output: Path | None) -> None:
    """Writes a text to a file, whole or not at all, or to standard output."""
    from trendscope.files.writing import encoded

    if output is None or _is_standard_output(output):
        sys.stdout.buffer.write(encoded(text))
        sys.stdout.flush()
    else:
        write_file(output, text)


def write_file(path: Path, content: str | bytes) -> None:
    """Writes a file, whole or not at all, and says so unless the command is to be quiet."""
    from trendscope.files.writing import write_atomic

    write_atomic(path, content)
    if _tells_files.get():
        print(f"Wrote {displayed(str(path))}", file=sys.stderr)


def render(
    show: Callable[[IO[str] | None], None], output: Path | None, document: str | None = None
) -> None:
    """Renders a report on a terminal; into pipes and files goes the plain text, as UTF-8.

    Args:
        show: Prints the report into a file; None is the terminal.
        output: File to write; None or ``-`` for standard output.
        document: The report in another format, which is written instead.
    """
    if document is not None:
        write_output(document, output)
    elif _is_standard_output(output) and sys.stdout.isatty():
        show(None)
    else:
        text = io.StringIO()
        show(text)
        write_output(text.getvalue(), output)


def conclude(outcome: Classification | Profile, strict: bool, quiet: bool) -> None:
    """Says what was skipped, where the output itself does not, and chooses the exit code."""
    from trendscope.skipped import REASONS

    skipped = Counter(item.reason for item in outcome.skipped)
    if skipped and not quiet:
        parts = (f"{count} {REASONS.get(why, why)}" for why, count in sorted(skipped.items()))
        print(f"trendscope: skipped {skipped.total()}: {', '.join(parts)}", file=sys.stderr)
    require_photos(len(outcome.readings), skipped, strict)


def require_photos(photos: int, skipped: Mapping[str, int], strict: bool) -> None:
    """Ends a command that could not use its files, if strict for one that it skipped.

    `skipped` are numbers of files by reason; parts left out as they should be are no error.

    Raises:
        NothingUsable: There is no photo.
        typer.Exit: A file was not used, and that is an error.
    """
    from trendscope.skipped import OTHER_DATES, PARTS

    if not photos:
        raise NothingUsable(
            f"none of {sum(skipped.values())} files could be used; give photos (JPEG, PNG, WebP, "
            "GIF, HEIC, AVIF), a folder of them, or an export of Instagram in JSON"
        )
    if strict and not {*skipped} <= {*PARTS, OTHER_DATES}:
        raise typer.Exit(ExitCode.SKIPPED)


@contextmanager
def exit_codes(
    verbose: bool,
    hidden: Sequence[Path | str | None] | Literal[False] = False,
    work_so_far: str = "nothing was written",
    *,
    quiet: bool = False,
) -> Iterator[None]:
    """Turns what can go wrong into a line on standard error and an exit code.

    Args:
        hidden: Names and paths that messages may not show.
        work_so_far: A sentence about the work so far, for a user who stops the command.
        quiet: Whether files that are written are not named.
    """
    # Under pseudonyms, a file may be named after a customer.
    before = _tells_files.set(not quiet and not hidden)
    try:
        yield
    except (TrendscopeError, OSError, KeyboardInterrupt) as error:
        names = [str(name) for name in hidden or () if name is not None]
        if verbose:
            print(_cleared(traceback.format_exc(), names), end="", file=sys.stderr)
        raise typer.Exit(_report(error, names, work_so_far)) from error
    finally:
        _tells_files.reset(before)


def _cleared(text: str, names: list[str]) -> str:
    if not names:
        return text
    from trendscope.photos.pseudonyms import without

    return without(text, names)


def _report(error: BaseException, names: list[str], work_so_far: str) -> ExitCode:
    if isinstance(error, KeyboardInterrupt):
        print(f"trendscope: stopped; {work_so_far}", file=sys.stderr)
        return ExitCode.INTERRUPTED
    if isinstance(error, BrokenPipeError):
        # Whoever read the output, such as `head`, has seen enough. Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    print(f"trendscope: {_cleared(str(error), names)}", file=sys.stderr)
    if isinstance(error, UsageError):
        return ExitCode.WRONG_USAGE
    return ExitCode.NOTHING_USABLE if isinstance(error, NothingUsable) else ExitCode.FAILED
