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
"""Of each category. Labels seldom tell the three kinds of shoe apart, so they are one group."""


def parse_category(name: str) -> str:
    """One of the ten by its name or its plural, whatever the case.

    Raises:
        UsageError: It is none of them.
    """
    spelled = {word.casefold(): c for c in CATEGORIES for word in (c, f"{c}s", f"{c}es")}
    spelled |= {word.casefold(): c for word, c in zip(PLURALS, CATEGORIES, strict=True)}
    spelled |= {"t-shirt": CATEGORIES[0], "t-shirts": CATEGORIES[0]}
    category = spelled.get(" ".join(name.casefold().split()))
    if category is None:
        raise UsageError(f"--category {displayed(name)}: choose one of {', '.join(CATEGORIES)}")
    return category


# --- words and figures for people, on the terminal and on the page -------------------------------


def color(category: str) -> str:
    """The category's colour as ``#RRGGBB``."""
    return COLORS[CATEGORIES.index(category)]
