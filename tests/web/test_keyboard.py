"""Every page of the desk by the keyboard alone, in headless Chromium."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from playwright import sync_api

from tests.factories.browser import broken_rules, catch_file_choosers
from tests.factories.desk import desk, scanned
from tests.factories.photos import painted
from trendscope import store
from trendscope.ingest.catalog import add

expect = sync_api.expect
TOKEN = "a long enough token"
POSTED = datetime.now(UTC) - timedelta(days=7)
PAGES = (
    "/try",
    "/scan",
    "/customers",
    "/customers?search=nobody",
    "/customer?name=anna",
    "/customer?name=zoe",
    "/trends",
    "/catalogue",
    "/item?sku=K1",
    "/targets?category=Dress",
    "/review?search=ann",
    "/nowhere",
    "/customer?name=nobody",
    "/customers?category=Hat",
)
PRINTED = (
    *("/customers", "/customer?name=anna", "/trends", "/catalogue", "/item?sku=K2"),
    "/targets?category=Dress",
)
WITHOUT_PHOTOS = ("/customers", "/trends", "/catalogue", "/review", "/targets?category=Dress")

STOPS = """() => {
  const around = document.querySelector("dialog[open]") ?? document;
  const names = "a[href], button, input, select, summary, textarea, [tabindex='0']";
  const all = [...around.querySelectorAll(names)].filter((it) => !it.disabled
    && it.checkVisibility({ visibilityProperty: true }) && it.type !== "hidden");
  all.forEach((it, place) => (it.dataset.stop = place));
  return all.length;
}"""
"""Numbers all that can be operated, on the page or in its open dialog."""

FOCUSED = """() => {
  const it = document.activeElement;
  if (!it.dataset.stop) return null;
  const shown = it.matches(".hidden-input") ? it.labels[0] : it;
  const { outlineStyle, outlineWidth, outlineOffset } = getComputedStyle(shown);
  const reach = parseFloat(outlineWidth) + parseFloat(outlineOffset);
  const { left, top, right, bottom } = shown.getClientRects()[0];
  const middle = (low, high, end) => (Math.max(low, 0) + Math.min(high, end)) / 2;
  const place = [middle(left, right, innerWidth), middle(top, bottom, innerHeight)];
  const over = document.elementFromPoint(...place);
  const faults = [];
  if (outlineStyle === "none" || parseFloat(outlineWidth) < 2) faults.push("has no outline");
  if (!shown.contains(over)) faults.push(`lies under ${over?.outerHTML.slice(0, 60)}`);
  for (let box = shown.parentElement; box; box = box.parentElement) {
    const edge = box.getBoundingClientRect();
    const cut = top - reach < edge.top || bottom + reach > edge.bottom;
    const cuts = box !== document.documentElement && getComputedStyle(box).overflowY !== "visible";
    if (cut && cuts) faults.push("has its outline cut off");
  }
  return [Number(it.dataset.stop), faults.map((fault) => `${it.outerHTML.slice(0, 90)} ${fault}`)];
}"""
"""The number of what has the focus, and why that cannot be seen; null for the page itself."""

PRINTING = """() => {
  globalThis.printed = 0;
  globalThis.print = () => {
    printed += 1;
    dispatchEvent(new Event("beforeprint"));
  };
}"""
"""Counts how often the page is printed, instead of asking for a printer."""


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """26 customers in dresses, two photos nobody can name, none of zoe's, three items."""
    root = tmp_path_factory.mktemp("keyboard")
    name = f"IMG_{POSTED:%Y%m%d}_120000.png"
    for number in range(26):
        path = root / "photos" / ("anna" if number == 0 else f"customer {number:02}")
        path.mkdir(parents=True)
        (path / name).write_bytes(painted("Dress", (100 + number, 160)))
    for number in range(3):
        path = root / "photos" / "anna" / f"IMG_{POSTED:%Y%m%d}_13000{number}.png"
        path.write_bytes(painted("Dress" if number else "black", (200 + number, 160)))
    later = root / "photos" / "customer 02" / f"IMG_{POSTED:%Y%m%d}_140000.png"
    later.write_bytes(painted("black", (300, 160)))
    (root / "photos" / "zoe").mkdir()
    (root / "photos" / "zoe" / "clip.mp4").write_bytes(b"no picture")
    scanned(root / "photos", root / "t.db")
    for sku, more in (("K1", {"in_stock": False}), ("K2", {"url": "https://shop.example/2"})):
        add(None, root / "t.db", sku=sku, title="Summer dress", price="59.90 EUR", **more)
    add(None, root / "t.db", sku="K3", title="Emma")
    (root / "cities.csv").write_text("customer,segment\nanna,Oslo\n")
    (root / "item.png").write_bytes(painted("Dress", (90, 90)))
    return root


