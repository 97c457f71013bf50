"""What shops' files hold besides simple rows: sizes in any order, sales with dates, drafts."""

# ruff: noqa: RUF001

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations

import pytest

from tests.factories.catalogues import table
from trendscope.catalog import read_catalog
from trendscope.catalog.sales import sale_runs
from trendscope.errors import FeedError

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SHOPIFY = "Handle,Title,Status,Variant SKU,Variant Inventory Qty,Variant Price,Image Src"
WOO = "ID,Type,SKU,Name,Published,Visibility in catalog,In stock?,Sale price,Regular price,Parent"
WOO += ",Date sale price starts,Date sale price ends"


@pytest.fixture
def read(tmp_path):
    def read(header, rows, delimiter=","):
        path = tmp_path / "products.csv"
        path.write_bytes(table(header, rows, delimiter))
        return read_catalog(path, now=NOW)

    return read


def told(catalog):
    return {p.sku: (p.title, p.price and str(p.price), p.in_stock) for p in catalog.products}


def reasons(catalog):
    return [(r.sku, r.reason, r.kept) for r in catalog.remarks]


# --- the order of rows ---------------------------------------------------------------------------

SIZES = [
    ("linen", "Linen dress", "active", "LD-S", 0, "55.00", "a.jpg"),
    ("linen", "", "", "LD-M", 0, "49.00", ""),
    ("linen", "", "", "LD-L", 4, "45.00", ""),
    ("wool", "Wool coat", "active", "WC-S", 3, "199.00", "b.jpg"),
]


@pytest.mark.parametrize("order", [*permutations(range(4))])
def test_rows_of_shopify_are_one_product_in_any_order(order, read):
    catalog = read(SHOPIFY, [SIZES[i] for i in order])
    assert told(catalog) == {
        "LD-S": ("Linen dress", "45.00", True),
        "WC-S": ("Wool coat", "199.00", True),
    }
    assert catalog.remarks == ()
    linen = next(p for p in catalog.products if p.sku == "LD-S")
    assert ({*linen.skus}, linen.group) == ({"LD-S", "LD-M", "LD-L"}, "linen")


def test_rows_of_a_handle_without_a_title_are_told(read):
    catalog = read(SHOPIFY, [("gone", "", "", "G-S", 1, "5.00", "g.jpg"), *SIZES])
    assert "G-S" not in told(catalog)
    assert reasons(catalog) == [("G-S", "nothing", False)]


VARIATIONS = [
    (7, "variable", "W-3", "Silk shirt", 1, "visible", 1, "", "", "", "", ""),
    (8, "variation", "W-3-S", "Silk shirt - S", 1, "visible", 0, "", "59.00", "W-3", "", ""),
    (9, "variation, virtual", "W-3-M", "Silk - M", 1, "visible", 1, "", "49.00", "id:7", "", ""),
]


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_variations_of_woocommerce_join_their_product_in_any_order(order, read):
    catalog = read(WOO, [VARIATIONS[i] for i in order])
    assert told(catalog) == {"W-3": ("Silk shirt", "49.00", True)}
    assert catalog.remarks == ()
    assert {*catalog.products[0].skus} == {"W-3", "W-3-S", "W-3-M"}


def test_a_variation_without_its_product_is_told(read):
    catalog = read(WOO, VARIATIONS[1:2])
    assert catalog.products == ()
    assert reasons(catalog) == [("W-3-S", "no_parent", False)]


def test_the_variations_and_not_their_product_say_what_is_in_stock(read):
    sold_out = (*VARIATIONS[2][:6], 0, *VARIATIONS[2][7:])
    catalog = read(WOO, [VARIATIONS[0], VARIATIONS[1], sold_out])
    assert told(catalog)["W-3"] == ("Silk shirt", "49.00", False)


# --- sales ---------------------------------------------------------------------------------------


def woo(sale, first="", last=""):
    return [(1, "simple", "W-1", "Dress", 1, "visible", 1, sale, "79.00", "", first, last)]


