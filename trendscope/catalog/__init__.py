"""Retailers' catalogue files, and what kind of garment each item in them is.

`parsing` makes products of rows by the columns that `layouts` knows; `words` reads titles and
taxonomies with the help of `vocabulary`; `categorising` joins words and picture. Nothing here looks
at a picture or into a database: `trendscope.ingest.catalog` does.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
