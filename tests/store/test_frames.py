"""The tables that a store gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from tests.factories.stored import EMBEDDING, NOW, found, skipped, write
from trendscope import store
from trendscope.categories import CATEGORIES
from trendscope.store.frames import by_name
from trendscope.store.write_photos import begin_scan


def test_figures_of_customers_add_up(filled):
    frame = store.customers(filled)
    columns = "customer photos classified uncertain outside waiting undated doubles skipped"
    assert list(frame.columns) == [*columns.split(), "first_posted", "last_posted"]
    assert frame.iloc[:, :9].to_numpy().tolist() == [
        ["anna", 5, 3, 1, 1, 0, 1, 1, 1],
        ["ben", 1, 1, 0, 0, 0, 1, 0, 0],
    ]
    anna = frame.loc[0]
    assert anna.first_posted == datetime(2025, 12, 31, tzinfo=UTC)
    assert anna.last_posted == datetime(2026, 4, 1, tzinfo=UTC)
    assert str(frame.dtypes["first_posted"]) == "datetime64[us, UTC]"
    assert frame["last_posted"].isna().tolist() == [False, True]


def test_sightings(filled):
    frame = store.sightings(filled, vectors=True)
    assert frame["customer"].tolist() == ["anna"] * 5 + ["ben"]
    assert frame["category"].fillna("-").tolist() == ["-", "Dress", "Dress", "Bag", "-", "Coat"]
    assert frame["reason"].fillna("-").tolist() == ["outside", "-", "-", "-", "uncertain", "-"]
    assert frame["confidence"].tolist() == [0.8] * 6
    assert frame["x1"].isna().tolist() == [True, False, False, False, True, False]
    assert frame["y1"].tolist()[1] == 220
    assert str(frame.dtypes["posted_at"]) == "datetime64[us, UTC]"
    assert {bytes(value) for value in frame["embedding"]} == {EMBEDDING}
    chances = np.frombuffer(frame["probabilities"][3], "<f4")
    assert chances[CATEGORIES.index("Bag")] == np.float32(0.8)
    assert list(store.sightings(filled).columns) == list(frame.columns)[:-3]
    assert len(store.sightings(filled, "ben")) == 1


def test_weekly_rows(filled):
    frame = store.weekly_rows(filled).sort_values(["customer", "posted_at"])
    columns = ["customer", "posted_at", "category", "reason", "confidence", "sha256", "source"]
    assert list(frame.columns) == columns
    assert len(frame) == len(store.sightings(filled))
    counts = frame.groupby(["customer", "category"], observed=True).size().to_dict()
    assert counts == {("anna", "Dress"): 2, ("anna", "Bag"): 1, ("ben", "Coat"): 1}
    assert frame["reason"].value_counts().to_dict() == {"outside": 1, "uncertain": 1}
    assert frame["posted_at"].isna().sum() == 2
    some = store.weekly_rows(filled, ["posted_at", "category"])
    assert list(some.columns) == ["posted_at", "category"]


def test_skips(filled):
    frame = store.skips(filled)
    assert frame.fillna("-").to_numpy().tolist() == [
        ["anna", "x.mp4", "video", "a video; only photos are looked at"],
        ["-", "notes.txt", "not_an_image", "a video; only photos are looked at"],
    ]


def test_tables_of_an_empty_store_have_their_columns(opened):
    for table in (store.sightings, store.weekly_rows, store.customers, store.skips):
        frame = table(opened)
        assert (len(frame), frame.columns[0]) == (0, "customer")
        write(opened, found(name=table.__name__), skipped())
        types = table(opened).dtypes.astype(str).to_dict()
        store.forget(opened, "anna")
        assert frame.dtypes.astype(str).to_dict() == types
    assert str(store.weekly_rows(opened).dtypes["posted_at"]) == "datetime64[us, UTC]"


def test_large_tables_are_fetched_in_parts(filled, monkeypatch):
    from trendscope.store import frames

    whole = store.sightings(filled)
    monkeypatch.setattr(frames, "FETCHED", 2)
    assert store.sightings(filled).equals(whole)


def test_thumbnails(filled):
    digest = "anna-2.jpg"
    assert store.thumbnails(filled, [digest, "anna-1.jpg", "none"]) == {digest: b"T2"}


def test_status(filled):
    with filled.writing() as connection:
        begin_scan(connection, 1, NOW)
        begin_scan(connection, 1, NOW + timedelta(hours=1))
    status = store.status(filled)
    assert (status.customers, status.photos, status.doubles, status.undated) == (2, 6, 1, 2)
    assert (status.classified, status.uncertain, status.outside, status.waiting) == (4, 1, 1, 0)
    assert status.skipped == {"not_an_image": 1, "video": 1}
    assert [(w.name, w.since, w.current, w.images) for w in status.weights] == [
        ("old", NOW, True, 6)
    ]
    assert (status.scans, status.first_scan.started_at) == (2, NOW)
    assert status.last_scan.started_at == NOW + timedelta(hours=1)
    assert status.last_scan.finished_at is None


def test_customers_are_in_the_order_in_which_people_sort_names(tmp_path):
    names = ["anna10", "Ben", "anna2", "carla"]
    with store.open_store(tmp_path / "t.db", create=True) as opened:
        write(opened, *(found("Dress", customer=name, name=name) for name in names))
        in_order = ["anna2", "anna10", "Ben", "carla"]
        assert store.customers(opened)["customer"].tolist() == in_order
        rows = store.sightings(opened).assign(turn=range(4))
        assert by_name(rows)["customer"].tolist() == in_order
        assert by_name(rows.iloc[:0]).empty
