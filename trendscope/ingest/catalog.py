"""Catalogue files and items' pictures into the store, each item once.

The classifier that judges customers' photos judges the pictures too. A picture that is known by its
bytes is not judged again. What a person has decided stays.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from trendscope.catalog.categorising import read_map
from trendscope.catalog.items import Item
from trendscope.catalog.parsing import plain_text, read_catalog
from trendscope.catalog.pictures import Picture, Pictures
from trendscope.catalog.prices import read_price
from trendscope.catalog.products import Catalog, Product, Remark
from trendscope.categories import CATEGORIES
from trendscope.errors import TrendscopeError, UsageError
from trendscope.ingest.catalog_file import BATCH, decided_item, judge_pictures
from trendscope.ingest.photos import THUMBNAIL_SIDE
from trendscope.limits import Limits
from trendscope.photos.options import ScanOptions
from trendscope.photos.pipeline import Engine, Loader, Progress
from trendscope.photos.results import PictureResult
from trendscope.skipped import Skipped
from trendscope.store.database import Clock, Database, Store, opened, parts, present
from trendscope.store.item_keys import keys_of, recognise, write_keys
from trendscope.store.read_items import THOUSAND, decided_category, find, items, judged_picture
from trendscope.store.statements import text_of
from trendscope.store.weights import current_weights, register_weights
from trendscope.store.write_items import mark_unavailable, write_items
from trendscope.text import displayed
from trendscope.vision.predictions import PhotoPrediction, WeightsChoice
from trendscope.vision.weights import find_digest, identify


@dataclass(frozen=True)
class ImportResult:
    """The outcome of an import.

    Attributes:
        kind: Kind of catalogue file.
        encoding: Encoding of the file.
        new: Number of items that the store did not hold.
        changed: Number of items of which something is different now.
        unchanged: Number of items that are as they were.
        taken_off: Number of items that are no longer for sale, and now out of stock.
        categories: Number of items in each category, by name.
        outside: Number of items that are none of the ten.
        uncertain: Number of items whose category is not certain.
        review: Number of items that wait for a person, the uncertain ones among them.
        pictures: Number of items with a picture.
        judged: Number of pictures that were judged now, not known before.
        on_the_web: Number of items whose pictures are named by a web address and are not here.
        remarks: Rows that were not used, or only in part.
    """

    database: str
    kind: str
    encoding: str
    new: int
    changed: int
    unchanged: int
    taken_off: int
    categories: dict[str, int]
    outside: int
    uncertain: int
    review: int
    pictures: int
    judged: int
    on_the_web: int
    remarks: tuple[Remark, ...]

    @property
    def items(self) -> int:
        """Number of items in the file that are for sale."""
        return self.new + self.changed + self.unchanged


_COUNTED = (
    *("new", "changed", "unchanged", "outside", "uncertain", "review"),
    *("pictures", "judged", "on_the_web"),
)


def import_catalog(
    path: Path,
    db: Database = None,
    *,
    images: Sequence[Path] = (),
    category_map: Path | None = None,
    currency: str = "",
    store_url: str = "",
    weights: WeightsChoice = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
    clock: Clock = present,
) -> ImportResult:
    """Reads a catalogue file into a store; ``trendscope catalog import``.

    Args:
        path: Catalogue file; see `trendscope.catalog.read_catalog`.
        db: The database, which is made if it is missing; see `open_store`.
        images: Folders and zips with the items' pictures; nothing is fetched.
        category_map: CSV of categories that override the words of the file; see
            `trendscope.catalog.categorising.read_map`.
        currency: ISO 4217 code assumed for prices without a currency.
        store_url: The shop's address, for the pages of Shopify's products.
        weights: Weights that judge the pictures; None: those in use in the store, or the default.
        progress: Called with the number of items written and of all items.

    Raises:
        FeedError: The file, the map or a place of pictures cannot be read.
        StoreError: The database cannot be used, or holds results of other weights.
    """
    catalog = read_catalog(path, currency=currency, store_url=store_url, limits=limits, now=clock())
    mapped = read_map(category_map, limits) if category_map else {}
    pictures = Pictures(images, path.absolute().parent, limits)
    with opened(db, create=True, now=clock()) as store:
        run = _Import(store, weights, limits, clock)
        run.remarks += catalog.remarks
        done = 0
        products, gone = run.recognise(catalog)
        for batch in run.judge(products, pictures):
            run.write(batch, mapped)
            done += len(batch)
            if progress:
                progress(done, len(products))
        with store.writing() as connection:
            unavailable = mark_unavailable(connection, gone, clock())
        return run.result(catalog.kind, catalog.encoding, unavailable)


def add(
    picture: Path | None,
    db: Database = None,
    *,
    sku: str,
    title: str = "",
    kind: str = "",
    brand: str = "",
    price: str = "",
    currency: str = "",
    url: str = "",
    in_stock: bool | None = None,
    category: str | None = None,
    weights: WeightsChoice = None,
    limits: Limits | None = None,
    tools: Engine | None = None,
    clock: Clock = present,
) -> Item:
    """Adds an item, or changes a stored one; ``trendscope catalog add``.

    Arguments that are empty or None leave the stored item as it is.

    Args:
        db: The database, which is made if it is missing.
        sku: The shop's number for the item.
        kind: Product type or taxonomy.
        price: Price, with or without a currency.
        currency: ISO 4217 code assumed for a price without a currency.
        url: Address of its page in the shop.
        category: A person's decision, one of the ten or ``none``; stays until the next one.
        weights: Weights that judge the picture; None: those in use in the store, or the default.
        tools: Decoder and classifier of a caller who keeps them open, made for `weights`.

    Returns:
        The item as it is stored.

    Raises:
        UsageError: Nothing says what the item is, or there is no such category.
        TrendscopeError: The picture or the price cannot be read; nothing is changed.
    """
    if not sku.strip():
        raise UsageError("--sku is empty; give the shop's number of the item")
    person = decided_category(category)
    cost = read_price(price)
    if cost.problem:
        raise UsageError(f"--price: {cost.problem}")
    if picture and not os.path.isfile(picture):
        raise UsageError(f"{displayed(str(picture))} is no file; give a photo of the item")
    given = Product(
        sku=sku,
        title=plain_text(title),
        brand=plain_text(brand),
        kinds=(kind,) if kind else (),
        price=cost.amount,
        currency=cost.currency or currency.upper(),
        in_stock=in_stock,
        url=url,
        pictures=(picture.name,) if picture else (),
        source="catalog add",
    )
    with opened(db, create=True, now=clock()) as store:
        run = _Import(store, weights, limits, clock, tools)
        with store.reading() as connection:
            known_as = recognise(connection, [given])[0].get(sku, text_of(sku))
        before = next(iter(items(store, [known_as])), None)
        product = _merged(given, before) if before else given
        if not (product.title or picture or (before and before.sha256) or person):
            raise UsageError(f"nothing is known of {displayed(sku)}; give a photo or --title")
        (batch,) = run.judge([product], Pictures([picture] if picture else [], None, limits))
        if problem := next(iter(run.remarks), None):
            raise TrendscopeError(f"{displayed(str(picture))}: {problem.detail}")
        run.write(batch, {}, person)
        return items(store, [known_as])[0]


def change(db: Database, sku: str, facts: Mapping[str, Any], *, clock: Clock = present) -> Item:
    """Changes what is known of a stored item, but for its category and picture.

    Args:
        sku: The item's own number, or that of one of its sizes.
        facts: Texts ``title``, ``price`` (with or without a currency) and ``url``, which may be
            empty, and ``in_stock``, None if unknown; what is not there stays.

    Raises:
        StoreError: There is no such item.
        UsageError: The price cannot be read, the address is none, or the only name is removed.
    """
    with opened(db) as store:
        stored = find(store, sku).sku
        with store.writing() as connection:
            (before,) = items(connection, [stored])
            item = _changed(before, facts)
            write_items(connection, [item], {stored: before}, {}, None, clock())
        return items(store, [stored])[0]


def _changed(item: Item, facts: Mapping[str, Any]) -> Item:
    new: dict[str, Any] = {name: facts[name] for name in ("url", "in_stock") if name in facts}
    if "title" in facts:
        new["title"] = text_of(plain_text(facts["title"]))
        if not new["title"] and not item.sha256:
            raise UsageError("an item without a picture needs a title")
    if not re.match(r"https?://[^\s]+$|$", new.get("url", "")):
        raise UsageError("the address of its page begins with https:// or http://")
    if "price" in facts:
        cost = read_price(facts["price"])
        if cost.problem:
            raise UsageError(f"price: {cost.problem}")
        new["price"] = cost.amount and cost.amount.quantize(Decimal(1) / THOUSAND)
        new["currency"] = cost.currency or item.currency
    return replace(item, **new)


def _merged(given: Product, before: Item) -> Product:
    """The product as given, and as stored where nothing is given."""
    return replace(
        given,
        sku=before.sku,
        title=given.title or before.title,
        brand=given.brand or before.brand,
        kinds=given.kinds or tuple(filter(None, before.kind.split("; "))),
        price=given.price if given.price is not None else before.price,
        currency=given.currency or before.currency,
        in_stock=before.in_stock if given.in_stock is None else given.in_stock,
        url=given.url or before.url,
        source=before.source,
    )


@dataclass
class _Import:
    """Products on their way into a store; counts and remarks grow with them."""

    store: Store
    weights: WeightsChoice
    limits: Limits | None
    clock: Clock
    tools: Engine | None = None
    weights_id: int | None = None
    remarks: list[Remark] = field(default_factory=list)
    counts: Counter[str | None] = field(default_factory=Counter)

    def recognise(self, catalog: Catalog) -> tuple[list[Product], list[str]]:
        """The products under the SKUs that the store knows them by, and SKUs no longer for sale."""
        with self.store.reading() as connection:
            known, superseded = recognise(connection, (*catalog.products, *catalog.withdrawn))
        products: dict[str, Product] = {}
        for product in catalog.products:
            sku = known.get(product.sku, product.sku)
            if earlier := products.get(sku):
                detail = f"{earlier.source} is known by the same number; the first one counts"
                self.remarks.append(Remark(product.source, product.sku, "duplicate", detail))
                continue
            products[sku] = replace(product, sku=sku, skus=(product.sku, *product.skus))
            for number in sorted(superseded & {*map(text_of, product.skus)}):
                detail = f"{displayed(number)} was an item, and is one of its sizes now"
                self.remarks.append(Remark(product.source, sku, "joined", detail, kept=True))
        gone = [known[each.sku] for each in catalog.withdrawn if each.sku in known]
        return [*products.values()], [*gone, *superseded]

    def judge(
        self, products: Sequence[Product], pictures: Pictures
    ) -> Iterator[list[tuple[Product, PictureResult | None]]]:
        """Products with the results of their pictures, in batches."""
        pairs = [(product, pictures.find(product)) for product in products]
        for product, picture in pairs:
            if isinstance(picture, str):
                self._remark(product, picture)
            self.counts["on_the_web"] += picture is None and bool(product.pictures)
        if any(isinstance(picture, Picture) for _, picture in pairs):
            self._register_weights()
        options = ScanOptions(limits=self.limits, thumbnail_side=THUMBNAIL_SIDE)
        judged = judge_pictures(
            pairs, Loader(self.weights), options, recall=self._recall, engine=self.tools
        )
        for batch in parts(judged, BATCH):
            yield [(product, self._usable(product, result)) for product, result in batch]

    def write(
        self,
        batch: Sequence[tuple[Product, PictureResult | None]],
        mapped: Mapping[str, str],
        person: str | None = None,
    ) -> None:
        """Decides on items and writes them."""
        skus = [text_of(product.sku) for product, _ in batch]
        with self.store.writing() as connection:
            before = {item.sku: item for item in items(connection, skus)}
            decided, jpegs, keys = [], {}, {}
            for sku, (product, result) in zip(skus, batch, strict=True):
                decided.append(decided_item(product, result, mapped, person, before.get(sku)))
                keys[sku] = keys_of(product)
                if result and result.thumbnail:
                    jpegs[sku] = result.thumbnail
            new, changed, unchanged = write_items(
                connection, decided, before, jpegs, self.weights_id, self.clock()
            )
            write_keys(connection, keys)
        self.counts.update(new=new, changed=changed, unchanged=unchanged)
        for item in decided:
            self.counts[item.category or item.reason] += 1
            self.counts["review"] += bool(item.review)
            self.counts["pictures"] += bool(item.sha256)

    def result(self, kind: str, encoding: str, unavailable: int) -> ImportResult:
        """What the import has done."""
        return ImportResult(
            database=self.store.shown,
            kind=kind,
            encoding=encoding,
            taken_off=unavailable,
            categories={name: self.counts[name] for name in CATEGORIES},
            remarks=tuple(self.remarks),
            **{name: self.counts[name] for name in _COUNTED},
        )

    def _register_weights(self) -> None:
        now = self.clock()
        with self.store.writing() as connection:
            current = current_weights(connection)
            if self.weights is None and current:
                self.weights = find_digest(current[1].digest)
            identity = identify(self.weights)
            self.weights_id = register_weights(connection, identity, False, now, self.store.shown)

    def _recall(self, picture: Picture, sha256: str) -> PictureResult | None:
        assert self.weights_id is not None
        with self.store.reading() as connection:
            stored = judged_picture(connection, sha256, self.weights_id)
        if stored is None:
            return None
        prediction, jpeg = stored
        photo = PhotoPrediction.of_one(prediction)
        result = PictureResult.of_prediction(picture.source, sha256, photo)
        return replace(result, thumbnail=jpeg, recalled=True)

    def _usable(
        self, product: Product, result: PictureResult | Skipped | str | None
    ) -> PictureResult | None:
        """The result of a picture, counted; None, with a remark, if it could not be read."""
        if isinstance(result, Skipped):
            self._remark(product, f"{result.source}: {result.detail}")
        if not isinstance(result, PictureResult):
            return None
        self.counts["judged"] += not result.recalled
        return result

    def _remark(self, product: Product, detail: str) -> None:
        self.remarks.append(Remark(product.source, product.sku, "picture", detail, kept=True))
