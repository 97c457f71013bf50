"""Scans at the desk, by its API and in headless Chromium."""

from __future__ import annotations

import io
import sqlite3
import zipfile
from contextlib import closing

import pytest
from PIL import Image
from playwright import sync_api
from typer.testing import CliRunner

from tests.factories.browser import catch_file_choosers
from tests.factories.desk import desk, wait_until
from tests.factories.photos import painted
from trendscope import store
from trendscope.cli import app

expect = sync_api.expect


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("scans")
    (root / "tmp").mkdir()
    return root


@pytest.fixture(scope="module")
def server(place):
    bounds = {"body_bytes": 1_000_000, "scan_bytes": 3_000_000}
    (place / "ours" / "hal").mkdir(parents=True)
    (place / "ours" / "hal" / "1.png").write_bytes(painted("Ankle boot", (300, 400)))
    options = {"temporary": place / "tmp", "patience": bounds}
    folder = ("--folder", str(place / "ours"))
    with desk(place / "t.db", "--create", *folder, **options) as running:
        yield running


@pytest.fixture(scope="module")
def client(server):
    with server.client() as connected:
        yield connected


def uploaded(place):
    """Files that lie in the desk's folder."""
    return [path for path in (place / "tmp").rglob("*") if path.is_file() and path.name != "in-use"]


def begin(client, **wanted):
    return client.post("/api/scan", json=wanted).json()["scan"]["id"]


def send(client, scan_id, name, content):
    return client.put(f"/api/scan/{scan_id}/file", params={"name": name}, content=content)


def ended(client):
    def scan():
        now = client.get("/api/scan").json()["scan"]
        return now if now["state"] in ("done", "failed", "stopped") else None

    return wait_until(scan)


def people(place):
    return sorted(store.sightings(place / "t.db")["customer"])


def test_uploads_are_scanned_recognised_and_removed(client, place):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("a.png", painted("Bag"))
    files = {
        "team/anna/1.png": painted("Dress"),
        "team/ben/1.png": painted("Coat"),
        "team/ben/torn.jpg": b"\xff\xd8\xff torn",
        "cleo.zip": archive.getvalue(),
    }
    for judged, unchanged in ((3, 0), (0, 3)):
        scan_id = begin(client)
        for name, content in files.items():
            assert send(client, scan_id, name, content).status_code == 200
        assert len(uploaded(place)) == 4
        assert client.post(f"/api/scan/{scan_id}/start").status_code == 200
        scan = ended(client)
        assert scan["state"] == "done" and scan["files"] == 4
        assert (scan["result"]["judged"], scan["result"]["unchanged"]) == (judged, unchanged)
        assert [item["path"] for item in scan["left_out"]] == ["team/ben/torn.jpg"]
        assert uploaded(place) == []
    assert {"anna", "ben", "cleo"} <= {*people(place)}
    assert scan["words"][0] == "3 photos: 3 unchanged since the last time."


@pytest.mark.parametrize(
    "name",
    [
        *("../evil.png", "/etc/evil.png", "a/../../evil.png", "a//b.png", "./a.png", "~/a.png"),
        *("a\\b.png", "a\0b.png", "n" * 300 + ".png", "a/"),
    ],
)
def test_names_that_lead_elsewhere_are_refused_and_the_rest_goes_on(client, place, name):
    scan_id = begin(client)
    refused = send(client, scan_id, name, painted("Dress"))
    assert refused.status_code == 422 and "rename it" in refused.json()["error"]
    assert uploaded(place) == []
    assert send(client, scan_id, "anna/fine.png", painted("Dress")).status_code == 200
    assert client.delete("/api/scan").json()["scan"]["state"] == "stopped"
    assert uploaded(place) == [] and not (place / "evil.png").exists()


def test_files_that_are_too_large_are_refused_and_not_kept(client, place):
    def chunks():
        yield from (b"x" * 65536 for _ in range(100))

    scan_id = begin(client)
    answer = send(client, scan_id, "anna/large.png", chunks())  # without a Content-Length
    assert answer.status_code == 413 and "upload it in parts" in answer.json()["error"]
    for number in range(2):  # 1 MB came with the large one
        assert send(client, scan_id, f"anna/{number}.bin", bytes(900_000)).status_code == 200
    answer = send(client, scan_id, "anna/2.bin", bytes(900_000))
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("anna/2.bin: more than one scan takes")
    assert sorted(path.name for path in uploaded(place)) == ["0.bin", "1.bin"]
    client.delete("/api/scan")
    assert uploaded(place) == []


