"""Labels by persons: they win in every count, outlive scans and weights, and come from a file."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete

from tests.fakes import FakeClassifier
from tests.test_collect import Other
from tests.test_store import NEW, NOW, found, write
from tests.wardrobe import reading
from trendscope import store
from trendscope.categories import CATEGORIES
from trendscope.collect import collect, remembered
from trendscope.errors import StoreError, TrendscopeError
from trendscope.readings import Garment, Label, label_of
from trendscope.scan import profile
from trendscope.store import schema
from trendscope.store.corrections import correct, labels_of
from trendscope.store.database import open_store
from trendscope.store.record import finish_reclassifying

BAG, OUTSIDE, UNCERTAIN = Label(("Bag",)), Label(reason="outside"), Label(reason="uncertain")
FIGURES = ["photos", "classified", "uncertain", "outside", "waiting"]


@pytest.fixture
def opened(db):
    with open_store(db, create=True, now=NOW) as it:
        yield it


@pytest.fixture
def filled(opened):
    """Anna: a dress, a photo that is open, one of none; Ben: a coat, and Anna's dress too."""
    write(
        opened,
        found("Dress", name="1.jpg", sha256="dress", day=(2026, 3, 2, 9)),
        found(None, name="2.jpg", sha256="open", verdict="uncertain", day=(2026, 3, 3)),
        found(None, name="3.jpg", sha256="none", verdict="outside"),
        found("Coat", customer="ben", name="4.jpg", sha256="coat"),
        found("Dress", customer="ben", name="5.jpg", sha256="dress"),
    )
    return opened


def seen(opened):
    """(customer, image, category or reason) of all rows of both tables, which have to agree."""
    rows = []
    for table in (store.sightings(opened), store.weekly_rows(opened)):
        verdict = table["category"].astype(object).fillna(table["reason"].astype(object))
        rows.append(sorted(zip(table["customer"], table["sha256"], verdict, strict=True)))
    assert rows[0] == rows[1]
    return rows[0]


# --- labels --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Dress", Label(("Dress",))),
        (" t-shirt_TOP ", Label(("T-shirt/top",))),
        ("Coat|Bag|coat", Label(("Coat", "Bag"))),
        ("Outside", OUTSIDE),
        ("uncertain", UNCERTAIN),
    ],
)
def test_labels_are_read(text, label):
    assert label_of(text) == label
    assert label_of(str(label)) == label


@pytest.mark.parametrize("text", ["", "hat", "Coat|", "Coat|outside", "Dress Coat", "\x1b[2J"])
def test_what_is_no_label_is_refused_with_those_there_are(text):
    with pytest.raises(TrendscopeError, match=r"is no label; use T-shirt/top, .*, uncertain") as e:
        label_of(text)
    assert "\x1b" not in str(e.value)


def test_a_reading_as_a_person_sees_it_keeps_what_the_network_said():
    before = reading("Dress")
    after = before.labelled(Label(("Bag", "Coat")))
    box = before.garments[0].box
    assert after.garments == (Garment("Bag", 1.0, box), Garment("Coat", 1.0, None))
    assert (after.corrected, after.probabilities) == (True, before.probabilities)
    none = before.labelled(OUTSIDE)
    assert (none.verdict, none.garments) == ("outside", ())
    assert none.explanation == "none of the ten, says a person"
    assert before.labelled(UNCERTAIN).explanation == "a person could not tell"


# --- counts --------------------------------------------------------------------------------------


def test_a_persons_word_wins_in_every_count(filled):
    correct(filled, {"dress": BAG, "open": Label(("Shirt",)), "coat": OUTSIDE}, NOW)
    assert seen(filled) == [
        ("anna", "dress", "Bag"),
        ("anna", "none", "outside"),
        ("anna", "open", "Shirt"),
        ("ben", "coat", "outside"),
        ("ben", "dress", "Bag"),
    ]
    assert store.customers(filled)[FIGURES].to_numpy().tolist() == [
        [3, 2, 0, 1, 0],
        [2, 1, 0, 1, 0],
    ]
    total = store.status(filled)
    assert (total.classified, total.uncertain, total.outside, total.waiting) == (3, 0, 2, 0)
    assert total.corrected == 4


