"""The sample of a weekly table is what its program makes."""

from __future__ import annotations

import pandas as pd

from sample_tables import make
from trendscope.files.tables import read_csv
from trendscope.trends import outlook


def test_the_kept_table_is_that_of_the_program():
    kept, made = pd.read_csv(make.FILE), make.table()
    assert {"week", "category", "count", "total"} <= {*made} <= {*kept}
    pd.testing.assert_frame_equal(kept[[*made]], made, check_dtype=False, atol=1e-4)


def test_the_sample_has_a_rise_a_fall_and_categories_that_stay():
    """Those that the program makes more or less frequent, and no others, have such a verdict."""
    table = read_csv(make.FILE, "week", "category", "count", "total")
    last = outlook(table).movement.groupby("category").tail(1)
    verdicts = dict(zip(last["category"], last["verdict"], strict=True))
    assert {"Coat": "rising", "Sandal": "falling"} == {
        name: verdict for name, verdict in verdicts.items() if verdict != "steady"
    }
    assert len(verdicts) == 10
