"""Keeps what JAX compiles from run to run: that takes longer than to judge a few dozen photos."""

from __future__ import annotations

import warnings

import jax

from trendscope.vision.compilation import private_folder


def keep_compiled() -> None:
    """Makes JAX keep compiled code in the user's cache folder, unless another folder is set.

    Code that cannot be written or read there is compiled again, without a warning.
    """
    if getattr(jax.config, "jax_compilation_cache_dir", None) is not None:
        return
    folder = private_folder()
    if folder is None:
        return
    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache")
    jax.config.update("jax_compilation_cache_dir", str(folder))  # type: ignore[no-untyped-call]
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)  # type: ignore[no-untyped-call]