def test_a_second_scan_at_the_same_time_is_refused(client):
    scan_id = begin(client)
    refused = client.post("/api/scan", json={})
    assert refused.status_code == 409 and "Another scan is under way" in refused.json()["error"]
    client.delete("/api/scan")
    assert send(client, scan_id, "anna/late.png", painted("Bag")).status_code == 409
    assert client.post(f"/api/scan/{scan_id}/start").status_code == 409
    assert send(client, "guess", "anna/a.png", painted("Bag")).status_code == 404


def test_photos_without_a_folder_need_a_customer(client, place):
    scan_id = begin(client)
    assert client.post(f"/api/scan/{scan_id}/start").json()["error"].startswith("No file has come")
    send(client, scan_id, "IMG_1.png", painted("Sandal"))
    refused = client.post(f"/api/scan/{scan_id}/start")
    assert refused.status_code == 409
    assert refused.json()["error"] == "IMG_1.png lies in no folder: say whose photos these are."
    client.delete("/api/scan")
    scan_id = begin(client, customer="dora")
    send(client, scan_id, "IMG_1.png", painted("Sandal"))
    client.post(f"/api/scan/{scan_id}/start")
    assert ended(client)["result"]["judged"] == 1
    assert people(place).count("dora") == 1 and "files" not in people(place)


def test_only_folders_that_the_desk_was_started_with_are_scanned(client, place):
    for folder in (str(place), str(place / "ours" / "hal"), f"{place}/ours/../ours", "/"):
        refused = client.post("/api/scan", json={"folder": folder})
        assert refused.status_code == 409 and "serve --folder" in refused.json()["error"]
    client.post("/api/scan", json={"folder": str(place / "ours")})
    assert ended(client)["state"] == "done"
    (row,) = store.sightings(place / "t.db", "hal").itertuples()
    assert row.source == str(place / "ours" / "hal" / "1.png")
    jpeg = client.get(f"/api/photos/{row.sha256}/large.jpg").content
    assert Image.open(io.BytesIO(jpeg)).size == (300, 400)
    missing = ["serve", "--folder", str(place / "nowhere"), "--no-browser"]
    done = CliRunner().invoke(app, missing)
    assert done.exit_code == 2 and "there is no such folder" in done.stderr


def test_a_folder_of_the_desk_has_a_button(browser, server, place):
    page = browser.new_page(base_url=server.address.rstrip("/"))
    page.goto("/scan")
    page.get_by_role("button", name=f"Scan {place / 'ours'}").press("Enter")
    expect(page.locator("#scan-end")).to_contain_text("1 photo: 1")
    page.close()


def test_a_larger_picture_is_kept_by_choice_and_forgotten_with_its_customer(client, place):
    def longest_side(who):
        (digest,) = store.sightings(place / "t.db", who)["sha256"]
        answer = client.get(f"/api/photos/{digest}/large.jpg")
        with Image.open(io.BytesIO(answer.content)) as picture:
            return digest, max(picture.size)

    for who, wanted, side in (("pia", {"previews": True}, 1024), ("quin", {}, 128)):
        scan_id = begin(client, **wanted)
        send(client, scan_id, f"{who}/1.png", painted("Coat", (1500, 1200 + side)))
        client.post(f"/api/scan/{scan_id}/start")
        assert ended(client)["state"] == "done"
        digest, longest = longest_side(who)
        assert longest == side
        forgotten = store.forget(place / "t.db", who)
        assert forgotten.rows["previews"] == len(wanted)
        assert client.get(f"/api/photos/{digest}/large.jpg").status_code == 404
    path = f"file:{place / 't.db'}?mode=ro"
    with closing(sqlite3.connect(path, uri=True)) as connection:
        assert connection.execute("SELECT count(*) FROM previews").fetchone() == (0,)


def test_a_larger_picture_is_kept_where_that_is_ticked(browser, server, client, place):
    page = browser.new_page(base_url=server.address.rstrip("/"))
    catch_file_choosers(page)
    for who, key, longest in (("rob", "Space", 1024), ("sue", "Shift", 128)):
        path = place / "ticked" / who / "1.png"
        path.parent.mkdir(parents=True)
        path.write_bytes(painted("Coat", (1500, 1200 + longest)))
        page.goto("/scan")
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Choose a folder…").press("Enter")
        chooser.value.set_files(path.parent)
        page.get_by_label("Keep a larger picture").press(key)
        page.get_by_role("button", name="Scan", exact=True).press("Enter")
        expect(page.locator("#scan-end")).to_contain_text("1 photo: 1 looked at.")
        (digest,) = store.sightings(place / "t.db", who)["sha256"]
        answer = client.get(f"/api/photos/{digest}/large.jpg")
        assert max(Image.open(io.BytesIO(answer.content)).size) == longest
    page.close()


