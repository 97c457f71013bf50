"""Labels by persons: they win in every count, outlive scans and weights, and come from a file."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete
from typer.testing import CliRunner

from tests.factories.classifier import FakeClassifier, Other
from tests.factories.photos import painted, reading
from tests.factories.stored import NEW, NOW, found, write
from trendscope import store
from trendscope.categories import CATEGORIES
from trendscope.cli import app
from trendscope.errors import NothingUsable, StoreError, TrendscopeError
from trendscope.ingest.corrections import correct_from_table
from trendscope.ingest.photos import scan
from trendscope.photos.results import Garment, Label, label_of
from trendscope.photos.run import profile
from trendscope.reports.table_export import export
from trendscope.store import schema
from trendscope.store.database import open_store
from trendscope.store.labels import correct, labels_of
from trendscope.store.memory import stored_photos
from trendscope.store.profile import stored_profile
from trendscope.store.weights import current_weights, finish_reclassifying
from trendscope.store.write_photos import write_results
from trendscope.trends.from_store import trends_of_store

BAG, OUTSIDE, UNCERTAIN = Label(("Bag",)), Label(reason="outside"), Label(reason="uncertain")
FIGURES = ["photos", "classified", "uncertain", "outside", "waiting"]


@pytest.fixture
def opened(db):
    with open_store(db, create=True, now=NOW) as opened_store:
        yield opened_store


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


def rows_seen(opened):
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
def test_label_of_reads_every_kind_of_label(text, label):
    assert label_of(text) == label
    assert label_of(str(label)) == label


@pytest.mark.parametrize("text", ["", "hat", "Coat|", "Coat|outside", "Dress Coat", "\x1b[2J"])
def test_label_of_lists_the_valid_labels(text):
    with pytest.raises(TrendscopeError, match=r"is no label; use T-shirt/top, .*, uncertain") as e:
        label_of(text)
    assert "\x1b" not in str(e.value)


def test_labelled_keeps_the_networks_probabilities():
    before = reading("Dress")
    after = before.labelled(Label(("Bag", "Coat")))
    box = before.garments[0].box
    assert after.garments == (Garment("Bag", 1.0, box), Garment("Coat", 1.0, None))
    assert (after.corrected, after.probabilities) == (True, before.probabilities)
    placed = before.labelled(Label(("Bag", "Coat"), boxes=(None, (1, 2, 3, 4))))
    assert placed.garments == (Garment("Bag", 1.0, None), Garment("Coat", 1.0, (1, 2, 3, 4)))
    none = before.labelled(OUTSIDE)
    assert (none.verdict, none.garments) == ("outside", ())
    assert none.explanation == "none of the ten, says a person"
    assert before.labelled(UNCERTAIN).explanation == "a person could not tell"


# --- counts --------------------------------------------------------------------------------------


def test_labels_replace_sightings_in_every_count(filled):
    correct(filled, {"dress": BAG, "open": Label(("Shirt",)), "coat": OUTSIDE}, NOW)
    assert rows_seen(filled) == [
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
    anna = [row for row in rows_seen(filled) if row[0] == "anna"]
    assert anna == [
        ("anna", "dress", "Bag"),
        ("anna", "dress", "Dress"),
        ("anna", "none", "outside"),
        ("anna", "open", "uncertain"),
    ]
    assert store.customers(filled)[FIGURES].to_numpy().tolist()[0] == [3, 1, 1, 1, 0]
    boxes = store.sightings(filled, "anna").set_index("category").loc[["Dress", "Bag"], "x1"]
    assert boxes.fillna(0).tolist() == [110, 0]


def test_one_label_replaces_several_sightings(opened):
    two = (Garment("Dress", 0.8, (0, 0, 9, 9)), Garment("Bag", 0.7, (1, 1, 5, 5)))
    write(opened, found(sha256="two", garments=two))
    assert [row[2] for row in rows_seen(opened)] == ["Bag", "Dress"]
    correct(opened, {"two": Label(("Coat",))}, NOW)
    assert [row[2] for row in rows_seen(opened)] == ["Coat"]
    assert store.customers(opened)[FIGURES].to_numpy().tolist() == [[1, 1, 0, 0, 0]]


def test_correct_replaces_and_removes_labels(filled):
    before = rows_seen(filled)
    assert correct(filled, {"dress": Label(("Bag", "Coat"))}, NOW) == {"dress": None}
    assert correct(filled, {"dress": OUTSIDE}, NOW) == {"dress": Label(("Bag", "Coat"))}
    assert correct(filled, {"dress": None, "open": None}, NOW) == {"dress": OUTSIDE, "open": None}
    assert rows_seen(filled) == before


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
def test_labels_count_alike_in_the_database_and_in_memory(law, labels):
    """What `seen` decides in SQL is what `PhotoResult.labelled` decides in memory."""
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
    assert rows_seen(opened) == sorted(expected)
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
    with open_store(tmp_path_factory.mktemp("law") / "t.db", create=True) as opened_store:
        write(opened_store, *items)
        yield opened_store, [reading for _, reading in items]


def test_trends_count_labels(opened):
    """Of two who are active in a week, both wear the dress; a person says it is a bag."""
    for name in ("anna", "ben"):
        write(opened, found("Dress", customer=name, day=(2026, 11, 10), sha256=name))
    write(opened, found("Dress", customer="cleo", name="2.jpg", sha256="new"))

    def counts():
        week = trends_of_store(opened, now=NOW).weekly.query("week == '2026-W46'")
        return week.set_index("category")["count"].loc[["Dress", "Bag"]].tolist()

    assert counts() == [2, 0]
    correct(opened, {"ben": Label(("Bag", "Dress")), "anna": BAG}, NOW)
    assert counts() == [1, 2]
    assert trends_of_store(opened, now=NOW).tally.photos == 3
    correct(opened, {"ben": None, "anna": UNCERTAIN}, NOW)
    assert counts() == [1, 0]
    assert store.census(opened).rows["reason"].value_counts()["uncertain"] == 1


# --- what they outlive ---------------------------------------------------------------------------


def test_corrections_outlive_scans_and_new_weights(filled):
    correct(filled, {"dress": BAG, "coat": UNCERTAIN}, NOW)
    write(filled, found("Dress", name="1.jpg", sha256="dress", day=(2026, 3, 2, 9)))
    ours = [row for row in rows_seen(filled) if row[1] in ("dress", "coat")]
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
    assert [row[2] for row in rows_seen(filled)] == ["Bag", "Sandal", "Sandal", "uncertain", "Bag"]


def test_a_labelled_photo_counts_before_the_weights_have_judged_it(filled):
    write(filled, found("Coat", name="6.jpg", sha256="new"), weights=NEW, reclassify=True)
    assert store.customers(filled)[FIGURES].to_numpy().tolist()[0] == [4, 1, 1, 1, 1]
    correct(filled, {"new": BAG}, NOW)
    assert ("anna", "new", "Bag") in rows_seen(filled)
    assert store.customers(filled)[FIGURES].to_numpy().tolist()[0] == [4, 2, 1, 1, 0]
    assert store.corrections(filled)["network"].tolist() == [None]


def test_a_labelled_photo_has_no_probabilities_before_it_is_judged(filled):
    write(filled, found("Coat", name="6.jpg", sha256="new"), weights=NEW, reclassify=True)
    correct(filled, {"new": BAG}, NOW)
    summary = stored_profile(filled, "anna")
    (photo,) = [result for result in summary.readings if result.sha256 == "new"]
    assert [garment.category for garment in photo.garments] == ["Bag"]
    assert (photo.probabilities, photo.outside) == ((), 0.0)


def test_forget_removes_the_labels_of_images_nobody_else_posted(filled):
    correct(filled, {"dress": BAG, "open": BAG}, NOW)
    store.forget(filled, "anna")
    assert store.corrections(filled)["sha256"].tolist() == ["dress"]


def test_stored_profile_counts_labels(photos, db):
    scan([photos], db, weights=FakeClassifier())
    shas = store.sightings(db).set_index("category")["sha256"]
    correct(db, {shas["Bag"]: Label(("Coat",)), shas["Coat"]: OUTSIDE}, NOW)
    for weights in (FakeClassifier(), Other()):  # also where other weights judge the rest
        with stored_photos(db, weights) as memory:
            anna, ben = profile([photos], weights=weights, memory=memory).customers
        rest = "Dress" if weights.name == "fake" else "Bag"
        assert {c.category: c.count for c in anna.ranked} == {rest: 2, "Coat": 1}
        assert (ben.ranked, len(ben.verdicts("outside"))) == ((), 1)


# --- the list ------------------------------------------------------------------------------------


def test_corrections_lists_labels_beside_the_networks_verdicts(filled):
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


# --- from a file ---------------------------------------------------------------------------------


@pytest.fixture
def scanned(photos, db):
    scan([photos], db, weights=FakeClassifier())
    return db


def categories(db):
    """What is counted of each photo, by its file's name."""
    rows = store.sightings(db)
    labels = rows["category"].astype(object).fillna(rows["reason"])
    return {Path(f).name: what for f, what in zip(rows["source"], labels, strict=True)}


