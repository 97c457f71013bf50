"""Places of pictures, read and kept."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from training.data.garments import (
    PERSON,
    SINGLE,
    allowed_outputs,
    kept_pictures,
    outfits,
    single_garments,
)
from trendscope.errors import TrendscopeError
from trendscope.vision.outputs import ANOTHER_GARMENT, NOTHING
from trendscope.vision.preparation import stretched

SHOES = [5, 7, 9]


def outputs(right):
    return np.flatnonzero(right).tolist()


def test_what_counts_as_right():
    assert outputs(allowed_outputs("Coat", "Blazer")) == [4]
    assert outputs(allowed_outputs("Sandal|Sneaker|Ankle boot", "Shoes")) == SHOES
    assert outputs(allowed_outputs("", "Hat")) == [ANOTHER_GARMENT]
    assert outputs(allowed_outputs("", "Watches")) == [ANOTHER_GARMENT, NOTHING]
    assert outputs(allowed_outputs("", "")) == [NOTHING]


def picture(path, colour, size=(60, 90)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


@pytest.fixture
def phone(tmp_path):
    place = tmp_path / "phone"
    rows = ["file,customer,label,category"]
    for i in range(12):
        picture(place / "images" / f"{i}.png", (20 * i, 0, 0))
        rows.append(f"{i}.png,customer {i},Dress,Dress")
    (place / "labels.csv").write_text("\n".join(rows))
    return place


def test_single_garments_are_kept_at_one_size(phone, tmp_path):
    read = single_garments([phone], tmp_path / "cache", 0, 3)
    assert read.pixels.shape == (12, *SINGLE, 3)
    assert read.pixels[3, 0, 0].tolist() == [60, 0, 0]
    assert outputs(read.allowed[0]) == [3]
    assert 0 < read.held_out.sum() < 12
    assert not single_garments([phone], tmp_path / "cache", -1, 3).held_out.any()


def test_each_customer_is_held_out_once(phone, tmp_path):
    folds = [single_garments([phone], tmp_path / "c", fold, 3).held_out for fold in range(3)]
    assert (np.sum(folds, 0) == 1).all()


def test_pictures_are_decoded_once_and_again_when_the_list_changes(tmp_path):
    picture(tmp_path / "a.png", (1, 2, 3))
    picture(tmp_path / "b.png", (9, 9, 9))
    files = [str(tmp_path / "a.png")]
    first = kept_pictures(files, (8, 4), tmp_path / "kept")
    (tmp_path / "a.png").unlink()
    assert kept_pictures(files, (8, 4), tmp_path / "kept").tolist() == first.tolist()
    other = kept_pictures([str(tmp_path / "b.png")], (8, 4), tmp_path / "kept")
    assert other[0, 0, 0].tolist() == [9, 9, 9]


def test_smaller_pixels_are_means():
    checks = np.indices((8, 8)).sum(0) % 2 * np.uint8(200)
    small = stretched(np.repeat(checks[..., None], 3, -1).astype(np.uint8), (4, 4))
    assert set(small.ravel().tolist()) == {100}


@pytest.fixture
def people(tmp_path):
    place = tmp_path / "people"
    (place / "masks").mkdir(parents=True)
    for name in ("a", "b"):
        picture(place / "images" / f"{name}.jpg", (99, 99, 99), (128, 192))
    mask = np.zeros((192, 128), np.uint8)
    mask[96:] = 1
    Image.fromarray(mask).save(place / "masks" / "a.png")
    (place / "labels.csv").write_text(
        "index,label,category\n0,null,\n1,shoes,Sandal|Sneaker|Ankle boot\n2,boots,Ankle boot\n"
        "3,belt,other\n4,skirt,\n5,skin,\n"
    )
    (place / "boxes.csv").write_text(
        "file,label,category,x0,y0,x1,y1\na.jpg,shoes,Sandal|Sneaker|Ankle boot,0,96,128,192\n"
    )
    (place / "photos.csv").write_text(
        "file,annotation,tags\na.jpg,pixels,shoes|hat of old\nb.jpg,tags,skirt|belt\n"
    )
    return place


def test_people_have_masks_or_tags(people, tmp_path):
    read = outfits(people, tmp_path / "cache", -1, 3)
    assert read.pixels.shape == (2, *PERSON, 3)
    assert read.has_mask.tolist() == [True, False]
    assert (read.masks[0, 200:] == 1).all() and not read.masks[1].any()
    assert read.boxes[0].tolist() == [[1, 0, 192, 256, 384]]
    assert [tags.tolist() for tags in read.tags] == [[1], [4, 3]]
    assert [outputs(right) for right in read.labels] == [
        [NOTHING],
        SHOES,
        [9],
        [],
        [ANOTHER_GARMENT],
        [NOTHING],
    ]


def test_kinds_take_the_place_of_labels(people, tmp_path):
    kinds = tmp_path / "kinds.csv"

    def read(rows):
        kinds.write_text("file,label,kind\n" + rows)
        return outfits(people, tmp_path / "cache", -1, 3, [kinds])

    known = read("a.jpg,shoes,Ankle boot\nb.jpg,skirt,Dress|Coat\nb.jpg,belt,another\n")
    # The place has six labels; kinds follow in the order of the table.
    assert [outputs(right) for right in known.labels[6:]] == [[9], [3, 4], [ANOTHER_GARMENT]]
    assert [outputs(right) for right in read("b.jpg,skirt,doubtful\n").labels[6:]] == [[]]
    assert known.renamed == {0: {1: 6}, 1: {4: 7, 3: 8}}
    assert known.boxes[0][:, 0].tolist() == [6]
    assert [tags.tolist() for tags in known.tags] == [[6], [7, 8]]
    unclear = read("a.jpg,shoes,unclear\n")
    assert unclear.renamed == {} and unclear.tags[0].tolist() == [1]
    with pytest.raises(TrendscopeError, match=r"unknown kind 'Clog' of a\.jpg"):
        read("a.jpg,shoes,Clog\n")


def test_a_kind_without_a_label_is_of_one_garment_more(people, tmp_path):
    kinds = tmp_path / "kinds.csv"
    kinds.write_text("file,label,kind\nb.jpg,,Dress\n")
    read = outfits(people, tmp_path / "cache", -1, 3, [kinds])
    assert [tags.tolist() for tags in read.tags] == [[1], [4, 3, 6]]
    assert outputs(read.labels[6]) == [3] and read.renamed == {}


def test_a_missing_table_is_named(people, tmp_path):
    (people / "boxes.csv").unlink()
    with pytest.raises(TrendscopeError, match=r"boxes\.csv is not there"):
        outfits(people, tmp_path / "cache", -1, 3)
