"""Weights files: safetensors with a JSON header, checked leaf by leaf."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from trendscope.errors import WeightsError
from trendscope.files.writing import write_atomic
from trendscope.vision.outputs import Variables
from trendscope.vision.weights import Header, damaged, read_header


def write_weights(path: Path, header: Header, variables: Variables) -> None:
    """Writes a weights file beside `path` and renames it into place."""
    arrays = {name: np.asarray(leaf, np.float32) for name, leaf in leaves(variables)}
    write_atomic(path, save(arrays, {"trendscope": header.to_json()}))


def read_weights(path: Path, *, check: bool = True) -> tuple[Header, Variables]:
    """Reads a weights file.

    Args:
        check: Whether to compare every array with the architecture in the header; takes a tenth of
            a second, and is left to the tests for shipped weights.

    Raises:
        WeightsError: The file is damaged, of another format, or holds other arrays; the message
            names the first one that differs, with the expected and the actual shape.
    """
    arrays = read_arrays(path)
    header = read_header(path)
    if not isinstance(header, Header):
        raise WeightsError(f"{path} holds a network that finds every garment; use load_predictor")
    if check:
        from trendscope.vision.network import initial_variables  # loads Flax

        check_arrays(path, arrays, lambda: initial_variables(header.architecture))
    return header, nested(arrays)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file by name; raises WeightsError if it is damaged."""
    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, ValueError, TypeError, OSError) as error:
        raise damaged(path, error) from error


def check_arrays(
    path: Path, arrays: Mapping[str, np.ndarray], initial: Callable[[], Variables]
) -> None:
    """Checks that a file's arrays are finite and have the shapes of a network's variables.

    Args:
        initial: Gives the network's variables; only traced for their shapes, never computed.

    Raises:
        WeightsError: The first array, by name, that differs.
    """
    expected = {name: leaf.shape for name, leaf in leaves(jax.eval_shape(initial))}
    shapes = {name: array.shape for name, array in arrays.items()}
    for name in sorted(expected | shapes):
        if shapes.get(name) != expected.get(name):
            raise WeightsError(
                f"{path}: array {name}: expected {expected.get(name, 'nothing')}, "
                f"found {shapes.get(name, 'nothing')}"
            )
        if not np.isfinite(arrays[name]).all():
            raise WeightsError(f"{path}: array {name} holds values that are not finite numbers")


def leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The arrays in nested dicts, named ``a/b``."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{name}/")
        else:
            yield prefix + name, value


def nested(arrays: Mapping[str, np.ndarray]) -> Variables:
    """Arrays named ``a/b`` as nested dicts."""
    tree: Variables = {}
    for name, array in arrays.items():
        *path, leaf = name.split("/")
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node[leaf] = array
    return tree
