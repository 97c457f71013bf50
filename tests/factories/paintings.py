"""Pictures of garments as the classifier of the tests knows them; quick to import."""

from __future__ import annotations

import io

from PIL import Image

from tests.factories.classifier import COLORS
from trendscope.categories import CATEGORIES


def painted(category, size=(120, 160), kind="PNG", **options):
    """A photo: a garment of the category's colour, or of a named colour, on white."""
    color = COLORS[CATEGORIES.index(category)] if category in CATEGORIES else category
    picture = Image.new("RGB", size, "white")
    w, h = size
    picture.paste(color, (w // 4, h // 4, 3 * w // 4, 3 * h // 4))
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()
