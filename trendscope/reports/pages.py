"""HTML pages, rendered from the templates beside this module."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from trendscope.categories import color
from trendscope.photos.summary import photos_a_week
from trendscope.reports.boxes import drawing
from trendscope.reports.wording import (
    caveats,
    confidence_of,
    coverage_sentence,
    kind_of,
    price_of,
    stock_of,
    three_best,
    unused_files,
    week_from,
)
from trendscope.text import day, file_name, minute, percent, plural, shown, span

if TYPE_CHECKING:
    from jinja2 import Environment


def page(template: str, **facts: object) -> str:
    """Fills a template; every text is escaped."""
    return _environment().get_template(template).render(**facts)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (
        *(percent, plural, day, minute, span, shown, file_name, color, drawing),
        *(caveats, unused_files, photos_a_week, coverage_sentence, week_from),
        *(kind_of, confidence_of, price_of, stock_of, three_best),
    )
    for function in filters:
        environment.filters[function.__name__] = function
    environment.filters["picture"] = _data_uri
    return environment


def _data_uri(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
