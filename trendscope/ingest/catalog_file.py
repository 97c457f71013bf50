"""The items of a catalogue file, with their pictures judged and their categories decided.

No database is read or written: `trendscope.ingest.catalog` stores the same items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np

from trendscope.catalog.categorising import decide
from trendscope.catalog.items import Item, picture_confidence
from trendscope.catalog.parsing import read_catalog
from trendscope.catalog.pictures import Picture, Pictures
from trendscope.catalog.products import Product
from trendscope.catalog.vocabulary import OTHER
from trendscope.categories import CATEGORIES
from trendscope.limits import Limits
from trendscope.photos import pipeline
from trendscope.photos.options import ScanOptions
from trendscope.photos.pipeline import Engine, Loader, Progress
from trendscope.photos.results import PictureResult
from trendscope.skipped import Skipped
from trendscope.store.database import Clock, present
from trendscope.store.read_items import THOUSAND
from trendscope.store.statements import text_of
from trendscope.vision.predictions import Prediction, WeightsChoice

BATCH = 256
"""Items between two reports of progress, and written at once."""


def items_of_file(
    path: Path,
    *,
    images: Sequence[Path] = (),
    weights: WeightsChoice = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
    clock: Clock = present,
) -> list[Item]:
    """Reads a catalogue file, judges its pictures and decides on categories, without a database.

    Arguments and errors are those of `import_catalog`; the default weights judge if none are given.

    Returns:
        The items in order of SKU, as `import_catalog` would store them.
    """
    catalog = read_catalog(path, limits=limits, now=clock())
    pictures = Pictures(images, path.absolute().parent, limits)
    pairs = [(product, pictures.find(product)) for product in catalog.products]
    items = {}
    judged = judge_pictures(pairs, Loader(weights), ScanOptions(limits=limits))
    for number, (product, result) in enumerate(judged, 1):
        item = decided_item(product, result if isinstance(result, PictureResult) else None, {})
        items[item.sku] = item
        if progress and (number % BATCH == 0 or number == len(pairs)):
            progress(number, len(pairs))
    return [items[sku] for sku in sorted(items, key=str.encode)]


def judge_pictures(
    pairs: Sequence[tuple[Product, Picture | str | None]],
    load: Loader,
    options: ScanOptions,
    *,
    recall: Callable[[Picture, str], PictureResult | None] | None = None,
    engine: Engine | None = None,
) -> Iterator[tuple[Product, PictureResult | Skipped | str | None]]:
    """Judges the pictures of products, in their order; all else is passed on.

    Args:
        pairs: Products with what `trendscope.catalog.pictures.Pictures.find` gives.
        load: Source of the classifier, used once a picture has to be judged.
        recall: Lookup of stored results by the pictures' bytes.
        engine: Shared decoder and classifier, left running.
    """
    pictures = ((None, picture) for _, picture in pairs if isinstance(picture, Picture))
    results = pipeline.judge_pictures(pictures, load, options, recall=recall, engine=engine)
    for product, picture in pairs:
        yield product, next(results)[1] if isinstance(picture, Picture) else picture


def decided_item(
    product: Product,
    photo: PictureResult | None,
    mapped: Mapping[str, str],
    person: str | None = None,
    before: Item | None = None,
) -> Item:
    """The item that a product is, with its category, as the store keeps it.

    Args:
        photo: Result of its picture; None to keep the picture of `before`.
        mapped: Categories by SKU or product type, from `trendscope.catalog.categorising.read_map`.
        person: The category, or `OTHER`, that a person decides on now; None for none.
        before: The item as it is stored; an earlier person's decision stays.
    """
    source, sha256, prediction, alone = "", "", None, True
    if photo:
        alone = len({garment.box for garment in (*photo.garments, *photo.candidates)}) <= 1
        source, sha256 = text_of(photo.source), photo.sha256
        prediction = _prediction(photo, decide(product, None, mapped, person).category)
    elif before:
        source, sha256, prediction = before.picture, before.sha256, before.prediction
        alone = before.alone
    if before and before.category_source == "person":
        person = person or before.category or OTHER
    decision = decide(product, prediction, mapped, person)
    return Item(
        sku=text_of(product.sku),
        title=text_of(product.title),
        brand=text_of(product.brand),
        kind=text_of("; ".join(filter(None, (product.taxonomy, *product.kinds)))),
        price=None if product.price is None else product.price.quantize(Decimal(1) / THOUSAND),
        currency=text_of(product.currency)[:8],
        in_stock=product.in_stock,
        url=text_of(product.url),
        category=decision.category,
        reason=decision.reason,
        approximate=decision.approximate,
        category_source=decision.source,
        because=text_of(decision.because),
        confidence=picture_confidence(prediction, decision.category),
        review=text_of(decision.review),
        picture=source,
        source=text_of(product.source),
        sha256=sha256,
        prediction=prediction,
        alone=alone,
    )


def _prediction(photo: PictureResult, category: str | None) -> Prediction:
    """What an item's picture shows: the garment of the item's own category, else the surest one.

    Of its own category is also a garment that the network could not name for sure.
    """
    surest = sorted(photo.garments, key=lambda garment: -garment.confidence)
    own = [garment for garment in (*surest, *photo.candidates) if garment.category == category]
    garment = next(iter([*own, *surest]), None)
    named = garment in surest
    probabilities = dict((garment and garment.probabilities) or photo.probabilities)
    embedding = (garment and garment.embedding) or photo.embedding
    assert embedding is not None
    return Prediction(
        verdict="classified" if named else "uncertain" if garment else photo.verdict,
        category=garment.category if garment and named else None,
        confidence=max(probabilities.values()),
        probabilities=np.array([probabilities[name] for name in CATEGORIES], np.float32),
        outside=garment.outside if garment and garment.probabilities else photo.outside,
        embedding=np.frombuffer(embedding, "<f4"),
    )
