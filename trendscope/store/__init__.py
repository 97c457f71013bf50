"""Photos, sightings, corrections and skipped files: a SQLite file or a PostgreSQL database.

`schema` explains the tables and `database` opens them. `memory` and `write_photos` serve a scan,
`write_items` a catalogue import, `labels` corrections; `weights` says which weights judged the
photos, and `effective` what counts: a correction, else the network's verdict. `frames`,
`counts`, `listing`, `overview`, `profile` and `read_items` read; `removal` forgets a customer.
"""

from trendscope.store.counts import Census, census, census_at
from trendscope.store.database import Database, Store, open_store
from trendscope.store.frames import (
    customers,
    sightings,
    sightings_in_parts,
    skips,
    thumbnails,
    unsure_in_parts,
    unused_in_parts,
    weekly_rows,
)
from trendscope.store.labels import correct, corrections, corrections_at, known_images
from trendscope.store.listing import find_customers, knows_customer, unlabelled
from trendscope.store.overview import Status, status
from trendscope.store.read_items import item_thumbnails, items
from trendscope.store.removal import Forgotten, forget, forgettable

__all__ = [
    "Census",
    "Database",
    "Forgotten",
    "Status",
    "Store",
    "census",
    "census_at",
    "correct",
    "corrections",
    "corrections_at",
    "customers",
    "find_customers",
    "forget",
    "forgettable",
    "item_thumbnails",
    "items",
    "known_images",
    "knows_customer",
    "open_store",
    "sightings",
    "sightings_in_parts",
    "skips",
    "status",
    "thumbnails",
    "unlabelled",
    "unsure_in_parts",
    "unused_in_parts",
    "weekly_rows",
]