@pytest.mark.parametrize(
    ("first", "last", "runs"),
    [
        ("", "", True),
        ("2026-12-24", "2027-01-06", False),
        ("2026-06-01", "2026-06-30", False),
        ("2026-11-01", "2027-11-30", True),
        ("2026-11-29", "2026-11-29", True),
        ("2026-11-01", "", True),
        ("2026-12-01", "", False),
        ("", "2026-11-28", False),
        ("", "2026-11-29", True),
        ("2026-11-29 12:00:01", "", False),
        ("2026-11-29 11:59:59", "", True),
        ("01.11.2026", "30.11.2026", True),
        ("24.12.2026", "06.01.2027", False),
        ("12/24/2026", "", False),
        ("11/28/2026", "", True),
        ("29/11/2026", "", True),
        ("01/11/2026", "30/11/2026", True),  # the second leaves one reading of the first
        ("12/01/2026", "12/31/2026", False),
        ("", "28/11/2026 00:00", False),
        ("30. November 2026", "", False),
        ("", "29 Nov 2026", True),
        ("46355", "", True),  # 29 November 2026 in a spreadsheet
        ("46356", "", False),
        ("", "46355", True),
        ("20261130", "", False),
        ("9999-12-31", "", False),
        ("", "9999-12-31", True),
    ],
)
def test_a_sale_price_counts_on_its_days_only(first, last, runs, read):
    catalog = read(WOO, woo("49.00", first, last))
    assert catalog.products[0].price == Decimal("49.00" if runs else "79.00")
    assert catalog.remarks == ()


@pytest.mark.parametrize("first", ["soon", "03/04/2026", "2026-13-01", "46000x"])
def test_days_that_are_not_certain_are_told_and_the_regular_price_counts(first, read):
    catalog = read(WOO, woo("49.00", first))
    assert catalog.products[0].price == Decimal("79.00")
    assert reasons(catalog) == [("W-1", "price", True)]


@pytest.mark.parametrize("zero", ["0", "0.00", "0,00 EUR", "€ 0"])
@pytest.mark.parametrize(
    "header",
    [
        "sku,title,price,sale_price",
        "id,title,price,sale_price,availability",
    ],
)
def test_a_sale_price_of_zero_is_none(header, zero, read):
    catalog = read(header, [("1", "Dress", "79.00 EUR", zero, "in stock")[: header.count(",") + 1]])
    assert catalog.products[0].price == Decimal("79.00")
    assert catalog.remarks == ()


@pytest.mark.parametrize("header", ["", ",availability"])
def test_dated_sales_of_google_count_in_plain_tables_too(header, read):
    columns = f"id,title,price,sale_price,sale_price_effective_date{header}"
    later = "2026-12-24T00:00+0100/2027-01-06T23:59+0100"
    catalog = read(
        columns, [("1", "Dress", "79.00", "49.00", later, "in stock")[: 5 + bool(header)]]
    )
    assert catalog.products[0].price == Decimal("79.00")


def test_the_days_of_a_sale_are_whole_days_in_utc():
    fields = {"sale_from": "2026-11-29", "sale_to": "2026-11-30"}
    for moment, runs in (
        (datetime(2026, 11, 28, 23, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 29, tzinfo=UTC), True),
        (datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 12, 1, tzinfo=UTC), False),
    ):
        assert sale_runs(fields, moment) is runs


# --- what is not for sale ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("published", "visibility"),
    [("-1", "visible"), ("0", "visible"), ("1", "hidden"), ("draft", "visible")],
)
def test_drafts_and_hidden_products_of_woocommerce_are_withdrawn(published, visibility, read):
    row = (1, "simple", "W-1", "Dress", published, visibility, 1, "", "79.00", "", "", "")
    catalog = read(WOO, [row])
    assert catalog.products == ()
    assert [each.sku for each in catalog.withdrawn] == ["W-1"]
    assert reasons(catalog) == [("W-1", "not_for_sale", False)]


@pytest.mark.parametrize("visibility", ["visible", "search", "catalog", ""])
def test_products_that_can_be_found_are_for_sale(visibility, read):
    row = (1, "simple", "W-1", "Dress", 1, visibility, 1, "", "79.00", "", "", "")
    assert [p.sku for p in read(WOO, [row]).products] == ["W-1"]


