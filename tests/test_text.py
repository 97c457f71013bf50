"""Percent, plurals, days and names as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendscope import text


@pytest.mark.parametrize(
    ("share", "words"),
    [(0, "0 %"), (0.001, "< 1 %"), (0.006, "1 %"), (0.42, "42 %"), (2 / 3, "67 %"), (1, "100 %")],
)
def test_percent(share, words):
    assert text.percent(share) == words


def test_plural():
    assert [text.plural(n, "photo") for n in (0, 1, 1200)] == [
        "0 photos",
        "1 photo",
        "1,200 photos",
    ]


def test_days_and_spans():
    may, june = datetime(2026, 5, 3, 7, tzinfo=UTC), datetime(2026, 6, 9, tzinfo=UTC)
    assert text.span(may, june) == "3 May 2026 to 9 Jun 2026"
    assert text.span(may, may.replace(hour=22)) == "3 May 2026"
    assert text.span(None, None) == "no date"


def test_long_names_are_shortened_in_the_middle():
    assert text.shown("abcdefghij", 7) == "abc…hij"
    assert len(text.shown("x" * 300)) == 80
    assert text.shown("short.jpg") == "short.jpg"


@pytest.mark.parametrize("source", ["a/b/dress.jpg", "export.zip/media/dress.jpg", "dress.jpg"])
def test_file_name(source):
    assert text.file_name(source) == "dress.jpg"


def test_names_are_sorted_as_people_sort_them():
    names = ["anna10", "Ben", "anna2", "anna 2", "Anna", "anna", "ben", "7", "10", "anna02"]
    assert sorted(names, key=text.natural) == [
        "7", "10", "Anna", "anna", "anna02", "anna2", "anna10", "anna 2", "Ben", "ben",
    ]  # fmt: skip
    assert sorted(["9" * 5000, "1" * 5001, "8"], key=text.natural)[-1] == "1" * 5001


NAMES = st.text(st.sampled_from([*"ab\\nrtxu01fU", "\x1b", "\n", "\t", "\u2028", "\udc80", "é"]))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("IMG 1.jpg", "IMG 1.jpg"),
        ("a\x1b[2J.jpg", "a\\x1b[2J.jpg"),
        ("a\\x1b[2J.jpg", "a\\\\x1b[2J.jpg"),
        ("a\\b.jpg", "a\\b.jpg"),
        ("a\\b\n.jpg", "a\\\\b\\n.jpg"),
        ("\udc80.jpg", "\\udc80.jpg"),
        ("\U000e0001.jpg", "\\U000e0001.jpg"),
    ],
)
def test_names_of_files_are_escaped_so_that_they_can_be_given_back(name, shown):
    assert text.escaped(name) == shown
    assert text.unescaped(shown) == name


@given(st.lists(NAMES | st.text(), max_size=4))
def test_any_path_of_escaped_names_gives_the_names_back(names):
    path = "/".join(map(text.escaped, names))
    assert path.isprintable()
    assert text.unescaped(path) == "/".join(names)
