"""What the command lines of training have in common."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from trendscope.errors import TrendscopeError


def new_parser(text: str | None) -> argparse.ArgumentParser:
    """A parser whose help is a module's text, its examples as they stand there."""
    return argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )


@contextmanager
def errors_in_one_line(command: str) -> Iterator[None]:
    """Errors that a user can mend become one line, `command` before it, and exit code 1."""
    try:
        yield
    except (TrendscopeError, OSError) as error:
        sys.exit(f"{command}: {error}")
