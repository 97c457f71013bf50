"""The weekly page in a browser, its words, alternatives for who cannot see, and the command."""

from __future__ import annotations

import base64
import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.factories.pages import HOSTILE, Elements
from tests.factories.photos import MEASURED
from tests.factories.populations import NOW, fill, pictures
from trendscope.categories import CATEGORIES
from trendscope.cli import app
from trendscope.files.writing import encoded
from trendscope.reports import changes, charts, plots, weekly_page
from trendscope.reports.weekly import report_of_store
from trendscope.trends.verdicts import RISING, TOO_FEW
from trendscope.vision.scores import Scores

STYLE = (Path(weekly_page.__file__).parent / "templates" / "charts.css").read_text()


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """150 customers over 30 weeks; dresses have doubled in the last four."""
    db = tmp_path_factory.mktemp("crowd") / "crowd.db"
    fill(str(db), 150, thumbnails=pictures())
    return db


@pytest.fixture(scope="module")
def weekly_report(crowded):
    return report_of_store(crowded, now=NOW)


@pytest.fixture(scope="module")
def page(weekly_report):
    return weekly_page.report_html(weekly_report)


# --- in a browser --------------------------------------------------------------------------------

SIZES = {"phone": (390, 844), "laptop": (1366, 900), "print": (688, 971)}
"""Pixels; on paper, A4 within margins of 14 mm at 96 dots an inch."""


@pytest.fixture
def look(browser, page, tmp_path):
    """Opens the page; gives the tab, what went wrong, and what was asked of the network."""
    path = tmp_path / "report.html"

    def opened(size="laptop", text=page, **options):
        path.write_text(text, encoding="utf-8")
        width, height = SIZES[size]
        tab = browser.new_page(viewport={"width": width, "height": height}, **options)
        wrong, asked = [], []
        tab.on("console", lambda message: wrong.append(message.text))
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("request", lambda request: asked.append(request.url))
        if size == "print":
            tab.emulate_media(media="print")
        tab.goto(path.as_uri())
        tab.wait_for_function("document.readyState === 'complete'")
        return tab, wrong, [url for url in asked if url.split(":")[0] not in ("data", "file")]

    return opened


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_opens_in_a_browser_without_errors_requests_or_overflow(look, size, scheme):
    tab, wrong, asked = look(size, color_scheme=scheme)
    assert (wrong, asked) == ([], [])
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    broken = "[...document.images].filter(image => !image.naturalWidth).length"
    assert tab.evaluate(broken) == 0 and tab.evaluate("document.images.length") > 50


def test_the_check_of_the_browser_can_fail(look, page):
    bad = page.replace("</main>", "<script src='https://example.org/x.js'></script></main>", 1)
    _, wrong, _ = look(text=bad)
    assert any("Content Security Policy" in text for text in wrong)


@pytest.mark.parametrize(("size", "shown"), [("phone", "narrow"), ("laptop", "broad")])
def test_narrow_screens_show_the_narrow_chart(look, size, shown):
    tab, _, _ = look(size)
    visible = {name: tab.locator(f".chart .{name}").is_visible() for name in ("narrow", "broad")}
    assert visible == {name: name == shown for name in visible}


