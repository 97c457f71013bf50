"""Files are written whole, or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from trendscope.errors import TrendscopeError, UsageError
from trendscope.files.writing import check_writable, write_atomic


def test_a_file_is_written_whole_with_the_usual_rights(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("old")
    write_atomic(path, "zoë \udc80")
    assert path.read_bytes() == "zoë \\udc80".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~current_umask()
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "out.csv"
    path.write_text("old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TrendscopeError, match=r"out.csv \(3 bytes\): No space left"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


def test_a_full_device_is_reported_and_not_replaced():
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(TrendscopeError, match="No space left"):
        write_atomic(full, "text")
    assert full.is_char_device()


def test_a_link_keeps_pointing_at_the_file_that_is_written(tmp_path):
    target, link = tmp_path / "real.csv", tmp_path / "link.csv"
    target.write_text("old")
    link.symlink_to(target)
    write_atomic(link, "new")
    assert link.is_symlink() and target.read_text() == "new"


def test_impossible_targets_are_refused_with_the_reason(tmp_path):
    with pytest.raises(UsageError, match="is a folder"):
        check_writable(tmp_path)
    with pytest.raises(UsageError, match="create it first"):
        check_writable(tmp_path / "no" / "out.csv")
    check_writable(tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_writable_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(UsageError, match="not writable"):
        check_writable(tmp_path / "out.csv")