def test_columns_of_a_corrected_sighting(filled):
    correct(filled, {"dress": BAG, "open": Label(("Shirt",)), "coat": OUTSIDE}, NOW)
    rows = store.sightings(filled, vectors=True).set_index(["customer", "sha256"])
    bag, shirt, coat = (
        rows.loc[("anna", "dress")],
        rows.loc[("anna", "open")],
        rows.loc["ben", "coat"],
    )
    assert (bag.confidence, bag.outside, bag.x1, bag.corrected) == (1.0, 0.0, 110, True)
    assert (shirt.confidence, shirt.outside, shirt.corrected) == (1.0, 0.0, True)
    assert shirt[["x0", "y0", "x1", "y1"]].isna().all()
    assert (coat.confidence, coat.outside) == (0.8, 1.0) and coat[["x0", "y1"]].isna().all()
    none = rows.loc[("anna", "none")]
    assert (none.confidence, none.outside, none.corrected) == (0.8, 0.02, False)
    chances = np.frombuffer(bag.probabilities, "<f4")
    assert CATEGORIES[int(chances.argmax())] == "Dress"


def test_two_garments_in_a_photo_count_one_each_and_the_photo_once(filled):
    correct(filled, {"dress": Label(("Dress", "Bag"))}, NOW)
    anna = [row for row in seen(filled) if row[0] == "anna"]
    assert anna == [
        ("anna", "dress", "Bag"),
        ("anna", "dress", "Dress"),
        ("anna", "none", "outside"),
        ("anna", "open", "uncertain"),
    ]
    assert store.customers(filled)[FIGURES].to_numpy().tolist()[0] == [3, 1, 1, 1, 0]
    boxes = store.sightings(filled, "anna").set_index("category").loc[["Dress", "Bag"], "x1"]
    assert boxes.fillna(0).tolist() == [110, 0]


def test_one_label_takes_the_place_of_several_garments_that_were_seen(opened):
    two = (Garment("Dress", 0.8, (0, 0, 9, 9)), Garment("Bag", 0.7, (1, 1, 5, 5)))
    write(opened, found(sha256="two", garments=two))
    assert [row[2] for row in seen(opened)] == ["Bag", "Dress"]
    correct(opened, {"two": Label(("Coat",))}, NOW)
    assert [row[2] for row in seen(opened)] == ["Coat"]
    assert store.customers(opened)[FIGURES].to_numpy().tolist() == [[1, 1, 0, 0, 0]]


def test_a_word_is_replaced_and_taken_back(filled):
    before = seen(filled)
    assert correct(filled, {"dress": Label(("Bag", "Coat"))}, NOW) == {"dress": None}
    assert correct(filled, {"dress": OUTSIDE}, NOW) == {"dress": Label(("Bag", "Coat"))}
    assert correct(filled, {"dress": None, "open": None}, NOW) == {"dress": OUTSIDE, "open": None}
    assert seen(filled) == before


def test_an_unknown_image_is_refused_and_nothing_is_written(filled):
    with pytest.raises(StoreError, match="holds no image eve; scan its photo first"):
        correct(filled, {"dress": BAG, "eve": BAG}, NOW)
    assert store.corrections(filled).empty


@given(
    labels=st.dictionaries(
        st.sampled_from(["dress", "open", "none", "coat"]),
        st.one_of(
            st.sampled_from([OUTSIDE, UNCERTAIN]),
            st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=3, unique=True).map(
                lambda names: Label(tuple(names))
            ),
        ),
    )
)
def test_the_database_and_the_readings_say_the_same(law, labels):
    """What `seen` decides in SQL is what `Reading.labelled` decides in memory."""
    opened, readings = law
    with opened.writing() as connection:
        connection.execute(delete(schema.corrections))
    correct(opened, labels, NOW)
    with opened.reading() as connection:
        assert labels_of(connection) == labels
        assert labels_of(connection, ["dress", "?"]) == {
            k: v for k, v in labels.items() if k == "dress"
        }
    expected = [
        (r.customer, r.sha256, what)
        for r in (x.labelled(labels[x.sha256]) if x.sha256 in labels else x for x in readings)
        for what in ([g.category for g in r.garments] or [r.verdict])
    ]
    assert seen(opened) == sorted(expected)
    assert store.customers(opened)["photos"].tolist() == [3, 2]


