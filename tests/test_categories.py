"""Categories: one rule for how people spell them, wherever they are read."""

from __future__ import annotations

import pytest

from trendscope.catalog.categorising import read_map
from trendscope.categories import CATEGORIES, match_category, parse_category
from trendscope.errors import FeedError, TrendscopeError, UsageError
from trendscope.photos.results import label_of
from trendscope.store.read_items import chosen

SPELLINGS = {
    "T-shirt/top": ("t-shirt_top", "T Shirt Top", "t-shirts", "T-SHIRT"),
    "Trouser": ("trousers", " TROUSER "),
    "Dress": ("dresses", "dress"),
    "Ankle boot": ("ankle  boots", "ankle-boot", "ANKLE_BOOT"),
    "Shirt": ("shirts",),
}
CASES = [(text, category) for category, texts in SPELLINGS.items() for text in (category, *texts)]


def read_by_map(text, tmp_path):
    path = tmp_path / "map.csv"
    path.write_text(f"match,category\nx,{text}\n")
    return read_map(path)["x"]


@pytest.mark.parametrize(("text", "category"), CASES)
def test_every_reader_accepts_the_same_spellings(text, category, tmp_path):
    assert match_category(text) == category
    assert parse_category(text) == category
    assert label_of(text).categories == (category,)
    assert read_by_map(text, tmp_path) == category
    assert chosen([], review=False, category=text) == []


@pytest.mark.parametrize("text", ["hat", "shoes", "dress coat", "-"])
def test_every_reader_refuses_the_same_texts_in_its_own_words(text, tmp_path):
    assert match_category(text) is None
    names = ", ".join(CATEGORIES)
    with pytest.raises(UsageError) as error:
        parse_category(text)
    assert str(error.value) == f"--category {text}: choose one of {names}"
    with pytest.raises(TrendscopeError) as error:
        label_of(text)
    assert str(error.value) == f"{text!r} is no label; use {names}, outside, uncertain"
    with pytest.raises(FeedError) as error:
        read_by_map(text, tmp_path)
    where = tmp_path / "map.csv"
    assert str(error.value) == f"{where}:2: {text!r} is no category; give one of {names}, none"
    with pytest.raises(UsageError) as error:
        chosen([], review=False, category=text)
    assert str(error.value) == f"--category {text}: choose one of {names}, none"
