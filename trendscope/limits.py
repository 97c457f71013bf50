"""Upper bounds on what a feed and its photos may use, in one place and adjustable by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from trendscope.errors import UsageError

FREE_MEMBER_BYTES = 1_000_000
FREE_ARCHIVE_BYTES = 100_000_000


@dataclass(frozen=True)
class Limits:
    """All limits; ``--limit NAME=VALUE`` changes one.

    Attributes:
        file_bytes: Largest single image file.
        json_bytes: Largest index file of an export.
        table_bytes: Largest manifest or catalogue file.
        catalog_rows: Most rows of a shop's catalogue file.
        sidecar_bytes: Largest description of one photo, unpacked.
        sidecar_memory: Most bytes of memory for unpacking one that is packed by xz.
        members: Most members of one archive, those of archives inside it included.
        archive_bytes: Most bytes read out of one archive, all members together.
        ratio: Most bytes that a member may unpack to per packed byte beyond `FREE_MEMBER_BYTES`,
            and an archive beyond `FREE_ARCHIVE_BYTES`.
        depth: Number of levels of archives inside archives that are opened; 0: none inside another.
        pixels: Largest width x height; 108 million is a common phone photo.
        decode_seconds: Longest time for decoding one photo.
        decoder_memory: Most bytes of address space that a decoding process may take.
    """

    file_bytes: int = 100_000_000
    json_bytes: int = 200_000_000
    table_bytes: int = 200_000_000
    catalog_rows: int = 1_000_000
    sidecar_bytes: int = 20_000_000
    sidecar_memory: int = 100_000_000
    members: int = 500_000
    archive_bytes: int = 50_000_000_000
    ratio: int = 200
    depth: int = 0
    pixels: int = 120_000_000
    decode_seconds: float = 20.0
    decoder_memory: int = 1_000_000_000


def adjusted(settings: Iterable[str]) -> Limits:
    """The usual limits with some changed, each as ``NAME=VALUE``; 1_000_000 is understood.

    Raises:
        UsageError: A name is unknown, or a value is not a number or negative.
    """
    kinds = {name: type(value) for name, value in asdict(Limits()).items()}
    changes = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        if name not in kinds:
            raise UsageError(f"--limit {setting}: there is no such limit; use {', '.join(kinds)}")
        try:
            changes[name] = kinds[name](value)
        except ValueError:
            changes[name] = -1
        if not 0 <= changes[name] < float("inf"):
            raise UsageError(f"--limit {setting}: expected {name}=NUMBER, such as {name}=100")
    return replace(Limits(), **changes)
