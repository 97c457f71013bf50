"""Weekly tables and sightings whose figures can be worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
from hypothesis import strategies as st

from trendscope import weeks
from trendscope.categories import CATEGORIES

# --- laws ----------------------------------------------------------------------------------------

moments = st.none() | st.datetimes(datetime(2020, 11, 1), datetime(2021, 3, 1)).map(
    lambda moment: moment.replace(tzinfo=UTC)
)

tables = st.lists(
    st.tuples(
        st.sampled_from("abcde"), moments, st.none() | st.sampled_from([*CATEGORIES[:4], "Hat"])
    ),
    max_size=40,
).map(lambda rows: seen(*rows))


def seen(*rows, **columns):
    """Sightings from (customer, time or None, category or None)."""
    table = pd.DataFrame(rows, columns=["customer", "posted_at", "category"]).astype(object)
    reasons = ["uncertain" if category is None else "" for *_, category in rows]
    posted_at = pd.to_datetime(table["posted_at"], utc=True)
    return table.assign(posted_at=posted_at, reason=reasons, **columns)


def steady(length, count=10, total=100, first="2026-W01", category="Dress"):
    """A category with the same count every week, or a list of counts."""
    start = weeks.number(first)
    counts = count if isinstance(count, list) else [count] * length
    return pd.DataFrame(
        {
            "week": [weeks.name(start + i) for i in range(length)],
            "category": category,
            "count": counts,
            "total": total,
        }
    )


def both(counts, total=100, **more):
    """Dress and what is not Dress: the counts of each week add up to the total."""
    rest = [total - count for count in counts]
    length = len(counts)
    return pd.concat(
        [
            steady(length, list(counts), total, **more),
            steady(length, rest, total, category="Bag", **more),
        ]
    )
