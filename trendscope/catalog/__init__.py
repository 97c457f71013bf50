"""Retailers' catalogue files, and what kind of garment each item in them is.

`reading` makes products of rows by the columns that `trendscope.layouts` knows; `words` reads
titles and taxonomies with the help of `vocabulary`; `deciding` joins words and picture. Nothing
here looks at a picture or into a database: `trendscope.stocking` does.
"""

from trendscope.catalog.items import Item, Sight
from trendscope.catalog.products import Catalog, Product, Remark
from trendscope.catalog.reading import read_catalog

__all__ = ["Catalog", "Item", "Product", "Remark", "Sight", "read_catalog"]
