"""From the bytes of a picture to the garments in it.

`pillow` decodes inside the processes that `sandbox` starts (`sandbox_worker` is their program);
`images` makes upright pixels, `preparation` scales them for the network, `near_duplicates` tells
photos that were posted again. `detector` is the network that finds every garment (Flax),
`detections` turns its answers into garments, and `photo_detector` names them; `network` and
`classifier` are the same for one garment in a small picture. `outputs` says what their numbers
mean; `programs` keeps them compiled, so that Flax is loaded only where they are not yet. `weights`,
`detector_weights` and `serialisation` are their files, `scores` what they scored; `loading` picks
the network.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
