"""Moments, places, and what a scan remembers of photos."""

from __future__ import annotations

import itertools
import os
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from trendscope.store.memory import location_key, stamp
from trendscope.store.schema import from_moment, to_moment


@given(st.datetimes(timezones=st.just(UTC)))
def test_moments_are_converted_back_exactly(time):
    assert from_moment(to_moment(time)) == time


def test_moments_are_microseconds_since_1970_in_utc():
    assert to_moment(datetime(1970, 1, 2, tzinfo=UTC)) == 86_400_000_000
    assert to_moment(datetime(2026, 11, 21, 8, 30, 0, 250_000, tzinfo=UTC)) == 1795249800250000
    assert (to_moment(None), from_moment(None)) == (None, None)


def test_location_keys_differ_if_names_differ():
    names = ["".join(p) for n in range(3) for p in itertools.product("a\0?1:\udcff", repeat=n)]
    places = {location_key(*pair) for pair in itertools.product(names, repeat=2)}
    assert len(places) == len(names) ** 2
    assert location_key("a", "b") == location_key("a", "b")


def test_stamps_do_not_depend_on_the_spelling_of_the_path(tmp_path, monkeypatch):
    from trendscope.feeds.dispatch import open_feed

    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / "a.jpg").write_bytes(b"12345")
    os.utime(tmp_path / "anna" / "a.jpg", ns=(7, 123_456_789))
    monkeypatch.chdir(tmp_path)
    (relative,) = open_feed([Path("anna")])
    (absolute,) = open_feed([tmp_path / "anna"])
    assert stamp(relative) == stamp(absolute)
    assert (stamp(relative).size, stamp(relative).modified) == (5, 123_456_789)
    (other,) = open_feed([tmp_path / "anna"], customer="ben")
    assert stamp(other).location != stamp(absolute).location
    (tmp_path / "anna" / "a.jpg").unlink()
    assert stamp(relative).size is None