def test_sizes_that_are_not_for_sale_do_not_count(read):
    cheap = (10, "variation", "W-3-L", "L", -1, "visible", 1, "", "9.00", "W-3", "", "")
    catalog = read(WOO, [*VARIATIONS, cheap])
    assert told(catalog)["W-3"][1] == "49.00"
    assert reasons(catalog) == [("W-3-L", "not_for_sale", True)]
    hidden = read(
        "id,title,item_group_id,availability,price,status,visibility",
        [
            ("1", "Coat S", "G", "in stock", "5.00", "active", "hidden"),
            ("2", "Coat M", "G", "out of stock", "9.00", "active", "published"),
        ],
    )
    assert [(p.price, p.in_stock) for p in hidden.products] == [(Decimal("9.00"), False)]


@pytest.mark.parametrize(
    ("true", "false"),
    [
        ("TRUE", "FALSE"),
        ("WAHR", "FALSCH"),
        ("VRAI", "FAUX"),
        ("PRAWDA", "FAŁSZ"),
        ("ИСТИНА", "ЛОЖЬ"),
    ],
)
def test_a_spreadsheet_of_any_language_saves_what_is_not_published(true, false, read):
    header = "Title,URL handle,SKU,Price,Published on online store,Inventory tracker,"
    header += "Inventory quantity,Continue selling when out of stock"
    catalog = read(
        header,
        [
            ("Dress", "dress", "D", "9.00", true, "shopify", 0, false),
            ("Coat", "coat", "C", "9.00", true, "shopify", 0, true),
            ("Bag", "bag", "B", "9.00", false, "shopify", 1, false),
        ],
        ";",
    )
    assert told(catalog) == {"D": ("Dress", "9.00", False), "C": ("Coat", "9.00", True)}
    assert [product.sku for product in catalog.withdrawn] == ["B"]


def test_a_draft_with_the_numbers_of_what_is_for_sale_withdraws_nothing(read):
    copy = ("copy-of-linen", "Copy of Linen dress", "draft", "LD-S", 0, "1.00", "")
    for rows in ([copy, *SIZES], [*SIZES, copy]):
        catalog = read(SHOPIFY, rows)
        assert told(catalog)["LD-S"] == ("Linen dress", "45.00", True)
        assert catalog.withdrawn == ()


# --- WooCommerce in other languages --------------------------------------------------------------

