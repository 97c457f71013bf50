"""The desk walked as its users do, in headless Chromium: at three widths, light and dark."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from playwright import sync_api

from tests.factories.desk import desk, scanned
from tests.factories.photos import painted
from trendscope import store

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed (Debian: chromium)")
expect = sync_api.expect
expect.set_options(timeout=30_000)  # the desk judges at once, but a busy machine may not
LAST_WEEK = datetime.now(UTC) - timedelta(days=7)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Forty customers, each in a dress last week; a photo of anna's nobody can name."""
    root = tmp_path_factory.mktemp("walks")
    for number in range(40):
        path = root / "photos" / ("anna" if number == 0 else f"customer {number:02}")
        path.mkdir(parents=True)
        name = f"IMG_{LAST_WEEK:%Y%m%d}_120000.png"
        (path / name).write_bytes(painted("Dress", (100 + number, 160)))
    for hour in (14, 15):
        more = root / "photos" / "anna" / f"IMG_{LAST_WEEK:%Y%m%d}_{hour}0000.png"
        more.write_bytes(painted("Dress", (200 + hour, 160)))
    unclear = root / "photos" / "anna" / f"IMG_{LAST_WEEK:%Y%m%d}_130000.png"
    unclear.write_bytes(painted("black"))
    scanned(root / "photos", root / "t.db")
    (root / "item.png").write_bytes(painted("Dress", (90, 90)))
    with desk(root / "t.db") as server:
        yield server.address.rstrip("/"), root


@pytest.fixture
def page(browser, address):
    """A page on which no script fails and nothing but the desk is asked for anything."""
    page = browser.new_page(base_url=address[0])
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console", lambda message: wrong.append(message.text) if message.type == "error" else None
    )
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    page.on(
        "request",
        lambda asked: (
            None
            if asked.url.startswith((address[0], "blob:", "data:"))
            else wrong.append(asked.url)
        ),
    )
    yield page
    page.close()
    assert wrong == []


def test_a_photo_is_uploaded_and_judged(page, address):
    page.goto("/try")
    page.set_input_files("#files", [address[1] / "item.png"])
    expect(page.locator(".verdict .word")).to_have_text("Dress")
    expect(page.locator("#progress-words")).to_have_text("1 photo looked at, 1 named")
    expect(page.locator(".verdict .top li")).to_have_count(3)
    expect(page.locator("#together")).to_be_hidden()


def test_photos_that_are_tried_are_summed_up(page, address):
    kinds = ("Dress", "Dress", "Bag", "black", "white")
    page.goto("/try")
    page.set_input_files(
        "#files",
        [
            {
                "name": f"{n}.png",
                "mimeType": "image/png",
                "buffer": painted(kind, (90 + 40 * n, 150)),
            }
            for n, kind in enumerate(kinds)
        ],
    )
    rows = page.locator("#together tr")
    expect(rows).to_have_count(3)
    # Two dresses, a bag, and what the black one may be.
    assert [row.split()[0] for row in rows.all_inner_texts()] == ["Dress", "Bag", "others"]
    assert [row.split()[-1] for row in rows.all_inner_texts()] == ["2", "1", "0"]
    notes = page.locator("#together li").all_inner_texts()
    assert notes[0].startswith("1 photo: not sure which garment it is")
    assert notes[1].startswith("1 photo: shows none of the ten")


def test_an_item_is_added_by_its_photo_and_offered_with_a_reason(page, address):
    page.goto("/catalogue")
    page.set_input_files("#files", address[1] / "item.png")
    page.get_by_label("SKU").fill("A17")
    page.get_by_label("Title").fill("Emma")
    page.get_by_role("button", name="Add and find its category").click()
    expect(page.locator("#added-word")).to_have_text("A17: Dress")
    page.get_by_role("button", name="Confirm Dress").click()
    expect(page.locator('.item[data-sku="A17"]')).to_contain_text("confirmed")
    (item,) = store.items(address[1] / "t.db")
    assert (item.sku, item.category, item.category_source) == ("A17", "Dress", "person")

    page.goto("/customers")
    page.get_by_role("searchbox").fill("ann")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="anna").click()
    offer = page.locator(".offers li")
    expect(offer).to_have_count(1)
    expect(offer.locator("strong")).to_have_text("Emma")
    expect(offer.locator(".why")).to_contain_text("wears dresses in 3 of")


def test_a_label_by_the_keyboard_changes_the_trends_and_u_takes_it_back(page):
    def dresses_and_coats():
        page.goto("/trends")
        return [
            page.get_by_role("row", name=name).first.locator("td").nth(1).inner_text()
            for name in ("Dress", "Coat")
        ]

    coats = page.get_by_role("img", name=re.compile("^Coat: share of customers' votes"))
    assert dresses_and_coats() == ["40 of 40", "0 of 40"]
    drawn_before = coats.get_attribute("aria-label"), coats.locator("path").count()
    page.goto("/review")
    expect(page.locator("#left")).to_have_text("1")
    expect(page.locator("#review-top li")).to_have_count(3)  # The photo is there.
    page.keyboard.press("4")
    expect(page.locator("#review-done")).to_be_visible()
    assert dresses_and_coats() == ["39.8 of 40", "0.2 of 40"]
    assert coats.get_attribute("aria-label") != drawn_before[0]  # The report's chart, drawn anew.
    assert drawn_before[1] > 3

    page.goto("/customer?name=anna")
    page.get_by_role("button", name="Coat").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("button", name="What the network said").click()
    expect(page.get_by_role("heading", name="Not sure")).to_be_visible()
    page.goto("/review")
    expect(page.locator("#left")).to_have_text("1")
    expect(page.locator("#review-top li")).to_have_count(3)  # The photo is there.
    page.keyboard.press("0")
    expect(page.locator("#review-done")).to_be_visible()
    page.keyboard.press("u")
    expect(page.locator("#review")).to_be_visible()
    assert dresses_and_coats() == ["40 of 40", "0 of 40"]


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (820, "dark"), (1360, "light")])
def test_pages_fit_and_every_control_has_a_name(browser, address, width, scheme):
    page = browser.new_page(
        base_url=address[0],
        viewport={"width": width, "height": 844},
        color_scheme=scheme,
    )
    for path in (
        "/try",
        "/scan",
        "/customers",
        "/customer?name=anna",
        "/trends",
        "/catalogue",
        "/review",
    ):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        nameless = page.evaluate(
            """[...document.querySelectorAll('button, a, input, select, img, svg[role]')]
               .filter((e) => e.checkVisibility() && !e.innerText?.trim() && !e.labels?.length
                 && !e.hasAttribute('aria-label') && !e.hasAttribute('alt')).length"""
        )
        assert nameless == 0, path
        assert page.evaluate("document.querySelectorAll('h1').length") == 1
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip", path
    page.close()
