"""A short run of what ``python -m tests.fuzz`` does for long."""

from __future__ import annotations

import random

import pytest

from tests.fuzz import Fuzzer, damaged


@pytest.mark.parametrize("workers", [False, True])
def test_damaged_files_end_in_a_result_or_a_reason(workers):
    assert Fuzzer(None, workers).run(0, 400) == 0


def test_tries_are_reproducible_by_their_number():
    assert damaged(bytes(99), random.Random(7)) == damaged(bytes(99), random.Random(7))
    outcomes = [Fuzzer(None, False).once(random.Random(5)) for _ in range(2)]
    assert outcomes[0] == outcomes[1]


def test_an_uncaught_exception_is_counted_and_shown(monkeypatch, capsys):
    def broken(*_args, **_options):
        raise ZeroDivisionError("seven")

    monkeypatch.setattr("tests.fuzz.decode", broken)
    fuzzer = Fuzzer.__new__(Fuzzer)
    fuzzer.pictures, fuzzer.archives, fuzzer.decoder = [b"x" * 9], [], None
    monkeypatch.setattr("tests.fuzz.Fuzzer.once", lambda *_: broken())
    assert fuzzer.run(3, 2) == 2
    assert "try 3:" in capsys.readouterr().out