@pytest.fixture(scope="module")
def law(tmp_path_factory):
    items = [
        found("Dress", name="1.jpg", sha256="dress"),
        found(None, name="2.jpg", sha256="open", verdict="uncertain"),
        found(None, name="3.jpg", sha256="none", verdict="outside"),
        found("Coat", customer="ben", name="4.jpg", sha256="coat"),
        found("Dress", customer="ben", name="5.jpg", sha256="dress"),
    ]
    with open_store(tmp_path_factory.mktemp("law") / "t.db", create=True) as it:
        write(it, *items)
        yield it, [reading for _, reading in items]


# --- what they outlive ---------------------------------------------------------------------------


def test_they_outlive_scans_and_new_weights(filled):
    correct(filled, {"dress": BAG, "coat": UNCERTAIN}, NOW)
    write(filled, found("Dress", name="1.jpg", sha256="dress", day=(2026, 3, 2, 9)))
    ours = [row for row in seen(filled) if row[1] in ("dress", "coat")]
    assert ours == [("anna", "dress", "Bag"), ("ben", "coat", "uncertain"), ("ben", "dress", "Bag")]
    everything = [
        found("Sandal", name="1.jpg", sha256="dress"),
        found("Sandal", name="2.jpg", sha256="open"),
        found("Sandal", name="3.jpg", sha256="none"),
        found("Sandal", customer="ben", name="4.jpg", sha256="coat"),
        found("Sandal", customer="ben", name="5.jpg", sha256="dress"),
    ]
    new = write(filled, *everything, weights=NEW, reclassify=True)
    with filled.writing() as connection:
        assert finish_reclassifying(connection, new) == 0
    assert [row[2] for row in seen(filled)] == ["Bag", "Sandal", "Sandal", "uncertain", "Bag"]


def test_a_photo_the_weights_have_not_judged_yet_counts_as_its_person_says(filled):
    write(filled, found("Coat", name="6.jpg", sha256="new"), weights=NEW, reclassify=True)
    assert store.customers(filled)[FIGURES].to_numpy().tolist()[0] == [4, 1, 1, 1, 1]
    correct(filled, {"new": BAG}, NOW)
    assert ("anna", "new", "Bag") in seen(filled)
    assert store.customers(filled)[FIGURES].to_numpy().tolist()[0] == [4, 2, 1, 1, 0]
    assert store.corrections(filled)["network"].tolist() == [None]


def test_forgetting_a_customer_takes_the_labels_of_images_nobody_else_posted(filled):
    correct(filled, {"dress": BAG, "open": BAG}, NOW)
    store.forget(filled, "anna")
    assert store.corrections(filled)["sha256"].tolist() == ["dress"]


def test_a_profile_from_the_database_counts_as_persons_say(photos, db):
    collect([photos], db, weights=FakeClassifier())
    shas = store.sightings(db).set_index("category")["sha256"]
    correct(db, {shas["Bag"]: Label(("Coat",)), shas["Coat"]: OUTSIDE}, NOW)
    for weights in (FakeClassifier(), Other()):  # also where other weights judge the rest
        with remembered(db, weights) as memory:
            anna, ben = profile([photos], weights=weights, memory=memory).customers
        rest = "Dress" if weights.name == "fake" else "Bag"
        assert {c.category: c.count for c in anna.ranked} == {rest: 2, "Coat": 1}
        assert (ben.ranked, len(ben.verdicts("outside"))) == ((), 1)


# --- the list ------------------------------------------------------------------------------------


def test_the_list_of_corrections(filled):
    later = datetime(2026, 11, 22, tzinfo=UTC)
    correct(filled, {"dress": Label(("Bag", "Coat"))}, NOW)
    correct(filled, {"open": OUTSIDE}, later)
    frame = store.corrections(filled)
    assert frame.to_numpy().tolist() == [
        ["photos/anna/1.jpg", "anna", "Bag|Coat", "Dress", NOW, "dress"],
        ["photos/anna/2.jpg", "anna", "outside", "uncertain", later, "open"],
    ]
    empty = store.corrections(filled).iloc[:0].dtypes.to_dict()
    correct(filled, {"dress": None, "open": None}, NOW)
    assert store.corrections(filled).dtypes.to_dict() == empty
