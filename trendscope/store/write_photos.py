"""Writing scans and their results.

Each function works within the caller's transaction, which writes alone: what it looks up first
cannot change before it is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, delete, exists, func, insert, or_, select, tuple_, update

from trendscope.errors import StoreError
from trendscope.feeds.customers import CustomerNames
from trendscope.limits import Limits
from trendscope.photos.results import PhotoResult, packed
from trendscope.skipped import Skipped
from trendscope.store.memory import Stamp, limits_key
from trendscope.store.schema import (
    accounts,
    box_columns,
    candidates,
    customers,
    embeddings,
    images,
    looks,
    photos,
    previews,
    scans,
    sightings,
    skips,
    thumbnails,
    to_moment,
)
from trendscope.store.statements import ids_of, insert_rows, text_of, update_rows
from trendscope.store.weights import check_weights
from trendscope.vision.near_duplicates import ImageFingerprint

StampedResult = tuple[Stamp, PhotoResult | Skipped]
"""The stamp of a feed's item, and its result."""


@dataclass(frozen=True)
class ScanCounts:
    """The progress of a scan.

    Attributes:
        judged: Number of photos that were judged.
        recognised: Number of photos known by their bytes, in a new place or with a new date.
        unchanged: Number of photos known by their place.
        skipped: Number of items that were not used, whether known before or not.
    """

    judged: int = 0
    recognised: int = 0
    unchanged: int = 0
    skipped: int = 0

    @property
    def photos(self) -> int:
        """Number of photos that could be read."""
        return self.judged + self.recognised + self.unchanged


@dataclass(frozen=True)
class ScanResult:
    """The outcome of a scan into a store.

    Attributes:
        tally: Number of photos judged, recognised and unchanged, and of items skipped.
        skipped: Number of items that were not used, by reason.
        namesakes: New customers who were given a number, as others have the same name.
        missing: Number of images that could not be judged anew, as they are missing; the former
            sightings count until they are. 0 unless photos are judged anew.
        verdicts: Number of the judged photos by verdict, such as ``uncertain``.
    """

    database: str
    weights: str
    tally: ScanCounts
    skipped: dict[str, int]
    namesakes: tuple[str, ...]
    missing: int
    verdicts: Mapping[str, int] = field(default_factory=dict)


def begin_scan(connection: Connection, weights_id: int, now: datetime) -> int:
    """Stores the beginning of a scan; returns its number."""
    values = {"weights_id": weights_id, "started_at": to_moment(now), **asdict(ScanCounts())}
    inserted = connection.execute(insert(scans).values(values)).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def update_scan(
    connection: Connection, scan_id: int, tally: ScanCounts, finished_at: datetime | None = None
) -> None:
    """Stores the progress of a scan, and its end."""
    values = {**asdict(tally), "finished_at": to_moment(finished_at)}
    connection.execute(update(scans).where(scans.c.id == scan_id).values(values))


def write_results(
    connection: Connection,
    weights_id: int,
    batch: Sequence[StampedResult],
    *,
    names: CustomerNames | None = None,
    limits: Limits | None = None,
    reclassify: bool = False,
) -> None:
    """Writes the results of some items of a feed, each once however often it comes.

    Args:
        names: Customers' names given out in this scan.
        limits: Upper bounds under which photos were refused.
        reclassify: Whether the weights may be other than the current ones.

    Raises:
        StoreError: Another scan has changed the weights meanwhile, or given a name to another
            customer.
    """
    check_weights(connection, weights_id, reclassify)
    last = {stamp.location: (stamp, result) for stamp, result in batch}
    judged = [(at, result) for at, result in last.values() if isinstance(result, PhotoResult)]
    refused = [(at, result) for at, result in last.values() if isinstance(result, Skipped)]
    owners = _customers(connection, [result.customer for _, result in last.values()], names)
    results = [result for _, result in judged]
    image_ids = _images(connection, results)
    _judgements(connection, weights_id, results, image_ids)
    _photos(connection, judged, owners, image_ids)
    connection.execute(delete(skips).where(skips.c.place.in_(list(last))))
    version = limits_key(limits)
    insert_rows(connection, skips, [_skip_row(at, item, owners, version) for at, item in refused])


# --- rows ----------------------------------------------------------------------------------------


def _customers(
    connection: Connection, posters: Iterable[str | None], names: CustomerNames | None
) -> dict[str, int]:
    """Numbers of a batch's customers by name; new ones are added in order, with accounts."""
    present = list(dict.fromkeys(name for name in posters if name is not None))
    by_text = ids_of(connection, customers.c.name, [text_of(name) for name in present])
    new = [name for name in dict.fromkeys(map(text_of, present)) if name not in by_text]
    insert_rows(connection, customers, [{"name": name} for name in new])
    by_text |= ids_of(connection, customers.c.name, new)
    ids = {name: by_text[text_of(name)] for name in present}
    if names:
        _accounts(connection, ids, names, {name for name in present if text_of(name) in new})
    return ids


