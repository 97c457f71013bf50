"""Files into the database.

`photos` is ``trendscope scan``, `catalog` is ``trendscope catalog import`` and ``add``,
`corrections` is ``trendscope correct``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