CONTRAST = """() => {
  const parts = (color) => color.match(/[\\d.]+/g).map(Number);
  const linear = (v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = (c) => .2126 * linear(c[0]) + .7152 * linear(c[1]) + .0722 * linear(c[2]);
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const color = parts(getComputedStyle(element).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const tooFaint = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!text || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const ink = element.namespaceURI.endsWith("svg") ? style.fill : style.color;
    const [a, b] = [light(parts(ink)), light(behind(element))];
    const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (contrast < 4.5) tooFaint.push([element.textContent.trim().slice(0, 30), contrast]);
  }
  return tooFaint;
}"""
"""Texts with less contrast to what is behind them than WCAG 2.2 asks for (1.4.3, AA)."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_have_enough_contrast_in_light_and_dark(look, scheme):
    tab, _, _ = look(color_scheme=scheme)
    assert tab.evaluate(CONTRAST) == []


def test_the_check_of_contrast_can_fail(look, page):
    tab, _, _ = look(text=page.replace("--quiet: #5c5c58", "--quiet: #bbbbbb", 1))
    assert len(tab.evaluate(CONTRAST)) > 10


def test_the_keyboard_reaches_the_content_and_the_wide_table(look):
    tab, _, _ = look()
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    assert tab.locator(".wide").get_attribute("tabindex") == "0"


# --- for who cannot see --------------------------------------------------------------------------


class Outline(HTMLParser):
    """Headings, labels, header cells without a scope, and targets of links."""

    def __init__(self, text):
        super().__init__()
        self.levels, self.labels, self.bare, self.ids, self.links = [], [], [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        facts = dict(attributes)
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "svg":
            self.labels.append((facts.get("role"), facts.get("aria-label")))
        if tag == "th" and "scope" not in facts:
            self.bare.append(tag)
        self.ids |= {facts["id"]} if "id" in facts else set()
        if tag == "a":
            self.links.append(facts["href"].removeprefix("#"))


def test_headings_labels_and_links_are_in_order(page):
    outline = Outline(page)
    assert outline.levels[0] == 1 and outline.levels.count(1) == 1
    steps = zip(outline.levels, outline.levels[1:], strict=False)
    assert all(after <= before + 1 for before, after in steps)
    assert outline.bare == [] and set(outline.links) <= outline.ids
    assert '<html lang="en">' in page


def test_no_two_landmarks_have_the_same_name(page):
    landmarks = re.findall(r'<(?:section|div)[^>]* aria-labelledby="([^"]+)"', page)
    assert len(landmarks) == len(set(landmarks)) == 7


def test_charts_and_photos_say_in_words_what_they_show(page, weekly_report):
    latest = weekly_report.summary.judged.groupby("category").tail(1)
    enough = latest.set_index("category")["verdict"] != TOO_FEW
    assert set(enough) == {True, False}
    labels = Outline(page).labels
    assert len(labels) == len(CATEGORIES) + 2  # one together, for wide and narrow pages
    assert {role for role, _ in labels} == {"img"}
    for name, (_, label) in zip(CATEGORIES, labels, strict=False):
        assert label.startswith(f"{name}: share of what customers wear by week, ")
        # The Mondays of 2026-W21, W46 and W50.
        assert "% in the week from 18 May 2026, " in label
        assert "% in that from 9 Nov 2026" in label
        assert ("9 Nov 2026; to be expected in that from 7 Dec 2026: " in label) == enough[name]
    alts = Elements(page).alts
    assert len(alts) > 50 and all(re.match(r"\S.* of customer \d+, \d+ ", alt) for alt in alts)


def test_verdicts_are_told_by_sign_and_word_not_by_colour_alone(page):
    badges = re.findall(r'class="badge [^"]*"><span aria-hidden="true">(.)</span> ([a-z ]+)<', page)
    assert len(badges) == 2 * len(CATEGORIES)
    assert len({sign for sign, _ in badges}) == len({word for _, word in badges})


def test_every_colour_of_a_chart_follows_light_and_dark():
    for name in ("INK", "QUIET", "GRID", "PAPER"):
        shade = getattr(plots, name)
        assert f'="{shade}"]' in STYLE, name


# --- what it says --------------------------------------------------------------------------------


def words(text):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text.split("</style>")[1]))


def test_the_first_card_names_what_has_risen(page, weekly_report):
    sentences = words(page)
    (risen,) = re.findall(r"▲ Has risen (.*?) ▼ Has fallen", sentences)
    assert risen.startswith("Dress rose from about ") and "this may be the season" in risen
    assert " of what customers wear between 18 May 2026 and 15 Nov 2026; " in risen
    assert "▼ Has fallen Nothing, for certain." in sentences
    assert "Data as of 21 Nov 2026, 09:30 UTC:" in sentences
    verdicts = dict(weekly_report.summary.movement.groupby("category")["verdict"].last())
    assert verdicts.pop("Dress") == RISING and RISING not in verdicts.values()


def test_the_counts_of_left_out_photos_add_up(page):
    table = page.split("Every photo is in one row")[1].split("</table>")[0]
    *parts, total = (int(n.replace(",", "")) for n in re.findall(r'number">([\d,]+)<', table))
    assert sum(parts) == total
    assert "1 file not used: video." in words(page)


def test_the_scores_shown_are_those_in_the_header_of_the_weights(page, weekly_report):
    sentences, measured = words(page), weekly_report.summary.scores
    assert f"{100 * measured.precision:.0f} % of these names are right" in sentences
    for group, share in measured.coverage_of.items():
        row = rf">{group}</th>.*?>{100 * share:.0f} %</td><td>(.*?)</td>"
        (remark,) = re.findall(row, page.split('id="sure"')[1])
        assert remark == ("hardly ever" if share < 0.25 else ""), group
    assert ("for want of labelled photos" in sentences) is bool(measured.unmeasured)


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (MEASURED, "the network hardly ever names them"),
        (Scores("w"), "was never measured"),
        (None, "how sure it is cannot be told here"),
    ],
)
def test_the_page_says_when_scores_are_not_known(weekly_report, measured, expected):
    other = replace(weekly_report, summary=replace(weekly_report.summary, scores=measured))
    assert expected in words(weekly_page.report_html(other))


def test_each_panel_shows_the_forecast_and_the_naive_one(weekly_report):
    coming = weekly_report.summary.forecast
    last = coming[coming["category"] == "Bag"].iloc[-1]
    far = weekly_report.summary.forecast.assign(naive_share=0.9)
    for table, slow in ((coming.assign(naive_share=last["share"]), False), (far, True)):
        sentences = weekly_page._ahead(replace(weekly_report.summary, forecast=table), "Bag")
        assert sentences.startswith("To be expected in the week from 7 Dec 2026: ")
        assert ("follows a fresh change slowly" in sentences) is slow


def test_rewording_a_remark_changes_neither_the_cards_nor_the_slides(weekly_report, monkeypatch):
    """What the page says of the season and on slides does not hang on the words of remarks."""

    def slides(report):
        titles = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(charts, "png", lambda chart, title, below: titles.append(title))
            list(weekly_page.report_pngs(report))
        return titles

    season = "Whether a change is more than the season: that needs 60 weeks of history."
    titles, page = slides(weekly_report), words(weekly_page.report_html(weekly_report))
    assert season in page and any(title.startswith("Dress rose from about ") for title in titles)
    monkeypatch.setattr(changes, "remarks", lambda row: ("too early; wait a year",))
    reworded = words(weekly_page.report_html(weekly_report))
    assert "too early; wait a year" in reworded and season in reworded
    assert slides(weekly_report) == titles
    monkeypatch.setattr(changes, "change", lambda rows, unit: "goes up; by half")
    assert "Dress goes up; by half" in slides(weekly_report)


def test_with_few_customers_the_page_gives_no_verdict(tmp_path):
    fill(str(tmp_path / "few.db"), 3, length=3)
    few = report_of_store(tmp_path / "few.db", now=NOW)
    sentences = words(weekly_page.report_html(few))
    assert "Anything of any category: of too few customers a garment was named." in sentences
    assert set(few.summary.movement["verdict"]) == {TOO_FEW}
    assert "No small pictures are kept of these." in sentences


def test_before_the_first_week_is_over(tmp_path):
    fill(str(tmp_path / "early.db"), 3, length=1)
    early = report_of_store(tmp_path / "early.db", now=NOW.replace(day=14))
    sentences = words(weekly_page.report_html(early))
    assert "No week is complete yet" in sentences and "What was left out" in sentences
    assert list(weekly_page.report_pngs(early)) == []


def test_names_are_text_and_never_elements(weekly_report):
    hostile = itertools.cycle(name for name in HOSTILE if name)

    def renamed(name):
        categories = tuple(
            replace(
                category,
                fans=tuple(replace(fan, customer=name()) for fan in category.fans),
                pictures=tuple(replace(p, customer=name()) for p in category.pictures),
            )
            for category in weekly_report.categories
        )
        return weekly_page.report_html(replace(weekly_report, categories=categories))

    page = renamed(lambda: next(hostile))
    assert Elements(page).found == Elements(renamed(lambda: "anna")).found
    assert "\x1b" not in page and "\u202e" not in page
    assert encoded(page).decode() and "&lt;script" in page


def test_small_pictures_have_no_metadata(page):
    data = [base64.b64decode(text) for text in re.findall(r"data:image/jpeg;base64,([^\"]+)", page)]
    assert len(data) > 50
    assert not any(b"Exif" in picture or b"http" in picture for picture in data)


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def run(crowded, tmp_path, monkeypatch):
    monkeypatch.setenv("TRENDSCOPE_KEY", "a key that is long enough")
    monkeypatch.chdir(tmp_path)

    def done(*more, db=crowded):
        words = ["report", "--db", str(db), "--as-of", "2026-11-21", *more]
        return CliRunner().invoke(app, words, prog_name="trendscope")

    return done


def test_the_command_writes_page_and_slides(run, tmp_path, page):
    done = run("-o", "report.html", "--png", "charts")
    assert (done.exit_code, done.stdout) == (0, "")
    lines = done.stderr.splitlines()
    assert len(lines) == 12 and all(line.startswith("Wrote ") for line in lines)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert words(text) == words(page)
    names = {path.name for path in (tmp_path / "charts").iterdir()}
    assert {"shares.png", "dress.png", "t-shirt-top.png"} <= names and len(names) == 11
    with Image.open(tmp_path / "charts" / "dress.png") as picture:
        width, height = picture.size
    assert width > 1600 and abs(width / height - 16 / 9) < 0.01


def test_pseudonymised_pages_name_nobody(run):
    done = run("--pseudonymise", "--pictures", "0")
    assert done.exit_code == 0
    assert "customer-" in done.stdout and not re.search(r"customer \d{4}", done.stdout)
    assert "<img" not in done.stdout


@pytest.mark.parametrize(
    ("more", "code", "expected"),
    [
        (["-o", "missing/report.html"], 2, "create it first"),
        (["--timezone", "Mars"], 2, "--timezone Mars: unknown"),
        (["--since", "2026-11-02", "--until", "2026-11-01"], 2, "--since is later than --until"),
        (["--until", "2019-01-01"], 3, "is of these dates"),
        (["--weights", "fashion-mnist"], 1, "did not judge what"),
        (["--weights", "nothing"], 1, "no weights at nothing"),
        (["-o", "r.html", "--png", "a/b"], 2, "cannot write a/b: there is no folder"),
    ],
)
def test_errors_say_what_to_do_and_leave_no_page(run, tmp_path, more, code, expected):
    done = run(*more)
    assert done.exit_code == code and expected in done.stderr
    assert done.stderr.count("\n") == 1 and done.stdout == ""
    assert not list(tmp_path.glob("*.html"))


def test_the_command_refuses_a_missing_database(run, tmp_path):
    done = run(db=tmp_path / "missing.db")
    assert done.exit_code == 1 and "no trendscope database" in done.stderr