def write_table(path, *lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_correct_from_table_labels_photos_by_path_or_digest_and_removes_labels(
    scanned, photos, tmp_path
):
    coat = store.sightings(scanned, "ben")["sha256"][0]
    table = write_table(
        photos / "mine.csv",
        "file,sha256,category",
        "anna/bag.png,,coat",
        f"{photos}/anna/IMG_20260302_090000.png,,outside",
        f",{coat.upper()},Coat|Bag",
        "anna/IMG_20260330_090000.png,,",
    )
    result = correct_from_table(table, scanned, now=NOW)
    assert (result.photos, result.changed, result.refused) == (3, 3, ())
    expected = {
        "bag.png": "Coat",
        "IMG_20260302_090000.png": "outside",
        "IMG_20260330_090000.png": "Dress",
    }
    got = categories(scanned)
    assert {name: got[name] for name in expected} == expected
    assert sorted(store.sightings(scanned, "ben")["category"]) == ["Bag", "Coat"]
    assert correct_from_table(table, scanned, now=NOW).changed == 0
    table.write_text(f"Labels of November\n\n{table.read_text()}")
    again = correct_from_table(table, scanned, now=NOW, remove=True)
    assert (again.photos, again.changed) == (4, 3)
    assert store.corrections(scanned).empty


def test_unusable_rows_are_reported_and_the_others_are_used(scanned, photos):
    table = write_table(
        photos / "mine.csv",
        "File;Customer;Category",
        "anna/bag.png;anna;Coat",
        "anna/bag.png;ben;Coat",
        "anna/nowhere.png;;Coat",
        "ben/coat.png;;cap",
        ";;Coat",
        "anna/IMG_20260330_090000.png;;Coat",
        "anna/IMG_20260330_090000.png;;Bag",
    )
    result = correct_from_table(table, scanned, now=NOW)
    assert result.photos == 1
    assert [item.row for item in result.refused] == [3, 4, 5, 6, 7, 8]
    reasons = " ".join(item.reason for item in result.refused)
    for part in ("knows no photo anna/nowhere.png", "'cap' is no label", "names no photo"):
        assert part in reasons
    assert reasons.count("rows 7, 8 say different things of one photo") == 2
    assert categories(scanned)["IMG_20260330_090000.png"] == "Dress"


def test_a_path_shared_by_two_photos_needs_the_customer(scanned, photos, tmp_path):
    with open_store(scanned) as opened_store:
        for who in ("cleo", "dora"):
            write_current(opened_store, found("Bag", customer=who, name="x.jpg", source="x.jpg"))
    path = tmp_path / "t.csv"
    with pytest.raises(NothingUsable, match=r"row 2: x\.jpg stands for several photos; add"):
        correct_from_table(write_table(path, "file,category", "x.jpg,Coat"), scanned, now=NOW)
    named = write_table(path, "file,category,customer", "x.jpg,Coat,dora")
    assert correct_from_table(named, scanned, now=NOW).photos == 1
    assert store.sightings(scanned, "cleo")["category"].tolist() == ["Bag"]
    assert store.sightings(scanned, "dora")["category"].tolist() == ["Coat"]


def write_current(opened, *items):
    with opened.writing() as connection:
        weights_id, _ = current_weights(connection)
        write_results(connection, weights_id, items)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("category\nDress\n", "a column sha256 or file must say which photo"),
        ("file\nx\n", "the table has no column 'category'"),
        ("file,category\n", "no row could be used$"),
        ("file,category\nx.jpg,\n", "no row could be used$"),
    ],
)
def test_tables_without_a_required_column_are_refused(scanned, tmp_path, text, message):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(TrendscopeError, match=message):
        correct_from_table(path, scanned, now=NOW)


