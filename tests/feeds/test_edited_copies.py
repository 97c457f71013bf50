"""Each shot counts once, whatever a phone or a program kept beside it."""

from __future__ import annotations

import unicodedata

import pytest

from tests.factories.exports import export
from trendscope.feeds.dispatch import open_feed
from trendscope.feeds.edited_copies import google_original, second_copies
from trendscope.feeds.post import Post


@pytest.mark.parametrize(
    ("original", "copy"),
    [
        ("IMG_0100.JPG", "IMG_E0100.JPG"),
        ("IMG_0100.HEIC", "IMG_E0100.jpg"),
        ("IMG_20261103_100000.jpg", "IMG_20261103_100000~2.jpg"),
        ("20261103_100000.jpg", "20261103_100000(0).jpg"),
        ("IMG_0100.jpeg", "IMG_0100_edited.jpeg"),
        ("IMG_0100.jpg", "IMG_0100 (edited).jpg"),
        ("IMG_20261103_100000.jpg", "IMG_20261103_100000_edit_12345678.jpg"),
        ("IMG_20261103_100000.jpg", "IMG_20261103_100000_HDR.jpg"),
        ("IMG_1.HEIC", "IMG_1-bearbeitet.jpg"),
        ("IMG_1(1).jpg", "IMG_1-modifié(1).jpg"),
        ("PXL_1.PORTRAIT-01.COVER.jpg", "PXL_1.PORTRAIT-02.ORIGINAL.jpg"),
        ("PXL_1.LONG_EXPOSURE-01.COVER.jpg", "PXL_1.LONG_EXPOSURE-02.ORIGINAL.jpg"),
        ("IMG_1.jpg", "IMG_1.jpg_original"),
        ("2026-11-03_A-main.jpg", "2026-11-03_A-overlay.png"),
    ],
)
def test_an_edited_pair_counts_once(tmp_path, original, copy):
    root = export(tmp_path / "ann", {original: b"1", copy: b"2", "AAE/x.jpg": b"3"})
    items = [*open_feed([root], customer="ann")]
    photos = {item.source.rpartition("/")[2] for item in items if isinstance(item, Post)}
    (other,) = [item for item in items if not isinstance(item, Post)]
    assert photos == {original, "x.jpg"}
    assert (other.reason, other.source.rpartition("/")[2]) == ("duplicate", copy)
    lone = export(tmp_path / "lone", {f"a/{copy}": b"2", f"b/{original}": b"1"})
    assert sum(isinstance(item, Post) for item in open_feed([lone])) == 2


@pytest.mark.parametrize(
    "names",
    [
        ("dress.jpg", "dress-back.jpg", "dress-red.jpg", "dress-mix.jpg"),
        ("IMG_0100.JPG", "IMG_E0101.JPG"),
        ("IMG_1.HEIC", "IMG_1.MOV"),  # a live photo
        ("IMG_1.jpg", "IMG_1.mp4"),
        ("IMG_1.jpg", "IMG_1(1).jpg"),
        ("Eva_E1.jpg", "Eva_1.jpg"),
        ("clip.mov", "clip-edited.jpg"),
    ],
)
def test_other_names_are_photos_of_their_own(names):
    assert second_copies(names) == {}


@pytest.mark.parametrize(
    ("film", "still"),
    [("MVI_1.MP4", "MVI_1.THM"), ("a.webm", "a.jpg"), ("b.mkv", "b.webp")],
)
def test_stills_of_videos_are_no_photos(film, still):
    assert second_copies([film, still])[still][0] == "video"


def test_the_thumbnail_beside_a_downloaded_video_is_a_still():
    names = ["a.mp4", "a.jpg", "a.info.json"]
    assert second_copies(names)["a.jpg"][0] == "video"


def test_notes_of_programs_are_no_photos():
    copies = second_copies(["IMG_1.HEIC", "IMG_1.AAE", "IMG_1.xmp"])
    assert {name: why[0] for name, why in copies.items()} == {
        "IMG_1.AAE": "other_data",
        "IMG_1.xmp": "other_data",
    }


LONG = "a" * 43


@pytest.mark.parametrize(
    ("copy", "original"),
    [
        ("IMG-edited.jpg", "IMG.jpg"),
        ("IMG-edited(1).jpg", "IMG(1).jpg"),
        (unicodedata.normalize("NFD", "IMG-modifié.jpg"), "IMG.jpg"),
        ("IMG-ha editado.jpg", "IMG.jpg"),
        ("IMG-編集済み.jpg", "IMG.jpg"),
        ("IMG-已修改.jpg", "IMG.jpg"),
        ("IMG-düzenlendi.jpg", "IMG.jpg"),
        (f"{LONG}-edi.jpg", f"{LONG}.jpg"),
        ("IMG-edi.jpg", None),
        ("outfit-red.jpg", None),
        ("dress-back.jpg", None),
        ("edited.jpg", None),
    ],
)
def test_googles_edited_copies_are_told_by_its_own_marks(copy, original):
    assert google_original(copy) == original
