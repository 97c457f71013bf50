"""What words say: titles by hand, taxonomies, and how words and picture are joined."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendscope.catalog.categorising import decide, read_map
from trendscope.catalog.products import Product
from trendscope.catalog.vocabulary import OTHER
from trendscope.catalog.words import read_path, read_title
from trendscope.categories import CATEGORIES
from trendscope.errors import FeedError
from trendscope.limits import Limits
from trendscope.vision.predictions import Prediction

TITLES = Path(__file__).parent / "titles.csv"


def answer(words):
    """As the list writes it."""
    if words is None or words.answer is None:
        return "open"
    return "none" if words.answer == OTHER else words.answer


@pytest.fixture(scope="module")
def titles():
    with TITLES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_list_of_titles_is_long_and_has_only_known_categories(titles):
    assert len(titles) == len({row["title"] for row in titles}) == 429
    assert {row["category"] for row in titles} == {*CATEGORIES, "none", "open"}


def test_read_title_agrees_with_a_person(titles):
    wrong = [row["title"] for row in titles if answer(read_title(row["title"])) != row["category"]]
    assert wrong == [
        "Anorak Pullover Hood",
        "Off-shoulder bodycon",
    ]  # docs/catalogues.md: 427 of 429


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Apparel & Accessories > Clothing > Dresses", {"Dress"}),
        ("2271", {"Dress"}),
        ("5598", {"Coat"}),
        ("212", {"T-shirt/top", "Shirt", "Pullover"}),
        ("Apparel & Accessories > Clothing > Outerwear > Coats & Jackets", {"Coat"}),
        ("Apparel & Accessories > Handbags, Wallets & Cases", {"Bag", OTHER}),
        ("Apparel & Accessories > Handbags, Wallets & Cases > Handbags", {"Bag"}),
        ("Luggage & Bags > Garment Bags", {OTHER}),
        ("105", {OTHER}),
        ("Women > Dresses > Maxi", {"Dress"}),
        ("Kids > Dresses", {OTHER}),
        ("Animals & Pet Supplies > Dog Apparel", {OTHER}),
        ("Women/Jeans", {"Trouser"}),
        ("Home & Garden > Decor", {OTHER}),
        ("Sweaters & Hoodies", {"Pullover"}),
        ("Sandals & Boots", {"Sandal", "Ankle boot"}),
    ],
)
def test_read_path_reads_taxonomies(path, expected):
    assert read_path(path).categories == expected


@pytest.mark.parametrize("path", ["", "999999", "New in", "Apparel & Accessories", "Women > Sale"])
def test_paths_without_a_known_word_have_no_answer(path):
    assert read_path(path) is None


def test_shorts_and_tall_boots_are_the_nearest_category_only():
    assert read_title("Denim shorts").approximate and read_title("Knee-high boots").approximate
    assert not read_title("Jeans").approximate


@given(st.text(max_size=200))
def test_read_title_and_read_path_accept_any_text(text):
    for words in (read_title(text), read_path(text)):
        assert words is None or words.categories <= {*CATEGORIES, OTHER}


@given(st.sampled_from(["Wrap dress", "Dress shirt", "Ankle boots", "Garment bag"]))
def test_case_blanks_and_accents_do_not_matter(title):
    spellings = (title.upper(), f"  {title} ", title.replace(" ", "  "), title.replace("e", "é"))
    assert {read_title(spelling).categories for spelling in spellings} == {
        read_title(title).categories
    }


# --- words and picture ---------------------------------------------------------------------------


def predicted(best, verdict="classified", share=0.95, outside=0.01):
    probabilities = np.full(10, 0.004, np.float32)
    probabilities[CATEGORIES.index(best)] = share
    category = best if verdict == "classified" else None
    return Prediction(verdict, category, share, probabilities, outside, np.zeros(4, np.float32))


DRESS, OUTSIDE = predicted("Dress"), predicted("Shirt", "outside", share=0.05, outside=0.9)
UNSURE = predicted("Coat", "uncertain", share=0.4)


@pytest.mark.parametrize(
    ("product", "prediction", "category", "reason", "source", "waits"),
    [
        (Product("1", "Wrap dress"), None, "Dress", None, "title", False),
        (Product("1", "Wrap dress"), DRESS, "Dress", None, "title", False),
        (Product("1", "Linen shirt"), DRESS, "Shirt", None, "title", True),
        (Product("1", "Linen shirt"), UNSURE, "Shirt", None, "title", False),
        (Product("1", "Linen shirt"), OUTSIDE, "Shirt", None, "title", False),
        (Product("1", "Denim skirt"), None, None, "outside", "title", False),
        (Product("1", "Denim skirt"), DRESS, None, "outside", "title", True),
        (Product("1", "Emma"), DRESS, "Dress", None, "picture", False),
        (Product("1", "Emma"), UNSURE, None, "uncertain", "none", True),
        (Product("1", "Emma"), OUTSIDE, None, "outside", "picture", False),
        (Product("1", "Emma"), None, None, "uncertain", "none", True),
        (Product("1", "Cardigan"), None, None, "uncertain", "none", True),
        (Product("1", "Cardigan"), predicted("Coat"), "Coat", None, "picture", False),
        (Product("1", "Cardigan"), DRESS, None, "uncertain", "none", True),
        (Product("1", "Emma", taxonomy="2271"), None, "Dress", None, "taxonomy", False),
        (Product("1", "Emma", kinds=("Tops",)), None, None, "uncertain", "none", True),
        (Product("1", "Blouse", kinds=("Tops",)), None, "Shirt", None, "title", False),
        (Product("1", "Jacket", taxonomy="212"), None, "Coat", None, "title", True),
        (Product("1", "Wrap dress", kinds=("Pants",)), None, "Trouser", None, "type", True),
        (Product("1", "Dress", age="toddler"), None, None, "outside", "taxonomy", True),
        (Product("1", "Emma", kinds=("Sale", "Dresses")), None, "Dress", None, "type", False),
    ],
)
def test_the_picture_decides_only_if_words_do_not(
    product, prediction, category, reason, source, waits
):
    decision = decide(product, prediction)
    assert (decision.category, decision.reason, decision.source) == (category, reason, source)
    assert bool(decision.review) == waits


def test_the_review_names_the_contradiction():
    review = decide(Product("1", "Linen shirt"), DRESS).review
    assert review == "the title says Shirt, but the picture looks like Dress (95 %)"
    review = decide(Product("1", "Emma"), UNSURE).review
    assert review.endswith("the picture is not clear: the best guess is Coat, 40 %")


def test_a_persons_decision_beats_the_map_and_the_map_beats_words(tmp_path):
    path = tmp_path / "map.csv"
    path.write_text("match;category\n KLEIDER ;dress\nSKU-7;none\n")
    mapped = read_map(path)
    assert mapped == {"kleider": "Dress", "sku-7": OTHER}
    coat = Product("SKU-1", "Wool coat", kinds=("Kleider",))
    assert decide(coat, mapped=mapped).category == "Dress"
    assert decide(Product("SKU-7", "Wool coat"), mapped=mapped).reason == "outside"
    decision = decide(coat, DRESS, mapped, person="Bag")
    assert (decision.category, decision.source, decision.review) == ("Bag", "person", "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("match,category\na,Hat\n", r"map.csv:2: 'Hat' is no category; give one of T-shirt/top,"),
        ("match,category\na\n", r"map.csv:2: '' is no category"),
        ("type,kind\na,b\n", "needs the columns match,category"),
    ],
)
def test_read_map_names_the_wrong_row(text, words, tmp_path):
    path = tmp_path / "map.csv"
    path.write_text(text)
    with pytest.raises(FeedError, match=words):
        read_map(path)


def test_a_large_map_is_refused_for_its_size_whatever_its_name(tmp_path):
    path = tmp_path / "known catalogue.csv"
    path.write_text("match,category\na,Coat\n")
    with pytest.raises(FeedError, match=r"22 bytes; the limit is 10; raise it with --limit"):
        read_map(path, Limits(table_bytes=10))
