"""From the bytes of a picture to a category.

`pillow` decodes inside the processes that `sandbox` starts (`sandbox_worker` is their program);
`images` makes upright pixels, `segmentation` finds the garment, `near_duplicates` tells photos
that were posted again; `network` is the Flax network, `weights` and `serialisation` its files,
`scores` what it scored, and `classifier` names the category.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
