"""A table of labels that persons give photos, read and stored as corrections."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from trendscope.errors import NothingUsable, TrendscopeError, UsageError
from trendscope.files.tables import read_csv
from trendscope.files.trees import tidied
from trendscope.photos.results import Label, label_of
from trendscope.store.database import Database, opened
from trendscope.store.labels import correct, images_at, known_images
from trendscope.text import displayed

_NAMING = ("sha256", "file", "source")
"""Columns that say which photo a row is about."""


@dataclass(frozen=True)
class RefusedRow:
    """A row that was not used: the number of its first line in the file, and why."""

    row: int
    reason: str


@dataclass(frozen=True)
class CorrectionResult:
    """The outcome of a table of labels.

    Attributes:
        photos: Number of images that the table labels, or whose label it removes.
        changed: Number of these that had another label before, or none.
        refused: Rows that were not used, in their order.
    """

    database: str
    photos: int
    changed: int
    refused: tuple[RefusedRow, ...]


@dataclass(frozen=True)
class _Row:
    number: int
    sha256: str
    file: str
    customer: str
    label: Label | None


def correct_from_table(
    path: Path, db: Database = None, *, now: datetime, remove: bool = False
) -> CorrectionResult:
    """Stores a person's labels of photos; ``trendscope correct``.

    Args:
        path: CSV with a column ``category`` (see `trendscope.photos.results.label_of`; rows where
            it is empty are passed over) and a column ``sha256``, ``file`` or ``source``: path of
            the photo as reports show it, or from the table's own folder. A column ``customer``, if
            there is one, has to agree. The ``corrections.csv`` of an export is such a table, and so
            are the labels that ``training.adapt`` takes.
        now: The present, aware.
        remove: Whether the labels of these photos are removed; ``category`` is not needed.

    Raises:
        TrendscopeError: The table cannot be read, or lacks a column.
        NothingUsable: No row of it could be used.
        StoreError: The database cannot be used; nothing was changed.
    """
    table = read_csv(path, *(("category",) if not remove else ()), one_of=_NAMING if remove else ())
    if "file" not in table:
        table = table.rename(columns={"source": "file"})
    if not {"sha256", "file"} & {*table.columns}:
        raise UsageError(f"{path}: a column sha256 or file must say which photo a row is about")
    rows, refused = _rows(table, table.attrs["lines"], remove)
    with opened(db) as store:
        labels = _labels(_with_digests(rows, path.parent, store, refused), refused)
        if not labels:
            first = f"; row {refused[0].row}: {refused[0].reason}" if refused else ""
            raise NothingUsable(f"{path}: no row could be used{first}")
        former = correct(store, labels, now)
        changed = sum(former[digest] != label for digest, label in labels.items())
        ordered = tuple(sorted(refused, key=lambda item: item.row))
        return CorrectionResult(store.shown, len(labels), changed, ordered)


def _rows(
    table: pd.DataFrame, lines: Sequence[int], remove: bool
) -> tuple[list[_Row], list[RefusedRow]]:
    rows, refused = [], []
    columns = table.reindex(columns=["sha256", "file", "customer", "category"], fill_value="")
    cells = columns.itertuples(index=False, name=None)
    for number, (sha256, file, customer, category) in zip(lines, cells, strict=True):
        if not (remove or category.strip()):
            continue
        try:
            label = None if remove else label_of(category)
            rows.append(_Row(number, sha256.strip().lower(), file, customer, label))
        except TrendscopeError as error:
            refused.append(RefusedRow(number, str(error)))
    return rows, refused


def _with_digests(
    rows: list[_Row], folder: Path, db: Database, refused: list[RefusedRow]
) -> Iterable[tuple[_Row, str]]:
    """Each row with the sha256 of its image; rows whose image is not stored are refused."""
    stored = known_images(db, [row.sha256 for row in rows if row.sha256])
    sources = {row.number: _sources(row.file, folder) for row in rows if row.file}
    images = images_at(db, {source for names in sources.values() for source in names})
    for row in rows:
        if row.sha256:
            digests = {row.sha256} & stored
        else:
            photos = set().union(*(images.get(p, set()) for p in sources.get(row.number, ())))
            digests = {digest for digest, name in photos if row.customer in ("", name)}
        if len(digests) == 1:
            yield row, digests.pop()
        else:
            refused.append(RefusedRow(row.number, _no_image(row, len(digests))))


def _sources(file: str, folder: Path) -> list[str]:
    """The paths under which a photo named in a table may be stored."""
    bases = (folder, folder / "images")
    return [file, tidied(file), *(os.path.abspath(base / tidied(file)) for base in bases)]


def _no_image(row: _Row, count: int) -> str:
    name = displayed(row.sha256 or row.file)[:120]
    if not name:
        return "names no photo"
    if count:
        return f"{name} stands for several photos; add a column sha256 or customer"
    return f"the database knows no photo {name}; scan it first"


def _labels(rows: Iterable[tuple[_Row, str]], refused: list[RefusedRow]) -> dict[str, Label | None]:
    """The label of each image; where rows contradict each other, all of them are refused."""
    rows_of: defaultdict[str, list[_Row]] = defaultdict(list)
    for row, digest in rows:
        rows_of[digest].append(row)
    labels = {}
    for digest, about in rows_of.items():
        if len({row.label for row in about}) == 1:
            labels[digest] = about[0].label
        else:
            numbers = ", ".join(str(row.number) for row in about)
            reason = f"rows {numbers} say different things of one photo"
            refused += [RefusedRow(row.number, reason) for row in about]
    return labels
