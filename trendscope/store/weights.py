"""The weights that judged the photos of a database."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from trendscope.errors import StoreError
from trendscope.store.schema import images, sightings, to_moment, weights
from trendscope.vision.weights import WeightsIdentity


def current_weights(connection: Connection) -> tuple[int, WeightsIdentity] | None:
    """Number and identity of the weights whose sightings count; None in a new database."""
    row = connection.execute(select(weights).where(weights.c.current)).one_or_none()
    return None if row is None else (row.id, WeightsIdentity(row.name, row.digest))


def register_weights(
    connection: Connection, identity: WeightsIdentity, reclassify: bool, now: datetime, shown: str
) -> int:
    """Stores the weights that are going to judge, if they are new; returns their number.

    Raises:
        StoreError: Other weights have judged here, and `reclassify` is false.
    """
    current = current_weights(connection)
    if current and current[1].digest == identity.digest:
        return current[0]
    if current and not reclassify:
        raise StoreError(
            f"{shown} holds what {current[1]} saw; {identity} are other weights, and the two are "
            "never mixed: --reclassify judges every photo anew, --weights takes the former ones"
        )
    same = select(weights.c.id).where(weights.c.digest == identity.digest)
    if (stored := connection.scalar(same)) is not None:
        return int(stored)
    values = {**asdict(identity), "since": to_moment(now), "current": current is None}
    connection.execute(insert(weights).values(values))
    return int(connection.execute(same).scalar_one())


def finish_reclassifying(connection: Connection, weights_id: int) -> int:
    """Makes the new weights the current ones and deletes all others, if they judged every image.

    Returns:
        Number of images that they have not judged; 0 if the change was made.
    """
    judged = exists().where(
        sightings.c.image_id == images.c.id, sightings.c.weights_id == weights_id
    )
    missing = connection.scalar(select(func.count()).select_from(images).where(~judged)) or 0
    if not missing:
        connection.execute(delete(weights).where(weights.c.id != weights_id))
        connection.execute(update(weights).where(weights.c.id == weights_id).values(current=True))
    return missing


def check_weights(connection: Connection, weights_id: int, reclassify: bool) -> None:
    """Raises a StoreError if another scan has changed the current weights meanwhile."""
    current = connection.scalar(select(weights.c.current).where(weights.c.id == weights_id))
    if not (current or (reclassify and current is not None)):
        raise StoreError(
            "meanwhile another scan has judged all photos by other weights; this one stops, and "
            "nothing of its last batch was written; run it again with the new weights"
        )