def test_the_correct_command(photos, tmp_path):
    db = str(tmp_path / "t.db")
    scan([photos], db, weights=FakeClassifier())
    table = write_table(photos / "t.csv", "file,category", "ben/coat.png,Bag", "none.png,Bag")
    done = CliRunner().invoke(app, ["correct", str(table), "--db", db])
    assert (done.exit_code, done.stdout) == (0, "1 photo labelled by a person; 1 new.\n")
    assert "trendscope: row 3 not used: the database knows no photo none.png" in done.stderr
    write_table(photos / "u.csv", "Labels\n\nfile,category", "ben/coat.png,Bag", "", "none.png,Bag")
    titled = CliRunner().invoke(app, ["correct", str(photos / "u.csv"), "--db", db])
    assert (titled.exit_code, titled.stdout) == (0, "1 photo labelled by a person; 0 new.\n")
    assert "trendscope: row 6 not used: the database knows no photo none.png" in titled.stderr
    done = CliRunner().invoke(app, ["correct", str(table), "--db", db, "--json", "--strict"])
    assert done.exit_code == 4
    assert json.loads(done.stdout) == {
        "schema_version": 1,
        "database": db,
        "photos": 1,
        "changed": 0,
        "refused": [
            {"row": 3, "reason": "the database knows no photo none.png; scan it first"},
        ],
    }
    write_table(photos / "t.csv", "file,category", "none.png,Bag")
    done = CliRunner().invoke(app, ["correct", str(table), "--db", db])
    assert done.exit_code == 3 and "no row could be used; row 2:" in done.stderr


