"""Profiles, classifications and trends for the terminal: tables and bars, or plain text elsewhere.

All is printed into `file`, or on standard output if that is None. The only module that uses rich.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from trendscope.categories import CATEGORIES, color
from trendscope.photos.pipeline import Progress as ProgressCallback
from trendscope.photos.results import Classification, Garment, PhotoResult
from trendscope.photos.summary import CustomerProfile, Profile
from trendscope.reports.boxes import likeliest
from trendscope.reports.wording import (
    OUTCOMES_OF_SCAN,
    OUTCOMES_STORED,
    caveats,
    confidence_of,
    coverage_sentence,
    kind_of,
    origin_of,
    photo_outcomes,
    price_of,
    stock_of,
    unused_files,
)
from trendscope.skipped import Skipped
from trendscope.text import day, percent, plural, shown, span

if TYPE_CHECKING:
    from trendscope.catalog.items import Item
    from trendscope.ingest.catalog import ImportResult
    from trendscope.recommend.campaigns import Campaign
    from trendscope.store import Status
    from trendscope.store.write_photos import ScanResult
    from trendscope.trends.summary import TrendSummary

Probabilities = tuple[tuple[str, float], ...]
"""Categories with their probabilities, best first."""

BAR = 24
"""Width of a full bar in characters."""
WHOLE = 24
"""Most characters of a column that is not made narrower where the terminal is."""
OTHERS = "none for sure"
"""Words in place of dates for categories without any certain photo."""


def print_profile(profile: Profile, file: IO[str] | None = None, *, names: bool = False) -> None:
    """Prints what every customer wears, and with `names` every file that was not used."""
    console = _console(file)
    for customer in profile.customers:
        heading = f"{shown(customer.customer)}: {plural(len(customer.readings), 'photo')}"
        if customer.dates:
            heading += f", {span(min(customer.dates), max(customer.dates))}"
        console.print(Text(heading, style="bold"))
        if customer.ranked:
            console.print(_shares(customer, console.is_terminal))
        else:
            console.print("  No garment was recognised.")
        _print_notes(console, caveats(customer.readings, customer.skipped))
        console.print()
    _print_notes(console, caveats((), profile.unowned), "Of none of these customers:")
    if profile.scores:
        console.print(Text(coverage_sentence(profile.scores), style="dim"))
    if names:
        _print_skipped(console, ((item.source, item.detail) for item in profile.skipped))


def print_classification(
    classification: Classification, file: IO[str] | None = None, *, bars: bool = False
) -> None:
    """Prints a line for each garment, and one for each photo without any.

    With `bars` also where each garment is, all its probabilities, and what else might be seen.
    """
    console = _console(file)
    for photo in classification.photos:
        if isinstance(photo, Skipped):
            console.print(_skipped_line(photo))
            continue
        for garment in photo.garments or (None,):
            line = _garment_line(photo, garment) if garment else _open_line(photo)
            console.print(line + _place(photo, garment) if bars and garment else line)
            if bars and (likely := _of_garment(photo, garment)):
                outside = garment.outside if garment and garment.probabilities else photo.outside
                console.print(_probabilities(dict(likely), outside, console.is_terminal))
        for candidate in likeliest(photo.candidates) if bars else ():
            console.print(_candidate_line(photo, candidate))


def print_scan(result: ScanResult, file: IO[str] | None = None) -> None:
    """Prints the result of a scan into a database."""
    console, counts = _console(file), result.tally
    parts = (
        (counts.judged, "looked at"),
        (counts.recognised, "recognised by their content"),
        (counts.unchanged, "unchanged since the last time"),
    )
    summary = ", ".join(f"{count:,} {words}" for count, words in parts if count)
    console.print(f"{plural(counts.photos, 'photo')}{': ' if summary else ''}{summary}.")
    outcomes = (
        f"{result.verdicts[verdict]:,} {words}"
        for verdict, words in OUTCOMES_OF_SCAN.items()
        if result.verdicts.get(verdict)
    )
    if result.verdicts:
        console.print(f"Of those looked at: {', '.join(outcomes)}.")
    _print_notes(console, unused_files(result.skipped), "What is left out:")
    if result.namesakes:
        names = ", ".join(shown(name, 60) for name in result.namesakes[:5])
        more = ", ..." if len(result.namesakes) > 5 else ""
        console.print(
            f"New, and not the customer of that name who was known before: {names}{more}. Where "
            "folders are named by customer, scan with --one-per-name from the start."
        )
    if result.missing:
        console.print(
            f"The former network's results stay in use: {plural(result.missing, 'image')} of the "
            "database were not found here. Scan the folders that hold them too, in the same way."
        )
    console.print(f"Kept in {shown(result.database, 200)}")


def print_status(
    status: Status, file: IO[str] | None = None, *, names: Iterable[tuple[str, str]] = ()
) -> None:
    """Prints what a database holds, since when, by which weights, and what was skipped.

    `names` are sources and details of files that were not used, to be listed.
    """
    console = _console(file)
    console.print(Text(shown(status.database, 200), style="bold"))
    period = f", {span(status.first_posted, status.last_posted)}" if status.first_posted else ""
    console.print(
        f"  {plural(status.photos, 'photo')} of {plural(status.customers, 'customer')}{period}"
    )
    for count, words in photo_outcomes(status, OUTCOMES_STORED):
        console.print(f"    {count:>9,}  {words}")
    for used in status.weights:
        role = "" if used.current else ", in preparation"
        images = plural(used.images, "image")
        console.print(f"  judged by {used} since {day(used.since)}{role}: {images}")
    first, last = status.first_scan, status.last_scan
    if first and last:
        end = "" if last.finished_at else ", which did not finish or is still running"
        times = f"first {day(first.started_at)}, last {day(last.started_at)}{end}"
        console.print(f"  {plural(status.scans, 'scan')}: {times}")
    _print_notes(console, unused_files(status.skipped))
    _print_skipped(console, names)


class _Rate(ProgressColumn):
    """Photos or other things per second, once that is known."""

    def render(self, task: Task) -> Text:
        things = task.fields["things"]
        return Text(f"{task.speed:,.0f} {things}/s" if task.speed else "", style="dim")


def print_trends(summary: TrendSummary, file: IO[str] | None = None, *, weeks: int = 12) -> None:
    """Prints what has risen and fallen, a line for each category, and what to know about it."""
    from trendscope.reports import trends

    console = _console(file)
    console.print(Text(trends.title(summary), style="bold"))
    for sentence in trends.headline(summary, weeks):
        console.print(Text(f"  {sentence}"))
    lines = trends.lines(summary, weeks)
    rows = [trends.cells(line) for line in lines]
    if lines:
        console.print()
        console.print(_columns(trends.headings(lines, summary.unit), rows, console.is_terminal))
    _print_notes(console, trends.notes(summary), "What to know:")


def _columns(
    headings: Sequence[str], rows: Sequence[Sequence[str]], terminal: bool
) -> RenderableType:
    if not terminal:
        lines = [headings, *rows]
        widths = [max(len(row[i]) for row in lines) for i in range(len(headings))]
        return Text("\n".join(_aligned(row, widths) for row in lines))
    table = Table(box=None, header_style="dim", padding=(0, 1), pad_edge=True)
    for number, heading in enumerate(headings):
        cells = [row[number] for row in rows]
        # Names and sparklines stay whole, whose end is the newest week; the others may be wrapped.
        width = max(map(len, (*cells, *heading.split())))
        whole = width <= WHOLE and (number == 0 or not any(" " in cell for cell in cells))
        table.add_column(heading, width=width if whole else None, overflow="fold")
    for row in rows:
        moving = {"rising", "falling"} & {*row}
        table.add_row(*map(Text, row), style="bold" if moving else "")
    return table


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
    return "  " + "  ".join(cells).rstrip()


def print_import(result: ImportResult, file: IO[str] | None = None, *, rows: bool = False) -> None:
    """Prints the result of an import, and with `rows` each row not used or not whole."""
    from trendscope.reports import catalog

    console = _console(file)
    for line in catalog.import_lines(result):
        console.print(Text(line))
    _print_notes(console, catalog.remark_lines(result.remarks), "What to know:")
    if rows:
        _print_skipped(console, ((r.source, f"{r.sku} {r.detail}") for r in result.remarks))
    if result.review:
        waiting = f"{plural(result.review, 'item')} should be looked at by a person"
        console.print(f"{waiting}: trendscope catalog list --review")
    console.print(f"Kept in {shown(result.database, 200)}")


def print_items(
    items: Sequence[Item], file: IO[str] | None = None, *, review: bool = False
) -> None:
    """Prints items, a line each; with `review` why a person should look at them."""
    console = _console(file)
    if not items:
        console.print("Nothing waits for a person." if review else "There are no such items.")
        return
    names = ["sku", "title", "category", "picture"]
    names += ["why"] if review else ["from", "price", "stock"]
    rows = []
    for item in items:
        row = [shown(item.sku, 40), shown(item.title, 50), kind_of(item), confidence_of(item)]
        last = (origin_of(item), price_of(item), stock_of(item))
        rows.append([*row, *([shown(item.review, 200)] if review else last)])
    console.print(_columns(names, rows, console.is_terminal))


def print_item(item: Item, file: IO[str] | None = None) -> None:
    """Prints everything about an item."""
    from trendscope.reports.catalog import item_lines

    console = _console(file)
    heading, *lines = item_lines(item)
    console.print(Text(heading, style="bold"))
    for line in lines:
        console.print(Text(line))


def print_targets(campaign: Campaign, file: IO[str] | None = None) -> None:
    """Prints whom to offer what and why, and what to know about it."""
    from trendscope.reports import targets

    console = _console(file)
    console.print(Text(targets.title(campaign), style="bold"))
    for group in targets.groups(campaign, targets.LARGEST_TABLE):
        if group.title:
            console.print(Text(f"\n{group.title}", style="bold"))
        rows = [targets.cells(campaign, line) for line in group.lines]
        console.print(_columns(targets.headings(campaign), rows, console.is_terminal))
    more = len(campaign.targets.rows) - targets.LARGEST_TABLE
    if more > 0:
        console.print(f"  {more:,} more are not shown here; --csv, --json or --html has them.")
    _print_notes(console, targets.notes(campaign), "What to know:")


@contextmanager
def progress_bar(
    quiet: bool, doing: str = "Looking at photos", things: str = "photos", before: str = ""
) -> Iterator[ProgressCallback | None]:
    """Shows a bar on standard error if that is a terminal, and removes it at the end.

    Args:
        quiet: Whether to draw none.
        doing, things: Words for what is being done, and for what is counted.
        before: Words until the first is counted; "Finding" and `things` if empty.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    rate, remaining = _Rate(), TimeRemainingColumn()
    with Progress(*columns, rate, remaining, console=console, transient=True) as bar:
        before = before or f"Finding {things}"
        task = bar.add_task(before, total=None, things=things)

        def update(done: int, total: int) -> None:
            what = doing if done else before
            bar.update(task, completed=done, total=total, description=what)

        yield update


