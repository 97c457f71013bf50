"""Photos of several garments at the desk: boxes, and a person's word on each garment."""

from __future__ import annotations

import hashlib
import io

import pandas as pd
import pytest
from PIL import Image
from playwright import sync_api

from tests.factories.desk import desk, finished, scanned
from tests.factories.detector import dressed
from trendscope import store
from trendscope.categories import color

expect = sync_api.expect

SHIRT, BAG, TROUSER = (60, 40, 180, 140), (170, 120, 230, 200), (70, 141, 169, 300)
SHOE = (70, 302, 110, 318)
OUTFIT = {"Shirt": SHIRT, "Bag": BAG, "Trouser": TROUSER, "Sneaker": SHOE}
MAYBE = {"Dress": (60, 40, 180, 240), "Bag": (10, 100, 50, 160)}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Anna in a shirt and trousers with a bag, perhaps in sneakers; and in what may be a dress."""
    root = tmp_path_factory.mktemp("garments")
    anna = root / "photos" / "anna"
    dressed(anna / "IMG_20260302_090000.png", OUTFIT, faint=("Sneaker",))
    dressed(anna / "IMG_20260303_090000.png", MAYBE, faint=("Dress", "Bag"))
    scanned(root / "photos", root / "t.db", judge="detector")
    return root


@pytest.fixture(scope="module")
def server(root):
    with desk(root / "t.db", judge="detector") as server:
        yield server


@pytest.fixture
def client(server):
    with server.client() as client:
        page = client.get("/try").text
        client.headers["X-Trendscope-Token"] = page.split('name="page-token" content="')[1].split(
            '"'
        )[0]
        yield client


@pytest.fixture
def photos(root):
    """The digests of the outfit and of the photo that waits."""
    files = sorted((root / "photos" / "anna").iterdir())
    names = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    return dict(zip((True, False), names, strict=True))


def garment(category, box, confidence=None):
    facts = {"category": category, "box": box and [box[0], box[1], box[2], box[3]]}
    return facts if confidence is None else {**facts, "confidence": confidence}


def test_the_garments_of_a_photo(client, photos):
    photo = client.get(f"/api/photos/{photos[True]}/garments").json()
    assert [g["category"] for g in photo["garments"]] == ["Shirt", "Bag", "Trouser"]
    assert [g["category"] for g in photo["candidates"]] == ["Sneaker"]
    assert photo["size"] == [240, 320]
    assert client.get(f"/api/photos/{'0' * 64}/garments").status_code == 404


def test_a_person_names_garments_one_by_one(client, photos, root):
    address = f"/api/photos/{photos[True]}/label"
    labels = [garment("coat", SHIRT), garment("Sneaker", SHOE), garment("Dress", None)]
    answer = client.put(address, json={"garments": labels}).json()
    assert (answer["label"], answer["before"]) == ("Coat|Sneaker|Dress", None)
    rows = store.sightings(root / "t.db", "anna")
    named = rows[rows["sha256"] == photos[True]]
    assert [*named["category"]] == ["Coat", "Sneaker", "Dress"]
    assert [*named[["x0", "y0", "x1", "y1"]].iloc[1]] == [*SHOE]
    assert named["x0"].isna().tolist() == [False, False, True]

    photo = client.get(f"/api/photos/{photos[True]}/garments").json()
    assert [g["category"] for g in photo["garments"]] == ["Coat", "Sneaker", "Dress"]
    # What the network sees elsewhere can be chosen again.
    assert {"Bag", "Trouser"} <= {g["category"] for g in photo["candidates"]}
    assert client.put(address, json={"category": "Coat|Bag"}).json()["label"] == "Coat|Bag"
    answer = client.delete(address).json()
    assert answer.pop("undo")
    assert answer == {
        "schema_version": 1,
        "sha256": photos[True],
        "label": None,
        "before": "Coat|Bag",
    }


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "either the category or the garments"),
        ({"category": "Coat", "garments": [garment("Coat", None)]}, "either"),
        ({"garments": [garment("hat", None)]}, "'hat' is none of T-shirt/top, Trouser"),
        ({"garments": [garment("Coat", (9, 9, 9, 20))]}, "x0 < x1"),
        ({"garments": [garment("Coat", (-1, 0, 9, 20))]}, "greater than or equal to 0"),
        ({"garments": []}, "at least 1 item"),
        ({"garments": [garment("Coat", (1, 2, 3, 4)) | {"box": [1, 2, 3]}]}, "Field required"),
    ],
)
def test_labels_that_are_none_are_refused(client, photos, body, reason):
    refusal = client.put(f"/api/photos/{photos[True]}/label", json=body)
    assert refusal.status_code == 422
    assert reason in refusal.json()["error"]


def test_photos_that_wait_come_with_candidates(client, photos):
    (photo,) = client.get("/api/review").json()["photos"]
    assert (photo["sha256"], photo["size"], photo["garments"]) == (photos[False], [240, 320], [])
    assert {g["category"] for g in photo["candidates"]} == {"Dress", "Bag"}


def test_an_upload_tells_where_garments_are(client, root):
    path = root / "photos" / "anna" / "IMG_20260302_090000.png"
    upload = client.post("/api/try", files={"files": path.open("rb")}).json()
    (photo,) = finished(client, upload["id"])["photos"]
    assert [g["category"] for g in photo["garments"]] == ["Shirt", "Bag", "Trouser"]
    assert (photo["size"], photo["seen"]) == ([240, 320], False)


def test_a_photo_is_large_while_its_file_is_there(client, root, photos):
    def size():
        answer = client.get(f"/api/photos/{photos[True]}/large.jpg")
        picture = Image.open(io.BytesIO(answer.content))
        assert (answer.headers["content-type"], picture.format) == ("image/jpeg", "JPEG")
        assert not picture.getexif()
        return picture.size

    assert size() == (240, 320)
    path = root / "photos" / "anna" / "IMG_20260302_090000.png"
    path.rename(root / "elsewhere.png")
    assert size() == (96, 128)  # the small one that the scan kept
    (root / "elsewhere.png").rename(path)
    assert client.get(f"/api/photos/{'0' * 64}/large.jpg").status_code == 404


# --- walks ---------------------------------------------------------------------------------------


@pytest.fixture
def page(browser, server):
    """A page on which no script fails."""
    page = browser.new_page(base_url=server.address.rstrip("/"))
    page.set_default_timeout(30_000)
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console", lambda message: wrong.append(message.text) if message.type == "error" else None
    )
    yield page
    page.close()
    assert wrong == []


def named(root, sha256):
    rows = store.sightings(root / "t.db", "anna")
    rows = rows[rows["sha256"] == sha256]
    return [
        (row.category, None if pd.isna(row.x0) else (row.x0, row.y0, row.x1, row.y1))
        for row in rows.itertuples()
    ]


def open_outfit(page):
    page.goto("/customer?name=anna")
    page.locator("section", has=page.get_by_role("heading", name="Shirt")).get_by_role(
        "button"
    ).click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_photo_stands_under_each_category_with_its_boxes(page):
    page.goto("/customer?name=anna")
    for name in ("Shirt", "Bag", "Trouser"):
        section = page.locator("section", has=page.get_by_role("heading", name=name))
        assert section.locator(".frame text").all_text_contents() == ["Shirt", "Bag", "Trouser"]
    unsure = page.locator("section", has=page.get_by_role("heading", name="Not sure"))
    assert {*unsure.locator(".frame text").all_text_contents()} == {"Dress?", "Bag?"}


def test_boxes_lie_where_the_garments_are(page):
    """The middle of each box over the picture has the garment's colour."""
    page.goto("/customer?name=anna")
    frame = page.locator("section", has=page.get_by_role("heading", name="Shirt")).locator(".frame")
    image = frame.locator("img").bounding_box()
    shirt = frame.locator(f"rect[stroke='{color('Shirt')}']").bounding_box()
    scale = image["height"] / 320  # The photo is higher than wide, in a square.
    left = image["x"] + (image["width"] - 240 * scale) / 2
    assert abs(shirt["x"] - (left + SHIRT[0] * scale)) < 3
    assert abs(shirt["y"] - (image["y"] + SHIRT[1] * scale)) < 3
    assert abs(shirt["height"] - (SHIRT[3] - SHIRT[1]) * scale) < 5


