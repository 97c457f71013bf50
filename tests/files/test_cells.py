"""Cells of CSV tables: no formula for any spreadsheet, and every text given back."""

from __future__ import annotations

import csv
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendscope.files.cells import defused, quoted, restored

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
PIECES = st.sampled_from([*"=+-@;,\t\r\n'\" ax1", "\uff1d", "\0"])
TEXTS = st.text(PIECES, max_size=12)


def formulas(line, separator):
    """What a spreadsheet that parts cells at this separator would run."""
    rows = csv.reader(io.StringIO(line, newline=""), delimiter=separator)
    return [cell for row in rows for cell in row if cell.strip()[:1] in tuple(SIGNS)]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("bob;=1+1;x", "bob;'=1+1;x"),
        ("eve\t=2+2\tx", "eve\t'=2+2\tx"),
        ("ann;@SUM(1)", "ann;'@SUM(1)"),
        ("S, +1", "S,' +1"),
        ('a;"=1+1"', 'a;\'"=1+1"'),
        ("a\n=1", "a\n'=1"),
        ("a; ;=1", "a; ;'=1"),
        ("a\t \t-1", "a\t' \t'-1"),
        (" \t@x", "' \t'@x"),
        ("\t=1", "'\t'=1"),
        ("a;'=1", "a;''=1"),
        ("a;\uff1d1", "a;'\uff1d1"),
        ("a;b=1", "a;b=1"),
        ("half-past; no = sign", "half-past; no = sign"),
        ("a;", "a;"),
        ("=", "'="),
        ("", ""),
    ],
)
def test_a_formula_is_defused_wherever_a_spreadsheet_may_begin_a_cell(text, cell):
    assert defused(text) == cell
    assert restored(cell) == text


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_no_separator_makes_a_formula(separator, texts):
    line = ",".join(map(quoted, texts)) + "\n"
    assert formulas(line, separator) == []


@given(TEXTS | st.text())
def test_every_text_is_given_back(text):
    assert restored(defused(text)) == text.replace("\0", "")


@given(TEXTS | st.text() | st.text("a-=/;,' \"\t", max_size=6))
def test_quoted_is_defused_in_quotation_marks(text):
    assert quoted(text) == '"' + defused(text).replace('"', '""') + '"'


@given(st.lists(TEXTS, min_size=2, max_size=4))
def test_a_quoted_cell_is_one_cell(texts):
    line = ",".join(map(quoted, texts)) + "\n"
    assert [*csv.reader(io.StringIO(line, newline=""))] == [[defused(text) for text in texts]]


@pytest.mark.parametrize("piece", ["\t", "\t'", ";", "'", " ", "\t=", ";="])
def test_a_long_text_takes_no_longer_than_its_length(piece):
    text = piece * (250_000 // len(piece))
    begun = time.process_time()
    assert restored(defused(text)) == text
    assert time.process_time() - begun < 5  # by the square of its length it would be ten and more
