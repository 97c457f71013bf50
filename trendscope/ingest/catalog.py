"""Catalogue files and items' pictures into the store, each item once.

The classifier that judges customers' photos judges the pictures too. A picture that is known by its
bytes is not judged again. What a person has decided stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from trendscope.catalog.categorising import Decision, decide, read_map
from trendscope.catalog.items import Item, Sight
from trendscope.catalog.parsing import plain_text, read_catalog
from trendscope.catalog.pictures import Picture, Pictures
from trendscope.catalog.prices import read_price
from trendscope.catalog.products import Product, Remark
from trendscope.catalog.vocabulary import OTHER
from trendscope.categories import CATEGORIES
from trendscope.errors import TrendscopeError, UsageError
from trendscope.feeds.post import Post
from trendscope.ingest.photos import THUMBNAIL_SIDE
from trendscope.limits import Limits
from trendscope.photos.options import ScanOptions
from trendscope.photos.pipeline import Engine, Loader, Progress, classify_posts
from trendscope.photos.results import Garment, PhotoResult
from trendscope.skipped import Skipped
from trendscope.store.database import Clock, Database, Store, open_store, present
from trendscope.store.read_items import THOUSAND, _category, items
from trendscope.store.weights import current_weights, register_weights
from trendscope.store.write_items import (
    Entry,
    Seen,
    StoredItem,
    judged,
    mark_unavailable,
    stored_items,
    write_items,
)
from trendscope.text import displayed
from trendscope.vision.predictions import WeightsChoice
from trendscope.vision.weights import find_digest, identity_of

BATCH = 256
"""Items written at once."""


@dataclass(frozen=True)
class ImportResult:
    """What came of a catalogue file.

    Attributes:
        database: Its name, without any password.
        kind: Of which make the file is.
        encoding: Of the file.
        new: Items that the store did not hold.
        changed: Items of which something is different now.
        unchanged: Items that are as they were.
        taken_off: Items that are for sale no more, now out of stock.
        categories: How many items have which category, by name.
        outside: Items that are none of the ten.
        uncertain: Items whose category is not certain.
        review: Items that wait for a person, the uncertain ones among them.
        pictures: Items with a picture.
        judged: Pictures that were looked at, not known before.
        on_the_web: Items whose pictures are named by a web address and are not here.
        remarks: Rows that were not used, or not whole.
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
        """All that the file holds and that is for sale."""
        return self.new + self.changed + self.unchanged


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
        path: The file; see `trendscope.catalog.read_catalog`.
        db: The database, which is made if it is not there; see `open_store`.
        images: Folders and zips with the items' pictures; nothing is fetched.
        category_map: A CSV that overrides; see `trendscope.catalog.categorising.read_map`.
        currency: Of prices that do not name theirs.
        store_url: The shop's address, for the pages of Shopify's products.
        weights: Those in use in the store, or the default in a new one.
        limits: What file and pictures may ask for.
        progress: Told now and then.
        clock: Gives the present, aware.

    Raises:
        FeedError: The file, the map or a place of pictures cannot be read.
        StoreError: The database cannot be used, or holds what other weights saw.
    """
    catalog = read_catalog(path, currency=currency, store_url=store_url, limits=limits, now=clock())
    mapped = read_map(category_map, limits) if category_map else {}
    pictures = Pictures(images, path.absolute().parent, limits)
    with _opened(db, clock) as store:
        run = _Run(store, weights, limits, mapped, clock)
        run.remarks += catalog.remarks
        done = 0
        for entries in run.entries(catalog.products, pictures):
            run.write(entries)
            done += len(entries)
            if progress:
                progress(done, len(catalog.products))
        gone = [r.sku for r in catalog.remarks if r.reason == "not_for_sale" and r.sku]
        with store.writing() as connection:
            off = mark_unavailable(connection, gone, clock())
        return run.summary(catalog.kind, catalog.encoding, off)


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
    """Adds an item, or what is given of one that is known; ``trendscope catalog add``.

    Args:
        picture: A photo of it; None to keep the one it has.
        db: The database, which is made if it is not there.
        sku: The shop's number of it.
        title: Of it; this and the following stay as they were where they are empty.
        kind: The product type or taxonomy.
        brand: Who makes it.
        price: What it costs, with or without a currency.
        currency: Where the price names none.
        url: Its page in the shop.
        in_stock: None leaves it as it was.
        category: A person's decision: one of the ten, or ``none``; stays until the next one.
        weights: Those in use in the store, or the default in a new one.
        limits: What the picture may ask for.
        tools: Of a caller who keeps them open; they have to be those of `weights`.
        clock: Gives the present, aware.

    Returns:
        The item as it is kept.

    Raises:
        UsageError: There is nothing to know it by, or the category is none.
        TrendscopeError: The picture or the price cannot be read; nothing is changed.
    """
    if not sku.strip():
        raise UsageError("--sku is empty; give the shop's number of the item")
    person = _category(category)
    cost = read_price(price)
    if cost.problem:
        raise UsageError(f"--price: {cost.problem}")
    if picture and not os.path.isfile(picture):
        raise UsageError(f"{displayed(str(picture))} is no file; give a photo of the item")
    with _opened(db, clock) as store:
        run = _Run(store, weights, limits, {}, clock, tools)
        with store.reading() as connection:
            known = stored_items(connection, [sku], None).get(sku)
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
        product = _merged(given, known)
        if not (product.title or picture or (known and known.seen) or person):
            raise UsageError(f"nothing is known of {displayed(sku)}; give a photo or --title")
        (entries,) = run.entries([product], Pictures([picture] if picture else [], None, limits))
        if problem := next(iter(run.remarks), None):
            raise TrendscopeError(f"{displayed(str(picture))}: {problem.detail}")
        run.write(entries, {sku: person} if person else {})
        return items(store, [sku])[0]


def _merged(given: Product, known: StoredItem | None) -> Product:
    """What is given, and what was known where nothing is."""
    if known is None:
        return given
    row = known.row
    price = None if row["price"] is None else Decimal(row["price"]) / THOUSAND
    return replace(
        given,
        title=given.title or row["title"],
        brand=given.brand or row["brand"],
        kinds=given.kinds or tuple(filter(None, row["kind"].split("; "))),
        price=given.price if given.price is not None else price,
        currency=given.currency or row["currency"],
        in_stock=row["in_stock"] if given.in_stock is None else given.in_stock,
        url=given.url or row["url"],
        source=row["source"],
    )


@contextmanager
def _opened(db: Database, clock: Clock) -> Iterator[Store]:
    if isinstance(db, Store):
        yield db
    else:
        with open_store(db, create=True, now=clock()) as store:
            yield store


class _Run:
    """One catalogue on its way into a store."""

    def __init__(
        self,
        store: Store,
        weights: WeightsChoice,
        limits: Limits | None,
        mapped: Mapping[str, str],
        clock: Clock,
        tools: Engine | None = None,
    ):
        self.remarks: list[Remark] = []
        self._store = store
        self._weights = weights
        self._limits = limits
        self._tools = tools
        self._mapped = mapped
        self._clock = clock
        self._weights_id: int | None = None
        self._counts = [0, 0, 0]
        self._judged = 0
        self._on_the_web = 0
        self._decisions: list[tuple[Decision, bool]] = []

    def entries(
        self, products: Sequence[Product], pictures: Pictures
    ) -> Iterator[list[tuple[Product, Seen | None]]]:
        """Products with what is seen in their pictures, in batches."""
        pictured = [(product, self._picture(product, pictures)) for product in products]
        if any(picture for _, picture in pictured):
            self._admit()
        results = classify_posts(
            (picture_post(product, picture) for product, picture in pictured if picture),
            Loader(self._weights),
            ScanOptions(limits=self._limits, thumbnail_side=THUMBNAIL_SIDE),
            recall=self._recall,
            engine=self._tools,
        )
        for start in range(0, len(pictured), BATCH):
            part = pictured[start : start + BATCH]
            yield [
                (product, self._seen(product, next(results)) if picture else None)
                for product, picture in part
            ]

    def write(
        self, batch: Sequence[tuple[Product, Seen | None]], persons: Mapping[str, str] | None = None
    ) -> None:
        """Decides on items and writes them."""
        with self._store.writing() as connection:
            known = stored_items(
                connection, [product.sku for product, _ in batch], self._weights_id
            )
            entries = []
            for product, seen in batch:
                before = known.get(product.sku)
                seen = _kept(seen, before)
                person = (persons or {}).get(product.sku) or _person(before)
                sight = seen.sight if seen else None
                decision = decide(product, sight, self._mapped, person)
                entries.append(Entry(product, decision, seen))
            counts = write_items(connection, entries, known, self._weights_id, self._clock())
        self._counts = [a + b for a, b in zip(self._counts, counts, strict=True)]
        self._decisions += [(entry.decision, entry.seen is not None) for entry in entries]

    def summary(self, kind: str, encoding: str, taken_off: int) -> ImportResult:
        """What came of it."""
        decisions = [decision for decision, _ in self._decisions]
        new, changed, unchanged = self._counts
        worn = [decision.category for decision in decisions]
        return ImportResult(
            database=self._store.shown,
            kind=kind,
            encoding=encoding,
            new=new,
            changed=changed,
            unchanged=unchanged,
            taken_off=taken_off,
            categories={name: worn.count(name) for name in CATEGORIES},
            outside=sum(decision.reason == "outside" for decision in decisions),
            uncertain=sum(decision.reason == "uncertain" for decision in decisions),
            review=sum(bool(decision.review) for decision in decisions),
            pictures=sum(pictured for _, pictured in self._decisions),
            judged=self._judged,
            on_the_web=self._on_the_web,
            remarks=tuple(self.remarks),
        )

    def _picture(self, product: Product, pictures: Pictures) -> Picture | None:
        picture = pictures.find(product)
        if isinstance(picture, str):
            self._lost(product, picture)
            return None
        self._on_the_web += picture is None and bool(product.pictures)
        return picture

    def _lost(self, product: Product, detail: str) -> None:
        self.remarks.append(Remark(product.source, product.sku, "picture", detail, kept=True))

    def _admit(self) -> None:
        now = self._clock()
        with self._store.writing() as connection:
            current = current_weights(connection)
            if self._weights is None and current:
                self._weights = find_digest(current[1].digest)
            identity = identity_of(self._weights)
            self._weights_id = register_weights(connection, identity, False, now, self._store.shown)

    def _recall(self, post: Post, sha256: str) -> PhotoResult | None:
        assert self._weights_id is not None
        with self._store.reading() as connection:
            sight = judged(connection, sha256, self._weights_id)
        return _remembered(post, sha256, *sight) if sight else None

    def _seen(self, product: Product, result: PhotoResult | Skipped) -> Seen | None:
        if isinstance(result, Skipped):
            self._lost(product, f"{result.source}: {result.detail}")
            return None
        self._judged += not result.recalled
        category = result.garments[0].category if result.garments else None
        reason = None if result.verdict == "classified" else result.verdict
        sight = Sight(category, reason, result.probabilities, result.outside)
        return Seen(result.source, result.sha256, sight, result.embedding, result.thumbnail)


def picture_post(product: Product, picture: Picture) -> Post:
    """An item's picture as the pipeline takes it; no customer's."""
    return Post("", product.sku, None, "none", picture.source, picture.read)


def _remembered(post: Post, sha256: str, sight: Sight, vector: bytes, jpeg: bytes) -> PhotoResult:
    """The stored result of a picture."""
    garments = (Garment(sight.category, sight.of(sight.category), None),) if sight.category else ()
    return PhotoResult(
        customer="",
        post_id=post.post_id,
        source=post.source,
        sha256=sha256,
        posted_at=None,
        date_source="none",
        verdict=sight.reason or "classified",
        garments=garments,
        probabilities=sight.probabilities,
        outside=sight.outside,
        thumbnail=jpeg,
        embedding=vector,
        recalled=True,
    )


def _kept(seen: Seen | None, before: StoredItem | None) -> Seen | None:
    """The new picture, else the one that the store has; the same one is not written again."""
    if before is None or before.seen is None:
        return seen
    if seen is None:
        return before.seen
    same = seen.sha256 == before.seen.sha256 and before.seen.sight is not None
    return replace(seen, embedding=None, thumbnail=None) if same else seen


def _person(before: StoredItem | None) -> str | None:
    if before is None or before.row["category_source"] != "person":
        return None
    return before.row["category"] or OTHER
