"""Decodes photos in separate processes, so that a decoder that fails costs one photo only.

Image decoders are C code that reads untrusted files. Each runs in a small worker, started without
jax and kept for many photos, under limits on memory and time that the system enforces; one that
crashes, hangs or uses up memory is replaced, and the photo that caused it is not tried again. A
worker gets bytes and returns pixels: it gets no path, and its answers are read as JSON and numbers,
never unpickled.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from datetime import datetime
from queue import LifoQueue
from threading import Lock
from typing import IO, Any

import numpy as np

from trendscope.errors import ImageError, TrendscopeError
from trendscope.files.formats import check, sniff
from trendscope.limits import Limits
from trendscope.vision.images import Photo, shrink
from trendscope.vision.sandbox_worker import ANSWER, READY, REQUEST

_WORTH_A_WORKER = 32  # photos; a start costs as much as decoding so many
_SETTINGS = {
    "OPENBLAS_NUM_THREADS": "1",  # starting more takes as long as loading all the rest
    # Memory is kept from photo to photo; giving it back and getting it again takes a third more.
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "134217728",
}
_PIPE_BYTES = 1 << 20  # a photo passes at once, where the system allows it, not 64 kB at a time

SERVE = """
import sys, json
sys.path, limits = json.loads(sys.argv[1])
from trendscope.limits import Limits
from trendscope.vision.sandbox_worker import serve
serve(Limits(**limits))
"""
"""Program of a worker."""


class Decoder:
    """A pool of workers: one at first, more for many photos, new ones for those that fail.

    Attributes:
        workers: Largest number of workers at a time.
    """

    def __init__(self, limits: Limits | None = None, *, workers: int = 2, program: str = SERVE):
        self.workers = workers
        self._limits = limits or Limits()
        self._program = program
        self._photos_seen = 0
        self._callers = 0
        self._running: list[_Worker] = []
        self._idle: LifoQueue[_Worker] = LifoQueue()
        self._closed = False
        self._lock = Lock()

    def start(self) -> None:
        """Starts the first worker ahead of need, without waiting for it."""
        with self._lock:
            self._idle.put(self._new())

    def decode(self, data: bytes, *, max_side: int) -> Photo:
        """Decodes a photo as `images.decode` does; may be called from several threads at once.

        Raises:
            ImageError: It is refused as by `images.decode`, or `reason` is ``decoder_crash`` or
                ``timeout``.
            TrendscopeError: No worker can be started.
        """
        check(data, self._limits)
        worker = self._take()
        try:
            return worker.decode(data, max_side)
        except _WorkerDied as death:
            raise _error_of(death.args[0], data, self._limits) from death
        finally:
            self._give_back(worker)

    def close(self) -> None:
        """Kills all workers at once, busy or idle."""
        with self._lock:
            self._closed = True
            for worker in self._running:
                worker.kill()

    def _take(self) -> _Worker:
        """An idle worker; where there is none, a new one if it is worth its start."""
        with self._lock:
            self._photos_seen += 1
            self._callers += 1
            needed = min(self.workers, self._callers, 1 + self._photos_seen // _WORTH_A_WORKER)
            if len(self._running) < needed:
                return self._new()
        worker = self._idle.get()
        if worker.alive:
            return worker
        try:
            with self._lock:
                new = self._new()
                self._running.remove(worker)
                return new
        except BaseException:
            self._idle.put(worker)  # or a waiting thread would wait for ever
            raise

    def _give_back(self, worker: _Worker) -> None:
        with self._lock:
            self._callers -= 1
        self._idle.put(worker)

    def _new(self) -> _Worker:
        if self._closed:
            raise ImageError("unreadable", "the run was stopped")
        worker = _Worker(self._program, self._limits)
        self._running.append(worker)
        return worker


class _WorkerDied(Exception):
    """A worker ended; the argument is its exit code, negative for a signal."""


class _Worker:
    def __init__(self, program: str, limits: Limits):
        arguments = ("-I", "-S", "-c", program, json.dumps([sys.path, asdict(limits)]))
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            pipesize=_PIPE_BYTES,
        )
        self._ready = False

    def decode(self, data: bytes, max_side: int) -> Photo:
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(REQUEST.pack(len(data), max_side))
            self._process.stdin.write(data)
            self._process.stdin.flush()
            self._await_start(self._process.stdout)
            return _photo(self._process.stdout, max_side)
        except (OSError, EOFError, ValueError):  # the pipes of a dead worker are closed
            self.kill()
            raise _WorkerDied(self._process.returncode) from None

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _await_start(self, answers: IO[bytes]) -> None:
        if self._ready:
            return
        if answers.read(len(READY)) != READY:
            self.kill()
            raise TrendscopeError(
                f"photos cannot be decoded: {sys.executable} started, but could not load Pillow "
                "within the limits; reinstall trendscope, or free some memory"
            )
        self._ready = True


def _environment() -> dict[str, str]:
    """The environment of this process, without variables that lift a decoder's own limits."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("LIBHEIF")
    }
    return {**inherited, **_SETTINGS}


def _photo(answers: IO[bytes], max_side: int) -> Photo:
    header_size, pixels_size = ANSWER.unpack(_exactly(answers, ANSWER.size))
    header: dict[str, Any] = json.loads(_exactly(answers, header_size))
    pixels = _exactly(answers, pixels_size)
    if "reason" in header:
        raise ImageError(header["reason"], header["detail"])
    taken_at = header["taken_at"] and datetime.fromisoformat(header["taken_at"])
    height, width = header["shape"]
    flat = np.frombuffer(pixels, np.uint8)
    rgb_bytes = height * width * 3
    return Photo(
        shrink(flat[:rgb_bytes].reshape(height, width, 3), max_side),
        flat[rgb_bytes:].reshape(32, 32, 3),
        taken_at,
        header["format"],
        tuple(header["size"]),
    )


def _exactly(answers: IO[bytes], size: int) -> bytes:
    data = answers.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _error_of(code: int, data: bytes, limits: Limits) -> ImageError:
    kind = sniff(data)
    if code == -signal.SIGALRM:
        return ImageError(
            "timeout",
            f"decoding this {kind} took longer than {limits.decode_seconds:g} s; "
            "save it anew, or allow more: --limit decode_seconds=...",
        )
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return ImageError("decoder_crash", f"the {kind} decoder crashed on this file ({how})")
