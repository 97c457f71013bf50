"""The ten Fashion-MNIST categories, in label order."""

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
