"""What the rooms of the desk share: the store, uploads, and figures made for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from trendscope.errors import TrendscopeError
from trendscope.scan import Predictor
from trendscope.store.database import Store
from trendscope.stored_trends import outlook_of_store
from trendscope.trends import Outlook
from trendscope.web.settings import Settings
from trendscope.web.spool import Spool
from trendscope.web.trials import Trials


@dataclass(frozen=True)
class Desk:
    """Everything that answers are made of.

    Attributes:
        store: Open as long as the desk is.
        trials: Uploads.
        settings: How it is run.
    """

    store: Store
    trials: Trials
    settings: Settings

    def now(self) -> datetime:
        """The present, in UTC."""
        return datetime.now(UTC)

    def outlook(self, ahead: int = 4, segment: str | None = None) -> Outlook:
        """What is worn more and what less, of all customers or of those of one segment.

        Raises:
            TrendscopeError: There is no such segment.
        """
        members = None
        if segment:
            if segment not in self.segments:
                raise TrendscopeError(f"there is no segment {segment[:60]!r}")
            members = [name for name, group in self.settings.segments.items() if group == segment]
        return outlook_of_store(
            self.store,
            customers=members,
            weeks_ahead=ahead,
            now=self.now(),
            zone=self.settings.zone,
        )

    @property
    def segments(self) -> tuple[str, ...]:
        """The names of the segments, in order."""
        return tuple(sorted({*self.settings.segments.values()}))

    def close(self) -> None:
        """Lets go of everything."""
        self.trials.close()
        self.store.close()


def open_desk(
    db: Store, settings: Settings, weights: str | Path | Predictor | None, spool: Spool
) -> Desk:
    """A desk over an open store; close it."""
    return Desk(db, Trials(settings, weights, spool), settings)
