"""Scans into a store: nothing twice, nothing lost, whatever comes in between."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.numpy import save_file

from tests.factories.classifier import PALETTE, FakeClassifier, Other
from tests.factories.databases import content
from tests.factories.photos import painted
from trendscope import store
from trendscope.categories import CATEGORIES
from trendscope.errors import FeedError, StoreError, WeightsError
from trendscope.feeds.dispatch import open_feed
from trendscope.ingest.photos import scan
from trendscope.limits import Limits
from trendscope.photos import pipeline
from trendscope.photos.pseudonyms import Pseudonyms
from trendscope.photos.run import profile
from trendscope.store.memory import StoredPhotos, stored_photos
from trendscope.store.write_photos import ScanCounts
from trendscope.vision.sandbox import Decoder
from trendscope.vision.weights import Architecture, Header, WeightsIdentity, identify


def run(photos, db, **options):
    return scan([photos], db, **{"weights": FakeClassifier(), **options})


def tally(photos, db, **options):
    result = run(photos, db, **options).tally
    return result.judged, result.recognised, result.unchanged, result.skipped


# --- what is done, and what is not done again ----------------------------------------------------


def test_a_scan_stores_results_and_skipped_files(photos, db):
    result = run(photos, db)
    assert result.tally == ScanCounts(judged=4, skipped=1)
    assert (result.weights, result.skipped, result.missing) == ("fake", {"decoder_error": 1}, 0)
    frame = store.sightings(db, vectors=True)
    assert frame[["customer", "category"]].to_numpy().tolist() == [
        ["anna", "Dress"],
        ["anna", "Dress"],
        ["anna", "Bag"],
        ["ben", "Coat"],
    ]
    assert frame["posted_at"][0] == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert frame["source"][3] == str(photos / "ben" / "coat.png")
    embedding = np.frombuffer(frame["embedding"][0], "<f4")
    np.testing.assert_allclose(embedding, [*PALETTE[CATEGORIES.index("Dress")], 50], atol=2)
    assert store.skips(db)["source"].tolist() == [str(photos / "anna" / "broken.jpg")]
    last = store.status(db).last_scan
    assert (last.judged, last.skipped) == (4, 1) and last.finished_at is not None


def test_thumbnails_are_kept_unless_declined(photos, db, tmp_path):
    run(photos / "anna", db)
    run(photos / "ben", db, thumbnails=False)
    digests = store.sightings(db)["sha256"].tolist()
    kept = store.thumbnails(db, digests)
    assert len(kept) == 3
    for jpeg in kept.values():
        assert jpeg[:3] == b"\xff\xd8\xff"
        assert max(Image.open(io.BytesIO(jpeg)).size) <= 128


def unreadable(monkeypatch):
    def refuse(*_):
        raise AssertionError("an unchanged file was read")

    monkeypatch.setattr("trendscope.files.trees.FolderTree.read", refuse)
    monkeypatch.setattr("trendscope.files.zips.ZipTree.read", refuse)


def test_a_second_scan_reads_no_file_and_changes_nothing(photos, db, monkeypatch):
    with zipfile.ZipFile(photos / "cleo.zip", "w") as archive:
        archive.writestr("a.png", painted("Sandal"))
        archive.writestr("broken.png", b"\x89PNG\r\n\x1a\n")
    assert tally(photos, db) == (5, 0, 0, 2)
    before = content(db)
    unreadable(monkeypatch)
    assert tally(photos, db) == (0, 0, 5, 2)
    monkeypatch.chdir(photos.parent)
    assert tally(Path("photos"), db) == (0, 0, 5, 2)
    assert tally(Path("photos/../photos/"), db) == (0, 0, 5, 2)
    assert content(db) == before
    assert store.status(db).scans == 4


def test_scan_judges_only_new_photos(photos, db):
    run(photos, db)
    (photos / "ben" / "new.png").write_bytes(painted("Sneaker"))
    classifier = FakeClassifier()
    assert tally(photos, db, weights=classifier) == (1, 0, 4, 1)
    assert classifier.batches == [1]


def test_a_moved_photo_is_read_but_not_judged(photos, db):
    run(photos, db)
    shutil.move(photos / "anna", photos / "anna2")
    classifier = FakeClassifier()
    assert tally(photos, db, weights=classifier) == (0, 3, 1, 1)
    assert classifier.batches == []
    frame = store.customers(db)
    assert frame["photos"].tolist() == [3, 3, 1]


@pytest.mark.parametrize("same_size", [True, False])
def test_a_replaced_photo_is_judged_again(photos, db, same_size):
    path = photos / "ben" / "coat.png"
    run(photos, db)
    size, data = path.stat().st_size, painted("Sandal")
    path.write_bytes(data.ljust(size, b"\0") if same_size else data)
    assert tally(photos, db) == (1, 0, 3, 1)
    assert store.sightings(db, "ben")["category"].tolist() == ["Sandal"]


def test_a_touched_photo_is_read_but_not_judged(photos, db):
    run(photos, db)
    os.utime(photos / "ben" / "coat.png", ns=(1, 1))
    assert tally(photos, db) == (0, 1, 3, 1)
    assert tally(photos, db) == (0, 0, 4, 1)


def test_scan_updates_dates_that_changed_in_the_export(tmp_path, db, monkeypatch):
    name = "media/posts/202609/17850000000000001.png"
    index = tmp_path / "instagram-ann-2026" / "your_instagram_activity/media/posts_1.json"
    for path, data in ((index, b""), (tmp_path / "instagram-ann-2026" / name, painted("Bag"))):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def posted(day):
        stamp = datetime(2026, 9, day, tzinfo=UTC).timestamp()
        index.write_text(json.dumps([{"media": [{"uri": name, "creation_timestamp": stamp}]}]))
        return tally(index.parents[2], db)

    assert posted(1) == (1, 0, 0, 0)
    monkeypatch.setattr("trendscope.vision.sandbox.Decoder.decode", None)
    assert posted(2) == (0, 1, 0, 0)
    assert store.sightings(db)["posted_at"].tolist() == [datetime(2026, 9, 2, tzinfo=UTC)]
    assert posted(2) == (0, 0, 1, 0)


def test_refused_files_are_tried_again_only_after_they_change(photos, db, monkeypatch):
    run(photos, db)
    decodings = []
    monkeypatch.setattr(Decoder, "decode", lambda self, data, edge: decodings.append(data))
    run(photos, db)
    assert decodings == []  # the same file, the same version
    monkeypatch.undo()
    (photos / "anna" / "broken.jpg").write_bytes(painted("Bag", (99, 99)))
    assert tally(photos, db) == (1, 0, 4, 0)
    assert store.skips(db).empty


def test_a_newer_version_tries_refused_files_again(photos, db, monkeypatch):
    monkeypatch.setattr("trendscope.store.memory.VERSION", "0.0.0")
    run(photos, db)
    monkeypatch.undo()
    decodings = decoded(monkeypatch)
    assert tally(photos, db) == (0, 0, 4, 1)
    assert decodings == [1]


def decoded(monkeypatch):
    """A list that gets a 1 for every photo that is decoded."""
    decodings, real = [], Decoder.decode
    monkeypatch.setattr(Decoder, "decode", lambda *a, **k: decodings.append(1) or real(*a, **k))
    return decodings


def test_other_limits_try_only_refused_files_again(photos, db, monkeypatch):
    (photos / "ben" / "wide.png").write_bytes(painted("Bag", (400, 400)))
    strict = Limits(pixels=100_000)
    assert tally(photos, db, limits=strict) == (4, 0, 0, 2)
    decodings = decoded(monkeypatch)
    assert tally(photos, db, limits=strict) == (0, 0, 4, 2)
    assert decodings == []
    assert tally(photos, db) == (1, 0, 4, 1)
    assert decodings == [1, 1]


def test_files_without_read_permission_are_tried_again(photos, db, monkeypatch):
    from trendscope.errors import ImageError

    def closed(*_):
        raise ImageError("unreadable", "the file cannot be read (permission denied)")

    with monkeypatch.context() as patch:
        patch.setattr("trendscope.files.trees.read_file", closed)
        assert tally(photos, db) == (0, 0, 0, 5)
    assert tally(photos, db) == (4, 0, 0, 1)


def test_a_photo_that_comes_twice_in_a_scan_is_stored_once(photos, db):
    first = photos / "anna" / "bag.png"
    result = scan([first, first, photos / "anna"], db, weights=FakeClassifier())
    assert result.tally.photos == 5
    assert store.customers(db)[["photos", "doubles"]].to_numpy().tolist() == [[3, 0]]


def test_scan_of_a_missing_path_creates_no_database(tmp_path):
    with pytest.raises(FeedError, match="nowhere"):
        run(tmp_path / "nowhere", tmp_path / "t.db")
    with pytest.raises(WeightsError, match="no weights at nonesuch"):
        run(tmp_path, tmp_path / "t.db", weights="nonesuch")
    assert list(tmp_path.iterdir()) == []


def test_progress_ends_with_all_items_done(photos, db):
    for i in range(100):
        (photos / "ben" / f"{i}.png").write_bytes(painted("Coat", (20 + i, 20)))
    for _ in range(2):
        reports = []
        run(photos, db, progress=lambda *n: reports.append(n))  # noqa: B023
        assert reports[-1] == (105, 105)
        assert [done for done, _ in reports] == sorted(done for done, _ in reports)
        assert {total for _, total in reports} == {105}
        assert len(reports) < 10


def test_progress_is_reported_while_a_large_feed_is_listed(photos, db, monkeypatch):
    monkeypatch.setattr("trendscope.photos.run.PROGRESS_EVERY", 2)
    reports = []
    run(photos, db, progress=lambda *n: reports.append(n))
    assert reports == [(0, 2), (0, 4), (5, 5), (5, 5)]  # after the only batch, and at the end


@pytest.mark.parametrize("progress", [None, lambda done, total: None])
def test_a_feed_is_listed_once(photos, tmp_path, monkeypatch, progress):
    listed = []

    def counting(*arguments, **options):
        items = open_feed(*arguments, **options)  # looks for missing paths at once
        return (listed.append(item.source) or item for item in items)

    monkeypatch.setattr("trendscope.photos.run.open_feed", counting)
    run(photos, tmp_path / "t.db", progress=progress)
    assert len(listed) == len(set(listed)) == 5


def dropped_and_doubled(monkeypatch):
    """The engine loses its second result and gives its third one twice."""

    def broken(*arguments, **options):
        for number, pair in enumerate(pipeline.classify_keyed(*arguments, **options), start=1):
            yield from {2: [], 3: [pair, pair]}.get(number, [pair])

    monkeypatch.setattr("trendscope.ingest.photos.classify_keyed", broken)


def test_results_that_are_dropped_or_repeated_keep_their_own_stamp(
    photos, db, tmp_path, monkeypatch
):
    (photos / "anna" / "broken.jpg").unlink()
    with monkeypatch.context() as patch:
        dropped_and_doubled(patch)
        run(photos, db)
    frame = store.sightings(db)
    assert {
        Path(source).name: category for source, category in frame[["source", "category"]].to_numpy()
    } == {
        "IMG_20260302_090000.png": "Dress",
        "bag.png": "Bag",
        "coat.png": "Coat",
    }
    assert tally(photos, db) == (1, 0, 3, 0)  # only the lost one is new to the store
    run(photos, tmp_path / "whole.db")
    assert content(db)["photos"] == content(tmp_path / "whole.db")["photos"]


def test_recalled_results_are_marked_as_such(photos, db, monkeypatch):
    run(photos, db)
    by_bytes = StoredPhotos.by_bytes

    def with_embedding(self, post, sha256):
        result = by_bytes(self, post, sha256)
        return result and replace(result, embedding=b"\0" * 16)

    monkeypatch.setattr(StoredPhotos, "by_bytes", with_embedding)
    shutil.move(photos / "anna", photos / "anna2")
    assert tally(photos, db) == (0, 3, 1, 1)
    with stored_photos(db, FakeClassifier()) as memory:
        stored = profile([photos], weights=FakeClassifier(), memory=memory)
    assert {result.recalled for result in stored.readings} == {True}
    fresh = profile([photos], weights=FakeClassifier())
    assert {result.recalled for result in fresh.readings} == {False}


def test_names_that_differ_only_in_bytes_stay_apart(tmp_path, db):
    folder = tmp_path / "anna"
    folder.mkdir()
    names = [
        b"a\xff.png",
        b"a\\udcff.png",
        b"a\n.png",
        b"a\\n.png",
        "é.png".encode(),
        b"e\xcc\x81.png",
    ]
    for name, category in zip(names, CATEGORIES, strict=False):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(painted(category))
    assert tally(folder, db) == (6, 0, 0, 0)
    assert tally(folder, db) == (0, 0, 6, 0)
    assert len(content(db)["photos"]) == 6


# --- whose they are -------------------------------------------------------------------------------


def wardrobe(folder, *categories):
    folder.mkdir(parents=True)
    for number, category in enumerate(categories):
        (folder / f"{number}.png").write_bytes(painted(category))
    return folder


def photos_by_customer(db):
    """Customers and how many photos they have."""
    frame = store.customers(db)
    return dict(zip(frame["customer"], frame["photos"].tolist(), strict=True))


def test_customers_of_one_name_stay_apart_across_scans(tmp_path, db):
    north = wardrobe(tmp_path / "north" / "ann", "Bag", "Coat")
    south = wardrobe(tmp_path / "south" / "ann", "Dress")
    assert run(north, db).namesakes == ()
    assert run(south, db).namesakes == ("ann (2)",)
    assert photos_by_customer(db) == {"ann": 2, "ann (2)": 1}
    before = content(db)
    for paths in ([south], [north], [south, north]):
        result = scan(paths, db, weights=FakeClassifier())
        assert (result.tally.judged + result.tally.recognised, result.namesakes) == (0, ())
    assert content(db) == before


def test_profile_names_customers_as_the_database_does(tmp_path, db):
    north = wardrobe(tmp_path / "north" / "ann", "Bag")
    south = wardrobe(tmp_path / "south" / "ann", "Dress")
    scan([north, south], db, weights=FakeClassifier())
    pseudonyms = Pseudonyms(b"a key of sixteen")
    with stored_photos(db, FakeClassifier()) as memory:
        (alone,) = profile([south], weights=FakeClassifier(), memory=memory).customers
        hidden = profile(
            [south], weights=FakeClassifier(), memory=memory, pseudonyms=pseudonyms
        ).customers
    assert alone.customer == "ann (2)"
    assert hidden[0].customer == pseudonyms.name("ann (2)") != pseudonyms.name("ann")


def test_exports_of_one_account_belong_to_one_customer_wherever_they_are(tmp_path, db):
    for name, category in (("a", "Bag"), ("b", "Coat")):
        media = f"media/posts/202609/1785000000000000{ord(name)}.png"
        index = [{"media": [{"uri": media, "creation_timestamp": 1_790_000_000}]}]
        with zipfile.ZipFile(tmp_path / f"instagram-ann-2026-11-16-{name}.zip", "w") as archive:
            archive.writestr(media, painted(category))
            archive.writestr("your_instagram_activity/media/posts_1.json", json.dumps(index))
    wardrobe(tmp_path / "phone" / "ann", "Dress")
    for path in sorted(tmp_path.glob("*.zip")):
        assert run(path, db).namesakes == ()
    run(tmp_path / "phone" / "ann", db)
    assert photos_by_customer(db) == {"ann": 2, "ann (2)": 1}
    assert [row[1] for row in content(db)["accounts"] if row[0] == "ann"] == ["instagram:ann"]


def test_one_per_name_joins_folders_of_one_name_permanently(tmp_path, db):
    old = wardrobe(tmp_path / "week46" / "ann", "Bag")
    new = wardrobe(tmp_path / "week47" / "ann", "Coat", "Dress")
    run(old, db)
    assert run(new, db, one_per_name=True).namesakes == ()
    assert run(new, db).tally.unchanged == 2  # remembered
    assert photos_by_customer(db) == {"ann": 3}


def test_a_customer_option_names_the_stored_customer(tmp_path, db):
    run(wardrobe(tmp_path / "north" / "ann", "Bag"), db)
    run(wardrobe(tmp_path / "inbox", "Coat"), db, customer="ann")
    assert photos_by_customer(db) == {"ann": 2}
    run(tmp_path / "inbox", db)
    assert photos_by_customer(db) == {"ann": 2, "inbox": 1}  # the option holds for its own scan


def test_a_scan_stops_if_another_scan_takes_its_customers_name(tmp_path, db):
    north = wardrobe(tmp_path / "north" / "ann", "Bag")
    south = wardrobe(tmp_path / "south" / "ann", "Coat")

    class Slow(FakeClassifier):
        """While it judges, another scan is done."""

        def predict(self, crops):
            run(north, db)
            return super().predict(crops)

    with pytest.raises(StoreError, match=r"another customer 'ann'.*run it again to go on"):
        run(south, db, weights=Slow())
    assert photos_by_customer(db) == {"ann": 1}
    run(south, db)
    assert photos_by_customer(db) == {"ann": 1, "ann (2)": 1}


def test_profile_recognises_reposts_among_stored_results(tmp_path, db):
    folder = tmp_path / "ann"
    folder.mkdir()
    with Image.open(io.BytesIO(painted("Bag", (600, 800)))) as picture:
        picture.save(folder / "a.png")
        picture.resize((300, 400)).save(folder / "b.jpg", quality=80)
    run(folder, db)
    fresh = profile([folder], weights=FakeClassifier())
    with stored_photos(db, FakeClassifier()) as memory:
        from_memory = profile([folder], weights=FakeClassifier(), memory=memory)
    assert [item.reason for item in from_memory.skipped] == ["repost"]
    assert from_memory.skipped == fresh.skipped


def test_a_camera_without_a_zone_is_dated_by_the_zone_of_the_run(tmp_path, db):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:06:01 12:00:00"
    (tmp_path / "ann").mkdir()
    path = tmp_path / "ann" / "a.jpg"
    path.write_bytes(painted("Bag", kind="JPEG", exif=exif))
    for zone, hour in ((UTC, 12), (ZoneInfo("Europe/Berlin"), 10), (UTC, 12)):
        run(path, db, zone=zone)
        assert store.sightings(db)["posted_at"].tolist() == [datetime(2026, 6, 1, hour, tzinfo=UTC)]


# --- order, batches and threads ------------------------------------------------------------------


@pytest.fixture(scope="module")
def wardrobes(tmp_path_factory):
    root = tmp_path_factory.mktemp("wardrobes")
    for i in range(60):
        folder = root / f"customer{i % 7}"
        folder.mkdir(exist_ok=True)
        kind = [*CATEGORIES, "black", "white"][i * 5 % 12]
        (folder / f"IMG_202603{1 + i % 28:02}_{i:02}.png").write_bytes(
            painted(kind, (40, 50 + i % 50))
        )
    (root / "customer1" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return root


def scanned(path, paths, **options):
    """What a scan by the fake classifier into a new file keeps."""
    path.unlink(missing_ok=True)
    scan(paths, path, weights=FakeClassifier(), **options)
    return content(path)


@pytest.fixture(scope="module")
def plainly_scanned(wardrobes, tmp_path_factory):
    return scanned(tmp_path_factory.mktemp("plain") / "t.db", [wardrobes])


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.randoms(), batch=st.integers(1, 70), threads=st.integers(1, 4))
def test_order_batches_and_threads_do_not_change_the_result(
    wardrobes, plainly_scanned, tmp_path, seed, batch, threads
):
    folders = sorted(wardrobes.iterdir())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "THREADS", threads)
        patch.setattr(pipeline, "BATCH", batch)
        shuffled = seed.sample(folders, len(folders))
        assert scanned(tmp_path / "t.db", shuffled, batch=batch) == plainly_scanned


def test_sqlite_and_postgresql_hold_the_same(wardrobes, tmp_path, postgres):
    from tests.factories.databases import new_database

    both = []
    for place in (tmp_path / "t.db", new_database(postgres)):
        run(wardrobes, place)
        frames = [store.sightings(place), store.customers(place), store.skips(place)]
        both.append((content(place), [frame.to_csv() for frame in frames]))
    assert both[0] == both[1]


# --- other weights -------------------------------------------------------------------------------


def test_other_weights_need_reclassify(photos, db):
    run(photos, db)
    before = content(db)
    with pytest.raises(StoreError, match=r"what fake \(.*\) saw; other \(.*--reclassify"):
        run(photos, db, weights=Other())
    assert content(db) == before


def test_reclassify_judges_every_photo_again(photos, db):
    run(photos, db)
    assert tally(photos, db, weights=Other(), reclassify=True) == (4, 0, 0, 1)
    assert store.sightings(db)["category"].tolist() == ["Bag"] * 4
    assert [w.name for w in store.status(db).weights] == ["other"]
    assert tally(photos, db, weights=Other()) == (0, 0, 4, 1)
    assert tally(photos, db, weights=Other(), reclassify=True) == (0, 0, 4, 1)


def test_an_unfinished_reclassify_keeps_the_old_results_in_use(photos, db):
    run(photos, db)
    before = store.sightings(db)
    result = run(photos / "anna", db, weights=Other(), reclassify=True)
    assert (result.tally.judged, result.missing) == (3, 1)
    assert store.sightings(db).equals(before)
    assert tally(photos, db) == (0, 0, 4, 1)  # the former weights go on as before
    result = run(photos / "ben", db, weights=Other(), reclassify=True)
    assert (result.tally.judged, result.missing) == (1, 0)
    assert store.sightings(db)["category"].tolist() == ["Bag"] * 4


def tiny_weights(path, name, value):
    arrays = {"kernel": np.full(3, value, np.float32)}
    header = Header(name, Architecture(size=28))
    save_file(arrays, path, {"trendscope": header.to_json()})
    return path


def test_weights_are_identified_by_their_file(photos, db, tmp_path, fake_command):
    one, two = (tiny_weights(tmp_path / f"{i}.safetensors", "same name", i) for i in (1, 2))
    assert tally(photos, db, weights=one) == (4, 0, 0, 1)
    assert tally(photos, db, weights=str(one)) == (0, 0, 4, 1)
    with pytest.raises(StoreError, match="never mixed"):
        run(photos, db, weights=two)
    assert identify(one) == identify(str(one)) != identify(two)
    assert identify(FakeClassifier()) == WeightsIdentity(
        "fake", "b5d54c39e66671c9731b9f471e585d8262cd4f54963f0c93082d8dcf334d4c78"
    )


# --- two at once ---------------------------------------------------------------------------------


def test_two_scans_and_a_reader_run_at_the_same_time(wardrobes, db, tmp_path):
    failures, counts = [], []

    def work(action):
        try:
            action()
        except BaseException as error:
            failures.append(error)

    def scanned():
        run(wardrobes, db, batch=3)

    def read():
        for _ in range(20):
            try:
                result = store.status(db)
            except StoreError as error:
                assert "there is no trendscope database" in str(error)
                continue
            assert result.photos == result.classified + result.uncertain + result.outside
            counts.append(result.photos)

    threads = [threading.Thread(target=work, args=[action]) for action in (scanned, scanned, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert counts == sorted(counts)
    run(wardrobes, tmp_path / "alone.db")
    assert content(db) == content(tmp_path / "alone.db")


# --- profile with a database ---------------------------------------------------------------------


@pytest.mark.parametrize("pictures", [False, True])
def test_profile_from_stored_results_equals_profile_from_photos(photos, db, pictures, monkeypatch):
    fresh = profile([photos], weights=FakeClassifier())
    run(photos, db)
    (photos / "ben" / "new.png").write_bytes(painted("Sneaker"))
    classifier = FakeClassifier()
    before = content(db)
    with stored_photos(db, classifier, pictures=pictures) as memory:
        result = profile([photos], weights=classifier, memory=memory, pictures=pictures)
    assert classifier.batches == [1]
    assert content(db) == before
    (photos / "ben" / "new.png").unlink()
    unreadable(monkeypatch)
    with stored_photos(db, classifier) as memory:
        again = profile([photos], weights=classifier, memory=memory)
    assert [c.categories for c in again.customers] == [c.categories for c in fresh.customers]
    assert again.skipped == fresh.skipped
    assert [r.probabilities for r in again.readings] == [r.probabilities for r in fresh.readings]
    assert again.weights == "fake"
    assert len(result.readings) == 5
    assert all(bool(r.thumbnail) == pictures for r in result.readings)


def test_profile_by_other_weights_ignores_stored_results(photos, db):
    run(photos, db)
    other = Other()
    with stored_photos(db, other) as memory:
        result = profile([photos], weights=other, memory=memory)
    assert (result.weights, len(result.readings)) == ("other", 4)
    assert sum(other.batches) == 4


# --- jax -----------------------------------------------------------------------------------------


def test_a_scan_without_new_photos_loads_no_jax(photos, tmp_path, fake_command):
    path = tmp_path / "t.db"
    scan([photos], path)
    program = """if True:
        import sys
        from pathlib import Path
        from trendscope.ingest.photos import scan
        from trendscope.store.memory import stored_photos
        from trendscope.photos.run import profile
        photos, db = map(Path, sys.argv[1:])
        print(scan([photos], db).tally.unchanged)
        with stored_photos(db) as memory:
            print(len(profile([photos], memory=memory).readings))
        print("jax" in sys.modules)
        (photos / "ben" / "new.png").write_bytes((photos / "ben" / "coat.png").read_bytes() + b"x")
        print(scan([photos], db).tally.judged)
        print("jax" in sys.modules)
    """
    done = subprocess.run(
        [sys.executable, "-c", program, photos, path],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["4", "4", "False", "1", "True"], done.stderr