@contextmanager
def working(quiet: bool, what: str) -> Iterator[None]:
    """Says on standard error what is being done, if that is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    with Console(stderr=True).status(what):
        yield


def _console(file: IO[str] | None) -> Console:
    """A console that does not wrap text which a program reads or a file keeps."""
    console = Console(file=file, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = 10_000
    return console


def _shares(customer: CustomerProfile, terminal: bool) -> RenderableType:
    rows = [
        (c.category, percent(c.share), str(c.count), span(c.first_seen, c.last_seen), c.share)
        for c in customer.ranked
    ]
    if customer.other_share:
        rows.append(("others", percent(customer.other_share), "0", OTHERS, customer.other_share))
    if not terminal:
        lines = (
            f"  {name:<12} {share:>6} {count:>6}  {period}"
            for name, share, count, period, _ in rows
        )
        return Text("\n".join(lines))
    table = Table(box=None, header_style="dim", padding=(0, 1), pad_edge=True)
    for title in ("wears", "", "share", "photos", "seen"):
        table.add_column(title, justify="right" if title in ("share", "photos") else "left")
    for name, share, count, period, fraction in rows:
        style = "dim" if name == "others" else color(name)
        table.add_row(name, _bar(fraction, style), share, count, Text(period, style="dim"))
    return table


def _bar(fraction: float, style: str) -> Text:
    """A bar in eighths of a character, so that small differences show."""
    eighths = max(1, round(fraction * BAR * 8)) if fraction > 0 else 0
    full, rest = divmod(eighths, 8)
    return Text(("█" * full + " ▏▎▍▌▋▊▉"[rest].strip()).ljust(BAR), style=style)


def _print_notes(
    console: Console, sentences: Sequence[str], heading: str = "  What this leaves out:"
) -> None:
    if sentences:
        console.print(Text(heading, style="dim"))
    for sentence in sentences:
        console.print(Text(f"    {sentence}", style="dim"))


def _print_skipped(console: Console, skipped: Iterable[tuple[str, str]]) -> None:
    for source, detail in skipped:
        console.print(Text(f"{shown(source, 200)}: {shown(detail, 300)}"))


def _skipped_line(item: Skipped) -> Text:
    source, detail = shown(item.source, 200), shown(item.detail, 300)
    return Text.assemble(f"{source}: ", ("unreadable", "bold"), f", {detail}")


def _garment_line(photo: PhotoResult, garment: Garment) -> Text:
    name = garment.category
    likely = _of_garment(photo, garment)
    others = _three_best(likely) if likely else percent(garment.confidence)
    source = shown(photo.source, 200)
    return Text.assemble(f"{source}: ", (name, f"bold {color(name)}"), f" ({others})")


def _open_line(photo: PhotoResult) -> Text:
    verdict = photo.verdict if photo.verdict == "outside" else "uncertain"
    others = _three_best(photo.probabilities)
    source = shown(photo.source, 200)
    return Text.assemble(f"{source}: ", (verdict, "bold"), f", {photo.explanation} ({others})")


def _candidate_line(photo: PhotoResult, garment: Garment) -> Text:
    name = f"  perhaps {garment.category} ({percent(garment.confidence)})"
    return Text(name, style="dim") + _place(photo, garment)


def _place(photo: PhotoResult, garment: Garment) -> Text:
    """Where a garment is, as the end of a line; empty if that is not known."""
    if garment.box is None or photo.size is None:
        return Text()
    x0, y0, x1, y1 = garment.box
    width, height = photo.size
    return Text(f", from {x0}, {y0} to {x1}, {y1} of {width} x {height} pixels", style="dim")


def _of_garment(photo: PhotoResult, garment: Garment | None) -> Probabilities:
    """The probabilities of a garment; of the whole photo where it shows no more than one."""
    if garment and garment.probabilities:
        return garment.probabilities
    return photo.probabilities if len(photo.garments) <= 1 else ()


def _three_best(probabilities: Probabilities) -> str:
    return ", ".join(f"{name} {percent(p)}" for name, p in probabilities[:3])


def _probabilities(
    probabilities: Mapping[str, float], outside: float, terminal: bool
) -> RenderableType:
    rows = [(name, probabilities[name], color(name)) for name in CATEGORIES]
    rows.append(("none of these", outside, "dim"))
    lines = []
    for name, probability, style in rows:
        label = f"  {name:<13} {percent(probability):>6}  "
        bar = _bar(probability, style) if terminal else Text()
        lines.append(Text.assemble(label, bar))
    return Group(*lines)
