"""Boxes over photos: inside the picture, names readable, nothing drawn where nothing is known."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.pages import Elements
from tests.factories.photos import OUTFIT, outfit, photo_result
from tests.factories.stored import NOW, found, write
from trendscope.categories import CATEGORIES, color
from trendscope.photos.results import Garment, Label
from trendscope.photos.summary import summarise
from trendscope.reports.boxes import SIDE, drawing
from trendscope.reports.profile import profile_html
from trendscope.reports.weekly import report_of_store
from trendscope.reports.weekly_page import report_html
from trendscope.store import open_store

sides = st.integers(28, 8000)


@st.composite
def photos(draw):
    """A photo with up to twelve garments, anywhere in it."""
    width, height = size = draw(sides), draw(sides)
    garments = []
    for category in draw(st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=12)):
        x0, y0 = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
        x1, y1 = draw(st.integers(x0 + 1, width)), draw(st.integers(y0 + 1, height))
        garments.append(Garment(category, 0.8, (x0, y0, x1, y1)))
    return outfit(tuple(garments), size=size)


def test_boxes_are_scaled_from_the_original_and_named():
    drawn = drawing(outfit())
    assert (drawn.width, drawn.height) == (112, 168)  # 200 x 300 pixels by 168 / 300
    assert [(g.name, g.color) for g in drawn.garments] == [
        ("Shirt", color("Shirt")),
        ("Bag", color("Bag")),
        ("Trouser", color("Trouser")),
    ]
    assert drawn.garments[0].box == (33.6, 33.6, 44.8, 50.4)
    assert drawn.garments[0].tag == (33.6, 21.6, 36, 12)  # above it: 5 letters of 6, and 6


@given(photos())
def test_boxes_and_names_are_inside_the_picture(photo):
    drawn = drawing(photo)
    assert max(drawn.width, drawn.height) == SIDE
    for garment in drawn.garments:
        x, y, width, height = garment.box
        assert 0 <= x <= x + width <= drawn.width + 0.1
        assert 0 <= y <= y + height <= drawn.height + 0.1
        x, y, width, height = garment.tag
        assert 0 <= x <= x + width <= drawn.width + 0.1
        assert y == 0 or 0 < y <= y + height <= drawn.height + 0.1


@given(photos().filter(lambda photo: min(photo.size) >= 0.8 * max(photo.size)))
def test_names_do_not_cover_each_other(photo):
    for one, other in itertools.combinations([g.tag for g in drawing(photo).garments], 2):
        apart = (
            one[axis] >= other[axis] + other[axis + 2] or other[axis] >= one[axis] + one[axis + 2]
            for axis in (0, 1)
        )
        assert any(apart), (one, other)


def test_an_uncertain_photo_shows_what_it_might_be():
    drawn = drawing(outfit((), verdict="uncertain"))
    assert [(g.name, g.sure) for g in drawn.garments] == [("Sneaker?", False)]


def test_of_several_candidates_in_one_place_the_likeliest_is_drawn():
    place = (80, 270, 120, 298)
    pair = Garment("Sneaker", 0.3, place), Garment("Ankle boot", 0.2, place)
    other = Garment("Sandal", 0.1, (10, 270, 50, 298))
    drawn = drawing(outfit((), verdict="uncertain", candidates=(*pair, other)))
    assert [g.name for g in drawn.garments] == ["Sneaker?", "Sandal?"]


@pytest.mark.parametrize(
    "photo",
    [
        outfit(size=None),
        outfit(tuple(replace(garment, box=None) for garment in OUTFIT)),
        outfit((), verdict="outside"),
        photo_result(),
    ],
)
def test_nothing_is_drawn_where_no_place_is_known(photo):
    assert drawing(photo) is None


# --- the contact sheet ---------------------------------------------------------------------------


def sheet(*photos):
    return profile_html(summarise("fake", photos))


def test_a_photo_stands_under_each_of_its_categories_and_is_stored_once():
    page = sheet(outfit(thumbnail=b"T"))
    assert page.count("data:image/jpeg;base64,") == 1
    assert page.count('aria-label="Shirt, Bag, Trouser, no date"') == 3
    assert page.count('<li class="here">') == 3
    assert page.count("Shirt <b>90 %</b>") == 3  # Beside its crop, each time.


def test_a_photo_with_two_of_a_category_stands_there_once():
    pair = tuple(replace(garment, category="Bag") for garment in OUTFIT[:2])
    page = sheet(outfit(pair, thumbnail=b"T"))
    assert page.count('<figure class="photo">') == 1
    assert page.count('<li class="here">') == 2


def test_garments_that_a_person_named_have_no_probabilities():
    labelled = outfit(thumbnail=b"T").labelled(Label(("Shirt", "Bag", "Coat", "Dress")))
    page = sheet(labelled)
    assert "<b>Named</b> by a person" in page
    assert "<span>Dress</span>" in page  # Without a box.
    assert "90 %" not in page


def test_the_lead_tells_what_boxes_mean_where_there_are_some():
    assert "A box shows where" in sheet(outfit(thumbnail=b"T"))
    assert "A box shows where" not in sheet(photo_result(thumbnail=b"T"))


def test_boxes_need_nothing_from_outside():
    elements = Elements(sheet(outfit(thumbnail=b"T")))
    assert all(source.startswith(("data:image/jpeg;base64,", "#")) for source in elements.sources)


# --- the weekly page -----------------------------------------------------------------------------


def test_the_weekly_page_marks_the_garment_meant_where_there_are_others(tmp_path):
    several = vars(outfit(thumbnail=b"T"))
    more = {name: several[name] for name in ("size", "garments", "candidates", "thumbnail")}
    alone = {**more, "garments": OUTFIT[:1]}
    with open_store(tmp_path / "t.db", create=True, now=NOW) as opened:
        write(
            opened,
            found("Shirt", "anna", "1.jpg", (2026, 11, 10), **more),
            found("Shirt", "ben", "2.jpg", (2026, 11, 11), **alone),
        )
        report = report_of_store(opened, now=NOW)
    pictures = {category.name: category.pictures for category in report.categories}
    (bag,) = pictures["Bag"]
    assert [garment.box for garment in bag.meant.garments] == [OUTFIT[1].box]
    assert [p.meant and len(p.meant.garments) for p in pictures["Shirt"]] == [None, 1]
    page = report_html(report)
    frames = re.findall(r'<span class="frame">.*?</span>', page, re.DOTALL)
    names = [re.findall(r">([^<]+)</text>", frame) for frame in frames]
    assert sorted(names) == [["Bag"], ["Shirt"], ["Trouser"]]  # All of Anna's photo.