@pytest.fixture(scope="module")
def full(root):
    options = ("--segments", str(root / "cities.csv"), "--folder", str(root / "photos"))
    with desk(root / "t.db", *options) as server:
        yield server.address.rstrip("/")


@pytest.fixture(scope="module")
def empty(root):
    """A desk that asks for a token, and whose database holds nothing."""
    with desk(root / "new.db", "--create", TRENDSCOPE_TOKEN=TOKEN) as server:
        yield server.address.rstrip("/")


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    page.close()
    assert wrong == []


def walk(page):
    """Goes through all that can be operated and back, and asserts that each has its turn."""
    count = page.evaluate(STOPS)
    for key in ("Tab", "Shift+Tab"):
        order, faults = [], []
        for _ in range(count + 2):
            page.keyboard.press(key)
            if (now := page.evaluate(FOCUSED)) is not None:
                order.append(now[0])
                faults += now[1]
        assert "\n".join(faults) == "", page.url
        assert {*order} == {*range(count)}, page.url
        step = 1 if key == "Tab" else -1
        assert all((b - a) % count == step % count for a, b in pairwise(order))
    return count


def focus(page, role, name, **more):
    """Gives something the focus as Tab does, with what is seen of it."""
    wanted = page.get_by_role(role, name=name, **more)
    for _ in range(page.evaluate(STOPS) + 1):
        page.keyboard.press("Tab")
        if wanted.evaluate_all("(all) => all.includes(document.activeElement)"):
            return wanted
    raise AssertionError(f"{name} has no turn")


@pytest.mark.parametrize("path", PAGES)
def test_all_of_a_page_is_reached_and_seen_to_be(page, full, path):
    page.goto(full + path)
    page.wait_for_load_state("networkidle")
    page.locator("summary").evaluate_all(
        "(all) => all.forEach((it) => (it.parentElement.open = true))"
    )
    least = 1 if page.locator("body.alone").count() else 10
    assert walk(page) >= least
    assert broken_rules(page) == [], page.url


def test_a_desk_without_photos_is_entered_and_read(page, empty):
    page.goto(empty + "/trends")
    walk(page)
    assert broken_rules(page) == [], page.url
    page.get_by_label("Token").focus()
    page.keyboard.type("another token of this length")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("That is another token.")
    walk(page)
    assert broken_rules(page) == [], page.url
    assert page.evaluate("document.activeElement.id") == "token"
    page.keyboard.type(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{empty}/try")
    for path in WITHOUT_PHOTOS:
        page.goto(empty + path)
        assert walk(page) >= 9, path
        assert broken_rules(page) == [], page.url


def closes_by_escape(page, dialog):
    """Goes through an open dialog, closes it, and expects the focus where it was before."""
    expect(dialog).to_be_visible()
    walk(page)
    assert broken_rules(page) == [], page.url
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


@pytest.mark.parametrize(
    ("path", "role", "name", "dialog"),
    [
        ("/try", "button", "Keys", "Keys"),
        ("/catalogue", "button", "Change category", "Which category is it?"),
        ("/customer?name=anna", "button", "Dress", "What does it show?"),
    ],
)
def test_a_dialog_is_gone_through_and_left(page, full, path, role, name, dialog):
    page.goto(full + path)
    opener = focus(page, role, name).and_(page.locator(":focus"))
    page.evaluate("opener = document.activeElement")
    page.keyboard.press("Space")
    closes_by_escape(page, page.get_by_role("dialog", name=dialog))
    assert page.evaluate("document.activeElement === opener"), opener


def test_every_page_says_which_keys_it_has(page, full):
    page.goto(full + "/review")
    focus(page, "button", "Keys")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog.get_by_role("definition")).to_contain_text(
        ["name it by its category", "none of the ten", "cannot be told", "add a garment"]
    )
    expect(dialog).to_contain_text("skip the photo")
    page.keyboard.press("Enter")  # Close has the focus.
    expect(dialog).to_be_hidden()
    page.keyboard.press("?")
    expect(dialog).to_be_visible()


