"""The desk walked as its users do, in headless Chromium: at three widths, light and dark."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright import sync_api
from typer.testing import CliRunner

from tests.factories.browser import broken_rules
from tests.factories.desk import desk, scanned
from tests.factories.photos import painted
from trendscope import store
from trendscope.cli import app
from trendscope.ingest.catalog import add

expect = sync_api.expect
expect.set_options(timeout=30_000)  # the desk judges at once, but a busy machine may not
PATHS = (
    "/try",
    "/scan",
    "/customers",
    "/customer?name=anna",
    "/trends",
    "/catalogue",
    "/review",
    "/targets?category=Dress",
    "/customers?category=Dress&sort=photos",
)
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
    # Of a 409, by which the desk asks before it overwrites, the browser itself tells.
    asked = "status of 409"
    page.on(
        "console",
        lambda message: (
            wrong.append(message.text)
            if message.type == "error" and asked not in message.text
            else None
        ),
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

    coats = page.get_by_role("img", name=re.compile("^Coat: share of what customers wear"))
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


def test_a_stylist_finds_a_customer_by_what_is_worn_and_when(page):
    page.goto("/customers")
    page.get_by_label("Wear").select_option("Dress")
    page.get_by_label("Posted").select_option(index=1)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("40 customers with photos, of those asked for.")).to_be_visible()
    page.get_by_role("link", name="Most photos").click()
    first = page.locator(".person").first
    expect(first).to_contain_text("anna")
    share = re.search(r"Dress (\d+ %)", first.inner_text())[1]
    first.click()
    expect(page.get_by_role("row", name="Dress")).to_contain_text(share)


def test_marketing_downloads_whom_to_write_to_about_an_item(page, address, tmp_path):
    item = {"sku": "M1", "title": "Summer dress"}
    add(None, address[1] / "t.db", **item)
    page.goto("/trends")
    page.locator(".trend-table").get_by_role("link", name="Dress").click()
    expect(page.get_by_role("heading", name="Whom to offer Dress to")).to_be_visible()
    expect(page.locator(".person").first).to_contain_text("anna")
    page.get_by_role("link", name="← Catalogue").click()
    page.keyboard.press("/")
    page.keyboard.type("summer")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Summer dress").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Mailing list (CSV)").click()
    download.value.save_as(tmp_path / "mail.csv")
    words = ["recommend", "--db", str(address[1] / "t.db"), "--sku", "M1", "--csv", "-q"]
    assert (tmp_path / "mail.csv").read_text() == CliRunner().invoke(app, words).stdout
    assert "anna" in (tmp_path / "mail.csv").read_text()


def test_an_item_is_changed_removed_and_brought_back_by_the_keyboard(page, address):
    db = address[1] / "t.db"
    add(None, db, sku="K1", title="Wool coat", price="99.00 EUR")

    def stored():
        return [(item.title, item.in_stock) for item in store.items(db, ["K1"])]

    page.goto("/item?sku=K1")
    page.get_by_label("Stock").select_option("out of stock")
    page.get_by_label("Title").fill("Wool coat, long")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("K1: saved.")
    assert stored() == [("Wool coat, long", False)]
    page.keyboard.press("u")
    expect(page.locator("#said")).to_have_text("Taken back.")
    assert stored() == [("Wool coat", None)]
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("#said")).to_contain_text("K1: removed.")
    assert stored() == []
    page.get_by_role("button", name="Undo").click()
    expect(page.locator('.item[data-sku="K1"]')).to_be_visible()
    assert stored() == [("Wool coat", None)]

    page.get_by_label("SKU").fill("K1")
    page.get_by_label("Title").fill("Something else")
    page.keyboard.press("Enter")
    expect(page.locator("#replace-why")).to_have_text("K1 is there already: Wool coat.")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#replace")).to_be_hidden()
    assert stored() == [("Wool coat", None)]
    page.get_by_role("heading", name="Catalogue").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("undo the last change")


def test_print_keeps_every_column_and_cuts_no_card(page):
    page.goto("/trends")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 690, "height": 1000})  # A4 between margins
    table = page.locator(".trend-table")
    assert table.evaluate("(e) => e.getBoundingClientRect().right <= innerWidth")
    shown = "(all) => all.length > 5 && all.every((e) => e.checkVisibility())"
    assert table.locator("thead th").evaluate_all(shown)
    assert page.locator("form, .bar, .files").evaluate_all(
        "(all) => all.every((e) => !e.checkVisibility())"
    )
    in_one_line = "(all) => all.length > 5 && all.every((e) => e.getClientRects().length === 1)"
    assert table.locator(".badge").evaluate_all(in_one_line)
    page.goto("/targets?category=Dress")
    expect(page.get_by_role("link", name="← Catalogue")).to_be_hidden()
    page.goto("/customers")
    kept = "(all) => all.map((e) => getComputedStyle(e).breakInside)"
    assert {*page.locator(".person").evaluate_all(kept)} == {"avoid"}


@pytest.mark.parametrize("width", [375, 768, 960, 1280])
def test_the_table_of_trends_is_cut_at_no_width(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/trends")
    cells = page.locator(".trend-table tbody :is(th, td):not(:empty)")
    assert cells.count() >= 40  # ten categories, four cells each at least
    inside = """(all) => all.every((e) => {
      const { left, right } = e.getBoundingClientRect();
      return left >= 0 && right <= document.documentElement.clientWidth;
    })"""
    assert cells.evaluate_all(inside)
    if width < 800:  # Each card names its figures.
        name = "(e) => getComputedStyle(e, '::before').content"
        assert page.locator(".trend-table td").first.evaluate(name) == '"share (95 %)"'


# The other pages are looked at where the keyboard walks them.
@pytest.mark.parametrize("path", ["/review", "/customers?category=Dress&sort=photos"])
def test_no_page_breaks_a_rule_of_accessibility_in_light_or_dark(browser, address, path):
    page = browser.new_page(base_url=address[0])
    page.goto(path)
    broken = broken_rules(page)
    page.close()
    assert broken == []


MOST_BYTES = 500_000


@pytest.mark.parametrize("path", PATHS)
def test_no_page_is_heavy_before_its_pictures(browser, address, path):
    page = browser.new_page(base_url=address[0])
    sizes = {}

    def weigh(answer):
        if "image/jpeg" not in answer.headers.get("content-type", ""):
            sizes[answer.url] = len(answer.body())

    page.on("requestfinished", lambda asked: weigh(asked.response()))
    page.goto(path)
    page.wait_for_load_state("networkidle")
    page.close()
    assert len(sizes) >= 3 and sum(sizes.values()) < MOST_BYTES


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (820, "dark"), (1360, "light")])
def test_pages_fit_and_every_control_has_a_name(browser, address, width, scheme):
    page = browser.new_page(
        base_url=address[0],
        viewport={"width": width, "height": 844},
        color_scheme=scheme,
    )
    for path in PATHS:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        cut = "(e) => e.scrollWidth - e.clientWidth"
        assert page.locator(".bar nav").evaluate(cut) <= 0, path
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
