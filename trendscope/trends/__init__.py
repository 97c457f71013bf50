"""Weekly shares: what is rising or falling, and what to expect of the weeks ahead.

    >>> from trendscope import trends
    >>> table = trends.weekly(sightings)          # doctest: +SKIP
    >>> trends.movement(table)                    # doctest: +SKIP
    >>> trends.forecast(table, weeks_ahead=4)     # doctest: +SKIP

`counts` makes weekly tables of sightings, `clusters` says what these owe to the customers behind
them, `panel` checks tables, `verdicts` says what moves, `drift` what else may be why, and `power`
how often a change would be found; `models`, `backtest` and `forecasting` say what to expect, and
`summary` joins all of it; `from_store` reads a database. All but `from_store` works on plain tables
``week, category, votes, voters``, or else ``count, total``, an analyst's own too. Shares are
fractions 0..1; weeks are ISO weeks such as ``2026-W47``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
