"""What people and programs read: JSON, CSV, HTML, charts and the terminal.

`wording`, `documents`, `spreadsheets`, `pages` and `charts` are shared by all; `profile`,
`database`, `trends`, `weekly`, `weekly_page`, `targets` and `catalog` have a subject each;
`terminal` prints, `table_export` writes the tables of a database. Nothing is counted here.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
