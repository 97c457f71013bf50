"""Feeds and the network joined: one result per photo, then sums per customer.

`pipeline` decodes and judges photos in bounded memory, here or on the workers of `cluster`;
`duplicates` counts photos once that were posted again; `options` are the settings, `results` the
values per photo, `summary` the sums per customer; `run` is ``trendscope classify`` and
``trendscope profile``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
