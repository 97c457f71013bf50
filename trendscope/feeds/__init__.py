"""Who posted which image when: one reader per kind of feed, recognised by content.

`open_feed` (in `dispatch`) yields a `Post` for every image and a `Skipped` for everything that is
not used, so that nothing is lost without a word. Images are not read before they are asked for.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
