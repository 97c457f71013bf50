"""The browser in which pages are looked at: the lightest Chromium that is installed."""

from __future__ import annotations

import shutil

import pytest

PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome")
"""The first draws pages alone; the others start tabs and menus too, a second for each page."""


def installed() -> str:
    """The path of the browser; without one, the test that asks is skipped."""
    paths = (path for program in PROGRAMS if (path := shutil.which(program)))
    return next(paths, None) or pytest.skip(
        "no Chromium is installed (Debian: chromium-headless-shell, or chromium)"
    )


OF_COLOURS = {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]}
"""Axe's rules on which a colour scheme has a bearing."""


def broken_rules(page) -> list[tuple[str, str, str]]:
    """What axe finds on a page: colour scheme, rule, and the first element that breaks it."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    broken = []
    for scheme, options in (("light", {"resultTypes": ["violations"]}), ("dark", OF_COLOURS)):
        page.emulate_media(color_scheme=scheme)
        for rule in axe.run(page, options=options).response["violations"]:
            broken.append((scheme, rule["id"], rule["nodes"][0]["html"]))
    return broken


def catch_file_choosers(page) -> None:
    """Has a page's choosers of files caught from now on, not only while a test waits for one.

    The browser is told of it without an answer: a key that is pressed at once may come first, and
    then nobody hears of the chooser.
    """
    page.on("filechooser", lambda chooser: None)


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    program = installed()
    with playwright.sync_playwright() as run:
        chromium = run.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()
