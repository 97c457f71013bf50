"""Everything trendscope raises on purpose.

    TrendscopeError              exit code 1
    ├── UsageError               exit code 2: the command line asks for something impossible
    ├── NothingUsable            exit code 3: not one photo could be read
    ├── FeedError                a path that cannot be read as a feed
    ├── ImageError               one picture refused; carries a reason code, the run goes on
    ├── WeightsError             a weights file that is missing, damaged or of another kind
    └── StoreError               a database that is missing, damaged, full, in use or another's
        └── UnknownCustomer      exit code 2: nobody in it has the name that was given

A message says what went wrong and where, what was expected, and what to do next, in one or two
lines.
"""


class TrendscopeError(Exception):
    """Base of all errors that a user can cause and mend."""


class UsageError(TrendscopeError):
    """The request itself cannot be carried out, whatever the data."""


class NothingUsable(TrendscopeError):
    """Nothing in the given paths could be classified."""


class FeedError(TrendscopeError):
    """A path cannot be read as a feed."""


class ImageError(TrendscopeError):
    """One picture is refused.

    Attributes:
        reason: A code from `trendscope.skipped.REASONS`, such as ``empty`` or ``too_large``.
    """

    def __init__(self, reason: str, detail: str):
        super().__init__(detail)
        self.reason = reason


class WeightsError(TrendscopeError):
    """A weights file cannot be used."""


class StoreError(TrendscopeError):
    """A database cannot be used."""


class UnknownCustomer(StoreError, UsageError):
    """Nobody in a database has the name that was given."""
