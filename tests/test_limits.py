from __future__ import annotations

import pytest

from trendscope.errors import UsageError
from trendscope.limits import Limits, adjusted


def test_nothing_said_is_the_usual():
    assert adjusted([]) == Limits()


def test_limits_are_changed_by_name():
    found = adjusted(["pixels=200000000", "decode_seconds=1.5", "ratio=1_000"])
    assert (found.pixels, found.decode_seconds, found.ratio) == (200_000_000, 1.5, 1000)
    assert found.members == Limits().members


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
def test_what_is_no_number_is_refused(setting):
    with pytest.raises(UsageError, match=r"expected (pixels|decode_seconds)=NUMBER, such as"):
        adjusted([setting])


def test_an_unknown_name_is_answered_with_all_names():
    with pytest.raises(UsageError, match=r"no such limit; use file_bytes, .*, decoder_memory"):
        adjusted(["pixel=3"])
