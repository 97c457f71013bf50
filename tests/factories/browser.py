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


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    program = installed()
    with playwright.sync_playwright() as run:
        chromium = run.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()
