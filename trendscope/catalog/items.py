"""What a shop sells, as it is kept: an item with its category, and how that is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

import numpy as np
from jaxtyping import Float32

Source = Literal["person", "map", "taxonomy", "type", "title", "picture", "none"]
"""Where a category comes from, most trusted first; ``none`` where nothing tells."""

Reason = Literal["uncertain", "outside"]


@dataclass(frozen=True)
class Sight:
    """What the classifier said of an item's picture.

    Attributes:
        category: One of the ten; None where a reason is given.
        reason: ``uncertain`` or ``outside``; None where a category is given.
        probabilities: All ten categories with calibrated probabilities 0..1, best first.
        outside: Probability that it is none of the ten, 0..1.
    """

    category: str | None
    reason: Reason | None
    probabilities: tuple[tuple[str, float], ...]
    outside: float

    def of(self, category: str) -> float:
        """The probability of a category, 0..1."""
        return dict(self.probabilities)[category]


@dataclass(frozen=True)
class Item:
    """Something that a shop sells.

    Attributes:
        sku: The shop's number of it; no two items share one.
        title: Plain text; may be empty where there is a picture.
        brand: Who makes it; empty if unknown.
        kind: The product type or taxonomy as the file has it; empty if it has none.
        price: What it costs now; None if unknown or not certain.
        currency: ISO 4217, or the sign as written where that may be several (``$``); empty if
            unknown.
        in_stock: None if the file does not say.
        url: Its page in the shop; empty if unknown.
        category: One of the ten; None where a reason is given.
        reason: ``outside``: none of the ten; ``uncertain``: cannot be told, or not yet; None where
            a category is given.
        approximate: The category is the nearest of the ten, and not quite it (shorts as Trouser).
        category_source: Where the category comes from.
        because: What was decisive: the words of the file, or what the picture shows.
        confidence: The picture's calibrated probability of the category, 0..1; None without a
            category, or a picture that the weights in use have judged. Words give no probability.
        review: Why a person should look at it; empty if nobody need.
        picture: Where its picture lies, for people; empty without one.
        source: The file and row that it was read from, or where it was added.
        sight: What the weights in use said of the picture; None if they have not judged it.
        embedding: The network's view of the picture, float32; None without `sight`.
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
    sight: Sight | None = None
    embedding: Float32[np.ndarray, " d"] | None = field(default=None, repr=False, compare=False)