def _accounts(
    connection: Connection, owners: Mapping[str, int], names: CustomerNames, added: set[str]
) -> None:
    """Adds the accounts that are new in this scan, of the customers in `owners`."""
    new = {account: name for account, name in names.new.items() if name in owners}
    if not new:
        return
    stored = select(accounts).where(accounts.c.account.in_(list(map(text_of, new))))
    owner_of = {str(row.account): int(row.customer_id) for row in connection.execute(stored)}
    rows = []
    for account, name in new.items():
        owner = owner_of.get(text_of(account))
        late = name in names.fresh and name not in added
        if owner != owners[name] and (owner is not None or late):
            raise StoreError(
                f"meanwhile another scan has named another customer {name!r}; this one stops, and "
                "nothing of its last batch was written; run it again to go on"
            )
        if owner is None:
            rows.append({"account": text_of(account), "customer_id": owners[name]})
    insert_rows(connection, accounts, rows)
    for account in new:
        del names.new[account]


def _images(connection: Connection, results: Sequence[PhotoResult]) -> dict[str, int]:
    """Numbers of the images by sha256; new ones are added, with thumbnails and fingerprints.

    Images that an earlier version stored without their size are given it.
    """
    by_digest = {result.sha256: result for result in reversed(results)}
    ids = ids_of(connection, images.c.sha256, by_digest)
    _add_sizes(connection, [by_digest[digest] for digest in ids])
    new = [result for digest, result in by_digest.items() if digest not in ids]
    rows = [
        {
            "sha256": result.sha256,
            "taken_at": to_moment(result.taken_at),
            "local": result.taken_at is not None and result.taken_at.tzinfo is None,
            **_size(result),
        }
        for result in new
    ]
    insert_rows(connection, images, rows)
    ids |= ids_of(connection, images.c.sha256, [result.sha256 for result in new])
    jpegs = [{"image_id": ids[r.sha256], "jpeg": r.thumbnail} for r in new if r.thumbnail]
    insert_rows(connection, thumbnails, jpegs)
    jpegs = [{"image_id": ids[r.sha256], "jpeg": r.preview} for r in new if r.preview]
    insert_rows(connection, previews, jpegs)
    prints = [_looks_row(ids[r.sha256], r.fingerprint) for r in new if r.fingerprint]
    insert_rows(connection, looks, prints)
    return ids


def _size(result: PhotoResult) -> dict[str, int | None]:
    return dict(zip(("width", "height"), result.size or (None, None), strict=True))


def _add_sizes(connection: Connection, stored: Sequence[PhotoResult]) -> None:
    digests = [result.sha256 for result in stored if result.size]
    without = select(images.c.sha256).where(images.c.sha256.in_(digests), images.c.width.is_(None))
    missing = set(connection.scalars(without)) if digests else set()
    sizes = [{"sha256": r.sha256, **_size(r)} for r in stored if r.sha256 in missing]
    update_rows(connection, images, "sha256", sizes)


def _looks_row(image_id: int, print_: ImageFingerprint) -> dict[str, Any]:
    key = print_.hash.to_bytes(8)
    return {"image_id": image_id, "hash": key, "colours": print_.colours, "aspect": print_.aspect}


def _judgements(
    connection: Connection, weights_id: int, results: Sequence[PhotoResult], ids: dict[str, int]
) -> None:
    """Adds sightings, candidates and embeddings of the images that have none by these weights."""
    by_image = {ids[result.sha256]: result for result in results}
    judged = select(sightings.c.image_id).where(
        sightings.c.weights_id == weights_id, sightings.c.image_id.in_(list(by_image))
    )
    for image_id in connection.scalars(judged).all():
        by_image.pop(image_id, None)
    for table, rows_of in (
        (sightings, _sighting_rows),
        (candidates, _candidate_rows),
        (embeddings, _embedding_rows),
    ):
        rows = [
            {"image_id": image_id, "weights_id": weights_id, **row}
            for image_id, result in by_image.items()
            for row in rows_of(result)
        ]
        insert_rows(connection, table, rows)


def _sighting_rows(result: PhotoResult) -> list[dict[str, Any]]:
    rows = []
    for number, garment in enumerate(result.garments or (None,)):
        judged = garment if garment and garment.probabilities else result
        rows.append(
            {
                "number": number,
                "category": garment.category if garment else None,
                "reason": None if garment else result.verdict,
                "confidence": (garment or result).confidence,
                "outside": judged.outside,
                "probabilities": packed(judged.probabilities),
                **box_columns(garment.box if garment else None),
                "needed": result.needed[1] if result.needed and not garment else None,
            }
        )
    return rows


