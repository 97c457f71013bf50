"""The ten Fashion-MNIST categories, in label order."""

from __future__ import annotations

from trendscope.errors import UsageError
from trendscope.text import displayed

_TABLE = (  # name, several of them as a sentence has it, colour
    ("T-shirt/top", "T-shirts or tops", "#4E79A7"),
    ("Trouser", "trousers", "#F28E2B"),
    ("Pullover", "pullovers", "#59A14F"),
    ("Dress", "dresses", "#E15759"),
    ("Coat", "coats", "#B07AA1"),
    ("Sandal", "sandals", "#76B7B2"),
    ("Shirt", "shirts", "#EDC948"),
    ("Sneaker", "sneakers", "#9C755F"),
    ("Bag", "bags", "#FF9DA7"),
    ("Ankle boot", "ankle boots", "#79706E"),
)

CATEGORIES: tuple[str, ...] = tuple(name for name, _, _ in _TABLE)
"""Names as in the data set's own table; the index is the label."""

PLURALS: tuple[str, ...] = tuple(plural for _, plural, _ in _TABLE)
"""Several of each, in label order, as a sentence has them."""

COLORS: tuple[str, ...] = tuple(color for _, _, color in _TABLE)
"""One colour a category, in label order (Tableau 10): the colour-blind can tell them apart."""

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
