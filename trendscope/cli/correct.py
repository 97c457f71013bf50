"""The command ``correct``: persons' labels from a table."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from trendscope.cli import options
from trendscope.cli.options import option
from trendscope.cli.outcome import ExitCode, check_writable, exit_codes, write_output

CORRECT_EXAMPLES = options.examples("""
  trendscope correct corrections.csv --db fashion.db
  trendscope correct corrections.csv --remove   takes the labels back

A corrections.csv has a column category and one that names the photo, file
or sha256:  customers/anna/IMG_1.jpg,Dress
A category is one of the ten, several joined by |, outside (none of the ten)
or uncertain (nobody can tell).
""")


def correct(
    table: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Photos and what they show.")],
    db: options.Db = None,
    remove: Annotated[bool, option("--remove", "Take back what was said of these photos.")] = False,
    json: options.Json = False,
    output: options.Output = None,
    force: options.Force = False,
    strict: options.Strict = False,
    quiet: options.Quiet = False,
    verbose: options.Traced = False,
) -> None:
    """Say what photos really show; it counts instead of what the network saw.

    Your word outlives scans and new weights, and training.adapt can learn from it.
    """
    with exit_codes(verbose, quiet=quiet):
        check_writable(output, inputs=(table, db), force=force)
        from trendscope.ingest.corrections import correct_from_table
        from trendscope.reports.database import corrected_json
        from trendscope.text import plural

        result = correct_from_table(table, db, now=datetime.now(UTC), remove=remove)
        word = "taken back" if remove else "labelled by a person"
        text = f"{plural(result.photos, 'photo')} {word}; {result.changed:,} new.\n"
        write_output(corrected_json(result) if json else text, output)
        if result.refused and not quiet:
            for row in result.refused:
                print(f"trendscope: row {row.row} not used: {row.reason}", file=sys.stderr)
        if result.refused and strict:
            raise typer.Exit(ExitCode.SKIPPED)
