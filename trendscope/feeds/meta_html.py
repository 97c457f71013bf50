"""Reads the web pages of an export in HTML, as far as that is possible.

A page shows photos and, below them, the date: in the account's language and local time, without
saying which. A date that is not understood for certain counts as none. Layout and class names
change; only the order of photos and dates is relied on.
"""

from __future__ import annotations

import re
from datetime import datetime
from html.parser import HTMLParser

from trendscope.feeds.dates import written_date
from trendscope.feeds.meta_json import Entry, Index, kind_of_file
from trendscope.feeds.request import Request
from trendscope.files.trees import Tree
from trendscope.text import composed

PAGES = (".html", ".htm")

ADVICE = (
    "this export came as web pages: dates may be missing or hours off, and some photos may be "
    "lost; ask Instagram or Facebook for the JSON format instead"
)

_MEDIA = re.compile(r"^(?!\w+:)(.*/)?(media|photos|photos_and_videos)/.")


def read_page(tree: Tree, name: str, request: Request) -> Index:
    """The photos that a page shows; none for a page of another kind."""
    reader = _Reader(request)
    reader.feed(tree.read_text(name, request.limits.json_bytes) or "")
    reader.close()
    kind = kind_of_file(name)
    moments = {**dict.fromkeys(reader.waiting), **reader.dated}
    entries = (
        Entry(uri, (moment.isoformat(),) if moment else (), kind) for uri, moment in moments.items()
    )
    return Index(name, tuple(entries), facebook="facebook" in name, page=True)


class _Reader(HTMLParser):
    """Gives each photo the next date that follows it."""

    def __init__(self, request: Request):
        super().__init__()
        self.dated: dict[str, datetime] = {}
        self.waiting: list[str] = []
        self._request = request

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        place = dict(attrs).get({"img": "src", "a": "href", "video": "src"}.get(tag, "")) or ""
        if _MEDIA.match(place) and not place.lower().endswith((*PAGES, ".srt")):
            self.waiting.append(composed(place))

    def handle_data(self, data: str) -> None:
        moment = written_date(data, self._request.latest, self._request.zone)
        if moment:
            self.dated.update(dict.fromkeys(self.waiting, moment))
            self.waiting.clear()
