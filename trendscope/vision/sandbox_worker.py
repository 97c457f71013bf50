"""Program of a decoding process; see `trendscope.vision.sandbox`."""

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
"""Size of the file that follows in bytes; longer side wanted in pixels, of which the result may
have up to twice as many."""

ANSWER = struct.Struct("<II")
"""Sizes in bytes of the JSON header, and of the pixels with the preview, which follow."""

READY = b"ready"


def serve(limits: Limits) -> None:
    """Answers requests from standard input until it ends."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # output of libraries is no answer
    import trendscope.vision.pillow  # noqa: F401 - loaded before the limits hold and READY is sent

    warnings.simplefilter("ignore")  # Pillow warns of slightly damaged pictures
    _confine(limits)
    answers.write(READY)
    answers.flush()
    while head := requests.read(REQUEST.size):
        size, max_side = REQUEST.unpack(head)
        data = requests.read(size)
        # The default action of SIGALRM ends the process, even in the midst of C code.
        signal.setitimer(signal.ITIMER_REAL, limits.decode_seconds)
        header, pixels = _decoded(data, max_side, limits)
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(ANSWER.pack(len(header), len(pixels)) + header)
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
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, which ends this process
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _decoded(data: bytes, max_side: int, limits: Limits) -> tuple[bytes, bytes]:
    from trendscope.vision.pillow import read

    try:
        picture = read(data, max_side, limits)
    except ImageError as error:
        return json.dumps({"reason": error.reason, "detail": str(error)}).encode(), b""
    header: dict[str, Any] = picture._asdict()
    pixels = header.pop("pixels") + header.pop("preview")
    header["taken_at"] = picture.taken_at and picture.taken_at.isoformat()
    return json.dumps(header).encode(), pixels