def test_files_are_chosen_by_space(page, full, root):
    catch_file_choosers(page)
    for path in ("/try", "/scan", "/catalogue"):
        page.goto(full + path)
        page.locator("#files").focus()
        with page.expect_file_chooser() as chooser:
            page.keyboard.press("Space")
        assert chooser.value.element.get_attribute("id") == "files"
    page.goto(full + "/try")
    page.locator("#files").focus()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(root / "item.png")
    expect(page.locator(".verdict .word")).to_have_text("Dress", timeout=60_000)
    focus(page, "button", "item.png")
    page.keyboard.press("Enter")
    closes_by_escape(page, page.get_by_role("dialog"))


def test_a_list_is_filtered_sorted_and_turned_over(page, full):
    page.goto(full + "/customers")
    focus(page, "combobox", "Wear")
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    focus(page, "button", "Show")
    page.keyboard.press("Space")
    page.wait_for_url(re.compile("category=Dress"))
    focus(page, "link", "Most photos")
    page.keyboard.press("Enter")
    expect(page.locator(".person").first).to_contain_text("anna")
    focus(page, "link", "Next →")
    page.keyboard.press("Enter")
    expect(page.locator(".pager")).to_contain_text("2 of 2")
    expect(page.locator(".person")).to_have_count(2)


def test_weeks_are_chosen_and_notes_opened(page, full):
    page.goto(full + "/trends?weeks=8")
    focus(page, "combobox", "Weeks")
    page.keyboard.press("ArrowDown")
    focus(page, "button", "Show")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("weeks=12"))
    page.locator("summary").focus()
    slide = page.locator("details").get_by_role("link", name="Dress", include_hidden=True)
    expect(slide).to_be_hidden()
    page.keyboard.press("Space")
    expect(slide).to_be_visible()
    page.keyboard.press("Enter")
    expect(slide).to_be_hidden()


@pytest.mark.parametrize("path", PRINTED)
def test_print_is_a_button_and_opens_what_is_folded(page, full, path):
    page.goto(full + path)
    page.evaluate(PRINTING)
    focus(page, "button", "Print")
    page.keyboard.press("Space")
    assert page.evaluate("printed") == 1
    assert page.locator("main details:not([open])").count() == 0


def test_an_item_is_marked_out_of_stock_and_the_mark_taken_back(page, full, root):
    def stock():
        return [item.in_stock for item in store.items(root / "t.db", ["K2"])]

    page.goto(full + "/catalogue")
    item = page.locator('.item[data-sku="K2"]')
    for name, mark, after in (("out of", "out of stock", False), ("in", "in stock again", True)):
        item.get_by_role("button", name=f"Mark {name} stock").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#said")).to_contain_text(f"K2: {mark}.")
        assert stock() == [after]
        expect(item.locator("b")).to_have_count(0 if after else 1)
    page.keyboard.press("u")
    expect(page.locator("#said")).to_have_text("Taken back.")
    assert stock() == [False]


def test_review_is_of_the_customers_searched_for_and_names_the_day(page, full):
    page.goto(full + "/review?search=ann")
    day = f"{POSTED.day} {POSTED:%b %Y}"
    expect(page.locator("#review figcaption")).to_have_text(f"anna {day}")
    page.keyboard.press("s")
    expect(page.locator("#review-done")).to_be_visible()
    page.keyboard.press("u")
    expect(page.locator("#review")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.press("Control+A")
    page.keyboard.type("customer 01")
    page.keyboard.press("Enter")
    expect(page.locator("#review-lead")).to_contain_text("No photo of such a customer waits.")
    expect(page.locator("#review")).to_be_hidden()
    page.get_by_role("link", name="All photos that wait").press("Enter")
    expect(page.locator("#review-who")).to_have_text("customer 02")
    expect(page.locator("#left")).to_have_text("2")


def test_a_refusal_leads_back_to_the_first_page(page, full):
    page.goto(full + "/nowhere")
    focus(page, "link", "To the first page")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("What does the network see?")
