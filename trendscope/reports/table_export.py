"""Tables of a store for analysts: files with stable headers, of one state, of any size.

`TABLES` says what every column means; docs/data-dictionary.md repeats it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import IO, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trendscope import proportions, store
from trendscope.categories import CATEGORIES
from trendscope.errors import NothingUsable, TrendscopeError, UsageError
from trendscope.files.replacing import check_replaceable
from trendscope.files.writing import check_writable, encoded, replacing
from trendscope.photos.pseudonyms import Pseudonyms, without
from trendscope.reports.spreadsheets import frame_csv
from trendscope.store import Census, Database
from trendscope.store.database import opened
from trendscope.store.weights import current_weights
from trendscope.trends import clusters, counts

Format = Literal["csv", "parquet"]
Kind = Literal["text", "whole", "number", "exact", "time", "truth"]


def _key(category: str) -> str:
    """``t_shirt_top`` of ``T-shirt/top``."""
    return re.sub(r"\W+", "_", category.lower())


PHOTOS_OF = tuple(f"photos_{_key(category)}" for category in CATEGORIES)
SHARE_OF = tuple(f"share_{_key(category)}" for category in CATEGORIES)

TABLES: dict[str, dict[str, Kind]] = {
    "customers": {
        "customer": "text",
        **dict.fromkeys(("photos", "classified", "uncertain", "outside", "undated"), "whole"),
        **dict.fromkeys(("skipped", "doubles", "waiting"), "whole"),
        **dict.fromkeys(("first_seen", "last_seen"), "time"),
        **dict.fromkeys(PHOTOS_OF, "whole"),
        **dict.fromkeys(SHARE_OF, "number"),
    },
    "weekly": {
        **dict.fromkeys(("week", "category"), "text"),
        **dict.fromkeys(("count", "total"), "whole"),
        **dict.fromkeys(("share", "lo95", "hi95"), "number"),
        **dict.fromkeys(("photos", "all_photos"), "whole"),
        "photo_share": "number",
        **dict.fromkeys(("uncertain", "outside"), "whole"),
        "partial": "truth",
        "votes": "exact",  # so that shares made of them are the same again
        **dict.fromkeys(("voters", "new_customers"), "whole"),
        "confidence": "number",
        "by_people": "whole",
        **dict.fromkeys(clusters.COLUMNS, "exact"),
        "weights": "text",
    },
    "sightings": {
        **dict.fromkeys(("customer", "post_id"), "text"),
        "posted_at": "time",
        **dict.fromkeys(("week", "date_source", "category", "reason"), "text"),
        **dict.fromkeys(("confidence", "outside"), "number"),
        **dict.fromkeys(("x0", "y0", "x1", "y1"), "whole"),
        "corrected": "truth",
        "sha256": "text",
        "source": "text",
    },
    "skipped": dict.fromkeys(("customer", "path", "reason", "detail"), "text"),
    "corrections": {
        **dict.fromkeys(("file", "customer", "category", "network"), "text"),
        "corrected_at": "time",
        "sha256": "text",
    },
}
"""Columns of each file, in order, with the kind of their cells."""


@dataclass(frozen=True)
class Exported:
    """The files that were written, each with its number of rows."""

    rows: dict[Path, int]


def export(
    db: Database,
    folder: Path,
    *,
    format: Format = "csv",
    excel: bool = False,
    pseudonyms: Pseudonyms | None = None,
    now: datetime | None = None,
    zone: tzinfo = UTC,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Exported:
    """Writes the tables of a store into a folder; ``trendscope export``.

    All are of one moment, whoever writes meanwhile, and take the places of former ones together.

    Args:
        db: Database file, URL or open store; None for the usual one.
        folder: Folder of the files, made if it is not there.
        format: Format of the files. CSV is UTF-8 with commas and LF; times are ISO 8601 in UTC,
            cells without meaning are empty, and text that a spreadsheet would run as a formula
            begins with a '. Parquet holds text as it is, and types; it needs the extra ``parquet``.
        excel: Whether CSV begins with a byte-order mark, by which Excel knows UTF-8.
        pseudonyms: Names that replace customers' names, paths and posts.
        now: Aware time; photos dated after its week are undated. None: every week is over.
        zone: Time zone in which weeks begin.
        force: Whether files of the tables' names that are no such tables may be replaced.
        progress: Called with the number of sightings written, and of all.

    Raises:
        StoreError: The database is missing, or cannot be read.
        NothingUsable: It holds no photo and nothing that was skipped.
        TrendscopeError: The folder cannot be written; what was in it is still there.
        UsageError: A file of a table's name is there and no table of ours.
    """
    _make(folder)
    for name in TABLES:
        check_replaceable(folder / f"{name}.{format}", force=force)
    with opened(db) as reader, reader.reading() as connection:
        census = store.census(connection)
        if not census.customers and not census.unused:
            raise NothingUsable(
                f"{reader.shown} holds nothing yet; fill it with trendscope scan PATH --db DATABASE"
            )
        weights = current_weights(connection)
        weekly = counts.weekly(census.rows, zone=zone, now=now)
        tables: dict[str, Iterable[pd.DataFrame]] = {
            "customers": [_customers(census, store.unsure_in_parts(connection), zone, now)],
            "weekly": [weekly.assign(weights=str(weights[1]) if weights else "")],
            "sightings": (
                part.assign(week=counts.week_of(part["posted_at"], zone=zone, now=now))
                for part in store.sightings_in_parts(connection)
            ),
            "skipped": (
                part.rename(columns={"source": "path"})
                for part in store.unused_in_parts(connection)
            ),
            "corrections": [store.corrections(connection)],
        }
        written: dict[Path, int] = {}
        with _explained(folder), ExitStack() as files:
            for name, parts in tables.items():
                path = folder / f"{name}.{format}"
                file = files.enter_context(replacing(path))
                write = files.enter_context(
                    _parquet(file, name) if format == "parquet" else _csv(file, name, excel)
                )
                written[path] = 0
                for part in parts:
                    write(_renamed(part, pseudonyms)[[*TABLES[name]]])
                    written[path] += len(part)
                    if progress and name == "sightings":
                        progress(written[path], len(census.rows))
    return Exported(written)


# --- tables --------------------------------------------------------------------------------------


def _customers(
    census: Census, uncertain_parts: Iterable[pd.DataFrame], zone: tzinfo, now: datetime | None
) -> pd.DataFrame:
    """What became of each customer's photos, and what the customer wears.

    The shares are `trendscope.proportions.estimated_shares`.
    """
    with_photos = {*census.rows["customer"].unique(), *census.waiting}
    names = pd.Index(sorted(with_photos), dtype=object, name="customer")
    rows = census.rows.assign(customer=census.rows["customer"].astype(object))
    outcomes = counts.outcomes(rows, zone=zone, now=now)
    table = pd.crosstab(outcomes["customer"], outcomes["fate"].astype(object))
    table = table.reindex(index=names, columns=[*counts.OUTCOMES], fill_value=0)
    unused: dict[str | None, dict[str, int]] = {name: {} for name in names}
    for (name, reason), count in census.unused.items():
        unused.setdefault(name, {})[reason] = count
    split = [counts.split_unused(unused[name]) for name in names]
    table["skipped"] = [each["skipped"] for each in split]
    table["doubles"] = [each["doubles"] for each in split]
    table["waiting"] = [census.waiting[name] for name in names]
    table["photos"] = table.sum(axis=1)
    dated = counts.dated(rows["posted_at"], zone=zone, now=now)
    times = rows[dated].groupby("customer")["posted_at"]
    table["first_seen"], table["last_seen"] = times.min(), times.max()
    garments = rows.dropna(subset="category")
    table[[*PHOTOS_OF]] = _by_category(garments.drop_duplicates(["photo", "category"]), names)
    named = _by_category(garments, names)
    uncertain = np.zeros(named.shape)
    for part in uncertain_parts:
        probabilities = np.frombuffer(b"".join(part["probabilities"]), "<f4").reshape(
            -1, len(CATEGORIES)
        )
        np.add.at(uncertain, names.get_indexer(pd.Index(part["customer"])), probabilities)
    table[[*SHARE_OF]] = proportions.estimated_shares(named.astype(np.float64), uncertain)
    return table.reset_index()


def _by_category(rows: pd.DataFrame, names: pd.Index) -> NDArray[np.int64]:
    """Number of rows by customer and category."""
    table = pd.crosstab(rows["customer"], rows["category"].astype(object))
    return table.reindex(index=names, columns=[*CATEGORIES], fill_value=0).to_numpy()


def _renamed(rows: pd.DataFrame, pseudonyms: Pseudonyms | None) -> pd.DataFrame:
    """Rows with pseudonyms instead of customers' names."""
    if pseudonyms is None or "customer" not in rows:
        return rows
    owner = [None if pd.isna(name) else str(name) for name in rows["customer"]]
    changed = rows.copy()
    changed["customer"] = [None if name is None else pseudonyms.name(name) for name in owner]
    for column in {"source", "path", "file"} & {*rows}:
        pairs = zip(owner, rows[column], strict=True)
        changed[column] = [pseudonyms.path(name, path) for name, path in pairs]
    if "post_id" in rows:
        changed["post_id"] = [pseudonyms.post(post) for post in rows["post_id"]]
    if "detail" in rows:
        each = zip(owner, rows["path"], rows["detail"], strict=True)
        changed["detail"] = [without(text, (path, name or "")) for name, path, text in each]
    return changed


