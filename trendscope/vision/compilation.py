"""Compiles the network for speed on the CPU, and keeps what it compiled for one machine."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path

import jax
from platformdirs import user_cache_path


def compiler_options() -> dict[str, str] | None:
    """Options for `jax.jit` that exist, and save time, on the CPU only.

    XLA hands products of matrices, with what comes before and after them, to a library that takes
    a tenth longer than its own code.
    """
    if jax.default_backend() != "cpu":
        return None
    return {"xla_cpu_experimental_ynn_fusion_type": ""}


def private_folder() -> Path | None:
    """The folder for code compiled on this machine; None where others may write, or nobody can.

    Whoever writes there has code run with the rights of the user who reads it.
    """
    folder = user_cache_path("trendscope") / "code" / machine()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError:
        return None
    others_may_write = os.name == "posix" and (
        status.st_uid != os.getuid() or bool(status.st_mode & 0o022)
    )
    return None if others_may_write else folder


def machine(description: Path = Path("/proc/cpuinfo")) -> str:
    """Short digest of the processor: compiled code must not run on one with fewer instructions.

    Args:
        description: Linux's description of the processors; without it the name is digested.
    """
    features = [platform.node(), platform.machine(), platform.processor()]
    if description.is_file():
        lines = description.read_text(errors="replace").splitlines()
        features += sorted(
            {line for line in lines if line.startswith(("flags", "Features", "model"))}
        )
    return hashlib.sha256("\n".join(features).encode()).hexdigest()[:16]
