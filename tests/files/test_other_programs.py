"""What other programs keep beside photos is left out, told once for each folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.factories.classifier import FakeClassifier
from tests.factories.exports import export, zipped
from trendscope.errors import ImageError
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.post import Post
from trendscope.files.formats import check
from trendscope.files.other_programs import left_out
from trendscope.files.trees import FolderTree
from trendscope.limits import Limits
from trendscope.photos.run import classify

FOLDERS = [
    ("@eaDir/1.jpg/SYNOPHOTO_THUMB_XL.jpg", "other_data"),
    ("@__thumb/default1.jpg", "other_data"),
    ("#recycle/2.jpg", "private"),
    ("@Recycle/2.jpg", "private"),
    ("$RECYCLE.BIN/S-1-5-21/$R1.jpg", "private"),
    ("RECYCLER/2.jpg", "private"),
    ("Catalog Previews.lrdata/3.jpg", "other_data"),
    ("files_trashbin/files/2.jpg.d1790000000/2.jpg", "private"),
    ("appdata_oc1a2b3c/preview/1/64-64.jpg", "other_data"),
    ("iPod Photo Cache/F01/T1.ithmb", "other_data"),
    (".thumbnails/1.jpg", "hidden"),
    ("SYNOFILE_THUMB_M.jpg", "other_data"),
    (".IMG_1.HEIC.icloud", "placeholder"),
    ("IMG_1.jpg.icloud", "placeholder"),
    ("IMG_1.jpg.nextcloud", "placeholder"),
]


def outcome(path: Path) -> tuple[list[tuple[str | None, str]], list[tuple[str | None, str]]]:
    """Customers and names of photos; customers and reasons of what is left out."""
    items = [*open_feed([path])]
    photos = [item for item in items if isinstance(item, Post)]
    others = [item for item in items if not isinstance(item, Post)]
    return (
        [(item.customer, item.source.rpartition("/")[2]) for item in photos],
        [(item.customer, item.reason) for item in others],
    )


@pytest.mark.parametrize(("name", "reason"), FOLDERS)
@pytest.mark.parametrize("below", ["", "ann/2026/"])
def test_it_is_nobodys_photo_in_folders_and_zips(tmp_path, name, reason, below):
    files = {f"{below}1.jpg": b"1", f"{below}{name}": b"2", f"{below}{name}.2.jpg": b"3"}
    if "/" not in name:
        del files[f"{below}{name}.2.jpg"]
    owner = "ann" if below else "given"
    expected = [(owner, "1.jpg")], [(None, reason)]
    assert outcome(export(tmp_path / "given", files)) == expected
    assert outcome(zipped(tmp_path / "given.zip", files)) == expected


@pytest.mark.parametrize(
    "name", ["@anna/1.jpg", "Previews/1.jpg", "Originals/1.jpg", "Trash/1.jpg"]
)
def test_names_that_people_use_are_not_left_out(name):
    assert left_out(name) is None


LIBRARY = "Photos Library.photoslibrary"


@pytest.mark.parametrize("given", ["", LIBRARY])
def test_of_a_photo_library_the_originals_count_for_the_one_in_whose_folder_it_lies(
    tmp_path, given
):
    parts = ["originals/0/A.heic", "resources/derivatives/A_1.jpeg", "database/x.jpg", "cover.jpg"]
    root = export(tmp_path / "anna", {f"{LIBRARY}/{part}": part.encode() for part in parts})
    photos, others = outcome(root / given)
    assert photos == [("anna", "A.heic")]
    assert others == [(None, "other_data")] * 3


def test_an_unreadable_folder_says_that_a_whole_folder_is_missing(tmp_path, monkeypatch):
    import os

    export(tmp_path, {"ann/1.jpg": b"1", "bea/1.jpg": b"1"})
    listed = os.scandir

    def scandir(path):
        if str(path).rstrip("/").endswith("bea"):
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    (item,) = FolderTree(tmp_path).skipped
    assert item.reason == "unreadable" and item.source.endswith("/bea")
    assert (
        item.detail
        == "a whole folder could not be read (permission denied): its photos are missing"
    )


def test_a_file_of_zeros_is_a_placeholder_and_no_damaged_picture():
    with pytest.raises(ImageError, match="zeros") as error:
        check(bytes(100_000), Limits())
    assert error.value.reason == "placeholder"


def test_only_a_photos_name_makes_zeros_a_placeholder(tmp_path):
    for name in ("IMG_1.JPG", "0x21000", "notes.bin"):
        (tmp_path / name).write_bytes(bytes(5_000))
    items = classify([tmp_path], weights=FakeClassifier()).photos
    reasons = {Path(item.source).name: item.reason for item in items}
    assert reasons == {
        "IMG_1.JPG": "placeholder",
        "0x21000": "not_an_image",
        "notes.bin": "not_an_image",
    }
