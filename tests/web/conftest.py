"""The browser in which the tests of the desk walk through its pages."""

from __future__ import annotations

import shutil

import pytest
from playwright import sync_api


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield chromium
        chromium.close()
