"""Compiled code that is kept gives the same numbers, and never anything else."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zlib

import jax
import numpy as np
import pytest
from jax.experimental.compilation_cache import compilation_cache

from trendscope.vision import programs
from trendscope.vision.compilation import private_folder
from trendscope.vision.programs import Program

JUDGE = """
import sys
import numpy as np
from trendscope.vision.loading import load_predictor
predictor = load_predictor(sys.argv[1])
photo = np.random.default_rng(0).integers(0, 256, (60, 50, 3), np.uint8)
whole = predictor.predict([predictor.prepare(photo)])[0].whole
print(whole.probabilities.tobytes().hex(), whole.embedding.tobytes().hex(), "flax" in sys.modules)
"""

NO_PICKLE = zlib.compress(b"no pickle")

PIXELS = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)
VARIABLES = {"params": {"scale": np.float32([0.1, 0.2, 0.3])}}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where code is kept: empty at first. JAX's own cache, which training uses, is off."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    before = getattr(jax.config, "jax_compilation_cache_dir", None)
    jax.config.update("jax_compilation_cache_dir", None)
    compilation_cache.reset_cache()
    yield private_folder()
    jax.config.update("jax_compilation_cache_dir", before)
    compilation_cache.reset_cache()


def program(made, name="scaled", factor=1.0):
    """A program of two outputs; `made` gets an item for each time that it is compiled."""

    def make():
        made.append(name)
        return lambda variables, pixels: (pixels * variables["params"]["scale"], factor + pixels)

    return Program(name, 2, make)


def run(made, **options):
    return [part.tobytes() for part in program(made, **options)(VARIABLES, PIXELS)]


@pytest.mark.parametrize("weights", ["photos", "fashion-mnist"])
def test_a_second_start_loads_no_flax_and_gives_the_same_numbers(tmp_path, weights):
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin"}
    command = [sys.executable, "-c", JUDGE, weights]
    options = {"env": environment, "capture_output": True, "text": True, "check": True}
    first, second = (subprocess.run(command, **options) for _ in range(2))
    assert (first.stderr, second.stderr) == ("", "")
    *numbers, flax = first.stdout.split()
    assert flax == "True"
    assert second.stdout.split() == [*numbers, "False"]


def test_kept_code_is_used_and_gives_the_same_numbers(folder):
    made = []
    first = run(made)
    assert first == [
        (PIXELS * np.float32([0.1, 0.2, 0.3])).tobytes(),
        (PIXELS + np.float32(1)).tobytes(),
    ]
    (kept,) = folder.iterdir()
    assert kept.stat().st_mode & 0o022 == 0
    assert run(made) == first and made == ["scaled"]


def test_each_shape_is_compiled_once(folder):
    made = []
    one = program(made)
    for n in (1, 2, 1, 2):
        assert one(VARIABLES, np.repeat(PIXELS, n, axis=0))[0].shape == (n, 2, 2, 3)
    assert len(made) == len([*folder.iterdir()]) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:20],
        lambda data: data[:-1],
        lambda data: data + b"0",
        lambda data: bytes(32) + data[32:],
        lambda data: data[:32] + zlib.compress(b"another"),
        lambda data: hashlib.sha256(NO_PICKLE).digest() + NO_PICKLE,
    ],
)
def test_damaged_code_is_compiled_anew(folder, damage):
    made = []
    first = run(made)
    (kept,) = folder.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(damage(whole))
    assert run(made) == first and len(made) == 2
    assert run(made) == first and len(made) == 2  # It was mended.


def test_every_byte_of_kept_code_counts(folder):
    run([])
    (kept,) = folder.iterdir()
    whole = kept.read_bytes()
    for place in range(0, len(whole), 1 + len(whole) // 40):
        kept.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ValueError, match="is damaged"):
            programs.read(kept)


@pytest.mark.parametrize(
    "change",
    [
        lambda patch: patch.setattr("jax.__version__", "0.0.1"),
        lambda patch: patch.setattr(programs, "version", lambda name: "0.0.1"),
        lambda patch: patch.setattr(programs, "_SOURCES", programs._SOURCES[1:]),
        lambda patch: patch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true"),
        lambda patch: patch.setattr(programs, "compiler_options", lambda: None),
    ],
)
def test_code_of_other_libraries_sources_or_settings_is_not_used(folder, monkeypatch, change):
    made = []
    run(made)
    change(monkeypatch)
    run(made)
    assert len(made) == len([*folder.iterdir()]) == 2


def test_programs_of_another_name_are_others(folder):
    one, other = run([], name="a", factor=1.0), run([], name="b", factor=2.0)
    assert one[0] == other[0] and one[1] != other[1]


def test_code_that_would_give_other_numbers_is_not_kept(folder, monkeypatch):
    made = []
    answers = iter([[b"one"], [b"another"]])
    monkeypatch.setattr(programs, "_bits", lambda run, arguments: next(answers))
    run(made)
    assert [*folder.iterdir()] == [] and made == ["scaled"]


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o702])
def test_nothing_is_kept_nor_run_where_others_may_write(folder, mode):
    made = []
    first = run(made)
    folder.chmod(mode)
    assert private_folder() is None
    assert run(made) == first and len(made) == 2
    folder.chmod(0o755)
    assert run(made) == first and len(made) == 2


def test_nothing_is_kept_in_a_folder_of_somebody_else(folder, monkeypatch):
    owner = folder.stat().st_uid
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    assert private_folder() is None


def test_a_folder_that_cannot_be_written_costs_only_time(folder, monkeypatch):
    made = []

    def full(path, code):
        raise OSError("no space left")

    monkeypatch.setattr(programs, "write", full)
    assert run(made) == run(made) and len(made) == 2
