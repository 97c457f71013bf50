"""Photos, what was seen in them, and what was skipped: a SQLite file or a PostgreSQL database.

`schema` explains the tables, `database` opens them, `recall` and `record` serve a scan; `tables`
and `status` tell what is in them, `corrections` holds persons' labels, which win wherever `seen`
says what counts, `forget` removes a customer.
"""

from trendscope.store.corrections import correct, corrections, known_images
from trendscope.store.database import Database, Store, open_store
from trendscope.store.forget import Forgotten, forget
from trendscope.store.lists import find_customers, waiting
from trendscope.store.status import Status, status
from trendscope.store.tables import customers, sightings, skips, thumbnails, weekly_rows

__all__ = [
    "Database",
    "Forgotten",
    "Status",
    "Store",
    "correct",
    "corrections",
    "customers",
    "find_customers",
    "forget",
    "known_images",
    "open_store",
    "sightings",
    "skips",
    "status",
    "thumbnails",
    "waiting",
    "weekly_rows",
]
