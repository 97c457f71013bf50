"""The result of each photo, and the label that a person may give it.

Pure values and arithmetic: nothing here reads a file, a clock or a network.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from trendscope.categories import CATEGORIES, letters, match_category
from trendscope.errors import TrendscopeError
from trendscope.skipped import Skipped
from trendscope.text import displayed

if TYPE_CHECKING:
    from trendscope.feeds.post import DateSource
    from trendscope.vision.near_duplicates import ImageFingerprint
    from trendscope.vision.predictions import Verdict
    from trendscope.vision.segmentation import Box


@dataclass(frozen=True)
class Garment:
    """One garment in a photo.

    Attributes:
        category: One of the ten.
        confidence: Calibrated probability of the category, 0..1; 1 where a person named it.
        box: Where it is, in pixels of the upright original; None where a person named it and the
            network saw no garment.
    """

    category: str
    confidence: float
    box: Box | None


@dataclass(frozen=True)
class Label:
    """What a photo shows, according to a person.

    Attributes:
        categories: Categories of the garments in it, in the order named; empty with a reason.
        reason: ``outside`` (none of the ten) or ``uncertain`` (not even a person can tell); None if
            there are categories.
    """

    categories: tuple[str, ...] = ()
    reason: Literal["uncertain", "outside"] | None = None

    def __str__(self) -> str:
        return self.reason or "|".join(self.categories)


def label_of(text: str) -> Label:
    """Reads a label: a category, several joined by ``|``, ``outside`` or ``uncertain``.

    Case and signs do not matter: ``t-shirt_top`` is T-shirt/top.

    Raises:
        TrendscopeError: It is none of these; the message lists them.
    """
    plain = letters(text)
    if plain == "outside":
        return Label(reason="outside")
    if plain == "uncertain":
        return Label(reason="uncertain")
    categories = [category for part in text.split("|") if (category := match_category(part))]
    if len(categories) < text.count("|") + 1:
        words = ", ".join((*CATEGORIES, "outside", "uncertain"))
        raise TrendscopeError(f"{displayed(text)[:60]!r} is no label; use {words}")
    return Label(tuple(dict.fromkeys(categories)))


@dataclass(frozen=True)
class PhotoResult:
    """What the network, or a person, sees in one photo.

    Attributes:
        customer: Name of the customer who posted it.
        post_id: The image's identity within the customer.
        source: Path of the image, as shown to people.
        sha256: Digest of the image's bytes, in hex.
        posted_at: Aware UTC, None if unknown; the feed's date, else the camera's, else the name's.
        date_source: Origin of that date.
        verdict: ``classified``, ``uncertain`` (a garment, but which?) or ``outside`` (none of the
            ten).
        garments: Garments recognised; empty unless ``classified``.
        probabilities: All ten categories with their calibrated probabilities, best first; empty
            where a person named a photo that the weights in use have not judged.
        outside: Calibrated probability that none of the ten is shown, 0..1; 1 or 0 as
            the person says where `probabilities` is empty.
        fingerprint: Hash and colours by which a copy in another size is recognised.
        thumbnail: A small JPEG of the photo, if pictures were requested.
        seen: A small JPEG of what the network saw at first look, if pictures were requested.
        taken_at: The camera's time of the shot; see `trendscope.vision.images.Photo`.
        embedding: The network's view as float32 numbers, little-endian; near for images that look
            alike.
        corrected: True where `verdict` and `garments` are a person's; the probabilities stay the
            network's.
        recalled: True where the result comes from a store, not from the network in this run.
    """

    customer: str
    post_id: str
    source: str
    sha256: str
    posted_at: datetime | None
    date_source: DateSource
    verdict: Verdict
    garments: tuple[Garment, ...]
    probabilities: tuple[tuple[str, float], ...]
    outside: float
    fingerprint: ImageFingerprint | None = field(default=None, repr=False)
    thumbnail: bytes | None = field(default=None, repr=False)
    seen: bytes | None = field(default=None, repr=False)
    taken_at: datetime | None = field(default=None, repr=False)
    embedding: bytes | None = field(default=None, repr=False)
    corrected: bool = False
    recalled: bool = field(default=False, repr=False)

    def labelled(self, label: Label) -> PhotoResult:
        """The same photo as a person labels it; the probabilities stay the network's."""
        boxes = [garment.box for garment in self.garments]
        boxes += [None] * len(label.categories)
        pairs = zip(label.categories, boxes, strict=False)
        return replace(
            self,
            verdict=label.reason or "classified",
            garments=tuple(Garment(category, 1.0, box) for category, box in pairs),
            corrected=True,
        )

    @property
    def confidence(self) -> float:
        """Calibrated probability of the best category, 0..1; 0 without probabilities."""
        return self.probabilities[0][1] if self.probabilities else 0.0

    @property
    def explanation(self) -> str:
        """Why no category was given, as a plain sentence; empty where one was."""
        if self.verdict == "classified":
            return ""
        if self.corrected:
            outside = self.verdict == "outside"
            return "none of the ten, says a person" if outside else "a person could not tell"
        if self.verdict == "outside":
            return "none of the ten categories is seen"
        return f"not sure enough; the best guess is {self.probabilities[0][0]}"


@dataclass(frozen=True)
class Classification:
    """One result per photo, in the order of the feed; skipped items keep their place."""

    weights: str
    photos: tuple[PhotoResult | Skipped, ...]

    @property
    def readings(self) -> tuple[PhotoResult, ...]:
        """The photos that were judged."""
        return tuple(photo for photo in self.photos if isinstance(photo, PhotoResult))

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """The items that could not be used."""
        return tuple(photo for photo in self.photos if isinstance(photo, Skipped))