def test_a_running_scan_tells_how_far_it_is_until_it_is_stopped(browser, server):
    """Of the desk's answers, which are made up here."""
    now = {"id": "1", "state": "running", "stopping": False, "done": 1300, "total": 2600}
    now |= {"files": 2600, "words": [], "left_out": [], "result": None, "failure": ""}
    page = browser.new_page(base_url=server.address.rstrip("/"))

    def answer(route):
        if route.request.method == "DELETE":
            now.update(state="stopped")
        route.fulfill(json={"schema_version": 1, "scan": now})

    page.route("**/api/scan", answer)
    page.goto("/scan")
    expect(page.locator("#progress-words")).to_have_text("1,300 of 2,600 looked at")
    bar = page.get_by_role("progressbar")
    assert bar.evaluate("(bar) => bar.value / bar.max") == 0.5
    expect(page.get_by_role("button", name="Choose a folder…")).to_be_hidden()
    page.get_by_role("button", name="Stop").press("Enter")
    expect(page.locator("#progress-words")).to_contain_text("scan the same again to go on")
    page.close()


def test_pages_of_other_sites_cannot_scan(client):
    headers = {"origin": "http://evil.example"}
    assert client.post("/api/scan", json={}, headers=headers).status_code == 403
    assert client.post("/api/scan", json={}, headers={"cookie": "a=b"}).status_code == 403


def test_a_folder_is_scanned_by_the_keyboard_alone(browser, server, place):
    for name, kind in (("eva/1.png", "Shirt"), ("fay/1.png", "Sneaker")):
        (place / "new" / name).parent.mkdir(parents=True)
        (place / "new" / name).write_bytes(painted(kind))
    (place / "new" / "fay" / "torn.jpg").write_bytes(b"\xff\xd8\xff torn")
    page = browser.new_page(base_url=server.address.rstrip("/"))
    page.on("filechooser", lambda chooser: chooser.set_files(place / "new"))
    page.goto("/scan")
    page.get_by_role("button", name="Choose a folder…").press("Enter")
    expect(page.locator("#chosen")).to_contain_text("3 files")
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "begin":
            page.keyboard.press("Enter")
    expect(page.locator("#scan-end")).to_contain_text("2 photos: 2 looked at.")
    expect(page.locator("#scan-end")).to_contain_text("Of those looked at: 2 named.")
    expect(page.locator("#open-ones")).to_be_hidden()
    page.locator("#left-out summary").press("Enter")
    expect(page.locator("#left-out li")).to_contain_text("new/fay/torn.jpg")
    page.get_by_role("link", name="See the customers").click()
    expect(page.get_by_role("link", name="eva")).to_be_visible()
    page.close()


def test_a_scan_that_was_left_is_shown_and_stopped(browser, server, client, place):
    scan_id = begin(client)
    send(client, scan_id, "anna/left.png", painted("Trouser"))
    page = browser.new_page(base_url=server.address.rstrip("/"))
    page.goto("/scan")
    expect(page.locator("#progress-words")).to_have_text("1 file copied")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#progress-words")).to_contain_text("Stopped")
    expect(page.get_by_role("button", name="Choose a folder…")).to_be_visible()
    assert uploaded(place) == []
    page.close()


def test_folders_are_dropped_with_all_they_hold(browser, server, client, place):
    page = browser.new_page(base_url=server.address.rstrip("/"))
    page.goto("/scan")
    (place / "team" / "gil").mkdir(parents=True)
    (place / "team" / "gil" / "1.png").write_bytes(painted("Pullover"))
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(place / "team")], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        event = {"type": kind, "x": 200, "y": 250, "data": data}
        session.send("Input.dispatchDragEvent", event)
    expect(page.locator("#chosen")).to_contain_text("1 file")
    page.get_by_role("button", name="Scan", exact=True).click()
    expect(page.locator("#scan-end")).to_contain_text("1 photo: 1 looked at.")
    assert store.sightings(place / "t.db", "gil")["source"].tolist() == ["team/gil/1.png"]
    page.close()


def test_a_new_database_says_where_photos_come_from(tmp_path):
    with desk(tmp_path / "new.db", "--create") as running, running.client() as client:
        review, trends = client.get("/review").text, client.get("/trends").text
    assert "No photo waits for a name." in review and "sure of" not in review
    assert "There are no photos yet." in trends and 'href="/scan"' in trends
