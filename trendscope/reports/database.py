"""Reports on a database: a scan, its state, corrections, a customer removed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from trendscope.reports.documents import document
from trendscope.text import plural, shown

if TYPE_CHECKING:
    from trendscope.ingest.corrections import CorrectionResult
    from trendscope.store import Forgotten, Status
    from trendscope.store.write_photos import ScanResult


def scan_json(result: ScanResult) -> str:
    """One document about a scan into a database.

    ``schema_version`` (1), ``database``, ``weights`` (name), ``judged``, ``recognised``,
    ``unchanged`` (photos, see `trendscope.store.write_photos.ScanCounts`), ``skipped`` (files by
    reason), ``verdicts`` (photos judged, by verdict), ``namesakes`` (new customers
    whose name another one had) and ``missing`` (images that new weights have not judged yet).
    """
    counts = asdict(result.tally) | {"skipped": result.skipped, "verdicts": result.verdicts}
    names = {"database": result.database, "weights": result.weights}
    rest = {"namesakes": list(result.namesakes), "missing": result.missing}
    return document({**names, **counts, **rest})


def corrected_json(corrected: CorrectionResult) -> str:
    """One document about labels taken over from a table.

    ``schema_version`` (1), ``database``, ``photos`` (labelled), ``changed`` (of them, not said
    before) and ``refused`` (``row``, ``reason``).
    """
    return document(asdict(corrected))


def status_json(status: Status) -> str:
    """One document about a database.

    ``schema_version`` (1) and the fields of `trendscope.store.Status`; times are ISO 8601 in UTC,
    null where there is none.
    """
    return document(asdict(status))


def forgotten_json(forgotten: Forgotten, customer: str, database: str) -> str:
    """One document about a customer who was removed.

    ``schema_version`` (1), ``database``, ``customer`` and the fields of
    `trendscope.store.Forgotten`.
    """
    return document({"database": database, "customer": customer, **asdict(forgotten)})


def forgotten_text(forgotten: Forgotten, customer: str, database: str, *, done: bool) -> str:
    """What was removed with a customer, or is going to be, in a few sentences."""
    what = (
        f"{plural(forgotten.photos, 'photo')}, {plural(forgotten.skipped, 'skipped file')}, and "
        f"all that was seen in {plural(forgotten.images, 'image')} nobody else posted"
    )
    text = f"{shown(customer)} in {shown(database, 200)}: {what}"
    if not done:
        return f"{text}."
    traces = (
        " Traces stay in the database's files until its server cleans up (VACUUM FULL), or other "
        "programs that read from it have ended; backups of it are not touched."
    )
    left = "" if forgotten.wiped else traces
    return f"{text}; removed.{left}"
