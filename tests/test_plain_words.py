"""Words of the field that people who are no programmers need not know are not shown to them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHOWN = (
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "trendscope" / "reports" / "templates").rglob("*.html")),
    *(ROOT / "tests" / "gold" / name for name in ("trends.txt", "trends.md", "profile.txt")),
)
"""What people read: pages, templates, and kept texts of the terminal."""
JARGON = re.compile(r"\b(votes?|trained alike)\b")


def words(text: str) -> str:
    """A text without its code, such as columns of tables, and without a template's commands."""
    code = r"```.*?```|`[^`]*`|<style>.*?</style>|{%.*?%}|{{.*?}}"
    return re.sub(code, " ", text, flags=re.DOTALL)


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_words_are_plain(path):
    assert JARGON.findall(words(path.read_text(encoding="utf-8"))) == []


def test_that_check_can_fail():
    assert JARGON.findall(words("one vote, `votes`, {{ votes }} and weights trained alike")) == [
        "vote",
        "trained alike",
    ]