def test_corrections_csv_is_read_by_training_and_by_correct(tmp_path):
    photos = pytest.importorskip("training.data.photos")
    folder = tmp_path / "customers"
    (folder / "anna").mkdir(parents=True)
    for name in ("Dress", "Bag", "Coat", "Shirt"):
        (folder / "anna" / f"{name}.png").write_bytes(painted(name))
    with zipfile.ZipFile(folder / "ben.zip", "w") as archive:
        archive.writestr("album/sandal.png", painted("Sandal"))
    db = str(tmp_path / "t.db")
    scan([folder], db, weights=FakeClassifier())
    shas = store.sightings(db).set_index("category")["sha256"]
    labels = {
        shas["Dress"]: Label(("Dress", "Bag")),
        shas["Bag"]: OUTSIDE,
        shas["Coat"]: UNCERTAIN,
        shas["Sandal"]: Label(("Sneaker",)),
    }
    correct(db, labels, NOW)
    export(db, tmp_path / "tables", now=NOW)
    path = tmp_path / "tables" / "corrections.csv"
    table = photos.read_table(path)
    rows = {Path(row.file).name: (row.customer, row.category) for row in table.itertuples()}
    assert rows == {
        "Bag.png": ("anna", ""),
        "Dress.png": ("anna", "Dress|Bag"),
        "sandal.png": ("album", "Sneaker"),
    }
    other = str(tmp_path / "other.db")
    scan([folder], other, weights=FakeClassifier())
    assert correct_from_table(path, other, now=NOW).photos == 4
    assert store.corrections(other).equals(store.corrections(db))
