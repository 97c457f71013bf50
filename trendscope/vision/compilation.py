"""How the network is compiled: faster on the CPU, and once per machine, not at every start."""

from __future__ import annotations

import hashlib
import platform
import warnings
from pathlib import Path

import jax
from platformdirs import user_cache_path


def compiler_options() -> dict[str, str] | None:
    """Options for `jax.jit` that pay on the CPU and do not exist elsewhere.

    XLA's own convolutions, their gradients above all, are slow on CPUs; this library's take half to
    two thirds of the time.
    """
    if jax.default_backend() != "cpu":
        return None
    return {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_DOT"}


def keep_compiled() -> None:
    """Has JAX keep what it compiles in the user's cache folder, unless another folder is set.

    To compile takes longer than to judge a few dozen photos. What cannot be kept or read there is
    compiled anew; nobody needs to hear of it.
    """
    if getattr(jax.config, "jax_compilation_cache_dir", None) is not None:
        return
    folder = user_cache_path("trendscope") / "compiled" / machine()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache")
    jax.config.update("jax_compilation_cache_dir", str(folder))  # type: ignore[no-untyped-call]
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)  # type: ignore[no-untyped-call]


def machine(description: Path = Path("/proc/cpuinfo")) -> str:
    """Short digest of the processor: compiled code must not be run by one that knows less.

    Args:
        description: Linux's description of the processors; elsewhere the name has to do.
    """
    known = [platform.node(), platform.machine(), platform.processor()]
    if description.is_file():
        lines = description.read_text(errors="replace").splitlines()
        known += sorted({line for line in lines if line.startswith(("flags", "Features", "model"))})
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:16]
