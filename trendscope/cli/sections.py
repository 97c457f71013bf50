"""The help of a command: its options in sections, what it is for first."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

OWN = "Options"
SECTIONS = {
    "Output": (
        "--json --csv --markdown --html --png --output --force --skipped --excel --format "
        "--pseudonymise"
    ),
    "Reading and judging": (
        "--include --timezone --keep-reposts --weights --limit --reclassify --thumbnails "
        "--one-per-name"
    ),
    "Several computers": "--engine --workers --ray-address --gpus-per-worker",
    "In every command": "--strict --quiet --verbose --help",
}
"""Sections below the command's own options, and the long names of the options in each."""

_SECTION_OF = {name: title for title, names in SECTIONS.items() for name in names.split()}


class SectionedCommand(TyperCommand):
    """A command whose help has the options that many commands share in sections of their own."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Writes arguments, the command's own options, then `SECTIONS`; empty ones are left out."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], OWN: []}
        sections |= {title: [] for title in SECTIONS}
        for parameter in self.get_params(ctx):
            if record := parameter.get_help_record(ctx):
                is_argument = parameter.param_type_name == "argument"
                titles = (_SECTION_OF[name] for name in parameter.opts if name in _SECTION_OF)
                sections["Arguments" if is_argument else next(titles, OWN)].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
