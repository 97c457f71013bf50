"""Picture files, and decoders that do harm."""

from __future__ import annotations

import io
import struct
import tempfile
import zlib
from pathlib import Path

from PIL import Image

from trendscope.vision.sandbox import SERVE

RED, GREEN, BLUE, GREY, BLACK = (
    (200, 30, 30),
    (30, 200, 30),
    (30, 30, 200),
    (128, 128, 128),
    (0, 0, 0),
)

HOOK = """
import os, re, sys, time, trendscope.vision.pillow
real = trendscope.vision.pillow._read
def read(data, *rest):
    if started := re.search(b"<touch (.*?)>", data): open(started[1], "w").close()
    if b"<crash>" in data: os.kill(os.getpid(), 11)
    if b"<exit>" in data: os._exit(3)
    if b"<sleep>" in data: time.sleep(1000)
    if b"<loop>" in data:
        while True: pass
    if b"<hungry>" in data: bytearray(1 << 40)
    if b"<chatter>" in data: os.write(1, b"noise"); os.write(2, b"noise")
    if b"<write>" in data: os.write(os.open("stolen", 65), b"x")
    return real(data, *rest)
trendscope.vision.pillow._read = read
"""

POISON = SERVE.replace("serve(Limits", HOOK + "serve(Limits")
"""A worker whose decoder does harm when the file says so."""


def let_everybody_in(folder: Path) -> None:
    """Opens a test's folder to other users: pytest closes its own to them."""
    temporary = Path(tempfile.gettempdir())
    for place in (folder, *folder.parents):
        if temporary in place.parents:
            place.chmod(0o755)


def picture(colour, size=(40, 50), kind="JPEG", **options) -> bytes:
    """A picture file of one colour."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind, **options)
    return out.getvalue()


def encode(image: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def bomb(side: int) -> bytes:
    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(100)))
        + chunk(b"IEND", b"")
    )


GOOD = picture(RED)
