"""Tables: one rule for their dialect, wherever they are read."""

from __future__ import annotations

import csv

import pytest

from trendscope.errors import FeedError, TrendscopeError
from trendscope.files.tables import UnknownHeader, dialect, open_table, read_csv, table_of
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
    table = table_of(text.encode(), is_known)
    assert table.header[0] == "sku"
    assert next(table.rows())[1][0] == "7"
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
    with pytest.raises(UnknownHeader):
        table_of(path.read_bytes(), is_known)


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


def rows_of(data: bytes) -> list[list[str] | str]:
    return [cells for _, cells in table_of(data, is_known).rows()]


def test_quotes_mean_nothing_where_every_line_parted_by_tabs_is_a_row():
    rows = [
        ["1", '"Anna" wrap dress', "x"],
        ["2", "Coat", '"Never closed'],
        ["3", 'Boots with 2" heel', "x"],
        ["4", "Shirt", '"best" of the year"'],
    ]
    text = "\n".join("\t".join(row) for row in [["sku", "title", "note"], *rows])
    assert rows_of(text.encode()) == rows


def test_cells_that_a_spreadsheet_has_quoted_are_read_without_quotes():
    data = b'sku\ttitle\r\n1\t"Coat, long"\r\n2\t"12"" heel"\r\n'
    assert rows_of(data) == [["1", "Coat, long"], ["2", '12" heel']]
    data = b'sku\ttitle\n1\t"two\nlines"\n2\t"a\tb"\n'
    assert rows_of(data) == [["1", "two\nlines"], ["2", "a\tb"]]


def test_lone_quotes_in_other_tables_are_text_where_every_line_is_a_row():
    assert rows_of(b'sku;title\n1;"Anna" dress\n2;Coat\n') == [["1", '"Anna" dress'], ["2", "Coat"]]
    first, second = rows_of(b'sku,title\n1,"a, b" c, d\n2,Coat\n')
    assert "quotation mark" in first and second == ["2", "Coat"]


def test_quoted_cells_keep_their_commas_and_lines():
    assert rows_of(b'sku,title\n1,"Coat, ""long""\nand warm"\n') == [
        ["1", 'Coat, "long"\nand warm']
    ]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("Größe".encode(), "utf-8-sig"),
        (b"\xef\xbb\xbf" * 2 + "Größe".encode(), "utf-8-sig"),
        ("Gro\u0308\xdfe".replace("\xdf", "ß").encode(), "utf-8-sig"),
        ("Größe".encode("utf-16"), "utf-16"),
        ("Größe".encode("utf-16-le"), "utf-16"),
        ("Größe".encode("utf-16-be"), "utf-16"),
        ("Größe".encode("cp1252"), "cp1252"),
        ("Größe".encode("cp850"), "cp850"),  # Excel's "CSV (MS-DOS)"
        ("Größe".encode("mac_roman"), "mac_roman"),
    ],
)
def test_encodings_of_windows_macs_and_the_web(data, encoding, tmp_path):
    kind = {"utf-16": "utf-16-be" if data[:1] == b"\0" else "utf-16-le"}.get(encoding, "ascii")
    header = "sku,title\n1,".encode(kind)
    marks = b"\xef\xbb\xbf" * 2
    if data.startswith(marks):
        data = marks + header + data[6:]
    elif data.startswith(b"\xff\xfe"):
        data = b"\xff\xfe" + header + data[2:]
    else:
        data = header + data
    if encoding == "mac_roman":
        data = data.replace(b"\n", b"\r")
    table = table_of(data, is_known)
    assert [cells for _, cells in table.rows()] == [["1", "Größe"]]
    assert table.encoding == encoding
    (tmp_path / "a.csv").write_bytes(data)
    assert read_csv(tmp_path / "a.csv", "sku", "title")["title"].tolist() == ["Größe"]


@pytest.mark.parametrize("kind", ["le", "be"])
def test_a_mark_tells_utf_16_of_text_in_other_alphabets(kind):
    data = f"\ufeffsku,title\n1,{'山田花子' * 9}\n".encode(f"utf-16-{kind}")
    assert rows_of(data) == [["1", "山田花子" * 9]]


