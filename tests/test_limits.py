from __future__ import annotations

import pytest

from trendscope.errors import UsageError
from trendscope.limits import Limits, adjusted


def test_without_settings_the_limits_are_the_defaults():
    assert adjusted([]) == Limits()


def test_limits_are_changed_by_name():
    limits = adjusted(["pixels=200000000", "decode_seconds=1.5", "ratio=1_000"])
    assert (limits.pixels, limits.decode_seconds, limits.ratio) == (200_000_000, 1.5, 1000)
    assert limits.members == Limits().members


@pytest.mark.parametrize(
    "setting",
    [
        "pixels",
        "pixels=",
        "pixels=many",
        "pixels=-1",
        "pixels=1.5",
        "decode_seconds=inf",
        "decode_seconds=nan",
    ],
)
def test_values_that_are_no_numbers_are_refused(setting):
    with pytest.raises(UsageError, match=r"expected (pixels|decode_seconds)=NUMBER, such as"):
        adjusted([setting])


def test_an_unknown_name_is_refused_with_the_list_of_names():
    with pytest.raises(UsageError, match=r"no such limit; use file_bytes, .*, decoder_memory"):
        adjusted(["pixel=3"])
