"""Catalogue files: five kinds with 1,000 products, and hostile ones, right or refused by row."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.catalogues import KINDS, WEB, shopify_old, table, truth
from trendscope.catalog import read_catalog
from trendscope.catalog.layouts import LAYOUTS, layout_of
from trendscope.catalog.parsing import LONGEST_TITLE, plain_text
from trendscope.catalog.prices import decimal_sign, read_price
from trendscope.errors import FeedError
from trendscope.limits import Limits


@pytest.fixture
def file(tmp_path):
    def write(data, name="products.csv"):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return write


def rows(catalog):
    return [(remark.source, remark.sku, remark.reason, remark.kept) for remark in catalog.remarks]


# --- the five kinds ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_thousand_products_of_every_kind(kind, file):
    expected = truth(1000)
    catalog = read_catalog(file(KINDS[kind](expected)))
    assert catalog.remarks == ()
    assert [p.sku for p in catalog.products] == [t.sku for t in expected]
    assert [p.price for p in catalog.products] == [t.price for t in expected]
    assert [p.in_stock for p in catalog.products] == [t.in_stock for t in expected]
    assert all(p.title.startswith(t.title) for p, t in zip(catalog.products, expected, strict=True))


def test_every_layout_is_recognised_by_its_header(file):
    kinds = [read_catalog(file(make(truth(2)))).kind for make in KINDS.values()]
    assert sorted(kinds) == sorted(layout.name for layout in LAYOUTS)


def test_headers_match_in_any_case_and_with_any_delimiter():
    assert layout_of(["id", "title", "image link"]).name == "Google or Meta"
    assert layout_of(["name", "customer", "taken at"]) is None


def test_windows_1252_and_utf_16_are_read(file):
    catalog = read_catalog(file(KINDS["plain"](truth(1))))
    assert (catalog.encoding, catalog.products[0].title) == (
        "cp1252",
        "Crew neck T-shirt no. 0 in Größe S",
    )
    text = "sku\ttitle\tprice\nA1\tRöcke\t5\n"
    catalog = read_catalog(file(text.encode("utf-16")))
    assert (catalog.encoding, catalog.products[0].title) == ("utf-16", "Röcke")


def test_shopify_pages_are_built_from_the_store_url_and_all_pictures_are_read(file):
    path = file(shopify_old(truth(1)))
    (product,) = read_catalog(path, store_url="https://shop.example/").products
    assert product.url == "https://shop.example/products/p-00000"
    assert product.pictures == (f"{WEB}/1.jpg", f"{WEB}/2.jpg")
    assert read_catalog(path).products[0].url == ""


def test_products_not_for_sale_are_skipped_with_a_remark(file):
    text = "Title,URL handle,Status,Published on online store,SKU\n"
    text += "A,a,Draft,TRUE,1\nB,b,Active,FALSE,2\nC,c,Active,TRUE,3\n"
    catalog = read_catalog(file(text))
    assert [p.sku for p in catalog.products] == ["3"]
    assert rows(catalog) == [
        ("products.csv:2", "1", "not_for_sale", False),
        ("products.csv:3", "2", "not_for_sale", False),
    ]


def test_untracked_stock_of_shopify_is_in_stock_and_missing_stock_is_unknown(file):
    header = "Title,URL handle,SKU,Inventory tracker,Inventory quantity"
    header += ",Continue selling when out of stock"
    catalog = read_catalog(
        file(
            table(
                header,
                [
                    ("A", "a", "1", "", "", "FALSE"),
                    ("B", "b", "2", "shopify", "-2", "FALSE"),
                    ("C", "c", "3", "shopify", "0", "TRUE"),
                ],
            )
        )
    )
    assert [p.in_stock for p in catalog.products] == [True, False, True]
    assert read_catalog(file("sku,title,price\n1,A,\n")).products[0].in_stock is None


def test_colours_with_their_own_picture_are_items_and_sizes_are_not(file):
    header = "id,title,item_group_id,image_link,availability,price"
    data = table(
        header,
        [
            ("1", "Dress red", "G", "red.jpg", "out of stock", "50 EUR"),
            ("2", "Dress red", "G", "red.jpg", "in stock", "45.00 EUR"),
            ("3", "Dress blue", "G", "blue.jpg", "in stock", "50.00 EUR"),
        ],
    )
    products = read_catalog(file(data)).products
    assert [(p.sku, p.price, p.in_stock) for p in products] == [
        ("1", Decimal("45.00"), True),
        ("3", Decimal("50.00"), True),
    ]


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ("", "40"),
        ("2026-11-01T00:00+01:00/2026-11-30T23:59+01:00", "40"),
        ("2026-10-01/2026-10-31", "50"),
        ("soon", "50"),
    ],
)
def test_a_dated_sale_price_counts_on_its_days(dates, expected, file):
    data = table(
        "id,title,availability,price,sale_price,sale_price_effective_date",
        [("1", "Dress", "in stock", "50 EUR", "40 EUR", dates)],
    )
    now = datetime(2026, 11, 21, tzinfo=UTC)
    assert read_catalog(file(data), now=now).products[0].price == Decimal(expected)


# --- prices --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("15.00 USD", "15.00", "USD"),
        ("1.299,00 EUR", "1299.00", "EUR"),
        ("$1,299.00", "1299.00", "$"),
        ("€ 1.299,50", "1299.50", "EUR"),
        ("1\u202f299,00\u00a0€", "1299.00", "EUR"),
        ("CHF 1'299.-", "1299", "CHF"),
        ("12,9", "12.9", ""),
        ("1.234.567", "1234567", ""),
        ("gbp 7", "7", "GBP"),
    ],
)
def test_prices_as_shops_write_them(text, amount, currency):
    price = read_price(text)
    assert (price.amount, price.currency, price.problem) == (Decimal(amount), currency, "")


@pytest.mark.parametrize(
    "text", ["1.299 EUR", "1,299", "12.990", "10-20", "from 10", "-5", "abc", "0", "1,2,3", "=1+1"]
)
def test_ambiguous_prices_are_not_read(text):
    price = read_price(text)
    assert price.amount is None and price.problem


def test_ambiguous_points_are_read_like_the_other_prices_of_the_file(file):
    assert (decimal_sign(["5.00", "7"]), decimal_sign(["5.00", "5,00"])) == (".", None)
    text = "sku;title;price\n1;A;12,50\n2;B;1.299\n3;C;1,299\n"
    catalog = read_catalog(file(text))
    assert [p.price for p in catalog.products] == [Decimal("12.50"), Decimal(1299), None]
    assert rows(catalog) == [("products.csv:4", "3", "price", True)]


def test_a_currency_is_taken_from_the_command_where_the_file_names_none(file):
    path = file("sku,title,price\n1,A,5.00\n2,B,5.00 USD\n3,C,$5.00\n")
    assert [p.currency for p in read_catalog(path, currency="eur").products] == [
        "EUR",
        "USD",
        "EUR",
    ]


@given(st.decimals("0.01", "999999.99", places=2))
def test_prices_are_read_back_in_every_notation(amount):
    english, german = f"{amount:,.2f}", f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))
    assert read_price(f"{english} EUR").amount == amount
    assert read_price(f"{german} €").amount == amount


# --- hostile files -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04 and more", "Excel workbook or a zip; save it as CSV"),
        (b"<?xml version='1.0'?><rss/>", "feed in XML"),
        (b'{"products": []}', "JSON"),
        (b"\xff\xd8\xff\xe0 picture", "catalog add takes pictures"),
        (
            b"customer,taken_at,image\na,b,c\n",
            r"columns \(customer, taken at, image\) are those of no",
        ),
        (b"\x81\x8d\x8f\x90\n\x81,\x9d\n", "no text in a known encoding"),
    ],
)
def test_other_files_are_refused_with_advice(data, words, file):
    with pytest.raises(FeedError, match=words) as error:
        read_catalog(file(data))
    assert str(error.value).count("\n") == 0


def test_missing_files_folders_and_large_files_are_refused(file, tmp_path):
    for path, words in ((tmp_path / "no.csv", "does not exist"), (tmp_path, "is a folder")):
        with pytest.raises(FeedError, match=words):
            read_catalog(path)
    with pytest.raises(FeedError, match="table_bytes"):
        read_catalog(file("sku,title\n1,A\n"), limits=Limits(table_bytes=5))


def test_more_rows_than_allowed_are_refused_before_any_is_read(file):
    path = file("sku,title\n" + "".join(f"{i},Dress\n" for i in range(11)))
    with pytest.raises(FeedError, match=r"more than 10 rows.*catalog_rows"):
        read_catalog(path, limits=Limits(catalog_rows=10))
    assert len(read_catalog(path, limits=Limits(catalog_rows=11)).products) == 11


def test_wrong_rows_get_a_remark_and_the_others_are_read(file):
    text = (
        "sku,title,price\n"
        "1,Dress,5.00\n"
        ",No number,5.00\n"
        "1,Dress again,6.00\n"
        "2,Dress, long,5.00\n"
        "3,,\n"
        "1.23457E+12,Mangled,\n"
        '4,"a"b,5.00\n'
        '="0005",Excel\'s text,7.00\n'
        "6,=HYPERLINK(1),5.00\n"
        '7,"never closed,5.00\n8,Dress,5.00\n'
    )
    catalog = read_catalog(file(text))
    assert [p.sku for p in catalog.products] == ["1", "0005", "6"]
    assert catalog.products[2].title == "=HYPERLINK(1)"
    assert rows(catalog) == [
        ("products.csv:3", "", "no_sku", False),
        ("products.csv:4", "1", "duplicate", False),
        ("products.csv:5", "", "bad_row", False),
        ("products.csv:6", "3", "nothing", False),
        ("products.csv:7", "1.23457E+12", "mangled_sku", False),
        ("products.csv:8", "", "bad_row", False),
        ("products.csv:11", "", "bad_row", False),
    ]
    assert (
        "never closed" in catalog.remarks[-1].detail and "1 more line" in catalog.remarks[-1].detail
    )


def test_a_title_of_5000_words_is_cut_with_a_remark(file):
    catalog = read_catalog(file(f"sku,title\n1,{'dress ' * 5000}\n"))
    assert len(catalog.products[0].title) <= LONGEST_TITLE
    assert rows(catalog) == [("products.csv:2", "1", "long_title", True)]


def test_a_cell_longer_than_the_default_limit_of_csv_is_read(file):
    text = f'Handle,Title,Body (HTML),Variant SKU\na,Dress,"{"<p>x</p>" * 50_000}",1\n'
    assert [p.sku for p in read_catalog(file(text)).products] == ["1"]


def test_plain_text_drops_markup_entities_and_control_characters():
    assert plain_text("Wrap <b>dress</b> &amp; belt\x00\x1b[31m") == "Wrap dress & belt [31m"
    assert plain_text("&lt;script&gt;alert(1)&lt;/script&gt;Dress") == "alert(1) Dress"
    assert plain_text("size < 40 and > 30") == "size < 40 and > 30"


@given(st.binary(max_size=300))
def test_read_catalog_reads_or_refuses_any_bytes(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "x.csv"
    path.write_bytes(b"sku,title,price\n" + data)
    try:
        catalog = read_catalog(path)
    except FeedError:
        return
    assert len({p.sku for p in catalog.products}) == len(catalog.products)


@given(st.lists(st.tuples(*[st.text(st.characters(exclude_categories=["Cs"]), max_size=12)] * 3)))
def test_every_row_becomes_a_product_or_a_remark(tmp_path_factory, cells):
    path = tmp_path_factory.mktemp("rows") / "x.csv"
    path.write_bytes(table("sku,title,price", cells))
    catalog = read_catalog(path)
    accounted = {r.source for r in catalog.remarks if not r.kept} | {
        p.source for p in catalog.products
    }
    filled = [row for row in cells if any(cell.replace("\0", "").strip() for cell in row)]
    assert len(accounted) == len(filled)