@pytest.mark.parametrize(
    "above",
    [
        "sep=;",
        '"sep=;"',
        "# of our shop",
        '"# of our shop"',
        "Our shop, autumn 2026",
        "Our shop;;",
        '"Our shop; ""autumn"""',
        "\r\n;;\r\n \r\nOur shop\r\n2026-11-03;;\r\n;;",
        "sku of ours;our title",
        "Exported by, a program, on 3 Nov, at 10",
        '"a quotation mark that is never closed',
    ],
)
def test_lines_above_the_header_are_passed_over_and_rows_keep_their_numbers(above, tmp_path):
    data = f"\ufeff{above}\r\nsku;title\r\n1;Coat\r\n2\r\n".encode()
    first = above.count("\n") + 3
    assert [*table_of(data, is_known).rows()] == [(first, ["1", "Coat"]), (first + 1, ["2"])]
    (tmp_path / "a.csv").write_bytes(data)
    frame = read_csv(tmp_path / "a.csv", "sku", "title")
    assert frame["title"].tolist() == ["Coat", ""]
    assert frame.attrs["lines"] == [first, first + 1]
    only = read_csv(tmp_path / "a.csv", one_of=("title", "name"))
    assert only["sku"].tolist() == ["1", "2"]


def test_a_first_column_called_by_a_sign_of_notes_is_a_column():
    assert rows_of(b"#;sku;title\n1;A;Coat\n") == [["1", "A", "Coat"]]
    assert rows_of(b"# made by us\n#;sku;title\n# 1;A;Coat\n") == [["# 1", "A", "Coat"]]


def test_a_table_whose_header_is_not_found_is_refused_with_its_likely_columns():
    for data in (
        b"Our shop\n\nNumber;Name;Price\n1;Coat;9\n",
        b"Number;Name;Price\n1;a, b, c, d;9",
    ):
        with pytest.raises(UnknownHeader) as error:
            table_of(data, is_known)
        assert error.value.header == ["number", "name", "price"]
    with pytest.raises(UnknownHeader):
        table_of(b"\n" * 9 + b"x\n" * 50 + b"sku;title\n", is_known)
    assert rows_of(b"\n" * 99 + b"x\n" * 49 + b"sku;title\n1;Coat") == [["1", "Coat"]]


def test_columns_are_named_as_they_are_asked_for(tmp_path):
    (tmp_path / "a.csv").write_text("SKU ; Taken  At;File Name\n1;x;y\n")
    frame = read_csv(tmp_path / "a.csv", "sku", "taken_at")
    assert [*frame.columns] == ["sku", "taken_at", "file name"]
    with pytest.raises(TrendscopeError, match="no column 'sha256 or file'; it has: sku, taken at"):
        read_csv(tmp_path / "a.csv", one_of=("sha256", "file"))


@pytest.mark.parametrize(
    "text", ["Zoë", "René", "François", "Zoë Änne", "Àngel Núñez", "Größe", "Élise à"]
)
def test_names_in_the_code_pages_of_windows_and_ms_dos(text):
    for encoding in ("cp1252", "cp850"):
        assert rows_of(f"sku,title\r\n1,{text}\r\n".encode(encoding)) == [["1", text]]


def test_one_broken_letter_spoils_no_other(tmp_path):
    good = "sku,title\n1,Größe für 9 €\n2,".encode()
    cut = "Jahreszei…".encode()[:-1]
    assert rows_of(good + cut + b",\n")[0] == ["1", "Größe für 9 €"]
    mixed = good + b"caf\xe9 cr\xe8me\n"
    assert rows_of(mixed) == [["1", "Größe für 9 €"], ["2", "café crème"]]
    (tmp_path / "a.csv").write_bytes(good + cut + b"\n")
    with pytest.raises(TrendscopeError, match="line 3: a letter is broken"):
        read_csv(tmp_path / "a.csv", "title")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Łukasz Żółć", "cp1250"),
        ("Анна Иванова", "cp1251"),
        ("山田花子", "cp932"),
        ("Šime Žić", "cp1250"),
        ("Škoda", "cp1250"),
        ("Ťažký šťastný", "cp1250"),
        ("Łódź", "cp852"),
        ("Größe", "mac_roman"),
    ],
)
def test_encodings_that_cannot_be_told_are_refused(text, encoding, tmp_path):
    with pytest.raises(FeedError, match="known encoding"):
        table_of(b"sku,title\n1," + text.encode(encoding), is_known)
    (tmp_path / "a.csv").write_bytes(b"sku,title\n1," + text.encode(encoding))
    with pytest.raises(TrendscopeError, match="known encoding"):
        read_csv(tmp_path / "a.csv", "title")


def test_a_list_of_which_a_line_cannot_be_read_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('sku,title\n1,a\n2,"b" c, d\n')
    with pytest.raises(TrendscopeError, match="line 3"):
        read_csv(path, "title")
