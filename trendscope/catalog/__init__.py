"""Retailers' catalogue files, and the category of each item in them.

`parsing` makes products of rows by the columns that `layouts` knows; `words` reads titles and
taxonomies with the help of `vocabulary`; `categorising` joins words and picture. Pictures are
judged, and items stored, by `trendscope.ingest.catalog`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
