"""Sightings and shelves whose likenesses can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd


def look(degrees, size=1.0):
    """A view of two numbers: the angle between two views is the difference of their degrees."""
    angle = math.radians(degrees)
    return (size * np.array([math.cos(angle), math.sin(angle)])).astype("<f4").tobytes()


def photo(customer, category, day=None, degrees=45.0, confidence=1.0, name=None):
    """A row of sightings; `degrees` of None stands for a photo whose view was not kept."""
    name = name or f"{customer}-{category}-{day}-{degrees}.jpg"
    return {
        "customer": customer,
        "posted_at": pd.Timestamp(day, tz="UTC") if day else pd.NaT,
        "category": category,
        "confidence": confidence,
        "sha256": f"sha of {name}",
        "source": f"feeds/{customer}/{name}",
        "embedding": None if degrees is None else look(degrees),
    }


def sightings(*rows):
    table = pd.DataFrame(rows, columns=list(photo("", "")))
    return table.assign(posted_at=pd.to_datetime(table["posted_at"], utc=True))


def item(sku, category="Dress", degrees=45.0, **more):
    """A row of a shelf; `degrees` of None stands for an item without a picture."""
    row = {
        "sku": sku,
        "title": f"Title of {sku}",
        "category": category,
        "price": 20.0,
        "currency": "EUR",
        "in_stock": True,
        "review": "",
        "embedding": None if degrees is None else look(degrees),
    }
    return {**row, **more}


def shelf(*rows):
    return pd.DataFrame(rows, columns=list(item("")))