LANGUAGES = {
    "Dutch": "ID,Type,Artikelnummer,Naam,Gepubliceerd,Zichtbaarheid in catalogus,Op voorraad?,"
    "Actieprijs,Reguliere prijs,Hoofd,Startdatum actieprijs,Einddatum actieprijs",
    "French": "ID,Type,UGS,Nom,Publié,Visibilité dans le catalogue,En stock\u00a0?,Tarif promo,"
    "Tarif régulier,Parent,Date de début de promo,Date de fin de promo",
    "German": "ID;Typ;Artikelnummer;Name;Veröffentlicht;Sichtbarkeit im Katalog;Vorrätig?;"
    "Angebotspreis;Regulärer Preis;Übergeordnetes Produkt;Datum, an dem Angebotspreis beginnt;"
    "Datum, an dem Angebotspreis endet",
    "Italian": "ID,Tipo,SKU,Nome,Pubblicato,Visibilità nel catalogo,In stock?,Prezzo in offerta,"
    "Prezzo di listino,Genitore,Data di partenza del prezzo in saldo,Data in cui termina l'offerta",
    "Italian, SKU translated": "ID,Tipo,COD,Nome,Pubblicato,Visibilità nel catalogo,In stock?,"
    "Prezzo in offerta,Prezzo di listino,Genitore,Data di partenza del prezzo in saldo,"
    "Data in cui termina l'offerta",
    "Japanese": "ID,タイプ,SKU,名前,公開済み,カタログでの表示,在庫の有無,セール価格,標準価格,親,"
    "セール価格の開始日,セール価格の終了日",
    "Polish": "ID,Typ,SKU,Nazwa,Opublikowano,Widoczność w katalogu,W magazynie?,Cena promocyjna,"
    "Cena,Element nadrzędny,Data rozpoczęcia promocji,Data zakończenia promocji",
    "Portuguese": "ID,Tipo,SKU,Nome,Publicado,Visibilidade no catálogo,Em estoque?,"
    "Preço promocional,Preço,Ascendente,Data de preço promocional começa em,"
    "Data de preço promocional termina em",
    "Portuguese of Portugal": "ID,Tipo,REF,Nome,Publicado,Visibilidade no catálogo,Em stock?,"
    "Preço promocional,Preço normal,Superior,Data de preço promocional começa em,"
    "Data de preço promocional termina em",
    "Romanian": "ID,Tip,SKU,Nume,Publicat,Vizibilitate în catalog,În stoc?,Preț promoțional,"
    "Preț obișnuit,Părinte,Dată începere promoție,Dată încheiere promoție",
    "Russian": "ID,Тип,Артикул,Имя,Опубликован,Видимость в каталоге,В наличии?,Акционная цена,"
    "Базовая цена,Родительский,Дата начала действия скидки,Дата окончания действия скидки",
    "Spanish": "ID,Tipo,SKU,Nombre,Publicado,Visibilidad en el catálogo,¿En inventario?,"
    "Precio rebajado,Precio normal,Superior,Día en que empieza el precio rebajado,"
    "Día en que termina el precio rebajado",
    "Swedish": "ID,Typ,Artikelnummer,Namn,Publicerad,Synlighet i katalog,I lager?,Reapris,"
    "Ordinarie pris,Förälder,Datum när reapriset börjar,Datum när reapriset upphör",
    "Turkish": "Kimlik,Tür,Stok kodu (SKU),İsim,Yayımlanmış,Katalogda görünürlük,Stokta?,"
    "İndirimli satış fiyatı,Normal fiyat,Ebeveyn,İndirimli fiyatın başladığı tarih,"
    "İndirimli fiyatın bittiği tarih",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_exports_of_woocommerce_in_other_languages(language, tmp_path):
    header = LANGUAGES[language]
    names = header.split(";" if ";" in header else ",")
    rows = [
        *VARIATIONS,
        (1, "simple", "W-1", "Draft", -1, "visible", 1, "", "5.00", "", "", ""),
        (2, "simple", "W-2", "Hidden", 1, "hidden", 1, "", "5.00", "", "", ""),
        (4, "simple", "W-4", "Later", 1, "visible", 0, "5.00", "8.00", "", "2026-12-24", ""),
        (5, "simple", "W-5", "Over", 1, "visible", 1, "5.00", "8.00", "", "", "2026-11-01"),
        (6, "simple", "W-6", "Now", 1, "visible", 1, "5.00", "8.00", "", "2026-11-01", ""),
    ]
    lines = [",".join(f'"{cell}"' for cell in row) for row in (names, *rows)]
    (tmp_path / "products.csv").write_text("\ufeff" + "\r\n".join(lines))
    catalog = read_catalog(tmp_path / "products.csv", now=NOW)
    assert catalog.kind == "WooCommerce"
    assert told(catalog) == {
        "W-3": ("Silk shirt", "49.00", True),
        "W-4": ("Later", "8.00", False),
        "W-5": ("Over", "8.00", True),
        "W-6": ("Now", "5.00", True),
    }


@pytest.mark.parametrize(
    "header",
    [
        "ID,Тyp,SKU,Name,Objavljeno,Redovna cijena",
        "ID,Type,SKU,Name,Published,Stock",
        "ID,Tyyppi,SKU,Nimi,Julkaistu,Normaalihinta",
    ],
)
def test_other_exports_of_woocommerce_are_refused_and_not_half_read(header, read):
    rows = [(7, "variable", "W-3", "Silk shirt", 1, 5), (8, "variation", "W-3-S", "S", -1, 5)]
    with pytest.raises(FeedError, match=r"WooCommerce|columns .* are those of no known catalogue"):
        read(header, rows)