def test_a_garment_is_renamed_another_removed_and_a_missed_one_added(page, root, photos):
    open_outfit(page)
    dialog = page.get_by_role("dialog")
    worn = dialog.get_by_role("list", name="Garments")
    worn.get_by_role("button", name="Shirt", exact=True).click()
    page.keyboard.press("4")
    expect(worn.get_by_role("button", name="Coat", exact=True)).to_be_visible()
    worn.get_by_role("button", name="Bag", exact=True).click()
    page.keyboard.press("Delete")
    expect(worn.get_by_role("button", name="Add Bag?")).to_be_visible()  # It can be put back.
    dialog.locator(".frame text", has_text="Sneaker?").click()
    page.keyboard.press("3")
    expect(worn.get_by_role("button", name="Dress", exact=True)).to_be_visible()
    assert len(named(root, photos[True])) == 3  # Nothing counts before it is saved.
    with page.expect_navigation():
        dialog.get_by_role("button", name="Save").click()
    assert named(root, photos[True]) == [
        ("Coat", SHIRT),
        ("Trouser", TROUSER),
        ("Sneaker", SHOE),
        ("Dress", None),
    ]

    page.get_by_role("button", name="Coat").click()
    with page.expect_navigation():
        dialog.get_by_role("button", name="What the network said").click()
    assert [category for category, _ in named(root, photos[True])] == ["Shirt", "Bag", "Trouser"]


