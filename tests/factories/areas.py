"""What a picture scaled down should look like, worked out from what each pixel covers."""

from __future__ import annotations

import numpy as np


def means(rgb, height, width):
    """Each pixel the mean over the area it covers, broken pixels by their share."""
    rows = np.einsum("yr,rcx->ycx", _shares(len(rgb), height), rgb.astype(float), optimize=True)
    return np.einsum("wc,ycx->ywx", _shares(len(rgb[0]), width), rows, optimize=True)


def _shares(old, new):
    """Row i: which share of new pixel i each of the old ones makes up."""
    ends = np.arange(new + 1) * old / new
    starts = np.arange(old)
    covered = np.minimum(ends[1:, None], starts + 1) - np.maximum(ends[:-1, None], starts)
    return np.maximum(covered, 0) * new / old
