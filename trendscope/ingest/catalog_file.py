"""The items of a catalogue file in memory, as an import would store them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np

from trendscope.catalog.categorising import decide
from trendscope.catalog.items import Item, Sight
from trendscope.catalog.parsing import read_catalog
from trendscope.catalog.pictures import Picture, Pictures
from trendscope.catalog.products import Product
from trendscope.ingest.catalog import BATCH, picture_post
from trendscope.limits import Limits
from trendscope.photos.options import ScanOptions
from trendscope.photos.pipeline import Loader, Progress, classify_posts
from trendscope.photos.results import PhotoResult
from trendscope.store.database import Clock, present
from trendscope.store.read_items import THOUSAND
from trendscope.store.write_photos import text_of
from trendscope.vision.predictions import WeightsChoice


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

    Args:
        path: Catalogue file; see `trendscope.catalog.read_catalog`.
        images: Folders and zips with the items' pictures; nothing is fetched.
        weights: Weights that judge the pictures.
        limits: Upper bounds on size, pixels, memory and time of file and pictures.
        progress: Called with the number of items judged and of all items.
        clock: Gives the present, aware.

    Returns:
        The items in order of SKU, as `import_catalog` would store them.

    Raises:
        FeedError: The file or a place of pictures cannot be read.
    """
    catalog = read_catalog(path, currency="", store_url="", limits=limits, now=clock())
    places = Pictures(images, path.absolute().parent, limits)
    pictured = [(product, places.find(product)) for product in catalog.products]
    posts = [
        picture_post(product, place) for product, place in pictured if isinstance(place, Picture)
    ]
    results = classify_posts(posts, Loader(weights), ScanOptions(limits=limits))
    unavailable = {
        text_of(remark.sku) for remark in catalog.remarks if remark.reason == "not_for_sale"
    }
    items = {}
    for number, (product, place) in enumerate(pictured, 1):
        result = next(results) if isinstance(place, Picture) else None
        photo = result if isinstance(result, PhotoResult) else None
        item = _decided(product, photo)
        items[item.sku] = replace(item, in_stock=False) if item.sku in unavailable else item
        if progress and (number % BATCH == 0 or number == len(pictured)):
            progress(number, len(pictured))
    return [items[sku] for sku in sorted(items, key=str.encode)]


def _decided(product: Product, photo: PhotoResult | None) -> Item:
    """A product of a file with its category, from its words and the result of its picture."""
    sight = None
    if photo:
        category = photo.garments[0].category if photo.garments else None
        reason = None if photo.verdict == "classified" else photo.verdict
        sight = Sight(category, reason, photo.probabilities, photo.outside)
    decision = decide(product, sight, {}, None)
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
        confidence=sight.of(decision.category) if sight and decision.category else None,
        review=text_of(decision.review),
        picture=text_of(photo.source) if photo else "",
        source=text_of(product.source),
        sight=sight,
        embedding=np.frombuffer(photo.embedding, "<f4") if photo and photo.embedding else None,
    )
