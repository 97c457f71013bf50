"""Reads categories from words: a product type, a path of a taxonomy, or a title.

In English the thing itself comes last: a "shirt dress" is a dress, a "dress shirt" a shirt. What
follows "with", "for" or a dash only describes it. Where words leave it open, so does the answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from trendscope.catalog import vocabulary
from trendscope.catalog.taxonomy import NUMBERS, PATHS
from trendscope.catalog.vocabulary import NONE, PHRASES, Kind

LONGEST_TEXT = 1_000
"""Letters that are read; no honest title has more."""


@dataclass(frozen=True)
class Words:
    """The categories that some words allow.

    Attributes:
        categories: Categories that the item may be, of the ten and `OTHER`.
        approximate: Whether the category is only the nearest one.
    """

    categories: frozenset[str]
    approximate: bool
    because: str

    @property
    def answer(self) -> str | None:
        """One of the ten, or `OTHER`; None if several are allowed."""
        return next(iter(self.categories)) if len(self.categories) == 1 else None


def read_title(title: str) -> Words | None:
    """The categories that a title allows; None if the vocabulary has none of its words."""
    text = _normalised(title[:LONGEST_TEXT])
    unquoted = re.sub(r'["“”«»].*?["“”«»]', " ", text)
    clauses = [_phrases(clause) for clause in _CLAUSE.split(unquoted if unquoted.strip() else text)]
    words = [word for clause in clauses for part in clause for word in part]
    if word_for_others := _word_for_others(words):
        return Words(NONE.categories, False, word_for_others)
    parts = [[match for part in clause if (match := _head(part))] for clause in clauses]
    if {"set", "bundle"} & {*words}:
        return _combined([match for clause in parts for match in clause])
    strong = [[match for match in clause if not match[1].weak] for clause in parts]
    first = next(filter(None, strong), None) or next(filter(None, parts), None)
    return _combined(first) if first else None


def read_path(path: str) -> Words | None:
    """The categories that a product type, or a path such as ``Clothing > Dresses``, allows.

    Google's numbers are understood too. The last part with a known word decides; None without one.
    """
    path = NUMBERS.get(path.strip(), path)
    parts = [_normalised(part) for part in re.split(r">|»|/(?=\s)|\|", path[:LONGEST_TEXT])]
    words = [word for part in parts for clause in _phrases(part) for word in clause]
    if word_for_others := _word_for_others(words):
        return Words(NONE.categories, False, word_for_others)
    for part in reversed(parts):
        if kind := PATHS.get(part):
            return Words(kind.categories, kind.approximate, part)
        clauses = (clause for piece in part.split(",") for clause in _phrases(piece))
        if answer := _combined([head for clause in clauses if (head := _head(clause))]):
            return answer
    return None


_CLAUSE = re.compile(
    r"\s[-~]+\s|[,;:|()\[\]•·–—]|"  # noqa: RUF001
    r"\s(?:with|w|for|in|by|from|featuring|inspired|made|and a|plus a)\s"
)
_JOINT = re.compile(r"\s(?:and|plus|or)\s|[&+/]")
_Match = tuple[str, Kind]


def _normalised(text: str) -> str:
    """Lower case without accents, apostrophes, hyphens: ``Women's T-Shirt`` is womens t shirt."""
    letters = unicodedata.normalize("NFKD", text.lower())
    letters = "".join(c for c in letters if not unicodedata.combining(c))
    letters = re.sub(r"['’`´]", "", letters)  # noqa: RUF001
    letters = re.sub(r"\bw/", " with ", letters)
    return " ".join(re.sub(r"(?<=\w)[-‐‑](?=\w)", " ", letters).split())  # noqa: RUF001


def _phrases(clause: str) -> list[list[str]]:
    return [re.findall(r"[a-z0-9]+", part) for part in _JOINT.split(clause)]


def _head(words: Sequence[str]) -> _Match | None:
    """The last garment that is named, or the last weak word for one if there is no other."""
    matches = _matches(words)
    strong = [match for match in matches if not match[1].weak]
    if decisive := [match for match in matches if tuple(match[0].split()) in vocabulary.DECISIVE]:
        return decisive[0]
    return next(reversed(strong or matches), None)


def _matches(words: Sequence[str]) -> list[_Match]:
    """The phrases of the vocabulary in their order, each as long as possible."""
    matches: list[_Match] = []
    at = 0
    while at < len(words):
        for length in range(min(vocabulary.LONGEST, len(words) - at), 0, -1):
            phrase = tuple(words[at : at + length])
            if phrase in PHRASES:
                if kind := PHRASES[phrase]:
                    matches.append((" ".join(phrase), kind))
                break
        at += length
    return matches


def _combined(matches: Sequence[_Match]) -> Words | None:
    """The answer of several matches: their category if they agree, else all their categories."""
    if not matches:
        return None
    kinds = {kind.categories for _, kind in matches}
    because = " and ".join(dict.fromkeys(words for words, _ in matches))
    if len(kinds) == 1:
        approximate = any(kind.approximate for _, kind in matches)
        return Words(matches[0][1].categories, approximate, because)
    return Words(frozenset().union(*kinds), False, because)


def _word_for_others(words: Sequence[str]) -> str:
    """The word that says that the item is for children or animals; empty without one."""
    kinds = [PHRASES.get(tuple(words[i : i + 2]), NONE) for i in range(len(words))]
    for at, word in enumerate(words):
        follows = _head(words[at + 1 : at + 3])
        if word in vocabulary.CHILDREN and kinds[at] is not None and word != "baby":
            return word
        if word == "baby" and tuple(words[at : at + 2]) not in PHRASES:
            return word
        is_picture = not vocabulary.PICTURED.isdisjoint(words[at + 1 : at + 2])
        if word in vocabulary.ANIMALS and follows and not is_picture:
            return word
    return ""
