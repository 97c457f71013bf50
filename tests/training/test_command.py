"""The command lines of training: help as written, errors in one line."""

from __future__ import annotations

import subprocess
import sys

import pytest

from training.command import errors_in_one_line, new_parser
from trendscope.errors import TrendscopeError


def test_trendscope_errors_become_one_line_and_exit_code_1():
    for error in (TrendscopeError("no weights there"), OSError("no weights there")):
        with pytest.raises(SystemExit) as stopped, errors_in_one_line("training.x"):
            raise error
        assert stopped.value.code == "training.x: no weights there"  # Python prints it and exits 1.


def test_other_errors_are_not_hidden():
    with pytest.raises(ZeroDivisionError), errors_in_one_line("training.x"):
        _ = 1 / 0


def test_help_keeps_the_lines_of_the_examples():
    text = "What it does.\n\nExamples:\n  python -m training.x one\n  python -m training.x two"
    assert text in new_parser(text).format_help()


def test_a_command_says_in_one_line_what_is_wrong(tmp_path):
    pytest.importorskip("safetensors")
    ended = subprocess.run(
        [sys.executable, "-m", "training.average", str(tmp_path), "--run", str(tmp_path / "run")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("training.average: ")
    assert ended.stderr.count("\n") == 1