def test_a_photo_in_review_gets_two_garments_by_candidate_and_key(page, root, photos):
    page.goto("/review")
    stage = page.locator("#review")
    expect(stage.locator(".frame text")).to_have_count(2)
    stage.locator(".frame text", has_text="Dress?").click()
    page.keyboard.press("9")
    page.keyboard.press("Enter")
    expect(page.locator("#review-done")).to_be_visible()
    assert named(root, photos[False]) == [("Dress", MAYBE["Dress"]), ("Ankle boot", None)]
    page.keyboard.press("u")
    expect(stage).to_be_visible()
    page.keyboard.press("8")  # One key names a photo as a whole, as before.
    expect(page.locator("#review-done")).to_be_visible()
    assert [category for category, _ in named(root, photos[False])] == ["Bag"]
    page.keyboard.press("u")
    expect(stage).to_be_visible()


def test_an_upload_shows_a_box_and_a_crop_of_each_garment(page, root):
    page.goto("/try")
    page.set_input_files("#files", root / "photos" / "anna" / "IMG_20260302_090000.png")
    expect(page.locator(".verdict .word")).to_have_text("Shirt, Bag, Trouser")
    expect(page.locator(".verdict .detail")).to_have_text("3 garments")
    expect(page.locator(".verdict .frame text")).to_have_text(["Shirt", "Bag", "Trouser"])
    expect(page.locator(".verdict .seen svg")).to_have_count(3)


def names_over_large(page):
    """The names over the picture in the open dialog, which is as large as the file."""
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("img")).to_have_js_property("naturalWidth", 240)
    return {*dialog.locator(".frame text").all_text_contents()}


def test_photos_open_large_with_boxes_and_names_by_the_keyboard(page, root):
    names = {"Shirt", "Bag", "Trouser"}
    open_outfit(page)
    assert names_over_large(page) == names | {"Sneaker?"}
    page.keyboard.press("Escape")
    page.goto("/try")
    page.set_input_files("#files", root / "photos" / "anna" / "IMG_20260302_090000.png")
    page.get_by_role("button", name="IMG_20260302_090000.png").press("Enter")
    assert names_over_large(page) == names
    expect(page.get_by_role("dialog")).to_contain_text("Shirt, Bag, Trouser")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.evaluate("document.activeElement.className") == "frame open"
