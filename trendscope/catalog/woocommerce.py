"""The columns of WooCommerce's product export, which come in the language of whoever exports.

The names are those of exports in English, Dutch, French, German, Italian, Japanese, Polish,
Portuguese (Brazil), Romanian, Russian, Spanish, Swedish and Turkish, older spellings among them.
"""

# ruff: noqa: RUF001

from __future__ import annotations

COLUMNS = {
    field: tuple(name.lower() for name in names.split(" | "))
    for field, names in {
        "id": "ID | Kimlik",
        "variety": "Type | Typ | Tipo | Tip | Tür | Тип | タイプ",
        "sku": "SKU | Artikelnummer | UGS | COD | REF | Artikelnr | Stok kodu (SKU) | Артикул",
        "title": "Name | Nom | Nombre | Nome | Naam | Nazwa | Nume | Namn | İsim | Имя | 名前",
        "published": "Published | Veröffentlicht | Publié | Publicado | Pubblicato | "
        "Gepubliceerd | "
        "Opublikowano | Publicat | Publicerad | Yayımlanmış | Опубликован | 公開済み",
        "visibility": "Visibility in catalog | Sichtbarkeit im Katalog | Katalogsichtbarkeit | "
        "Visibilité dans le catalogue | Visibilidad en el catálogo | Visibilità nel catalogo | "
        "Zichtbaarheid in catalogus | Widoczność w katalogu | Visibilidade no catálogo | "
        "Vizibilitate în catalog | Synlighet i katalog | Katalogda görünürlük | "
        "Видимость в каталоге | カタログでの表示",
        "sale_from": "Date sale price starts | Datum, an dem Angebotspreis beginnt | "
        "Datum, an dem der Angebotspreis beginnt | Angebotspreis gültig ab | "
        "Date de début de promo | Día en que empieza el precio rebajado | "
        "Data di partenza del prezzo in saldo | Startdatum actieprijs | "
        "Data rozpoczęcia promocji | Data de preço promocional começa em | "
        "Dată începere promoție | Datum när reapriset börjar | İndirimli fiyatın başladığı tarih | "
        "Дата начала действия скидки | Дата начала действия продажной цены | セール価格の開始日",
        "sale_to": "Date sale price ends | Datum, an dem Angebotspreis endet | "
        "Datum, an dem der Angebotspreis endet | Angebotspreis gültig bis | "
        "Date de fin de promo | Día en que termina el precio rebajado | "
        "Data in cui termina l'offerta | Data in cui termina l’offerta | Einddatum actieprijs | "
        "Data zakończenia promocji | Data de preço promocional termina em | "
        "Dată încheiere promoție | Datum när reapriset upphör | İndirimli fiyatın bittiği tarih | "
        "Дата окончания действия скидки | Дата окончания действия продажной цены | "
        "セール価格の終了日",
        "stock": "In stock? | Vorrätig? | Auf Lager? | En stock ? | En stock? | En inventaire? | "
        "¿En inventario? | ¿Existencias? | Op voorraad? | W magazynie? | Em estoque? | Em stock? | "
        "În stoc? | I lager? | Stokta? | В наличии? | Наличие | 在庫の有無",
        "quantity": "Stock | Bestand | Lager | Lagerbestand | Inventaire | Inventario | "
        "Magazzino | "
        "Voorraad | Stan magazynowy | Estoque | Stoc | Lagersaldo | Stok | Запасы | 在庫",
        "sale": "Sale price | Angebotspreis | Tarif promo | Prix promo | Precio rebajado | "
        "Prezzo in offerta | Actieprijs | Cena promocyjna | Preço promocional | Preț promoțional | "
        "Reapris | İndirimli satış fiyatı | Акционная цена | Цена распродажи | セール価格",
        "price": "Regular price | Regulärer Preis | Normaler Preis | Tarif régulier | "
        "Prix régulier | Precio normal | Precio regular | Prezzo di listino | Reguliere prijs | "
        "Cena | Preço | Preço normal | Preț obișnuit | Ordinarie pris | Normal fiyat | "
        "Базовая цена | 標準価格",
        "kind": "Categories | Kategorien | Catégories | Categorías | Categorie | Categorieën | "
        "Kategorie | Categorias | Categorii | Kategorier | Kategoriler | Категории | カテゴリー",
        "group": "Parent | Übergeordnetes Produkt | Eltern | Superior | Genitore | Hoofd | "
        "Element nadrzędny | Ascendente | Părinte | Förälder | Ebeveyn | Родительский | 親",
        "brand": "Brands | Brand | Marken | Marke | Marques | Marcas | Marchi | Merken | Marki | "
        "Märken | Varumärken | Markalar | Бренды",
    }.items()
}
"""The names of the column of each field, in small letters."""

PICTURES = tuple(
    "images, bilder, imágenes, immagine, immagini, afbeeldingen, obrazki, imagens, imagini, "
    "görseller, изображения, 画像".split(", ")
)
"""The names of the column of pictures."""

VARIETIES = frozenset(
    "simple, variable, variation, grouped, external, subscription, variable-subscription, "
    "subscription_variation, virtual, downloadable".split(", ")
)
"""WooCommerce's types of products, which it does not translate; one or several of them in a cell,
parted by commas."""


def varieties(cell: str) -> set[str]:
    """The types in a cell, such as ``simple, virtual``."""
    return {word.strip() for word in cell.lower().split(",")}
