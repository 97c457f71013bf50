"""Names that a page must not run, and a reader of a page's elements."""

from __future__ import annotations

from html.parser import HTMLParser

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "</title></bdi></section>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "<!-- --><![CDATA[",
    "&lt;b&gt;&#x3c;",
    "\u202egnp.exe",
    "\x1b[2J\x1b]0;title\x07",
    "[bold red]markup[/]",
    "line\nbreak\ttab\0nul",
    "\udc80\udcff",
    "Z\u0351\u036b\u0343" * 50,
    '=HYPERLINK("http://x")',
    "",
]

# --- HTML ----------------------------------------------------------------------------------------


class Elements(HTMLParser):
    """Collects elements with the names of their attributes, and the text."""

    def __init__(self, page):
        super().__init__()
        self.found, self.text, self.sources, self.alts = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, tuple(sorted(name for name, _ in attributes))))
        values = dict(attributes)
        self.sources += [values[name] for name in ("src", "href") if name in values]
        if tag == "img":
            self.alts.append(values.get("alt"))

    def handle_data(self, data):
        self.text.append(data)
