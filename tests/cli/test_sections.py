"""The help of a command has its options in sections."""

from __future__ import annotations

from typer.main import get_command
from typer.testing import CliRunner

from trendscope.cli import app
from trendscope.cli.sections import SECTIONS


def test_a_commands_own_options_come_first():
    text = CliRunner().invoke(app, ["recommend", "--help"]).stdout
    order = ["Options:", "--sku", "Output:", "--csv", "In every command:", "--quiet", "--help"]
    places = [text.index(f"\n  {word} " if word[0] == "-" else f"\n{word}") for word in order[:5]]
    places += [text.index(word) for word in order[5:]]
    assert places == sorted(places)
    assert "Several computers" not in text  # without an option there is no heading


def test_every_option_in_a_section_exists():
    def options(command):
        below = getattr(command, "commands", {}).values()
        return {name for each in command.params for name in each.opts}.union(*map(options, below))

    listed = [name for names in SECTIONS.values() for name in names.split()]
    assert len(listed) == len({*listed})
    assert {*listed} - options(get_command(app)) == {"--help"}
