"""The result of each photo, and the label that a person may give it.

Pure values and arithmetic: nothing here reads a file, a clock or a network.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Literal

from trendscope.categories import CATEGORIES, letters, match_category
from trendscope.errors import TrendscopeError
from trendscope.skipped import Skipped
from trendscope.text import displayed

if TYPE_CHECKING:
    from trendscope.feeds.post import DateSource
    from trendscope.vision.near_duplicates import ImageFingerprint
    from trendscope.vision.predictions import Box, PhotoPrediction, Prediction, Verdict


@dataclass(frozen=True)
class Garment:
    """One garment in a photo.

    Attributes:
        category: One of the ten.
        confidence: Calibrated probability of the category, 0..1; 1 where a person named it.
        box: Bounding box in pixels of the upright original; None where a person named it and the
            network saw no garment.
        probabilities: All ten categories with their calibrated probabilities, best first, if it is
            one of them; empty if not known.
        outside: Calibrated probability that it is none of the ten, 0..1.
        embedding: The network's view as float32 numbers, little-endian; near for garments that look
            alike; None if not known.
    """

    category: str
    confidence: float
    box: Box | None
    probabilities: tuple[tuple[str, float], ...] = field(default=(), repr=False)
    outside: float = 0.0
    embedding: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Label:
    """What a photo shows, according to a person.

    Attributes:
        categories: Categories of the garments in it, in the order named; empty with a reason.
        reason: ``outside`` (none of the ten) or ``uncertain`` (not even a person can tell); None if
            there are categories.
        boxes: Bounding box of each garment in pixels of the upright original, None where it has
            none; empty if the person only named what is there.
    """

    categories: tuple[str, ...] = ()
    reason: Literal["uncertain", "outside"] | None = None
    boxes: tuple[Box | None, ...] = ()

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


@dataclass(frozen=True, kw_only=True)
class PictureResult:
    """What the network, or a person, sees in one picture, whoever it belongs to.

    Attributes:
        source: Path of the image, as shown to people.
        sha256: Digest of the image's bytes, in hex.
        verdict: ``classified``, ``uncertain`` (a garment, but which?) or ``outside`` (none of the
            ten).
        garments: Garments recognised, in reading order; empty unless ``classified``.
        candidates: Garments of which the network was not sure enough: the surest one of each
            category, best first.
        probabilities: All ten categories with their calibrated probabilities, best first; empty
            where a person named a photo that the weights in use have not judged.
        outside: Calibrated probability that none of the ten is shown, 0..1; 1 or 0 as
            the person says where `probabilities` is empty.
        fingerprint: Hash and colours by which a copy in another size is recognised.
        thumbnail: A small JPEG of the photo, if pictures were requested.
        preview: A larger one, if previews were requested.
        taken_at: The camera's time of the shot; see `trendscope.vision.images.Photo`.
        size: Width and height of the upright original in pixels, the unit of boxes; None if not
            known.
        embedding: The network's view as float32 numbers, little-endian; near for images that look
            alike.
        needed: The confidence in the likeliest category, and that from which on it is named, of a
            photo that the network left open; None where it is not known.
        recalled: True where the result comes from a store, not from the network in this run.
    """

    source: str
    sha256: str
    verdict: Verdict
    garments: tuple[Garment, ...]
    probabilities: tuple[tuple[str, float], ...]
    outside: float
    candidates: tuple[Garment, ...] = ()
    size: tuple[int, int] | None = None
    fingerprint: ImageFingerprint | None = field(default=None, repr=False)
    thumbnail: bytes | None = field(default=None, repr=False)
    preview: bytes | None = field(default=None, repr=False)
    taken_at: datetime | None = field(default=None, repr=False)
    embedding: bytes | None = field(default=None, repr=False)
    needed: tuple[float, float] | None = field(default=None, repr=False, compare=False)
    recalled: bool = field(default=False, repr=False)

    @classmethod
    def of_prediction(
        cls,
        source: str,
        sha256: str,
        prediction: PhotoPrediction,
        scale: tuple[float, float] = (1.0, 1.0),
    ) -> PictureResult:
        """The network's prediction for a picture.

        Args:
            scale: Width and height of a pixel of its boxes, in pixels of the upright original.
        """
        whole, needed = _garment(prediction.whole, scale), prediction.whole.needed
        left_open = needed > 0 and prediction.whole.verdict == "uncertain"
        return cls(
            source=source,
            sha256=sha256,
            verdict=prediction.whole.verdict,
            garments=tuple(_garment(each, scale) for each in prediction.garments),
            candidates=tuple(_garment(each, scale) for each in prediction.candidates),
            probabilities=whole.probabilities,
            outside=whole.outside,
            embedding=whole.embedding,
            needed=(whole.confidence, needed) if left_open else None,
        )

    @classmethod
    def of_sightings(
        cls, source: str, sha256: str, rows: Sequence[Any], candidates: tuple[Garment, ...] = ()
    ) -> PictureResult:
        """A picture's result from its rows in a store, one per garment or one without any.

        Args:
            rows: Rows with the fields ``category``, ``reason``, ``confidence``, ``x0``, ``y0``,
                ``x1``, ``y1``, ``probabilities`` and ``outside``; None where there is nothing.
            candidates: Garments of which the network was not sure enough.
        """
        least = getattr(rows[0], "needed", None)
        surest = max(rows, key=lambda row: row.confidence or 0.0)
        return cls(
            source=source,
            sha256=sha256,
            verdict=surest.reason or "classified",
            garments=tuple(
                Garment(
                    row.category,
                    row.confidence,
                    box_of(row),
                    ranked(row.probabilities) if row.probabilities else (),
                    row.outside,
                )
                for row in rows
                if row.category
            ),
            candidates=candidates,
            probabilities=ranked(surest.probabilities) if surest.probabilities else (),
            outside=surest.outside,
            needed=(surest.confidence, least) if least and surest.reason == "uncertain" else None,
        )

    def posted(
        self, customer: str, post_id: str, posted_at: datetime | None, date_source: DateSource
    ) -> PhotoResult:
        """The result as that of a photo that a customer posted."""
        return PhotoResult(
            customer=customer,
            post_id=post_id,
            posted_at=posted_at,
            date_source=date_source,
            **vars(self),
        )

    @property
    def confidence(self) -> float:
        """Calibrated probability of the best category, 0..1; 0 without probabilities."""
        return self.probabilities[0][1] if self.probabilities else 0.0


@dataclass(frozen=True, kw_only=True)
class PhotoResult(PictureResult):
    """What the network, or a person, sees in one photo of a customer.

    Attributes:
        post_id: The image's identity within the customer.
        posted_at: Aware UTC, None if unknown; the feed's date, else the camera's, else the name's.
        corrected: True where `verdict` and `garments` are a person's; the probabilities stay the
            network's.
    """

    customer: str
    post_id: str
    posted_at: datetime | None
    date_source: DateSource
    corrected: bool = False

    def labelled(self, label: Label) -> PhotoResult:
        """The same photo as a person labels it; the probabilities stay the network's.

        Where the label has no boxes, the first garment named has that of the first one seen. A
        garment looks like the one seen in the box it was given, else like the one of its category.
        """
        garments = tuple(
            Garment(category, 1.0, box, embedding=self._embedding(category, box))
            for category, box in zip_longest(label.categories, label.boxes)
        )
        if garments and self.garments and not label.boxes:
            garments = (replace(garments[0], box=self.garments[0].box), *garments[1:])
        verdict = label.reason or "classified"
        return replace(self, verdict=verdict, garments=garments, corrected=True)

    def _embedding(self, category: str, box: Box | None) -> bytes | None:
        garments = (*self.garments, *self.candidates)
        same_box = [garment for garment in garments if box and garment.box == box]
        similar = same_box or [garment for garment in garments if garment.category == category]
        return similar[0].embedding if similar else None

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
        guess = f"not sure enough; the best guess is {self.probabilities[0][0]}"
        if self.needed is None:
            return guess
        decimals = len({f"{share:.0%}" for share in self.needed}) % 2  # 1 where they look alike
        sure, least = (f"{100 * share:.{decimals}f} %" for share in self.needed)
        return f"{guess}, of which it is {sure} sure and would have to be {least}"


def _garment(prediction: Prediction, scale: tuple[float, float]) -> Garment:
    across, down = scale
    box = prediction.box
    if box is not None:
        x0, y0, x1, y1 = box
        box = round(x0 * across), round(y0 * down), round(x1 * across), round(y1 * down)
    return Garment(
        prediction.category or "",
        prediction.confidence,
        box,
        tuple(prediction.top(len(CATEGORIES))),
        prediction.outside,
        prediction.embedding.astype("<f4").tobytes(),
    )


def box_of(row: Any) -> Box | None:
    """The box of a stored row; None if it has none."""
    return None if row.x0 is None else (row.x0, row.y0, row.x1, row.y1)


def ranked(probabilities: bytes) -> tuple[tuple[str, float], ...]:
    """The ten categories with their probabilities, best first, ties in label order.

    Args:
        probabilities: Ten float32 numbers in label order, little-endian.
    """
    pairs = zip(CATEGORIES, struct.unpack("<10f", probabilities), strict=True)
    return tuple(sorted(pairs, key=lambda pair: -pair[1]))


def packed(probabilities: Sequence[tuple[str, float]]) -> bytes:
    """The form that `ranked` reads."""
    of = dict(probabilities)
    return struct.pack("<10f", *(of[category] for category in CATEGORIES))


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
