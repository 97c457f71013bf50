"""The ten Fashion-MNIST categories, in label order."""

from __future__ import annotations

from trendscope.errors import UsageError
from trendscope.text import displayed

CATEGORIES: tuple[str, ...] = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
"""Names as in the data set's own table; the index is the label."""

COLORS: tuple[str, ...] = (
    "#4E79A7",
    "#F28E2B",
    "#59A14F",
    "#E15759",
    "#B07AA1",
    "#76B7B2",
    "#EDC948",
    "#9C755F",
    "#FF9DA7",
    "#79706E",
)
"""One colour a category, in label order (Tableau 10): the colour-blind can tell them apart."""

PLURALS: tuple[str, ...] = (
    "T-shirts or tops",
    "trousers",
    "pullovers",
    "dresses",
    "coats",
    "sandals",
    "shirts",
    "sneakers",
    "bags",
    "ankle boots",
)
"""Several of each, in label order, as a sentence has them."""

SHOES = "Shoes"

GROUP = {name: name for name in CATEGORIES} | dict.fromkeys(
    ("Sandal", "Sneaker", "Ankle boot"), SHOES
)
"""The group of each category: labels seldom tell the three kinds of shoe apart."""


def letters(text: str) -> str:
    """Letters and digits of a text in lower case, so that spellings can be compared."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


_SPELLINGS = {
    letters(spelling): category
    for category, plural in zip(CATEGORIES, PLURALS, strict=True)
    for spelling in (category, f"{category}s", f"{category}es", plural)
} | dict.fromkeys(("tshirt", "tshirts"), CATEGORIES[0])


def match_category(text: str) -> str | None:
    """The category of a name or plural such as ``t-shirt_top`` or ``DRESSES``; None if unknown.

    Everything that takes a category as text asks here, so all accept the same spellings.
    """
    return _SPELLINGS.get(letters(text))


def parse_category(name: str) -> str:
    """The category that the option ``--category`` names; see `match_category`.

    Raises:
        UsageError: It names none of the ten.
    """
    category = match_category(name)
    if category is None:
        raise UsageError(f"--category {displayed(name)}: choose one of {', '.join(CATEGORIES)}")
    return category


def color(category: str) -> str:
    """The category's colour as ``#RRGGBB``."""
    return COLORS[CATEGORIES.index(category)]
