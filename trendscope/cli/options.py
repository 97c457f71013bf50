"""The options that commands share, and what their values mean."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trendscope.errors import UsageError
from trendscope.limits import Limits

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from trendscope.photos.pseudonyms import Pseudonyms


def option(usage: str, help: str, **more: Any) -> Any:
    """An option, such as ``option("-o --output FILE", "Write to FILE.")``, for an annotation."""
    words = usage.split()
    names = [word for word in words if word.startswith("-")]
    return typer.Option(*names, metavar=" ".join(words[len(names) :]) or None, help=help, **more)


Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH", help="Photos, folders of photos, exports (zips or folders); s3://... too."
    ),
]
Json = Annotated[bool, option("--json", "Print one JSON document.")]
Output = Annotated[Path | None, option("-o --output FILE", "Write to FILE; - is standard output.")]
Force = Annotated[
    bool, option("--force", "Replace a file that is there already and no report of trendscope.")
]
Weights = Annotated[
    str | None, option("--weights NAME|FILE", "Another trained network than the usual.")
]
Customer = Annotated[
    str | None, option("--customer NAME", "Whose photos they are, where no export says so.")
]
Limit = Annotated[
    list[str] | None,
    option(
        "--limit NAME=VALUE",
        "Change a limit; may be repeated. Usual: "
        + " ".join(f"{name}={value:_}" for name, value in asdict(Limits()).items()),
    ),
]
Pseudonymise = Annotated[
    bool,
    option(
        "--pseudonymise",
        "Replace customers' names and paths by keyed hashes; the key is in TRENDSCOPE_KEY.",
    ),
]
Include = Annotated[
    str, option("--include KINDS", "Besides posts: stories,archived,profile or some of it.")
]
Timezone = Annotated[str, option("--timezone ZONE", "Of dates without one; such as Europe/Berlin.")]
WeekZone = Annotated[str, option("--timezone ZONE", "In which weeks begin.")]
AsOf = Annotated[
    datetime | None,
    option("--as-of", "As if it were that day; today if not.", formats=["%Y-%m-%d"]),
]
Since = Annotated[
    datetime | None,
    option("--since DAY", "Only photos of that day or later.", formats=["%Y-%m-%d"]),
]
Until = Annotated[
    datetime | None,
    option("--until DAY", "Only photos of that day or before.", formats=["%Y-%m-%d"]),
]
Strict = Annotated[bool, option("--strict", "Exit with 4 if anything was skipped.")]
Quiet = Annotated[bool, option("-q --quiet", "No progress, no warnings.")]
Verbose = Annotated[
    bool, option("-v --verbose", "Name every skipped file; show where errors arose.")
]
Traced = Annotated[bool, option("-v --verbose", "Show where errors arose.")]
KeepReposts = Annotated[
    bool, option("--keep-reposts", "Count photos posted again in another size or quality.")
]
Db = Annotated[
    str | None,
    option(
        "--db FILE|URL",
        "The database; else TRENDSCOPE_DB, else trendscope.db.",
        envvar="TRENDSCOPE_DB",
        show_envvar=False,
    ),
]


def examples(text: str) -> str:
    """The end of a command's help: its examples, and paragraphs whose lines stay as they are."""
    paragraphs = f"Examples:\n{text.strip(chr(10))}".split("\n\n")
    # \b keeps the lines of a paragraph of help as they are.
    return "\n\n".join(f"\b\n{paragraph}" for paragraph in paragraphs) + "\n"


def kinds_of(include: str) -> frozenset[str]:
    """The kinds of posts named in ``--include``."""
    from trendscope.feeds.post import KINDS

    kinds = frozenset(filter(None, (kind.strip().lower() for kind in include.split(","))))
    if unknown := sorted(kinds - {*KINDS}):
        raise UsageError(f"--include {unknown[0]}: unknown; choose from {', '.join(KINDS)}")
    return kinds


def zone_of(name: str) -> ZoneInfo:
    """The time zone of a name."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # all that ZoneInfo raises for odd names
        raise UsageError(f"--timezone {name}: unknown; give one such as Europe/Berlin") from error


def present(as_of: datetime | None, zone: ZoneInfo) -> datetime:
    """The beginning of the day given by ``--as-of``, or the present; aware."""
    return as_of.replace(tzinfo=zone) if as_of else datetime.now(UTC)


def days_of(since: datetime | None, until: datetime | None) -> tuple[date | None, date | None]:
    """The days given by ``--since`` and ``--until``.

    Raises:
        UsageError: There is no day between them.
    """
    if since and until and since > until:
        raise UsageError("--since is later than --until, so no photo can be of both")
    return since and since.date(), until and until.date()


def format_of(**flags: bool) -> str | None:
    """The format whose flag was given; None for text.

    Raises:
        UsageError: Several were given.
    """
    chosen = [name for name, flag in flags.items() if flag]
    if len(chosen) > 1:
        *first, last = (f"--{name}" for name in flags)
        raise UsageError(f"{', '.join(first)} and {last} exclude each other; choose one")
    return chosen[0] if chosen else None


def pseudonyms_of(pseudonymise: bool) -> Pseudonyms | None:
    """Pseudonyms under the key in the environment; None if nothing is to be pseudonymised."""
    if not pseudonymise:
        return None
    from trendscope.photos.pseudonyms import from_environment

    return from_environment()
