"""An item that a shop sells, with its category and how that is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from trendscope.categories import CATEGORIES
from trendscope.vision.predictions import Prediction

Source = Literal["person", "map", "taxonomy", "type", "title", "picture", "none"]
"""Where a category comes from, most trusted first; ``none`` where nothing tells."""

Reason = Literal["uncertain", "outside"]


@dataclass(frozen=True)
class Item:
    """Something that a shop sells.

    Attributes:
        sku: The shop's number for it; no two items share one.
        title: Plain text; may be empty where there is a picture.
        brand: The maker; empty if unknown.
        kind: The product type or taxonomy as the file has it; empty if it has none.
        price: The present price; None if unknown or not certain.
        currency: ISO 4217, or the sign as written if several share it (``$``); empty if unknown.
        in_stock: None if the file does not say.
        url: Address of its page in the shop; empty if unknown.
        category: One of the ten; None where a reason is given.
        reason: ``outside``: none of the ten; ``uncertain``: not known, or not yet; else None.
        approximate: Whether the category is only the nearest of the ten (shorts as Trouser).
        category_source: Source of the category.
        because: The decisive words of the file, or what the picture shows.
        confidence: The picture's calibrated probability of the category, 0..1; None without a
            category, or a picture that the weights in use have judged. Words give no probability.
        review: Why a person should look at it; empty if nobody needs to.
        picture: Path or address of its picture, for people; empty without one.
        source: The file and row that it was read from, or where it was added.
        sha256: Digest of the picture's bytes, in hex; empty without one.
        prediction: The weights' prediction for the picture; None if they have not judged it. Where
            the picture shows several garments, that of the item's own category.
        alone: Whether the picture shows no other garment.
    """

    sku: str
    title: str
    brand: str
    kind: str
    price: Decimal | None
    currency: str
    in_stock: bool | None
    url: str
    category: str | None
    reason: Reason | None
    approximate: bool
    category_source: Source
    because: str
    confidence: float | None
    review: str
    picture: str
    source: str
    sha256: str = ""
    prediction: Prediction | None = field(default=None, repr=False, compare=False)
    alone: bool = field(default=True, repr=False, compare=False)


def picture_confidence(prediction: Prediction | None, category: str | None) -> float | None:
    """The picture's calibrated probability of a category, 0..1; None without either."""
    if prediction is None or category is None:
        return None
    return float(prediction.probabilities[CATEGORIES.index(category)])
