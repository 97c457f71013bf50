"""The inside of a decoding process: see `trendscope.vision.sandbox`."""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
import warnings
from typing import Any

from trendscope.errors import ImageError
from trendscope.limits import Limits

REQUEST = struct.Struct("<QI")
"""Bytes of the file that follows; longer side wanted in pixels: the result's is below twice it."""

ANSWER = struct.Struct("<II")
"""Bytes of the facts, as JSON, and of the pixels and the small picture, which follow."""

READY = b"ready"


def serve(limits: Limits) -> None:
    """Answers requests from standard input until it ends."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whatever a library prints is no answer
    import trendscope.vision.pillow  # noqa: F401 - loaded before the limits hold and READY is sent

    warnings.simplefilter("ignore")  # Pillow's, of pictures that are a little wrong
    _confine(limits)
    answers.write(READY)
    answers.flush()
    while head := requests.read(REQUEST.size):
        size, edge = REQUEST.unpack(head)
        data = requests.read(size)
        # The default action of SIGALRM ends the process, even in the midst of C code.
        signal.setitimer(signal.ITIMER_REAL, limits.decode_seconds)
        facts, pixels = _answer(data, edge, limits)
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(ANSWER.pack(len(facts), len(pixels)) + facts)
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
    from trendscope.vision.pillow import read

    try:
        picture = read(data, edge, limits)
    except ImageError as error:
        return json.dumps({"reason": error.reason, "detail": str(error)}).encode(), b""
    facts: dict[str, Any] = picture._asdict()
    pixels = facts.pop("pixels") + facts.pop("small")
    facts["taken_at"] = picture.taken_at and picture.taken_at.isoformat()
    return json.dumps(facts).encode(), pixels
