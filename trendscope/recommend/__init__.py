"""Recommendations: same-category targets for customers, items and categories.

    >>> from trendscope import recommend, store
    >>> sightings = store.sightings(db, vectors=True)                     # doctest: +SKIP
    >>> items = recommend.candidate_items(store.items(db))                # doctest: +SKIP
    >>> recommend.targets(sightings, items).rows                          # doctest: +SKIP

`preferences` says which categories a customer wears, `eligibility` which items may be offered,
`nearest` which of these look most alike, and `ranking` joins them, on plain tables; `contact_lists`
reads who may be written to, and `campaigns` feeds all of it from a database.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
