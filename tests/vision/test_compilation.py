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
print(network.predict([np.zeros((2, 28, 28, 4), np.uint8)])[0].confidence)
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


def test_what_was_compiled_is_kept_and_used_again(tmp_path):
    first = judged(tmp_path)
    (entry,) = kept(tmp_path)
    written = entry.stat().st_mtime_ns
    assert judged(tmp_path) == first
    assert [path.stat().st_mtime_ns for path in kept(tmp_path)] == [written]


def test_a_damaged_entry_costs_time_only(tmp_path):
    first = judged(tmp_path)
    (entry,) = kept(tmp_path)
    entry.write_bytes(entry.read_bytes()[:1000])
    assert judged(tmp_path) == first


def test_without_a_place_to_keep_it_all_works(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder would be")
    assert float(judged(tmp_path)) > 0


def test_a_folder_of_the_users_own_is_respected(tmp_path):
    own = tmp_path / "own"
    judged(tmp_path, JAX_COMPILATION_CACHE_DIR=str(own))
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("told", ["flags : sse2 avx512f\n", "Features : asimd sve\n"])
def test_another_processor_is_another_machine(tmp_path, told):
    plain, richer = tmp_path / "plain", tmp_path / "richer"
    plain.write_text("processor : 0\nflags : sse2\ncpu MHz : 2000\n")
    richer.write_text("processor : 0\n" + told + "cpu MHz : 2000\n")
    assert machine(plain) != machine(richer)


def test_the_clock_of_the_moment_does_not_matter(tmp_path):
    slow, fast = tmp_path / "slow", tmp_path / "fast"
    slow.write_text("flags : sse2\ncpu MHz : 2000\nbogomips : 1\n")
    fast.write_text("flags : sse2\ncpu MHz : 3000\nbogomips : 2\n")
    assert machine(slow) == machine(fast)
