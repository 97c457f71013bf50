"""The sample of a weekly table is what its program makes."""

from __future__ import annotations

import pandas as pd

from sample_tables import make


def test_the_kept_table_is_that_of_the_program():
    kept, made = pd.read_csv(make.FILE), make.table()
    assert {"week", "category", "count", "total"} <= {*made} <= {*kept}
    pd.testing.assert_frame_equal(kept[[*made]], made, check_dtype=False, atol=1e-4)
