"""What counts for single images, and what else the network sees in them."""

from __future__ import annotations

from tests.factories.photos import OUTFIT, outfit
from tests.factories.stored import NOW, found, write
from trendscope.photos.results import Label
from trendscope.store.labels import correct
from trendscope.store.pictures import image_results

FACTS = {name: getattr(outfit(), name) for name in ("size", "garments", "candidates")}


def places(garments):
    return [(garment.category, garment.box) for garment in garments]


def test_garments_count_and_uncertain_ones_are_candidates(opened):
    unsure = {**FACTS, "garments": (), "verdict": "uncertain"}
    write(
        opened,
        found("Shirt", "anna", "1.jpg", sha256="outfit", **FACTS),
        found(None, "anna", "2.jpg", sha256="unsure", **unsure),
    )
    results = image_results(opened, ["outfit", "unsure", "unknown"])
    assert {*results} == {"outfit", "unsure"}
    assert results["outfit"].size == (200, 300)
    assert places(results["outfit"].garments) == places(OUTFIT)
    assert places(results["outfit"].candidates) == [("Sneaker", (80, 270, 120, 298))]
    assert (results["unsure"].verdict, results["unsure"].garments) == ("uncertain", ())
    assert places(results["unsure"].candidates) == [("Sneaker", (80, 270, 120, 298))]


def test_garments_that_a_person_left_out_are_offered_as_candidates(opened):
    write(opened, found("Shirt", "anna", "1.jpg", sha256="outfit", **FACTS))
    shirt, bag, trouser = OUTFIT
    correct(opened, {"outfit": Label(("Coat", "Dress"), boxes=(shirt.box, None))}, NOW)
    result = image_results(opened, ["outfit"])["outfit"]
    assert places(result.garments) == [("Coat", shirt.box), ("Dress", None)]
    assert {garment.confidence for garment in result.garments} == {1.0}
    sneaker = ("Sneaker", (80, 270, 120, 298))
    assert places(result.candidates) == [*places((bag, trouser)), sneaker]
