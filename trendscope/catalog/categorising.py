"""Decides on an item's category by its words and its picture, and whether it needs review.

A person's decision counts most, then the category map, the taxonomy, the product type and the
title. The picture decides where the words allow several. Contradictions are left to a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from trendscope.catalog.items import Reason, Source
from trendscope.catalog.products import Product
from trendscope.catalog.vocabulary import CHILDREN, OTHER, category_or_other
from trendscope.catalog.words import Words, read_path, read_title
from trendscope.categories import CATEGORIES
from trendscope.errors import FeedError
from trendscope.files.tables import UnknownHeader, open_table
from trendscope.limits import Limits
from trendscope.text import displayed, percent
from trendscope.vision.predictions import Prediction


@dataclass(frozen=True)
class Decision:
    """An item's category; the fields are those of `trendscope.catalog.items.Item`."""

    category: str | None
    reason: Reason | None
    approximate: bool
    source: Source
    because: str
    review: str


Evidence = tuple[Source, Words]


def decide(
    product: Product,
    prediction: Prediction | None = None,
    mapped: Mapping[str, str] | None = None,
    person: str | None = None,
) -> Decision:
    """Decides on an item's category.

    Args:
        prediction: The classifier's prediction for its picture; None without one.
        mapped: Categories, or `OTHER`, by SKU or product type, from `read_map`.
        person: The category, or `OTHER`, that a person has decided on; None without one.
    """
    if person:
        return _settled(person, False, "person", "a person's decision")
    for key in (product.sku, *product.skus, product.group, product.taxonomy, *product.kinds):
        if answer := (mapped or {}).get(_key(key)):
            return _settled(answer, False, "map", f"{key} in the category map")
    evidence = list(_evidence(product))
    answers = [(source, words) for source, words in evidence if words.answer]
    possible = _possible(evidence)
    if not answers:
        return _by_picture(evidence, possible, prediction)
    source, words = answers[0]
    answer = words.answer
    assert answer is not None
    doubts = [
        f"{_SOURCE_NAMES[origin]} says {_alternatives(other)} ({other.because})"
        for origin, other in evidence
        if answer not in other.categories
    ]
    if prediction and prediction.category not in (None, answer):
        share = percent(prediction.confidence)
        doubts.append(f"the picture looks like {prediction.category} ({share})")
    because = f"{_SOURCE_NAMES[source]}: {words.because}"
    review = f"{_SOURCE_NAMES[source]} says {answer}, but {' and '.join(doubts)}" if doubts else ""
    return _settled(answer, words.approximate, source, because, review)


def read_map(path: Path, limits: Limits | None = None) -> dict[str, str]:
    """Reads a category map: a CSV with the columns ``match,category``.

    ``match`` is a SKU, or a product type or category as the catalogue has it; case and blanks do
    not matter. ``category`` is one of the ten, or ``none``.

    Returns:
        The category, or `OTHER`, by folded SKU or product type.

    Raises:
        FeedError: It cannot be read, lacks a column, or a row names no category.
    """
    columns, label = ("match", "category"), displayed(str(path))
    try:
        table = open_table(path, lambda header: {*columns} <= {*header}, limits or Limits())
    except UnknownHeader as error:
        raise FeedError(f"{label}: a category map needs the columns match,category") from error
    positions = [table.header.index(name) for name in columns]
    categories: dict[str, str] = {}
    for line, cells in table.rows():
        match, text = ("", "") if isinstance(cells, str) else (_cell(cells, i) for i in positions)
        category = category_or_other(text)
        if not match or category is None:
            names = ", ".join((*CATEGORIES, "none"))
            raise FeedError(
                f"{label}:{line}: {displayed(text)[:40]!r} is no category; give one of {names}"
            )
        categories[_key(match)] = category
    return categories


def _cell(cells: list[str], position: int) -> str:
    return cells[position] if position < len(cells) else ""


def _key(text: str) -> str:
    return " ".join(text.casefold().split())


_SOURCE_NAMES: dict[Source, str] = {
    "taxonomy": "the taxonomy",
    "type": "the product type",
    "title": "the title",
}


def _evidence(product: Product) -> Iterator[Evidence]:
    """The evidence of the product's taxonomy, types and title, the most trusted first."""
    if age := next((age for age in product.age.split() if age in CHILDREN), ""):
        yield "taxonomy", Words(frozenset((OTHER,)), False, f"age group {age}")
    if product.taxonomy and (words := read_path(product.taxonomy)):
        yield "taxonomy", words
    kinds = [words for kind in product.kinds if (words := read_path(kind))]
    if kinds:
        categories = frozenset().union(*(words.categories for words in kinds))
        definite = [words for words in kinds if words.answer]
        if definite and len({words.answer for words in definite}) == 1:
            categories = definite[0].categories
        because = ", ".join(dict.fromkeys(words.because for words in kinds))
        yield "type", Words(categories, any(words.approximate for words in kinds), because)
    if words := read_title(product.title):
        yield "title", words


def _possible(evidence: list[Evidence]) -> frozenset[str]:
    """The categories that all words together allow; all where they contradict each other."""
    possible = frozenset((*CATEGORIES, OTHER))
    for _, words in evidence:
        possible = possible & words.categories or possible
    return possible


def _alternatives(words: Words) -> str:
    return words.answer or " or ".join(sorted(words.categories))


def _by_picture(
    evidence: list[Evidence], possible: frozenset[str], prediction: Prediction | None
) -> Decision:
    """Lets the picture decide where the words allow several categories."""
    because = "; ".join(f"{_SOURCE_NAMES[source]}: {words.because}" for source, words in evidence)
    if len(possible) == 1:
        return _settled(next(iter(possible)), False, evidence[0][0], because)
    undecided = f"words leave it open ({because})" if because else "no word tells what it is"
    if prediction is None:
        return _open(because, f"{undecided}, and there is no picture that could be judged")
    answer = OTHER if prediction.verdict == "outside" else prediction.category
    ((best, share),) = prediction.top(1)
    if answer is None:
        guess = f"the best guess is {best}, {percent(share)}"
        return _open(because, f"{undecided}, and the picture is not clear: {guess}")
    if answer not in possible:
        sees = answer if answer == OTHER else f"{answer} ({percent(share)})"
        return _open(because, f"{undecided}, and the picture looks like {sees}")
    return _settled(answer, False, "picture", f"the picture{'; ' if because else ''}{because}")


def _open(because: str, review: str) -> Decision:
    return Decision(None, "uncertain", False, "none", because, review)


def _settled(
    answer: str, approximate: bool, source: Source, because: str, review: str = ""
) -> Decision:
    if answer == OTHER:
        return Decision(None, "outside", False, source, because, review)
    return Decision(answer, None, approximate, source, because, review)
