from __future__ import annotations

import subprocess
import sys

import pytest

from trendscope.vision.compilation import machine

JUDGE = """
import sys
import numpy as np
from trendscope.vision.classifier import Classifier
network = Classifier.load("fashion-mnist")
print(network.predict([np.zeros((28, 28, 3), np.uint8)])[0].whole.confidence)
"""


def judged(home, **environment):
    """What one run in a home folder of its own prints; nothing may be said beside it."""
    names = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "PATH": "/usr/bin"}
    done = subprocess.run(
        [sys.executable, "-c", JUDGE], env=names | environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def kept(home):
    return sorted(path for path in home.rglob("*jit_apply*") if path.is_file())


def test_compiled_code_is_cached_and_reused(tmp_path):
    first = judged(tmp_path)
    (entry,) = kept(tmp_path)
    written = entry.stat().st_mtime_ns
    assert judged(tmp_path) == first
    assert [path.stat().st_mtime_ns for path in kept(tmp_path)] == [written]


def test_damaged_cache_entries_are_compiled_again(tmp_path):
    first = judged(tmp_path)
    (entry,) = kept(tmp_path)
    entry.write_bytes(entry.read_bytes()[:1000])
    assert judged(tmp_path) == first


def test_without_a_writable_cache_folder_predictions_work(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder would be")
    assert float(judged(tmp_path)) > 0


def test_cache_folder_set_by_the_user_is_kept(tmp_path):
    own = tmp_path / "own"
    judged(tmp_path, JAX_COMPILATION_CACHE_DIR=str(own))
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