def _candidate_rows(result: PhotoResult) -> list[dict[str, Any]]:
    return [
        {
            "number": number,
            "category": candidate.category,
            "confidence": candidate.confidence,
            **box_columns(candidate.box),
        }
        for number, candidate in enumerate(result.candidates, max(1, len(result.garments)))
    ]


def _embedding_rows(result: PhotoResult) -> list[dict[str, Any]]:
    """The embeddings, numbered as the garments; those equal to the first one are not repeated."""
    garments = result.garments or (None,)
    vectors = [garment and garment.embedding for garment in (*garments, *result.candidates)]
    first = vectors[0] or result.embedding
    return [
        {"number": number, "vector": vector}
        for number, vector in enumerate([first, *vectors[1:]])
        if vector is not None and (number == 0 or vector != first)
    ]


def _photos(
    connection: Connection,
    judged: Sequence[tuple[Stamp, PhotoResult]],
    owners: Mapping[str, int],
    image_ids: Mapping[str, int],
) -> None:
    rows = [_photo_row(at, result, owners, image_ids) for at, result in judged]
    same = photos.c.place.in_([row["place"] for row in rows])
    stored = select(photos.c.place, photos.c.customer_id, photos.c.image_id, photos.c.post_id)
    old = {row.place: row for row in connection.execute(stored.where(same))}
    insert_rows(connection, photos, [row for row in rows if row["place"] not in old])
    update_rows(connection, photos, "place", [row for row in rows if row["place"] in old])
    if old:  # images that no photo shows any more, with their sightings and corrections
        shown = exists().where(photos.c.image_id == images.c.id)
        gone = images.c.id.in_([row.image_id for row in old.values()]), ~shown
        connection.execute(delete(images).where(*gone))
    touched = [(row["customer_id"], row["image_id"], row["post_id"]) for row in rows]
    touched += [(row.customer_id, row.image_id, row.post_id) for row in old.values()]
    _mark_duplicates(connection, touched)


def _photo_row(
    stamp: Stamp, result: PhotoResult, owners: Mapping[str, int], image_ids: Mapping[str, int]
) -> dict[str, Any]:
    return {
        "customer_id": owners[result.customer],
        "image_id": image_ids[result.sha256],
        "place": stamp.location,
        "post_id": text_of(result.post_id),
        "source": text_of(result.source),
        "posted_at": to_moment(result.posted_at),
        "date_source": result.date_source,
        "size": stamp.size,
        "modified": stamp.modified,
        "counted": True,
    }


def _skip_row(
    stamp: Stamp, item: Skipped, owners: Mapping[str, int], version: str
) -> dict[str, Any]:
    return {
        "place": stamp.location,
        "customer_id": None if item.customer is None else owners[item.customer],
        "source": text_of(item.source),
        "reason": item.reason,
        "detail": text_of(item.detail),
        "size": stamp.size,
        "modified": stamp.modified,
        "version": version,
    }


def _mark_duplicates(connection: Connection, touched: Sequence[tuple[int, int, str]]) -> None:
    """Decides again which of the customers' photos count, around those that were written.

    A photo is a duplicate if another of the same customer has the same image or the same post id,
    and a better date: the feed's before the camera's before the file name's before none, then the
    earlier one. So neither the order of a feed nor that of scans decides.
    """
    # Rows are compared with each other, not with an earlier choice: any order of writing has the
    # same result, and a photo counts again once the better one has become another image.
    duplicate = or_(exists().where(*_better("image_id")), exists().where(*_better("post_id")))
    owner = photos.c.customer_id.in_({customer for customer, _, _ in touched})
    same_image = photos.c.image_id.in_({image for _, image, _ in touched})
    same_post = photos.c.post_id.in_({post for _, _, post in touched})
    # Two statements, each with an index; one with OR would look at all photos of a customer.
    for same in (same_image, same_post):
        connection.execute(update(photos).where(same, owner).values(counted=~duplicate))


_other = photos.alias("other")


def _better(same: str) -> tuple[Any, ...]:
    return (
        _other.c.customer_id == photos.c.customer_id,
        _other.c[same] == photos.c[same],
        tuple_(*_rank(_other.c)) < tuple_(*_rank(photos.c)),
    )


def _rank(row: Any) -> tuple[Any, ...]:
    trust = {"feed": 0, "exif": 1, "file name": 2}
    return case(trust, value=row.date_source, else_=3), func.coalesce(row.posted_at, 0), row.place
