from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from trendscope.vision.compilation import machine

COMPILE = """
import jax
from training.compilation import keep_compiled
keep_compiled()
print(jax.jit(lambda x: x + 1)(1.5), jax.config.jax_compilation_cache_dir)
"""


def compiled(home, **environment):
    """What one run in a home folder of its own prints; nothing may be said beside it."""
    names = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "PATH": "/usr/bin"}
    done = subprocess.run(
        [sys.executable, "-c", COMPILE], env=names | environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    number, folder = done.stdout.split()
    assert number == "2.5"
    return folder


def kept(folder):
    return sorted(path for path in folder.rglob("jit*") if path.is_file())


def test_compiled_code_is_cached_and_reused(tmp_path):
    assert (tmp_path / "cache") in Path(compiled(tmp_path)).parents
    entries = kept(tmp_path)
    written = [path.stat().st_mtime_ns for path in entries]
    compiled(tmp_path)
    assert entries and kept(tmp_path) == entries
    assert [path.stat().st_mtime_ns for path in entries] == written


def test_damaged_cache_entries_are_compiled_again(tmp_path):
    compiled(tmp_path)
    for entry in kept(tmp_path):
        entry.write_bytes(entry.read_bytes()[:100])
    compiled(tmp_path)


def test_without_a_writable_cache_folder_code_is_compiled(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder would be")
    assert compiled(tmp_path) == "None"


def test_a_cache_folder_where_others_may_write_is_not_used(tmp_path):
    Path(compiled(tmp_path)).chmod(0o777)
    assert compiled(tmp_path) == "None"


def test_cache_folder_set_by_the_user_is_kept(tmp_path):
    own = tmp_path / "own"
    assert compiled(tmp_path, JAX_COMPILATION_CACHE_DIR=str(own)) == str(own)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("told", ["flags : sse2 avx512f\n", "Features : asimd sve\n"])
def test_machine_differs_between_processors(tmp_path, told):
    plain, richer = tmp_path / "plain", tmp_path / "richer"
    plain.write_text("processor : 0\nflags : sse2\ncpu MHz : 2000\n")
    richer.write_text("processor : 0\n" + told + "cpu MHz : 2000\n")
    assert machine(plain) != machine(richer)


def test_machine_ignores_the_current_clock_rate(tmp_path):
    slow, fast = tmp_path / "slow", tmp_path / "fast"
    slow.write_text("flags : sse2\ncpu MHz : 2000\nbogomips : 1\n")
    fast.write_text("flags : sse2\ncpu MHz : 3000\nbogomips : 2\n")
    assert machine(slow) == machine(fast)
