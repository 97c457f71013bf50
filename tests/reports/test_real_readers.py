"""Reports with hostile names in a real spreadsheet, browser and terminal, where installed."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as XML
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.factories import browser
from tests.factories.photos import painted
from trendscope.files.cells import defused

HOME = Path(__file__).parents[2]
OWNED = "document.title='owned'"
NAMES = [
    '=HYPERLINK("http://x.invalid","click")',
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1,1)",
    "'=1+1",
    "\uff1d1+1",
    f"<script>{OWNED}</script>",
    f'"><img src=x onerror="{OWNED}">',
    f"</style></title><svg onload={OWNED}>",
    f"javascript:{OWNED}",
    "{{ 7 * 7 }}",
    "\x1b]2;owned\x07\x1b[2J",
    "\u202egnp.exe",
]
"""Of customers and, without slashes and colons, of files."""


@pytest.fixture(scope="module")
def feed(tmp_path_factory):
    """A manifest of customers with such names, and photos with such names."""
    root = tmp_path_factory.mktemp("feed")
    table = io.StringIO()
    lines = csv.writer(table)
    lines.writerow(("customer", "taken_at", "image"))
    for number, name in enumerate(NAMES):
        image = re.sub("[/:]", "_", name) + ".png"
        (root / image).write_bytes(painted("Bag", (40 + number, 40)))
        lines.writerow((name, "2026-09-01", image))
    (root / "list.csv").write_text(table.getvalue(), encoding="utf-8")
    (root / "=1+1.txt").write_text("skipped")
    return root


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "tests.factories.classifier", *map(str, arguments)]


def installed(program: str) -> str:
    return shutil.which(program) or pytest.skip(f"{program} is not installed")


# --- a spreadsheet -------------------------------------------------------------------------------


def cells(path: Path, place: Path) -> list[tuple[str | None, str]]:
    """The formula, if any, and the text of every cell, as LibreOffice understands a file."""
    home = f"-env:UserInstallation=file://{place}/profile"
    table_of = "--infilter=CSV:44,34,76"  # comma, double quote, UTF-8
    convert = [installed("soffice"), home, "--headless", table_of, "--convert-to", "fods"]
    subprocess.run([*convert, "--outdir", place, path], check=True, capture_output=True)
    table = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
    tree = XML.parse(place / f"{path.stem}.fods")
    return [
        (cell.get(f"{table}formula"), "".join(cell.itertext()).strip())
        for cell in tree.iter(f"{table}table-cell")
    ]


def test_a_spreadsheet_sees_no_formula(feed, tmp_path):
    report = tmp_path / "report.csv"
    subprocess.run(command("profile", feed, "--csv", "-o", report), check=True, cwd=HOME)
    values = cells(report, tmp_path)
    assert [formula for formula, _ in values if formula] == []
    texts = {text for _, text in values}
    for name in NAMES[:7]:
        assert {defused(name), defused(name).removeprefix("'")} & texts, name


def test_the_check_of_the_spreadsheet_can_fail(tmp_path):
    path = tmp_path / "bare.csv"
    path.write_text("=1+1,x\n")
    assert cells(path, tmp_path)[:2] == [("of:=1+1", "2"), (None, "x")]


# --- a browser -----------------------------------------------------------------------------------


class Page(HTMLParser):
    """The elements of a page with their attributes' names, and its title."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.feed(text)
        self.title = re.search(r"<title>(.*?)</title>", text, re.DOTALL)[1]

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, tuple(sorted(name for name, _ in attributes))))


def opened(path: Path, place: Path) -> Page:
    """A page as Chromium has it after it was loaded and all its scripts have run."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={place}/profile"]
    words = [browser.installed(), *options, "--virtual-time-budget=2000", "--dump-dom"]
    done = subprocess.run([*words, f"file://{path}"], check=True, capture_output=True)
    return Page(done.stdout.decode())


def test_a_browser_sees_text_only(feed, tmp_path):
    report = tmp_path / "report.html"
    subprocess.run(command("profile", feed, "--html", report, "-q"), check=True, cwd=HOME)
    page = opened(report, tmp_path)
    assert page.title != "owned"
    assert "script" not in {tag for tag, _ in page.elements}
    named = {name for _, names in page.elements for name in names}
    assert not any(name.startswith("on") for name in named)
    # What was written is what is there: nothing was opened or closed by a name.
    own = [element for element in page.elements if element != ("tbody", ())]  # browsers add that
    assert own == Page(report.read_text("utf-8")).elements


def test_the_check_of_the_browser_can_fail(tmp_path):
    path = tmp_path / "bare.html"
    for name in NAMES[7:10]:
        path.write_text(f"<html><head><title>x</title></head><body><p>{name}</p></body></html>")
        assert opened(path, tmp_path).title == "owned"


# --- a terminal ----------------------------------------------------------------------------------


def shown(shell: str, place: Path) -> tuple[str, str]:
    """The title and the screen of a terminal (tmux) after a command has run in it."""
    tmux = [installed("tmux"), "-S", str(place / "socket"), "-f", "/dev/null"]
    done = place / "done"
    script = place / "script"
    script.write_text(f"printf '\\033]2;before\\007'; {shell}; touch {done}; sleep 60")
    subprocess.run(
        [*tmux, "new-session", "-d", "-x", "200", "-y", "200", f"sh {script}"], check=True, cwd=HOME
    )
    try:
        for _ in range(600):
            if done.exists():
                break
            time.sleep(0.1)
        time.sleep(0.2)
        title = subprocess.check_output([*tmux, "display-message", "-p", "#{pane_title}"])
        screen = subprocess.check_output([*tmux, "capture-pane", "-p"])
    finally:
        subprocess.run([*tmux, "kill-server"])
    return title.decode().strip(), screen.decode()


def test_a_terminal_obeys_no_name(feed, tmp_path):
    words = " ".join(f"'{word}'" for word in command("profile", feed, "-v"))
    title, screen = shown(f"echo first line; {words}", tmp_path)
    assert title == "before"
    assert screen.startswith("first line\n")
    assert "\\x1b]2;owned\\x07\\x1b[2J" in screen and "=1+1.txt" in screen


def test_the_check_of_the_terminal_can_fail(tmp_path):
    (tmp_path / "name").write_text(NAMES[12])
    title, screen = shown(f"echo first line; cat {tmp_path}/name", tmp_path)
    assert title == "owned" and "first line" not in screen
