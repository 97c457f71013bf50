"""Photos, sightings, corrections and skipped files: a SQLite file or a PostgreSQL database.

`schema` explains the tables and `database` opens them. `memory` and `write_photos` serve a scan,
`write_items` a catalogue import, `labels` corrections; `weights` says which weights judged the
photos, and `effective` what counts: a correction, else the network's verdict. `frames`,
`counts`, `listing`, `overview`, `profile` and `read_items` read; `removal` forgets a customer.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
