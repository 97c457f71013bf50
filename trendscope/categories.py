"""The ten Fashion-MNIST categories, in label order."""

from __future__ import annotations

from trendscope.errors import UsageError
from trendscope.text import displayed

_TABLE = (  # name, several of them as a sentence has it, colour
    ("T-shirt/top", "T-shirts or tops", "#5886DC"),
    ("Trouser", "trousers", "#FFCA7D"),
    ("Pullover", "pullovers", "#7C9F00"),
    ("Dress", "dresses", "#8C2D00"),
    ("Coat", "coats", "#673D81"),
    ("Sandal", "sandals", "#77CFF2"),
    ("Shirt", "shirts", "#EAD819"),
    ("Sneaker", "sneakers", "#C1B094"),
    ("Bag", "bags", "#B17296"),
    ("Ankle boot", "ankle boots", "#6E413C"),
)

CATEGORIES: tuple[str, ...] = tuple(name for name, _, _ in _TABLE)
"""Names as in the data set's own table; the index is the label."""

PLURALS: tuple[str, ...] = tuple(plural for _, plural, _ in _TABLE)
"""Several of each, in label order, as a sentence has them."""

COLORS: tuple[str, ...] = tuple(color for _, _, color in _TABLE)
"""One colour a category, in label order, that the colour-blind can tell apart as well."""

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
