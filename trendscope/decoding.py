"""Photos decoded in processes of their own, so that a decoder that fails costs one photo.

Image decoders are C code fed by strangers. Each runs in a small worker, started without jax and
kept for many photos, under limits on memory and time that the system enforces; one that crashes,
hangs or eats memory is replaced, and the photo that did it is not tried again. A worker gets bytes
and gives pixels: it is told no path, and what it says is read as JSON and numbers, never unpickled.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
from dataclasses import asdict
from datetime import datetime
from typing import IO, Any

import numpy as np

from trendscope.errors import ImageError, TrendscopeError
from trendscope.images import Photo, check, decode, sniff
from trendscope.limits import Limits

_REQUEST = struct.Struct("<QI")  # bytes of the file; longest side of the result in pixels
_ANSWER = struct.Struct("<II")  # bytes of the facts, as JSON; bytes of the pixels
_READY = b"ready"
_PIPE_BYTES = 1 << 20  # a photo passes at once, where the system allows it, not 64 kB at a time

SERVE = """
import sys, json
from types import SimpleNamespace
sys.path, limits = json.loads(sys.argv[1])
# Shapes in signatures are for readers and tests; importing them takes a third of the start.
sys.modules["jaxtyping"] = SimpleNamespace(UInt8=None)
from trendscope.decoding import serve
from trendscope.limits import Limits
serve(Limits(**limits))
"""
"""What a worker runs."""


class Decoder:
    """A few workers, each started when first needed and again after a failure."""

    def __init__(self, limits: Limits | None = None, *, program: str = SERVE):
        self._limits = limits or Limits()
        self._program = program
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._closed = False

    def start(self) -> None:
        """Starts a worker ahead of need, without waiting for it."""
        self._idle.append(self._new())

    def decode(self, data: bytes, *, edge: int) -> Photo:
        """Decodes a photo as `trendscope.images.decode` does; called by several threads at once.

        Raises:
            ImageError: As there, and ``decoder_crash`` or ``timeout``.
            TrendscopeError: No worker can be started.
        """
        check(data, self._limits)
        try:
            worker = self._idle.pop()
        except IndexError:
            worker = self._new()
        try:
            photo = worker.decode(data, edge)
        except _Died as death:
            self._all.discard(worker)
            raise _explained(death, data, self._limits) from death
        except ImageError:
            self._idle.append(worker)
            raise
        self._idle.append(worker)
        return photo

    def close(self) -> None:
        """Ends all workers at once, whatever they are at."""
        self._closed = True
        while self._all:
            self._all.pop().kill()

    def _new(self) -> _Worker:
        if self._closed:
            raise ImageError("unreadable", "the run was stopped")
        worker = _Worker(self._program, self._limits)
        self._all.add(worker)
        return worker


class _Died(Exception):
    """A worker ended; `code` is its exit code, negative for a signal."""

    def __init__(self, code: int):
        super().__init__(code)
        self.code = code


class _Worker:
    def __init__(self, program: str, limits: Limits):
        words = ("-I", "-S", "-c", program, json.dumps([sys.path, asdict(limits)]))
        self._process = subprocess.Popen(
            [sys.executable, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            pipesize=_PIPE_BYTES,
        )
        self._ready = False

    def decode(self, data: bytes, edge: int) -> Photo:
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(_REQUEST.pack(len(data), edge))
            self._process.stdin.write(data)
            self._process.stdin.flush()
            self._await_start(self._process.stdout)
            return _photo(self._process.stdout)
        except (OSError, EOFError, ValueError):  # its pipes end with it
            self.kill()
            raise _Died(self._process.returncode) from None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _await_start(self, answers: IO[bytes]) -> None:
        if self._ready:
            return
        if answers.read(len(_READY)) != _READY:
            self.kill()
            raise TrendscopeError(
                f"photos cannot be decoded: {sys.executable} started, but could not load Pillow "
                "within the limits; reinstall trendscope, or free some memory"
            )
        self._ready = True


def _environment() -> dict[str, str]:
    """Ours, without what lifts a decoder's own limits; linear algebra is not wanted there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIBHEIF")}
    return {**kept, "OPENBLAS_NUM_THREADS": "1"}


def _photo(answers: IO[bytes]) -> Photo:
    facts_size, pixels_size = _ANSWER.unpack(_exactly(answers, _ANSWER.size))
    facts: dict[str, Any] = json.loads(_exactly(answers, facts_size))
    pixels = _exactly(answers, pixels_size)
    if "reason" in facts:
        raise ImageError(facts["reason"], facts["detail"])
    taken_at = facts["taken_at"] and datetime.fromisoformat(facts["taken_at"])
    rgb = np.frombuffer(pixels, np.uint8).reshape(*facts["shape"], 3)
    return Photo(rgb, facts["sha256"], taken_at, facts["format"], tuple(facts["size"]))


def _exactly(answers: IO[bytes], size: int) -> bytes:
    data = answers.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _explained(death: _Died, data: bytes, limits: Limits) -> ImageError:
    kind = sniff(data)
    if death.code == -signal.SIGALRM:
        return ImageError(
            "timeout",
            f"decoding this {kind} took longer than {limits.decode_seconds:g} s; "
            "save it anew, or allow more: --limit decode_seconds=...",
        )
    how = f"signal {-death.code}" if death.code < 0 else f"exit code {death.code}"
    return ImageError("decoder_crash", f"the {kind} decoder crashed on this file ({how})")


# --- in the worker -------------------------------------------------------------------------------


def serve(limits: Limits) -> None:
    """Answers requests from standard input until it ends."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whatever a library prints is no answer
    _confine(limits)
    answers.write(_READY)
    answers.flush()
    while head := requests.read(_REQUEST.size):
        size, edge = _REQUEST.unpack(head)
        data = requests.read(size)
        # The default action of SIGALRM ends the process, even in the midst of C code.
        signal.setitimer(signal.ITIMER_REAL, limits.decode_seconds)
        facts, pixels = _answer(data, edge, limits)
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(_ANSWER.pack(len(facts), len(pixels)) + facts)
        answers.write(pixels)
        answers.flush()


def _confine(limits: Limits) -> None:
    import resource

    memory = limits.decoder_memory
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hardest = resource.getrlimit(kind)[1]
        if hardest != resource.RLIM_INFINITY:
            most = min(most, hardest)
        resource.setrlimit(kind, (most, most))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who reads our answers
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _answer(data: bytes, edge: int, limits: Limits) -> tuple[bytes, bytes]:
    facts: dict[str, Any]
    try:
        photo = decode(data, edge=edge, limits=limits)
    except ImageError as error:
        facts, pixels = {"reason": error.reason, "detail": str(error)}, b""
    else:
        facts = {
            "shape": photo.rgb.shape[:2],
            "sha256": photo.sha256,
            "taken_at": photo.taken_at and photo.taken_at.isoformat(),
            "format": photo.format,
            "size": photo.size,
        }
        pixels = photo.rgb.tobytes()
    return json.dumps(facts).encode(), pixels
