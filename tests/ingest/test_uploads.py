"""Scans of uploads: known again wherever they lie, and never taken for each other."""

from __future__ import annotations

import hashlib
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.factories.classifier import FakeClassifier
from tests.factories.photos import painted
from trendscope import store
from trendscope.ingest.photos import scan
from trendscope.ingest.uploads import Uploads
from trendscope.photos.results import label_of
from trendscope.store.memory import StoredPhotos

FEEDS = Path(__file__).parents[2] / "sample_feeds"


def upload(folder, files, db, **options):
    """Scans files as if they were uploaded into a folder; returns what became of them."""
    digests = {}
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        digests[str(path)] = hashlib.sha256(content).hexdigest()
    options = {"weights": FakeClassifier(), "one_per_name": True, **options}
    uploads = Uploads(folder, digests)
    tally = scan(sorted(folder.iterdir()), db, uploads=uploads, **options).tally
    return tally.judged, tally.recognised, tally.unchanged, tally.skipped


def zipped(path, **members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.png", content)
    return path.read_bytes()


def test_the_same_upload_is_known_again_in_another_folder(tmp_path, db):
    files = {
        "team/anna/1.png": painted("Dress"),
        "team/ben/2.png": painted("Coat"),
        "team/ben/broken.png": b"\x89PNG\r\n\x1a\n",
        "cleo.zip": zipped(tmp_path / "cleo.zip", a=painted("Bag"), b=painted("Sandal")),
    }
    assert upload(tmp_path / "first", files, db) == (4, 0, 0, 1)
    notes = []
    assert upload(tmp_path / "second", files, db, note=notes.append) == (0, 0, 4, 1)
    assert [item.source for item in notes] == ["team/ben/broken.png"]
    frame = store.sightings(db)
    assert sorted(frame["customer"]) == ["anna", "ben", "cleo", "cleo"]
    assert sorted(frame["source"]) == [
        *("cleo.zip/a.png", "cleo.zip/b.png"),
        *("team/anna/1.png", "team/ben/2.png"),
    ]
    assert store.skips(db)["source"].tolist() == ["team/ben/broken.png"]
    with store.open_store(db) as opened:
        accounts = StoredPhotos(opened, None).names()._names
    assert sorted(accounts) == ["cleo.zip", "team/anna", "team/ben"]


def test_uploaded_exports_give_what_a_scan_of_their_folder_gives(tmp_path):
    files = {
        f"feeds/{path.relative_to(FEEDS)}": path.read_bytes()
        for path in FEEDS.rglob("*")
        if path.is_file()
    }
    upload(tmp_path / "spool", files, tmp_path / "upload.db")
    scan([tmp_path / "spool" / "feeds"], tmp_path / "disk.db", weights=FakeClassifier())
    columns = ["customer", "sha256", "category", "posted_at", "date_source"]
    frames = [store.sightings(tmp_path / name) for name in ("upload.db", "disk.db")]
    rows = [sorted(map(tuple, frame[columns].astype(str).to_numpy())) for frame in frames]
    assert rows[0] == rows[1] and len(rows[0]) > 50
    skips = [store.skips(tmp_path / name) for name in ("upload.db", "disk.db")]
    assert sorted(skips[0]["reason"]) == sorted(skips[1]["reason"])
    for file in tmp_path.glob("upload.db*"):  # nothing tells of the folder that is removed
        assert str(tmp_path / "spool").encode() not in file.read_bytes()


def test_another_photo_of_the_same_name_takes_nothing_away(tmp_path, db):
    assert upload(tmp_path / "first", {"anna/1.png": painted("Dress")}, db) == (1, 0, 0, 0)
    (digest,) = store.sightings(db)["sha256"]
    store.correct(db, {digest: label_of("Shirt")}, datetime(2026, 5, 1, tzinfo=UTC))
    assert upload(tmp_path / "second", {"anna/1.png": painted("Bag")}, db) == (1, 0, 0, 0)
    frame = store.sightings(db)
    assert sorted(frame["category"]) == ["Bag", "Shirt"]
    assert store.status(db).photos == 2 and store.status(db).corrected == 1


def test_without_one_per_name_an_upload_is_another_customer_but_the_same_each_time(tmp_path, db):
    (tmp_path / "disk" / "anna").mkdir(parents=True)
    (tmp_path / "disk" / "anna" / "0.png").write_bytes(painted("Coat"))
    scan([tmp_path / "disk"], db, weights=FakeClassifier())
    for number, kind in enumerate(("Dress", "Bag")):
        files = {f"anna/{kind}.png": painted(kind)}
        upload(tmp_path / f"upload{number}", files, db, one_per_name=False)
    assert sorted(store.sightings(db)["customer"]) == ["anna", "anna (2)", "anna (2)"]
    upload(tmp_path / "third", {"anna/Sandal.png": painted("Sandal")}, db)
    assert sorted(store.sightings(db)["customer"])[-1] == "anna (2)"


class Stopped(Exception):
    pass


def test_what_was_looked_at_before_a_stop_is_kept(tmp_path, db):
    files = {f"anna/{n:02}.png": painted("Dress", (100 + n, 160)) for n in range(40)}

    def stop(done, total):
        assert total == 40
        if done:
            raise Stopped

    with pytest.raises(Stopped):
        upload(tmp_path / "first", files, db, progress=stop)
    assert store.status(db).photos == 32  # one batch
    assert store.status(db).last_scan.finished_at is None
    assert upload(tmp_path / "second", files, db) == (8, 0, 32, 0)