# --- files ---------------------------------------------------------------------------------------


@contextmanager
def _csv(file: IO[bytes], name: str, excel: bool) -> Iterator[Callable[[pd.DataFrame], None]]:
    columns = TABLES[name]
    header = ",".join(columns) + "\n"
    file.write(header.encode("utf-8-sig" if excel else "utf-8"))

    def write(rows: pd.DataFrame) -> None:
        cells = {column: _cells(rows[column], kind) for column, kind in columns.items()}
        file.write(encoded(frame_csv(pd.DataFrame(cells), header=False)))

    yield write


def _cells(values: pd.Series, kind: Kind) -> pd.Series:
    if kind == "time":
        moments: pd.Series = values.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        return moments
    if kind == "whole":
        return values.astype("Int64")
    return values.round(6) if kind == "number" else values


@contextmanager
def _parquet(file: IO[bytes], name: str) -> Iterator[Callable[[pd.DataFrame], None]]:
    try:
        import pyarrow
        from pyarrow.parquet import ParquetWriter
    except ModuleNotFoundError as error:
        raise UsageError(
            "--format parquet needs the extra parquet: pip install 'trendscope[parquet]'"
        ) from error
    kinds = {
        "text": pyarrow.string(),
        "whole": pyarrow.int64(),
        "number": pyarrow.float64(),
        "exact": pyarrow.float64(),
        "time": pyarrow.timestamp("us", "UTC"),
        "truth": pyarrow.bool_(),
    }
    schema = pyarrow.schema([(column, kinds[kind]) for column, kind in TABLES[name].items()])
    with ParquetWriter(file, schema) as writer:
        yield lambda rows: writer.write_table(
            pyarrow.Table.from_pandas(rows, schema, preserve_index=False)
        )


def _make(folder: Path) -> None:
    """Makes the folder, unless it is there.

    Raises:
        UsageError: It cannot be made, or not be written.
    """
    try:
        folder.mkdir(exist_ok=True)
    except FileNotFoundError as error:
        raise UsageError(f"there is no folder {folder.parent}; create it first") from error
    except OSError as error:
        raise UsageError(f"{folder} cannot be made a folder: {error.strerror}") from error
    check_writable(folder / "customers.csv")


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TrendscopeError(
            f"could not write into {folder}: {error.strerror or error}; what was there is "
            "unchanged; free some space or choose another folder"
        ) from error
