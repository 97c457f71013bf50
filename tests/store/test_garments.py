"""Photos with several garments in a database: counted, recalled, corrected, and how they look."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories.databases import content
from tests.factories.photos import photo_result
from tests.factories.stored import NEW, NOW, OLD, found, write
from trendscope import store
from trendscope.categories import CATEGORIES
from trendscope.feeds.post import Post
from trendscope.photos.results import Garment, Label
from trendscope.photos.summary import summarise
from trendscope.store.counts import census
from trendscope.store.database import open_store
from trendscope.store.labels import correct, corrections, labels_of
from trendscope.store.listing import find_customers, unlabelled
from trendscope.store.memory import StoredPhotos
from trendscope.store.profile import stored_profile
from trendscope.trends.counts import photo_counts, sightings

DRESS_BOX, BAG_BOX, COAT_BOX = (0, 0, 9, 9), (1, 1, 5, 5), (2, 2, 8, 8)


def vector(*numbers):
    return np.array(numbers, "<f4").tobytes()


def probabilities(best, p):
    """As float32 gives them back."""
    p, rest = float(np.float32(p)), float(np.float32(0.01))
    return ((best, p), *((name, rest) for name in CATEGORIES if name != best))


def garment(category, confidence, box, *embedding):
    embedding = vector(*embedding) if embedding else None
    return Garment(category, confidence, box, probabilities(category, confidence), 0.1, embedding)


def outfit(name="1.jpg", **more):
    """A dress and a bag, and what may be a coat."""
    dress, bag = garment("Dress", 0.75, DRESS_BOX, 1, 0), garment("Bag", 0.875, BAG_BOX, 0, 1)
    values = {
        "garments": (dress, bag),
        "candidates": (garment("Coat", 0.25, COAT_BOX, 1, 1),),
        "probabilities": bag.probabilities,
        "outside": 0.1,
        "embedding": bag.embedding,
        "size": (30, 40),
        **more,
    }
    return found(name=name, **values)


def embeddings(opened):
    rows = store.sightings(opened, vectors=True)
    return dict(zip(rows["category"], rows["embedding"], strict=True))


def test_each_garment_has_its_own_embedding(opened):
    write(opened, outfit())
    assert embeddings(opened) == {"Dress": vector(1, 0), "Bag": vector(0, 1)}


def test_garments_without_an_embedding_look_like_their_photo(opened):
    two = (Garment("Dress", 0.8, DRESS_BOX), Garment("Bag", 0.7, BAG_BOX))
    write(opened, found(garments=two, embedding=vector(3)))
    assert embeddings(opened) == {"Dress": vector(3), "Bag": vector(3)}


def test_recalled_results_are_those_of_the_scan(opened):
    stamp, result = outfit()
    weights_id = write(opened, (stamp, result))
    post = Post("anna", "1.jpg", None, "none", result.source, lambda: b"")
    recalled = StoredPhotos(opened, weights_id).by_bytes(post, result.sha256)
    kept = {name: getattr(result, name) for name in ("verdict", "probabilities", "outside", "size")}
    assert kept == {name: getattr(recalled, name) for name in kept}
    bare = tuple(replace(each, embedding=None) for each in result.garments)
    assert recalled.garments == bare
    candidates = [(each.category, each.confidence, each.box) for each in recalled.candidates]
    assert candidates == [("Coat", 0.25, COAT_BOX)]


def test_stored_profiles_and_lists_have_candidates_and_sizes(opened):
    unsure = (garment("Coat", 0.25, COAT_BOX), garment("Shirt", 0.125, None))
    write(
        opened,
        outfit(),
        found(None, name="2.jpg", verdict="uncertain", candidates=unsure, size=(9, 8)),
        found(None, name="3.jpg", verdict="uncertain"),
    )
    one, two, three = stored_profile(opened, "anna").readings
    assert [g.category for g in one.candidates] == ["Coat"] and one.size == (30, 40)
    assert [(g.category, g.confidence, g.box) for g in two.candidates] == [
        ("Coat", 0.25, COAT_BOX),
        ("Shirt", 0.125, None),
    ]
    assert (three.candidates, three.size) == ((), None)
    images, total = unlabelled(opened)
    assert total == 2
    of_image = {each.sha256: each for each in images}
    assert of_image["anna-2.jpg"].candidates == two.candidates
    assert of_image["anna-2.jpg"].size == (9, 8)


def test_candidates_and_embeddings_are_written_once_for_each_weights(opened, db):
    write(opened, outfit())
    before = content(db)
    assert len(before["embeddings"]) == 3
    write(opened, outfit())
    assert content(db) == before
    write(opened, outfit(candidates=()), weights=NEW, reclassify=True)
    assert len(content(db)["embeddings"]) == 5
    write(opened, outfit(), weights=OLD)
    assert len(content(db)["embeddings"]) == 5


def test_an_embedding_that_is_the_photos_is_kept_once(opened, db):
    same = garment("Coat", 0.25, COAT_BOX, 4), garment("Shirt", 0.125, COAT_BOX, 4)
    write(opened, found(None, verdict="uncertain", candidates=same, embedding=vector(4)))
    assert len(content(db)["embeddings"]) == 1
    correct(opened, {"anna-1.jpg": Label(("Shirt",), boxes=(COAT_BOX,))}, NOW)
    assert embeddings(opened) == {"Shirt": vector(4)}


def test_images_of_earlier_versions_get_their_size_once_they_are_judged_anew(opened):
    write(opened, outfit(size=None))
    assert stored_profile(opened, "anna").readings[0].size is None
    write(opened, outfit(), weights=NEW, reclassify=True)
    assert stored_profile(opened, "anna").readings[0].size == (30, 40)


# --- corrections ---------------------------------------------------------------------------------


def boxes(opened):
    rows = store.sightings(opened).set_index("category")[["x0", "y0", "x1", "y1"]]
    return {
        name: None if row.isna().any() else tuple(map(int, row)) for name, row in rows.iterrows()
    }


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (
            Label(("Pullover", "Bag", "Coat"), boxes=(DRESS_BOX, None, COAT_BOX)),
            {
                "Pullover": (DRESS_BOX, vector(1, 0)),  # a wrong name
                "Bag": (None, vector(0, 1)),  # found by its name
                "Coat": (COAT_BOX, vector(1, 1)),  # a candidate
            },
        ),
        (
            Label(("Sandal", "Bag"), boxes=(None, BAG_BOX)),
            {"Sandal": (None, vector(1, 0)), "Bag": (BAG_BOX, vector(0, 1))},
        ),
        (Label(("Bag",)), {"Bag": (DRESS_BOX, vector(0, 1))}),
    ],
)
def test_corrected_garments_have_a_box_and_an_embedding(opened, label, expected):
    write(opened, outfit())
    assert correct(opened, {"anna-1.jpg": label}, NOW) == {"anna-1.jpg": None}
    named, looks = boxes(opened), embeddings(opened)
    assert {name: (named[name], looks[name]) for name in named} == expected
    in_memory = outfit()[1].labelled(label).garments
    assert {each.category: each.box for each in in_memory} == named
    own = {each.category: each.embedding for each in in_memory if each.category != "Sandal"}
    assert own == {name: looks[name] for name in own}
    with opened.reading() as connection:
        assert labels_of(connection) == {"anna-1.jpg": label}


def test_boxes_of_a_correction_outlive_new_weights(opened):
    write(opened, outfit())
    correct(opened, {"anna-1.jpg": Label(("Coat",), boxes=(COAT_BOX,))}, NOW)
    write(opened, outfit(garments=(), verdict="outside"), weights=NEW, reclassify=True)
    assert boxes(opened) == {"Coat": COAT_BOX}


def test_a_label_of_the_same_categories_keeps_the_boxes(opened):
    write(opened, outfit())
    placed = Label(("Bag", "Coat"), boxes=(BAG_BOX, None))
    correct(opened, {"anna-1.jpg": placed}, NOW)
    correct(opened, {"anna-1.jpg": Label(("Coat", "Bag"))}, NOW)
    with opened.reading() as connection:
        assert labels_of(connection) == {"anna-1.jpg": placed}
    correct(opened, {"anna-1.jpg": Label(("Coat",))}, NOW)
    with opened.reading() as connection:
        assert labels_of(connection) == {"anna-1.jpg": Label(("Coat",))}


def test_listed_corrections_name_all_that_the_network_saw(opened):
    write(opened, outfit())
    correct(opened, {"anna-1.jpg": Label(("Bag",))}, NOW)
    assert corrections(opened)[["category", "network"]].to_numpy().tolist() == [
        ["Bag", "Dress|Bag"]
    ]


# --- counts --------------------------------------------------------------------------------------

outfits = st.lists(
    st.tuples(
        st.sampled_from(["anna", "ben"]),
        st.integers(0, 9),
        st.lists(st.sampled_from(CATEGORIES), max_size=4),
        st.sampled_from(["uncertain", "outside"]),
    ),
    max_size=12,
)


def worn(customer, number, categories, reason):
    name = f"{number}.jpg"
    garments = tuple(Garment(category, 0.8, (0, 0, 9, 9)) for category in categories)
    verdict = "classified" if categories else reason
    return found(None, customer, name, (2026, 3, 1 + number), verdict=verdict, garments=garments)


@settings(max_examples=25)
@given(outfits)
def test_figures_add_up_however_many_garments_photos_show(tmp_path_factory, photos):
    by_place = {each[:2]: each for each in photos}
    results = [worn(*each) for each in by_place.values()]
    path = tmp_path_factory.mktemp("law") / "t.db"
    with open_store(path, create=True, now=NOW) as opened:
        write(opened, *results)
        total, rows = store.status(opened), census(opened).rows
        entries, _ = find_customers(opened)
        stored = store.sightings(opened)
    figures = (total.classified, total.uncertain, total.outside)
    assert total.photos == sum(figures) == len(by_place)
    counts = photo_counts(rows)
    assert (counts.classified, counts.uncertain, counts.outside) == figures
    assert counts == photo_counts(sightings(result for _, result in results))
    garments = Counter(name for _, _, names, _ in by_place.values() for name in names)
    assert Counter(stored["category"].dropna()) == garments == Counter(rows["category"].dropna())
    assert sum((Counter(entry.counts) for entry in entries), Counter()) == garments
    for customer in summarise("fake", [result for _, result in results]).customers:
        shares = [category.share for category in customer.categories]
        named = any(result.garments for result in customer.readings)
        assert sum(shares) == pytest.approx(1.0 if named else 0.0)
        assert sum(c.count for c in customer.categories) == sum(
            len(names) for who, _, names, _ in by_place.values() if who == customer.customer
        )


def test_three_garments_count_in_three_categories_and_the_photo_once():
    three = tuple(Garment(name, 0.8, (0, 0, 9, 9)) for name in ("Dress", "Bag", "Sandal"))
    one = photo_result("Dress", name="2.jpg")
    (anna,) = summarise("fake", [photo_result(garments=three), one]).customers
    assert {c.category: (c.count, c.share) for c in anna.ranked} == {
        "Dress": (2, 0.5),
        "Sandal": (1, 0.25),
        "Bag": (1, 0.25),
    }
    assert len(anna.verdicts("classified")) == 2
