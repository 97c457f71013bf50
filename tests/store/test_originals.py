"""The file of a stored image, where it still lies as a scan saw it."""

from __future__ import annotations

import hashlib
import zipfile

from tests.factories.classifier import FakeClassifier
from tests.factories.photos import painted
from trendscope.ingest.photos import scan
from trendscope.ingest.uploads import Uploads
from trendscope.limits import Limits
from trendscope.store.originals import original


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def test_an_image_is_read_where_it_lies(tmp_path, db):
    dress, bag, coat = painted("Dress"), painted("Bag"), painted("Coat")
    folder = tmp_path / "photos" / "a\tn\\n"  # is stored with escapes
    folder.mkdir(parents=True)
    (folder / "1.png").write_bytes(dress)
    with zipfile.ZipFile(tmp_path / "photos" / "ben.zip", "w") as archive:
        archive.writestr("album/2.png", bag)
    scan([tmp_path / "photos"], db, weights=FakeClassifier())
    assert original(db, sha256(dress), Limits()) == dress
    assert original(db, sha256(bag), Limits()) == bag
    assert original(db, sha256(coat), Limits()) is None
    assert original(db, sha256(dress), Limits(file_bytes=10)) is None
    (folder / "1.png").write_bytes(coat)  # another photo in its place
    (tmp_path / "photos" / "ben.zip").write_bytes(b"no zip")
    assert original(db, sha256(dress), Limits()) is None
    assert original(db, sha256(bag), Limits()) is None


def test_an_image_that_was_moved_is_read_in_its_other_place(tmp_path, db):
    dress = painted("Dress")
    for name in ("anna", "ben"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        (tmp_path / "photos" / name / "1.png").write_bytes(dress)
    scan([tmp_path / "photos"], db, weights=FakeClassifier())
    (tmp_path / "photos" / "ben" / "1.png").unlink()
    assert original(db, sha256(dress), Limits()) == dress


def test_an_upload_lies_nowhere(tmp_path, db, monkeypatch):
    dress = painted("Dress")
    path = tmp_path / "spool" / "anna" / "1.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(dress)
    uploads = Uploads(tmp_path / "spool", {str(path): sha256(dress)})
    scan([path.parent], db, weights=FakeClassifier(), uploads=uploads)
    monkeypatch.chdir(tmp_path / "spool")  # where its name leads to a file by chance
    assert original(db, sha256(dress), Limits()) is None
