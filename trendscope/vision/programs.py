"""Networks compiled once per machine, so that a start need not load Flax, trace and compile them.

What is kept is machine code inside a pickle, and is run with the user's rights: it is neither
written nor read where somebody else may write.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.experimental.serialize_executable import deserialize_and_load, serialize

from trendscope.files.writing import write_atomic
from trendscope.vision.compilation import compiler_options, private_folder

Forward = Callable[..., Sequence[Any]]
"""From variables and pictures to arrays."""

_SOURCES = sorted(Path(__file__).parent.glob("*.py"))
_SETTINGS = ("JAX_", "XLA_")
"""How the environment variables begin that change what jax and XLA compile."""

_DIGEST = hashlib.sha256().digest_size


class Program:
    """The forward pass of a network, compiled for each shape of pictures that it meets.

    Args:
        name: Tells it from programs of networks whose variables have the same shapes.
        outputs: Number of arrays that it gives.
        make: Gives the function to compile; not called where compiled code is kept.
    """

    def __init__(self, name: str, outputs: int, make: Callable[[], Forward]):
        self._name, self._outputs, self._make = name, outputs, make
        self._ready: dict[tuple[tuple[int, ...], str], Forward] = {}

    def __call__(self, variables: dict[str, Any], pixels: np.ndarray) -> list[np.ndarray]:
        """The network's answer for pictures, the same to the last bit wherever its code is from."""
        shape = pixels.shape, str(pixels.dtype)
        if shape not in self._ready:
            self._ready[shape] = self._prepared(variables, pixels)
        return [np.asarray(part) for part in self._ready[shape](variables, pixels)]

    def _prepared(self, *arguments: Any) -> Forward:
        folder, name = private_folder(), self._digest(arguments)
        # Whatever goes wrong with kept code, of whichever jax, the network can be compiled anew.
        if folder:
            with suppress(Exception):
                return self._loaded(read(folder / name), arguments)
        compiled = self._compiled(arguments)
        if folder:
            with suppress(Exception):
                code, _, _ = serialize(compiled)
                # Code that jax had from a cache of its own would not be whole.
                if _bits(self._loaded(code, arguments), arguments) == _bits(compiled, arguments):
                    write(folder / name, code)
        return compiled

    def _compiled(self, arguments: Any) -> jax.stages.Compiled:
        forward = self._make()
        jitted = jax.jit(lambda *given: [*forward(*given)], compiler_options=compiler_options())
        return jitted.lower(*arguments).compile()

    def _loaded(self, code: bytes, arguments: Any) -> Forward:
        trees = jax.tree.structure((arguments, {})), jax.tree.structure([0] * self._outputs)
        loaded: Forward = deserialize_and_load(code, *trees, execution_devices=jax.devices()[:1])
        return loaded

    def _digest(self, arguments: Any) -> str:
        """Differs wherever the code may: by network, shapes, libraries, sources and settings."""
        leaves, structure = jax.tree.flatten(arguments)
        settings = {name: value for name, value in os.environ.items() if name.startswith(_SETTINGS)}
        parts = [
            self._name,
            *(f"{leaf.dtype}{leaf.shape}" for leaf in leaves),
            *(structure, sorted(settings.items()), compiler_options()),
            *(jax.__version__, version("jaxlib"), version("flax")),
            jax.devices()[0].client.platform_version,
        ]
        sources = b"".join(path.read_bytes() for path in _SOURCES)
        return hashlib.sha256("\n".join(map(str, parts)).encode() + sources).hexdigest()


def _bits(run: Forward, arguments: Any) -> list[bytes]:
    return [np.asarray(part).tobytes() for part in run(*arguments)]


def write(path: Path, code: bytes) -> None:
    """Keeps code behind a checksum."""
    packed = zlib.compress(code)
    write_atomic(path, hashlib.sha256(packed).digest() + packed)


def read(path: Path) -> bytes:
    """Kept code; raises OSError where there is none, ValueError where it is damaged."""
    data = path.read_bytes()
    if hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
        raise ValueError(f"{path} is damaged")
    return zlib.decompress(data[_DIGEST:])
