"""Writing the results of a scan: scans, batches of results, and the change to other weights.

Each function works within the caller's transaction, which writes alone: what it looks up first
cannot change before it is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import (
    Column,
    Connection,
    Table,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from trendscope.categories import CATEGORIES
from trendscope.errors import StoreError
from trendscope.feeds.customers import CustomerNames
from trendscope.limits import Limits
from trendscope.photos.results import PhotoResult
from trendscope.skipped import Skipped
from trendscope.store.memory import Stamp, limits_key
from trendscope.store.schema import (
    accounts,
    customers,
    embeddings,
    images,
    looks,
    photos,
    scans,
    sightings,
    skips,
    thumbnails,
    to_moment,
)
from trendscope.store.weights import _check_weights
from trendscope.vision.near_duplicates import ImageFingerprint

Found = tuple[Stamp, PhotoResult | Skipped]
"""An item of a feed and what came of it."""


@dataclass(frozen=True)
class ScanCounts:
    """How far a scan came.

    Attributes:
        judged: Photos that were looked at.
        recognised: Photos known by their bytes that lay in a new place, or whose date changed.
        unchanged: Photos known by their place.
        skipped: Items that were not used, whether known before or not.
    """

    judged: int = 0
    recognised: int = 0
    unchanged: int = 0
    skipped: int = 0

    @property
    def photos(self) -> int:
        """All that could be read."""
        return self.judged + self.recognised + self.unchanged


@dataclass(frozen=True)
class ScanResult:
    """What came of a scan into a store.

    Attributes:
        database: Its name, without any password.
        weights: Name of those that judged.
        tally: How many photos were judged, recognised, unchanged; how many items were skipped.
        skipped: The items that were not used, by reason.
        namesakes: New customers that bear a number, as another one has their name.
        missing: When photos are judged anew, images that are missing and so not judged; the
            former sightings count until they are. 0 otherwise.
    """

    database: str
    weights: str
    tally: ScanCounts
    skipped: dict[str, int]
    namesakes: tuple[str, ...]
    missing: int


def begin_scan(connection: Connection, weights_id: int, now: datetime) -> int:
    """Notes that a scan begins; returns its id."""
    values = {"weights_id": weights_id, "started_at": to_moment(now), **asdict(ScanCounts())}
    done = connection.execute(insert(scans).values(values))
    assert done.inserted_primary_key is not None
    return int(done.inserted_primary_key[0])


def update_scan(
    connection: Connection, scan_id: int, tally: ScanCounts, finished_at: datetime | None = None
) -> None:
    """Notes how far a scan is, and when it is done."""
    values = {**asdict(tally), "finished_at": to_moment(finished_at)}
    connection.execute(update(scans).where(scans.c.id == scan_id).values(values))


def write_results(
    connection: Connection,
    weights_id: int,
    batch: Sequence[Found],
    *,
    names: CustomerNames | None = None,
    limits: Limits | None = None,
    reclassify: bool = False,
) -> None:
    """Writes what came of some items of a feed, each once however often they are in it.

    Args:
        connection: Writes alone.
        weights_id: Of the weights that judged.
        batch: Items and what came of them.
        names: Those given out in this scan.
        limits: Under which photos were refused.
        reclassify: The weights need not be the current ones.

    Raises:
        StoreError: Another scan has changed the weights meanwhile, or given a name to another
            customer.
    """
    _check_weights(connection, weights_id, reclassify)
    last = {stamp.place: (stamp, result) for stamp, result in batch}
    read = [(s, r) for s, r in last.values() if isinstance(r, PhotoResult)]
    refused = [(s, r) for s, r in last.values() if isinstance(r, Skipped)]
    owners = _customers(connection, [result.customer for _, result in last.values()], names)
    pictures = _images(connection, [reading for _, reading in read])
    _judgements(connection, weights_id, [reading for _, reading in read], pictures)
    _photos(connection, read, owners, pictures)
    connection.execute(delete(skips).where(skips.c.place.in_(list(last))))
    _insert(connection, skips, [_skip_row(s, r, owners, limits_key(limits)) for s, r in refused])


# --- rows ----------------------------------------------------------------------------------------


def _customers(
    connection: Connection, posters: Iterable[str | None], names: CustomerNames | None
) -> dict[str, int]:
    """Ids by name of all customers of a batch; new ones are added in that order, with accounts."""
    present = list(dict.fromkeys(name for name in posters if name is not None))
    by_text = _ids(connection, customers.c.name, [text_of(name) for name in present])
    new = [name for name in dict.fromkeys(map(text_of, present)) if name not in by_text]
    _insert(connection, customers, [{"name": name} for name in new])
    by_text |= _ids(connection, customers.c.name, new)
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
    known = select(accounts).where(accounts.c.account.in_(list(map(text_of, new))))
    there = {str(row.account): int(row.customer_id) for row in connection.execute(known)}
    rows = []
    for account, name in new.items():
        owner = there.get(text_of(account))
        late = name in names.fresh and name not in added
        if owner != owners[name] and (owner is not None or late):
            raise StoreError(
                f"meanwhile another scan has named another customer {name!r}; this one stops, and "
                "nothing of its last batch was written; run it again to go on"
            )
        if owner is None:
            rows.append({"account": text_of(account), "customer_id": owners[name]})
    _insert(connection, accounts, rows)
    for account in new:
        del names.new[account]


def _images(connection: Connection, readings: Sequence[PhotoResult]) -> dict[str, int]:
    """Ids by sha256; new images are added, with their thumbnails."""
    by_digest = {reading.sha256: reading for reading in reversed(readings)}
    ids = _ids(connection, images.c.sha256, list(by_digest))
    new = [reading for digest, reading in by_digest.items() if digest not in ids]
    _insert(connection, images, [_image_row(reading) for reading in new])
    ids |= _ids(connection, images.c.sha256, [reading.sha256 for reading in new])
    small = [{"image_id": ids[r.sha256], "jpeg": r.thumbnail} for r in new if r.thumbnail]
    _insert(connection, thumbnails, small)
    _insert(
        connection, looks, [_looks_row(ids[r.sha256], r.fingerprint) for r in new if r.fingerprint]
    )
    return ids


def _image_row(reading: PhotoResult) -> dict[str, Any]:
    taken_at = reading.taken_at
    local = taken_at is not None and taken_at.tzinfo is None
    return {"sha256": reading.sha256, "taken_at": to_moment(taken_at), "local": local}


def _looks_row(image_id: int, seen: ImageFingerprint) -> dict[str, Any]:
    key = seen.hash.to_bytes(8)
    return {"image_id": image_id, "hash": key, "colours": seen.colours, "aspect": seen.aspect}


def _judgements(
    connection: Connection, weights_id: int, readings: Sequence[PhotoResult], ids: dict[str, int]
) -> None:
    """Adds sightings and embeddings of the images that have none by these weights."""
    by_image = {ids[reading.sha256]: reading for reading in readings}
    known = select(sightings.c.image_id).where(
        sightings.c.weights_id == weights_id, sightings.c.image_id.in_(list(by_image))
    )
    for image_id in connection.scalars(known).all():
        by_image.pop(image_id, None)
    rows = [row for i, r in by_image.items() for row in _sightings(i, weights_id, r)]
    _insert(connection, sightings, rows)
    vectors = [
        {"image_id": i, "weights_id": weights_id, "vector": r.embedding}
        for i, r in by_image.items()
        if r.embedding is not None
    ]
    _insert(connection, embeddings, vectors)


def _sightings(image_id: int, weights_id: int, reading: PhotoResult) -> list[dict[str, Any]]:
    chances = dict(reading.probabilities)
    row = {
        "image_id": image_id,
        "weights_id": weights_id,
        "number": 0,
        "category": None,
        "reason": reading.verdict,
        "confidence": reading.confidence,
        "outside": reading.outside,
        "probabilities": np.array([chances[c] for c in CATEGORIES], "<f4").tobytes(),
        **dict.fromkeys(("x0", "y0", "x1", "y1")),
    }
    return [
        {
            **row,
            "number": number,
            "category": garment.category,
            "reason": None,
            "confidence": garment.confidence,
            **dict(zip(("x0", "y0", "x1", "y1"), garment.box or (None,) * 4, strict=True)),
        }
        for number, garment in enumerate(reading.garments)
    ] or [row]


def _photos(
    connection: Connection,
    read: Sequence[tuple[Stamp, PhotoResult]],
    owners: Mapping[str, int],
    pictures: Mapping[str, int],
) -> None:
    rows = [_photo_row(s, r, owners, pictures) for s, r in read]
    wanted = [row["place"] for row in rows]
    known = select(photos.c.place, photos.c.customer_id, photos.c.image_id, photos.c.post_id)
    old = {row.place: row for row in connection.execute(known.where(photos.c.place.in_(wanted)))}
    _insert(connection, photos, [row for row in rows if row["place"] not in old])
    changed = [row for row in rows if row["place"] in old]
    if changed:
        names = [name for name in changed[0] if name != "place"]
        renew = update(photos).where(photos.c.place == bindparam("at"))
        renew = renew.values({name: bindparam(f"new_{name}") for name in names})
        values = [{"at": row["place"], **{f"new_{n}": row[n] for n in names}} for row in changed]
        connection.execute(renew, values)
        _drop_orphans(connection, [row.image_id for row in old.values()])
    touched = [(row["customer_id"], row["image_id"], row["post_id"]) for row in rows]
    touched += [(row.customer_id, row.image_id, row.post_id) for row in old.values()]
    _mark_duplicates(connection, touched)


def _photo_row(
    stamp: Stamp, reading: PhotoResult, owners: Mapping[str, int], pictures: Mapping[str, int]
) -> dict[str, Any]:
    return {
        "customer_id": owners[reading.customer],
        "image_id": pictures[reading.sha256],
        "place": stamp.place,
        "post_id": text_of(reading.post_id),
        "source": text_of(reading.source),
        "posted_at": to_moment(reading.posted_at),
        "date_source": reading.date_source,
        "size": stamp.size,
        "modified": stamp.modified,
        "counted": True,
    }


def _skip_row(
    stamp: Stamp, item: Skipped, owners: Mapping[str, int], version: str
) -> dict[str, Any]:
    return {
        "place": stamp.place,
        "customer_id": None if item.customer is None else owners[item.customer],
        "source": text_of(item.source),
        "reason": item.reason,
        "detail": text_of(item.detail),
        "size": stamp.size,
        "modified": stamp.modified,
        "version": version,
    }


def _drop_orphans(connection: Connection, ids: Sequence[int]) -> None:
    """Images that no photo shows any more go, with all that is known of them."""
    shown = exists().where(photos.c.image_id == images.c.id)
    connection.execute(delete(images).where(images.c.id.in_(ids), ~shown))


def _mark_duplicates(connection: Connection, touched: Sequence[tuple[int, int, str]]) -> None:
    """Decides anew which of the customers' photos count, around those that were written.

    A photo is a duplicate if another of the same customer has the same image or the same post id,
    and a better date: the feed's before the camera's before the file name's before none, then the
    earlier. So neither the order of a feed nor that of scans decides.
    """
    # A photo counts unless a better one exists: a comparison of rows and no running choice, so any
    # order of writing ends alike, and a photo counts again once the better one is another image.
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


def _ids(connection: Connection, column: Column[str], values: Sequence[str]) -> dict[str, int]:
    if not values:
        return {}
    rows = connection.execute(select(column, column.table.c.id).where(column.in_(values)))
    return {str(row[0]): int(row[1]) for row in rows}


def _insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), list(rows))


def text_of(text: str) -> str:
    """Text that every database takes: no halves of letters, no NUL."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
