"""Photos, what was seen in them, and what was skipped: a SQLite file or a PostgreSQL database.

`schema` explains the tables, `database` opens them, `recall` and `record` serve a scan; `tables`,
`census` and `status` tell what is in them, `corrections` holds persons' labels, which win wherever
`seen` says what counts, `items` is what a shop sells, `forget` removes a customer.
"""

from trendscope.store.census import Census, census, census_at
from trendscope.store.corrections import correct, corrections, corrections_at, known_images
from trendscope.store.database import Database, Store, open_store
from trendscope.store.forget import Forgotten, forget, forgettable
from trendscope.store.items import item_thumbnails, items
from trendscope.store.lists import find_customers, knows_customer, waiting
from trendscope.store.status import Status, status
from trendscope.store.tables import (
    customers,
    sightings,
    sightings_in_parts,
    skips,
    thumbnails,
    unsure_in_parts,
    unused_in_parts,
    weekly_rows,
)

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
    "unsure_in_parts",
    "unused_in_parts",
    "waiting",
    "weekly_rows",
]
