"""Tables: one rule for their dialect, wherever they are read."""

from __future__ import annotations

import csv

import pytest

from trendscope.errors import FeedError
from trendscope.files.tables import UnknownHeader, dialect, open_table, read_csv, read_rows
from trendscope.limits import Limits
from trendscope.reports.spreadsheets import csv_text


def is_known(header):
    return {"sku", "title"} <= {*header}


@pytest.mark.parametrize(
    ("delimiter", "header"),
    [
        (",", "sku,title,price"),
        (";", "sku;title;price"),
        ("\t", "sku\ttitle\tprice"),
        ("|", "sku|title|price"),
        (";", "sku;title;a, b, c, d"),
        ("\t", "sku\ttitle\ta; b; c; d"),
    ],
)
def test_every_reader_tells_the_delimiter_by_the_header(delimiter, header, tmp_path):
    text = f"{header}\n7{delimiter}Coat{delimiter}9\n"
    path = tmp_path / "table.csv"
    path.write_text(text)
    assert dialect(text, is_known)[0] == delimiter
    assert open_table(path, is_known, Limits()).delimiter == delimiter
    columns, rows = read_rows(text, is_known)
    assert columns[0] == "sku"
    assert next(rows)[0] == "7"
    assert read_csv(path, "sku", "title")["sku"].tolist() == ["7"]


def test_cells_that_were_defused_are_read_as_they_were(tmp_path):
    titles = ["=1+1", "-5 % Coat", "@home", "'=1", "'t Coat", "Coat"]
    path = tmp_path / "table.csv"
    path.write_text(csv_text(("sku", "title"), [(str(i), title) for i, title in enumerate(titles)]))
    assert read_csv(path, "sku", "title")["title"].tolist() == titles
    rows = [row for _, row in open_table(path, is_known, Limits()).rows()]
    assert [row[1] for row in rows] == titles


def test_without_required_columns_the_longest_header_tells_the_delimiter(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("file;label\na.jpg;Coat\n")
    assert list(read_csv(path)) == ["file", "label"]


def test_a_header_of_another_table_is_refused_with_its_columns(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("Name;Taken_At\na;b\n")
    with pytest.raises(UnknownHeader) as error:
        open_table(path, is_known, Limits())
    assert error.value.header == ["name", "taken at"]
    assert isinstance(error.value, FeedError)
    assert read_rows(path.read_text(), is_known) is None


def test_reading_leaves_the_limit_of_the_process_for_cells_alone(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("sku,title\n1,Coat\n")
    before = csv.field_size_limit(20_000_000)
    try:
        assert [cells for _, cells in open_table(path, is_known, Limits()).rows()] == [
            ["1", "Coat"]
        ]
        assert csv.field_size_limit() == 20_000_000
    finally:
        csv.field_size_limit(before)
